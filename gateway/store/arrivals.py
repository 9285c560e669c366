"""Follows the store row by row, in the order in which rows arrived: what a sink such as InfluxDB is fed from.

A row that came late, or whose time was set right, comes (again) with a new number. Whoever follows keeps the last
number it has dealt with through `Writer.remember`, and finds it again with `remembered`.
"""

# ruff: noqa: S608 - table and column names come from the file itself, quoted; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from gateway.clock import UtcMs
from gateway.reading import Value
from gateway.store.catalog import quoted, signal_columns
from gateway.store.readonly import ReadSide
from gateway.store.runs import Run, newest_seq, parse
from gateway.store.schema import WEEK_MS, version_of
from gateway.store.spool import SPOOL_VERSION, Block, blocks_after
from gateway.store.stored import AHEAD_MS, StoredSeries, series_by_signal

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One stored row, or one change of a state. `values` are in the signals' units; `estimated` names estimates."""

    seq: int
    at: UtcMs
    source: str
    values: Mapping[str, Value]
    estimated: frozenset[str]


class Arrivals(ReadSide):
    """The rows of the store as they arrived. One thread at a time; raises FoyerError when the file cannot be read."""

    def _ask(self, question: Callable[[sqlite3.Connection], _T], nothing: _T) -> _T:
        return self._file.ask(
            lambda connection: question(connection) if version_of(connection) >= SPOOL_VERSION else nothing, nothing
        )

    def after(self, seq: int, limit: int) -> list[Arrival]:
        """Return at most `limit` arrivals with a number greater than `seq`, which grows strictly from one to the next.

        A row stands for what the file has now: a number whose row is gone is passed over.
        """
        believed = self._clock.now() + AHEAD_MS
        return self._ask(lambda connection: list(islice(_arrivals(connection, seq, believed), limit)), [])

    def newest(self) -> int:
        """Return the last number given, 0 for an empty store."""
        return self._ask(newest_seq, 0)

    def oldest(self) -> int | None:
        """Return the number of the oldest raw row still kept, None when there is none."""
        believed = self._clock.now() + AHEAD_MS
        return self._ask(lambda connection: next((one.seq for one in _arrivals(connection, 0, believed)), None), None)

    def remembered(self, name: str) -> str | None:
        """Return what `Writer.remember` was last told under `name`, None when it never was."""
        return self._ask(lambda connection: remembered(connection, name), None)


def remembered(connection: sqlite3.Connection, name: str) -> str | None:
    """Return what is remembered under `name`."""
    row = connection.execute("SELECT value FROM memory WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _arrivals(connection: sqlite3.Connection, seq: int, believed: int) -> Iterator[Arrival]:
    series = series_by_signal(connection)
    by_number = {one.id: one for one in series.values()}
    start = connection.execute("SELECT max(seq) FROM arrival WHERE seq <= ?", (seq + 1,)).fetchone()[0] or 0
    for first, packed in connection.execute("SELECT seq, runs FROM arrival WHERE seq >= ? ORDER BY seq", (start,)):
        for run in _not_seen(parse(first, packed), seq):
            if isinstance(run.who, int):
                yield from _changes(connection, by_number[run.who], run)
            else:
                yield from _rows(connection, series, run, believed)
    for block in blocks_after(connection, seq):
        for run in _not_seen(block.runs, seq):
            if isinstance(run.who, int):
                yield from _changes(connection, by_number[run.who], run)
            else:
                yield from _spooled(block, by_number, run)


def _not_seen(runs: list[Run], seq: int) -> Iterator[Run]:
    """Yield what comes after number `seq` of each run."""
    for run in runs:
        if run.until > seq:
            passed = max(seq + 1 - run.base, 0)
            yield run._replace(base=run.base + passed, first=run.first + passed)


def _spooled(block: Block, by_number: dict[int, StoredSeries], run: Run) -> Iterator[Arrival]:
    for frames in block.frames:
        if frames.source == run.who:
            for ts, cells in frames.rows():
                if run.first <= ts <= run.last:
                    known = [(by_number[number], *cell) for number, cell in cells.items()]
                    values = {one.signal: _unscaled(value, one) for one, value, _ in known}
                    guessed = frozenset(one.signal for one, _, is_estimate in known if is_estimate)
                    yield Arrival(run.base + ts - run.first, UtcMs(ts), frames.source, values, guessed)


def _unscaled(value: int, series: StoredSeries) -> Value:
    return value / 10**series.scale if series.scale else value


def _changes(connection: sqlite3.Connection, series: StoredSeries, run: Run) -> Iterator[Arrival]:
    for ts, value, source in connection.execute(
        "SELECT ts, value, (SELECT source FROM series WHERE id = series) FROM change "
        "WHERE series = ? AND ts BETWEEN ? AND ? AND value IS NOT NULL ORDER BY ts",
        (series.id, run.first, run.last),
    ):
        yield Arrival(run.base + ts - run.first, UtcMs(ts), source, {series.signal: value}, frozenset())


def _rows(
    connection: sqlite3.Connection, series: dict[str, StoredSeries], run: Run, believed: int
) -> Iterator[Arrival]:
    tables = connection.execute(
        "SELECT name FROM raw_table WHERE source = ? AND since <= ? AND since > ? ORDER BY since",
        (run.who, run.last, run.first - WEEK_MS),
    ).fetchall()
    for (table,) in tables:
        signals = [(place, series.get(name)) for place, name in enumerate(signal_columns(connection, table))]
        names = ", ".join(["ts", "coalesce(estimated, 0)", *(quoted(one.signal) for _, one in signals if one)])
        known = [(place, one) for place, one in signals if one]
        for ts, bits, *stored in connection.execute(
            f"SELECT {names} FROM {quoted(table)} WHERE ts BETWEEN ? AND ? ORDER BY ts",
            (run.first, min(run.last, believed)),
        ):
            values, guessed = {}, set()
            for (place, one), value in zip(known, stored, strict=True):
                if value is not None:
                    values[one.signal] = _unscaled(value, one)
                    if bits >> place & 1:
                        guessed.add(one.signal)
            yield Arrival(run.base + ts - run.first, UtcMs(ts), str(run.who), values, frozenset(guessed))
