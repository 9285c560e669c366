"""The bill of a contract over some days, line by line. Pure.

A line is a register at one price, or the subscription at one price; prices are those printed, all taxes in. Energy is
kept to the millijoule until it is multiplied. The sum of a kind of lines is rounded to the cent once, half up, and the
cents are shared among its lines so that lines always add up to totals. A month of subscription costs a twelfth of the
year, a part of a month its share of that month's days: a bill cut in two adds up to the whole within three cents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from analytics.bill_notes import notes_of
from analytics.bill_usage import CENT, Usage, months_between
from analytics.curves import MJ_PER_KWH
from analytics.tariff import REGISTERS, Figure, Period
from gateway.errors import Text
from gateway.signals import TARIFF_INDEXES

_SUBSCRIPTION = "subscription"
_INJECTION = "injection"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `quantity` is in kWh or months, `unit_price` has all taxes; `vat` is an amount, as are the others."""

    key: str
    label: Text
    quantity: Decimal
    unit: Text
    unit_price: Decimal
    figure: Figure
    vat_rate: Decimal
    amount_ttc: Decimal

    @property
    def amount_ht(self) -> Decimal:
        """Return the amount before VAT (other taxes in), to the cent."""
        return (self.amount_ttc / (1 + self.vat_rate)).quantize(CENT, ROUND_HALF_UP)

    @property
    def vat(self) -> Decimal:
        """Return the VAT in the line."""
        return self.amount_ttc - self.amount_ht

    @property
    def is_energy(self) -> bool:
        """Tell a register from a fixed part."""
        return self.key not in (_SUBSCRIPTION, _INJECTION)


@dataclass(frozen=True, slots=True)
class Bill:
    """A whole bill over [start, end). `kwh` has every register of the option, those without energy at 0."""

    start: date
    end: date
    option: str
    kva: Decimal
    kwh: dict[str, Decimal]
    lines: list[Line]
    notes: list[Text] = field(default_factory=list)

    @property
    def energy_ttc(self) -> Decimal:
        """Return the cost of the energy."""
        return sum((line.amount_ttc for line in self.lines if line.is_energy), Decimal("0.00"))

    @property
    def subscription_ttc(self) -> Decimal:
        """Return the cost of the fixed parts."""
        return sum((line.amount_ttc for line in self.lines if not line.is_energy), Decimal("0.00"))

    @property
    def total_ttc(self) -> Decimal:
        """Return the whole."""
        return self.energy_ttc + self.subscription_ttc


@dataclass(slots=True)
class _Draft:
    """A line before it is rounded."""

    key: str
    label: Text
    unit: Text
    figure: Figure
    vat_rate: Decimal
    price: Decimal
    quantity: Decimal = Decimal(0)

    @property
    def exact(self) -> Decimal:
        return self.quantity * self.price


def make_bill(
    option: str,
    kva: Decimal,
    periods: Sequence[Period],
    usages: Sequence[Usage],
    *,
    injection: Figure | None = None,
    notes: Iterable[Text] = (),
) -> Bill:
    """Return the bill of periods (one after another) and what was used in each.

    `injection` is the yearly surcharge before VAT of a home that sends its surplus to the grid, or None.
    """
    energy: dict[tuple[object, ...], _Draft] = {}
    fixed: dict[tuple[object, ...], _Draft] = {}
    kwh = dict.fromkeys(REGISTERS[option], Decimal(0))
    for period, usage in zip(periods, usages, strict=True):
        rate = period.rate
        for register in REGISTERS[option]:
            used = Decimal(usage.mj.get(register, 0)) / MJ_PER_KWH
            kwh[register] += used
            label = Text(f"Énergie, {TARIFF_INDEXES[register].fr}", f"Energy, {TARIFF_INDEXES[register].en}")
            _add(energy, register, label, Text("kWh", "kWh"), rate.energy[register], rate.vat_energy, used)
        months = months_between(period.start, period.end)
        label = Text(f"Abonnement {_power(kva)} kVA", f"Subscription {_power(kva)} kVA")
        month = Text("mois", "months")
        _add(fixed, _SUBSCRIPTION, label, month, rate.subscription, rate.vat_subscription, months)
        if injection is not None:
            price = injection.value * (1 + rate.vat_subscription) / 12
            label = Text("Majoration d’autoproducteur", "Surcharge for a self-producer")
            _add(fixed, _INJECTION, label, month, injection, rate.vat_subscription, months, price)
    lines = [*_rounded(energy.values()), *_rounded(fixed.values())]
    told = [*notes, *notes_of(periods, usages)]
    return Bill(periods[0].start, periods[-1].end, option, kva, kwh, lines, told)


def _add(
    drafts: dict[tuple[object, ...], _Draft],
    key: str,
    label: Text,
    unit: Text,
    figure: Figure,
    vat_rate: Decimal,
    quantity: Decimal,
    price: Decimal | None = None,
) -> None:
    """Add a quantity to the line of that price, so that a price that goes on makes one line."""
    price = figure.value if price is None else price
    place = (key, price, figure.valid_from, vat_rate)
    if place not in drafts:
        drafts[place] = _Draft(key, label, unit, figure, vat_rate, price)
    drafts[place].quantity += quantity


def _rounded(drafts: Iterable[_Draft]) -> list[Line]:
    kept = [draft for draft in drafts if draft.quantity or draft.key == "base"]
    amounts = share_cents([draft.exact for draft in kept])
    return [
        Line(draft.key, draft.label, draft.quantity, draft.unit, draft.price, draft.figure, draft.vat_rate, amount)
        for draft, amount in zip(kept, amounts, strict=True)
    ]


def share_cents(exact: Sequence[Decimal], total: Decimal | None = None) -> list[Decimal]:
    """Return the amounts in whole cents whose sum is the exact sum (or `total`) rounded half up once.

    Each is its exact amount rounded down; the cents left go where the most was lost.
    """
    whole = (sum(exact, Decimal(0)) if total is None else total).quantize(CENT, ROUND_HALF_UP)
    down = [amount.quantize(CENT, ROUND_FLOOR) for amount in exact]
    left = int((whole - sum(down, Decimal(0))) / CENT)
    if not exact or left == 0:
        return down
    order = sorted(range(len(exact)), key=lambda n: (down[n] - exact[n], n), reverse=left < 0)
    step = CENT if left > 0 else -CENT
    for n in range(abs(left)):
        down[order[n % len(order)]] += step
    return down


def _power(kva: Decimal) -> str:
    return f"{kva.normalize():f}"
