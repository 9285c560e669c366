"""The counters: exact, independent of how time is cut, going on after a restart; and the past told with them."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.sim.history import in_hole
from drivers.sim.home import create
from drivers.sim.registers import Registers
from gateway.clock import UtcMs
from gateway.reading import Reading
from gateway.signals import Kind, find, within_bounds

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOON = 1_781_604_000_000  # 2026-06-16T12:00 in Paris: sun, clouds and lunch
HOME = create(seed=21)


def at(*, minutes=0, seconds=0):
    return UtcMs(NOON + minutes * MINUTE + seconds * 1000)


def watt_hours(before, after):
    return (
        after.import_wh - before.import_wh,
        after.export_wh - before.export_wh,
        after.pv_wh - before.pv_wh,
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3 * HOUR), min_size=1, max_size=30))
def test_the_way_time_is_cut_changes_no_counter(cuts):
    walked = HOME.registers(at())
    for cut in sorted(cuts):
        walked.read(UtcMs(NOON + cut))
    last = UtcMs(NOON + max(cuts))

    assert walked.read(last) == HOME.registers(at()).read(last)


def test_counters_read_each_second_are_those_settled_each_minute():
    live, settled = HOME.registers(at()), HOME.registers(at())
    for minute in range(180):
        shown = [live.read(at(minutes=minute, seconds=second)) for second in range(60)]
        assert shown[0] == settled.settled()
        assert all(
            a.import_wh <= b.import_wh and a.export_wh <= b.export_wh and a.pv_wh <= b.pv_wh for a, b in pairwise(shown)
        )
        settled.step()
        last, whole = live.read(UtcMs(at(minutes=minute + 1) - 1)), settled.settled()
        assert max(abs(x) for x in watt_hours(last, whole)) <= 1
    assert settled.settled() == live.read(at(minutes=180))


def test_the_energy_is_the_integral_of_the_powers():
    registers = HOME.registers(at())
    before = registers.settled()
    samples = [HOME.powers(UtcMs(t)) for t in range(NOON, NOON + 2 * HOUR, 500)]
    drawn, sent, made = watt_hours(before, registers.read(at(minutes=120)))

    assert drawn == pytest.approx(sum(p.import_w for p in samples) / 7200, abs=3)
    assert sent == pytest.approx(sum(p.export_w for p in samples) / 7200, abs=3)
    assert made == pytest.approx(sum(p.pv_w for p in samples) / 7200, abs=3)
    assert made > 1000


def test_the_balance_of_a_minute_is_exact():
    day, minute = HOME.minute_of(at())
    for offset in range(600):
        flow = day.flow(minute + offset)
        used = flow.pv_mj + flow.import_mj - flow.export_mj
        assert used > 60 * 50 * 1000
        assert flow.import_mj >= 0
        assert flow.export_mj >= 0
        assert flow.import_va * 60_000 >= flow.import_mj - 1000


def test_the_supplier_indexes_add_up_to_the_total_and_each_runs_in_its_hours():
    registers = HOME.registers(UtcMs(NOON))
    before = registers.settled()
    registers.advance(UtcMs(NOON + 9 * HOUR))  # until 21:00: peak hours
    evening = registers.settled()
    registers.advance(UtcMs(NOON + 10 * HOUR))
    ten = registers.settled()
    registers.advance(UtcMs(NOON + 18 * HOUR))  # the night: off-peak hours
    morning = registers.settled()

    assert before.indexes[0] == evening.indexes[0] == ten.indexes[0]
    assert before.indexes[1] < evening.indexes[1] <= ten.indexes[1] == morning.indexes[1]
    assert morning.indexes[0] > ten.indexes[0] + 3000
    for counts in (before, evening, ten, morning):
        assert sum(counts.indexes) == counts.import_wh


def test_a_home_with_the_base_option_has_one_index():
    home = create(seed=21, option="base", off_peak=())
    registers = home.registers(UtcMs(NOON))
    _, values = next(home.minutes(registers, at(), at(minutes=300)))
    counts = registers.read(at(minutes=300))

    assert counts.indexes == (counts.import_wh,)
    assert values["grid.import.energy.f01"] == values["grid.import.energy"]
    assert values["grid.tariff.period"] == "base"
    assert "grid.import.energy.f02" not in values


def test_the_first_registers_are_those_of_an_installation_some_years_old():
    counts = HOME.registers(UtcMs(NOON)).settled()

    assert 10_000_000 < counts.import_wh < 14_000_000
    assert counts.export_wh < counts.pv_wh < 11_000_000


def test_counters_go_on_after_three_hours_off(tmp_path):
    file = tmp_path / "state.json"
    registers = HOME.registers(at())
    registers.read(at(minutes=7, seconds=31))
    registers.save(file)
    resumed = Registers.load(HOME, file)

    assert resumed.settled() == registers.settled()
    assert resumed.read(at(minutes=187)) == HOME.registers(at()).read(at(minutes=187))
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize(
    "state",
    [
        "",
        "{",
        "[]",
        "{}",
        json.dumps({"at": NOON, "import_mj": 3_600_000, "indexes": [1], "export_mj": 0, "pv_mj": 0}),
        json.dumps({"at": NOON, "import_mj": 3_600_000, "indexes": [1, 1], "export_mj": 0, "pv_mj": 0}),
        json.dumps({"at": NOON, "import_mj": 3_600_000, "indexes": [0.5, 0.5], "export_mj": 0, "pv_mj": 0}),
        json.dumps({"at": NOON, "import_mj": 3_600_000, "indexes": 7, "export_mj": 0, "pv_mj": 0}),
        json.dumps({"at": -1, "import_mj": 0, "indexes": [0, 0], "export_mj": 0, "pv_mj": 0}),
    ],
)
def test_a_spoilt_state_is_refused(tmp_path, state):
    file = tmp_path / "state.json"
    file.write_text(state)

    with pytest.raises(ValueError):
        Registers.load(HOME, file)


def test_counters_wait_when_the_calendar_steps_back_a_little():
    registers = HOME.registers(at())
    shown = registers.read(at(minutes=5, seconds=40))

    assert registers.read(at(minutes=5, seconds=10)) == shown
    assert registers.read(at(minutes=4, seconds=50)) == shown


def test_counters_never_step_back_when_the_calendar_does_for_good():
    registers = HOME.registers(at())
    shown = registers.read(at(minutes=300, seconds=40))
    after = registers.read(at(minutes=10))

    assert all(0 <= step < 200 for step in watt_hours(shown, after))
    assert min(watt_hours(after, registers.read(at(minutes=70)))) >= 0


def test_the_past_ends_where_the_present_begins():
    start, end = at(), at(minutes=26 * 60)
    registers = HOME.registers(start)
    past = list(HOME.minutes(registers, start, end))
    live = HOME.registers(start)

    assert [when for when, _ in past] == list(range(start, end, MINUTE))
    for when, values in past[::97]:
        counts = live.read(when)
        assert values["grid.import.energy"] == counts.import_wh
        assert values["grid.export.energy"] == counts.export_wh
        assert (values["grid.import.energy.f01"], values["grid.import.energy.f02"]) == counts.indexes
        assert values.get("pv.energy", counts.pv_wh) == counts.pv_wh
    assert registers.read(at(minutes=26 * 60, seconds=33)) == live.read(at(minutes=26 * 60, seconds=33))


def test_the_past_is_made_of_signals_within_their_bounds():
    registers = HOME.registers(at())
    names = set()
    for when, values in HOME.minutes(registers, at(), at(minutes=24 * 60)):
        for name, value in values.items():
            signal = find(name)
            assert signal is not None, name
            assert (signal.kind is Kind.STATE) == isinstance(value, str)
            assert isinstance(value, str) or within_bounds(signal, value), Reading(name, value, when)
        names |= values.keys()
        assert values["home.power"] == (
            values.get("pv.power", 0) + values["grid.import.power"] - values["grid.export.power"]
        )
        assert values["grid.import.apparent_power"] >= values["grid.import.power"] - 1
        assert ("pv.power" in values) == ("pv.energy" in values) == ("pv.dc.power.2" in values)
        assert values["grid.tariff.period"] in {"hc", "hp"}

    assert names == {
        *(f"grid.{way}.{what}" for way in ("import", "export") for what in ("energy", "apparent_power", "power")),
        *("grid.import.energy.f01", "grid.import.energy.f02", "grid.voltage.l1", "grid.current.l1"),
        *("pv.power", "pv.energy", "pv.dc.power.1", "pv.dc.power.2", "home.power", "grid.tariff.period"),
    }


def test_the_panels_make_nothing_at_night_and_their_counter_stands_still():
    night = UtcMs(NOON + 13 * HOUR)
    registers = HOME.registers(night)
    hour = [values for _, values in HOME.minutes(registers, night, UtcMs(night + HOUR))]

    assert {values["pv.power"] for values in hour} == {0}
    assert len({values["pv.energy"] for values in hour}) == 1
    assert all(values["home.power"] == values["grid.import.power"] > 0 for values in hour)


def test_the_past_has_some_short_holes_but_none_in_its_last_day():
    start = UtcMs(NOON - 400 * DAY)
    missing = [t for t in range(start, NOON, MINUTE) if in_hole(21, UtcMs(t))]
    holes = 1 + sum(b - a > MINUTE for a, b in pairwise(missing))

    assert 3 <= holes <= 5
    assert 9 * holes <= len(missing) <= 55 * holes

    first = UtcMs(missing[0] - MINUTE)
    told = [when for when, _ in HOME.minutes(HOME.registers(first), first, UtcMs(first + 2 * DAY))]
    assert set(range(first, first + 2 * DAY, MINUTE)) - set(told) == {t for t in missing if t < first + DAY}
    whole = [when for when, _ in HOME.minutes(HOME.registers(first), first, UtcMs(first + DAY))]
    assert whole == list(range(first, first + DAY, MINUTE))


def test_the_past_cannot_begin_before_its_registers():
    with pytest.raises(ValueError):
        next(HOME.minutes(HOME.registers(at(minutes=5)), at(), at(minutes=10)))
    with pytest.raises(ValueError):
        next(HOME.minutes(HOME.registers(at()), at(seconds=1), at(minutes=10)))
