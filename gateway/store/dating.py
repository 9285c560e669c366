"""Decides whether the time on a row can be believed. Pure.

A box without a clock of its own boots in the past. Rows of that time wait here, with their monotonic time, and get
their true time as soon as the calendar is set.
"""

from __future__ import annotations

from collections import deque

from gateway.store.frames import Frame
from gateway.store.schema import DAY_MS, HOUR_MS

_BEFORE_FOYER = 1_577_836_800_000  # 2020-01-01: a calendar before this was never set
_AHEAD_MS = 60_000
_HOLD_S = 3600.0
"""A calendar that stays behind for this long is the right one: it was ahead before."""

_HELD = 3600


class Dating:
    """Admits frames in the order they come. `newest` is the newest time the file knows."""

    def __init__(self, newest: int | None = None) -> None:
        self._newest = newest or 0
        self._held: deque[Frame] = deque()
        self._held_since: float | None = None
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """How many rows wait for the calendar to be set."""
        return len(self._held)

    def admit(self, frame: Frame, now: int) -> list[tuple[int, Frame]]:
        """Return the frames that can be kept, each with its time (UTC ms); `now` is the calendar."""
        if frame.at > now + _AHEAD_MS:
            self.dropped += 1
            return []
        if frame.at < _BEFORE_FOYER or (frame.at < self._newest - DAY_MS and not self._is_patience_over(frame)):
            self._hold(frame)
            return []
        released = [(frame.at - round((frame.seen - one.seen) * 1000), one) for one in self._held]
        self._held.clear()
        self._held_since = None
        self._newest = frame.at if frame.at < self._newest - DAY_MS else max(self._newest, frame.at)
        return [*released, (frame.at, frame)]

    def _is_patience_over(self, frame: Frame) -> bool:
        return self._held_since is not None and frame.seen - self._held_since >= _HOLD_S

    def _hold(self, frame: Frame) -> None:
        if self._held_since is None:
            self._held_since = frame.seen
        if len(self._held) >= _HELD:
            self._held.popleft()
            self.dropped += 1
        self._held.append(frame)


def hour_of(ts: int) -> int:
    """Return the start of the hour of `ts`."""
    return ts - ts % HOUR_MS
