"""The family: what it uses in a year, in an evening, on holiday, and on the days the clock changes."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.habits import APPLIANCES
from drivers.sim.household import Household
from drivers.sim.tariff import Tariff, instant, local_date
from drivers.sim.weather import Weather

PARIS = ZoneInfo("Europe/Paris")
LYON = (45.764, 4.835)
NIGHT = ("22:00-06:00",)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def family(seed=1, off_peak=NIGHT, option="hphc"):
    return Household(seed, Weather(seed, *LYON), Tariff(option, off_peak, PARIS))


def year(household, first=date(2026, 1, 1), days=365):
    for n in range(days):
        yield first + timedelta(days=n), household.plan(first + timedelta(days=n))


def kwh(uses):
    return sum(use.watts * (use.end - use.start) for use in uses) / 3.6e6


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_a_year_costs_what_a_family_of_four_uses(seed):
    home = family(seed)
    whole = 0.0
    by_name = Counter()
    for number in range(20_454, 20_819):
        whole += sum(home.steps(number).standby_w[:-1]) / 60_000
    for _, uses in year(home):
        for use in uses:
            by_name[use.name] += use.watts * (use.end - use.start) / 3.6e6
    whole += by_name.total()

    assert 3500 < whole < 6500
    assert set(by_name) == set(APPLIANCES) - {"standby", "workshop"}
    assert 250 < by_name["fridge"] < 350
    assert 180 < by_name["freezer"] < 300
    assert 1800 < by_name["water_heater"] < 3000


def test_winter_costs_more_than_summer():
    home = family(3)
    months = Counter()
    for day, uses in year(home):
        months[day.month] += kwh(uses)

    assert months[1] + months[12] > 1.25 * (months[6] + months[7])


@pytest.mark.parametrize("off_peak", [NIGHT, ("23:30-07:30",), ("01:00-06:00", "13:00-16:00"), ("02:30-07:00",)])
def test_the_water_heater_runs_in_off_peak_hours_only(off_peak):
    home = family(5, off_peak)
    for day, uses in year(home, days=366):
        windows = home.tariff.windows(day)
        runs = [use for use in uses if use.name == "water_heater"]
        assert all(any(w.start <= use.start and use.end <= w.end for w in windows) for use in runs), day
        assert all(use.watts == 2200 and use.var == 0 for use in runs)


def test_a_home_without_off_peak_hours_still_has_warm_water():
    home = family(5, (), "base")
    runs = [use for _, uses in year(home, days=30) for use in uses if use.name == "water_heater"]

    assert len(runs) > 20
    assert home.tariff.period(1) == "base"
    assert home.tariff.indexes == 1
    assert {index for *_, index in home.tariff.timeline(1_780_000_000, 1_780_100_000)} == {1}


def test_the_family_is_away_three_weeks_a_year_from_saturday_on():
    home = family(6)
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    away = [day for day in days if home.away(day)]
    leaving = [b for a, b in pairwise(days) if home.away(b) and not home.away(a)]

    assert len(away) == 21
    assert {day.strftime("%a") for day in leaving} == {"Sat"}
    assert {use.name for day in away for use in home.plan(day)} == {"fridge", "freezer"}


def test_the_tank_is_heated_long_after_a_holiday():
    home = family(6)
    back = next(d for d, _ in year(home) if home.away(d - timedelta(days=1)) and not home.away(d))
    heated = sum(use.end - use.start for use in home.plan(back) if use.name == "water_heater")

    assert heated * 2200 / 3600 == pytest.approx(10_400, rel=0.01)


def test_a_weekday_evening_has_dinner_light_and_television():
    home = family(8)
    evenings = Counter()
    for day, uses in year(home, date(2026, 11, 2), 28):
        begins, ends = instant(day, 18.5, PARIS), instant(day, 22.0, PARIS)
        evenings.update({use.name for use in uses if use.start < ends and use.end > begins})

    assert evenings["television"] == 28
    assert evenings["lighting"] == 28
    assert evenings["hob"] > 18


def test_steps_are_the_sum_of_the_uses_at_every_change():
    home = family(9)
    for number in (20_500, 20_541, 20_751):
        steps = home.steps(number)
        assert steps.starts == sorted(set(steps.starts))
        assert steps.starts[0] == home.weather.start_of(number)
        for second, watts, var in zip(steps.starts, steps.watts, steps.var, strict=True):
            running = [use for use in steps.uses if use.start <= second < use.end]
            assert watts == sum(use.watts for use in running)
            assert var == sum(use.var for use in running)
            assert set(running) == set(steps.running(second))


def test_what_begins_before_midnight_goes_on_after_it():
    home = family(9)
    found = 0
    for number in range(20_600, 20_660):
        end = home.weather.start_of(number + 1)
        over = {use for use in home.steps(number).uses if use.start < end < use.end}
        assert over <= set(home.steps(number + 1).uses)
        found += len(over)

    assert found > 2


def test_a_plan_does_not_depend_on_what_was_asked_before():
    alone = family(10).plan(date(2026, 5, 5))
    list(year(family(10), days=40))

    assert family(10).plan(date(2026, 5, 5)) == alone
    assert family(11).plan(date(2026, 5, 5)) != alone


def test_the_off_peak_night_is_an_hour_shorter_in_spring_and_longer_in_autumn():
    tariff = Tariff("hphc", NIGHT, PARIS)
    hours = [
        (window.end - window.start) / 3600
        for day in (SPRING, AUTUMN, date(2026, 6, 1))
        for window in tariff.windows(day - timedelta(days=1))
    ]

    assert hours == [7, 9, 8]


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 6, 1), 24)])
def test_habits_keep_to_the_clock_on_the_wall_when_it_changes(day, hours):
    home = family(12)
    midnight, next_midnight = instant(day, 0, PARIS), instant(day, 24, PARIS)
    breakfast = min(use.start for use in home.plan(day) if use.name == "kettle")
    local = datetime.fromtimestamp(breakfast, UTC).astimezone(PARIS)
    fridge = [use for use in home.plan(day) if use.name == "fridge"]

    assert next_midnight - midnight == hours * 3600
    assert 6 <= local.hour < 10
    assert midnight <= fridge[0].start < midnight + 2400
    assert next_midnight - 4800 < fridge[-1].start < next_midnight


@pytest.mark.parametrize("name", ["fridge", "freezer"])
def test_a_compressor_never_runs_twice_at_once(name):
    home = family(13)
    runs = [use for _, uses in year(home, days=365) for use in uses if use.name == name]

    assert all(a.end <= b.start for a, b in pairwise(runs))


@given(st.dates(date(2000, 1, 1), date(2037, 12, 31)), st.integers(0, 47))
def test_the_local_date_of_an_hour_of_the_wall_is_that_day(day, half_hours):
    assert local_date(instant(day, half_hours / 2, PARIS), PARIS) == day


@pytest.mark.parametrize(
    ("option", "off_peak"), [("zen", NIGHT), ("hphc", ()), ("hphc", ("22-6",)), ("base", ("soir",))]
)
def test_contracts_that_are_not_simulated_are_refused(option, off_peak):
    with pytest.raises(ValueError):
        Tariff(option, off_peak, PARIS)
