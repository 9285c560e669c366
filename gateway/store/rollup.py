"""Closes hours: makes the one-minute and half-hour buckets from the raw rows, and drops what is past its time.

Closing is idempotent: an hour can be closed again at any time while its raw rows are kept.
"""

# ruff: noqa: S608 - table and column names come from the catalog, quoted; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from gateway.signals import Kind
from gateway.store.buckets import COLUMNS, Bucket, merge, summarise, weigh, widen
from gateway.store.catalog import Catalog, RawTable, quoted, week_of
from gateway.store.dating import hour_of
from gateway.store.fold import fold, is_fold_due
from gateway.store.runs import forget_before
from gateway.store.schema import DAY_MS, HALF_HOUR_MS, HOUR_MS, MINUTE_MS, WEEK_MS, transaction

SETTLE_MS = 2 * MINUTE_MS
"""How long after its end an hour is closed: what was under way has arrived by then."""

_INSERT = f"INSERT OR REPLACE INTO {{}} (series, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class _Column(NamedTuple):
    series: int
    kind: Kind
    signal: str
    bit: int


def closed_until(connection: sqlite3.Connection) -> int | None:
    """Return the end of the last hour that is closed (UTC ms), None when none ever was."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'closed_until'").fetchone()
    return int(row[0]) if row else None


def set_closed_until(connection: sqlite3.Connection, hour: int) -> None:
    """Record up to where hours are closed."""
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('closed_until', ?)", (str(hour),))


def insert_buckets(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[int, Bucket]]) -> None:
    """Write buckets, each with its series' number, to `m1` or `m30`; one that is there gives way."""
    insert_rows(connection, table, ((series, *bucket) for series, bucket in rows))


def insert_rows(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[int | None, ...]]) -> None:
    """Write rows of a series' number and the columns of a bucket, as `insert_buckets` does."""
    connection.executemany(_INSERT.format(table), rows)


def close_hours(connection: sqlite3.Connection, catalog: Catalog, now: int, *, at_most: int) -> bool:
    """Close hours that are due, and those that got late rows, each in its own transaction.

    Returns whether more than `at_most` were due, so that the caller can write rows in between.
    """
    if is_fold_due(connection, hour_of(now - SETTLE_MS)):
        with transaction(connection):
            fold(connection, catalog)
    for _ in range(at_most):
        hour = _next_due(connection, catalog, now)
        if hour is None:
            return False
        with transaction(connection):
            close_hour(connection, catalog, hour)
            connection.execute("DELETE FROM dirty WHERE hour = ?", (hour,))
            if hour >= (closed_until(connection) or 0):
                set_closed_until(connection, hour + HOUR_MS)
    return _next_due(connection, catalog, now) is not None


def _next_due(connection: sqlite3.Connection, catalog: Catalog, now: int) -> int | None:
    last_due = hour_of(now - SETTLE_MS) - HOUR_MS
    late = connection.execute("SELECT min(hour) FROM dirty WHERE hour <= ?", (last_due,)).fetchone()[0]
    if late is not None:
        return int(late)
    since = closed_until(connection) or 0
    firsts = [
        row[0]
        for table in catalog.tables
        if table.written and table.since + WEEK_MS > since
        for row in connection.execute(f"SELECT min(ts) FROM {quoted(table.name)} WHERE ts >= ?", (since,))
        if row[0] is not None
    ]
    hour = hour_of(min(firsts)) if firsts else None
    return hour if hour is not None and hour <= last_due else None


def close_hour(connection: sqlite3.Connection, catalog: Catalog, hour: int) -> None:
    """Make the buckets of the hour that starts at `hour` from its raw rows, inside the caller's transaction.

    Minutes before its first raw row stay as they are: they were loaded, not measured here.
    """
    minutes: dict[tuple[int, int], Bucket] = {}
    series: set[int] = set()
    for table in catalog.tables:
        if table.written and table.covers(hour, hour + HOUR_MS):
            columns = [
                _Column(one.id, one.kind, one.signal, 1 << table.written[one.signal])
                for one in table.columns
                if one.id is not None and one.signal in table.written
            ]
            series.update(column.series for column in columns)
            for number, bucket in _minutes_of(connection, table, columns, hour):
                there = minutes.get((number, bucket.ts))
                minutes[number, bucket.ts] = merge(there, bucket, bucket.ts) if there else bucket
    if not minutes:
        return
    first = min(ts for _, ts in minutes)
    connection.executemany(
        "DELETE FROM m1 WHERE series = ? AND ts >= ? AND ts < ?", [(one, first, hour + HOUR_MS) for one in series]
    )
    insert_buckets(connection, "m1", ((number, minutes[number, ts]) for number, ts in sorted(minutes)))
    for number in sorted({number for number, _ in minutes}):
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM m1 WHERE series = ? AND ts >= ? AND ts < ? ORDER BY ts",
            (number, hour, hour + HOUR_MS),
        )
        halves = widen((weigh(Bucket(*row)) for row in rows), HALF_HOUR_MS)
        insert_buckets(connection, "m30", ((number, half) for half in halves))


def _minutes_of(
    connection: sqlite3.Connection, table: RawTable, columns: Sequence[_Column], hour: int
) -> Iterator[tuple[int, Bucket]]:
    names = ", ".join(quoted(column.signal) for column in columns)
    rows = connection.execute(
        f"SELECT ts, coalesce(estimated, 0), {names} FROM {quoted(table.name)} WHERE ts >= ? AND ts < ? ORDER BY ts",
        (hour, hour + HOUR_MS),
    )
    for minute, group in groupby(rows, key=lambda row: row[0] - row[0] % MINUTE_MS):
        times, estimated, *values = zip(*group, strict=True)
        for column, series in zip(columns, values, strict=True):
            estimates = sum(bits & column.bit != 0 for bits in estimated) if any(estimated) else 0
            bucket = summarise(column.kind, minute, times, series, estimates)
            if bucket is not None:
                yield column.series, bucket


def retain(connection: sqlite3.Connection, catalog: Catalog, now: int, raw_days: int, minute_days: int) -> None:
    """Drop raw rows and minutes past their time; half-hours, states and resets are kept for ever.

    Nothing goes before it is rolled up, and raw rows go by whole weeks. The freed pages are used again: the file is
    never vacuumed.
    """
    closed = closed_until(connection)
    if closed is None:
        return
    raw_before = hour_of(min(now - raw_days * DAY_MS, closed))
    minutes_before = hour_of(min(now - minute_days * DAY_MS, closed))
    connection.execute("DELETE FROM dirty WHERE hour < ?", (week_of(raw_before),))
    catalog.drop_before(connection, raw_before)
    with transaction(connection):
        forget_before(connection, week_of(raw_before))
        connection.executemany(
            "DELETE FROM m1 WHERE series = ? AND ts < ?",
            [(one.id, minutes_before) for one in catalog.series if one.id is not None],
        )
