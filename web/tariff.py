"""The tariff period of now, in words: what the meter says, and until when by the contract's own hours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.config import Contract
from gateway.errors import Text
from gateway.signals import TARIFF_INDEXES
from web.live import Sig
from web.speech import THIN

_COLOURS = {
    "blue": Text("bleu", "blue"),
    "white": Text("blanc", "white"),
    "red": Text("rouge", "red"),
}
_TEMPO_HOURS = ("22:00-06:00",)


@dataclass(frozen=True, slots=True)
class Tariff:
    """The period's name, the colour of its chip, until when ("22 h", empty when not known), and the days' colours.

    `today` and `tomorrow` are `(code, word)`, None when the contract has no colours or the meter does not say.
    """

    name: str
    tone: str
    until: str
    today: tuple[str, str] | None
    tomorrow: tuple[str, str] | None


def tariff(signals: Mapping[str, Sig], contract: Contract | None, now: datetime, language: str) -> Tariff | None:
    """Return the tariff of now; `now` is local time. None when the meter says nothing of it."""
    code = _text(signals, "grid.tariff.period")
    if not code:
        return None
    known = TARIFF_INDEXES.get(code.lower())
    name = known.pick(language) if known else code
    low = code.lower()
    cheap = low.endswith(("hc", "hn")) or "creuse" in low
    dear = low.startswith("red") or low.endswith("pm") or "rouge" in low
    return Tariff(
        name,
        "alert" if dear else "home" if cheap else "grid",
        _until(contract, now, language, cheap=cheap),
        _colour(signals, "grid.tariff.today", language),
        _colour(signals, "grid.tariff.tomorrow", language),
    )


def _text(signals: Mapping[str, Sig], name: str) -> str:
    sig = signals.get(name)
    value = sig["value"] if sig else None
    return value.strip() if isinstance(value, str) else ""


def _colour(signals: Mapping[str, Sig], name: str, language: str) -> tuple[str, str] | None:
    code = _text(signals, name).lower()
    return (code, _COLOURS[code].pick(language)) if code in _COLOURS else None


def _until(contract: Contract | None, now: datetime, language: str, *, cheap: bool) -> str:
    if contract is None or contract.option not in ("hphc", "tempo"):
        return ""
    edges = []
    for hours in contract.off_peak or (_TEMPO_HOURS if contract.option == "tempo" else ()):
        start, _, end = hours.partition("-")
        edges.append(end if cheap else start)
    if not edges:
        return ""
    return _clock(min(edges, key=lambda edge: _wait(edge, now)), language)


def _wait(edge: str, now: datetime) -> timedelta:
    hour, minute = (int(part) for part in edge.split(":"))
    wait = timedelta(hours=hour, minutes=minute) - timedelta(hours=now.hour, minutes=now.minute)
    return wait if wait > timedelta() else wait + timedelta(days=1)


def _clock(edge: str, language: str) -> str:
    hour, minute = edge.split(":")
    if language == "en":
        return f"{hour}:{minute}"
    return f"{int(hour)}{THIN}h" + (f"{THIN}{minute}" if minute != "00" else "")
