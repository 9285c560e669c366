"""The nightly backup: once a night, when its disk is there; one that is missing is a problem the third night."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from analytics import jobs
from analytics.nightly_backup import is_there, night_of, nightly_backup
from gateway import config as configuration
from gateway.archive import crypt
from gateway.archive.reading import verify
from gateway.clock import from_datetime
from tests.gateway.clocks import FakeClock

PARIS = ZoneInfo("Europe/Paris")
DAY_S = 86_400


@pytest.fixture(autouse=True)
def _light(monkeypatch):
    monkeypatch.setattr(crypt.Encrypter.__init__, "__defaults__", (4,))


@pytest.fixture
def home(tmp_path):
    (tmp_path / "stick").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "phrase").write_text("sept tasses bleues\n")
    (tmp_path / "phrase").chmod(0o600)
    (tmp_path / "foyer.toml").write_text(
        '[home]\nlanguage = "en"\n[paths]\nstate = "state"\nrun = "run"\n'
        '[backup]\nfolder = "stick"\nkeep = 3\nphrase_file = "phrase"\n'
    )
    return configuration.load(tmp_path / "foyer.toml")


def at(text):
    return FakeClock(from_datetime(datetime.fromisoformat(text).replace(tzinfo=PARIS)))


def names(config):
    return sorted(path.name for path in (config.file.parent / "stick").iterdir())


def test_a_backup_is_made_once_a_night_and_opens_with_the_phrase(home):
    clock = at("2026-06-21T03:00")
    assert nightly_backup(home, clock) == (True, "Backup made: foyer-2026-06-21.age.")
    assert nightly_backup(home, clock) is None
    assert nightly_backup(home, at("2026-06-22T02:29")) is None
    assert nightly_backup(home, at("2026-06-22T02:31"))[0]
    assert verify(home.file.parent / "stick" / "foyer-2026-06-21.age", "sept tasses bleues").home == "Ma maison"


def test_a_box_that_was_off_at_night_does_it_when_it_is_on_again(home):
    assert nightly_backup(home, at("2026-06-21T17:45"))[0]
    assert names(home) == ["foyer-2026-06-21.age"]


def test_the_last_ones_are_kept_and_nothing_else_is_touched(home):
    (home.file.parent / "stick" / "foyer-mine.age").write_text("mine")
    clock = at("2026-06-21T03:00")
    for _ in range(5):
        assert nightly_backup(home, clock)[0]
        clock.pass_s(DAY_S)
    assert names(home) == ["foyer-2026-06-23.age", "foyer-2026-06-24.age", "foyer-2026-06-25.age", "foyer-mine.age"]


@pytest.mark.parametrize("was_made", [True, False])
def test_a_missing_disk_is_a_word_at_first_and_a_problem_the_third_night(home, was_made):
    clock = at("2026-06-20T03:00")
    if was_made:
        assert nightly_backup(home, clock)[0]
    absent = replace(home, backup=replace(home.backup, folder="gone"))
    said = []
    for _ in range(3):
        clock.pass_s(DAY_S)
        said.append(nightly_backup(absent, clock))
        assert nightly_backup(absent, clock) == said[-1]
    assert [well for well, _ in said] == [True, True, False]
    assert said[2][1].endswith("Nights without a backup: 3.")
    assert nightly_backup(home, clock)[0]
    assert not (home.file.parent / "gone").exists()


def test_an_empty_mount_point_is_no_disk(monkeypatch, tmp_path):
    monkeypatch.setattr("analytics.nightly_backup._STICKS", (tmp_path,))
    stick = tmp_path / "stick"
    (stick / "foyer").mkdir(parents=True)
    assert not is_there(stick)
    assert not is_there(stick / "foyer")
    monkeypatch.setattr(Path, "is_mount", lambda self: self == stick)
    assert is_there(stick / "foyer")


def test_a_phrase_that_others_can_read_is_a_problem_at_once(home):
    (home.file.parent / "phrase").chmod(0o644)
    well, said = nightly_backup(home, at("2026-06-21T03:00"))
    assert not well
    assert "chmod 600" in said


def test_a_file_that_may_not_be_read_is_left_out_and_named(home, monkeypatch):
    (home.state / "home.db").write_bytes(b"")
    monkeypatch.setattr("analytics.nightly_backup.os.access", lambda path, _: path.name != "home.db")
    assert "Without home.db" in nightly_backup(home, at("2026-06-21T03:00"))[1]


def test_without_the_table_nothing_is_done(home):
    assert nightly_backup(replace(home, backup=None)) is None


def test_a_broken_note_is_as_good_as_none(home):
    (home.state / "nightly_backup.json").write_text("[")
    assert nightly_backup(home, at("2026-06-21T03:00"))[0]


@pytest.mark.parametrize(
    ("now", "night"),
    [("2026-03-29T02:31", "2026-03-29"), ("2026-10-25T02:29", "2026-10-24"), ("2026-01-01T00:10", "2025-12-31")],
)
def test_a_night_begins_at_half_past_two(now, night):
    assert night_of(at(now), PARIS).isoformat() == night


def test_the_job_notes_what_happened(home):
    job = next(job for job in jobs.JOBS if job.id == "backup")
    assert jobs.main(home, FakeClock(), [job]) == 0
    note = json.loads((home.state / "jobs.json").read_text())["backup"]
    assert note["ok"]
    assert note["detail"].startswith("Backup made")
