"""Energy comes from registers at boundaries: it is conserved, never negative, and unknown where nothing is known."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.clock import from_datetime
from gateway.store.energy import Flow, balance
from tests.gateway.store.simulated import HOUR, LINKY, ROOF, START, Box


def at(*parts):
    return from_datetime(datetime(*parts, tzinfo=UTC))


def energy(box, start, end, step):
    with box.reader() as reader:
        return reader.energy(start, end, step)


def play(box, seconds, every, linky=(), roof=()):
    """Let registers run: `linky` and `roof` are functions of the seconds gone."""
    for gone in range(0, seconds, every):
        if linky:
            box.say(LINKY, {name: of(gone) for name, of in linky.items()})
        if roof:
            box.say(ROOF, {name: of(gone) for name, of in roof.items()})
        box.wait(every)


def test_a_home_without_panels_consumes_what_it_buys(box):
    play(box, 2 * 3600, 20, {"grid.import.energy": lambda s: 5000 + s // 10})
    first, second = energy(box, START, START + 2 * HOUR, "1h")
    assert (first.import_wh, first.consumption_wh, first.production_wh) == (360, 360, None)
    assert first.self_sufficiency is None
    assert first.coverage == 1.0
    assert second.import_wh == 358  # the hour is not over: up to the last register known
    assert not second.estimated


def test_a_home_with_panels_adds_up(box):
    play(
        box,
        2 * 3600,
        20,
        {"grid.import.energy": lambda s: s // 20, "grid.export.energy": lambda s: s // 10},
        {"pv.energy": lambda s: s // 5},
    )
    hour = energy(box, START, START + HOUR, "1h")[0]
    assert (hour.import_wh, hour.export_wh, hour.production_wh) == (180, 360, 720)
    assert hour.consumption_wh == 540
    assert hour.self_consumption_wh == 360
    assert hour.self_sufficiency == round(360 / 540, 4)


def test_panels_that_say_nothing_make_consumption_unknown(box):
    box.say(ROOF, {"pv.power": 100})
    play(box, 3600, 20, {"grid.import.energy": lambda s: s, "grid.export.energy": lambda s: 0})
    hour = energy(box, START, START + HOUR, "1h")[0]
    assert hour.import_wh == 3580
    assert (hour.production_wh, hour.consumption_wh, hour.self_sufficiency) == (None, None, None)


def test_several_inverters_are_summed_and_one_unknown_makes_the_sum_unknown(box):
    play(
        box,
        3600,
        20,
        {"grid.import.energy": lambda s: s, "grid.export.energy": lambda s: 0},
        {"pv.energy@roof": lambda s: s, "pv.energy@shed": lambda s: 2 * s},
    )
    assert energy(box, START, START + HOUR, "1h")[0].production_wh == 3 * 3580
    play(box, 3600, 20, {"grid.import.energy": lambda s: 9000 + s}, {"pv.energy@roof": lambda s: 9000 + 2 * s})
    play(box, 60, 20, {"grid.import.energy": lambda s: 18000 + s}, {"pv.energy@roof": lambda s: 18000 + s})
    assert energy(box, START + HOUR + HOUR // 2, START + 2 * HOUR, "30m")[0].production_wh is None


def test_without_a_total_the_tariff_indexes_are_added_and_the_distributor_ones_are_not(box):
    registers = {"hp": lambda s: s, "hc": lambda s: 500, "d01": lambda s: s}
    play(box, 3600, 20, {f"grid.import.energy.{name}": of for name, of in registers.items()})
    assert energy(box, START, START + HOUR, "1h")[0].import_wh == 3580


def test_a_gap_inside_a_bucket_costs_nothing(box):
    play(box, 600, 20, {"grid.import.energy": lambda s: s})
    box.wait(1800)
    play(box, 1300, 20, {"grid.import.energy": lambda s: 2400 + s})
    hour = energy(box, START, START + HOUR, "1h")[0]
    assert hour.import_wh == 3600
    assert (hour.coverage, hour.estimated) == (1.0, False)


def test_a_boundary_inside_a_gap_is_on_the_straight_line_and_said_to_be_estimated(box):
    play(box, 1200, 20, {"grid.import.energy": lambda s: s})
    box.wait(1200)
    play(box, 1300, 20, {"grid.import.energy": lambda s: 2400 + s})
    one, two = energy(box, START, START + HOUR, "30m")
    assert one.estimated
    assert two.estimated
    assert one.import_wh == pytest.approx(1800, abs=10)
    assert one.import_wh + two.import_wh == 3600


def test_a_gap_over_which_nothing_moved_leaves_nothing_to_estimate(box):
    play(box, 1200, 20, {"grid.import.energy": lambda s: 77})
    box.wait(1200)
    play(box, 1300, 20, {"grid.import.energy": lambda s: 77})
    assert [(one.import_wh, one.estimated) for one in energy(box, START, START + HOUR, "30m")] == [(0, False)] * 2


def test_what_lies_before_the_first_and_after_the_last_value_is_unknown(box):
    box.wait(2400)
    play(box, 4800, 20, {"grid.import.energy": lambda s: s})
    box.wait(2 * 3600)
    hours = energy(box, START, START + 4 * HOUR, "1h")
    assert [hour.import_wh for hour in hours] == [1200, 3580, None, None]
    assert [hour.coverage for hour in hours] == [pytest.approx(1 / 3, abs=0.01), pytest.approx(1, abs=0.01), 0, 0]


def test_an_inverter_asleep_since_the_evening_makes_nothing_and_that_is_an_estimate(box):
    linky = {"grid.import.energy": lambda s: s, "grid.export.energy": lambda s: 0}
    play(box, 3600, 60, linky, {"pv.energy": lambda s: 8000})
    play(box, 7200, 60, {"grid.import.energy": lambda s: 3600 + s, "grid.export.energy": lambda s: 0})
    last = energy(box, START + 2 * HOUR, START + 3 * HOUR, "1h")[0]
    assert (last.production_wh, last.consumption_wh, last.estimated) == (0, last.import_wh, True)


def test_an_inverter_lost_in_full_sun_is_not_taken_for_asleep(box):
    linky = {"grid.import.energy": lambda s: s, "grid.export.energy": lambda s: 0}
    play(box, 3600, 60, linky, {"pv.energy": lambda s: 8000 + s})
    play(box, 7200, 60, {"grid.import.energy": lambda s: 3600 + s, "grid.export.energy": lambda s: 0})
    last = energy(box, START + 2 * HOUR, START + 3 * HOUR, "1h")[0]
    assert (last.production_wh, last.consumption_wh) == (None, None)


def test_a_meter_exchanged_starts_a_new_segment_and_no_energy_is_negative(box):
    play(box, 1800, 20, {"grid.import.energy": lambda s: 500_000 + s})
    play(box, 1800, 20, {"grid.import.energy": lambda s: 3 + s})
    play(box, 100, 20, {"grid.import.energy": lambda s: 1803 + s})
    one, two = energy(box, START, START + HOUR, "30m")
    assert (one.import_wh, two.import_wh) == (1780, 1800)
    assert energy(box, START, START + HOUR, "1h")[0].import_wh == 3580
    assert box.recorder.glitches == 0


def test_a_meter_exchanged_reads_the_same_once_raw_rows_are_rolled_up(box):
    play(box, 1800, 20, {"grid.import.energy": lambda s: 500_000 + s})
    play(box, 1900, 20, {"grid.import.energy": lambda s: 3 + s})
    before = energy(box, START, START + HOUR, "30m")
    box.wait(2 * 3600)
    box.commit()
    assert energy(box, START, START + HOUR, "30m") == before


def test_a_value_read_wrongly_is_dropped_and_counted(box):
    wrong = {600: 12, 1200: 900_000_000}
    play(box, 3700, 20, {"grid.import.energy": lambda s: wrong.get(s, 500_000 + s)})
    assert energy(box, START, START + HOUR, "1h")[0].import_wh == 3600
    assert box.recorder.glitches == 2
    box.commit()
    assert 12 not in box.values("grid.import.energy", "raw")


def test_a_reset_just_after_a_restart_is_seen_too(box):
    play(box, 1800, 20, {"grid.import.energy": lambda s: 500_000 + s})
    box.restart()
    play(box, 1900, 20, {"grid.import.energy": lambda s: 3 + s})
    assert energy(box, START, START + HOUR, "1h")[0].import_wh == 1780 + 1800


def test_a_long_time_off_with_a_calendar_that_stood_still_is_not_another_meter(box):
    play(box, 100, 20, {"grid.import.energy": lambda s: 1000 + s})
    play(box, 100, 20, {"grid.import.energy": lambda s: 61_000 + s})
    assert energy(box, START, START + HOUR, "1h")[0].import_wh == 60_080


def test_local_days_have_23_and_25_hours(tmp_path):
    for folder, day, first, last, hours in (
        ("spring", "29", at(2026, 3, 28, 23), at(2026, 3, 29, 22), 23),
        ("autumn", "25", at(2026, 10, 24, 22), at(2026, 10, 25, 23), 25),
    ):
        home = Box(tmp_path / folder, start=first - HOUR)
        play(home, (hours + 3) * 3600, 300, {"grid.import.energy": lambda s: s})
        buckets = energy(home, first, last, "1d")
        assert [(one.start, one.end) for one in buckets] == [(first, last)], day
        assert buckets[0].import_wh == hours * 3600
        assert len(energy(home, first, last, "1h")) == hours
        points = home.history("grid.import.energy", "1d", first, last + 1)
        assert [when for when, _, _ in points] == [first, last]
        home.close()


def test_months_are_local_ones(box):
    spans = energy(box, at(2026, 2, 28, 23), at(2026, 4, 30, 22), "1mo")
    assert [one.start for one in spans] == [at(2026, 2, 28, 23), at(2026, 3, 31, 22)]


def test_another_time_zone_has_its_own_days(box):
    with box.reader() as reader:
        spans = reader.energy(at(2026, 3, 1, 4), at(2026, 3, 3, 4), "1d", "America/Martinique")
    assert [one.start for one in spans] == [at(2026, 3, 1, 4), at(2026, 3, 2, 4)]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.booleans())
def test_a_balance_never_shows_a_negative_number(grid, export, solar, has_panels):
    flows = [Flow(wh, 1.0, is_estimated=False) for wh in (grid, export, solar)]
    one = balance(0, HOUR, *flows, has_panels=has_panels)
    for value in (one.consumption_wh, one.self_consumption_wh, one.self_sufficiency):
        assert value is None or value >= 0
    assert one.self_sufficiency is None or one.self_sufficiency <= 1


walks = st.lists(st.tuples(st.integers(20, 7200), st.integers(0, 3000)), min_size=2, max_size=40)


@settings(max_examples=40, deadline=None)
@given(walks, st.sampled_from(["keep", "close"]))
def test_energy_is_conserved_across_steps_and_tiers(walk, fate):
    """Half-hours add up to the hours, the days, the month, and to the counter itself, gaps and all."""
    with tempfile.TemporaryDirectory() as folder:
        home = Box(Path(folder))
        register = 1000
        for pause, energy_wh in walk:
            home.say(LINKY, {"grid.import.energy": register})
            home.wait(pause)
            register += energy_wh
        home.say(LINKY, {"grid.import.energy": register})
        home.commit()
        first, last = START - 12 * HOUR, home.clock.now() + HOUR
        first, last = first - first % HOUR, last - last % HOUR + HOUR
        if fate == "close":
            home.wait(3 * 3600)
            home.commit()
        totals = {
            step: sum(one.import_wh or 0 for one in energy(home, first, last, step))
            for step in ("30m", "1h", "1d", "1mo")
        }
        assert set(totals.values()) == {register - 1000}
        assert all((one.import_wh or 0) >= 0 for one in energy(home, first, last, "30m"))
        home.close()
