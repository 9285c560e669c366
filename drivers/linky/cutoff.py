"""How long before the meter's breaker opens, by the filter that drives it. Pure.

Each second the meter does Y <- 0.008 S² + 0.992 Y, S being the apparent power drawn, and opens its breaker when Y
reaches (1.3 PCOUP)²; a three-phase meter does so for each phase, with a third of PCOUP (Enedis-NOI-CPT_54E, section 7).
Here the same filter runs on what the TIC says, for any number of seconds at once: over n seconds of constant S, Y goes
to S² by the share 1 - 0.992^n.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, log

_KEEP = 0.992
OVER = 1.3
"""The breaker never opens at a constant load up to this many times the cut-off power."""
_LOG_KEEP = log(_KEEP)
_SURE_S = 375.0  # then what the load was before this program listened counts for less than a twentieth
_GAP_S = 60.0  # after so long a silence the load in between is not known


def settle(y: float, va: float, seconds: float) -> float:
    """Return the filter's value after `seconds` at the constant apparent power `va`."""
    return va * va + (y - va * va) * exp(_LOG_KEEP * seconds)


def seconds_left(y: float, va: float, limit_va: float) -> float | None:
    """Return how long the filter at `y` takes to reach the limit at the constant load `va`; None when it never does."""
    limit = limit_va * limit_va
    if y >= limit:
        return 0.0
    if va <= limit_va:
        return None
    return log((va * va - limit) / (va * va - y)) / _LOG_KEEP


@dataclass(slots=True)
class _Phase:
    y: float
    va: float
    at: float
    since: float


@dataclass(slots=True)
class Breaker:
    """The filters of one meter's phases. `power_va` is the cut-off power of one phase, None until known."""

    power_va: float | None = None
    _phases: dict[int, _Phase] = field(default_factory=dict)

    def see(self, phase: int, va: float, seconds: float) -> None:
        """Take the apparent power that a phase draws at a time in seconds, from any origin.

        At the first sight the load is taken to have been this one for long, or the cut-off power if it is above: what
        a home draws for long without a cut is below it.
        """
        if self.power_va is None:
            return
        known = self._phases.get(phase)
        if known is None or not 0 <= seconds - known.at <= _GAP_S:
            begun = min(va, self.power_va)
            self._phases[phase] = _Phase(begun * begun, va, seconds, seconds)
            return
        # within the second that the meter measured, the load is the one it now tells
        known.y = settle(known.y, va, seconds - known.at)
        known.va, known.at = va, seconds

    @property
    def sure(self) -> bool:
        """Tell whether the filters have been followed for long enough to know where they stand."""
        return all(phase.at - phase.since >= _SURE_S for phase in self._phases.values())

    def time_s(self) -> float | None:
        """Return the seconds before a cut at the load of now, None when none is coming."""
        if self.power_va is None:
            return None
        limit = OVER * self.power_va
        left = [seconds_left(phase.y, phase.va, limit) for phase in self._phases.values()]
        return min((one for one in left if one is not None), default=None)

    def margin_va(self) -> float | None:
        """Return what the most loaded phase may draw more without a cut ever coming, VA; None when nothing is known."""
        if self.power_va is None or not self._phases:
            return None
        return max(0.0, OVER * self.power_va - max(phase.va for phase in self._phases.values()))
