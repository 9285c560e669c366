"""Files of earlier versions become files of this one, or stay as they were."""

import sqlite3
from pathlib import Path

import pytest

from gateway.config import Store
from gateway.errors import Misconfigured
from gateway.store.read import Reader
from gateway.store.schema import Migration, migrations, open_for_writing
from tests.gateway.clocks import FakeClock
from tests.gateway.store.simulated import HOUR, LINKY, START, Box

STORED = Path(__file__).parents[2] / "data" / "store"


@pytest.fixture
def first_version(tmp_path):
    """Return a file as the first version wrote it: two hours of a meter, the first one rolled up."""
    connection = sqlite3.connect(tmp_path / "measure.db")
    connection.executescript((STORED / "v1.sql").read_text(encoding="utf-8"))
    connection.close()
    return tmp_path / "measure.db"


def test_a_file_of_the_first_version_is_read(first_version):
    clock = FakeClock(START + 2 * HOUR)
    with Reader(first_version, clock) as reader:
        assert reader.info().signals == ["grid.import.energy", "grid.tariff.period"]
        assert [one.import_wh for one in reader.energy(START, START + 2 * HOUR, "1h")] == [3600, 3540]
        assert reader.history("grid.tariff.period", START, START + HOUR, "1h").points[0][1] == "hp"


def test_a_file_of_the_first_version_is_written_on(first_version):
    box = Box(first_version.parent, start=START + 2 * HOUR)
    box.say(LINKY, {"grid.import.energy": 8200})
    box.commit()
    with Reader(first_version, box.clock) as reader:
        assert [one.import_wh for one in reader.energy(START, START + 3 * HOUR, "1h")] == [3600, 3600, 0]
    box.close()


def test_steps_are_numbered_one_by_one():
    assert [step.version for step in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_step_is_taken_once_and_a_copy_of_the_older_file_is_kept(first_version):
    steps = [*migrations(), Migration(len(migrations()) + 1, "ALTER TABLE series ADD COLUMN note TEXT;\n")]
    clock = FakeClock(START)
    for _ in range(2):
        connection = open_for_writing(first_version, clock, steps)
        assert connection.execute("PRAGMA user_version").fetchone() == (steps[-1].version,)
        assert connection.execute("SELECT note FROM series").fetchall() == [(None,), (None,)]
        connection.close()
    copies = list(first_version.parent.glob("measure.db.before-v*"))
    assert [copy.name for copy in copies] == ["measure.db.before-v2-20260621T100000Z"]
    with Reader(copies[0], clock) as reader:
        assert reader.info().first == START


def test_a_step_that_fails_leaves_the_file_as_it_was(first_version):
    broken = Migration(len(migrations()) + 1, "CREATE TABLE extra (one);\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(sqlite3.OperationalError):
        open_for_writing(first_version, FakeClock(START), [*migrations(), broken])
    connection = sqlite3.connect(first_version)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(migrations()),)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)
    connection.close()


def test_a_file_of_a_later_version_is_left_alone(first_version):
    connection = sqlite3.connect(first_version)
    connection.execute("PRAGMA user_version=42")
    connection.close()
    before = first_version.read_bytes()
    with pytest.raises(Misconfigured, match="newer version"):
        Box(first_version.parent, settings=Store())
    assert first_version.read_bytes() == before
