"""The past of another program becomes the home's: never over what was measured, and never for good."""

import fcntl
import json
import struct

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gateway import config as configuration
from gateway.archive.imports import journal
from gateway.archive.imports.commands import import_command
from gateway.archive.imports.mapping import chosen, propose
from gateway.archive.imports.own import first_value
from gateway.archive.imports.plan import look, steps
from gateway.archive.imports.source import HOUR_MS, Series
from gateway.archive.imports.writing import undo, write
from gateway.errors import FoyerError
from gateway.store.read import Reader
from gateway.store.recorder import Recorder
from tests.gateway.archive.filled import everything
from tests.gateway.archive.test_import_files import home_assistant_db
from tests.gateway.clocks import FakeClock
from tests.gateway.store.simulated import DAY, LINKY, START, Box

OWN = START - 40 * DAY


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")


def series(name, rows, unit="kWh", counts=True, hold_ms=HOUR_MS):
    return Series(name, "", unit, counts, hold_ms, lambda: iter(rows))


def hourly(start, values):
    return [(start + n * HOUR_MS, value) for n, value in enumerate(values)]


def run(config, clock, *all_series, given=()):
    targets = chosen(all_series, given) if given else propose(all_series)
    return write(config, clock, "test", [], steps(config, clock, all_series, targets))


def energy(config, clock, start, end, step="1d"):
    with Reader(config.measure_db, clock) as reader:
        return reader.energy(start, end, step)


def test_a_register_that_goes_on_is_joined_to_the_box_s_own(home):
    config, clock = home
    # the box's own register begins at 0 on its first day; this one ends just below it
    rows = hourly(OWN - 10 * DAY, [-120 + 0.5 * n for n in range(240)])
    before = everything(config.measure_db, clock, OWN)
    note, found = run(config, clock, series("sensor.linky_import", rows))

    assert found[0].energy_wh == pytest.approx(239 * 500)
    days = energy(config, clock, OWN - 10 * DAY, OWN)
    assert sum(day.import_wh for day in days if day.import_wh is not None) == pytest.approx(239 * 500, abs=1500)
    after = everything(config.measure_db, clock, OWN)
    own = [key for key in before if isinstance(key, tuple) and key[0] not in ("energy", "grid.import.energy")]
    # the month in which both meet has more of it now
    assert {key: after[key] for key in own} == {key: before[key] for key in own}
    assert note.parts[0].until <= OWN


def test_what_the_box_measured_is_never_touched(home):
    config, clock = home
    with Reader(config.measure_db, clock) as reader:
        own = reader.history("pv.energy", OWN, clock.now(), "30m", limit=None).points
        own_energy = reader.energy(OWN + 2 * HOUR_MS, clock.now(), "1h")
    rows = hourly(OWN - 5 * DAY, [5000 + n for n in range(24 * 20)])  # 15 days of it overlap
    run(config, clock, series("pv_energy", rows))
    with Reader(config.measure_db, clock) as reader:
        assert reader.history("pv.energy", OWN, clock.now(), "30m", limit=None).points == own
        assert reader.energy(OWN + 2 * HOUR_MS, clock.now(), "1h") == own_energy
        past = reader.energy(OWN - 4 * DAY, OWN - 3 * DAY, "1d")
    assert sum(day.production_wh for day in past) == 24_000


def test_another_counter_than_the_box_s_is_a_new_segment_and_no_energy(home):
    config, clock = home
    rows = hourly(OWN - 2 * DAY, [700_000 + n for n in range(48)])  # 700 MWh: not the box's register at all
    note, _ = run(config, clock, series("linky_import", rows))
    assert note.parts[0].joined_at == OWN
    across = energy(config, clock, OWN - 2 * DAY, OWN + 2 * DAY)
    assert all(0 <= day.import_wh < 100_000 for day in across if day.import_wh is not None)
    assert across[1].import_wh is not None


def test_means_of_an_hour_are_half_hours_of_the_store(home):
    config, clock = home
    rows = hourly(OWN - DAY, [1.5] * 12 + [2.5] * 12)
    run(config, clock, series("grid power import", rows, unit="kW", counts=False))
    with Reader(config.measure_db, clock) as reader:
        found = reader.history("grid.import.power", OWN - DAY, OWN, "30m").points
        minutes = reader.history("grid.import.power", OWN - DAY, OWN, "1m").points
    assert [value for _, value, _ in found] == [1500.0] * 24 + [2500.0] * 24
    assert all(value is None for _, value, _ in minutes)


def test_an_import_that_is_undone_leaves_everything_as_it_was(home):
    config, clock = home
    before = everything(config.measure_db, clock)
    rows = hourly(OWN - 30 * DAY, [float(n) for n in range(24 * 30)])
    counts = series("pv", rows, unit="Wh")
    power = series("forecast", rows, unit="W", counts=False)
    note, _ = run(config, clock, counts, power, given=["pv=pv.energy", "forecast=pv.power.forecast"])
    assert everything(config.measure_db, clock) != before
    assert [one.id for one in journal.read(config.state)] == [note.id]
    undo(config, clock, note.id)
    assert everything(config.measure_db, clock) == before
    assert journal.read(config.state) == []


