"""The live feed: what the gateway knows, to the web process, over a UNIX socket, one JSON object a line.

A new listener gets a `snapshot`, then `frame`s with what changed since its last one (at most one per 80 ms), `health`
when it changes, and a `tick` every 5 s. A slow listener gets the newest value of each signal, never a growing queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.bus import Batch, Bus, Latest
from gateway.clock import Clock, to_iso
from gateway.reading import Quality
from gateway.signals import find

COALESCE_S = 0.08
TICK_S = 5.0
_STALE_PERIODS = 3


def signal_json(latest: Latest, monotonic: float) -> dict[str, Any]:
    """Return one signal as the HTTP contract shows it: value, unit, at, age_s, quality, source."""
    reading = latest.reading
    signal = find(reading.signal)
    age = monotonic - latest.seen
    stale = signal is not None and age > _STALE_PERIODS * signal.period_s
    return {
        "value": reading.value,
        "unit": signal.unit if signal else "",
        "at": to_iso(reading.at),
        "age_s": round(age, 1),
        "quality": (Quality.STALE if stale else reading.quality).value,
        "source": reading.source,
    }


class _Listener:
    """One connected reader, and what it has not been told yet."""

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.health = False
        self.wake = asyncio.Event()


class LiveFeed:
    """The socket and its listeners."""

    def __init__(
        self,
        path: Path,
        bus: Bus,
        clock: Clock,
        *,
        home: dict[str, Any],
        health: Callable[[], dict[str, Any]],
    ) -> None:
        self._path = path
        self._bus = bus
        self._clock = clock
        self._home = home
        self._health = health
        self._listeners: set[_Listener] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Open the socket; a file left by a killed process is replaced."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        self._path.chmod(0o660)
        self._bus.tap(self._took)

    async def stop(self) -> None:
        """Close the socket and end every listener."""
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    def health_changed(self) -> None:
        """Tell every listener the health anew."""
        for listener in self._listeners:
            listener.health = True
            listener.wake.set()

    def _took(self, batch: Batch) -> None:
        for listener in self._listeners:
            listener.changed.update(reading.signal for reading in batch.readings)
            listener.wake.set()

    def _signals(self, names: set[str] | None = None) -> dict[str, Any]:
        monotonic = self._clock.monotonic()
        latest = self._bus.latest
        chosen = latest.keys() if names is None else names
        return {name: signal_json(latest[name], monotonic) for name in sorted(chosen)}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader  # nothing is ever taken from this socket
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        listener = _Listener()
        self._listeners.add(listener)
        try:
            await self._feed(listener, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the web process went away, or we are stopping
        finally:
            self._listeners.discard(listener)
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _feed(self, listener: _Listener, writer: asyncio.StreamWriter) -> None:
        await self._send(writer, "snapshot", {"signals": self._signals(), "health": self._health(), "home": self._home})
        while True:
            try:
                await asyncio.wait_for(listener.wake.wait(), TICK_S)
            except TimeoutError:
                await self._send(writer, "tick", {})
                continue
            listener.wake.clear()
            if listener.changed:
                changed, listener.changed = listener.changed, set()
                await self._send(writer, "frame", {"signals": self._signals(changed)})
            if listener.health:
                listener.health = False
                await self._send(writer, "health", {"health": self._health()})
            # The first change leaves at once; what follows within this pause leaves together.
            await asyncio.sleep(COALESCE_S)

    async def _send(self, writer: asyncio.StreamWriter, kind: str, content: dict[str, Any]) -> None:
        message = {"type": kind, "at": to_iso(self._clock.now()), **content}
        writer.write(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        await writer.drain()
