"""The bill against the pencil: lines, cents, changes of price, and what is said beside them."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import bill_text
from analytics.bill import share_cents
from analytics.bill_registers import Hours
from analytics.bill_usage import months_between
from analytics.billing import Metering
from analytics.curves import MJ_PER_WH, Curve, CurveError, Slot, read_curve
from analytics.tariff import UnknownTariffError, trv
from tests.analytics.bill import made

SIX = Decimal(6)
NIGHT = Hours(("22:00-06:00",))


def metering(start, end, watts=None, **more):
    rows = made.half_hours(start, end)
    slots = [Slot(at - 1800, at, (watts or value) * 1800 * 1000) for at, value in rows]
    return Metering(Curve(slots), NIGHT, made.colours(start, end, **more))


def test_a_month_of_base_by_hand():
    # 1 kW for 30 days = 720 kWh; 720 x 0.1952 = 140.544, and one month at 15.47
    home = metering(date(2025, 9, 1), date(2025, 10, 1), 1000)

    bill = home.bill("base", SIX, trv(), date(2025, 9, 1), date(2025, 10, 1))

    assert (bill.energy_ttc, bill.subscription_ttc, bill.total_ttc) == (
        Decimal("140.54"),
        Decimal("15.47"),
        Decimal("156.01"),
    )
    energy = bill.lines[0]
    assert (energy.amount_ht, energy.vat) == (Decimal("117.12"), Decimal("23.42"))
    assert bill.kwh == {"base": Decimal(720)}


def test_the_subscription_s_vat_was_reduced_until_july_2025():
    home = metering(date(2025, 7, 1), date(2025, 8, 1), 1000)

    line = home.bill("base", SIX, trv(), date(2025, 7, 1), date(2025, 8, 1)).lines[-1]

    assert (line.amount_ttc, line.amount_ht, line.vat) == (Decimal("13.72"), Decimal("13.00"), Decimal("0.72"))


def test_a_change_of_grid_inside_the_period_uses_both():
    start, end = date(2026, 1, 25), date(2026, 2, 8)
    home = metering(start, end, 1000)

    bill = home.bill("hphc", SIX, trv(), start, end)

    by_hand = 7 * (16 * Decimal("0.2081") + 8 * Decimal("0.1635")) + 7 * (
        16 * Decimal("0.2065") + 8 * Decimal("0.1579")
    )
    assert bill.energy_ttc == by_hand.quantize(Decimal("0.01"))
    assert {line.figure.valid_from for line in bill.lines} == {date(2025, 8, 1), date(2026, 2, 1)}
    # 7 of January's 31 days and 7 of February's 28
    fixed = Decimal(7) / 31 * Decimal("15.74") + Decimal(7) / 28 * Decimal("15.65")
    assert bill.subscription_ttc == fixed.quantize(Decimal("0.01"))


def test_a_tempo_day_by_hand():
    """A red day of 1 kW: until 06:00 the blue night of the day before, then 16 red hours, then two of red night."""
    day = date(2025, 1, 8)
    home = metering(day, day + timedelta(days=1), 1000, red=(day,))

    bill = home.bill("tempo", SIX, trv(), day, day + timedelta(days=1))

    assert {name: kwh for name, kwh in bill.kwh.items() if kwh} == {"blue_hc": 6, "red_hp": 16, "red_hc": 2}
    by_hand = 6 * Decimal("0.1296") + 16 * Decimal("0.7562") + 2 * Decimal("0.1568")
    assert bill.energy_ttc == by_hand.quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    ("month", "price"), [((2025, 1), "13.03"), ((2025, 2), "13.97"), ((2025, 7), "13.97"), ((2025, 8), "15.50")]
)
def test_a_calendar_month_of_subscription_is_the_printed_one(month, price):
    start = date(*month, 1)
    end = date(month[0], month[1] + 1, 1)

    bill = metering(start, end).bill("tempo", SIX, trv(), start, end)

    assert bill.subscription_ttc == Decimal(price)


def test_months_are_twelfths_and_parts_of_their_own_days():
    assert months_between(date(2025, 9, 1), date(2026, 9, 1)) == 12
    assert months_between(date(2026, 2, 1), date(2026, 2, 15)) == Decimal("0.5")
    assert months_between(date(2025, 12, 15), date(2026, 1, 15)) == pytest.approx(Decimal(17) / 31 + Decimal(14) / 31)


@settings(deadline=None)
@given(st.lists(st.decimals(0, 500, places=6), min_size=1, max_size=9))
def test_lines_add_up_to_their_total_to_the_cent(exact):
    shared = share_cents(exact)

    assert sum(shared) == sum(exact).quantize(Decimal("0.01"), "ROUND_HALF_UP")
    assert all(abs(one - two) < Decimal("0.011") for one, two in zip(shared, exact, strict=True))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 59),
    st.sampled_from(["base", "hphc", "tempo"]),
    st.sampled_from([date(2025, 12, 20), date(2025, 3, 5)]),
)
def test_a_bill_in_two_parts_is_the_whole_within_three_cents(cut, option, start):
    end, middle = start + timedelta(days=60), start + timedelta(days=cut)
    home = metering(start, end, red=(start + timedelta(days=18),))

    whole, *parts = (
        home.bill(option, SIX, trv(), one, two) for one, two in ((start, end), (start, middle), (middle, end))
    )

    assert abs(sum(part.total_ttc for part in parts) - whole.total_ttc) <= Decimal("0.03")
    assert sum(sum(part.kwh.values()) for part in parts) == sum(whole.kwh.values())
    for bill in (whole, *parts):
        assert sum(line.amount_ttc for line in bill.lines) == bill.total_ttc
        assert all(line.amount_ht + line.vat == line.amount_ttc for line in bill.lines)


def test_a_hole_is_told_with_its_share_and_not_filled():
    start, end = date(2025, 9, 1), date(2025, 9, 11)
    home = metering(start, end, 1000)
    kept = [
        slot for slot in home.curve.slots if not home.curve.slots[48].start <= slot.start < home.curve.slots[60].start
    ]

    bill = Metering(Curve(kept), NIGHT).bill("base", SIX, trv(), start, end)

    assert bill.kwh["base"] == 234
    assert "Il manque 6,0 h de mesures (2,5 % de la période, en 1 trou)" in bill.notes[0].fr


def test_no_reading_at_all_is_refused():
    home = metering(date(2025, 9, 1), date(2025, 9, 3))

    with pytest.raises(CurveError, match="no reading from 2025-11-01"):
        home.bill("base", SIX, trv(), date(2025, 11, 1), date(2025, 11, 3))


def test_a_day_without_a_grid_is_refused():
    home = metering(date(2021, 9, 1), date(2021, 9, 3))

    with pytest.raises(UnknownTariffError, match="No price is known for 2021-09-01"):
        home.bill("base", SIX, trv(), date(2021, 9, 1), date(2021, 9, 3))


def test_an_old_price_and_a_second_hand_one_are_shown_as_such():
    home = metering(date(2027, 2, 10), date(2027, 2, 12))

    notes = [note.fr for note in home.bill("base", SIX, trv(), date(2027, 2, 10), date(2027, 2, 12)).notes]

    assert any("valables jusqu’au 31/01/2027" in note for note in notes)
    assert any("À vérifier" in note and "1er août 2026" in note for note in notes)


def test_power_above_the_subscription_is_told():
    home = metering(date(2025, 9, 1), date(2025, 9, 3), 7200)

    notes = home.bill("base", SIX, trv(), date(2025, 9, 1), date(2025, 9, 3)).notes

    assert "7,2 kW" in notes[0].fr
    assert not any(
        "atteint" in note.fr for note in home.bill("base", Decimal(9), trv(), date(2025, 9, 1), date(2025, 9, 3)).notes
    )


def test_a_home_that_sends_its_surplus_pays_the_surcharge():
    home = metering(date(2025, 9, 1), date(2025, 10, 1), 1000)

    bill = home.bill("base", SIX, trv(), date(2025, 9, 1), date(2025, 10, 1), injects=True)

    assert bill.lines[-1].amount_ttc == Decimal("0.96")  # 9.60 x 1.2 / 12
    assert bill.subscription_ttc == Decimal("16.43")


def test_the_meter_s_own_registers_need_no_clock():
    data = Path(__file__).parents[2] / "data/curves/index.csv"
    home = Metering(read_curve(data.read_bytes()))

    bill = home.bill("hphc", Decimal(9), trv(), date(2026, 1, 10), date(2026, 1, 12))

    assert bill.kwh == {"hp": 12, "hc": 7}
    assert home.bill("base", Decimal(9), trv(), date(2026, 1, 10), date(2026, 1, 12)).kwh == {"base": 19}


def test_the_document_has_the_shape_of_the_contract():
    home = metering(date(2025, 9, 1), date(2025, 10, 1), 1000)

    document = bill_text.as_json(home.bill("hphc", SIX, trv(), date(2025, 9, 1), date(2025, 10, 1)), "en")

    assert list(document) == [
        "from", "to", "option", "kva", "kwh", "lines", "energy_ttc", "subscription_ttc", "total_ttc", "notes",
    ]  # fmt: skip
    assert document["from"] == "2025-09-01"
    assert document["kwh"] == {"hp": 480.0, "hc": 240.0}
    assert list(document["lines"][0]) == [
        "label", "quantity", "unit", "unit_price", "amount_ht", "vat", "amount_ttc", "valid_from", "source",
    ]  # fmt: skip
    assert document["lines"][0]["unit_price"] == "0.2081"
    assert document["total_ttc"] == "154.87"
    assert sum(slot.mj for slot in home.curve.slots) == 720_000 * MJ_PER_WH
