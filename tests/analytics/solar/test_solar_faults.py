from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.performance import Day, Slot, clear_ratio, clear_ratios, performance_ratio
from analytics.roof import Plane
from analytics.solar_faults import all_faults
from analytics.solar_health import judged
from analytics.solar_setup import FEWEST_DAYS, smooth_days
from tests.analytics.solar.roofs import LATITUDE, LONGITUDE, PEAK_W, PLANE, changed, roof, with_inputs


def _codes(days):
    return [finding.code for finding in all_faults(days, PEAK_W)]


def _only(days, code):
    found = all_faults(days, PEAK_W)
    assert [finding.code for finding in found] == [code], found
    assert "%" not in found[0].text.fr.replace(" %", "")
    return found[0].evidence


@pytest.mark.parametrize("start", ["2025-01-10", "2025-04-15", "2025-07-01", "2025-10-05"])
@pytest.mark.parametrize("seed", [1, 7, 42])
def test_a_healthy_roof_under_clouds_gives_no_alarm_over_sixty_days(start, seed):
    days = roof(start, 60, seed)

    assert _codes(days) == []
    assert _codes(with_inputs(days)) == []


def test_clear_days_are_told_from_cloudy_ones():
    ratios = clear_ratios(roof(), PEAK_W)

    assert 10 <= len(ratios) <= 40
    assert all(0.85 < ratio < 1.05 for _, ratio in ratios)


def test_a_day_without_measurements_is_not_graded():
    days = changed(roof(), lambda _n, _slot: None)

    assert clear_ratio(days[0], PEAK_W) is None
    assert _codes(days) == []


def _clear_day_numbers(since):
    return [n for n, _ in clear_ratios(roof(), PEAK_W) if n >= since]


def test_a_row_that_stops_is_found_by_its_own_input_within_three_days_of_light():
    days = with_inputs(roof(), down_from=40)
    third = _clear_day_numbers(40)[2]
    evidence = _only(days[: third + 1], "string-down")

    assert (evidence["string"], evidence["since"]) == (1, days[40].date) or evidence["string"] == 1
    assert evidence["share_before"] == pytest.approx(0.5, abs=0.02)
    assert evidence["share_now"] == 0
    assert _codes(days[: _clear_day_numbers(40)[0] + 1]) == [] or evidence["days"] >= 3


@pytest.mark.parametrize("rows", [2, 3, 4])
def test_a_row_that_stops_is_found_without_inputs_after_three_clear_days(rows):
    days = changed(roof(), lambda _n, slot: slot.measured * (rows - 1) / rows, since=40)
    clear = _clear_day_numbers(40)

    assert _codes(days[: clear[1] + 1]) == []
    evidence = _only(days[: clear[2] + 1], "string-down")
    assert evidence["rows"] == rows
    assert evidence["since"] == days[clear[0]].date


def test_a_row_that_works_again_is_no_alarm():
    days = changed(roof(), lambda n, slot: slot.measured * (0.5 if 25 <= n < 45 else 1), since=25)

    assert "string-down" not in _codes(days)


def test_thirty_cloudy_days_are_no_stopped_row():
    days = changed(roof(), lambda _n, slot: slot.measured * 0.35, since=30)

    assert "string-down" not in _codes(days)


def test_a_dead_inverter_is_found_on_the_second_day():
    days = changed(roof(), lambda _n, _slot: 0.0, since=55)

    assert _codes(days[:56]) == []
    evidence = _only(days[:57], "outage")
    assert evidence["days"] == 2
    assert evidence["last"] == days[56].date


def test_a_silent_inverter_is_unknown_and_no_outage():
    assert _codes(changed(roof(), lambda _n, _slot: None, since=50)) == []


