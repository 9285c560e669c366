"""Opens the measurements for reading, whether the gateway is running, was killed, or stopped cleanly.

A file in WAL mode cannot be read by a process that may not write beside it once its `-wal` is gone (a clean stop);
it must then be opened as immutable. With a `-wal` beside it an immutable reading would be of older content. So the
choice is made again at each question, and a question that saw the writer come back is asked again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from gateway.clock import Clock
from gateway.errors import FoyerError, Text
from gateway.store.schema import newest_version, refuse_newer, version_of

_T = TypeVar("_T")
_TRIES = 5
_BUSY_S = 2.0

Signature = tuple[bool, tuple[int, ...]]
"""Whether there is a WAL, and what tells one state of the main file from another."""


class ReadOnly:
    """A connection that follows the file through stops, starts and replacements. Not to be shared between threads."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._wal = self._path.with_name(f"{self._path.name}-wal")
        self._connection: sqlite3.Connection | None = None
        self._opened: Signature | None = None
        self._immutable = False

    def ask(self, question: Callable[[sqlite3.Connection], _T], nothing: _T) -> _T:
        """Answer `question` from one consistent state of the file; `nothing` when there is no file, or an empty one.

        Raises Misconfigured for a file of a newer version, FoyerError for one that cannot be read.
        """
        for _ in range(_TRIES):
            signature = self._signature()
            if signature is None:
                self.close()
                return nothing
            try:
                connection = self._connect(signature)
                if version_of(connection) == 0:
                    self.close()
                    return nothing
                connection.execute("BEGIN")
                try:
                    answer = question(connection)
                finally:
                    connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                self.close()
                if self._signature() == signature:
                    raise _unreadable(self._path, error) from error
                continue
            if not self._immutable or self._signature() == signature:
                return answer
        raise _unreadable(self._path, sqlite3.OperationalError("the file changes all the time"))

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _signature(self) -> Signature | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - asked at each question
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(self._path, error) from error
        wal = self._wal.exists()
        # beside a WAL the main file changes at each checkpoint; SQLite follows that by itself
        moment = () if wal else (found.st_size, found.st_mtime_ns)
        return wal, (found.st_dev, found.st_ino, *moment)

    def _connect(self, signature: Signature) -> sqlite3.Connection:
        if self._connection is None or self._opened != signature:
            self.close()
            self._connection, self._immutable = self._open(wal=signature[0])
            self._opened = signature
            refuse_newer(self._path, version_of(self._connection), newest_version())
        return self._connection

    def _open(self, *, wal: bool) -> tuple[sqlite3.Connection, bool]:
        if not wal:
            return self._plain("mode=ro&immutable=1"), True
        connection = self._plain("mode=ro")
        try:
            version_of(connection)
        except sqlite3.OperationalError:
            connection.close()
            if not self._is_wal_empty():
                raise
            # an empty WAL left by a reader that outlived the writer adds nothing to the main file
            return self._plain("mode=ro&immutable=1"), True
        return connection, False

    def _plain(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{self._path.as_uri()}?{mode}", uri=True, isolation_level=None, timeout=_BUSY_S, check_same_thread=False
        )

    def _is_wal_empty(self) -> bool:
        try:
            return self._wal.stat().st_size == 0
        except FileNotFoundError:
            return True


def _unreadable(path: Path, error: Exception) -> FoyerError:
    return FoyerError(
        Text(
            f"Le fichier des mesures {path.name} ne peut pas être lu : {error}.",
            f"The measurements file {path.name} cannot be read: {error}.",
        ),
        Text(
            "Vérifiez le droit de lecture ; s’il est abîmé, la passerelle le remplacera.",
            "Check that it may be read; if it is damaged, the gateway will replace it.",
        ),
    )


class ReadSide:
    """What answers from the store through a connection of its own, until it is closed."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._file = ReadOnly(path)
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
