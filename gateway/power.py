"""Active power from index steps and apparent power, with how far off it may be. No I/O, no clock.

Linky gives apparent power (VA) at once and active energy in steps of 1 Wh. Active power is therefore made here:

* `index-steps`: the rates at which the index can have stepped as it was seen to. A step happened up to one frame before
  it was seen, so each pair of steps bounds the rate from both sides; the tightest bounds of a window leave little room,
  and the middle of it is the value. The window is cut when the apparent power shows a new load.
* `va-power-factor`: in the seconds after such a cut, apparent power times the power factor last seen at about this
  load. An estimate.

The half-width of each value (`Power.half_w`) is made of the same things: a frame at each end of the window, the Wh
under way when the index is late, how the apparent power of now differs from that of the window, and the spread of the
power factor where the value rests on one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import floor, log2
from typing import NamedTuple

from gateway.clock import UtcMs
from gateway.reading import Quality

MS_PER_HOUR = 3_600_000

_ENOUGH_WH, _ENOUGH_MS = 20, 30_000  # at 30 frames a frame at each end is 3 % of the window
_LONG_MS = 60_000
_ROUGH_FRAMES = 5  # a window of so few frames may say less than the power factor does
_NEW_LOAD_VA = 100.0  # smaller changes are within the noise of the meter's 1 s rms window
_NEW_LOAD_SHARE = 0.2
_LONGEST_GAP_MS = 120_000  # a hole longer than this tells nothing of the power now
_HANDLING_MS = 50  # from a byte on the wire to its time stamp
_ROUNDING_W = 1.0  # of the published watts and of the meter's own VA

_ASSUMED_FACTOR, _ASSUMED_SPREAD = 0.9, 0.4  # until index steps have shown the home's own
_LEAST_FACTOR = 0.3
_LEARNT_SPREAD, _SPREAD_A_BAND, _WIDEST_SPREAD = 0.08, 0.03, 0.3
_LEARN_WH, _LEARN_MS = 10, 30_000
_SURE_AFTER = 2  # the index shows a new load up to two apparent powers before they do: what it then says is no factor

FROM_STEPS = "derive:index-steps"
FROM_FACTOR = "derive:va-power-factor"
ZERO = "derive:no-apparent-power"


@dataclass(frozen=True, slots=True)
class Power:
    """An active power in W (>= 0), how far to trust it, how it was made; the truth is within `half_w` of it."""

    watts: float
    quality: Quality
    method: str
    half_w: float = 0.0


class _Step(NamedTuple):
    """A step of the index: seen at `at`, up to `gap` ms after it happened; `va_ms` is the VA counted up to then."""

    at: int
    wh: float
    gap: int
    va_ms: float


@dataclass(slots=True)
class IndexPower:
    """Active power of one direction (import or export) from its index and its apparent power."""

    _steps: deque[_Step] = field(default_factory=deque)
    _index_wh: float | None = None
    _index_at: int = 0
    _va: float | None = None
    _va_reference: float = 0.0
    _va_ms: float = 0.0
    _va_at: int = 0
    _factors: dict[int, float] = field(default_factory=dict)
    _unsure: deque[tuple[int, int, float]] = field(default_factory=deque)
    _va_seen: int = 0
    _rate: tuple[float, float] = (0.0, 0.0)
    """The power that the steps of the window tell, and its half-width, W."""

    def index(self, at: UtcMs, wh: float) -> None:
        """Take the index register, in Wh, as read at `at`."""
        before, gap = self._index_wh, at - self._index_at
        self._index_wh, self._index_at = wh, at
        if before is None or not 0 <= gap <= _LONGEST_GAP_MS or wh < before:
            self._steps.clear()
            return
        if wh == before:
            return
        self._steps.append(_Step(at, wh, gap, self._va_until(at)))
        while len(self._steps) > 2 and self._is_long(self._steps[1]):  # noqa: PLR2004 - two steps make an interval
            self._steps.popleft()
        self._rate = _rate(self._steps)
        self._learn_factor()

    def apparent(self, at: UtcMs, va: float) -> None:
        """Take the apparent power of this direction, in VA, as read at `at`."""
        self._va_ms = self._va_until(at)
        threshold = max(_NEW_LOAD_VA, _NEW_LOAD_SHARE * self._va_reference)
        if self._va is None or abs(va - self._va_reference) > threshold:
            self._va_reference = va
            self._steps.clear()
            self._unsure.clear()
        self._va, self._va_at = va, at
        self._va_seen += 1
        while self._unsure and self._unsure[0][0] <= self._va_seen - _SURE_AFTER:
            _, band, factor = self._unsure.popleft()
            self._factors[band] = factor

    def estimate(self) -> Power | None:
        """Return the active power now, or None while nothing is known."""
        if self._va == 0:
            return Power(0.0, Quality.DERIVED, ZERO, _ROUNDING_W)
        counted = self._from_steps() if len(self._steps) > 1 else None
        if self._va is None or (counted is not None and not self._is_rough()):
            return counted
        factor, spread = self._factor_at(self._va)
        reckoned = Power(self._va * factor, Quality.ESTIMATED, FROM_FACTOR, self._va * spread + _ROUNDING_W)
        return reckoned if counted is None or reckoned.half_w < counted.half_w else counted

    @property
    def power_factor(self) -> float | None:
        """Active over apparent power at about the present load; None until index steps have shown it."""
        return self._factors.get(_band(self._va)) if self._va else None

    def _from_steps(self) -> Power:
        first, last = self._steps[0], self._steps[-1]
        watts, half = self._rate
        # The bounds took the load for steady: where it wanders they may favour the older part by as much again.
        half += 2 * self._drift(first, last, watts)
        # No new step for longer than the last rate promises: the power fell at least to one step in that time.
        waited = self._index_at - last.at
        most = MS_PER_HOUR / waited if waited > 0 else watts
        if most < watts:
            watts, half = most, min(most, max(half, watts - most))
        return Power(watts, Quality.DERIVED, FROM_STEPS, half + _ROUNDING_W)

    def _drift(self, first: _Step, last: _Step, watts: float) -> float:
        """Return how far the power of now may be from that of the window, by their apparent powers."""
        counted = last.va_ms - first.va_ms
        if self._va is None or counted <= 0:
            return 0.0
        return abs(self._va * (last.at - first.at) / counted - 1) * watts

    def _is_long(self, second: _Step) -> bool:
        newest = self._steps[-1]
        wh, span = newest.wh - second.wh, newest.at - second.at
        return (wh >= _ENOUGH_WH and span >= _ENOUGH_MS) or span >= _LONG_MS

    def _is_rough(self) -> bool:
        first, last = self._steps[0], self._steps[-1]
        return last.at - first.at < _ROUGH_FRAMES * max(first.gap, last.gap)

    def _va_until(self, at: int) -> float:
        """Return the VA counted up to `at`, in VA x ms: each value holds until the next."""
        return self._va_ms + (self._va or 0.0) * max(0, min(at - self._va_at, _LONGEST_GAP_MS))

    def _learn_factor(self) -> None:
        first, last = self._steps[0], self._steps[-1]
        wh, span, counted = last.wh - first.wh, last.at - first.at, last.va_ms - first.va_ms
        if self._va and counted > 0 and (wh >= _LEARN_WH or span >= _LEARN_MS):
            factor = min(1.0, max(_LEAST_FACTOR, wh * MS_PER_HOUR / counted))
            self._unsure.append((self._va_seen, _band(self._va), factor))

    def _factor_at(self, va: float) -> tuple[float, float]:
        """Return the power factor to reckon with, and its spread: that of the nearest load it was seen at."""
        if not self._factors:
            return _ASSUMED_FACTOR, _ASSUMED_SPREAD
        band = _band(va)
        nearest = min(self._factors, key=lambda seen: abs(seen - band))
        return self._factors[nearest], min(_WIDEST_SPREAD, _LEARNT_SPREAD + _SPREAD_A_BAND * abs(nearest - band))


def _rate(steps: deque[_Step]) -> tuple[float, float]:
    """Return the power of a window of two steps or more, and its half-width, W; (0, 0) for fewer.

    Step k happened between `at - gap` and `at`. For a steady load every pair of steps then bounds the power from above
    (the shortest time there can have been between them) and from below (the longest). A load that wandered in the
    window leaves no power that fits all pairs: its mean is that of the first and last steps.
    """
    if len(steps) < 2:  # noqa: PLR2004 - two steps make an interval
        return 0.0, 0.0
    low, high = 0.0, float("inf")
    kept = list(steps)
    for n, later in enumerate(kept):
        for earlier in kept[:n]:
            wh_ms = (later.wh - earlier.wh) * MS_PER_HOUR
            longest = later.at - earlier.at + earlier.gap + _HANDLING_MS
            shortest = later.at - earlier.at - later.gap - _HANDLING_MS
            low = max(low, wh_ms / longest)
            if shortest > 0:
                high = min(high, wh_ms / shortest)
    if low <= high < float("inf"):
        return (low + high) / 2, (high - low) / 2
    first, last = kept[0], kept[-1]
    span = last.at - first.at
    watts = (last.wh - first.wh) * MS_PER_HOUR / span
    early, late = first.gap + _HANDLING_MS, last.gap + _HANDLING_MS
    return watts, watts * max(early / (span + early), late / (span - late) if span > late else 1.0)


def _band(va: float | None) -> int:
    """Return the band of a load: two to each doubling."""
    return floor(2 * log2(max(1.0, va or 1.0)))


_HALF_HOUR_MS = 1_800_000
_PERIODS_MS = (_HALF_HOUR_MS, 2 * _HALF_HOUR_MS)  # a contract's load curve has a point each half-hour, or each hour
_COVERED = 0.98
_KEPT_SLOTS = 4


@dataclass(slots=True)
class MeanCheck:
    """Compares the box's own active power with the meter's mean of each half-hour, of one direction."""

    _slots: dict[int, list[float]] = field(default_factory=dict)
    _watts: float | None = None
    _at: int = 0
    _stamp: int | None = None

    def see(self, at: UtcMs, watts: float | None) -> None:
        """Take the power at `at`; it holds until the next one."""
        if self._watts is not None and 0 < at - self._at <= _LONGEST_GAP_MS:
            start = self._at
            while start < at:
                end = min(at, (start // _HALF_HOUR_MS + 1) * _HALF_HOUR_MS)
                slot = self._slots.setdefault(start // _HALF_HOUR_MS, [0.0, 0.0])
                slot[0] += self._watts * (end - start)
                slot[1] += end - start
                start = end
            while len(self._slots) > _KEPT_SLOTS:
                del self._slots[min(self._slots)]
        self._watts, self._at = watts, at

    def compare(self, end: int, watts: float) -> float | None:
        """Return the box's mean minus the meter's, W, for the point that ends at `end`; None when it cannot be said.

        The length of a point is the time since the one before, so the first one is not compared.
        """
        before, self._stamp = self._stamp, end
        period = end - before if before is not None else 0
        if period not in _PERIODS_MS:
            return None
        slots = [
            self._slots.get(slot, [0.0, 0.0]) for slot in range((end - period) // _HALF_HOUR_MS, end // _HALF_HOUR_MS)
        ]
        covered = sum(slot[1] for slot in slots)
        if covered < _COVERED * period:
            return None
        return sum(slot[0] for slot in slots) / covered - watts
