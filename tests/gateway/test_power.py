"""Active power from index steps: what it is, and how far off it may be."""

import random

import hypothesis
import pytest
from hypothesis import strategies as st

from gateway.clock import UtcMs
from gateway.power import IndexPower, MeanCheck, Power
from gateway.reading import Quality

FRAME_MS = 1000
START = 1_782_036_000_000


def play(
    power: IndexPower, watts: float, seconds: int, *, start: int = START, wh: float = 4_321_000.3, factor: float = 0.95
):
    """Feed a meter's frames at constant load; return the instant and the exact energy at the end."""
    at = start
    for _ in range(seconds * 1000 // FRAME_MS):
        at += FRAME_MS
        wh += watts * FRAME_MS / 3_600_000
        power.apparent(UtcMs(at), round(watts / factor))
        power.index(UtcMs(at), int(wh))
    return at, wh


@pytest.mark.parametrize("watts", [60, 100, 230, 480, 1000, 2200, 5400, 9000])
def test_steady_load_is_found_within_two_frames_of_its_window(watts):
    power = IndexPower()
    play(power, watts, 600)
    found = power.estimate()
    assert found.quality is Quality.DERIVED
    assert found.method == "derive:index-steps"
    # one frame of jitter at each end of the window, which is at least 20 steps or 60 s
    window_s = min(max(20 * 3600 / watts, 1), 60)
    assert found.watts == pytest.approx(watts, rel=max(0.01, 2 / window_s))


def test_a_new_load_is_first_an_estimate_by_the_power_factor_seen_then_exact():
    power = IndexPower()
    at, wh = play(power, 1000, 300, factor=0.8)
    at, wh = play(power, 3000, 1, start=at, wh=wh, factor=0.8)
    found = power.estimate()
    assert found.quality is Quality.ESTIMATED
    assert found.method == "derive:va-power-factor"
    assert found.watts == pytest.approx(3000, rel=0.06)
    at, wh = play(power, 3000, 30, start=at, wh=wh, factor=0.8)
    found = power.estimate()
    assert found.quality is Quality.DERIVED
    assert found.watts == pytest.approx(3000, rel=0.1)


def test_before_any_step_the_value_is_marked_as_an_estimate():
    power = IndexPower()
    power.apparent(UtcMs(START), 1000)
    power.index(UtcMs(START), 100)
    found = power.estimate()
    assert found == Power(900.0, Quality.ESTIMATED, "derive:va-power-factor", 401.0)


def test_nothing_known_gives_nothing():
    assert IndexPower().estimate() is None


def test_no_apparent_power_is_no_power():
    power = IndexPower()
    at, _ = play(power, 500, 60)
    power.apparent(UtcMs(at), 0)
    assert power.estimate() == Power(0.0, Quality.DERIVED, "derive:no-apparent-power", 1.0)


def test_a_load_that_fades_without_a_step_is_bounded_by_the_silence_of_the_index():
    power = IndexPower()
    at, _ = play(power, 90, 200)
    for _ in range(120):
        at += FRAME_MS
        power.apparent(UtcMs(at), 95)
        power.index(UtcMs(at), 4_321_005)
    assert power.estimate().watts <= 3600 / 100


@pytest.mark.parametrize("next_wh", [12, 4_000_000])
def test_an_index_that_steps_back_starts_anew_and_is_never_a_negative_power(next_wh):
    power = IndexPower()
    at, _ = play(power, 1000, 120)
    power.index(UtcMs(at + 1000), next_wh)
    found = power.estimate()
    assert found.quality is Quality.ESTIMATED
    assert found.watts > 0


def test_a_jump_of_the_clock_starts_the_window_anew():
    power = IndexPower()
    at, wh = play(power, 1000, 120)
    at, _ = play(power, 1000, 120, start=at + 3_600_000, wh=wh)
    assert power.estimate().watts == pytest.approx(1000, rel=0.1)


frames_of_a_meter = st.lists(st.tuples(st.integers(-5000, 60_000), st.integers(0, 3), st.integers(0, 12_000)))


@hypothesis.given(frames_of_a_meter)
def test_whatever_the_meter_says_the_power_is_never_negative(frames):
    power, at, wh = IndexPower(), START, 1000
    for step_ms, step_wh, va in frames:
        at += step_ms
        wh += step_wh
        power.apparent(UtcMs(at), va)
        power.index(UtcMs(at), wh)
        found = power.estimate()
        assert found.watts >= 0


def meter(loads, seed, *, phase_ms=0, frame_ms=1000):
    """Yield (second, true W, what the box says) of a meter whose load is a list of (seconds, watts, power factor)."""
    power, at, wh, dice = IndexPower(), START + phase_ms, 1000 + random.Random(seed).random(), random.Random(seed)
    for number, (seconds, watts, factor) in enumerate(loads):
        begun = at
        while at < begun + seconds * 1000:
            step = round(frame_ms * dice.uniform(0.97, 1.03))
            at += step
            wh += watts * step / 3_600_000
            seen = at + dice.randrange(30)
            power.index(UtcMs(seen), int(wh))
            power.apparent(UtcMs(seen), round(watts / factor))
            yield number, (at - begun) / 1000, watts, power.estimate()


loads_of_a_home = st.lists(
    st.tuples(st.integers(90, 400), st.floats(30, 9000), st.floats(0.55, 1.0)), min_size=1, max_size=4
)


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(loads_of_a_home, st.integers(0, 1000), st.sampled_from([900, 1000, 1140, 1500]))
def test_in_steady_state_the_truth_is_within_the_stated_band(loads, seed, frame_ms):
    seen = within = 0
    for number, since, watts, said in meter(loads, seed, frame_ms=frame_ms):
        passed_s = 60 + 2 * 3600 / watts if number else 0  # then nothing of the former load is left in the window
        if since < passed_s or said.quality is Quality.ESTIMATED:
            continue
        seen += 1
        within += abs(said.watts - watts) <= said.half_w
    assert within >= 0.95 * seen


def test_the_band_narrows_as_the_window_grows_and_widens_with_a_new_load():
    bands = [said.half_w for _, _, _, said in meter([(120, 2000, 0.95), (1, 3000, 0.95)], 4)]
    assert bands[-3] < 0.06 * 2000
    assert bands[20] > bands[-3]
    assert bands[-1] > 2 * bands[-3]


@pytest.mark.parametrize("watts", [100, 500, 2000, 6000])
def test_the_band_follows_the_load(watts):
    *_, (_, _, _, last) = meter([(300, watts, 0.9)], 7)
    assert last.half_w <= max(8, 0.07 * watts)


def test_a_slow_change_within_the_window_widens_the_band_until_it_has_passed():
    loads = [(120, 1000, 1.0), *[(10, 1000 + 15 * n, 1.0) for n in range(1, 7)]]
    outside = [said for number, _, watts, said in meter(loads, 5) if number and abs(said.watts - watts) > said.half_w]
    assert outside == []


def test_the_power_factor_is_unknown_until_learnt_and_kept_for_each_load():
    power = IndexPower()
    assert power.power_factor is None
    at, wh = play(power, 100, 120, factor=0.6)
    assert power.power_factor == pytest.approx(0.6, abs=0.05)
    at, wh = play(power, 2300, 60, start=at, wh=wh, factor=1.0)
    assert power.power_factor == pytest.approx(1.0, abs=0.05)
    play(power, 100, 1, start=at, wh=wh, factor=0.6)
    found = power.estimate()
    assert found.quality is Quality.ESTIMATED
    assert found.watts == pytest.approx(100, abs=found.half_w)
    assert found.watts == pytest.approx(100, rel=0.1)


@pytest.mark.parametrize("watts", [3000, 5400, 8700])
def test_a_window_too_short_to_tell_gives_way_to_the_power_factor(watts):
    for second, (_, _, _, said) in enumerate(meter([(120, 200, 0.85), (60, watts, 0.99)], 3)):
        if second >= 123:
            assert said.half_w < 0.45 * watts
            assert abs(said.watts - watts) < 0.25 * watts


def test_a_load_that_the_index_shows_first_teaches_no_wrong_power_factor():
    power = IndexPower()
    at, wh = play(power, 200, 200, factor=0.8)
    for second in range(1, 3):  # the index already counts the new load, the apparent power does not yet
        wh += 8700 / 3600
        power.index(UtcMs(at + 1000 * second), int(wh))
        if second == 1:
            power.apparent(UtcMs(at + 1000), 250)
    power.apparent(UtcMs(at + 2000), 8700)
    at, wh = play(power, 8700, 60, start=at + 2000, wh=wh, factor=1.0)
    play(power, 200, 1, start=at, wh=wh, factor=0.8)
    assert power.power_factor == pytest.approx(0.8, abs=0.06)


HALF_HOUR = 1_800_000


def test_the_mean_of_a_half_hour_is_compared_with_the_meters():
    check, start = MeanCheck(), START - START % HALF_HOUR
    for second in range(0, 3700, 5):
        check.see(UtcMs(start + second * 1000), 500.0 if second < 1800 else 800.0)
    assert check.compare(start + HALF_HOUR, 510) is None  # the first point does not tell how long a point is
    assert check.compare(start + 2 * HALF_HOUR, 790) == pytest.approx(10.0)


def test_a_curve_of_hours_is_compared_by_the_hour():
    check, start = MeanCheck(), START - START % (2 * HALF_HOUR)
    check.compare(start, 100)
    for second in range(0, 3700, 5):
        check.see(UtcMs(start + second * 1000), 500.0 if second < 1800 else 700.0)
    assert check.compare(start + 2 * HALF_HOUR, 600) == pytest.approx(0.0, abs=1)


def test_a_half_hour_with_a_hole_is_not_compared():
    check, start = MeanCheck(), START - START % HALF_HOUR
    check.compare(start, 100)
    for second in (*range(0, 600, 5), *range(800, 1900, 5)):
        check.see(UtcMs(start + second * 1000), 500.0)
    assert check.compare(start + HALF_HOUR, 500) is None
