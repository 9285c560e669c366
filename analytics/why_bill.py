"""“Why this bill?”: the difference between two bills, cause by cause, that sums exactly to the cent. Pure.

From the first bill to the second, one thing is changed at a time, in this order, at the prices of the first:
days (as much a day, for more or fewer days), weather (where degree-days are given), estimated indexes (where the
correction is given), volume (what is left of the kWh), mix (which registers), prices last, subscription's included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from analytics.bill import Bill, share_cents
from analytics.bill_usage import months_between
from gateway.errors import Text

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Weather:
    """Degree-days of both periods, and the kWh that one of them costs this home (from its own history)."""

    before: Decimal
    after: Decimal
    kwh_per_degree_day: Decimal


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause: `amount` in euros, positive when it makes the second bill dearer."""

    key: str
    amount: Decimal
    sentence: Text


class _State(NamedTuple):
    """What one bill comes down to: days, months, kWh and price by register, prices before rounding."""

    days: Decimal
    months: Decimal
    kwh: Decimal
    shares: Mapping[str, Decimal]
    prices: Mapping[str, Decimal]
    month: Decimal

    @property
    def mean(self) -> Decimal:
        return sum((self.shares[name] * self.prices[name] for name in self.shares), _ZERO)


def why(
    before: Bill, after: Bill, *, weather: Weather | None = None, estimated_kwh: Decimal = _ZERO
) -> tuple[Decimal, list[Cause]]:
    """Return the difference (euros, second minus first) and its causes, which sum to it.

    `estimated_kwh` is what the second bill counts too much (positive) or too little because an index was estimated.
    """
    one, two = _state(before), _state(after)
    mean = one.mean
    ratio = two.days / one.days
    days = one.kwh * (ratio - 1) * mean + (two.months - one.months) * one.month
    degrees = (weather.after - weather.before * ratio) * weather.kwh_per_degree_day if weather else _ZERO
    volume = two.kwh - one.kwh * ratio - degrees - estimated_kwh
    prices = {name: one.prices.get(name, mean) for name in two.shares}
    mix = two.kwh * (sum((two.shares[name] * prices[name] for name in two.shares), _ZERO) - mean)
    dearer = two.kwh * sum((two.shares[name] * (two.prices[name] - prices[name]) for name in two.shares), _ZERO)
    exact = {
        "days": days,
        "weather": degrees * mean,
        "estimated": estimated_kwh * mean,
        "volume": volume * mean,
        "mix": mix,
        "price": dearer,
        "subscription": two.months * (two.month - one.month),
    }
    difference = after.total_ttc - before.total_ttc
    amounts = dict(zip(exact, share_cents(list(exact.values()), difference), strict=True))
    quantities = {
        "days": two.days - one.days,
        "weather": degrees,
        "estimated": estimated_kwh,
        "volume": volume,
    }
    causes = [
        Cause(key, amount, _sentence(key, amount, quantities.get(key, _ZERO)))
        for key, amount in amounts.items()
        if amount or key in ("days", "volume", "price")
    ]
    return difference, sorted(causes, key=lambda cause: -abs(cause.amount))


def _state(bill: Bill) -> _State:
    kwh = sum(bill.kwh.values(), _ZERO)
    cost: dict[str, Decimal] = {}
    for line in bill.lines:
        if line.is_energy:
            cost[line.key] = cost.get(line.key, _ZERO) + line.quantity * line.unit_price
    used = {name: amount for name, amount in bill.kwh.items() if amount}
    months = months_between(bill.start, bill.end)
    fixed = sum((line.quantity * line.unit_price for line in bill.lines if not line.is_energy), _ZERO)
    return _State(
        Decimal((bill.end - bill.start).days),
        months,
        kwh,
        {name: amount / kwh for name, amount in used.items()},
        {name: cost[name] / amount for name, amount in used.items()},
        fixed / months,
    )


_WORDS = {
    "days": (
        Text("{n} jour{s} de plus", "{n} more day{s}"),
        Text("{n} jour{s} de moins", "{n} fewer day{s}"),
        Text("Autant de jours", "As many days"),
    ),
    "weather": (
        Text("Un temps plus froid, {n} kWh de plus", "Colder weather, {n} kWh more"),
        Text("Un temps plus doux, {n} kWh de moins", "Milder weather, {n} kWh less"),
        Text("Le même temps", "The same weather"),
    ),
    "estimated": (
        Text("Un index estimé trop haut, de {n} kWh", "An index estimated {n} kWh too high"),
        Text("Un index estimé trop bas, de {n} kWh", "An index estimated {n} kWh too low"),
        Text("Aucun index estimé", "No estimated index"),
    ),
    "volume": (
        Text("{n} kWh de plus", "{n} kWh more"),
        Text("{n} kWh de moins", "{n} kWh less"),
        Text("Autant de kWh", "As many kWh"),
    ),
    "mix": (
        Text("Plus de kWh aux heures chères", "More kWh in the dear hours"),
        Text("Plus de kWh aux heures bon marché", "More kWh in the cheap hours"),
        Text("La même répartition entre les heures", "The same sharing between hours"),
    ),
    "price": (
        Text("Un kWh plus cher", "A dearer kWh"),
        Text("Un kWh moins cher", "A cheaper kWh"),
        Text("Le même prix du kWh", "The same price of a kWh"),
    ),
    "subscription": (
        Text("Un abonnement plus cher", "A dearer subscription"),
        Text("Un abonnement moins cher", "A cheaper subscription"),
        Text("Le même abonnement", "The same subscription"),
    ),
}


def _sentence(key: str, amount: Decimal, quantity: Decimal) -> Text:
    """Return “12 kWh de plus : 2,40 € de plus.”; the words follow the quantity where there is one."""
    lead = quantity.quantize(Decimal(1)) if key in ("days", "weather", "estimated", "volume") else amount
    more, less, same = _WORDS[key]
    words = more if lead > 0 else less if lead < 0 else same
    number = f"{abs(lead):.0f}"
    euros = f"{abs(amount):.2f}"
    ends = (
        Text(f"{euros.replace('.', ',')} € de plus", f"{euros} € more")
        if amount > 0
        else Text(f"{euros.replace('.', ',')} € de moins", f"{euros} € less")
        if amount < 0
        else Text("aucune différence", "no difference")
    )
    plural = "" if number == "1" else "s"
    return Text(
        f"{words.fr.format(n=number, s=plural)} : {ends.fr}.", f"{words.en.format(n=number, s=plural)}: {ends.en}."
    )
