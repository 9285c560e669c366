"""One solar day of the whole home, ready to be asked for any instant and integrated over any part of a minute.

Within a minute the roof and the standby go straight from one minute's value to the next, and everything else is steps:
the power at the meter is a broken line whose areas are exact, so no sampling rule is needed. Whole minutes are summed
in whole millijoules; a part of a minute is the same area cut short, hence never more than the whole.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import hypot
from typing import NamedTuple

from drivers.sim.household import STANDBY_TAN_PHI, Household, Steps
from drivers.sim.noise import waves
from drivers.sim.overload import with_bursts
from drivers.sim.panels import PanelDay, Panels
from drivers.sim.weather import MINUTES, Weather

_MINUTE_S = 60.0
_FILTER_VAR = -42.0  # the capacitors of the inverter's output filter, while it is awake
_MILLI = 1000

_NOMINAL_V, _SWING_V = 233.0, 7.0
_OHMS = 0.22  # of the cable to the street: a home that draws lowers its own voltage, one that injects raises it
_LOW_V, _HIGH_V = 207.0, 253.0


class Flow(NamedTuple):
    """What passed in a minute, or the beginning of one: energies in millijoules, mean apparent powers in VA."""

    import_mj: int
    export_mj: int
    pv_mj: int
    import_va: float
    export_va: float


@dataclass(frozen=True, slots=True)
class HomeDay:
    """A solar day. `voltage` is the street's, at each minute (1 441 values); `index` is the supplier
    index that runs in each minute.
    """

    start: int
    roof: PanelDay
    steps: Steps
    voltage: list[float]
    index: bytes

    def flow(self, minute: int, seconds: float = _MINUTE_S) -> Flow:
        """Return what passes in the first `seconds` of a minute of the day (all of it unless told)."""
        ac, standby = self.roof.ac_w, self.steps.standby_w
        pv, pv_slope = ac[minute], (ac[minute + 1] - ac[minute]) / _MINUTE_S
        still = standby[minute] - pv
        slope = (standby[minute + 1] - standby[minute]) / _MINUTE_S - pv_slope
        reactive = self.still_var(minute)
        starts, watts, var = self.steps.starts, self.steps.watts, self.steps.var
        origin = self.start + 60 * minute
        step = bisect_right(starts, origin) - 1
        imported = exported = import_va = export_va = since = 0.0
        while since < seconds:
            until = min(seconds, starts[step + 1] - origin) if step + 1 < len(starts) else seconds
            here = watts[step] + still + slope * since
            there = watts[step] + still + slope * until
            for mean, width in _same_sign(here, there, until - since):
                apparent = hypot(mean, reactive + var[step]) * width
                if mean >= 0:
                    imported += mean * width
                    import_va += apparent
                else:
                    exported -= mean * width
                    export_va += apparent
            since = until
            step += 1
        produced = (pv + pv_slope * seconds / 2) * seconds
        width = seconds or 1.0
        return Flow(
            round(imported * _MILLI),
            round(exported * _MILLI),
            round(produced * _MILLI),
            import_va / width,
            export_va / width,
        )

    def still_var(self, minute: int) -> float:
        """Return the reactive power of the standby and of the inverter's filter."""
        return self.steps.standby_w[minute] * STANDBY_TAN_PHI + (_FILTER_VAR if self.roof.awake[minute] else 0.0)

    def terminal_voltage(self, minute: int, share: float, net_w: float) -> float:
        """Return the voltage at the home's terminals when it draws `net_w` (negative: injects), in the legal band."""
        street = self.voltage[minute] + (self.voltage[minute + 1] - self.voltage[minute]) * share
        return min(_HIGH_V, max(_LOW_V, street - net_w / street * _OHMS))


def _same_sign(here: float, there: float, width: float) -> tuple[tuple[float, float], ...]:
    """Cut a straight line where it crosses zero; return the mean and the width of each part."""
    if (here >= 0) == (there >= 0):
        return (((here + there) / 2, width),)
    before = width * here / (here - there)
    return (here / 2, before), (there / 2, width - before)


def make_day(weather: Weather, panels: Panels, household: Household, number: int) -> HomeDay:
    """Return a solar day of the home."""
    start = weather.start_of(number)
    index = bytearray(MINUTES)
    for since, until, number_of in household.tariff.timeline(start, start + 60 * MINUTES):
        first, last = (since - start) // 60, (until - start) // 60
        index[first:last] = bytes([number_of]) * (last - first)
    slow = waves(start, 60, MINUTES + 1, 3300, household.seed, "street-slow")
    quick = waves(start, 60, MINUTES + 1, 420, household.seed, "street-quick")
    voltage = [_NOMINAL_V + _SWING_V * (0.7 * a + 0.3 * b - 0.5) for a, b in zip(slow, quick, strict=True)]
    roof, steps = panels.day(weather, number), household.steps(number)
    if household.burst_w:
        steps = with_bursts(steps, roof.ac_w, start, household.burst_w, alone=household.bursts_alone)
    return HomeDay(start, roof, steps, voltage, bytes(index))
