"""What the file has of one series, from whichever tier holds it: closed buckets, and raw rows since.

Everything here runs inside one read transaction of `ReadOnly.ask`. Values are the file's scaled integers.
"""

# ruff: noqa: S608 - table and column names come from the file itself, quoted; values are always bound

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from dataclasses import dataclass
from itertools import chain, groupby, pairwise
from typing import Any

from gateway.reading import Quality
from gateway.signals import Kind
from gateway.store.buckets import COLUMNS, Bucket, merge, summarise, weigh, widen
from gateway.store.catalog import quoted, signal_columns
from gateway.store.rollup import closed_until
from gateway.store.schema import HALF_HOUR_MS, MINUTE_MS, WEEK_MS
from gateway.store.spool import RawValue, Spool

AHEAD_MS = 60_000
"""What is stamped further ahead than this was written while the calendar was wrong, and is not believed."""

_TRUST = (Quality.MEASURED, Quality.DERIVED)


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """One series of the file."""

    id: int
    signal: str
    unit: str
    scale: int
    kind: Kind


def series_by_signal(connection: sqlite3.Connection) -> dict[str, StoredSeries]:
    """Return every series of the file."""
    rows = connection.execute("SELECT id, signal, unit, scale, kind FROM series ORDER BY signal")
    return {row[1]: StoredSeries(row[0], row[1], row[2], row[3], Kind(row[4])) for row in rows}


