"""Folds what is spooled into the raw tables, once an hour: pages that are written whole, one table after the other."""

# ruff: noqa: S608 - table and column names come from the catalog, quoted; values are always bound

from __future__ import annotations

import sqlite3

from gateway.store.catalog import Catalog, RawTable, quoted
from gateway.store.runs import FOLDED, Span, record
from gateway.store.spool import Cell, read_blocks

_FOR_EVER = 2**62
_BITS = 63


def is_fold_due(connection: sqlite3.Connection, hour: int) -> bool:
    """Tell whether rows of before the end of the hour that starts at `hour` are still spooled."""
    oldest = connection.execute(f"SELECT min(since) FROM spool WHERE seq > {FOLDED}").fetchone()[0]
    return oldest is not None and oldest < hour


def fold(connection: sqlite3.Connection, catalog: Catalog) -> None:
    """Move every spooled row to its raw table, inside the caller's transaction."""
    first: int | None = None
    spans: list[Span] = []
    tables: dict[str, tuple[RawTable, dict[int, dict[int, Cell]]]] = {}
    for block in read_blocks(connection, -_FOR_EVER, _FOR_EVER):
        first = block.seq if first is None else first
        spans += block.spans
        for frames in block.frames:
            for ts, cells in frames.rows():
                table = catalog.table_of(frames.source, ts)
                rows = tables.setdefault(table.name, (table, {}))[1]
                rows[ts] = rows[ts] | dict(cells) if ts in rows else dict(cells)
    if first is None:
        return
    for table, rows in tables.values():
        write_rows(connection, table, rows)
    record(connection, first, spans)


def write_rows(connection: sqlite3.Connection, table: RawTable, rows: dict[int, dict[int, Cell]]) -> None:
    """Write rows (by time, values by number of series) to a raw table; what stands there and is not given stays."""
    columns = [(one.id, one.signal, table.written[one.signal]) for one in table.columns if one.id is not None]
    statement = _upsert(table.name, [quoted(signal) for _, signal, _ in columns])
    connection.executemany(
        statement,
        (
            (ts, _bits(rows[ts], columns), *(rows[ts].get(number, (None,))[0] for number, _, _ in columns))
            for ts in sorted(rows)
        ),
    )


def _bits(cells: dict[int, Cell], columns: list[tuple[int, str, int]]) -> int | None:
    """Return the bits of `estimated`; 63 of them fit, and no device has as many signals."""
    bits = 0
    for number, _, place in columns:
        if place < _BITS and number in cells and cells[number][1]:
            bits |= 1 << place
    return bits or None


def _upsert(table: str, columns: list[str]) -> str:
    """Return an insert that keeps what a row with the same time already has."""
    kept = ", ".join(f"{column} = coalesce(excluded.{column}, {column})" for column in columns)
    marks = ", ".join("?" for _ in columns)
    return (
        f"INSERT INTO {quoted(table)} (ts, estimated, {', '.join(columns)}) VALUES (?, ?, {marks}) "
        "ON CONFLICT (ts) DO UPDATE SET "
        f"estimated = nullif(coalesce(estimated, 0) | coalesce(excluded.estimated, 0), 0), {kept}"
    )
