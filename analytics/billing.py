"""From a load curve to a bill: the energy of each register, by the meter's own registers or by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from analytics.bill import Bill, make_bill
from analytics.bill_registers import Hours, spans_of, split
from analytics.bill_usage import Usage
from analytics.calendar_tempo import Colours
from analytics.curves import Curve, CurveError, DayRegisters, midnight
from analytics.tariff import REGISTERS, Period, Tariffs, trv
from gateway.errors import Text

_KILO = 1000
_W_PER_MJ_S = 1000  # millijoules a second that make a watt


@dataclass(frozen=True, slots=True)
class Metering:
    """What is known of a home's consumption: its curve, the hours of its contract, the colours of the days."""

    curve: Curve
    hours: Hours = field(default_factory=lambda: Hours(()))
    colours: Colours | None = None

    def usages(self, option: str, periods: Sequence[Period]) -> list[Usage]:
        """Return the energy of each period; raise FoyerError when hours, colours or the whole period are missing."""
        cuts = [(midnight(period.start), midnight(period.end)) for period in periods]
        if set(REGISTERS[option]) == {name for one in self.curve.registers for name in one.mj}:
            parts = [_counted(self.curve.registers, period) for period in periods]
        else:
            start, end = periods[0].start, periods[-1].end
            spans = spans_of(option, self.hours, self.colours, start, end)
            found = split(self.curve.slots, spans, cuts)
            parts = [
                Usage(one.mj, one.shared, one.covered, cut[1] - cut[0], one.holes)
                for one, cut in zip(found, cuts, strict=True)
            ]
        if not any(part.covered for part in parts):
            raise _nothing(periods[0].start, periods[-1].end)
        return parts

    def bill(
        self, option: str, kva: Decimal, tariffs: Tariffs, start: date, end: date, *, injects: bool = False
    ) -> Bill:
        """Return the bill of [start, end); raise FoyerError."""
        if end <= start:
            raise CurveError(
                Text("La fin de la période doit venir après son début.", "The end of the period must follow its start.")
            )
        periods = tariffs.periods(option, kva, start, end)
        usages = self.usages(option, periods)
        surcharge = trv().injection(start) if injects else None
        notes = [*self.curve.notes, *power_notes(self.curve, kva, start, end)]
        return make_bill(option, kva, periods, usages, injection=surcharge, notes=notes)


def _counted(registers: Sequence[DayRegisters], period: Period) -> Usage:
    """Return what the meter's own registers counted in a period; days between two far readings are shared evenly."""
    totals: dict[str, int] = {}
    shared = covered = holes = 0
    reached = period.start
    for one in registers:
        opens, closes = max(one.start, period.start), min(one.end, period.end)
        if closes <= opens:
            continue
        days, whole = (closes - opens).days, (one.end - one.start).days
        for name, mj in one.mj.items():
            part = mj * days // whole
            totals[name] = totals.get(name, 0) + part
            shared += part if days < whole else 0
        covered += midnight(closes) - midnight(opens)
        holes += opens > reached
        reached = closes
    seconds = midnight(period.end) - midnight(period.start)
    return Usage(totals, shared, covered, seconds, holes + (reached < period.end))


def _nothing(start: date, end: date) -> CurveError:
    return CurveError(
        Text(
            f"Il n’y a aucune mesure du {start:%d/%m/%Y} au {end:%d/%m/%Y} (non compris).",
            f"There is no reading from {start} to {end} (excluded).",
        ),
        Text("Demandez une période que la courbe couvre.", "Ask for a period that the curve covers."),
    )


def power_notes(curve: Curve, kva: Decimal, start: date, end: date) -> list[Text]:
    """Tell when the power seen passes the subscription: the meter's own peak, else the highest mean of a step.

    A mean in watts is a lower bound of the VA that the meter compares: it can accuse, never acquit.
    """
    if curve.peak_va is not None:
        peak, word, said = Decimal(curve.peak_va) / _KILO, "kVA", Text("relevée", "recorded")
    else:
        first, last = midnight(start), midnight(end)
        inside = [slot for slot in curve.slots if slot.start >= first and slot.end <= last and slot.end > slot.start]
        most = max((slot.mj // (slot.end - slot.start) for slot in inside), default=0)
        peak, word, said = Decimal(most) / _W_PER_MJ_S / _KILO, "kW", Text("moyenne d’un pas", "mean of a step")
    if peak <= kva:
        return []
    shown, limit = f"{peak:.1f}", f"{kva.normalize():f}"
    return [
        Text(
            f"La puissance a atteint {shown.replace('.', ',')} {word} ({said.fr}), au-delà des {limit} kVA souscrits.",
            f"Power reached {shown} {word} ({said.en}), above the {limit} kVA subscribed.",
        )
    ]
