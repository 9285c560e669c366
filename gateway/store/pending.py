"""What waits in memory for the next commit."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.reading import Quality
from gateway.signals import Kind
from gateway.store.catalog import Catalog, RawTable, Series, quoted
from gateway.store.counters import CounterGuard
from gateway.store.dating import hour_of
from gateway.store.fold import fold, write_rows
from gateway.store.frames import Frame
from gateway.store.rollup import closed_until, set_closed_until
from gateway.store.runs import newest_seq, record, spans_of
from gateway.store.schema import MINUTE_MS
from gateway.store.spool import Cell, SpooledRow, add_block

_ROW_MS = 1_000
_STEP_MS = 2_000
_KEPT_ROWS = 7_200
"""While the disk fails: about an hour of rows of a meter and its inverters, some ten megabytes."""


@dataclass(slots=True)
class Row:
    """One row to come: values in the order of the table's columns, the last ones may be missing."""

    table: RawTable
    ts: int
    values: list[int | None]
    estimated: int = 0
    """One bit a column, in the order of `values`."""


@dataclass(slots=True)
class _Last:
    """Where a source stands: its last row's time, its highest time, and its last row while that is not committed."""

    ts: int
    highest: int
    row: Row | None = None


@dataclass(slots=True)
class Counts:
    """What was not kept, and why."""

    glitches: int = 0
    refused: int = 0
    dropped_rows: int = 0


