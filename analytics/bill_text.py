"""How bills and comparisons are shown: the JSON of the commands, and tables for people. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from analytics.bill import Bill, Line
from analytics.bill_notes import decimal
from analytics.compare import Comparison, Ranking
from analytics.tariff import OPTION_NAMES
from gateway.errors import Text

_THOUSANDTH = Decimal("0.001")
_LABEL, _MONEY = 38, 12


def plain_number(value: Decimal) -> int | float:
    """Return a number for JSON, whole where it is."""
    return int(value) if value == value.to_integral_value() else float(value)


def as_json(bill: Bill, language: str) -> dict[str, Any]:
    """Return the document of `foyer bill --json`: money as text with two decimals, energy as kWh to the Wh."""
    return {
        "from": bill.start.isoformat(),
        "to": bill.end.isoformat(),
        "option": bill.option,
        "kva": plain_number(bill.kva),
        "kwh": {name: float(kwh.quantize(_THOUSANDTH, ROUND_HALF_UP)) for name, kwh in bill.kwh.items()},
        "lines": [_line(line, language) for line in bill.lines],
        "energy_ttc": f"{bill.energy_ttc:.2f}",
        "subscription_ttc": f"{bill.subscription_ttc:.2f}",
        "total_ttc": f"{bill.total_ttc:.2f}",
        "notes": [note.pick(language) for note in bill.notes],
    }


def _line(line: Line, language: str) -> dict[str, Any]:
    return {
        "label": line.label.pick(language),
        "quantity": float(line.quantity.quantize(_THOUSANDTH, ROUND_HALF_UP)),
        "unit": line.unit.pick(language),
        "unit_price": _price(line),
        "amount_ht": f"{line.amount_ht:.2f}",
        "vat": f"{line.vat:.2f}",
        "amount_ttc": f"{line.amount_ttc:.2f}",
        "valid_from": line.figure.valid_from.isoformat(),
        "source": line.figure.source.pick(language),
    }


def _price(line: Line) -> str:
    """Return the price as the grid prints it: hundredths of a cent for a kWh, cents for a month."""
    return f"{line.unit_price:.4f}" if line.is_energy else f"{line.unit_price:.2f}"


def _money(value: Decimal, language: str) -> str:
    return f"{decimal(value, language, 2)} €".rjust(_MONEY)


def table(bill: Bill, language: str) -> str:
    """Return a bill as a table for a person."""
    last = bill.end - timedelta(days=1)
    name, power = OPTION_NAMES[bill.option], decimal(bill.kva, language, 0 if bill.kva % 1 == 0 else 1)
    head = Text(
        f"Facture du {bill.start:%d/%m/%Y} au {last:%d/%m/%Y}, option {name.fr}, {power} kVA",
        f"Bill from {bill.start} to {last}, {name.en} option, {power} kVA",
    )
    rows = [head.pick(language), ""]
    dated = len({(line.is_energy, line.figure.valid_from) for line in bill.lines}) > 2  # noqa: PLR2004 - two kinds
    grid: date | None = None
    for line in bill.lines:
        if dated and line.figure.valid_from != grid:
            grid = line.figure.valid_from
            rows.append(Text(f"Prix du {grid:%d/%m/%Y}", f"Prices of {grid}").pick(language))
        quantity = decimal(line.quantity, language, 1 if line.is_energy else 2)
        price = _price(line).replace(".", "," if language == "fr" else ".")
        told = f"{quantity} {line.unit.pick(language)} × {price} €"
        rows.append(f"{line.label.pick(language):<{_LABEL}}{told:>28}{_money(line.amount_ttc, language)}")
    rows.append("")
    for label, amount in (
        (Text("Énergie", "Energy"), bill.energy_ttc),
        (Text("Abonnement", "Subscription"), bill.subscription_ttc),
        (Text("Total, toutes taxes comprises", "Total, all taxes included"), bill.total_ttc),
    ):
        rows.append(f"{label.pick(language):<{_LABEL + 28}}{_money(amount, language)}")
    if bill.notes:
        rows += ["", *(f"- {note.pick(language)}" for note in bill.notes)]
    return "\n".join(rows)


def comparison_table(found: Comparison, language: str) -> str:
    """Return a comparison as tables for a person."""
    last = found.end - timedelta(days=1)
    head = Text(
        f"Votre consommation du {found.start:%d/%m/%Y} au {last:%d/%m/%Y}, à {plain_number(found.kva)} kVA",
        f"Your use from {found.start} to {last}, at {plain_number(found.kva)} kVA",
    )
    rows = [head.pick(language)]
    for ranking in (found.current, found.previous):
        if ranking is not None:
            rows += ["", *_ranking(ranking, language)]
    if found.advice:
        rows += ["", found.advice.pick(language)]
    if found.notes:
        rows += ["", *(f"- {note.pick(language)}" for note in found.notes)]
    return "\n".join(rows)


def _ranking(ranking: Ranking, language: str) -> list[str]:
    rows = [Text(f"Grille du {ranking.grid:%d/%m/%Y}", f"Grid of {ranking.grid}").pick(language)]
    for bill in ranking.bills:
        parts = Text(
            f"dont abonnement {_money(bill.subscription_ttc, 'fr').strip()}",
            f"of which subscription {_money(bill.subscription_ttc, 'en').strip()}",
        ).pick(language)
        name = OPTION_NAMES[bill.option].pick(language)
        rows.append(f"  {name:<20}{_money(bill.total_ttc, language)}   {parts}")
    return rows
