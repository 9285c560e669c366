"""`foyer history`, as a person or a program runs it."""

import json

import pytest
from click.testing import CliRunner

from gateway.commands_history import history
from gateway.config import Store
from gateway.store.load import load_minutes
from tests.gateway.clocks import FakeClock

# 2026-03-28T23:00:00Z: midnight at home, before the day of 23 hours
MIDNIGHT = 1_774_738_800_000
MINUTE = 60_000


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    (tmp_path / "foyer.toml").write_text('[paths]\nstate = "."\nrun = "."\n', encoding="utf-8")
    minutes = [(MIDNIGHT + n * MINUTE, {"pv.power": n % 60, "grid.tariff.period": "hp"}) for n in range(2 * 1440)]
    clock = FakeClock(MIDNIGHT + 2880 * MINUTE)
    load_minutes(tmp_path / "measure.db", minutes, demo=True, clock=clock, settings=Store())
    return tmp_path / "foyer.toml"


def run(home, *arguments):
    return CliRunner().invoke(history, [*arguments, "--config", str(home)])


def test_json_has_the_shape_of_the_api(home):
    result = run(home, "pv.power", "--from", "2026-03-29", "--to", "2026-03-30", "--step", "1d", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "signal": "pv.power",
        "unit": "W",
        "step": "1d",
        "points": [["2026-03-28T23:00:00.000Z", 29.5, "measured"]],
    }


def test_a_day_of_23_hours_has_23_hours(home):
    result = run(home, "pv.power", "--from", "2026-03-29", "--to", "2026-03-30", "--step", "1h", "--format", "json")
    assert len(json.loads(result.stdout)["points"]) == 23


def test_csv_has_a_header_and_empty_gaps(home):
    result = run(home, "pv.power", "--from", "2026-03-28T23:00", "--to", "2026-03-29T01:00", "--format", "csv")
    lines = result.stdout.splitlines()
    assert lines[0] == "at,value,unit,quality"
    assert lines[1] == "2026-03-28T22:00:00.000Z,,W,stale"
    assert lines[3] == "2026-03-28T23:00:00.000Z,14.5,W,measured"


def test_text_is_in_the_time_of_the_home(home):
    result = run(home, "pv.power", "--from", "2026-03-29", "--to", "2026-03-30")
    assert result.stdout.splitlines()[0] == "2026-03-29 00:00:00+01:00  14.5 W"


def test_an_end_alone_means_the_day_before_it(home):
    result = run(home, "pv.power", "--to", "2026-03-30", "--step", "1h", "--json")
    assert json.loads(result.stdout)["points"][0][0] == "2026-03-28T23:00:00.000Z"


def test_an_offset_is_believed(home):
    result = run(home, "pv.power", "--from", "2026-03-29T00:00Z", "--to", "2026-03-29T01:00Z", "--step", "1h", "--json")
    assert json.loads(result.stdout)["points"][0][0] == "2026-03-29T00:00:00.000Z"


def test_a_state_has_its_changes(home):
    result = run(home, "grid.tariff.period", "--from", "2026-03-29", "--to", "2026-03-30", "--json")
    assert [value for _, value, _ in json.loads(result.stdout)["points"]] == ["hp"]


def test_a_long_past_may_be_had_minute_by_minute(home):
    result = run(home, "pv.power", "--from", "2026-03-20", "--to", "2026-03-31", "--step", "1m", "--json")
    assert len(json.loads(result.stdout)["points"]) > 5000


@pytest.mark.parametrize(
    "wrong", [["--from", "yesterday"], ["--from", "2026-03-30", "--to", "2026-03-29"], ["--step", "2h"]]
)
def test_wrong_use_is_exit_2(home, wrong):
    assert run(home, "pv.power", *wrong).exit_code == 2


def test_no_file_yet_is_no_error_and_is_said(home):
    (home.parent / "measure.db").unlink()
    result = run(home, "pv.power", "--step", "raw", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["points"] == []
    assert "No reading has been stored yet." in result.stderr
