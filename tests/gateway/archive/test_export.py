"""What is exported is what the store says, in every format, and nothing of an account is in it."""

import contextlib
import csv
import importlib
import io
import json
import sqlite3
import sys
import tracemalloc
import zipfile
from datetime import datetime

import duckdb
import pytest

from gateway import config as configuration
from gateway.archive.export import Span, export, file_name, points
from gateway.clock import from_datetime
from gateway.config import Store
from gateway.errors import FoyerError
from gateway.signals import Kind, find
from gateway.store.load import load_minutes
from gateway.store.read import Reader, Step
from gateway.store.steps import zone_of
from tests.gateway.clocks import FakeClock
from tests.gateway.store.simulated import DAY, START

PARIS = zone_of("Europe/Paris")


def rows(archive, name):
    with archive.open(name) as file:
        return list(csv.DictReader(io.TextIOWrapper(file, "utf-8", newline="")))


def known(config, clock, signal, step):
    with Reader(config.measure_db, clock) as reader:
        info = reader.info()
        found = reader.history(signal, info.first, info.last + 1, step, limit=None).points
    # a state says when it becomes unknown; a measure that is unknown has no row
    return [point for point in found if point[1] is not None or find(signal).kind is Kind.STATE]


@pytest.mark.parametrize("step", ["raw", "1m", "30m", "1h", "1d", "1mo"])
def test_the_tables_hold_exactly_what_the_store_says(home, tmp_path, step):
    config, clock = home
    made = export(config, tmp_path / "e.zip", clock, step=step)
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        for signal, count in made.rows.items():
            expected = known(config, clock, signal, step)
            name = file_name(signal, "fr")
            found = rows(archive, f"csv/{name}.csv")
            assert [from_datetime(datetime.fromisoformat(row["at_utc"])) for row in found] == [
                at for at, _, _ in expected
            ]
            assert [row["at_utc"] for row in found] == [
                row["at_utc"]
                for row in found
                if datetime.fromisoformat(row["at_local"])
                == datetime.fromisoformat(row["at_utc"]).replace(microsecond=0)
            ]
            texts = [row["value"] for row in found]
            assert texts == ["" if value is None else str(value) for _, value, _ in expected]
            assert [row["quality"] for row in found] == [quality.value for _, _, quality in expected]
            assert count == len(expected)
            (tmp_path / "t.parquet").write_bytes(archive.read(f"parquet/{name}.parquet"))
            with contextlib.closing(duckdb.connect()) as db:
                table = db.execute(
                    f"SELECT epoch_ms(at_utc), value, quality FROM '{tmp_path / 't.parquet'}' ORDER BY at_utc"
                ).fetchall()
            assert table == [(at, value, quality.value) for at, value, quality in expected]


def test_sums_of_energy_and_days_agree_with_the_store(home, tmp_path):
    config, clock = home
    export(config, tmp_path / "e.zip", clock)
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        days = rows(archive, "csv/energy-by-day.csv")
    with Reader(config.measure_db, clock) as reader:
        info = reader.info()
        expected = reader.energy(info.first, info.last + 1, "1d")
    assert len(days) == len(expected)
    total = sum(float(day["import_wh"] or 0) for day in days)
    assert total == sum(day.import_wh or 0 for day in expected) > 0
    assert [day["self_sufficiency"] for day in days] == [
        "" if day.self_sufficiency is None else str(day.self_sufficiency) for day in expected
    ]


def test_the_page_of_an_export_explains_it_in_both_languages(home, tmp_path):
    config, clock = home
    export(config, tmp_path / "e.zip", clock, language="en")
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        assert archive.testzip() is None
        french, english = archive.read("LISEZ-MOI.txt").decode(), archive.read("README.txt").decode()
        names = archive.namelist()
    assert "Chez Ève" in french
    assert "Europe/Paris" in english
    assert "csv/energy-bought__grid.import.energy.csv" in names
    for name in names:
        if name.startswith("csv/") and "__" in name:
            stem = name.removeprefix("csv/").removesuffix(".csv")
            assert stem in french
            assert stem in english


