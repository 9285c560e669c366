"""The curve of the box's own store: half-hours made from the meter's index steps, through the read side."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from analytics.curves import MJ_PER_WH, Curve, CurveError, DayRegisters, Slot, midnight
from analytics.tariff import REGISTERS
from gateway.clock import UtcMs
from gateway.errors import Text
from gateway.store.read import Reader

_DAYS_AT_ONCE = 90
_SAME_WH = 1000
_SAME = 0.01


def store_curve(reader: Reader, start: date, end: date, zone: ZoneInfo, option: str = "") -> Curve:
    """Return the half-hours of [start, end); those without a register are left out, so that a hole stays one.

    The registers that the meter keeps by tariff period are added when all those of `option` are there and agree with
    the total: they need no clock. Raises CurveError for an empty store.
    """
    info = reader.info()
    if info.first is None:
        raise CurveError(
            Text("Aucune mesure n’est encore enregistrée.", "No reading has been stored yet."),
            Text(
                "Branchez le compteur, ou donnez un fichier avec --curve.", "Connect the meter, or give --curve FILE."
            ),
        )
    slots: list[Slot] = []
    estimated = 0
    day = start
    while day < end:
        until = min(day + timedelta(days=_DAYS_AT_ONCE), end)
        for one in reader.energy(_ms(day, zone), _ms(until, zone), "30m", zone.key):
            if one.import_wh is not None and one.coverage > 0:
                slots.append(Slot(one.start // 1000, one.end // 1000, round(one.import_wh * MJ_PER_WH)))
                estimated += one.estimated
        day = until
    notes = []
    if estimated:
        notes.append(
            Text(
                f"{estimated} demi-heure{'s' if estimated > 1 else ''} de la boîte sont estimées entre deux index.",
                f"{estimated} half-hour{'s' if estimated > 1 else ''} of the box are estimated between two registers.",
            )
        )
    registers = _registers(reader, start, end, zone, option) if option in REGISTERS else []
    total = sum(slot.mj for slot in slots)
    counted = sum(sum(one.mj.values()) for one in registers)
    if abs(counted - total) > max(_SAME_WH * MJ_PER_WH, _SAME * total):
        registers = []
    return Curve(slots, notes, registers)


def _ms(day: date, zone: ZoneInfo) -> UtcMs:
    return UtcMs(midnight(day, zone) * 1000)


def _registers(reader: Reader, start: date, end: date, zone: ZoneInfo, option: str) -> list[DayRegisters]:
    """Return the days of every register of an option; none where one lacks a midnight or steps back."""
    wanted = REGISTERS[option]
    known = set(reader.info().signals)
    if option == "base" or any(f"grid.import.energy.{name}" not in known for name in wanted):
        return []
    after = end + timedelta(days=1)
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    readings: list[dict[str, float]] = [{} for _ in days]
    for name in wanted:
        points = reader.history(
            f"grid.import.energy.{name}", _ms(start, zone), _ms(after, zone), "1d", zone.key, limit=None
        ).points
        for place, (_, value, _) in enumerate(points[: len(days)]):
            if isinstance(value, int | float):
                readings[place][name] = value
    found = []
    for place, day in enumerate(days[:-1]):
        one, two = readings[place], readings[place + 1]
        if len(one) != len(wanted) or len(two) != len(wanted) or any(two[name] < one[name] for name in wanted):
            return []
        moved = {name: round((two[name] - one[name]) * MJ_PER_WH) for name in wanted}
        found.append(DayRegisters(day, days[place + 1], moved))
    return found
