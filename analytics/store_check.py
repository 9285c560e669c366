"""The weekly look at the store: SQLite's own quick check of `measure.db`, without ever writing to it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import quote

_SHOWN = 3  # faults that the report repeats; the first tells enough


def quick_check(path: Path) -> tuple[bool, str] | None:
    """Return whether the database is whole and SQLite's own words on it, or None when there is no database yet."""
    if not path.exists():
        return None
    alive = _wal(path).exists()
    result = _check(path, "mode=ro" if alive else "immutable=1")
    if not result[0] and not alive and _wal(path).exists():
        # The gateway began to write under a connection that was told nobody would: only now is the answer a fair one.
        result = _check(path, "mode=ro")
    return result


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _check(path: Path, how: str) -> tuple[bool, str]:
    """Open as the write-ahead log asks: beside one, `mode=ro` reads it too; with none, only `immutable=1` can open a
    database that this process may not write.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True)) as db:
            found = [str(row[0]) for row in db.execute(f"PRAGMA quick_check({_SHOWN})")]
    except sqlite3.Error as error:
        return False, str(error)
    return found == ["ok"], "; ".join(found)
