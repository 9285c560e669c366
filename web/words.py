"""What the coded words of the signals say to people: events of the meter, contacts, notices, days, hours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from gateway.errors import Text
from gateway.signals import TARIFF_INDEXES
from web.live import Sig
from web.speech import THIN

COLOURS = {
    "blue": Text("bleu", "blue"),
    "white": Text("blanc", "white"),
    "red": Text("rouge", "red"),
}
_YES = {"yes": Text("oui", "yes"), "no": Text("non", "no")}
_CONTACT = {"closed": Text("fermé", "closed"), "open": Text("ouvert", "open")}
_NOTICE = {
    "none": Text("aucun", "none"),
    "announced": Text("pointe mobile annoncée", "mobile peak announced"),
    "peak": Text("pointe mobile en cours", "mobile peak running"),
}
_NONE = Text("aucun", "none")
_NO_PHASE = Text("aucune", "none")
_EVENTS = {
    "clock-degraded": Text("horloge du compteur perdue", "the meter lost its clock"),
    "cover-open": Text("capot du compteur ouvert", "meter cover open"),
    "overvoltage": Text("surtension", "overvoltage"),
    "cut-off-overpower": Text("coupé : trop de puissance", "cut off: too much power"),
    "cut-off-overvoltage": Text("coupé : surtension", "cut off: overvoltage"),
    "cut-off-load-shedding": Text("coupé : délestage", "cut off: load shedding"),
    "cut-off-remote-order": Text("coupé à distance", "cut off from afar"),
    "cut-off-overheating-above": Text("coupé : échauffement", "cut off: overheating"),
    "cut-off-overheating-below": Text("coupé : échauffement", "cut off: overheating"),
    "cut-off-unknown": Text("coupé", "cut off"),
}
_WORDS = {
    "grid.overload": _YES,
    "grid.contact": _CONTACT,
    "grid.tariff.notice": _NOTICE,
    "grid.tariff.today": COLOURS,
    "grid.tariff.tomorrow": COLOURS,
}
_INSTANTS = ("grid.tariff.next_change", "grid.tariff.peak.start", "grid.tariff.peak.end")
_PERIODS = ("grid.tariff.period", "grid.tariff.next_period")


def word(name: str, value: str, language: str, zone: tzinfo | None) -> str:
    """Return what the state `value` of a signal says; the value itself where there is no better word."""
    if name in _INSTANTS and (at := instant(value, zone)) is not None:
        day = f"{at.day:02d}/{at.month:02d} "
        return day + hour(at, language)
    if name in _PERIODS and value.lower() in TARIFF_INDEXES:
        return TARIFF_INDEXES[value.lower()].pick(language)
    if name == "grid.events":
        said = [_EVENTS[code].pick(language) if code in _EVENTS else code for code in value.split() if code != "none"]
        return ", ".join(said) or _NONE.pick(language)
    if value == "none" and name in ("grid.relays", "grid.phase.missing"):
        return (_NO_PHASE if name == "grid.phase.missing" else _NONE).pick(language)
    found = _WORDS.get(name, {}).get(value)
    return found.pick(language) if found else value


def instant(value: str, zone: tzinfo | None) -> datetime | None:
    """Return the local time of an instant in ISO 8601; None if it is none."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(zone) if at.tzinfo else None


def hour(at: datetime, language: str) -> str:
    """Return the hour on the wall: "22 h", "22 h 30", "22:30"."""
    if language == "en":
        return f"{at:%H:%M}"
    return f"{at.hour}{THIN}h" + (f"{THIN}{at.minute:02d}" if at.minute else "")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the meter itself reports, and what to do about it."""

    key: str
    what: str
    mend: str


_ELECTRICIAN = Text(
    "Si cela dure, appelez le dépannage d’Enedis : le numéro est sur votre facture.",
    "If it lasts, call the grid operator’s emergency number: it is on your bill.",
)
_NOTICES = {
    "overvoltage": (
        Text("Le compteur mesure une tension trop haute.", "The meter measures too high a voltage."),
        Text("Débranchez les appareils fragiles. ", "Unplug what is fragile. "),
    ),
    "cover-open": (Text("Le capot du compteur est ouvert.", "The cover of the meter is open."), Text("", "")),
}
_CUT = (
    Text("Le compteur a coupé le courant de la maison", "The meter has cut the home’s power"),
    Text(
        "Éteignez un gros appareil, puis suivez l’écran du compteur. ",
        "Switch off something big, then follow the meter’s screen. ",
    ),
)


def notices(signals: Mapping[str, Sig], language: str) -> list[Notice]:
    """Return what the meter reports that a person should see at once."""
    found = []
    for code in _state(signals, "grid.events").split():
        what, mend = _NOTICES.get(code, (None, Text("", "")))
        if code.startswith("cut-off-"):
            reason = (
                _EVENTS.get(code, _EVENTS["cut-off-unknown"])
                .pick(language)
                .partition(": " if language == "en" else " : ")[2]
            )
            what = Text(
                _CUT[0].fr + (f" : {reason}." if reason else "."), _CUT[0].en + (f": {reason}." if reason else ".")
            )
            mend = _CUT[1]
        if what is not None:
            found.append(Notice(code, what.pick(language), mend.pick(language) + _ELECTRICIAN.pick(language)))
    missing = _state(signals, "grid.phase.missing")
    if missing not in ("", "none"):
        what = Text(f"Il manque la phase {missing}.", f"Phase {missing} is missing.")
        found.append(Notice("phase", what.pick(language), _ELECTRICIAN.pick(language)))
    return found


def _state(signals: Mapping[str, Sig], name: str) -> str:
    sig = signals.get(name)
    value = sig["value"] if sig and sig["quality"] != "stale" else None
    return value if isinstance(value, str) else ""
