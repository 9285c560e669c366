"""What the home is doing right now, from the live signals: who gives, who takes, and what cannot be said. Pure.

Powers are in W and never negative. `home = pv + import - export + discharge - charge`; what is left over is the gap.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from web.live import Sig, Snapshot

NOISE_W = 20.0
"""Below this a flow is the noise of the meters, not a flow: no words and no motion are spent on it."""

_KILO = 1000
_STEP = 100  # powers of 1 kW and more are shown by tenths of a kilowatt

SOURCES = ("pv", "import", "discharge")
USES = ("home", "export", "charge")
_SIGNALS = {
    "pv": "pv.power",
    "import": "grid.import.power",
    "discharge": "battery.discharge.power",
    "home": "home.power",
    "export": "grid.export.power",
    "charge": "battery.charge.power",
}


class Known(StrEnum):
    """How much can be said of the home."""

    LIVE = "live"
    STALE = "stale"
    STARTING = "starting"
    NO_BOX = "no-box"
    NO_METER = "no-meter"
    NO_INVERTER = "no-inverter"


@dataclass(frozen=True, slots=True)
class Figure:
    """One power, W: None when unknown; `age_s` is how old it is, `stale` when that is worth saying."""

    watts: float | None = None
    age_s: float | None = None
    stale: bool = False
    estimated: bool = False

    @property
    def flows(self) -> bool:
        """Tell whether there is more than noise."""
        return self.watts is not None and self.watts >= NOISE_W


@dataclass(frozen=True, slots=True)
class Situation:
    """The home at one moment. `shown` holds the whole watts to display, rounded so that what is seen adds up."""

    known: Known
    figures: Mapping[str, Figure]
    shown: Mapping[str, int]
    gap_w: int
    has_pv: bool
    has_battery: bool
    asleep: bool = False
    soc: float | None = None
    apparent_va: float | None = None
    subscribed_va: float | None = None
    cutoff_va: float | None = None
    """The power at which the meter cuts, for the whole meter."""
    cut_s: float | None = None
    """Seconds before the meter cuts off; None when no cut is coming."""
    cut_about: bool = False
    phases: int = 1

    def __getitem__(self, name: str) -> Figure:
        return self.figures[name]

    @property
    def overloaded(self) -> bool:
        """Tell whether the home draws more than its subscription."""
        return bool(self.apparent_va and self.subscribed_va and self.apparent_va > self.subscribed_va)


def _figure(sig: Sig | None) -> Figure:
    value = sig["value"] if sig else None
    if sig is None or isinstance(value, str) or value is None:
        return Figure()
    return Figure(max(0.0, float(value)), sig["age_s"], sig["quality"] == "stale", sig["quality"] == "estimated")


def _number(signals: Mapping[str, Sig], name: str) -> float | None:
    sig = signals.get(name)
    value = sig["value"] if sig and sig["quality"] != "stale" else None
    return float(value) if isinstance(value, int | float) else None


def situation(snapshot: Snapshot, *, has_pv: bool, subscribed_va: float | None = None) -> Situation:
    """Return the situation that a snapshot of the live feed shows; `subscribed_va` is the contract's, if any."""
    signals = snapshot.signals
    figures = {name: _figure(signals.get(signal)) for name, signal in _SIGNALS.items()}
    has_battery = any(figures[name].watts is not None for name in ("charge", "discharge"))
    checks: list[dict[str, Any]] = snapshot.health.get("checks", [])
    inverters = [check for check in checks if str(check.get("id", "")).startswith("inverter")]
    has_pv = has_pv or figures["pv"].watts is not None or bool(inverters)
    shown, gap = shown_watts({name: one.watts for name, one in figures.items() if one.watts is not None})
    return Situation(
        known=_known(snapshot, figures, has_pv=has_pv),
        figures=figures,
        shown=shown,
        gap_w=gap,
        has_pv=has_pv,
        has_battery=has_battery,
        asleep=bool(inverters) and all(check.get("state") == "info" for check in inverters),
        soc=_number(signals, "battery.soc"),
        apparent_va=_number(signals, "grid.import.apparent_power"),
        subscribed_va=_number(signals, "grid.subscribed_power") or subscribed_va,
        cutoff_va=_number(signals, "grid.cutoff.power"),
        cut_s=_number(signals, "grid.cutoff.time"),
        cut_about=_figure(signals.get("grid.cutoff.time")).estimated,
        phases=3 if _number(signals, "grid.current.l2") is not None else 1,
    )


