"""What a writer must know of a file to go on where the last one stopped."""

# ruff: noqa: S608 - table and column names come from the catalog, quoted; values are always bound

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from gateway.signals import Kind
from gateway.store.catalog import Catalog, Series, quoted
from gateway.store.schema import DAY_MS, HALF_HOUR_MS, MINUTE_MS


@dataclass(frozen=True, slots=True)
class Standing:
    """The end of a file: newest time, last state and quality of each series, last counters, last row of each source."""

    newest: int | None
    demo: bool
    states: dict[Series, str | None]
    qualities: dict[Series, str]
    counters: dict[Series, tuple[int, int]]
    sources: dict[str, int]


def read_standing(connection: sqlite3.Connection, catalog: Catalog) -> Standing:
    """Read the end of the file; every look-up follows an index."""
    sources: dict[str, int] = {}
    for table in catalog.tables:
        if table.written:
            newest = connection.execute(f"SELECT max(ts) FROM {quoted(table.name)}").fetchone()[0]
            sources[table.source] = max(newest or 0, sources.get(table.source, 0))
    ends = list(sources.values())
    states: dict[Series, str | None] = {}
    qualities: dict[Series, str] = {}
    counters: dict[Series, tuple[int, int]] = {}
    for series in catalog.series:
        if series.id is None:
            continue
        if state := _newest(connection, "change", "ts, value", series):
            states[series] = state[1]
            ends.append(state[0])
        if quality := _newest(connection, "quality", "ts, quality", series):
            qualities[series] = quality[1]
        for tier, width in (("m1", MINUTE_MS), ("m30", HALF_HOUR_MS)):
            if bucket := _newest(connection, tier, "ts, ts + last_ms, last", series):
                ends.append(bucket[0] + (width if tier == "m1" else 0))
                if series.kind is Kind.COUNTER:
                    counters.setdefault(series, (bucket[1], bucket[2]))
        if series.kind is Kind.COUNTER:
            counters.update(_newest_raw(connection, catalog, series, max(sources.values(), default=0)))
    demo = connection.execute("SELECT 1 FROM meta WHERE key = 'demo' AND value = '1'").fetchone() is not None
    return Standing(max(ends, default=None), demo, states, qualities, counters, sources)


def _newest(connection: sqlite3.Connection, table: str, columns: str, series: Series) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = connection.execute(
        f"SELECT {columns} FROM {table} WHERE series = ? ORDER BY ts DESC LIMIT 1", (series.id,)
    ).fetchone()
    return row


def _newest_raw(
    connection: sqlite3.Connection, catalog: Catalog, series: Series, newest: int
) -> dict[Series, tuple[int, int]]:
    """Look no further back than two days: older values stand in the buckets."""
    found: dict[Series, tuple[int, int]] = {}
    for table in catalog.tables:
        if series.signal in table.written and table.covers(newest - 2 * DAY_MS, newest + 1):
            column = quoted(series.signal)
            row = connection.execute(
                f"SELECT ts, {column} FROM {quoted(table.name)} WHERE ts >= ? AND {column} IS NOT NULL "
                "ORDER BY ts DESC LIMIT 1",
                (newest - 2 * DAY_MS,),
            ).fetchone()
            if row and row > found.get(series, (0, 0)):
                found[series] = row
    return found
