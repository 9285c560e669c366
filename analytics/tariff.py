"""Tariffs as dated data: what a kWh and a month of subscription cost on a day, who says so, and until when.

The regulated tariff (“Tarif Bleu”) ships in `analytics/data/tariffs/`; a supplier's own offer is a file of the
household. Prices include every tax: they are the ones printed on the grid and multiplied on the bill. What the taxes
are in them is told by `Rate.accise` and `Rate.cta_month`, where they are known. Money is Decimal, dates are those of
the home, `valid_to` is the last day.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from gateway.errors import FoyerError, Text

FOLDER = Path(__file__).parent / "data" / "tariffs"

REGISTERS: dict[str, tuple[str, ...]] = {
    "base": ("base",),
    "hphc": ("hp", "hc"),
    "tempo": ("blue_hc", "blue_hp", "white_hc", "white_hp", "red_hc", "red_hp"),
    "ejp": ("ejp_hn", "ejp_pm"),
}
"""The registers of each option, named as in `gateway.signals.TARIFF_INDEXES`."""

OPTION_NAMES: dict[str, Text] = {
    "base": Text("Base", "Base"),
    "hphc": Text("Heures creuses", "Off-peak hours"),
    "tempo": Text("Tempo", "Tempo"),
    "ejp": Text("EJP", "EJP"),
}

_DAY = timedelta(days=1)
_GRACE = timedelta(days=184)
"""Grids are revised twice a year: past its end a last known figure is still shown for one more term, and said so."""


class UnknownTariffError(FoyerError):
    """No price is known for that day, option and power: nothing is guessed."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One dated value. `valid_to` None: no end is known. `source` says in words where it was read, and when."""

    value: Decimal
    unit: str
    valid_from: date
    valid_to: date | None
    source: Text
    kind: str = ""
    """Empty: read first-hand; "secondary": a copy or a report; "computed": made from others by the formula."""

    def covers(self, day: date) -> bool:
        """Tell whether the figure is valid on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def is_stale(self, day: date) -> bool:
        """Tell whether a day is past the figure's validity."""
        return self.valid_to is not None and day > self.valid_to


@dataclass(frozen=True, slots=True)
class Rate:
    """The prices of one option at one power: EUR/month and EUR/kWh with all taxes, VAT as ratios.

    `accise` (EUR/kWh) and `cta_month` (EUR/month), both before VAT, are the taxes inside; None when not known.
    """

    subscription: Figure
    energy: dict[str, Figure]
    vat_subscription: Decimal
    vat_energy: Decimal
    accise: Decimal | None = None
    cta_month: Decimal | None = None

    @property
    def figures(self) -> list[Figure]:
        """Every figure that a household sees."""
        return [self.subscription, *self.energy.values()]


@dataclass(frozen=True, slots=True)
class Period:
    """Days of one and the same rate, `end` excluded."""

    start: date
    end: date
    rate: Rate


class Tariffs(Protocol):
    """Where prices come from: the regulated grids, one of them held still, or a supplier's offer."""

    def periods(self, option: str, kva: Decimal, start: date, end: date) -> list[Period]:
        """Return the rates of [start, end), one after another; raise UnknownTariffError where there is none."""
        ...


def _pick(figures: Iterable[Figure], day: date) -> Figure | None:
    """Return the figure of a day: a valid one, else the last known one for a term past its end."""
    known = [one for one in figures if one.valid_from <= day]
    if not known:
        return None
    last = max(known, key=lambda one: one.valid_from)
    if last.valid_to is not None and day > last.valid_to + _GRACE:
        return None
    return last


@dataclass(frozen=True, slots=True)
class _Row:
    keys: dict[str, str]
    figure: Figure


class _Table:
    """One file of dated figures."""

    def __init__(self, path: Path, sources: dict[str, dict[str, str]]) -> None:
        with path.open(encoding="utf-8", newline="") as file:
            self.rows = [_row(raw, sources) for raw in csv.DictReader(file)]

    def find(self, **keys: str) -> list[Figure]:
        """Return the figures whose columns have these values."""
        return [row.figure for row in self.rows if all(row.keys[name] == value for name, value in keys.items())]


