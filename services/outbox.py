"""The outbox: what would leave the home, envelope by envelope. Services put; the courier alone marks.

Several processes write this one file, so it keeps a rollback journal that is emptied and not deleted: each of them can
go on with a journal that another has made.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.clock import UtcMs
from gateway.errors import Misconfigured, Text

_MIGRATIONS = (
    """
    CREATE TABLE envelope (
        id INTEGER PRIMARY KEY,
        recipient TEXT NOT NULL,
        purpose TEXT NOT NULL,
        payload BLOB NOT NULL,
        schema TEXT NOT NULL,
        consent_id TEXT,
        created INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'refused')),
        sent_at INTEGER,
        answer TEXT
    ) STRICT;
    CREATE INDEX envelope_waiting ON envelope (id) WHERE state = 'waiting';
    """,
)
_BUSY_S = 10.0


class State(StrEnum):
    """What became of an envelope. `answer` says why it was refused, or what the recipient replied."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Something to be sent: the exact bytes, to whom, what for, in which format, and the consent that allows it."""

    recipient: str
    purpose: str
    payload: bytes
    schema: str
    consent_id: str | None = None


class Outbox:
    """The outbox of a home. Made on first use; closed by `close` or at the end of a `with`."""

    def __init__(self, path: Path) -> None:
        # SQLite makes files of mode 0644 at most; the group of the box has to write this one (the umask still decides).
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660))
        self._db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S)
        try:
            self._db.execute("PRAGMA journal_mode=TRUNCATE")
            self._db.execute("PRAGMA synchronous=FULL")
            self._migrate(path)
        except BaseException:
            self._db.close()
            raise

    def _migrate(self, path: Path) -> None:
        """Bring the tables to this version, all steps or none."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for migration in _MIGRATIONS[self._table_version(path) :]:
                for statement in filter(str.strip, migration.split(";")):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def _table_version(self, path: Path) -> int:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        assert isinstance(version, int)
        if version > len(_MIGRATIONS):
            raise Misconfigured(
                Text(
                    f"{path} a été écrit par une version plus récente de Foyer.",
                    f"{path} was written by a newer version of Foyer.",
                ),
                Text("Revenez à cette version, ou mettez ce fichier de côté.", "Use that version, or set it aside."),
            )
        return version

    def put(self, envelope: Envelope, created: UtcMs) -> int:
        """Add an envelope, waiting; return its number."""
        cursor = self._db.execute(
            "INSERT INTO envelope (recipient, purpose, payload, schema, consent_id, created) VALUES (?, ?, ?, ?, ?, ?)",
            (
                envelope.recipient,
                envelope.purpose,
                envelope.payload,
                envelope.schema,
                envelope.consent_id,
                created,
            ),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def waiting(self) -> list[tuple[int, Envelope]]:
        """Return the envelopes that nobody has decided on, oldest first, with their numbers."""
        rows = self._db.execute(
            "SELECT id, recipient, purpose, payload, schema, consent_id"
            " FROM envelope WHERE state = 'waiting' ORDER BY id"
        )
        return [(number, Envelope(*rest)) for number, *rest in rows]

    def refuse(self, number: int, reason: str) -> None:
        """Mark a waiting envelope as refused, with the reason; any other is left as it is."""
        self._db.execute(
            "UPDATE envelope SET state = 'refused', answer = ? WHERE id = ? AND state = 'waiting'", (reason, number)
        )

    def state(self, number: int) -> tuple[State, str | None]:
        """Return what became of an envelope, and the answer or reason; an unknown number raises KeyError."""
        row = self._db.execute("SELECT state, answer FROM envelope WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise KeyError(number)
        return State(row[0]), row[1]

    def version(self) -> int:
        """Return a number that differs once another connection has written to the file (cheap: one page read)."""
        (number,) = self._db.execute("PRAGMA data_version").fetchone()
        assert isinstance(number, int)
        return number

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