def _bursts(n, slot, *, volts):
    """At noon of every second day the grid is too high three times."""
    cut = n % 2 == 0 and 165 < slot.azimuth < 195 and (slot.at // 300_000) % 6 < 2 and slot.clear > 1200
    return replace(slot, measured=0.0, voltage=volts) if cut else slot


@pytest.mark.parametrize(("volts", "code"), [(254.5, "high-voltage")])
def test_a_grid_that_is_too_high_is_found(volts, code):
    change = partial(_bursts, volts=volts)
    days = [
        replace(day, slots=tuple(change(n, slot) for slot in day.slots)) if n >= 50 else day
        for n, day in enumerate(roof())
    ]
    evidence = _only(days, code)

    assert evidence["max_voltage"] == 254.5
    assert evidence["bursts"] >= 5


def test_the_same_bursts_under_a_fair_grid_are_not_the_grids():
    change = partial(_bursts, volts=240.0)
    days = [replace(day, slots=tuple(change(n, slot) for slot in day.slots)) for n, day in enumerate(roof())]

    assert "high-voltage" not in _codes(days)


def test_dirt_that_settles_slowly_is_found():
    days = changed(roof("2025-05-01", 90), lambda n, slot: slot.measured * (1 - 0.0015 * n))
    evidence = _only(days, "soiling")

    assert evidence["percent_a_day"] == pytest.approx(-0.15, abs=0.05)
    assert evidence["lost_percent"] > 8


def test_dirt_that_rain_washed_away_is_found_too():
    days = changed(roof("2025-05-01", 90), lambda n, slot: slot.measured * (1 - 0.002 * (n if n < 60 else 0)))
    evidence = _only(days, "soiling")

    assert evidence["days"] <= 60


def test_a_sudden_loss_is_not_dirt():
    days = changed(roof("2025-05-01", 90), lambda _n, slot: slot.measured * 0.9, since=45)

    assert "soiling" not in _codes(days)


def test_a_new_shadow_is_found_by_where_the_sun_is():
    days = changed(
        roof("2025-05-01", 80), lambda _n, slot: slot.measured * (0.5 if 225 <= slot.azimuth < 255 else 1), 45
    )
    evidence = _only(days, "new-shading")

    assert (evidence["from_deg"], evidence["to_deg"]) == (225, 255)
    assert evidence["change"] == pytest.approx(0.5, abs=0.1)


def test_an_old_shadow_is_no_news():
    days = changed(roof("2025-05-01", 80), lambda _n, slot: slot.measured * (0.5 if 225 <= slot.azimuth < 255 else 1))

    assert _codes(days) == []


def test_an_inverter_that_is_too_small_is_found_with_what_it_costs():
    days = changed(roof(), lambda _n, slot: min(1900.0, slot.measured))
    evidence = _only(days, "clipping")
    truth = sum(max(0.0, slot.measured - 1900.0) / 12_000 for day in roof() for slot in day.slots)

    assert evidence["limit_w"] == pytest.approx(1900, abs=10)
    assert evidence["lost_kwh"] == pytest.approx(truth, rel=0.35)


def _setup_codes(**truth):
    days = roof("2025-05-01", 90, plane=truth.get("plane", PLANE), late_min=truth.get("late_min", 0))
    assert len(smooth_days(days, PEAK_W)) >= FEWEST_DAYS
    return judged(days, [PLANE], LATITUDE, LONGITUDE)["findings"]


def test_a_roof_as_it_was_set_up_is_not_corrected():
    assert _setup_codes() == []


@pytest.mark.parametrize(("azimuth", "turn"), [(230, 50), (130, -50)])
def test_a_roof_that_looks_elsewhere_is_offered_a_correction(azimuth, turn):
    found = [one for one in _setup_codes(plane=Plane(3.0, 30, azimuth)) if one["code"].startswith("wrong")]

    assert [one["code"] for one in found] == ["wrong-orientation"]
    assert found[0]["evidence"]["azimuth_change"] == pytest.approx(turn, abs=10)


@pytest.mark.parametrize("late", [60, -60])
def test_a_clock_that_is_an_hour_off_is_found(late):
    found = [one for one in _setup_codes(late_min=late) if one["code"].startswith("wrong")]

    assert [one["code"] for one in found] == ["wrong-clock"]
    assert found[0]["evidence"]["minutes"] == pytest.approx(late, abs=10)


def test_every_finding_needs_more_than_a_day():
    for change in (
        lambda _n, _slot: 0.0,
        lambda _n, slot: slot.measured / 2,
        lambda _n, slot: min(1000.0, slot.measured),
    ):
        assert _codes(changed(roof()[:1], change)) == []


_WATTS = st.none() | st.floats(0, 4000)
_SLOTS = st.builds(
    Slot,
    at=st.just(0),
    measured=_WATTS,
    clear=st.floats(0, 3000),
    elevation=st.floats(0, 70),
    azimuth=st.floats(60, 300),
    voltage=st.none() | st.floats(180, 280),
    strings=st.just(()) | st.tuples(_WATTS, _WATTS),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(_SLOTS, max_size=40), max_size=12))
def test_no_days_whatever_break_a_rule(days):
    for finding in all_faults([Day(f"2025-05-{n + 1:02}", tuple(slots)) for n, slots in enumerate(days)], PEAK_W):
        assert finding.text.fr
        assert finding.text.en
        assert finding.evidence


def test_the_performance_ratio_is_energy_over_light():
    assert performance_ratio(12.0, 3.0, 5.0) == pytest.approx(0.8)
    assert performance_ratio(0.0, 3.0, 0.0) is None
