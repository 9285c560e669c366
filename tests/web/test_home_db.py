import sqlite3
import stat
import threading
from contextlib import closing

import pytest

from gateway.errors import FoyerError
from web.home_db import HomeDb, account_exists


def steps(folder, *scripts):
    folder.mkdir(exist_ok=True)
    for number, script in enumerate(scripts, start=1):
        (folder / f"{number:04d}.sql").write_text(script)
    return folder


ONE = "-- a comment; with a semicolon\nCREATE TABLE a (x TEXT);\nINSERT INTO a VALUES ('one; two');\n"
TWO = "ALTER TABLE a ADD COLUMN y TEXT;\n"


def test_the_file_is_made_for_its_owner_alone(home):
    HomeDb(home / "state" / "home.db").close()

    assert stat.S_IMODE((home / "state" / "home.db").stat().st_mode) == 0o600


def test_each_migration_runs_once(home):
    folder = steps(home / "steps", ONE)
    HomeDb(home / "home.db", folder).close()
    with closing(HomeDb(home / "home.db", folder)) as db:
        assert db.rows("SELECT x FROM a") == [("one; two",)]


def test_a_backup_is_kept_before_an_older_file_is_migrated(home):
    HomeDb(home / "home.db", steps(home / "steps", ONE)).close()
    with closing(HomeDb(home / "home.db", steps(home / "steps", ONE, TWO))) as db:
        assert db.rows("SELECT x, y FROM a") == [("one; two", None)]
    with closing(sqlite3.connect(home / "home.db.v1.bak")) as kept:
        assert kept.execute("SELECT * FROM a").fetchall() == [("one; two",)]
    assert stat.S_IMODE((home / "home.db.v1.bak").stat().st_mode) == 0o600


def test_a_migration_that_fails_leaves_the_file_as_it_was(home):
    HomeDb(home / "home.db", steps(home / "steps", ONE)).close()
    with pytest.raises(sqlite3.OperationalError):
        HomeDb(home / "home.db", steps(home / "steps", ONE, "DELETE FROM a;\nNONSENSE;\n"))
    with closing(HomeDb(home / "home.db", steps(home / "steps", ONE, TWO))) as db:
        assert db.rows("SELECT x FROM a") == [("one; two",)]


def test_a_file_of_a_newer_version_is_refused(home):
    HomeDb(home / "home.db", steps(home / "steps", ONE, TWO)).close()
    (home / "steps" / "0002.sql").unlink()

    with pytest.raises(FoyerError, match="newer version"):
        HomeDb(home / "home.db", home / "steps")


def test_a_file_that_is_no_database_is_refused_with_a_mend(home):
    (home / "home.db").write_bytes(b"x" * 4096)

    with pytest.raises(FoyerError) as refusal:
        HomeDb(home / "home.db")
    assert "foyer restore" in refusal.value.mend.fr


def test_a_folder_in_place_of_the_file_is_refused(home):
    (home / "home.db").mkdir()

    with pytest.raises(FoyerError):
        HomeDb(home / "home.db")


def delete_then_fail(db):
    with db.transaction() as connection:
        connection.execute("DELETE FROM a")
        connection.execute("NONSENSE")


def test_what_fails_inside_a_transaction_is_undone(home):
    with closing(HomeDb(home / "home.db", steps(home / "steps", ONE))) as db:
        with pytest.raises(sqlite3.OperationalError):
            delete_then_fail(db)
        assert db.rows("SELECT count(*) FROM a") == [(1,)]


def test_threads_may_write_at_once(home):
    with closing(HomeDb(home / "home.db", steps(home / "steps", ONE))) as db:
        threads = [
            threading.Thread(target=lambda: [db.write("INSERT INTO a VALUES ('x')") for _ in range(20)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert db.rows("SELECT count(*) FROM a") == [(161,)]


def test_two_processes_may_migrate_at_once(home):
    folder, failures = steps(home / "steps", ONE, TWO), []

    def migrate():
        try:
            HomeDb(home / "home.db", folder).close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_home_without_a_file_or_without_tables_has_no_account(home):
    assert not account_exists(home / "home.db")
    (home / "home.db").touch()
    assert not account_exists(home / "home.db")
