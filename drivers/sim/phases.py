"""How the home shares its three phases: which appliance hangs on which, and what each phase then shows. Pure.

The inverter feeds phase 1. A phase whose panels make more than its appliances draw injects; the meter counts its
apparent power as negative in the total, and shows 0 for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import copysign, hypot

_SECOND = frozenset({"fridge", "freezer", "lighting", "workshop"})
_THIRD = frozenset({"hob", "oven", "microwave", "kettle", "coffee", "dishwasher", "vacuum"})
_THREE = 3
_SHIFT_V = (0.0, 1.6, -2.3)  # no two phases of a street are loaded alike


@dataclass(frozen=True, slots=True)
class Phases:
    """What each phase shows: apparent power in VA (below zero where it injects), current in A, voltage in V."""

    va: tuple[float, ...]
    current_a: tuple[float, ...]
    voltage_v: tuple[float, ...]


def split(count: int, watts: Mapping[str, float], var: Mapping[str, float], pv_w: float, voltage_v: float) -> Phases:
    """Return the phases of a home whose appliances draw `watts` and `var`, by name, and whose panels give `pv_w`."""
    active, reactive = [0.0] * count, [0.0] * count
    active[0] = -pv_w
    for name in watts:
        phase = _phase(name) if count == _THREE else 0
        active[phase] += watts[name]
        reactive[phase] += var.get(name, 0.0)
    va = tuple(copysign(hypot(p, q), p) for p, q in zip(active, reactive, strict=True))
    volts = tuple(voltage_v + shift for shift in _SHIFT_V[:count])
    return Phases(va, tuple(abs(one) / volt for one, volt in zip(va, volts, strict=True)), volts)


def _phase(name: str) -> int:
    return 1 if name in _SECOND else 2 if name in _THIRD else 0
