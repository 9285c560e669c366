"""Parquet by DuckDB, when that is installed: `pip install foyer[export]`. Imported here alone, and only on demand."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_MEMORY = "150MB"


class Converter:
    """Turns the CSV tables of an export into Parquet files, beside them."""

    def __init__(self, connection: Any, folder: Path) -> None:
        self._connection = connection
        self._folder = folder

    def convert(self, table: Path, *, is_text: bool) -> Path:
        """Return the Parquet file of a table: `at_utc`, `value` (number or text), `unit` and `quality`."""
        made = self._folder / "table.parquet"
        kind = "VARCHAR" if is_text else "DOUBLE"
        columns = (
            "{'at_utc': 'TIMESTAMPTZ', 'at_local': 'VARCHAR', 'value': ?, 'unit': 'VARCHAR', 'quality': 'VARCHAR'}"
        )
        # names of our own making: a COPY takes no parameter in place of a file
        self._connection.execute(
            f"COPY (SELECT at_utc, value, unit, quality FROM read_csv({_text(table)}, header=true, "  # noqa: S608
            f"columns={columns.replace('?', _text(kind))})) TO {_text(made)} (FORMAT parquet, COMPRESSION zstd)"
        )
        return made


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


@contextlib.contextmanager
def converter(folder: Path) -> Iterator[Converter | None]:
    """Give a converter that works in `folder`, or None when DuckDB is not installed."""
    try:
        duckdb = importlib.import_module("duckdb")
    except ImportError:
        yield None
        return
    settings = {
        "memory_limit": _MEMORY,
        "threads": "1",
        "temp_directory": str(folder),
        # it would look for more of itself on the Internet
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with contextlib.closing(duckdb.connect(":memory:", config=settings)) as connection:
        yield Converter(connection, folder)
