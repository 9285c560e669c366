"""How many groups arrived damaged, hour by hour over a day, and where that goes. Pure: time is handed in."""

from __future__ import annotations

from collections import deque
from enum import StrEnum

_HOUR_S = 3600
_HOURS = 24
_ENOUGH = 2000  # groups of an hour, a minute in standard mode, that make it comparable
_SURE = 3.0  # standard deviations of a count between what was expected and what counts as a change
_FEW = 3  # damaged groups that are chance alone


class Trend(StrEnum):
    """The last hour beside the hours before it."""

    BETTER = "better"
    STEADY = "steady"
    WORSE = "worse"


class ErrorHistory:
    """A ring of 24 hours: `[hour, damaged, all]` each, the oldest first; an hour without a group has no entry."""

    def __init__(self) -> None:
        self._hours: deque[list[int]] = deque(maxlen=_HOURS)

    def count(self, bad: int, total: int, seconds: float) -> None:
        """Add what arrived at a moment, in seconds from any origin that is the same for all calls."""
        hour = int(seconds // _HOUR_S)
        while self._hours and self._hours[0][0] <= hour - _HOURS:
            self._hours.popleft()
        if not self._hours or self._hours[-1][0] != hour:
            if self._hours and self._hours[-1][0] > hour:
                self._hours.clear()  # the calendar was set back: hours cannot be told apart any more
            self._hours.append([hour, 0, 0])
        self._hours[-1][1] += bad
        self._hours[-1][2] += total

    @property
    def rate(self) -> float | None:
        """The damaged part of the day, 0 to 1; None before the first group."""
        total = sum(hour[2] for hour in self._hours)
        return sum(hour[1] for hour in self._hours) / total if total else None

    @property
    def trend(self) -> Trend | None:
        """How the hour that runs compares to those before it; None while there is too little to compare."""
        if not self._hours:
            return None
        *before, (_, bad, total) = self._hours
        known = sum(hour[2] for hour in before)
        if total < _ENOUGH or known < _ENOUGH:
            return None
        expected = sum(hour[1] for hour in before) / known * total
        chance = _FEW + _SURE * expected**0.5
        if bad > expected + chance:
            return Trend.WORSE
        return Trend.BETTER if bad < expected - chance else Trend.STEADY

    @property
    def by_hour(self) -> str | None:
        """The damaged groups of each hour, the oldest first, as a line to show; None when there were none at all."""
        if not any(hour[1] for hour in self._hours):
            return None
        counts = {hour: bad for hour, bad, _ in self._hours}
        first, last = self._hours[0][0], self._hours[-1][0]
        return " ".join(str(counts.get(hour, "–")) for hour in range(first, last + 1))
