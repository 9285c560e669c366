"""`home.db`: people, sessions, keys. The web process is its only writer, and the only one that migrates it.

Writes are rare (a sign-in, an hourly mark of a session), so each one is synced in full before it counts.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from gateway.errors import FoyerError, Text

BUSY_S = 10.0

_MEND = Text(
    "Restaurez une sauvegarde avec « foyer restore », ou renommez ce fichier pour repartir sans compte.",
    "Restore a backup with “foyer restore”, or rename this file to start again without an account.",
)


class HomeDb:
    """One connection, shared by the threads of the process one at a time. Raises FoyerError when it cannot be used."""

    def __init__(self, path: Path, migrations: Traversable | None = None) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._connection = self._open()
        try:
            self._migrate(migrations or files("web.migrations"))
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; nothing may be asked afterwards."""
        with self._lock:
            self._connection.close()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a SELECT."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def write(self, query: str, *values: Any) -> None:
        """Run one statement in a transaction of its own."""
        with self.transaction() as connection:
            connection.execute(query, values)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction that is kept if the block ends, and undone if it raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            _touch_private(self._path)
            connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from None
        try:
            # one plain file, whole after each commit: it can be copied, and read by the export, at any time
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error as error:
            connection.close()
            raise self._unusable(error) from None
        return connection

    def _unusable(self, error: Exception) -> FoyerError:
        return FoyerError(
            Text(f"{self._path} ne peut pas être utilisé ({error}).", f"{self._path} cannot be used ({error})."), _MEND
        )

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _migrate(self, migrations: Traversable) -> None:
        steps = sorted((one for one in migrations.iterdir() if one.name.endswith(".sql")), key=lambda one: one.name)
        if self._version() > len(steps):
            raise FoyerError(
                Text(
                    f"{self._path} a été écrit par une version plus récente de Foyer.",
                    f"{self._path} was written by a newer version of Foyer.",
                ),
                Text("Réinstallez la version récente.", "Install the newer version again."),
            )
        if 0 < self._version() < len(steps):
            self._back_up()
        for number, step in enumerate(steps, start=1):
            with self.transaction() as connection:
                # asked again inside the transaction: another process may have migrated in between
                if self._version() >= number:
                    continue
                for statement in _statements(step.read_text(encoding="utf-8")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")

    def _back_up(self) -> None:
        copy = self._path.with_name(f"{self._path.name}.v{self._version()}.bak")
        # under a name of its own first: another process may be doing the same
        fresh = copy.with_name(f".{copy.name}.{secrets.token_hex(4)}")
        _touch_private(fresh)
        self._connection.execute("VACUUM INTO ?", (str(fresh),))
        fresh.replace(copy)


def account_exists(path: Path) -> bool:
    """Tell, without writing, whether the home of this file has an account; used by `foyer pair`."""
    if not path.exists():
        return False
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=BUSY_S, uri=True)) as connection:
        try:
            return connection.execute("SELECT 1 FROM account LIMIT 1").fetchone() is not None
        except sqlite3.OperationalError:
            return False  # made, but not migrated yet


def _touch_private(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _statements(script: str) -> Iterator[str]:
    """Cut a script into its statements: `executescript` would end the transaction it runs in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
