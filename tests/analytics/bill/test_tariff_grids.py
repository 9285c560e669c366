"""The regulated grids are data with dates, and the published formulas give the printed prices back."""

import csv
import tomllib
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from analytics.tariff import FOLDER, REGISTERS, UnknownTariffError, trv

FILES = sorted(FOLDER.glob("*.csv"))
SOURCES = tomllib.loads((FOLDER / "sources.toml").read_text(encoding="utf-8"))


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_figure_has_its_unit_dates_source_and_day_of_reading(path):
    for row in rows_of(path):
        assert row["unit"]
        assert row["source"] in SOURCES
        Decimal(row["value"])
        start, seen = date.fromisoformat(row["valid_from"]), date.fromisoformat(row["seen_on"])
        assert seen >= date(2026, 1, 1)
        assert not row["valid_to"] or date.fromisoformat(row["valid_to"]) > start


@pytest.mark.parametrize("name", ["trv_energy", "trv_subscription", "taxes", "turpe"])
def test_no_two_figures_hold_on_the_same_day(name):
    spans = {}
    for row in rows_of(FOLDER / f"{name}.csv"):
        key = tuple(
            row.get(column, "") for column in ("name", "option", "register", "kva", "kva_from", "formula", "part")
        )
        end = date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max
        spans.setdefault(key, []).append((date.fromisoformat(row["valid_from"]), end))
    for found in spans.values():
        ordered = sorted(found)
        assert all(one[1] < two[0] for one, two in pairwise(ordered))


@pytest.mark.parametrize("option", ["base", "hphc", "tempo"])
def test_every_day_since_2022_has_prices_at_9_kva(option):
    periods = trv().periods(option, Decimal(9), date(2022, 2, 1), date(2027, 2, 1))

    assert periods[0].start == date(2022, 2, 1)
    assert all(one.end == two.start for one, two in pairwise(periods))
    assert all(set(period.rate.energy) == set(REGISTERS[option]) for period in periods)
    assert not any(figure.is_stale(period.start) for period in periods for figure in period.rate.figures)


def tempo(cents):
    return dict(zip(REGISTERS["tempo"], cents.split(), strict=True))


PRINTED = [
    # option, kVA, day, EUR a month, cents a kWh of each register: as printed
    ("base", 3, (2026, 2, 1), "12.03", {"base": "19.40"}),
    ("base", 6, (2026, 2, 1), "15.65", {"base": "19.40"}),
    ("base", 9, (2026, 2, 1), "19.56", {"base": "19.27"}),
    ("base", 36, (2026, 7, 31), "52.54", {"base": "19.27"}),
    ("hphc", 6, (2026, 2, 1), "15.65", {"hp": "20.65", "hc": "15.79"}),
    ("tempo", 6, (2026, 2, 1), "15.59", tempo("13.25 16.12 14.99 18.71 15.75 70.60")),
    ("ejp", 9, (2026, 2, 1), "19.20", {"ejp_hn": "17.81", "ejp_pm": "34.40"}),
    ("base", 24, (2025, 8, 1), "38.79", {"base": "19.52"}),
    ("hphc", 18, (2025, 8, 1), "31.34", {"hp": "20.81", "hc": "16.35"}),
    ("tempo", 15, (2026, 1, 31), "27.01", tempo("12.32 14.94 13.91 17.30 14.60 64.68")),
    ("tempo", 6, (2025, 2, 1), "13.97", tempo("12.88 15.52 14.47 17.92 15.18 65.86")),
    ("tempo", 6, (2025, 1, 31), "13.03", tempo("12.96 16.09 14.86 18.94 15.68 75.62")),
    ("base", 6, (2024, 2, 1), "12.60", {"base": "25.16"}),
    ("base", 6, (2026, 8, 1), "15.86", {"base": "20.01"}),
    ("hphc", 12, (2026, 11, 24), "23.76", {"hp": "21.42", "hc": "15.89"}),
    ("tempo", 9, (2026, 8, 1), "19.70", tempo("13.56 16.54 15.36 19.21 16.15 72.95")),
]


@pytest.mark.parametrize(("option", "kva", "day", "month", "cents"), PRINTED)
def test_the_grids_are_the_printed_ones(option, kva, day, month, cents):
    rate = trv().rate(option, Decimal(kva), date(*day))

    assert rate.subscription.value == Decimal(month)
    assert {name: figure.value * 100 for name, figure in rate.energy.items()} == {
        name: Decimal(value) for name, value in cents.items()
    }


def test_the_formulas_give_every_printed_price_whose_parts_are_known():
    """Subscription = (HT + CTA x fixed TURPE CU4) x (1 + VAT) / 12; kWh = (HT + accise) x (1 + VAT)."""
    tariffs, checked = trv(), 0
    for row in rows_of(FOLDER / "trv_before_tax.csv"):
        kva = Decimal(row["kva"] or 6)
        start, end = date.fromisoformat(row["valid_from"]), date.fromisoformat(row["valid_to"])
        for day in (start, start + timedelta(days=100), end):
            computed = tariffs.printed(row["option"], row["part"], kva, day)
            if computed is None:  # the network tariff is known from 1 August 2023 on
                assert row["part"] == "subscription"
                assert day < date(2023, 8, 1)
                continue
            rate = tariffs.rate(row["option"], kva, day)
            shown = rate.subscription if row["part"] == "subscription" else rate.energy[row["part"]]
            assert computed == shown.value, (row, day)
            checked += 1
    assert checked > 180


def test_the_step_of_november_2024_is_the_network_tariff_s():
    before, after = (trv().rate("tempo", Decimal(6), day) for day in (date(2024, 10, 31), date(2024, 11, 1)))

    assert (before.subscription.value, after.subscription.value) == (Decimal("12.96"), Decimal("13.03"))
    assert after.subscription.kind == "computed"
    assert before.energy == after.energy


@pytest.mark.parametrize(
    ("option", "kva", "day"),
    [("base", 6, (2022, 1, 31)), ("base", 6, (2030, 1, 1)), ("base", 7, (2026, 2, 1)), ("tempo", 24, (2026, 2, 1))],
)
def test_an_unknown_price_is_a_sentence(option, kva, day):
    with pytest.raises(UnknownTariffError) as refused:
        trv().rate(option, Decimal(kva), date(*day))

    assert "connu" in refused.value.what.fr
    assert refused.value.mend is not None


def test_a_price_past_its_end_is_shown_for_one_term_as_such():
    rate = trv().rate("base", Decimal(6), date(2027, 3, 1))

    assert rate.subscription.is_stale(date(2027, 3, 1))
    assert rate.subscription.valid_from == date(2026, 8, 1)


def test_the_price_of_the_surplus_follows_the_date_of_the_contract():
    prices = [
        trv().support("surplus", Decimal(3), day) for day in (date(2025, 1, 1), date(2025, 4, 1), date(2026, 7, 1))
    ]

    assert [price.value for price in prices] == [Decimal("0.1269"), Decimal("0.0400"), Decimal("0.0110")]
    assert trv().support("surplus", Decimal(3), date(2025, 3, 1)) is None
    assert trv().support("prime", Decimal(3), date(2024, 12, 1)).value == 220
