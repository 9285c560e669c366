"""The order in which rows arrived, for those who follow the store: runs of rows, numbered as they were recorded.

A number is never given twice. Within a run it follows the time of the row, so that it stays the same whatever
is added or taken away around it; numbers have gaps.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

log = logging.getLogger(__name__)

FOLDED = "coalesce((SELECT until FROM arrival ORDER BY seq DESC LIMIT 1), 0)"
"""In SQL, the last number whose row is in its table; what the spool has up to there is no longer wanted."""


class Span(NamedTuple):
    """Rows of one source, or changes of one series (by its number), from `first` to `last` (UTC ms), both included."""

    who: str | int
    first: int
    last: int


class Run(NamedTuple):
    """A span, and the number of what stands at its `first`; the numbers of the others follow their time."""

    base: int
    who: str | int
    first: int
    last: int

    @property
    def until(self) -> int:
        """The last number that a row of it may have."""
        return self.base + self.last - self.first


def spans_of(moments: Iterable[tuple[str | int, int]]) -> list[Span]:
    """Return the spans of (who, ts) pairs as they came; a step back begins another one."""
    spans: list[Span] = []
    place: dict[str | int, int] = {}
    for who, ts in moments:
        there = place.get(who)
        if there is not None and ts >= spans[there].last:
            spans[there] = spans[there]._replace(last=ts)
        else:
            place[who] = len(spans)
            spans.append(Span(who, ts, ts))
    return spans


def number(first: int, spans: Iterable[Sequence[str | int]]) -> list[Run]:
    """Return spans with their numbers, the first one's being `first`."""
    runs = []
    for span in map(Span._make, spans):
        runs.append(Run(first, *span))
        first = runs[-1].until + 1
    return runs


def newest_seq(connection: sqlite3.Connection) -> int:
    """Return the last number given, 0 when none ever was."""
    row = connection.execute(f"SELECT max({FOLDED}, coalesce((SELECT max(until) FROM spool), 0))").fetchone()  # noqa: S608
    return int(row[0])


def record(connection: sqlite3.Connection, first: int, spans: Sequence[Span]) -> None:
    """Write spans whose rows are in their tables, inside the caller's transaction."""
    if spans:
        packed = zlib.compress(json.dumps(spans, separators=(",", ":")).encode())
        connection.execute("INSERT INTO arrival VALUES (?, ?, ?)", (first, number(first, spans)[-1].until, packed))


def parse(first: int, packed: bytes | str) -> list[Run]:
    """Return the runs that `record` wrote; none when they rotted on the card."""
    try:
        return number(first, json.loads(packed if isinstance(packed, str) else zlib.decompress(packed)))
    except (zlib.error, ValueError, TypeError) as error:
        log.error("store.runs-damaged seq=%d error=%r", first, error)  # noqa: TRY400 - the line says it all
        return []


def forget_before(connection: sqlite3.Connection, ts: int) -> None:
    """Drop what arrived before any row of `ts` and later; the newest stays, so that numbers go on from it."""
    gone = []
    for seq, packed in connection.execute(
        "SELECT seq, runs FROM arrival WHERE seq < (SELECT max(seq) FROM arrival) ORDER BY seq"
    ):
        if any(run.last >= ts for run in parse(seq, packed)):
            break
        gone.append((seq,))
    connection.executemany("DELETE FROM arrival WHERE seq = ?", gone)
