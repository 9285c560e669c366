"""A supplier's own offer: the file that `prices_file` of `[contract]` names.

supplier = "…"
[[prices]]
valid_from = 2026-01-01            # and valid_to = 2026-12-31 where the offer says it
source = "contrat du 3 janvier 2026"
subscription_month_ttc = "15.20"   # quotes: money is exact
[prices.energy_ttc]
hp = "0.2012"
hc = "0.1534"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from analytics.tariff import OPTION_NAMES, REGISTERS, Figure, Period, Rate, UnknownTariffError, cut_days, trv
from gateway.errors import FoyerError, Text

_DAY = timedelta(days=1)
_ROOT = {"supplier", "prices"}
_KEYS = {"valid_from", "valid_to", "source", "subscription_month_ttc", "energy_ttc"}


class OfferError(FoyerError):
    """The price file cannot be used."""


@dataclass(frozen=True, slots=True)
class _Prices:
    valid_from: date
    valid_to: date | None
    subscription: Figure
    energy: dict[str, Figure]


@dataclass(frozen=True, slots=True)
class Offer:
    """The dated prices of one supplier, for the option and the power of the household's own contract."""

    supplier: str
    prices: tuple[_Prices, ...]

    def periods(self, option: str, kva: Decimal, start: date, end: date) -> list[Period]:
        """Return the rates of [start, end); raise UnknownTariffError for a day or a register without a price."""
        del kva  # a contract's own prices are those of its own power
        edges = {one.valid_from for one in self.prices}
        edges |= {one.valid_to + _DAY for one in self.prices if one.valid_to}
        edges |= {period.start for period in trv().periods("base", Decimal(6), start, end)}
        return [Period(one, two, self._rate(option, one)) for one, two in cut_days(start, end, edges)]

    def _rate(self, option: str, day: date) -> Rate:
        known = [one for one in self.prices if one.valid_from <= day]
        if not known:
            first = min(one.valid_from for one in self.prices)
            raise UnknownTariffError(
                Text(
                    f"Votre fichier de prix ne dit rien du {day:%d/%m/%Y}.", f"Your price file says nothing of {day}."
                ),
                Text(
                    f"Il commence au {first:%d/%m/%Y} : ajoutez un [[prices]].",
                    f"It begins on {first}: add a [[prices]].",
                ),
            )
        prices = max(known, key=lambda one: one.valid_from)
        missing = [register for register in REGISTERS[option] if register not in prices.energy]
        if missing:
            names = ", ".join(missing)
            raise UnknownTariffError(
                Text(
                    f"Votre fichier de prix n’a pas le prix de : {names} (option {OPTION_NAMES[option].fr}).",
                    f"Your price file lacks the price of: {names} ({OPTION_NAMES[option].en} option).",
                ),
                Text("Ajoutez-le sous [prices.energy_ttc].", "Add it under [prices.energy_ttc]."),
            )
        vat_subscription, vat_energy = trv().vat(day)
        return Rate(
            prices.subscription,
            {register: prices.energy[register] for register in REGISTERS[option]},
            vat_subscription,
            vat_energy,
        )


def load_offer(path: Path) -> Offer:
    """Return the offer in a price file; raise OfferError with what is wrong and where."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OfferError(
            Text(
                f"Le fichier de prix {path} ne se lit pas : {error}.", f"The price file {path} is unreadable: {error}."
            ),
        ) from None
    tables = raw.get("prices")
    if set(raw) - _ROOT or not isinstance(tables, list) or not tables:
        raise _wrong(path, "[[prices]]", set(raw) - _ROOT)
    prices = tuple(_prices(path, f"prices[{n}]", table) for n, table in enumerate(tables))
    return Offer(str(raw.get("supplier", "")), prices)


def _prices(path: Path, where: str, raw: Any) -> _Prices:
    if not isinstance(raw, dict) or set(raw) - _KEYS or not isinstance(raw.get("energy_ttc"), dict):
        raise _wrong(path, where, set(raw) - _KEYS if isinstance(raw, dict) else set())
    start, end = raw.get("valid_from"), raw.get("valid_to")
    if type(start) is not date or (end is not None and type(end) is not date):
        raise _wrong(path, f"{where}.valid_from")
    told = str(raw.get("source", path.name))
    blank = Figure(Decimal(0), "", start, end, Text(told, told))
    known = {register for registers in REGISTERS.values() for register in registers}
    energy = {}
    for register, value in raw["energy_ttc"].items():
        if register not in known:
            raise _wrong(path, f"{where}.energy_ttc", {register})
        price = _money(path, f"{where}.energy_ttc.{register}", value)
        energy[register] = replace(blank, value=price, unit="EUR/kWh TTC")
    month = _money(path, f"{where}.subscription_month_ttc", raw.get("subscription_month_ttc"))
    return _Prices(start, end, replace(blank, value=month, unit="EUR/month TTC"), energy)


def _money(path: Path, where: str, raw: Any) -> Decimal:
    """Return an amount written between quotes (or a whole number): a TOML float is not what was typed."""
    if isinstance(raw, str | int) and not isinstance(raw, bool):
        try:
            value = Decimal(str(raw).replace(",", "."))
        except InvalidOperation:
            value = Decimal(-1)
        if value.is_finite() and 0 <= value < 10_000:  # noqa: PLR2004 - euros
            return value
    raise _wrong(path, where)


def _wrong(path: Path, where: str, unknown: set[str] | None = None) -> OfferError:
    names = ", ".join(sorted(unknown or ()))
    return OfferError(
        Text(
            f"Le fichier de prix {path} ne va pas à « {where} »{f' : {names} inconnu' if names else ''}.",
            f"The price file {path} is wrong at “{where}”{f': {names} unknown' if names else ''}.",
        ),
        Text(
            'Il faut des [[prices]] avec valid_from, subscription_month_ttc = "15.20" et [prices.energy_ttc].',
            'It takes [[prices]] with valid_from, subscription_month_ttc = "15.20" and [prices.energy_ttc].',
        ),
    )
