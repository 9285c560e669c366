"""Which signal of the box a series becomes: proposed from its unit and name, decided by `--map`. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.archive.imports.source import Series
from gateway.errors import FoyerError, Text
from gateway.signals import SIGNALS, Kind, Signal, find

_TO_UNIT = {
    "wh": ("Wh", 1.0),
    "kwh": ("Wh", 1e3),
    "mwh": ("Wh", 1e6),
    "gwh": ("Wh", 1e9),
    "w": ("W", 1.0),
    "kw": ("W", 1e3),
    "mw": ("W", 1e6),
    "va": ("VA", 1.0),
    "kva": ("VA", 1e3),
    "v": ("V", 1.0),
    "a": ("A", 1.0),
    "%": ("%", 1.0),
}
_UNIT_IN_NAME = re.compile(r"(?:^|[^a-z])(gwh|mwh|kwh|wh|kva|kw|w)$", re.IGNORECASE)

_WORDS: tuple[tuple[str, str, str], ...] = (
    ("Wh", "grid.export.energy", r"export|inject|return|feed.?in|retour|surplus|eait"),
    ("Wh", "pv.energy", r"solar|solaire|\bpv|photovolt|inverter|onduleur|production|panneau"),
    ("Wh", "grid.import.energy", r"import|grid|linky|soutir|east\b|base\b|achet|reseau|réseau|meter|compteur"),
    ("W", "grid.export.power", r"export|inject|return|feed.?in"),
    ("W", "pv.power", r"solar|solaire|\bpv|photovolt|inverter|onduleur|production|panneau"),
    ("W", "grid.import.power", r"import|soutir|linky|grid.?power"),
    ("W", "home.power", r"home|house|maison|conso|\buse\b|load"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a series becomes: the signal, and what its values are multiplied by."""

    signal: str
    kind: Signal
    factor: float

    @property
    def counts(self) -> bool:
        """Whether the signal is a counter."""
        return self.kind.kind is Kind.COUNTER


def unit_of(series: Series) -> tuple[str, float] | None:
    """Return the unit of the registry that a series has, and its factor; None when nothing tells."""
    word = series.unit.strip()
    if not word:
        match = _UNIT_IN_NAME.search(series.name) or _UNIT_IN_NAME.search(series.id)
        word = match[1] if match else ""
    return _TO_UNIT.get(word.lower())


def propose(series: Iterable[Series]) -> dict[str, Target]:
    """Return a target for each series that its unit and name make clear; a signal that two could be is left open."""
    found: dict[str, list[tuple[str, Target]]] = {}
    for one in series:
        unit = unit_of(one)
        if unit is None or one.counts is (unit[0] != "Wh"):
            continue
        words = f"{one.id} {one.name}".lower().replace("_", " ")
        signal = next((name for kind, name, word in _WORDS if kind == unit[0] and re.search(word, words)), None)
        if signal is not None:
            found.setdefault(signal, []).append((one.id, Target(signal, SIGNALS[signal], unit[1])))
    return dict(candidates[0] for candidates in found.values() if len(candidates) == 1)


def chosen(series: Sequence[Series], given: Sequence[str]) -> dict[str, Target]:
    """Return the targets that `--map ID=SIGNAL[:UNIT]` name; raise FoyerError for one that cannot be."""
    by_id = {one.id: one for one in series}
    targets: dict[str, Target] = {}
    for text in given:
        name, found, rest = text.rpartition("=")
        signal, _, unit = rest.partition(":")
        if not found:
            raise FoyerError(Text(f"« {text} » n’est pas SÉRIE=MESURE.", f"“{text}” is not SERIES=SIGNAL."))
        if name not in by_id:
            raise _unknown(name, list(by_id), Text("série dans ce fichier", "series in this file"))
        targets[name] = _target(by_id[name], signal, unit)
    signals = [target.signal for target in targets.values()]
    for signal in signals:
        if signals.count(signal) > 1:
            raise FoyerError(
                Text(f"Deux séries deviendraient {signal}.", f"Two series would become {signal}."),
                Text("Gardez-en une.", "Keep one."),
            )
    return targets


def _target(series: Series, signal: str, unit: str) -> Target:
    kind = find(signal)
    if kind is None:
        raise _unknown(signal, list(SIGNALS), Text("mesure", "signal"))
    if kind.kind is Kind.STATE:
        raise FoyerError(Text(f"{signal} est un état, pas un nombre.", f"{signal} is a state, not a number."))
    known = _TO_UNIT.get(unit.lower()) if unit else unit_of(series)
    if known is None:
        raise FoyerError(
            Text(f"L’unité de {series.id} n’est pas connue.", f"The unit of {series.id} is not known."),
            Text(f"Écrivez {series.id}={signal}:kWh, par exemple.", f"Write {series.id}={signal}:kWh, say."),
        )
    if known[0] != kind.unit:
        raise FoyerError(
            Text(
                f"{series.id} est en {unit or series.unit}, {signal} en {kind.unit}.",
                f"{series.id} is in {unit or series.unit}, {signal} in {kind.unit}.",
            ),
            Text("Choisissez une autre mesure.", "Choose another signal."),
        )
    return Target(signal, kind, known[1])


def _unknown(name: str, known: list[str], what: Text) -> FoyerError:
    near = ", ".join(difflib.get_close_matches(name, known, n=3)) or ", ".join(known[:5])
    return FoyerError(
        Text(f"Il n’y a pas de {what.fr} « {name} ».", f"There is no {what.en} “{name}”."),
        Text(f"Il y a : {near}.", f"There is: {near}.") if near else None,
    )
