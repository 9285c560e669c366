"""Watches over an energy counter: what a half-awake inverter says of its lifetime never reaches the store."""

from __future__ import annotations

from drivers.inverter.sample import IMPLAUSIBLE

WAKING = "waking up"

_IGNORED_AFTER_WAKING = 2
_EQUAL_TO_BELIEVE = 3
_ROOM = 2.0
_UNKNOWN_RATING_W = 36_000.0  # the largest inverter a home's connection allows
_SECONDS_AN_HOUR = 3600.0


class EnergyGuard:
    """Judges each value of one counter, in Wh.

    A step up is believed when the inverter can have made it, twice its rated power being the limit, since the counter
    last moved. Anything else, a step back above all, is believed once three readings in a row agree: the counter was
    reset, or the value before was the wrong one.
    """

    def __init__(self) -> None:
        self._last: float | None = None
        self._moved = 0.0
        self._doubted: float | None = None
        self._doubted_at = 0.0
        self._agreeing = 0
        self._ignore = 0

    def woke(self) -> None:
        """Say that the inverter comes back from sleep: its first values are not to be believed."""
        self._ignore = _IGNORED_AFTER_WAKING

    def judge(self, energy: float, seconds: float, rated_w: float | None) -> str:
        """Return why `energy`, read at `seconds` (monotonic), is not believed; an empty text when it is."""
        if self._ignore:
            self._ignore -= 1
            return WAKING
        rating = rated_w or _UNKNOWN_RATING_W
        if self._last is None or self._can_follow(self._last, energy, seconds - self._moved, rating):
            self._believe(energy, seconds)
            return ""
        agrees = self._doubted is not None and self._can_follow(
            self._doubted, energy, seconds - self._doubted_at, rating
        )
        self._agreeing = self._agreeing + 1 if agrees else 1
        self._doubted, self._doubted_at = energy, seconds
        if self._agreeing < _EQUAL_TO_BELIEVE:
            return IMPLAUSIBLE
        self._believe(energy, seconds)
        return ""

    @staticmethod
    def _can_follow(before: float, energy: float, seconds: float, rating: float) -> bool:
        return 0 <= energy - before <= _ROOM * rating * seconds / _SECONDS_AN_HOUR

    def _believe(self, energy: float, seconds: float) -> None:
        if energy != self._last:
            self._moved = seconds
        self._last = energy
        self._doubted, self._agreeing = None, 0
