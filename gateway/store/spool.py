"""What is recorded but not yet in its raw table: one small block a commit, folded into the raw tables each hour.

A commit that writes to each raw table rewrites pages of all of them; one block is a fraction of a page.
"""

# ruff: noqa: S608 - FOLDED is a fixed expression; values are always bound

from __future__ import annotations

import json
import logging
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, repeat
from typing import Any, NamedTuple

from gateway.store.runs import FOLDED, Run, Span, number
from gateway.store.schema import version_of

log = logging.getLogger(__name__)

SPOOL_VERSION = 2
"""Files have a spool, and arrivals in it, from this version on."""

_SLOT_BYTES = 900
"""What fills a page of 1 KiB, with room for the row's other columns. More goes to pages of its own."""

Cell = tuple[int, bool]
"""A stored integer, and whether it is an estimate."""


class RawValue(NamedTuple):
    """One value as it was measured."""

    ts: int
    value: int
    is_estimate: int


class SpooledRow(NamedTuple):
    """One row: its time (UTC ms) and its values by number of series."""

    ts: int
    cells: Mapping[int, Cell]


@dataclass(frozen=True, slots=True)
class Frames:
    """Rows of one source as a block has them, column by column, each value the difference from the one before."""

    source: str
    _times: list[int]
    _values: Mapping[str, list[int | None]]
    _estimates: Mapping[str, list[int]]

    def column(self, series: int) -> list[RawValue]:
        """Return the values of one series, as they came."""
        packed = self._values.get(str(series))
        if packed is None:
            return []
        guessed = self._estimates.get(str(series))
        flags = [int(place in guessed) for place in range(len(packed))] if guessed else repeat(0)
        known = [value for value in packed if value is not None]
        if len(known) == len(packed):
            return list(map(RawValue, accumulate(self._times), accumulate(known), flags))
        column = zip(accumulate(self._times), _sums(packed), flags, strict=False)
        return [RawValue(ts, value, flag) for ts, value, flag in column if value is not None]

    def rows(self) -> list[SpooledRow]:
        """Return every row."""
        rows: list[SpooledRow] = [SpooledRow(ts, {}) for ts in _sums(self._times) if ts is not None]
        for name, packed in self._values.items():
            guessed, series = self._estimates.get(name, ()), int(name)
            for place, value in enumerate(_sums(packed)):
                if value is not None:
                    cells = rows[place].cells
                    assert isinstance(cells, dict)
                    cells[series] = (value, place in guessed)
        return rows


class Block(NamedTuple):
    """One commit."""

    seq: int
    spans: list[Span]
    frames: list[Frames]

    @property
    def runs(self) -> list[Run]:
        """Its spans with their numbers."""
        return number(self.seq, self.spans)


def add_block(
    connection: sqlite3.Connection, seq: int, spans: Sequence[Span], rows: Mapping[str, Sequence[SpooledRow]]
) -> None:
    """Write what one commit has, inside the caller's transaction; `seq` is the number of the first span."""
    packed = [[source, *_pack(some)] for source, some in rows.items()]
    blob = zlib.compress(json.dumps([spans, packed], separators=(",", ":")).encode(), 9)
    since, last = min(span.first for span in spans), max(span.last for span in spans)
    until = number(seq, spans)[-1].until
    free = connection.execute(f"SELECT min(slot) FROM spool WHERE seq <= {FOLDED}").fetchone()[0]
    connection.execute(
        "INSERT OR REPLACE INTO spool VALUES (?, ?, ?, ?, ?, ?)",
        (free, seq, until, since, last, blob.ljust(_SLOT_BYTES, b"\0")),
    )


def read_blocks(connection: sqlite3.Connection, start: int, end: int) -> Iterator[Block]:
    """Yield the blocks that may have rows of [start, end), in the order they came."""
    rows = connection.execute(
        f"SELECT seq, until, frames FROM spool WHERE seq > {FOLDED} AND last >= ? AND since < ? ORDER BY seq",
        (start, end),
    )
    return (_unpack(*row) for row in rows)


def blocks_after(connection: sqlite3.Connection, seq: int) -> Iterator[Block]:
    """Yield the blocks that have numbers greater than `seq`, in the order they came."""
    return (
        _unpack(*row)
        for row in connection.execute(
            f"SELECT seq, until, frames FROM spool WHERE seq > {FOLDED} AND until > ? ORDER BY seq", (seq,)
        )
    )


class Spool:
    """The blocks as one question sees them, each unpacked once for all the series it asks for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ends: list[tuple[int, int, int]] | None = None
        self._blocks: dict[int, Block] = {}

    @property
    def ends(self) -> list[tuple[int, int, int]]:
        """Return (number, oldest, newest time) of each block."""
        if self._ends is None:
            # a file of the first version that no writer has opened since has none
            is_there = version_of(self._connection) >= SPOOL_VERSION
            query = f"SELECT seq, since, last FROM spool WHERE seq > {FOLDED} ORDER BY seq"
            self._ends = self._connection.execute(query).fetchall() if is_there else []
        return self._ends

    def values(self, series: int, start: int, end: int) -> dict[str, list[RawValue]]:
        """Return the values of one series in [start, end) by source, as they came; the later one of two stands."""
        found: dict[str, list[RawValue]] = {}
        for seq, since, last in self.ends:
            if last >= start and since < end:
                is_whole = start <= since and last < end
                for frames in self._block(seq).frames:
                    column = frames.column(series)
                    if column:
                        some = column if is_whole else [one for one in column if start <= one.ts < end]
                        found.setdefault(frames.source, []).extend(some)
        return found

    def _block(self, seq: int) -> Block:
        if seq not in self._blocks:
            query = "SELECT seq, until, frames FROM spool WHERE seq = ?"
            self._blocks[seq] = _unpack_once(*self._connection.execute(query, (seq,)).fetchone())
        return self._blocks[seq]


def _pack(rows: Sequence[SpooledRow]) -> list[Any]:
    known = dict.fromkeys(series for row in rows for series in row.cells)
    empty = (None, False)
    columns = {series: [row.cells.get(series, empty) for row in rows] for series in known}
    estimates = {
        series: places
        for series, column in columns.items()
        if (places := [place for place, (_, guessed) in enumerate(column) if guessed])
    }
    values = {series: _differences(value for value, _ in column) for series, column in columns.items()}
    return [_differences(row.ts for row in rows), values, estimates]


def _unpack(seq: int, until: int, blob: bytes) -> Block:
    """Return a block; one that rotted on the card (zlib has a checksum, SQLite has none) has its numbers only."""
    try:
        spans, frames = json.loads(zlib.decompressobj().decompress(blob))
        return Block(seq, list(map(Span._make, spans)), [Frames(*one) for one in frames])
    except (zlib.error, ValueError, TypeError) as error:
        log.error("store.block-damaged seq=%d error=%r", seq, error)  # noqa: TRY400 - the line says it all
        return Block(seq, [Span("", 0, until - seq)], [])


@lru_cache(maxsize=256)
def _unpack_once(seq: int, until: int, blob: bytes) -> Block:
    """Return a block, from memory when the same one was asked for before: a page asks about now again and again."""
    return _unpack(seq, until, blob)


def _differences(values: Iterable[int | None]) -> list[int | None]:
    found: list[int | None] = []
    before = 0
    for value in values:
        found.append(None if value is None else value - before)
        before = before if value is None else value
    return found


def _sums(differences: Iterable[int | None]) -> Iterator[int | None]:
    total = 0
    for one in differences:
        if one is None:
            yield None
        else:
            total += one
            yield total