def _known(snapshot: Snapshot, figures: Mapping[str, Figure], *, has_pv: bool) -> Known:
    if not snapshot.connected:
        return Known.NO_BOX if snapshot.signals else Known.STARTING
    home, bought = figures["home"], figures["import"]
    if home.watts is not None:
        return Known.STALE if home.stale else Known.LIVE
    if bought.watts is not None and not bought.stale:
        return Known.NO_INVERTER if has_pv else Known.STARTING
    meter = [check for check in snapshot.health.get("checks", []) if check.get("id") == "meter"]
    lost = any(check.get("state") in ("problem", "warning") for check in meter)
    heard = any(name.startswith("grid.") for name in snapshot.signals)
    return Known.NO_METER if lost or heard else Known.STARTING


def shown_watts(watts: Mapping[str, float]) -> tuple[dict[str, int], int]:
    """Return each power as it is to be shown, whole W or tenths of kW, and the gap between sources and uses, W.

    A power of 1 kW and more goes to the tenth above or below, whichever makes both sides of the screen agree best:
    they differ by at most 50 W more than the true gap. The gap is 0 unless home use and both sides are known.
    """
    whole = {name: round(value) for name, value in watts.items()}
    choices = [_roundings(value) for value in whole.values()]
    signs = [1 if name in SOURCES else -1 for name in whole]
    true = sum(sign * value for sign, value in zip(signs, whole.values(), strict=True))

    def cost(picked: tuple[int, ...]) -> tuple[int, int]:
        seen = sum(sign * value for sign, value in zip(signs, picked, strict=True))
        return abs(seen - true), sum(abs(one - value) for one, value in zip(picked, whole.values(), strict=True))

    best = min(itertools.product(*choices), key=cost) if "home" in whole else tuple(one[0] for one in choices)
    gap = -true if "home" in whole and "import" in whole else 0
    return dict(zip(whole, best, strict=True)), gap


def _roundings(watts: int) -> tuple[int, ...]:
    """Return the ways to show a power, the nearest first; the one below must not fall under 1 kW."""
    if watts < _KILO:
        return (watts,)
    below = watts // _STEP * _STEP
    pair = sorted({below, -(-watts // _STEP) * _STEP}, key=lambda one: abs(one - watts))
    return tuple(pair)


# -- the picture


@dataclass(frozen=True, slots=True)
class Wire:
    """One place a flow can take: its curve, and where its arrow stands (x, y, degrees)."""

    name: str
    colour: str
    curve: str
    arrow: str


_WIRES = (
    Wire("sun-home", "sun", "M199 78C222 98 236 118 246 146", "translate(227 106) rotate(54)"),
    Wire("sun-grid", "sun", "M141 78C116 98 98 120 87 152", "translate(110 108) rotate(130)"),
    Wire("grid-home", "grid", "M104 190H224", "translate(166 190)"),
    Wire("sun-store", "sun", "M170 92V284", "translate(170 150) rotate(90)"),
    Wire("grid-store", "grid", "M100 206C126 224 142 252 150 290", "translate(133 243) rotate(58)"),
    Wire("store-grid", "store", "M150 290C142 252 126 224 100 206", "translate(133 243) rotate(238)"),
    Wire("store-home", "store", "M190 290C198 254 212 228 234 212", "translate(205 247) rotate(-56)"),
)
WIRES = {wire.name: wire for wire in _WIRES}

_THINNEST, _THICKEST, _FULL_W = 4.0, 18.0, 9000.0
_SPEEDS_W = (300.0, 1200.0, 3500.0)


@dataclass(frozen=True, slots=True)
class Stream:
    """One flow as drawn: its wire, W, the width of the line, and one of four speeds."""

    wire: Wire
    watts: float
    width: float
    speed: int


def streams(now: Situation) -> list[Stream]:
    """Return the flows that run now. The sun serves the home first, then the battery, then the grid."""
    left = {name: one.watts or 0.0 for name, one in now.figures.items()}
    if now.known is Known.NO_INVERTER:
        left["home"] = left["import"]  # what is bought surely goes home, whatever the panels do
        left["export"] = 0.0
    elif now.known is not Known.LIVE:
        return []
    found = []
    order = (
        ("sun-home", "pv", "home"),
        ("sun-store", "pv", "charge"),
        ("sun-grid", "pv", "export"),
        ("store-home", "discharge", "home"),
        ("grid-home", "import", "home"),
        ("store-grid", "discharge", "export"),
        ("grid-store", "import", "charge"),
    )
    for name, source, use in order:
        watts = min(left[source], left[use])
        left[source] -= watts
        left[use] -= watts
        if watts >= NOISE_W:
            found.append(Stream(WIRES[name], watts, _width(watts), 1 + sum(watts >= at for at in _SPEEDS_W)))
    return found


def _width(watts: float) -> float:
    share = math.sqrt(min(1.0, watts / _FULL_W))
    return round(_THINNEST + (_THICKEST - _THINNEST) * share, 1)
