"""The driver: reads the meter's port in a thread of its own, for as long as the box runs.

Nothing that happens to the port ends it: no port, no permission, a port in use, silence, noise, an adapter pulled out
amid a frame and put back, a meter that changes mode. Each is a beat, and the reader goes on trying.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drivers.contract import Host
from drivers.linky import ports, states
from drivers.linky.detect import SPEEDS, SpeedSeeker
from drivers.linky.group import Group
from drivers.linky.labels import Mode
from drivers.linky.line import Line, is_network
from drivers.linky.stream import Stream
from gateway.errors import Misconfigured, Text

_RETRY_S = 1.0  # between two looks for the port
_GATHER_S = 0.01  # bytes are taken in handfuls: a group lasts 15 ms, and a wake-up for each byte would cost ten times
_BEAT_S = 10.0
_MODES: dict[str, Mode | None] = {"auto": None, "historic": Mode.HISTORIC, "standard": Mode.STANDARD}


class LinkyDriver:
    """Reads one meter. `port` is `auto`, a device path, `tcp://host:port` or `rfc2217://host:port`."""

    id = "linky"

    def __init__(self, port: str, mode: Mode | None, root: Path = Path("/")) -> None:
        self._port = port
        self._mode = mode
        self._root = root
        self._turn = 0
        self._stop = threading.Event()

    async def run(self, host: Host) -> None:
        """Read until cancelled."""
        self._stop.clear()
        reading = asyncio.create_task(asyncio.to_thread(self._read_for_ever, host))
        try:
            await asyncio.shield(reading)
        finally:
            self._stop.set()
            await reading

    def _read_for_ever(self, host: Host) -> None:
        host.beat(states.searching())
        while not self._stop.is_set():
            found = self._candidates()
            if not found:
                host.beat(states.no_port("auto"))
                self._stop.wait(_RETRY_S)
                continue
            port = found[self._turn % len(found)]
            try:
                self._read(port, host)
            except OSError as error:
                code = "port-fault" if is_network(port) else ports.failure_code(error, port)
                host.beat(states.not_opened(code, port, ports.permission_mend(port)))
                self._stop.wait(_RETRY_S)
            self._turn += 1

    def _candidates(self) -> list[str]:
        return ports.candidates(self._root) if self._port == "auto" else [self._port]

    def _read(self, port: str, host: Host) -> None:
        line = Line(port, SPEEDS[0])
        try:
            _Session(line, self._mode, host, self._stop, lambda: len(self._candidates()) > 1).read()
        finally:
            line.close()


class _Session:
    """One opened port, until it breaks, the driver stops, or it says nothing and there are `others` to try."""

    def __init__(
        self, line: Line, mode: Mode | None, host: Host, stop: threading.Event, others: Callable[[], bool]
    ) -> None:
        self._line = line
        self._host = host
        self._stop = stop
        self._others = others
        self._stream = Stream(mode)
        self._seeker = SpeedSeeker(host.clock.monotonic())
        self._beaten = float("-inf")
        self._turns = 0
        self._understood = False

    def read(self) -> None:
        """Read; raises OSError when the port goes away."""
        try:
            while not self._stop.is_set():
                data = self._line.read()
                if not self._hear(data):
                    return
                if data:
                    self._stop.wait(_GATHER_S)
        finally:
            self._publish(self._stream.finish())

    def _hear(self, data: bytes) -> bool:
        """Take one read; return False when this port is given up."""
        now = self._host.clock.monotonic()
        # The calendar, not the monotonic clock: in a demonstration that runs fast, so does the meter.
        events = self._stream.feed(data, self._host.clock.now() / 1000) if data else []
        valid = sum(isinstance(event, Group) for event in events)
        silent = self._seeker.silent and not data
        changed = self._seeker.hear(data, valid, now)
        self._publish(events)
        if changed:
            self._line.set_speed(self._seeker.speed)
            self._publish(self._stream.finish())
            self._turns += 1
            self._complain(silent=silent)
            if self._turns >= len(SPEEDS) and not self._understood and self._others():
                return False
        elif valid:
            self._turns = 0
            beat_now = not self._understood or now - self._beaten >= _BEAT_S
            self._understood = True
            if beat_now:
                self._beaten = now
                self._host.beat(states.reading(self._stream.error_rate, self._details()))
        return True

    def _complain(self, *, silent: bool) -> None:
        """Say that the line is not understood, once both speeds were tried."""
        if self._turns < len(SPEEDS) and not self._understood:
            return
        self._understood = False
        self._beaten = float("-inf")
        say = states.no_signal if silent else states.not_understood
        self._host.beat(say(self._details()))

    def _publish(self, events: list[Any]) -> None:
        if not events:
            return
        for readings, end in self._stream.readings(events, self._host.clock.now()):
            self._host.publish(readings, frame_end=end is not None)

    def _details(self) -> dict[str, Any]:
        return {"speed": self._seeker.speed, **self._stream.details()}


def create(settings: Mapping[str, Any]) -> LinkyDriver:
    """Return the driver of a `[meter]` table (`port`, `mode`); raise Misconfigured for a mode that does not exist."""
    mode = settings.get("mode", "auto")
    if mode not in _MODES:
        raise Misconfigured(
            Text(f"[meter] mode = {mode} n’existe pas.", f"[meter] mode = {mode} does not exist."),
            Text("Écrivez auto, historic ou standard.", "Write auto, historic or standard."),
        )
    return LinkyDriver(str(settings.get("port", "auto")), _MODES[mode])
