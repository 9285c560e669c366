"""What the coded words of the TIC mean: STGE, RELAIS, day profiles, the meter's address, the tariff's free texts. Pure.

Source: Enedis-NOI-CPT_54E, section 6.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

COLOURS = (None, "blue", "white", "red")
CUT_OFF = (
    "closed",
    "overpower",
    "overvoltage",
    "load-shedding",
    "remote-order",
    "overheating-above",
    "overheating-below",
    "unknown",
)
"""Why the cut-off device is open, by its three bits; the last code is not used."""

_THREE_PHASE_TYPES = frozenset({"63", "71", "76"})
_ONE_PHASE_TYPES = frozenset({"61", "62", "64", "67", "68", "70", "75"})
_EURIDIS = ("off", "on", "unknown", "on-secured")
_PLC = ("new-unlock", "new-lock", "registered", "unknown")


@dataclass(frozen=True, slots=True)
class Status:
    """STGE, decoded. Indexes count from 1; a colour is None when there is none; notice and peak name PM1 to PM3."""

    contact_closed: bool
    cut_off: str
    cover_open: bool
    overvoltage: bool
    overload: bool
    producer: bool
    injecting: bool
    supplier_index: int
    distributor_index: int
    clock_degraded: bool
    standard_output: bool
    euridis: str
    plc: str
    plc_synchronised: bool
    today: str | None
    tomorrow: str | None
    notice: int | None
    peak: int | None


@lru_cache(maxsize=32)
def status(word: str) -> Status:
    """Return STGE (8 hexadecimal digits, high byte first) decoded; ValueError if it is not such a word."""
    bits = int(word, 16)

    def part(low: int, width: int = 1) -> int:
        return bits >> low & (1 << width) - 1

    return Status(
        contact_closed=not part(0),
        cut_off=CUT_OFF[part(1, 3)],
        cover_open=bool(part(4)),
        overvoltage=bool(part(6)),
        overload=bool(part(7)),
        producer=bool(part(8)),
        injecting=bool(part(9)),
        supplier_index=part(10, 4) + 1,
        distributor_index=part(14, 2) + 1,
        clock_degraded=bool(part(16)),
        standard_output=bool(part(17)),
        euridis=_EURIDIS[part(19, 2)],
        plc=_PLC[part(21, 2)],
        plc_synchronised=bool(part(23)),
        today=COLOURS[part(24, 2)],
        tomorrow=COLOURS[part(26, 2)],
        notice=part(28, 2) or None,
        peak=part(30, 2) or None,
    )


def relays(value: int) -> tuple[bool, ...]:
    """Return the eight relays of RELAIS, the real one first: True is closed."""
    return tuple(bool(value >> n & 1) for n in range(8))


def closed_relays(value: int) -> str:
    """Return the numbers of the closed relays of RELAIS, the real one being 1, joined by blanks; or "none"."""
    return " ".join(str(n) for n, closed in enumerate(relays(value), 1) if closed) or "none"


NO_EVENT = "none"


def events(state: Status) -> str:
    """Return what STGE says is out of order, as sorted codes joined by blanks; or "none".

    `clock-degraded`, `cover-open`, `cut-off-<reason>` (the breaker is open, with a reason of `CUT_OFF`), `overvoltage`.
    """
    found = {
        "clock-degraded": state.clock_degraded,
        "cover-open": state.cover_open,
        f"cut-off-{state.cut_off}": state.cut_off != CUT_OFF[0],
        "overvoltage": state.overvoltage,
    }
    return " ".join(code for code, present in found.items() if present) or NO_EVENT


@dataclass(frozen=True, slots=True)
class Slot:
    """One entry of a day profile: from `start` ("HH:MM") on, this index (None: unchanged) and these contacts.

    `contact` is keep, tempo, open or closed; `virtual` are the virtual contacts 1 to 7, True is closed.
    """

    start: str
    contact: str
    virtual: tuple[bool, ...]
    index: int | None


def profile(text: str) -> tuple[Slot, ...]:
    """Return PJOURF+1 or PPOINTE as its slots; fillers are left out. ValueError if an entry is not `HHMMSSSS`."""
    slots = []
    for entry in text.split():
        if entry == "NONUTILE":
            continue
        action = int(entry[4:8], 16)
        index = action & 0xF
        slots.append(
            Slot(
                f"{entry[:2]}:{entry[2:4]}",
                ("keep", "tempo", "open", "closed")[action >> 14],
                tuple(bool(action >> 4 + n & 1) for n in range(7)),
                index if 1 <= index <= 10 else None,  # noqa: PLR2004 - ten supplier indexes
            )
        )
    return tuple(slots)


def phases_of(address: str) -> int | None:
    """Return 1 or 3 by the type in a meter's address (maker 2, year 2, type 2, serial 6), None for an unknown type."""
    kind = address[4:6]
    if kind in _THREE_PHASE_TYPES:
        return 3
    return 1 if kind in _ONE_PHASE_TYPES else None


_WORDS = {
    "BLEU": "blue",
    "BLEUE": "blue",
    "BLEUS": "blue",
    "BLANC": "white",
    "BLANCHE": "white",
    "BLANCS": "white",
    "ROUGE": "red",
    "ROUGES": "red",
    "HC": "hc",
    "CREUSE": "hc",
    "CREUSES": "hc",
    "HP": "hp",
    "PLEINE": "hp",
    "PLEINES": "hp",
    "HN": "ejp_hn",
    "NORMALE": "ejp_hn",
    "NORMALES": "ejp_hn",
    "PM": "ejp_pm",
    "POINTE": "ejp_pm",
    "BASE": "base",
    "TH": "base",
    "TOUTES": "base",
}
TEMPO_INDEXES = ("blue_hc", "blue_hp", "white_hc", "white_hp", "red_hc", "red_hp")
"""The period of each supplier index of the Tempo contract, from 1 on."""


def normalise(text: str) -> str:
    """Return a supplier's free text (NGTF, LTARF) in one form: capitals, single blanks, none outside."""
    return " ".join(text.upper().split())


def period_of_label(text: str) -> str | None:
    """Return the tariff period a supplier's label (LTARF) names, in whatever order its words stand; None if none."""
    said = [_WORDS[word] for word in re.findall("[A-Z]+", normalise(text)) if word in _WORDS]
    colours = [word for word in said if word in COLOURS]
    times = [word for word in said if word not in COLOURS]
    if len(set(colours)) > 1 or len(set(times)) != 1:
        return None
    time = times[0]
    if not colours:
        return time
    return f"{colours[0]}_{time}" if time in ("hc", "hp") else None


def is_tempo(calendar: str) -> bool:
    """Tell whether a supplier's calendar name (NGTF) is Tempo."""
    return "TEMPO" in normalise(calendar)


def period(index: int | None, calendar: str, label: str, *, tempo: bool = False) -> str | None:
    """Return the tariff period of standard mode, of `gateway.signals.TARIFF_INDEXES`; None when nothing tells.

    The index number is sure and the texts are free: under Tempo (by the calendar's name, or by STGE) the number alone
    decides; elsewhere the label's words do, and where they say nothing the bare number stands (`f03`).
    """
    if (tempo or is_tempo(calendar)) and index is not None and index <= len(TEMPO_INDEXES):
        return TEMPO_INDEXES[index - 1]
    if normalise(label) == "INDEX NON CONSO":
        return None
    named = period_of_label(label)
    if named is not None or index is None:
        return named
    return f"f{index:02d}"
