"""The long-term statistics of Home Assistant: `statistics` and `statistics_meta` of `home-assistant_v2.db`, hourly.

A row's `sum` is what was counted up to the end of its hour, its `mean` that of the hour.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gateway.archive.imports.source import HOUR_MS, BadFile, Sample, Series, unreadable
from gateway.clock import UtcMs, from_datetime
from gateway.errors import Text

_META = ("id", "statistic_id", "unit_of_measurement", "has_sum", "name")
_FURTHEST_S = 4_102_444_800


def read(file: Path) -> list[Series]:
    """Return the series of a database of Home Assistant; raise BadFile when it is none."""
    with _opened(file) as database:
        columns = _columns(database, "statistics_meta")
        missing = [name for name in _META if name not in columns and name != "name"]
        rows_columns = _columns(database, "statistics")
        missing += [name for name in ("metadata_id", "sum", "state", "mean") if name not in rows_columns]
        if missing or not {"start", "start_ts"} & rows_columns:
            lost = missing[0] if missing else "start_ts"
            raise BadFile(
                file,
                Text(
                    f"ce n’est pas une base de Home Assistant, « {lost} » manque",
                    f"this is no database of Home Assistant, “{lost}” is missing",
                ),
            )
        name = "name" if "name" in columns else "NULL"
        rows = database.execute(
            f"SELECT id, statistic_id, unit_of_measurement, has_sum, {name} FROM statistics_meta ORDER BY statistic_id"  # noqa: S608 - a word of ours
        ).fetchall()
    moment = "coalesce(start_ts, start)" if {"start", "start_ts"} <= rows_columns else _only(rows_columns)
    return [_series(file, row, moment) for row in rows if row[1]]


def _only(columns: set[str]) -> str:
    return "start_ts" if "start_ts" in columns else "start"


def _series(file: Path, row: tuple[int, str, str | None, object, str | None], moment: str) -> Series:
    number, statistic, unit, has_sum, name = row
    counts = bool(has_sum)
    column = "coalesce(sum, state)" if counts else "mean"
    reader = partial(_samples, file, number, column, moment, HOUR_MS if counts else 0)
    return Series(str(statistic), str(name or ""), str(unit or ""), counts, HOUR_MS, reader)


def _samples(file: Path, number: int, column: str, moment: str, shift_ms: int) -> Iterator[Sample]:
    with _opened(file) as database:
        rows = database.execute(
            f"SELECT {moment}, {column} FROM statistics WHERE metadata_id = ? ORDER BY 1",  # noqa: S608 - words of ours
            (number,),
        )
        for at, value in rows:
            if isinstance(value, int | float):
                yield UtcMs(_start(file, at) + shift_ms), float(value)


def _start(file: Path, at: object) -> int:
    try:
        if isinstance(at, int | float) and 0 < at < _FURTHEST_S:
            return round(at * 1000)
        if isinstance(at, str):
            return from_datetime(datetime.fromisoformat(at).replace(tzinfo=UTC))
    except ValueError:
        pass
    raise BadFile(
        file, Text(f"statistics.start_ts : « {at} » n’est pas un instant", f"statistics.start_ts: “{at}” is no time")
    )


def _columns(database: sqlite3.Connection, table: str) -> set[str]:
    return {row[0] for row in database.execute("SELECT name FROM pragma_table_info(?)", (table,))}


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    try:
        with file.open("rb"):
            pass
        # a copy of the file may be in WAL mode with nothing beside it; it is never written to here
        mode = "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True)) as database:
            yield database
    except OSError as error:
        raise unreadable(file, error) from None
    except sqlite3.Error as error:
        raise BadFile(
            file, Text(f"n’est pas une base SQLite saine ({error})", f"is no sound SQLite file ({error})")
        ) from None