def _row(raw: dict[str, str], sources: dict[str, dict[str, str]]) -> _Row:
    source = sources[raw["source"]]
    words = Text(
        f"{source['fr']} (relevé le {raw['seen_on']})",
        f"{source['en']} (seen on {raw['seen_on']})",
    )
    figure = Figure(
        Decimal(raw["value"]),
        raw["unit"],
        date.fromisoformat(raw["valid_from"]),
        date.fromisoformat(raw["valid_to"]) if raw["valid_to"] else None,
        words,
        source["kind"],
    )
    return _Row(raw, figure)


class Trv:
    """The regulated tariff, all grids known."""

    def __init__(self, folder: Path = FOLDER) -> None:
        sources = tomllib.loads((folder / "sources.toml").read_text(encoding="utf-8"))
        self._energy = _Table(folder / "trv_energy.csv", sources)
        self._subscription = _Table(folder / "trv_subscription.csv", sources)
        self._before_tax = _Table(folder / "trv_before_tax.csv", sources)
        self._taxes = _Table(folder / "taxes.csv", sources)
        self._turpe = _Table(folder / "turpe.csv", sources)
        self._surcharges = _Table(folder / "surcharges.csv", sources)
        self._support = _Table(folder / "support.csv", sources)

    @property
    def grids(self) -> list[date]:
        """The days on which a grid of energy prices began, oldest first."""
        return sorted({row.figure.valid_from for row in self._energy.rows})

    def grid_of(self, day: date) -> date:
        """Return the day on which the grid of `day` began."""
        known = [one for one in self.grids if one <= day]
        if not known:
            raise _unknown_day(day, self.grids[0])
        return known[-1]

    def powers(self, option: str) -> list[int]:
        """Return the powers (kVA) that an option has ever been sold at."""
        return sorted({int(row.keys["kva"]) for row in self._subscription.rows if row.keys["option"] == option})

    def tax(self, name: str, day: date) -> Figure | None:
        """Return a tax of `taxes.csv` on a day it is valid, or None."""
        return next((one for one in self._taxes.find(name=name) if one.covers(day)), None)

    def injection(self, day: date) -> Figure | None:
        """Return the yearly surcharge (EUR before VAT) of a home that sends its surplus to the grid, or None."""
        return _pick(self._surcharges.find(name="injection"), day)

    def support(self, name: str, kwp: Decimal, day: date) -> Figure | None:
        """Return the "surplus" price (EUR/kWh) or the "prime" (EUR/kWp) of a contract asked for on a day, or None."""
        for row in self._support.rows:
            low, high = Decimal(row.keys["kwp_from"]), Decimal(row.keys["kwp_to"])
            if row.keys["name"] == name and low < kwp <= high and row.figure.covers(day):
                return row.figure
        return None

    def turpe_fixed(self, kva: Decimal, day: date) -> Decimal | None:
        """Return the fixed part of the network tariff, formula CU4, in EUR/year before tax; None when not known."""
        parts = [
            next((one for one in self._turpe.find(formula="CU4", part=part) if one.covers(day)), None)
            for part in ("cg", "cc", "b")
        ]
        if any(part is None for part in parts):
            return None
        cg, cc, b = (part.value for part in parts if part is not None)
        return cg + cc + b * kva

    def rate(self, option: str, kva: Decimal, day: date) -> Rate:
        """Return the prices of a day; raise UnknownTariffError."""
        if option not in REGISTERS or day < self.grids[0]:
            raise _unknown_day(day, self.grids[0])
        power = f"{kva.normalize():f}"
        subscription = _pick(self._subscription.find(option=option, kva=power), day)
        energy: dict[str, Figure] = {}
        for register in REGISTERS[option]:
            found = _pick(
                (
                    row.figure
                    for row in self._energy.rows
                    if row.keys["option"] == option
                    and row.keys["register"] == register
                    and Decimal(row.keys["kva_from"]) <= kva <= Decimal(row.keys["kva_to"])
                ),
                day,
            )
            if found is not None:
                energy[register] = found
        if subscription is None or len(energy) != len(REGISTERS[option]):
            raise _unknown_price(option, power, day, self.powers(option))
        accise, cta, turpe = self.tax("accise", day), self.tax("cta", day), self.turpe_fixed(kva, day)
        return Rate(
            subscription,
            energy,
            self._vat("vat_subscription", day),
            self._vat("vat_energy", day),
            accise.value if accise else None,
            cta.value * turpe / 12 if cta and turpe is not None else None,
        )

    def _vat(self, name: str, day: date) -> Decimal:
        figure = self.tax(name, day)
        if figure is None:
            raise _unknown_day(day, self.grids[0])
        return figure.value

    def vat(self, day: date) -> tuple[Decimal, Decimal]:
        """Return the rates of VAT (subscription, energy) of a day."""
        return self._vat("vat_subscription", day), self._vat("vat_energy", day)

    def periods(self, option: str, kva: Decimal, start: date, end: date) -> list[Period]:
        """Return the rates of [start, end); raise UnknownTariffError."""
        tables = (self._energy, self._subscription, self._taxes, self._turpe)
        starts = {row.figure.valid_from for table in tables for row in table.rows}
        ends = {row.figure.valid_to + _DAY for table in tables for row in table.rows if row.figure.valid_to}
        return [Period(one, two, self.rate(option, kva, one)) for one, two in cut_days(start, end, starts | ends)]

    def printed(self, option: str, part: str, kva: Decimal, day: date) -> Decimal | None:
        """Compute a printed price from its parts: EUR/month for "subscription", else EUR/kWh; None if unknown.

        subscription = (yearly price + CTA rate x fixed TURPE) x (1 + VAT) / 12, to the cent;
        kWh = (price + accise) x (1 + VAT), to the hundredth of a cent.
        """
        power = f"{kva.normalize():f}"
        rows = [row for row in self._before_tax.rows if row.keys["option"] == option and row.keys["part"] == part]
        before = next((row.figure for row in rows if row.keys["kva"] in ("", power) and row.figure.covers(day)), None)
        if before is None:
            return None
        if part == "subscription":
            cta, turpe = self.tax("cta", day), self.turpe_fixed(kva, day)
            if cta is None or turpe is None:
                return None
            month = (before.value + cta.value * turpe) * (1 + self._vat("vat_subscription", day)) / 12
            return month.quantize(Decimal("0.01"), ROUND_HALF_UP)
        accise = self.tax("accise", day)
        if accise is None:
            return None
        return ((before.value + accise.value) * (1 + self._vat("vat_energy", day))).quantize(
            Decimal("0.0001"), ROUND_HALF_UP
        )


