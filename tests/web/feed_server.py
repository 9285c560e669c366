"""A gateway's live feed for tests: a real UNIX socket that speaks the protocol, and says what the test tells it.

    with FeedServer(path) as gateway:
        gateway.set({"pv.power": 3120})        # values; everyone connected gets a frame
        gateway.set_health({"state": "ok", "checks": []})
        gateway.stop(); gateway.start()        # the gateway restarts

`with FeedServer(...)` starts with a plausible sunny noon (`NOON`).
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path
from typing import Self

from gateway.clock import system_clock, to_iso
from gateway.signals import find

HOME = {"name": "Maison d’essai", "demo": True, "language": "fr", "timezone": "Europe/Paris"}
HEALTHY = {
    "state": "ok",
    "checks": [
        {
            "id": "meter",
            "state": "ok",
            "code": "reading",
            "text": {"fr": "Le compteur parle.", "en": "The meter speaks."},
            "mend": None,
            "since": "2025-06-21T10:00:00.000Z",
            "details": {},
        }
    ],
}
NOON = {
    "grid.import.energy": 4_321_000,
    "grid.export.energy": 870_000,
    "grid.import.apparent_power": 0,
    "grid.export.apparent_power": 1_660,
    "grid.import.power": 0,
    "grid.export.power": 1_640,
    "grid.voltage.l1": 236,
    "grid.current.l1": 7,
    "grid.tariff.period": "hp",
    "pv.power": 2_120,
    "pv.power@roof": 2_120,
    "pv.energy": 9_870_000,
    "home.power": 480,
}
_DERIVED = ("grid.import.power", "grid.export.power", "home.power", "balance.unexplained.power")


def sig(name: str, value: object, *, age_s: float = 0.4, quality: str | None = None) -> dict[str, object]:
    """Return one signal as the gateway writes it."""
    signal = find(name)
    return {
        "value": value,
        "unit": signal.unit if signal else "",
        "at": to_iso(system_clock().now()),
        "age_s": age_s,
        "quality": quality or ("derived" if name in _DERIVED else "measured"),
        "source": "test",
    }


class FeedServer:
    """Listens on `path`; keeps the present values and sends them to each client as a snapshot, then frames."""

    def __init__(self, path: Path, values: dict[str, object] | None = None, *, home: dict | None = None) -> None:
        self.path = path
        self.home = dict(home or HOME)
        self.health = HEALTHY
        self.signals = {name: sig(name, value) for name, value in (NOON if values is None else values).items()}
        self._lock = threading.Lock()
        self._clients: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self.connected = threading.Event()
        self.accepted = 0
        self._came = threading.Condition()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, as a gateway that has just started."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the listener and every client, as a gateway that stops."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        self._thread.join()
        with self._lock:
            for client in self._clients:
                client.close()
            self._clients.clear()
        self.path.unlink(missing_ok=True)
        self.connected.clear()

    def set(self, values: dict[str, object], **how: object) -> None:
        """Give signals new values (None withdraws one) and send the frame. `how`: age_s, quality."""
        self.set_signals({name: sig(name, value, **how) for name, value in values.items()})

    def set_signals(self, signals: dict[str, dict]) -> None:
        """Send signals as they are given, whole."""
        with self._lock:
            self.signals.update(signals)
            self._send({"type": "frame", "at": to_iso(system_clock().now()), "signals": signals})

    def set_health(self, health: dict) -> None:
        """Change the health and send it."""
        with self._lock:
            self.health = health
            self._send({"type": "health", "health": health})

    def tick(self) -> None:
        """Send the sign of life."""
        with self._lock:
            self._send({"type": "tick", "at": to_iso(system_clock().now())})

    def send_raw(self, line: bytes) -> None:
        """Send any bytes, for hostile input."""
        with self._lock:
            self._write(line)

    def wait_for_clients(self, count: int) -> None:
        """Wait until so many connections have come since the start of the test."""
        with self._came:
            self._came.wait_for(lambda: self.accepted >= count)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._clients.append(client)
                first = {
                    "type": "snapshot",
                    "at": to_iso(system_clock().now()),
                    "signals": self.signals,
                    "health": self.health,
                    "home": self.home,
                }
                client.sendall(json.dumps(first).encode() + b"\n")
            self.connected.set()
            with self._came:
                self.accepted += 1
                self._came.notify_all()

    def _send(self, message: dict) -> None:
        self._write(json.dumps(message).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        for client in list(self._clients):
            try:
                client.sendall(line)
            except OSError:
                client.close()
                self._clients.remove(client)
