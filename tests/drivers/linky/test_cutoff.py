"""The breaker's countdown, against the figures of the specification and against the filter run second by second."""

import hypothesis
import pytest
from hypothesis import strategies as st

from drivers.linky.cutoff import Breaker, seconds_left, settle

PCOUP = 6000.0
LIMIT = 1.3 * PCOUP


def by_the_second(y, va):
    """Run the filter of the specification until it opens; None if it has not after an hour."""
    for second in range(3600):
        if y >= LIMIT * LIMIT:
            return second
        y = 0.008 * va * va + 0.992 * y
    return None


@pytest.mark.parametrize(("times", "seconds"), [(1.4, 247), (2.5, 39)])
def test_the_specifications_own_figures_are_found(times, seconds):
    assert round(seconds_left(0.0, times * PCOUP, LIMIT)) == seconds


@pytest.mark.parametrize("times", [0.5, 1.1, 1.3])
def test_up_to_thirteen_tenths_the_breaker_never_opens(times):
    assert seconds_left(0.0, times * PCOUP, LIMIT) is None


@hypothesis.given(st.floats(0, 36_000), st.floats(0, LIMIT - 1))
def test_the_countdown_is_that_of_the_filter_run_second_by_second(va, before):
    expected = by_the_second(before * before, va)
    found = seconds_left(before * before, va, LIMIT)
    if expected is None:
        assert found is None or found > 3500
    else:
        assert found == pytest.approx(expected, abs=1.0)


@hypothesis.given(st.floats(0, 36_000), st.floats(0, 36_000), st.integers(0, 600))
def test_many_seconds_at_once_are_as_many_single_ones(before, va, seconds):
    y = before * before
    for _ in range(seconds):
        y = 0.008 * va * va + 0.992 * y
    assert settle(before * before, va, seconds) == pytest.approx(y, rel=1e-6, abs=1)


def watched(loads, *, power=PCOUP, step=1.0):
    breaker = Breaker(power)
    second = 0.0
    for seconds, va in loads:
        for _ in range(round(seconds / step)):
            second += step
            breaker.see(1, va, second)
    return breaker


def test_the_countdown_runs_down_with_time_whatever_the_pace_of_frames():
    for step in (0.9, 1.14, 1.5):
        at_once = watched([(600, 1000), (1, 9000)], step=step).time_s()
        later = watched([(600, 1000), (61, 9000)], step=step).time_s()
        assert at_once - later == pytest.approx(60, abs=2 * step)


def test_a_load_that_falls_again_ends_the_countdown_but_is_remembered():
    fresh = watched([(600, 0), (1, 9000)]).time_s()
    after = watched([(600, 0), (100, 9000), (10, 500), (1, 9000)])
    assert watched([(600, 0), (100, 9000), (10, 500)]).time_s() is None
    assert after.time_s() < fresh - 80


def test_the_most_loaded_phase_decides():
    breaker = Breaker(4000.0)
    for second in range(400):
        for phase, va in ((1, 500), (2, 7000), (3, 0)):
            breaker.see(phase, va, second)
    assert breaker.margin_va() == 0
    assert breaker.time_s() == 0
    assert breaker.sure


def test_what_is_not_known_gives_no_countdown():
    breaker = Breaker()
    breaker.see(1, 20_000, 0)
    assert breaker.time_s() is None
    assert breaker.margin_va() is None


def test_a_first_sight_is_not_yet_sure_and_a_silence_begins_anew():
    breaker = watched([(600, 2000)])
    assert breaker.sure
    breaker.see(1, 9000, 5000)
    assert not breaker.sure
    assert breaker.time_s() > 60
