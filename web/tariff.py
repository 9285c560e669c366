"""The tariff period of now, in words: what the meter says, until when, and what it announces. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.config import Contract
from gateway.errors import Text
from gateway.signals import TARIFF_INDEXES
from web.live import Sig
from web.words import COLOURS, hour, instant

_TEMPO_HOURS = ("22:00-06:00",)
_TEMPO_DAY = 6  # the hour at which the colour changes
_SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Colour:
    """The colour of a day: when ("Demain"), its code, and its word."""

    when: str
    code: str
    word: str


@dataclass(frozen=True, slots=True)
class Tariff:
    """The period's name, the colour of its chip, until when ("22 h", empty when not known) and what comes then (empty
    when it goes without saying), the days' colours, and a warning of dear hours to come (empty when there is none).
    """

    name: str
    tone: str
    until: str
    then: str
    colours: tuple[Colour, ...]
    warning: str


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
    until, then = _next(signals, now, language)
    return Tariff(
        name,
        "alert" if dear else "home" if cheap else "grid",
        until or _by_contract(contract, now, language, cheap=cheap),
        then,
        tuple(_colours(signals, now, language)),
        _warning(signals, now, language),
    )


def _text(signals: Mapping[str, Sig], name: str) -> str:
    sig = signals.get(name)
    value = sig["value"] if sig else None
    return value.strip() if isinstance(value, str) else ""


def _instant(signals: Mapping[str, Sig], name: str, now: datetime) -> datetime | None:
    return instant(_text(signals, name), now.tzinfo)


def _next(signals: Mapping[str, Sig], now: datetime, language: str) -> tuple[str, str]:
    """Return when the meter itself says that the tariff changes, and to what."""
    at = _instant(signals, "grid.tariff.next_change", now)
    if at is None or not timedelta() < at - now < _SOON:
        return "", ""
    code = _text(signals, "grid.tariff.next_period").lower()
    named = TARIFF_INDEXES.get(code) if not code.startswith("f") else None
    return hour(at, language), named.pick(language) if named else ""


def _colours(signals: Mapping[str, Sig], now: datetime, language: str) -> list[Colour]:
    """Return the colours of the days. A day has its colour from 06:00 on, so before that its eve still runs."""
    night = now.hour < _TEMPO_DAY
    names = {
        "grid.tariff.today": Text("Jusqu’à 6 h", "Until 06:00") if night else Text("Aujourd’hui", "Today"),
        "grid.tariff.tomorrow": Text("Ensuite", "After that") if night else Text("Demain", "Tomorrow"),
    }
    found = []
    for name, when in names.items():
        code = _text(signals, name).lower()
        if code in COLOURS:
            found.append(Colour(when.pick(language), code, COLOURS[code].pick(language)))
    return found


def _warning(signals: Mapping[str, Sig], now: datetime, language: str) -> str:
    notice = _text(signals, "grid.tariff.notice")
    start = _instant(signals, "grid.tariff.peak.start", now)
    end = _instant(signals, "grid.tariff.peak.end", now)
    if notice == "peak":
        until = Text(f" jusqu’à {hour(end, language)}", f" until {hour(end, language)}").pick(language) if end else ""
        return Text(
            f"Pointe mobile{until} : l’électricité est très chère, remettez à plus tard ce qui peut attendre.",
            f"Mobile peak{until}: electricity is very dear, put off what can wait.",
        ).pick(language)
    if notice == "announced":
        return _announced(start, end, now, language)
    if _text(signals, "grid.tariff.period").lower() == "red_hp":
        return Text(
            "Jour rouge : l’électricité est très chère jusqu’à 22 h, remettez à plus tard ce qui peut attendre.",
            "Red day: electricity is very dear until 22:00, put off what can wait.",
        ).pick(language)
    if _text(signals, "grid.tariff.tomorrow").lower() == "red":
        first = Text("Dès 6 h", "From 06:00") if now.hour < _TEMPO_DAY else Text("Demain", "Tomorrow")
        return Text(
            f"{first.fr}, jour rouge : l’électricité sera très chère de 6 h à 22 h. "
            "Lancez la lessive et le chauffe-eau avant.",
            f"{first.en}, red day: electricity will be very dear from 06:00 to 22:00. Wash and heat water before.",
        ).pick(language)
    return ""


def _announced(start: datetime | None, end: datetime | None, now: datetime, language: str) -> str:
    if start is None:
        return Text("Pointe mobile dans moins d’une demi-heure.", "Mobile peak within half an hour.").pick(language)
    days = (start.date() - now.date()).days
    day = {0: Text("aujourd’hui", "today"), 1: Text("demain", "tomorrow")}.get(
        days, Text(f"le {start:%d/%m}", f"on {start:%d/%m}")
    )
    until = Text(f" et jusqu’à {hour(end, language)}", f", until {hour(end, language)}").pick(language) if end else ""
    return Text(
        f"Pointe mobile {day.fr} à partir de {hour(start, language)}{until} : l’électricité sera très chère.",
        f"Mobile peak {day.en} from {hour(start, language)}{until}: electricity will be very dear.",
    ).pick(language)


def _by_contract(contract: Contract | None, now: datetime, language: str, *, cheap: bool) -> str:
    """Return when the contract's own hours say that the tariff changes."""
    if contract is None or contract.option not in ("hphc", "tempo"):
        return ""
    edges = []
    for hours in contract.off_peak or (_TEMPO_HOURS if contract.option == "tempo" else ()):
        start, _, end = hours.partition("-")
        edges.append(end if cheap else start)
    if not edges:
        return ""
    edge = min(edges, key=lambda one: _wait(one, now))
    return hour(now.replace(hour=int(edge[:2]), minute=int(edge[3:])), language)


def _wait(edge: str, now: datetime) -> timedelta:
    hours, minutes = (int(part) for part in edge.split(":"))
    wait = timedelta(hours=hours, minutes=minutes) - timedelta(hours=now.hour, minutes=now.minute)
    return wait if wait > timedelta() else wait + timedelta(days=1)
