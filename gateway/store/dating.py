"""Decides whether the time on a row can be believed. Pure.

A box without a clock of its own boots in the past. Rows of that time wait here, with their monotonic time, and get
their true time as soon as the calendar is set.
"""

from __future__ import annotations

from collections import deque

from gateway.store.frames import Frame
from gateway.store.schema import DAY_MS, HOUR_MS

BEFORE_FOYER = 1_577_836_800_000
"""2020-01-01: a calendar before this was never set."""

_AHEAD_MS = 60_000
_HOLD_S = 3600.0
"""A calendar that stays behind for this long is the right one: it was ahead before. One that nothing vouches for is
taken as it is after this long: the box may never see a network, nor its meter say the time."""

_PATIENCE_S = 600.0
"""What waits for longer than this is better kept in the file."""

_HELD = 3600


class Dating:
    """Admits frames in the order they come. `newest` is the newest time the file knows."""

    def __init__(self, newest: int | None = None) -> None:
        self.newest = newest or 0
        self._held: deque[Frame] = deque()
        self._held_since: float | None = None
        self._resigned = False
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """How many rows wait for the calendar to be set."""
        return len(self._held)

    def admit(self, frame: Frame, now: int, *, is_trusted: bool = True) -> list[tuple[int, Frame]]:
        """Return the frames that can be kept, each with its time (UTC ms); `now` is the calendar."""
        if is_trusted:
            self._resigned = False
        if frame.at > now + _AHEAD_MS:
            self.dropped += 1
            return []
        if not self._can_be_kept(frame, is_trusted=is_trusted):
            self._hold(frame)
            return []
        released = [(frame.at - round((frame.seen - one.seen) * 1000), one) for one in self._held]
        self._held.clear()
        self._held_since = None
        self.newest = frame.at if frame.at < self.newest - DAY_MS else max(self.newest, frame.at)
        return [*released, (frame.at, frame)]

    def overdue(self, seen: float) -> list[Frame]:
        """Return the frames that wait, once the first one has for ten minutes; `forget` them when they are saved."""
        is_long = self._held_since is not None and seen - self._held_since >= _PATIENCE_S
        return list(self._held) if is_long else []

    def forget(self, count: int) -> None:
        """Let go of the `count` oldest frames that wait."""
        for _ in range(count):
            self._held.popleft()

    def _can_be_kept(self, frame: Frame, *, is_trusted: bool) -> bool:
        if frame.at < BEFORE_FOYER:
            return False
        if frame.at < self.newest - DAY_MS:
            return self._is_patience_over(frame)
        if not is_trusted and not self._resigned:
            self._resigned = self._is_patience_over(frame)
            return self._resigned
        return True

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
