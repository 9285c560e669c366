import json
import logging
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.jobs import JOBS, Job, is_due, main, read_notes, write_notes
from analytics.store_check import quick_check
from gateway.clock import UtcMs, to_iso
from gateway.config import Config, Paths

NOW = UtcMs(1_780_000_000_000)
DAY_MS = 86_400_000
WEEKLY = Job("weekly", 7 * 86_400, 86_400, lambda _config: (True, "fine"))


class HandClock:
    def __init__(self, now=NOW):
        self.at = now

    def now(self):
        return self.at

    def monotonic(self):
        return self.at / 1000


@pytest.fixture
def config(tmp_path):
    return Config(file=tmp_path / "foyer.toml", paths=Paths(state="state", run="run"))


@pytest.fixture
def notes(config):
    return lambda: json.loads((config.state / "jobs.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _leave_the_log_alone(monkeypatch):
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)


def _make_database(path, rows=2000):
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("CREATE TABLE frame (t INTEGER PRIMARY KEY, power INTEGER)")
    db.executemany("INSERT INTO frame VALUES (?, ?)", ((n, n) for n in range(rows)))
    return db


def _damage(path):
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(content)


def test_a_job_that_never_ran_runs_and_is_noted(config, notes):
    assert main(config, HandClock(), [WEEKLY]) == 0

    assert notes() == {
        "weekly": {"at": to_iso(NOW), "ok": True, "detail": "fine", "next": to_iso(NOW + 7 * DAY_MS)},
    }


def test_a_job_waits_for_its_next_time(config):
    runs = []
    job = Job("weekly", 7 * 86_400, 86_400, lambda _config: runs.append(1) or (True, ""))
    clock = HandClock()

    for days in (0, 6.9, 7, 7.1, 14):
        clock.at = UtcMs(int(NOW + days * DAY_MS))
        main(config, clock, [job])

    assert len(runs) == 3


def test_a_failure_is_tried_again_sooner_than_a_success(config, notes):
    job = Job("weekly", 7 * 86_400, 86_400, lambda _config: (False, "a page is damaged"))

    assert main(config, HandClock(), [job]) == 1

    assert notes()["weekly"]["next"] == to_iso(NOW + DAY_MS)


def test_a_job_that_raises_never_stops_the_others(config, notes):
    def burst(_config):
        raise OSError("disk on fire")

    assert main(config, HandClock(), [Job("first", 60, 60, burst), WEEKLY]) == 1

    assert notes()["first"]["detail"] == "OSError: disk on fire"
    assert notes()["weekly"]["ok"] is True


def test_a_job_with_nothing_to_do_yet_is_not_noted(config):
    assert main(config, HandClock(), [Job("early", 60, 60, lambda _config: None)]) == 0

    assert not (config.state / "jobs.json").exists()


def test_a_next_time_noted_by_a_wrong_clock_does_not_put_a_job_off(config, notes):
    clock = HandClock(UtcMs(NOW + 3650 * DAY_MS))
    main(config, clock, [WEEKLY])

    clock.at = NOW
    main(config, clock, [WEEKLY])

    assert notes()["weekly"]["at"] == to_iso(NOW)


@pytest.mark.parametrize("note", [{}, {"next": None}, {"next": "soon"}, {"next": "2026-06-01T00:00:00"}])
def test_a_note_that_says_nothing_makes_the_job_due(note):
    assert is_due(WEEKLY, note, NOW)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"weekly": 1}'])
def test_a_damaged_file_of_notes_counts_as_none(tmp_path, content):
    path = tmp_path / "jobs.json"
    path.write_text(content)

    assert read_notes(path) == {}


@given(st.dictionaries(st.text(max_size=20), st.dictionaries(st.text(max_size=5), st.text() | st.booleans())))
def test_notes_come_back_as_they_were_written(tmp_path_factory, notes):
    path = tmp_path_factory.mktemp("notes") / "jobs.json"

    write_notes(path, notes)

    assert read_notes(path) == notes
    assert [one.name for one in path.parent.iterdir()] == ["jobs.json"]


def test_a_home_without_readings_has_nothing_to_check(config):
    assert main(config, HandClock(), JOBS) == 0
    assert read_notes(config.state / "jobs.json") == {}


def test_a_store_being_written_is_checked_with_what_its_log_holds(config, notes):
    with closing(_make_database(config.measure_db)):
        assert config.measure_db.with_name("measure.db-wal").exists()
        assert main(config, HandClock(), JOBS) == 0

    assert notes()["store-check"]["detail"] == "ok"


def test_a_store_at_rest_is_checked_without_leaving_a_trace(config):
    _make_database(config.measure_db).close()
    before = {one.name: one.read_bytes() for one in config.state.iterdir()}

    assert quick_check(config.measure_db) == (True, "ok")

    assert {one.name: one.read_bytes() for one in config.state.iterdir()} == before


def test_a_damaged_store_is_found(config, notes):
    _make_database(config.measure_db).close()
    _damage(config.measure_db)

    assert main(config, HandClock(), JOBS) == 1

    assert notes()["store-check"]["ok"] is False
    assert notes()["store-check"]["detail"] not in ("", "ok")


def test_a_file_that_is_no_database_is_a_finding_and_not_a_crash(config):
    config.state.mkdir()
    config.measure_db.write_bytes(b"\x00\x01" * 4096)

    ok, detail = quick_check(config.measure_db)

    assert (ok, detail) == (False, "file is not a database")


def test_a_path_with_odd_signs_is_still_the_same_file(tmp_path):
    path = tmp_path / "maison ?#% é" / "measure.db"
    _make_database(path, rows=1).close()

    assert quick_check(path) == (True, "ok")


@pytest.mark.servers
def test_the_process_runs_once_and_ends(config):
    config.file.write_text('[paths]\nstate = "state"\nrun = "run"\n')
    _make_database(config.measure_db).close()

    done = subprocess.run(
        [sys.executable, "-c", "from gateway.cli import main; main()", "run", "jobs", "--config", config.file],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert read_notes(config.state / "jobs.json")["store-check"]["ok"] is True