def test_an_import_into_an_empty_home_and_the_present_after_it(tmp_path):
    (tmp_path / "foyer.toml").write_text('[paths]\nstate = "state"\nrun = "run"\n')
    config, clock = configuration.load(tmp_path / "foyer.toml"), FakeClock(START)
    rows = hourly(START - 400 * DAY, [n * 0.4 for n in range(24 * 400)])
    run(config, clock, series("linky_import", rows))
    with Reader(config.measure_db, clock) as reader:
        months = reader.energy(START - 365 * DAY, START, "1mo")
    assert sum(month.import_wh for month in months if month.import_wh is not None) == pytest.approx(
        365 * 9600, abs=1000
    )
    box = Box(config.state, start=START)
    try:
        for n in range(1800):
            box.say(LINKY, {"grid.import.energy": 12_345_678 + n})
            box.wait(2)
        box.wait(2 * 3600)
        box.commit()
        with box.reader() as reader:
            hour = reader.energy(START, START + HOUR_MS, "1h")[0]
            year = reader.energy(START - 365 * DAY, START + HOUR_MS, "1mo")
        assert hour.import_wh == pytest.approx(1799, abs=2)
        assert sum(one.import_wh or 0 for one in year) < 366 * 9600 + 3000
    finally:
        box.close()


def test_hours_that_are_not_closed_yet_are_still_closed_after_an_import(tmp_path):
    """The box stopped in the middle of its hours; an import of a signal it never had must not hide them."""
    (tmp_path / "foyer.toml").write_text('[paths]\nstate = "."\nrun = "run"\n')
    config = configuration.load(tmp_path / "foyer.toml")
    box = Box(tmp_path, start=START)
    for n in range(5000):
        box.say(LINKY, {"grid.import.energy": 1000 + n})
        box.wait(2)
    box.commit()
    box.recorder.close()
    rows = hourly(START - DAY, [n * 1.0 for n in range(30)])
    run(config, box.clock, series("pv_energy", rows))
    box.recorder = Recorder(box.path, box.clock, box.settings)
    box.recorder.open()
    box.wait(4 * 3600)
    box.commit()
    try:
        with box.reader() as reader:
            hours = reader.energy(START, START + 2 * HOUR_MS, "1h")
            points = reader.history("grid.import.energy", START, START + 2 * HOUR_MS, "30m").points
        assert sum(hour.import_wh for hour in hours) == pytest.approx(3600, abs=2)
        assert not any(value is None for _, value, _ in points)
    finally:
        box.close()


def test_a_later_import_that_leans_on_an_earlier_one_is_undone_first(home):
    config, clock = home
    one, _ = run(config, clock, series("linky_import", hourly(OWN - 2 * DAY, [float(n) for n in range(40)])))
    two, _ = run(config, clock, series("linky_import", hourly(OWN - 9 * DAY, [float(n) for n in range(40)])))
    with pytest.raises(FoyerError, match="leans"):
        undo(config, clock, one.id)
    undo(config, clock, two.id)
    undo(config, clock, one.id)
    with pytest.raises(FoyerError, match="no import"):
        undo(config, clock, one.id)


def test_a_running_gateway_is_not_written_under(home):
    config, clock = home
    rows = hourly(OWN - DAY, [1.0, 2.0])
    before = everything(config.measure_db, clock)
    with (config.state / "gateway.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(FoyerError, match="running"):
            run(config, clock, series("linky_import", rows))
    assert everything(config.measure_db, clock) == before
    assert journal.read(config.state) == []


def test_the_first_own_value_is_found_in_whatever_tier_holds_it(home):
    config, clock = home
    with Reader(config.measure_db, clock) as reader:
        assert first_value(reader, "grid.import.energy", clock.now()) == (OWN, 0)
        assert first_value(reader, "grid.import.apparent_power", clock.now()) == (START, 450)
        assert first_value(reader, "grid.voltage.l1", clock.now()) is None


def test_gaps_resets_and_impossible_values_are_told(home):
    config, clock = home
    rows = [*hourly(OWN - 9 * DAY, [1, 2, 3, 0, 1]), *hourly(OWN - 8 * DAY, [2, 3])]
    step = steps(config, clock, [one := series("linky_import", rows)], propose([one]))[0]
    told = look(step).as_json()
    assert (told["resets"], told["gaps"], told["gap_hours"]) == (1, 1, 20.0)
    assert told["energy_wh"] == 2000 + 1000 + 2000


@given(
    st.lists(
        st.tuples(
            st.text(max_size=20), st.sampled_from(["kWh", "W", "", "°C", "kW", "MWh"]), st.booleans() | st.none()
        ),
        max_size=12,
    )
)
def test_what_is_proposed_is_of_the_right_unit_and_each_signal_once(rows):
    found = [
        Series(f"{n} {name}", name, unit, counts, 1, lambda: iter(())) for n, (name, unit, counts) in enumerate(rows)
    ]
    targets = propose(found)
    signals = [target.signal for target in targets.values()]
    assert len(signals) == len(set(signals))
    assert all(target.kind.unit in ("Wh", "W") for target in targets.values())


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("linky", "SERIES=SIGNAL"),
        ("nothing=pv.energy", "There is: linky"),
        ("linky=pv.enrgy", "pv.energy"),
        ("linky=pv.power", "is in kWh"),
        ("linky=pv.state", "state"),
        ("linky=pv.energy:parsec", "not known"),
    ],
)
def test_a_wrong_map_is_said_in_one_sentence(given, word):
    with pytest.raises(FoyerError) as error:
        chosen([series("linky", [])], [given])
    assert word in error.value.say("en")