def test_no_account_no_key_and_no_phrase_is_exported(home, tmp_path):
    config, clock = home
    export(config, tmp_path / "e.zip", clock)
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        text = archive.read("home.json").decode()
        found = json.loads(text)
    assert "scrypt" not in text
    assert "eve" not in text
    assert found["databases"]["home.db"].keys().isdisjoint({"account", "session", "app_key", "attempt"})
    envelope, other = found["databases"]["outbox.db"]["envelope"]
    assert (envelope["payload"], other["payload"]) == ('{"kwh": 3}', {"base64": "/wA="})
    assert found["config"]["home"]["name"] == "Chez Ève"
    assert found["files"]["wizard.toml"]["home"]["latitude"] == 45.5


def test_a_part_can_be_asked_for(home, tmp_path):
    config, clock = home
    made = export(config, tmp_path / "e.zip", clock, since=START - 3 * DAY, until=START - 2 * DAY, step="30m")
    assert made.rows["pv.power"] == 48 - 2 * 1 or made.rows["pv.power"] <= 48
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        found = rows(archive, f"csv/{file_name('pv.power', 'fr')}.csv")
    assert found[0]["at_utc"].startswith("2026-06-18T10:00")
    assert found[-1]["at_utc"].startswith("2026-06-19T09:30")


def test_without_the_library_there_is_csv_only_and_the_page_says_so(home, tmp_path, monkeypatch):
    config, clock = home
    monkeypatch.setitem(sys.modules, "duckdb", None)
    made = export(config, tmp_path / "e.zip", clock)
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        assert not any(name.startswith("parquet/") for name in archive.namelist())
        assert "DuckDB" in archive.read("README.txt").decode()
    assert not made.parquet


def test_an_existing_file_is_never_written_over_by_an_export(home, tmp_path):
    config, clock = home
    (tmp_path / "e.zip").write_text("mine")
    with pytest.raises(FoyerError, match="exists already"):
        export(config, tmp_path / "e.zip", clock)
    assert (tmp_path / "e.zip").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.zip", "home"]


def test_an_empty_home_exports_its_settings(tmp_path):
    (tmp_path / "foyer.toml").write_text('[paths]\nstate = "state"\nrun = "run"\n')
    export(configuration.load(tmp_path / "foyer.toml"), tmp_path / "e.zip", FakeClock())
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        assert "home.json" in archive.namelist()


def test_the_hour_that_comes_twice_is_told_apart(tmp_path):
    clock = FakeClock(1_792_962_000_000)  # 2026-10-25T21:00Z, the day of the change
    first = clock.now() - DAY
    minutes = ((at, {"grid.import.power": at // 60_000 % 97}) for at in range(first, clock.now(), 60_000))
    load_minutes(tmp_path / "measure.db", minutes, demo=False, clock=clock, settings=Store())
    span = Span(first, clock.now(), Step.HALF_HOUR, PARIS)
    with Reader(tmp_path / "measure.db", clock) as reader:
        found = [at for at, _, _ in points(reader, "grid.import.power", span)]
    assert found == list(range(first, clock.now(), 1_800_000))


def test_years_need_no_more_memory_than_a_month(tmp_path):
    clock = FakeClock(START)
    (tmp_path / "foyer.toml").write_text('[paths]\nstate = "state"\nrun = "run"\n')
    minutes = ((at, {"pv.power": 7}) for at in range(START - 900 * DAY, START, 1_800_000))
    load_minutes(tmp_path / "state" / "measure.db", minutes, demo=False, clock=clock, settings=Store())
    config = configuration.load(tmp_path / "foyer.toml")
    importlib.import_module("duckdb")
    tracemalloc.start()
    try:
        made = export(config, tmp_path / "e.zip", clock)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert made.rows["pv.power"] == 900 * 48
    assert peak < 8_000_000


def test_a_database_that_may_not_be_read_is_named(home, tmp_path, monkeypatch):
    config, clock = home
    config.home_db.unlink()
    with contextlib.closing(sqlite3.connect(config.home_db)) as database:
        database.execute("CREATE TABLE t (a)")
    config.home_db.write_bytes(config.home_db.read_bytes()[:50])
    export(config, tmp_path / "e.zip", clock)
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        assert json.loads(archive.read("home.json"))["not_readable"] == ["home.db"]
