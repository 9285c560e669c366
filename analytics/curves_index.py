"""Files of indexes: the meter's registers once a day, and the block that says which register is which. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from analytics.curves import MJ_PER_WH, PARIS, DayRegisters, Slot, midnight
from analytics.curves_values import plain
from gateway.errors import Text

_NINE_DIGITS = 10**9
_NEAR_THE_END = _NINE_DIGITS - 10**7

_CODES = {
    "base": "base",
    "hc": "hc",
    "hp": "hp",
    "hcjb": "blue_hc",
    "hpjb": "blue_hp",
    "hcjw": "white_hc",
    "hpjw": "white_hp",
    "hcjr": "red_hc",
    "hpjr": "red_hp",
    "ejphn": "ejp_hn",
    "ejphpm": "ejp_pm",
}
_COLOURS = {"bleu": "blue", "blanc": "white", "rouge": "red"}
_REGISTER = re.compile(r"eas(f\d{1,2}|t)")


@dataclass(slots=True)
class Indexes:
    """What a file of indexes says: for each moment, Wh of each register (“f1”… “t”), and their names."""

    readings: dict[int, dict[str, int]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    contradicting: bool = False

    def name(self, register: str, code: str, label: str) -> None:
        """Note that a register counts a tariff period; two different ones make the names unusable."""
        meaning = _meaning(code, label)
        if meaning and self.names.setdefault(register, meaning) != meaning:
            self.contradicting = True


def register_of(header: str) -> str | None:
    """Return “f1”… “f10” or “t” (total) for a column of supplier registers; the distributor's count it all again."""
    match = _REGISTER.fullmatch(plain(header))
    return match[1] if match else None


def _meaning(code: str, label: str) -> str | None:
    if known := _CODES.get(plain(code)):
        return known
    words = plain(label)
    hours = "hc" if "creuse" in words else "hp" if "pleine" in words else None
    colour = next((english for french, english in _COLOURS.items() if french in words), None)
    if hours:
        return f"{colour}_{hours}" if colour else hours
    return "base" if words == "base" else None


def days_of(indexes: Indexes) -> tuple[list[Slot], list[DayRegisters], list[Text]]:
    """Return the energy between readings: slots of the total, the named registers, and what is to be said."""
    by_day = {_day(at): registers for at, registers in sorted(indexes.readings.items())}
    ordered = sorted(by_day.items())
    slots: list[Slot] = []
    named: list[DayRegisters] = []
    dropped = 0
    for (one, before), (two, after) in pairwise(ordered):
        moved = {name: _moved(before[name], after[name]) for name in before if name in after}
        if not moved or any(wh is None for wh in moved.values()):
            dropped += 1
            continue
        wh = {name: value for name, value in moved.items() if value is not None}
        total = wh.get("t", sum(value for name, value in wh.items() if name != "t"))
        slots.append(Slot(midnight(one), midnight(two), total * MJ_PER_WH))
        parts = {indexes.names[name]: value * MJ_PER_WH for name, value in wh.items() if name in indexes.names}
        if parts and not indexes.contradicting and sum(parts.values()) == total * MJ_PER_WH:
            named.append(DayRegisters(one, two, parts))
    notes = []
    if dropped:
        notes.append(
            Text(
                f"Un index recule {dropped} fois (changement de compteur ?) : ces jours ne sont pas comptés.",
                f"An index steps back {dropped} times (a new meter?): those days are not counted.",
            )
        )
    return slots, named if len(named) == len(slots) else [], notes


def _day(at: int) -> date:
    """Return the day that begins at a reading: older exports stamp midnight an hour off."""
    return (datetime.fromtimestamp(at, UTC).astimezone(PARIS) + timedelta(hours=2)).date()


def _moved(before: int, after: int) -> int | None:
    if after >= before:
        return after - before
    if before >= _NEAR_THE_END and after < _NINE_DIGITS - _NEAR_THE_END:
        return after + _NINE_DIGITS - before
    return None


def named_registers(cells: Sequence[str], headers: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return (register, code, label) of each triple of a row of the block of calendars."""
    found = []
    for place, header in enumerate(headers):
        if not plain(header).startswith("cadran") or place >= len(cells):
            continue
        register = register_of(cells[place])
        if register and place >= 2:  # noqa: PLR2004 - code and label stand before
            found.append((register, cells[place - 2], cells[place - 1]))
    return found
