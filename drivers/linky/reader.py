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

from drivers.contract import Beat, DeviceState, Host
from drivers.linky import machine, ports, states
from drivers.linky.blocked import blocked
from drivers.linky.detect import SPEEDS, SpeedSeeker
from drivers.linky.group import Group
from drivers.linky.labels import Mode
from drivers.linky.line import Line, is_network
from drivers.linky.stream import Stream
from gateway.errors import Misconfigured, Text

_RETRY_S = 1.0  # between two looks for the port
_GATHER_S = 0.025  # a group lasts 15 to 25 ms: one wake-up for one or two of them, not one for each byte
_BEAT_S = 10.0
_LOOK_AROUND_S = 60.0  # between two looks for what disturbs a weak line
_A_METER = 3  # damaged groups with a meter's label that tell a weak signal from another device
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
                host.beat(why_not(error, port, self._root))
                self._stop.wait(_RETRY_S)
            self._turn += 1

    def _candidates(self) -> list[str]:
        return ports.candidates(self._root) if self._port == "auto" else [self._port]

    def _read(self, port: str, host: Host) -> None:
        line = Line(port, SPEEDS[0])
        try:
            _Session(line, self._mode, host, self._stop, lambda: len(self._candidates()) > 1, self._root).read()
        finally:
            line.close()


def why_not(error: OSError, port: str, root: Path = Path("/")) -> Beat:
    """Return the beat of a port that could not be opened or read: which of many reasons, and the mend of that one."""
    code = "port-fault" if is_network(port) else ports.failure_code(error, port)
    if code == "no-port":
        present = [] if port == "auto" else ports.candidates(root)
        uart = machine.is_uart(port, root) and machine.is_raspberry(root)
        return states.no_port(port, present, uart=uart)
    if code == "port-fault":
        return states.port_fault(port)
    obstacle = machine.obstacle(port, root)
    if code == "no-permission" and (obstacle is None or not obstacle.unit):
        return states.no_permission(port, ports.permission_mend(port))
    # A login on the port gives it to root: the right to read it would not last.
    return blocked(obstacle, port)


class _Session:
    """One opened port, until it breaks, the driver stops, or it says nothing and there are `others` to try."""

    def __init__(
        self,
        line: Line,
        mode: Mode | None,
        host: Host,
        stop: threading.Event,
        others: Callable[[], bool],
        root: Path,
    ) -> None:
        self._line = line
        self._host = host
        self._stop = stop
        self._others = others
        self._root = root
        self._stream = Stream(mode)
        self._seeker = SpeedSeeker(host.clock.monotonic())
        self._beaten = self._looked = float("-inf")
        self._obstacle: machine.Obstacle | None = None
        self._turns = 0
        self._named = 0
        self._understood = False
        self._told: tuple[Mode | None, bool] = (None, False)
        self._local = not is_network(line.port)
        self._has_speed = not line.by_socket and not machine.is_terminal(line.port, root)

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
            self._named = self._stream.damaged_but_named
            told = (self._stream.mode, self._stream.error_rate is not None)
            beat_now = not self._understood or now - self._beaten >= _BEAT_S or told != self._told
            self._understood = True
            if beat_now:
                self._beaten, self._told = now, told
                self._host.beat(self._well(now))
        return True

    def _well(self, now: float) -> Beat:
        """Return the beat of a line that is understood: well, or weak, or disturbed by something on this machine."""
        rate, details = self._stream.error_rate, self._details()
        if rate is None or not self._stream.weak:
            small = self._local and machine.is_small_uart(self._line.port, self._root)
            return states.reading(details, speed=self._seeker.speed if self._has_speed else None, small_uart=small)
        if now - self._looked >= _LOOK_AROUND_S:
            self._looked = now
            self._obstacle = self._look_around()
        if self._obstacle is not None:
            return blocked(self._obstacle, self._line.port, DeviceState.DEGRADED, details)
        return states.weak(rate, self._stream.error_trend, details)

    def _look_around(self) -> machine.Obstacle | None:
        return machine.obstacle(self._line.port, self._root) if self._local else None

    def _complain(self, *, silent: bool) -> None:
        """Say that the line is not understood, once both speeds were tried."""
        if self._turns < len(SPEEDS) and not self._understood:
            return
        self._understood = False
        self._beaten = float("-inf")
        details, obstacle = self._details(), self._look_around()
        if obstacle is not None:
            self._host.beat(blocked(obstacle, self._line.port, details=details))
        elif silent:
            self._host.beat(states.no_signal(details))
        else:
            named = self._stream.damaged_but_named - self._named
            self._host.beat(states.not_understood(details, meter=named >= _A_METER))

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
