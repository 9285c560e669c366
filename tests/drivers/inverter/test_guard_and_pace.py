import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.inverter.guard import EnergyGuard
from drivers.inverter.pace import Light, back_off, light
from gateway.clock import from_datetime

LYON = (45.764, 4.835)


def judge_all(guard, values, period=10.0, rated=3000, start=0.0):
    return [guard.judge(value, start + n * period, rated) for n, value in enumerate(values)]


def test_a_counter_that_rises_as_it_can_is_believed():
    assert judge_all(EnergyGuard(), [1000, 1008, 1008, 1016, 1030]) == [""] * 5


def test_a_leap_is_doubted_and_the_next_good_value_believed():
    assert judge_all(EnergyGuard(), [1000, 900_000, 1008]) == ["", "implausible", ""]


def test_a_step_back_is_believed_after_three_equal_readings():
    assert judge_all(EnergyGuard(), [50_000, 12, 12, 12, 13]) == ["", "implausible", "implausible", "", ""]


def test_values_that_do_not_agree_are_never_believed():
    assert judge_all(EnergyGuard(), [50_000, 12, 9000, 300, 50_005]) == ["", *["implausible"] * 3, ""]


def test_a_coarse_counter_steps_after_a_while():
    guard = EnergyGuard()
    assert guard.judge(1000, 0, 3000) == ""
    assert guard.judge(1000, 1190, 3000) == ""
    assert guard.judge(2000, 1200, 3000) == ""


def test_a_night_leaves_room_for_what_was_made_meanwhile():
    guard = EnergyGuard()
    assert guard.judge(1000, 0, 3000) == ""
    assert guard.judge(6000, 12 * 3600, 3000) == ""


def test_the_first_two_values_after_waking_are_ignored():
    guard = EnergyGuard()
    assert guard.judge(50_000, 0, 3000) == ""
    guard.woke()
    assert judge_all(guard, [7, 7, 50_001], start=100) == ["waking up", "waking up", ""]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_whatever_comes_a_believed_counter_steps_back_only_when_it_insists(values):
    guard = EnergyGuard()
    believed = [value for value, doubt in zip(values, judge_all(guard, values), strict=True) if not doubt]
    assert believed[0] == values[0]
    steps_back = sum(after < before for before, after in itertools.pairwise(believed))
    assert steps_back <= len(values) // 3


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 6, 21, 0, 0, tzinfo=UTC), Light.DARK),
        (datetime(2026, 6, 21, 3, 50, tzinfo=UTC), Light.TWILIGHT),
        (datetime(2026, 6, 21, 12, 0, tzinfo=UTC), Light.DAY),
    ],
)
def test_the_light_follows_the_sun(moment, expected):
    assert light(from_datetime(moment), LYON) is expected
    assert light(from_datetime(moment), None) is Light.UNKNOWN


def test_the_waits_grow_to_a_minute_and_scatter():
    assert [back_off(n, lambda _low, _high: 1.0) for n in range(1, 9)] == [1, 2, 5, 10, 30, 60, 60, 60]
    assert back_off(6, lambda low, _high: low) == pytest.approx(48)
    assert back_off(6, lambda _low, high: high) == pytest.approx(72)