@dataclass(frozen=True, slots=True)
class HeldGrid:
    """One grid applied to any days, to compare options on the same history."""

    trv: Trv
    day: date

    def periods(self, option: str, kva: Decimal, start: date, end: date) -> list[Period]:
        """Return one period at the prices of the held day."""
        return [Period(start, end, self.trv.rate(option, kva, self.day))]


def cut_days(start: date, end: date, at: Iterable[date]) -> Sequence[tuple[date, date]]:
    """Return [start, end) cut at the days of `at` that lie inside it."""
    edges = [start, *sorted(day for day in at if start < day < end), end]
    return list(pairwise(edges))


def _unknown_day(day: date, first: date) -> UnknownTariffError:
    return UnknownTariffError(
        Text(f"Aucun prix n’est connu pour le {day:%d/%m/%Y}.", f"No price is known for {day}."),
        Text(
            f"Les grilles commencent au {first:%d/%m/%Y} ; pour une autre offre, donnez « prices_file ».",
            f"Grids begin on {first}; for another offer, give “prices_file”.",
        ),
    )


def _unknown_price(option: str, power: str, day: date, powers: list[int]) -> UnknownTariffError:
    name, sold = OPTION_NAMES[option], ", ".join(str(one) for one in powers)
    return UnknownTariffError(
        Text(
            f"Le prix de l’option {name.fr} à {power} kVA n’est pas connu pour le {day:%d/%m/%Y}.",
            f"The price of the {name.en} option at {power} kVA is not known for {day}.",
        ),
        Text(
            f"Puissances connues pour cette option : {sold} kVA. Sinon, donnez vos prix dans « prices_file ».",
            f"Powers known for this option: {sold} kVA. Otherwise give your prices in “prices_file”.",
        ),
    )


@lru_cache(maxsize=1)
def trv() -> Trv:
    """Return the regulated tariff of the box."""
    return Trv()
