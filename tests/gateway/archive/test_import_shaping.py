"""Samples of any quality become registers that never step back, and means that add up."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.archive.imports.shaping import MINUTE_MS, MOST_W, Seen, minute_means, registers, scaled
from gateway.archive.imports.source import HOUR_MS

AT = 1_700_000_000_000 // MINUTE_MS * MINUTE_MS


def hourly(*values):
    return [(AT + n * HOUR_MS, float(value)) for n, value in enumerate(values)]


def shaped(*values):
    seen = Seen()
    return [round(value) for _, value in registers(hourly(*values), seen)], seen.resets, seen.glitches


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((100, 200, 350), ([100, 200, 350], 0, 0)),
        ((100, 200, 0, 50), ([100, 200, 200, 250], 1, 0)),
        ((100, 200, 0, 210), ([100, 200, 210], 0, 1)),
        ((100, 200, 9_000_000, 210), ([100, 200, 210], 0, 1)),
        ((100, 200, 9_000_000, 9_000_100), ([100, 200, 200, 300], 1, 0)),
        ((100, 200, 9_000_000), ([100, 200], 0, 1)),
        ((-50, 0, 10), ([0, 50, 60], 0, 0)),
        ((), ([], 0, 0)),
    ],
)
def test_resets_go_on_from_where_it_stood_and_glitches_are_left_out(values, expected):
    assert shaped(*values) == expected


samples = st.lists(st.tuples(st.integers(0, 10**7), st.floats(-1e9, 1e12, allow_nan=False)), max_size=60).map(
    lambda rows: sorted((AT + at * 1000, value) for at, value in rows)
)


@given(samples)
def test_a_register_never_steps_back_and_never_leaps(rows):
    found = list(registers(scaled(rows, 1.0), Seen()))
    for (one, before), (two, after) in pairwise(found):
        assert one < two
        assert after >= before - 1e-3
        assert after - before <= MOST_W * (two - one + MINUTE_MS) / HOUR_MS + len(rows) + 1
    assert all(at % MINUTE_MS == 0 for at, _ in found)


@given(samples, st.integers(1, 4 * HOUR_MS))
def test_means_of_minutes_stay_between_the_values_and_in_order(rows, hold):
    rows = list(scaled(rows[:20], 1.0))
    found = list(minute_means(rows, hold))
    times = [at for at, _ in found]
    assert times == sorted(set(times))
    if rows:
        low, high = min(value for _, value in rows), max(value for _, value in rows)
        assert all(low - abs(low) * 1e-9 <= value <= high + abs(high) * 1e-9 for _, value in found)
        assert times[0] == rows[0][0] // MINUTE_MS * MINUTE_MS


def test_a_mean_weighs_each_value_by_its_time_and_ends_with_it():
    rows = [(AT, 10.0), (AT + 15_000, 50.0), (AT + 5 * MINUTE_MS, 7.0)]
    found = list(minute_means(rows, 2 * MINUTE_MS))
    assert found == [
        (AT, 40.0),
        (AT + MINUTE_MS, 50.0),
        (AT + 2 * MINUTE_MS, 50.0),
        (AT + 5 * MINUTE_MS, 7.0),
        (AT + 6 * MINUTE_MS, 7.0),
    ]