def test_two_series_cannot_become_one_signal():
    with pytest.raises(FoyerError, match="Two series"):
        chosen([series("a", []), series("b", [])], ["a=pv.energy", "b=pv.energy"])


# -- the command --


def call(*arguments):
    done = CliRunner().invoke(import_command, [str(one) for one in arguments], standalone_mode=False)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def ha(home, tmp_path):
    config, _ = home
    start = (OWN - 20 * DAY) // 1000
    home_assistant_db(
        tmp_path / "ha.db",
        [(1, start + n * 3600, n * 0.5, None, None) for n in range(24 * 25)]
        + [(2, start + n * 3600, None, None, 20.0) for n in range(24)],
        meta=(("sensor.linky_import", "kWh", 1, None), ("sensor.outside", "°C", 0, None)),
    )
    return config, tmp_path / "ha.db"


def test_a_dry_run_shows_and_writes_nothing(ha):
    config, file = ha
    before = config.measure_db.read_bytes()
    said = call("home-assistant", file, "--config", config.file).output
    assert "sensor.linky_import  →  grid.import.energy" in said
    assert "sensor.outside" in said
    assert "Nothing is written" in said
    assert config.measure_db.read_bytes() == before
    assert not (config.state / "imports.json").exists()


def test_a_written_import_is_listed_and_taken_out_by_the_commands(ha):
    config, file = ha
    told = json.loads(call("home-assistant", file, "--config", config.file, "--write", "--json").output)
    assert told["written"]
    assert told["series"][0]["energy_wh"] == pytest.approx(20 * 12_000, abs=1000)
    assert told["not_taken"] == [{"series": "sensor.outside", "name": "", "unit": "°C"}]
    listed = json.loads(call("list", "--config", config.file, "--json").output)
    assert [(one["id"], one["source"], one["files"]) for one in listed] == [(1, "home-assistant", ["ha.db"])]
    assert "grid.import.energy" in call("list", "--config", config.file).output
    call("undo", 1, "--config", config.file)
    assert call("list", "--config", config.file).output == "Nothing was imported.\n"


def test_feeds_of_emoncms_come_in_by_their_numbers(home, tmp_path):
    config, clock = home
    start = (OWN - 2 * DAY) // 1000
    (tmp_path / "7.meta").write_bytes(struct.pack("<4I", 0, 0, 10, start))
    values = [n / 100 if n % 500 else float("nan") for n in range(8640)]
    (tmp_path / "7.dat").write_bytes(struct.pack(f"<{len(values)}f", *values))
    assert call("emoncms", tmp_path / "7.dat", "--config", config.file).return_value == 1
    call("emoncms", tmp_path / "7.dat", "--config", config.file, "--map", "7=pv.energy:kWh", "--write")
    days = energy(config, clock, OWN - 2 * DAY + HOUR_MS, OWN - 2 * DAY + 2 * HOUR_MS, "1h")
    assert days[0].production_wh == pytest.approx(3600, abs=1)


def test_lines_of_influxdb_come_in(home, tmp_path):
    config, clock = home
    rows = [f"meter,site=a energy_kwh={n / 10} {(OWN - DAY + n * 60_000) * 1_000_000}" for n in range(1200)]
    (tmp_path / "x.txt").write_text("\n".join(rows))
    name = "meter,site=a/energy_kwh"
    call("influxdb", tmp_path / "x.txt", "--config", config.file, "--map", f"{name}=grid.export.energy", "--write")
    hour = energy(config, clock, OWN - DAY + HOUR_MS, OWN - DAY + 2 * HOUR_MS, "1h")[0]
    assert hour.export_wh == pytest.approx(6000, abs=1)


def test_a_note_that_cannot_be_read_is_said(home):
    config, _ = home
    (config.state / "imports.json").write_text("[{}]")
    with pytest.raises(FoyerError, match="cannot be read"):
        journal.read(config.state)