@dataclass(slots=True)
class Pending:
    """Rows, states and resets since the last commit, and what is needed to judge the next ones."""

    catalog: Catalog
    rows: deque[Row] = field(default_factory=deque)
    changes: list[tuple[Series, int, str | None]] = field(default_factory=list)
    qualities: list[tuple[Series, int, str]] = field(default_factory=list)
    segments: list[tuple[Series, int, int, int]] = field(default_factory=list)
    memory: dict[str, str] = field(default_factory=dict)
    """What to remember for others, by name."""

    dated: bool = False
    """Whether everything that waited in the file for a date is here now."""

    counts: Counts = field(default_factory=Counts)
    _corrections: list[tuple[RawTable, int, Series, int]] = field(default_factory=list)
    _overwritten: list[tuple[RawTable, int, int]] = field(default_factory=list)
    _reopened: int | None = None
    _states: dict[Series, str | None] = field(default_factory=dict)
    _quality: dict[Series, str] = field(default_factory=dict)
    _guards: dict[Series, CounterGuard] = field(default_factory=dict)
    _suspects: dict[Series, tuple[RawTable, int]] = field(default_factory=dict)
    _last: dict[str, _Last] = field(default_factory=dict)

    def resume(
        self,
        states: dict[Series, str | None],
        qualities: dict[Series, str],
        counters: dict[Series, tuple[int, int]],
        sources: dict[str, int],
    ) -> None:
        """Go on from what a file has: last states, qualities, counters (time, value), and time of each source."""
        for series, state in states.items():
            self._states.setdefault(series, state)
        for series, quality in qualities.items():
            self._quality.setdefault(series, quality)
        for series, (at, value) in counters.items():
            self._guards.setdefault(series, CounterGuard(at, value, unit=10**series.scale))
        for source, ts in sources.items():
            self._last.setdefault(source, _Last(ts, ts))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        waiting = (self.rows, self.changes, self.qualities, self.segments, self._overwritten, self.memory)
        return not (any(waiting) or self.dated)

    def add(self, ts: int, frame: Frame) -> None:
        """Take one round of a source at `ts` (UTC ms)."""
        ts = self._row_time(frame.source, ts)
        table = self.catalog.table_of(frame.source, ts)
        numbers: dict[Series, tuple[int, bool]] = {}
        for reading in frame.readings:
            series = self.catalog.series_of(reading.signal, reading.source or frame.source)
            if series is None:
                self.counts.refused += 1
            elif series.kind is Kind.STATE:
                self._state(series, ts, None if reading.value is None else str(reading.value))
                self._note_quality(series, ts, reading.quality)
            elif reading.value is not None:
                stored = None if isinstance(reading.value, str) else series.to_stored(reading.value)
                if stored is None:
                    self.counts.refused += 1
                elif series.kind is not Kind.COUNTER or self._accept_counter(table, series, ts, stored):
                    numbers[series] = (stored, reading.quality is Quality.ESTIMATED)
                    self._note_quality(series, ts, reading.quality)
        if numbers:
            self._row(frame.source, table, ts, numbers)

    def _row_time(self, source: str, ts: int) -> int:
        """Return the time of the row: two rounds within a second, or a small step of the clock, share one row."""
        last = self._last.get(source)
        return last.ts if last and -_STEP_MS <= ts - last.ts < _ROW_MS else ts

    def _row(self, source: str, table: RawTable, ts: int, numbers: dict[Series, tuple[int, bool]]) -> None:
        columns = {series: table.column(series) for series in numbers}
        last = self._last.setdefault(source, _Last(ts, ts))
        if last.row is not None and last.row.ts == ts:
            row = last.row
        else:
            row = Row(table, ts, [])
            self.rows.append(row)
            self._shed()
            if ts < last.ts:
                # the calendar stepped back: hours it had passed too early are to be closed again
                self._reopened = min(hour_of(ts), self._reopened if self._reopened is not None else hour_of(ts))
            elif last.ts < last.highest and ts - last.ts <= MINUTE_MS:
                # it did before, and what was stamped too early gives way step by step; never more than a minute of it,
                # for if the step back was the mistake, the way forward again passes over true rows
                self._overwritten.append((table, last.ts, ts))
            last.ts, last.highest, last.row = ts, max(last.highest, ts), row
        row.values.extend([None] * (len(table.columns) - len(row.values)))
        for series, (value, is_estimate) in numbers.items():
            row.values[columns[series]] = value
            row.estimated |= is_estimate << columns[series]

    def _shed(self) -> None:
        while len(self.rows) > _KEPT_ROWS:
            self.rows.popleft()
            self.counts.dropped_rows += 1

    def _state(self, series: Series, ts: int, value: str | None) -> None:
        if series not in self._states or self._states[series] != value:
            self._states[series] = value
            self.changes.append((series, ts, value))

    def _note_quality(self, series: Series, ts: int, quality: Quality) -> None:
        # estimates come and go with each load that is switched on; they are marked row by row
        if quality is not Quality.ESTIMATED and self._quality.get(series) != quality.value:
            self._quality[series] = quality.value
            self.qualities.append((series, ts, quality.value))

    def _accept_counter(self, table: RawTable, series: Series, ts: int, value: int) -> bool:
        guard = self._guards.setdefault(series, CounterGuard(unit=10**series.scale))
        verdict = guard.see(ts, value)
        self.counts.glitches += verdict.glitches
        if reset := verdict.reset:
            self.segments.append((series, reset.ts, reset.before, reset.after))
            suspect = self._suspects.get(series)
            if suspect is not None:
                self._corrections.append((*suspect, series, reset.after))
        self._suspects.pop(series, None)
        if not verdict.keep:
            self._suspects[series] = (table, ts)
        return verdict.keep

    def write(self, connection: sqlite3.Connection) -> None:
        """Write everything inside the caller's transaction; `clear` afterwards, when it is committed."""
        self.catalog.write(connection)
        self._write_rows(connection)
        connection.executemany("INSERT OR REPLACE INTO change VALUES (?, ?, ?)", _numbered(self.changes))
        connection.executemany("INSERT OR REPLACE INTO quality VALUES (?, ?, ?)", _numbered(self.qualities))
        connection.executemany("INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?)", _numbered(self.segments))
        connection.executemany("INSERT OR REPLACE INTO memory VALUES (?, ?)", self.memory.items())
        if self.dated:
            connection.execute("DELETE FROM undated")
        self._mark_late(connection)

    def _write_rows(self, connection: sqlite3.Connection) -> None:
        """Spool the rows; where some give way to others, all stand in their tables, and so do these."""
        spans = spans_of(self._moments())
        first = newest_seq(connection) + 1
        if not (self._overwritten or self._corrections or self._reopened is not None):
            if spans:
                add_block(connection, first, spans, self._by_source())
            return
        fold(connection, self.catalog)
        tables: dict[str, tuple[RawTable, dict[int, dict[int, Cell]]]] = {}
        for row in self.rows:
            rows = tables.setdefault(row.table.name, (row.table, {}))[1]
            rows[row.ts] = rows.get(row.ts, {}) | _cells(row)
        for table, ts, series, value in self._corrections:
            if series.id is not None:
                tables.setdefault(table.name, (table, {}))[1].setdefault(ts, {})[series.id] = (value, False)
        for table, rows in tables.values():
            write_rows(connection, table, rows)
        for table, after, before in self._overwritten:
            connection.execute(
                f"DELETE FROM {quoted(table.name)} WHERE ts > ? AND ts < ?",  # noqa: S608 - quoted, from the catalog
                (after, before),
            )
        record(connection, first, spans)

    def _moments(self) -> list[tuple[str | int, int]]:
        """Return who (source, or number of a state) said something when, as it came."""
        rows: list[tuple[str | int, int]] = [(row.table.source, row.ts) for row in self.rows]
        mended: list[tuple[str | int, int]] = [(table.source, ts) for table, ts, _, _ in self._corrections]
        states: list[tuple[str | int, int]] = [
            (series.id, ts) for series, ts, value in self.changes if value is not None and series.id is not None
        ]
        return [*rows, *mended, *states]

    def _by_source(self) -> dict[str, list[SpooledRow]]:
        sources: dict[str, list[SpooledRow]] = {}
        for row in self.rows:
            sources.setdefault(row.table.source, []).append(SpooledRow(row.ts, _cells(row)))
        return sources

    def _mark_late(self, connection: sqlite3.Connection) -> None:
        """Have hours that are closed already closed again when rows of theirs came only now."""
        closed = closed_until(connection)
        hours = {hour_of(row.ts) for row in self.rows} | {hour_of(ts) for _, ts, _, _ in self._corrections}
        if closed is None:
            if hours:
                set_closed_until(connection, min(hours))
            return
        if self._reopened is not None and self._reopened < closed:
            closed = self._reopened
            set_closed_until(connection, closed)
        connection.executemany(
            "INSERT OR IGNORE INTO dirty (hour) VALUES (?)", [(hour,) for hour in hours if hour < closed]
        )

    def clear(self) -> None:
        """Forget what is committed now."""
        self.rows.clear()
        for last in self._last.values():
            last.row = None
        for waiting in (self.changes, self.qualities, self.segments, self._corrections, self._overwritten):
            waiting.clear()
        self.memory.clear()
        self.dated = False
        self._reopened = None

    def rewrite(self, now: int) -> None:
        """Say states and qualities again, as of `now`: the file they were written to is gone."""
        self.changes = [(series, now, value) for series, value in self._states.items()]
        self.qualities = [(series, now, quality) for series, quality in self._quality.items()]


def _numbered(waiting: Sequence[tuple[Series, *tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    return [(series.id, *rest) for series, *rest in waiting]


def _cells(row: Row) -> dict[int, Cell]:
    """Return the values of a row by number of series."""
    return {
        series.id: (value, bool(row.estimated >> place & 1))
        for place, (series, value) in enumerate(zip(row.table.columns, row.values, strict=False))
        if value is not None and series.id is not None
    }
