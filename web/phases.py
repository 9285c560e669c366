"""The three phases of the home: what each draws, and what the total hides. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import Text
from web.live import Sig
from web.speech import THIN, UNKNOWN, apparent, number

_QUIET_A = 1.0  # a current below this is too small to tell a phase that injects from one at rest
_UNEVEN_A = 15.0
_NEAR = 0.8


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: its power or "–", its current, its voltage, the share of its part of the subscription (0 to 1, None
    when unknown), and whether it injects as far as that can be seen.
    """

    number: int
    power: str
    current: str
    voltage: str
    share: float | None
    level: str
    injects: bool


@dataclass(frozen=True, slots=True)
class ThreePhases:
    """The phases, the total that the meter gives, and the sentence that goes with them."""

    phases: tuple[Phase, ...]
    total: str
    sending: bool
    sentence: str


def three_phases(signals: Mapping[str, Sig], subscribed_va: float | None, language: str) -> ThreePhases | None:
    """Return the three phases; None for a home that has one."""
    values = {name: _number(signals, name) for name in signals}
    currents = [values.get(f"grid.current.l{n}") for n in (1, 2, 3)]
    if currents[1] is None and currents[2] is None:
        return None
    phases = tuple(_phase(values, n, subscribed_va, language) for n in (1, 2, 3))
    drawn, sent = values.get("grid.import.apparent_power"), values.get("grid.export.apparent_power") or 0.0
    sending = bool(sent) and not drawn
    return ThreePhases(
        phases,
        apparent(sent if sending else drawn, language),
        sending,
        _sentence(phases, values.get("grid.imbalance.current"), language),
    )


def _phase(values: Mapping[str, float | None], n: int, subscribed_va: float | None, language: str) -> Phase:
    va, amps, volts = (values.get(f"grid.{what}.l{n}") for what in ("import.apparent_power", "current", "voltage"))
    injects = va == 0 and amps is not None and amps >= _QUIET_A
    limit = subscribed_va / 3 if subscribed_va else None
    load = va if va is not None else amps * 230 if amps is not None else None
    share = min(1.0, load / limit) if load is not None and limit and not injects else None
    over = load is not None and limit is not None and load > limit
    return Phase(
        n,
        apparent(va, language) if va is not None else UNKNOWN,
        UNKNOWN if amps is None else f"{number(amps, 0, language)}{THIN}A",
        "" if volts is None else f"{number(volts, 0, language)}{THIN}V",
        share,
        "" if share is None else "over" if over else "near" if share > _NEAR else "",
        injects,
    )


def _sentence(phases: tuple[Phase, ...], imbalance: float | None, language: str) -> str:
    injecting = [str(phase.number) for phase in phases if phase.injects]
    if injecting:
        which = " et ".join(injecting) if language != "en" else " and ".join(injecting)
        said = Text(
            f"La phase {which} injecte : le compteur l’affiche à 0 et la déduit du total, "
            "qui n’est donc pas la somme des phases. Il ne dit pas combien elle injecte.",
            f"Phase {which} injects: the meter shows it as 0 and takes it off the total, "
            "which is therefore not the sum of the phases. It does not say how much it injects.",
        )
    elif imbalance is not None and imbalance >= _UNEVEN_A:
        said = Text(
            "Les phases sont chargées inégalement : le compteur coupe dès qu’une seule est trop chargée, "
            "même si le total est loin de l’abonnement.",
            "The phases are loaded unevenly: the meter cuts as soon as a single one is overloaded, "
            "even when the total is far from the subscription.",
        )
    else:
        said = Text(
            "Chaque phase a droit à un tiers de l’abonnement. Quand des panneaux injectent sur une phase, "
            "elle s’affiche à 0 et le total n’est plus la somme des trois.",
            "Each phase may draw a third of the subscription. While panels inject on a phase, "
            "it shows 0 and the total is no longer the sum of the three.",
        )
    return said.pick(language)


def _number(signals: Mapping[str, Sig], name: str) -> float | None:
    sig = signals[name]
    value = sig["value"] if sig["quality"] != "stale" else None
    return float(value) if isinstance(value, int | float) else None
