"""The order in which rows arrived, for those who follow the store: runs of rows, numbered as they were recorded.

A number is never given twice. Within a run it follows the time of the row, so that it stays the same whatever
is added or taken away around it; numbers have gaps.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple


class Run(NamedTuple):
    """Rows of one source, or changes of one series (by its number), from `first` to `last` (UTC ms), both included."""

    base: int
    who: str | int
    first: int
    last: int

    @property
    def until(self) -> int:
        """The last number that a row of it may have."""
        return self.base + self.last - self.first


def newest_seq(connection: sqlite3.Connection) -> int:
    """Return the last number given, 0 when none ever was."""
    row = connection.execute(
        "SELECT max(coalesce((SELECT until FROM arrival ORDER BY seq DESC LIMIT 1), 0), "
        "coalesce((SELECT until FROM spool ORDER BY seq DESC LIMIT 1), 0))"
    ).fetchone()
    return int(row[0])


def number(after: int, moments: Iterable[tuple[str | int, int]]) -> list[Run]:
    """Return the runs of (who, ts) pairs as they came, numbered from `after` + 1 on; a step back begins another."""
    spans: list[tuple[str | int, int, int]] = []
    place: dict[str | int, int] = {}
    for who, ts in moments:
        there = place.get(who)
        if there is not None and ts >= spans[there][2]:
            spans[there] = (who, spans[there][1], ts)
        else:
            place[who] = len(spans)
            spans.append((who, ts, ts))
    runs = []
    for who, first, last in spans:
        runs.append(Run(after + 1, who, first, last))
        after = runs[-1].until
    return runs


def record(connection: sqlite3.Connection, runs: list[Run]) -> None:
    """Write numbered runs inside the caller's transaction."""
    if runs:
        text = json.dumps(runs, separators=(",", ":"))
        connection.execute("INSERT INTO arrival VALUES (?, ?, ?)", (runs[0].base, runs[-1].until, text))


def parse(text: str) -> list[Run]:
    """Return the runs as `record` wrote them."""
    return [Run(*one) for one in json.loads(text)]


def forget_before(connection: sqlite3.Connection, ts: int) -> None:
    """Drop what arrived before any row of `ts` and later; the newest stays, so that numbers go on from it."""
    last = connection.execute("SELECT max(seq) FROM arrival").fetchone()[0]
    if last is None:
        return
    gone = []
    for seq, text in connection.execute("SELECT seq, runs FROM arrival WHERE seq < ? ORDER BY seq", (last,)):
        if any(run.last >= ts for run in parse(text)):
            break
        gone.append((seq,))
    connection.executemany("DELETE FROM arrival WHERE seq = ?", gone)
