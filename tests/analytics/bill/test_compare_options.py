"""Every option on one history, on two grids; an advice only where both agree."""

from datetime import date
from decimal import Decimal

import pytest

from analytics.bill_registers import Hours
from analytics.billing import Metering
from analytics.compare import compare, default_period
from analytics.curves import Curve, Slot
from gateway.errors import FoyerError
from tests.analytics.bill import made

NINE = Decimal(9)
START, END = made.YEAR
REDS = tuple(date(2026, 1, day) for day in (5, 6, 7, 8, 9, 12, 13, 14, 15, 16))


def home(watts_by_day=lambda hour: 800, colours=None):
    rows = made.half_hours(START, END)
    slots = [Slot(at - 1800, at, watts_by_day(made.local(at - 1800).hour) * 1_800_000) for at, _ in rows]
    return Metering(
        Curve(slots), Hours(("22:00-06:00",)), made.colours(START, END, red=REDS) if colours is None else colours
    )


def totals(ranking):
    return {bill.option: bill.total_ttc for bill in ranking.bills}


def test_each_option_costs_what_the_pencil_says_on_each_grid():
    found = compare(home(), NINE, START, END, date(2026, 11, 24))

    kwh = Decimal(365 * 24 * 800) / 1000
    third = kwh / 3
    by_hand = {
        "base": kwh * Decimal("0.1985") + 12 * Decimal("19.88"),
        "hphc": 2 * third * Decimal("0.2142") + third * Decimal("0.1589") + 12 * Decimal("19.88"),
    }
    assert found.current.grid == date(2026, 8, 1)
    assert found.previous.grid == date(2026, 2, 1)
    assert {name: totals(found.current)[name] for name in by_hand} == {
        name: value.quantize(Decimal("0.01")) for name, value in by_hand.items()
    }
    assert [bill.total_ttc for bill in found.current.bills] == sorted(totals(found.current).values())


def test_the_advice_is_the_least_of_both_gains():
    night = home(lambda hour: 3000 if hour < 6 else 100, colours={})

    found = compare(night, NINE, START, END, date(2026, 11, 24), "base")

    gains = [totals(one)["base"] - totals(one)["hphc"] for one in (found.current, found.previous)]
    assert min(gains) > 100
    assert f"{min(gains):.2f} € less than Base" in found.advice.en
    assert "2026-08-01" in found.advice.en


def test_no_advice_when_the_grids_disagree():
    """A home that heats with electricity: Tempo wins on the grid of August 2025, loses on that of February 2026."""
    rows = made.half_hours(START, END)
    slots = [Slot(at - 1800, at, (2200 if made.local(at - 1800).date() in REDS else 400) * 1_800_000) for at, _ in rows]
    heated = Metering(Curve(slots), Hours(("22:00-06:00",)), made.colours(START, END, red=REDS))

    found = compare(heated, NINE, START, END, date(2026, 2, 15))

    assert found.previous.bills[0].option == "tempo"
    assert found.current.bills[0].option != "tempo"
    assert found.advice is None
    assert any("Pas de conseil" in note.fr for note in found.notes)


def test_tempo_is_left_out_with_a_note_when_colours_are_missing():
    found = compare(home(colours={}), NINE, START, END, date(2026, 11, 24))

    assert set(totals(found.current)) == {"base", "hphc"}
    assert any("Tempo est laissé de côté" in note.fr for note in found.notes)


def test_a_power_no_grid_has_is_refused():
    with pytest.raises(FoyerError, match="7 kVA"):
        compare(home(), Decimal(7), START, END, date(2026, 11, 24))


def test_a_year_is_taken_by_default():
    assert default_period(date(2023, 1, 5), date(2026, 9, 2)) == (date(2025, 9, 2), date(2026, 9, 2))
    assert default_period(date(2026, 8, 1), date(2026, 9, 2)) == (date(2026, 8, 1), date(2026, 9, 2))
    assert default_period(date(2020, 1, 1), date(2024, 2, 29)) == (date(2023, 3, 1), date(2024, 2, 29))