def raw_tables(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return (name, start of its week) of the raw tables, oldest first."""
    return connection.execute("SELECT name, since FROM raw_table ORDER BY since").fetchall()


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a signal stands in a raw table; both names are quoted."""

    source: str
    table: str
    name: str
    bit: int


def _columns_of(connection: sqlite3.Connection, signal: str, start: int, end: int) -> list[_Column]:
    """Return where a signal stands in the tables that may hold rows of [start, end)."""
    found = []
    tables = connection.execute(
        "SELECT source, name FROM raw_table WHERE since < ? AND since > ? ORDER BY since", (end, start - WEEK_MS)
    ).fetchall()
    for source, table in tables:
        signals = signal_columns(connection, table)
        if signal in signals:
            found.append(_Column(source, quoted(table), quoted(signal), signals.index(signal)))
    return found


class SeriesReader:
    """Reads one series as of `now` (UTC ms). Those of one question share their `spool`."""

    def __init__(
        self, connection: sqlite3.Connection, series: StoredSeries, now: int, spool: Spool | None = None
    ) -> None:
        self.series = series
        self._spool = spool or Spool(connection)
        self.closed = closed_until(connection) or 0
        self.last_believed = now + AHEAD_MS
        self._connection = connection
        self._tail: list[Bucket] | None = None

    def raw(self, start: int, end: int, at_most: int | None) -> list[RawValue]:
        """Return the raw values in [start, end); at most so many and one more, to tell that there are more."""
        limit = -1 if at_most is None else at_most + 1
        until = min(end, self.last_believed)
        by_source: dict[str, list[RawValue]] = {}
        columns = _columns_of(self._connection, self.series.signal, start, end)
        for column in columns:
            found = self._connection.execute(
                f"SELECT ts, {column.name}, coalesce(estimated >> {column.bit} & 1, 0) FROM {column.table} "
                f"WHERE ts >= ? AND ts < ? AND {column.name} IS NOT NULL ORDER BY ts LIMIT ?",
                (start, until, limit),
            )
            by_source.setdefault(column.source, []).extend(map(RawValue._make, found))
        for source, values in self._spool.values(self.series.id, start, until).items():
            by_source.setdefault(source, []).extend(values)
        ordered = [_in_order(values) for values in by_source.values()]
        whole = ordered[0] if len(ordered) == 1 else sorted(chain.from_iterable(ordered))
        return whole if at_most is None else whole[:limit]

    @property
    def tail(self) -> list[Bucket]:
        """The minutes since the last closed hour: from raw rows, and before the first of these those loaded."""
        if self._tail is None:
            measured = self._raw_minutes(self.closed, self.last_believed)
            until = measured[0].ts if measured else self.last_believed
            self._tail = [*self._rows("m1", self.closed, until), *measured]
        return self._tail

    def minutes(self, start: int, end: int) -> list[Bucket]:
        """Return the one-minute buckets that start in [start, end)."""
        closed = self._rows("m1", start, min(end, self.closed))
        return closed + [bucket for bucket in self.tail if start <= bucket.ts < end]

    def halves(self, start: int, end: int) -> list[Bucket]:
        """Return the half-hour buckets that start in [start, end), the one under way included."""
        closed = self._rows("m30", start, min(end, self.closed))
        if end <= self.closed:
            return closed
        since = widen(map(weigh, self.tail), HALF_HOUR_MS)
        return closed + [bucket for bucket in since if start <= bucket.ts < end]

    def total(self, start: int, end: int) -> Bucket | None:
        """Return n, sum and estimates of a gauge over the half-hours of [start, end), None when there is none."""
        row = self._connection.execute(
            "SELECT coalesce(sum(n), 0), coalesce(sum(sum), 0), coalesce(sum(est), 0) FROM m30 "
            "WHERE series = ? AND ts >= ? AND ts < ?",
            (self.series.id, start, min(end, self.closed, self.last_believed)),
        ).fetchone()
        n, total, est = row
        if end > self.closed:
            for bucket in map(weigh, self.tail):
                if start <= bucket.ts < end and bucket.sum is not None:
                    n, total, est = n + bucket.n, total + bucket.sum, est + bucket.est
        return Bucket(start, n, total, est=est) if n else None

    def first(self, start: int, end: int) -> Bucket | None:
        """Return the first bucket of a counter in [start, end)."""
        row = self._connection.execute(
            f"SELECT {COLUMNS} FROM m30 WHERE series = ? AND ts >= ? AND ts < ? ORDER BY ts LIMIT 1",
            (self.series.id, start, min(end, self.closed, self.last_believed)),
        ).fetchone()
        if row:
            return Bucket(*row)
        if end <= self.closed:
            return None
        return next((bucket for bucket in self.tail if start <= bucket.ts < end), None)

    def changes(self, start: int, end: int, at_most: int | None) -> list[tuple[int, str | None]]:
        """Return (ts, value) of a state: the one in effect at `start`, dated `start`, then each change before `end`."""
        before = self._connection.execute(
            "SELECT ?, value FROM change WHERE series = ? AND ts <= ? ORDER BY ts DESC LIMIT 1",
            (start, self.series.id, start),
        ).fetchall()
        limit = -1 if at_most is None else at_most + 1
        return (
            before
            + self._connection.execute(
                "SELECT ts, value FROM change WHERE series = ? AND ts > ? AND ts < ? ORDER BY ts LIMIT ?",
                (self.series.id, start, min(end, self.last_believed), limit),
            ).fetchall()
        )

    def qualities(self) -> Qualities:
        """Return whether the values are measured or derived, over time; estimates are marked one by one."""
        rows = self._connection.execute(
            "SELECT ts, quality FROM quality WHERE series = ? ORDER BY ts", (self.series.id,)
        ).fetchall()
        return Qualities(rows)

    def _rows(self, table: str, start: int, end: int) -> list[Bucket]:
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM {table} WHERE series = ? AND ts >= ? AND ts < ? ORDER BY ts",
            (self.series.id, start, min(end, self.last_believed)),
        )
        return [Bucket(*row) for row in rows]

    def _raw_minutes(self, start: int, end: int) -> list[Bucket]:
        minutes: dict[int, Bucket] = {}
        for minute, rows in groupby(self.raw(start, end, None), key=lambda row: row[0] - row[0] % MINUTE_MS):
            times, values, estimates = zip(*rows, strict=True)
            bucket = summarise(self.series.kind, minute, times, values, sum(estimates))
            assert bucket is not None
            minutes[minute] = merge(minutes[minute], bucket, minute) if minute in minutes else bucket
        return [minutes[ts] for ts in sorted(minutes)]


def _in_order(values: list[RawValue]) -> list[RawValue]:
    """Return the values of one source by time; of two at the same time the one that came later stands."""
    if all(one.ts < two.ts for one, two in pairwise(values)):
        return values
    return sorted({one.ts: one for one in values}.values())


class Qualities:
    """Whether a series is measured or derived over time, from its changes (ts, word), oldest first."""

    def __init__(self, rows: list[tuple[int, Any]]) -> None:
        self._times = [ts for ts, _ in rows]
        self._words = [Quality(word) for _, word in rows]

    def at(self, start: int, end: int, *, is_estimate: bool = False) -> Quality:
        """Return the least trusted quality in effect in [start, end)."""
        if is_estimate:
            return Quality.ESTIMATED
        if not self._words:
            return Quality.MEASURED
        first = max(bisect_right(self._times, start) - 1, 0)
        last = max(bisect_right(self._times, end - 1), first + 1)
        return max(self._words[first:last], key=_TRUST.index)
