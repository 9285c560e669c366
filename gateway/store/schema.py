"""The database file: how it is opened for writing, and how an older one becomes a newer one.

Migrations are the numbered SQL files of `migrations/`; `PRAGMA user_version` says how many of them a file has had.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from gateway.clock import Clock, to_datetime
from gateway.errors import Misconfigured, Text

MINUTE_MS = 60_000
HALF_HOUR_MS = 30 * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS

_TIERS = ("raw_table", "m1", "m30", "change", "quality", "segment")
TABLES = frozenset({"meta", "series", "dirty", "memory", "arrival", "spool", "undated", *_TIERS})

PAGE_BYTES = 1024
"""Each commit rewrites a page or two of every table it touches: small pages halve the wear of a card."""

_WAL_PAGES = 8_192
"""Pages go from the WAL to the file every few hours: what is used again in between is written there once. A longer WAL
would save more, but growing it after each start costs the file system's journal more than that."""

_WAL_SPARE_PAGES = 1_024
_FRAME_BYTES = 24
_ROOM = 16
"""The WAL gets its full length at once only on a disk that has this many times as much room."""

_BUSY_MS = 5_000
_CACHE_KIB = 2_048
_WAL_LIMIT = 16 * 1024 * 1024  # a WAL grown by one long catch-up shrinks again


class Migration(NamedTuple):
    """One step: the version it leads to, and its SQL."""

    version: int
    sql: str


def migrations() -> list[Migration]:
    """Return every step this version of Foyer knows, in order."""
    folder = resources.files(__package__) / "migrations"
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".sql")), key=lambda one: one.name)
    return [Migration(int(one.name.partition("_")[0]), one.read_text(encoding="utf-8")) for one in files]


@cache
def newest_version() -> int:
    """Return the version of the files that this version of Foyer writes."""
    return migrations()[-1].version


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of an open file; 0 is a file without a schema."""
    row = connection.execute("PRAGMA user_version").fetchone()
    return int(row[0])


def refuse_newer(path: Path, found: int, known: int) -> None:
    """Raise Misconfigured when a file was written by a later Foyer than this one."""
    if found > known:
        raise Misconfigured(
            Text(
                f"Le fichier des mesures {path} vient d’une version plus récente de Foyer ({found}, connue : {known}).",
                f"The measurements file {path} comes from a newer version of Foyer ({found}, known: {known}).",
            ),
            Text(
                "Mettez Foyer à jour, ou remettez la sauvegarde faite avant la mise à jour.",
                "Update Foyer, or put back the backup made before the update.",
            ),
        )


def stamp(clock: Clock) -> str:
    """Return the time as it stands in the name of a file kept aside."""
    return to_datetime(clock.now()).strftime("%Y%m%dT%H%M%SZ")


def open_for_writing(path: Path, clock: Clock, steps: list[Migration] | None = None) -> sqlite3.Connection:
    """Open, make or migrate the file and return its one writing connection (no implicit transactions).

    Raises Misconfigured for a newer file, sqlite3.Error or OSError when the disk or the file does not let us.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000)
    due = migrations() if steps is None else steps
    try:
        # before anything that changes the file, be it only its journal
        refuse_newer(path, version_of(connection), due[-1].version)
        prepare(connection)
        migrate(connection, path, clock, due)
        check_schema(connection)
        _lengthen_wal(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Set what makes a power cut harmless: WAL, and a sync at each commit."""
    connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    connection.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT}")
    connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
    # Debian's SQLite writes zeros over what is deleted, by default: as much wear again as recording itself
    connection.execute("PRAGMA secure_delete=OFF")


def check_schema(connection: sqlite3.Connection) -> None:
    """Look whether every table is there, and forget raw tables that are listed and are not.

    Raises sqlite3.DatabaseError, as SQLite does for a damaged file, when one is missing. The last rows of each table
    are read when the writer resumes; the whole file is checked once a week, by the jobs.
    """
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if missing := TABLES - there:
        error = sqlite3.DatabaseError(f"missing tables: {', '.join(sorted(missing))}")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error
    listed = {name for (name,) in connection.execute("SELECT name FROM raw_table")}
    connection.executemany("DELETE FROM raw_table WHERE name = ?", [(name,) for name in listed - there])


def _lengthen_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Give the WAL the length it will have: a file that grows with each commit has the file system's journal written
    with each commit too, some twenty megabytes until it stops growing. Zeros are no frames to SQLite.
    """
    wal = path.with_name(f"{path.name}-wal")
    page = connection.execute("PRAGMA page_size").fetchone()[0]
    whole = min((_WAL_PAGES + _WAL_SPARE_PAGES) * (page + _FRAME_BYTES), _WAL_LIMIT)
    try:
        missing = whole - wal.stat().st_size
        disk = os.statvfs(path.parent)
        if missing > 0 and disk.f_bavail * disk.f_frsize > _ROOM * whole:
            with wal.open("ab") as file:
                file.write(bytes(missing))
                file.flush()
                os.fsync(file.fileno())
    except OSError:
        return  # a shorter WAL is slower, no more


def migrate(connection: sqlite3.Connection, path: Path, clock: Clock, steps: list[Migration]) -> None:
    """Bring an open file to the last of `steps`; each step is one transaction, a backup comes before the first."""
    found = version_of(connection)
    due = [step for step in steps if step.version > found]
    if due and found:
        _back_up(connection, path, found, clock)
    for step in due:
        with transaction(connection):
            for statement in _statements(step.sql):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={step.version}")


def _back_up(connection: sqlite3.Connection, path: Path, version: int, clock: Clock) -> None:
    """Keep the file as it was beside the one about to change; one such copy is enough."""
    older = list(path.parent.glob(f"{path.name}.before-v*"))
    target = path.with_name(f"{path.name}.before-v{version + 1}-{stamp(clock)}")
    connection.execute("VACUUM INTO ?", (os.fspath(target),))
    for file in older:
        if file != target:
            file.unlink()


def _statements(sql: str) -> Iterator[str]:
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending


class transaction:  # noqa: N801 - reads as a keyword where it is used
    """`with transaction(connection):` commits at the end, rolls back on any error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        del rest
        if kind is None:
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        # a full disk may have rolled back by itself already
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
