"""The home at an instant: everything agrees, whatever the instant."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.sim.habits import APPLIANCES
from drivers.sim.home import create
from drivers.sim.peaks import HALF_HOUR_MS, Memory
from gateway.clock import UtcMs

NEW_YEAR = 1_767_222_000_000  # 2026-01-01T00:00 in Paris
DAY = 86_400_000
HOME = create(seed=4)
instants = st.integers(NEW_YEAR - 300 * DAY, NEW_YEAR + 700 * DAY)


@settings(max_examples=300, deadline=None)
@given(instants)
def test_everything_agrees_at_any_instant(at):
    powers = HOME.powers(UtcMs(at))

    assert powers.home_w == powers.pv_w + powers.import_w - powers.export_w
    assert powers.home_w == sum(powers.appliances.values()) > 0
    assert min(powers.import_w, powers.export_w) == 0 <= max(powers.import_w, powers.export_w)
    assert min(powers.import_va, powers.export_va) == 0
    assert powers.import_va >= powers.import_w
    assert powers.export_va >= powers.export_w
    assert 207 <= powers.voltage_v <= 253
    assert powers.current_a == pytest.approx((powers.import_va + powers.export_va) / powers.voltage_v)
    assert 0 <= powers.pv_w <= 3000
    assert sum(watts for _, watts in powers.strings) >= powers.pv_w
    assert powers.awake or powers.pv_w == 0
    assert (powers.period, powers.index) in {("hc", 1), ("hp", 2)}
    assert tuple(powers.appliances) == APPLIANCES


@settings(max_examples=60, deadline=None)
@given(instants)
def test_the_water_heater_is_off_in_peak_hours(at):
    powers = HOME.powers(UtcMs(at))

    assert powers.period == "hc" or powers.appliances["water_heater"] == 0


@settings(max_examples=60, deadline=None)
@given(instants)
def test_the_roof_and_the_standby_never_jump(at):
    here, there = HOME.powers(UtcMs(at)), HOME.powers(UtcMs(at + 100))

    assert abs(here.pv_w - there.pv_w) < 8
    assert abs(here.appliances["standby"] - there.appliances["standby"]) < 1


def test_the_meter_shows_more_volt_amperes_than_watts():
    night = HOME.powers(UtcMs(NEW_YEAR + 4 * 3_600_000))

    assert night.import_va > night.import_w + 3


def test_a_subscription_of_six_kva_is_enough_for_the_family():
    highest = max(HOME.powers(UtcMs(NEW_YEAR + n * 120_000)).import_va for n in range(720 * 20))

    assert 3500 < highest < 6900


def test_another_process_sees_the_same_home():
    ats = [NEW_YEAR + n * 7_777_777 for n in range(60)]
    script = (
        f"from drivers.sim.home import create\nhome = create(seed=4)\nfor at in {ats}: print(repr(home.powers(at)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "123")
    }
    here = "".join(f"{HOME.powers(UtcMs(at))!r}\n" for at in ats)

    assert outputs == {here.encode()}


def test_seeds_make_different_homes():
    assert HOME.powers(UtcMs(NEW_YEAR)) != create(seed=5).powers(UtcMs(NEW_YEAR))


def test_a_home_at_the_other_side_of_the_world_has_its_own_noon():
    reunion = create(seed=4, latitude=-21.1, longitude=55.5, timezone="Indian/Reunion")
    noon = NEW_YEAR - 3_600_000 * 4 + 3_600_000 * 13

    assert reunion.powers(UtcMs(noon)).awake
    assert not reunion.powers(UtcMs(noon + 12 * 3_600_000)).awake


def test_a_home_where_the_sun_does_not_rise_lights_its_lamps():
    polar = create(seed=4, latitude=78.2, longitude=15.6, timezone="Arctic/Longyearbyen")
    powers = [polar.powers(UtcMs(NEW_YEAR + hour * 3_600_000)) for hour in range(24)]

    assert not any(one.awake for one in powers)
    assert max(one.appliances["lighting"] for one in powers) > 0


def test_the_highest_powers_of_today_and_yesterday_are_remembered():
    memory = Memory(HOME)
    at = UtcMs(NEW_YEAR + 20 * 3_600_000 + 40_000)
    today, yesterday = memory.peaks(at)
    brute = max((round(HOME.powers(UtcMs(t)).import_va), -t) for t in range(NEW_YEAR, at, 20_000))

    assert today.imported == (brute[0], -brute[1])
    assert yesterday.imported is not None
    assert NEW_YEAR - DAY <= yesterday.imported[1] < NEW_YEAR

    tomorrow, before = memory.peaks(UtcMs(at + DAY))
    assert before is today
    assert tomorrow.day > before.day
    assert before.imported[0] >= brute[0]
    assert before == Memory(HOME).peaks(UtcMs(at + DAY))[1]


def test_the_last_half_hour_is_a_mean_and_stamped_with_its_end():
    at = UtcMs(NEW_YEAR + 8 * 3_600_000 + 17 * 60_000)
    (imported, end), (exported, _) = Memory(HOME).half_hour(at)
    samples = [HOME.powers(UtcMs(t)) for t in range(end - HALF_HOUR_MS, end, 1000)]

    assert end == NEW_YEAR + 8 * 3_600_000
    assert imported == pytest.approx(sum(p.import_w for p in samples) / len(samples), abs=3)
    assert exported == pytest.approx(sum(p.export_w for p in samples) / len(samples), abs=3)
