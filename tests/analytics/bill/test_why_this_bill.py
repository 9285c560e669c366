"""“Why this bill?”: causes that sum to the difference, to the cent."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.bill_registers import Hours
from analytics.billing import Metering
from analytics.curves import Curve, Slot
from analytics.tariff import trv
from analytics.why_bill import Weather, why
from tests.analytics.bill import made

SIX = Decimal(6)


def bill(start, end, watts=lambda hour: 1000, option="hphc"):
    slots = [
        Slot(at - 1800, at, watts(made.local(at - 1800).hour) * 1_800_000) for at, _ in made.half_hours(start, end)
    ]
    home = Metering(Curve(slots), Hours(("22:00-06:00",)), made.colours(start, end))
    return home.bill(option, SIX, trv(), start, end)


def by_key(causes):
    return {cause.key: cause.amount for cause in causes}


def test_only_the_price_changed():
    difference, causes = why(bill(date(2025, 9, 1), date(2025, 10, 1)), bill(date(2026, 9, 1), date(2026, 10, 1)))

    found = by_key(causes)
    # 480 kWh x (0.2142 - 0.2081) + 240 x (0.1589 - 0.1635), and 15.86 - 15.74 of subscription
    assert found["price"] == Decimal("1.82")
    assert found["subscription"] == Decimal("0.12")
    assert found["days"] == found["volume"] == 0
    assert difference == Decimal("1.94")


def test_more_days_are_not_more_use():
    _, causes = why(bill(date(2025, 9, 1), date(2025, 10, 1)), bill(date(2025, 10, 1), date(2025, 11, 1)))

    found = by_key(causes)
    assert found["days"] > 4
    assert abs(found["volume"]) < Decimal("0.30")  # October has an hour more than its days
    assert next(cause for cause in causes if cause.key == "days").sentence.fr.startswith("1 jour de plus : ")


def test_the_same_energy_in_dearer_hours_is_the_mix():
    night = bill(date(2025, 9, 1), date(2025, 10, 1), lambda hour: 2000 if hour < 6 else 500)
    day = bill(date(2025, 9, 1), date(2025, 10, 1), lambda hour: 2000 if 8 <= hour < 14 else 500)

    difference, causes = why(night, day)

    found = by_key(causes)
    assert found["volume"] == found["price"] == 0
    assert found["mix"] == difference > 5


def test_weather_and_an_estimated_index_take_their_part_of_the_volume():
    before, after = bill(date(2025, 9, 1), date(2025, 10, 1)), bill(date(2025, 9, 1), date(2025, 10, 1), lambda _: 1200)

    plain = by_key(why(before, after)[1])
    weather = Weather(Decimal(100), Decimal(120), Decimal(5))
    difference, causes = why(before, after, weather=weather, estimated_kwh=Decimal(20))

    found = by_key(causes)
    assert found["weather"] + found["estimated"] + found["volume"] == plain["volume"]
    assert found["weather"] == Decimal("19.32")  # 100 kWh at the mean price of the first bill
    assert sum(found.values()) == difference


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["base", "hphc", "tempo"]),
    st.sampled_from(["base", "hphc", "tempo"]),
    st.integers(1, 70),
    st.integers(1, 70),
    st.integers(0, 3000),
    st.integers(1, 3000),
)
def test_the_causes_always_sum_to_the_difference(one, two, first, second, low, high):
    before = bill(
        date(2025, 1, 10), date(2025, 1, 10) + timedelta(days=first), lambda hour: low if hour < 8 else high, one
    )
    after = bill(
        date(2026, 1, 10), date(2026, 1, 10) + timedelta(days=second), lambda hour: high if hour < 9 else low, two
    )

    difference, causes = why(before, after, weather=Weather(Decimal(9), Decimal(3), Decimal("1.7")))

    assert difference == after.total_ttc - before.total_ttc
    assert sum(cause.amount for cause in causes) == difference
    assert all(cause.sentence.fr and cause.sentence.en for cause in causes)
