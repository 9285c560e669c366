"""The only place that reads a clock. Everything else is handed a `Clock`, so that tests and the demo can move time.

Two times, never mixed: `now()` is the calendar (UTC, may jump), `monotonic()` is for ages, back-off and watchdogs.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import NewType, Protocol

UtcMs = NewType("UtcMs", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""

DEMO_CLOCK_VARIABLE = "FOYER_DEMO_CLOCK"
"""`<real UTC ms>,<speed>`: from that moment on the calendar runs `speed` times faster, in every process of a demo."""


class Clock(Protocol):
    """What the box may ask of time."""

    def now(self) -> UtcMs:
        """Return the calendar time, UTC, in milliseconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump, from an arbitrary origin."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> UtcMs:
        """Return the machine's calendar time."""
        return UtcMs(time.time_ns() // 1_000_000)

    def monotonic(self) -> float:
        """Return the machine's monotonic time in seconds."""
        return time.monotonic()


class FastClock(SystemClock):
    """A calendar that runs `speed` times faster since `origin` (for `foyer demo --speed`); ages stay real."""

    def __init__(self, origin: UtcMs, speed: float) -> None:
        self._origin = origin
        self._speed = speed

    def now(self) -> UtcMs:
        """Return the sped-up calendar time."""
        real = super().now()
        return UtcMs(self._origin + round((real - self._origin) * self._speed))


def system_clock() -> Clock:
    """Return the clock of this process: the machine's, or the demo's when `FOYER_DEMO_CLOCK` is set."""
    setting = os.environ.get(DEMO_CLOCK_VARIABLE)
    if not setting:
        return SystemClock()
    origin, _, speed = setting.partition(",")
    return FastClock(UtcMs(int(origin)), float(speed))


def to_datetime(at: UtcMs | int) -> datetime:
    """Return `at` as an aware UTC datetime."""
    return datetime.fromtimestamp(at / 1000, UTC)


def to_iso(at: UtcMs | int) -> str:
    """Return `at` as ISO 8601 with milliseconds and a `Z`."""
    return to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_datetime(at: datetime) -> UtcMs:
    """Return an aware datetime as UTC milliseconds; a naive one is a bug of the caller and raises ValueError."""
    if at.tzinfo is None:
        raise ValueError(f"naive datetime: {at!r}")
    return UtcMs(round(at.timestamp() * 1000))
