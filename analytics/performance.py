"""How a roof does against a clear sky: days of it in slots of five minutes, the clear moments in them, and a ratio.

Pure Python over plain numbers. Only clear moments are graded: under clouds nobody knows what the panels should give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from gateway.clock import UtcMs
from gateway.errors import Text

SLOT_S = 300
_HOUR = 3600 // SLOT_S
_BRIGHT = 0.15
"""Of the peak power: below it on a clear day, horizons and glass decide more than panels do."""
_SPREAD = 0.15
"""Measured power follows the clear-sky curve when their ratio moves no more than this within an hour."""
_FLOOR = 0.40
"""Of the clear-sky power: what stays steadily below it is a grey sky."""
_CLEAR_SHARE = 0.5
_FEWEST_SLOTS = 2 * _HOUR
_SMOOTH = 0.02
_SMOOTH_SHARE = 0.95
_SMOOTH_PEAK = 0.30


@dataclass(frozen=True, slots=True)
class Slot:
    """Five minutes of daylight: mean W measured (None when unknown) and W under a clear sky; where the sun stands in
    degrees; the highest minute of grid voltage in it (V); mean W of each DC input.
    """

    at: UtcMs
    measured: float | None
    clear: float
    elevation: float
    azimuth: float
    voltage: float | None = None
    strings: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """The daylight of one day, `date` as 2026-06-21; slots follow each other without a gap."""

    date: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know of the roof: `state` is info or warning, `evidence` the numbers behind it."""

    code: str
    state: str
    text: Text
    evidence: dict[str, float | int | str]

    def as_json(self) -> dict[str, object]:
        """Return the finding as the page reads it."""
        return {"code": self.code, "state": self.state, "text": self.text.as_json(), "evidence": self.evidence}


def performance_ratio(energy_kwh: float, peak_kw: float, plane_kwh: float) -> float | None:
    """Return the usual performance ratio: energy per peak kW over the light received on the plane, kWh/m².

    None without light.
    """
    return energy_kwh / peak_kw / plane_kwh if plane_kwh > 0 else None


def bright(day: Day, peak_w: float) -> list[int]:
    """Return the slots in which a clear sky would give enough to judge by."""
    return [n for n, slot in enumerate(day.slots) if slot.clear >= _BRIGHT * peak_w]


def clear_slots(day: Day, peak_w: float) -> list[int]:
    """Return the slots that lie in an hour or more of measured power parallel to the clear-sky curve."""
    ratios: list[float | None] = [
        None if slot.measured is None or slot.clear < _BRIGHT * peak_w else slot.measured / slot.clear
        for slot in day.slots
    ]
    found: set[int] = set()
    for first in range(len(ratios) - _HOUR + 1):
        window = [one for one in ratios[first : first + _HOUR] if one is not None]
        if len(window) == _HOUR:
            middle = sum(window) / _HOUR
            if middle >= _FLOOR and max(window) - min(window) <= _SPREAD * middle:
                found.update(range(first, first + _HOUR))
    return sorted(found)


def clear_ratio(day: Day, peak_w: float) -> float | None:
    """Return measured over clear-sky power on a clear day, the median of its clear slots; None for any other day."""
    light, clear = bright(day, peak_w), clear_slots(day, peak_w)
    if len(clear) < max(_FEWEST_SLOTS, _CLEAR_SHARE * len(light)):
        return None
    ratios = sorted(_ratio(day.slots[n]) for n in clear)
    middle = median(ratios)
    quarter = len(ratios) // 4
    # hours at different levels are not one clear day, however steady each; a shadow may take a quarter of the day
    return middle if ratios[-1 - quarter] - ratios[quarter] <= _SPREAD * middle else None


def clear_ratios(days: Sequence[Day], peak_w: float) -> list[tuple[int, float]]:
    """Return (number of the day, ratio) of the clear days."""
    return [(n, ratio) for n, day in enumerate(days) if (ratio := clear_ratio(day, peak_w)) is not None]


def is_smooth(day: Day, peak_w: float) -> bool:
    """Tell whether a day's curve is a bell without dents, whatever the panels' slope: for judging the slope itself."""
    curve = [slot.measured for slot in day.slots]
    if any(one is None for one in curve):
        return False
    known = [one for one in curve if one is not None]
    top = max(known, default=0.0)
    if top < _SMOOTH_PEAK * peak_w:
        return False
    inner = range(2, len(known) - 2)
    even = sum(abs(known[n] - (known[n - 2] + known[n + 2]) / 2) <= _SMOOTH * top for n in inner)
    return even >= _SMOOTH_SHARE * len(inner)


def _ratio(slot: Slot) -> float:
    assert slot.measured is not None
    return slot.measured / slot.clear
