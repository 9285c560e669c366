"""What the home's other files hold, as plain data: settings, envelopes, notes. Never an account, a session or a key."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import sqlite3
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from gateway.archive.backup import copy_database
from gateway.archive.manifest import MEASURES, kept_files
from gateway.config import Config

_PEOPLE = {"account", "session", "app_key", "attempt"}
_SECRET = re.compile(r"password|token|secret|key|hash", re.IGNORECASE)


def home_data(config: Config) -> dict[str, Any]:
    """Return `{"config": the TOML tables, "files": {name: content}, "databases": {name: {table: [rows]}}}`.

    A file that this user may not read is named in `not_readable`.
    """
    found: dict[str, Any] = {"config": _toml(config.file), "files": {}, "databases": {}, "not_readable": []}
    for path in kept_files(config.state):
        try:
            if path.suffix == ".toml":
                found["files"][path.name] = _toml(path)
            elif path.suffix == ".json":
                found["files"][path.name] = json.loads(path.read_text(encoding="utf-8"))
            elif path.name != MEASURES:
                found["databases"][path.name] = _tables(path)
        except (OSError, sqlite3.Error, ValueError):
            found["not_readable"].append(path.name)
    return found


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _tables(path: Path) -> dict[str, list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy_database(path, copy)
        with contextlib.closing(sqlite3.connect(copy)) as database:
            names = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            kept = [name for name in sorted(names) if name not in _PEOPLE and not name.startswith("sqlite_")]
            return {name: _rows(database, name) for name in kept}


def _rows(database: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    quoted = table.replace('"', '""')
    cursor = database.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - the database's own name, quoted
    names = [column[0] for column in cursor.description]
    return [
        {name: _plain(value) for name, value in zip(names, row, strict=True) if not _SECRET.search(name)}
        for row in cursor
    ]


def _plain(value: Any) -> Any:
    """Return a value that JSON has: bytes as their text, or in base64 where they are none."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}
