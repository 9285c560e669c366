"""The guard of a counter: tells a meter that was exchanged from a value read wrongly. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_FASTEST_W = 200_000.0
_LEAP_WH = 100_000.0
"""A counter may leap by this much at once: a box without a clock of its own may have been off for days and resume at
the time it stopped. More than this, beyond what `_FASTEST_W` could have made, is another meter."""

_MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Segment:
    """A counter started anew at `ts`: `before` is the old one's last value, `after` the new one's first."""

    ts: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a value: whether it is kept, the reset it confirmed, and how many values proved wrong."""

    keep: bool
    reset: Segment | None = None
    glitches: int = 0


class CounterGuard:
    """Watches one counter, in scaled integers. `unit` is how many of them make one Wh."""

    def __init__(self, last_at: int | None = None, last: int | None = None, *, unit: int = 1) -> None:
        self._unit = unit
        self._last = (last_at, last) if last_at is not None and last is not None else None
        self._suspect: tuple[int, int] | None = None

    def see(self, at: int, value: int) -> Verdict:
        """Judge a value. Two values that agree with each other, but not with the past, are a reset."""
        if self._last is None or self._follows(self._last, at, value):
            glitches = 1 if self._suspect else 0
            self._last, self._suspect = (at, value), None
            return Verdict(keep=True, glitches=glitches)
        if self._suspect is not None and self._follows(self._suspect, at, value):
            reset = Segment(self._suspect[0], self._last[1], self._suspect[1])
            self._last, self._suspect = (at, value), None
            return Verdict(keep=True, reset=reset)
        glitches = 1 if self._suspect else 0
        self._suspect = (at, value)
        return Verdict(keep=False, glitches=glitches)

    def _follows(self, previous: tuple[int, int], at: int, value: int) -> bool:
        at_before, before = previous
        hours = max(at - at_before, 0) / _MS_PER_HOUR
        return before <= value <= before + (_LEAP_WH + _FASTEST_W * hours) * self._unit
