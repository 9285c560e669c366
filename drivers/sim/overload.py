"""Bursts that overload the supply: a workshop whose machines start for a while every few minutes. Pure.

They end before the breaker of a meter opens: at 1.45 times the cut-off power a first burst would be cut after about
190 s, and the pause between two is long enough for the filter to forget most of one.
"""

from __future__ import annotations

from bisect import bisect_right

from drivers.sim.habits import Use
from drivers.sim.household import Steps, stack
from drivers.sim.weather import MINUTES

NAME = "workshop"
TIMES = 1.45
"""Of the cut-off power."""
_EACH_S, _LASTS_S, _PIECE_S = 300, 100, 10


def with_bursts(steps: Steps, roof_w: list[float], start: int, target_w: float, *, alone: bool) -> Steps:
    """Return a solar day with bursts: up to `target_w` at the meter, or `target_w` on top of all else (`alone`)."""
    bursts = []
    first = start - start % _EACH_S + _EACH_S
    for burst in range(first, start + 60 * MINUTES - _LASTS_S, _EACH_S):
        for second in range(burst, burst + _LASTS_S, _PIECE_S):
            watts = target_w if alone else target_w - _net(steps, roof_w, start, second)
            if watts > 0:
                bursts.append(Use(second, second + _PIECE_S, round(watts), 0, NAME))
    return stack([*steps.uses, *bursts], start, steps.standby_w)


def _net(steps: Steps, roof_w: list[float], start: int, second: int) -> float:
    """Return the most that the meter counts in the next piece without the workshop, W; below zero it injects."""
    step = bisect_right(steps.starts, second) - 1
    watts = steps.watts[step]
    while step + 1 < len(steps.starts) and steps.starts[step + 1] < second + _PIECE_S:
        step += 1
        watts = max(watts, steps.watts[step])
    minute = (second - start) // 60
    return watts + steps.standby_w[minute] - roof_w[minute]
