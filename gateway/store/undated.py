"""Rows that nobody can date yet, kept in the file so that a power cut does not take them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from gateway.clock import UtcMs
from gateway.reading import Quality, Reading
from gateway.store.frames import Frame

_MOST = 100_000
"""A day and more of a busy home."""


def save(connection: sqlite3.Connection, boot: str, frames: Sequence[Frame]) -> None:
    """Write frames with the boot they were seen in, inside the caller's transaction; beyond a day the oldest go."""
    rows = ((boot, round(frame.seen * 1000), frame.at, frame.source, _payload(frame)) for frame in frames)
    connection.executemany("INSERT INTO undated (boot, mono_ms, at, source, payload) VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute("DELETE FROM undated WHERE id <= (SELECT max(id) FROM undated) - ?", (_MOST,))


def count(connection: sqlite3.Connection) -> int:
    """Return how many rows wait for a date."""
    return int(connection.execute("SELECT count(*) FROM undated").fetchone()[0])


def date(
    connection: sqlite3.Connection, boot: str, known: Frame, newest: int, earliest: int
) -> tuple[list[tuple[int, Frame]], int]:
    """Return every frame with its time, and how many have none, once the time of `known` is.

    Those of this boot follow from monotonic time. Those of another are believed as they were stamped when that lies
    between what was committed before, `newest`, and the start of this boot's own rows.
    """
    dated: list[tuple[int, Frame]] = []
    lost = 0
    before = known.at
    mine = [row for row in _rows(connection) if row[0] == boot]
    if mine:
        before = min(known.at - round(known.seen * 1000) + mono_ms for _, mono_ms, _ in mine)
    for whose, mono_ms, frame in _rows(connection):
        if whose == boot:
            dated.append((known.at - (round(known.seen * 1000) - mono_ms), frame))
        elif max(newest, earliest) < frame.at < before:
            dated.append((frame.at, frame))
        else:
            lost += 1
    return sorted(dated, key=lambda one: one[0]), lost


def _rows(connection: sqlite3.Connection) -> list[tuple[str, int, Frame]]:
    found = []
    for boot, mono_ms, at, source, payload in connection.execute(
        "SELECT boot, mono_ms, at, source, payload FROM undated ORDER BY id"
    ):
        readings = tuple(
            Reading(signal, value, UtcMs(at), Quality(quality), made)
            for signal, value, quality, made in json.loads(payload)
        )
        found.append((boot, mono_ms, Frame(source, at, mono_ms / 1000, readings)))
    return found


def _payload(frame: Frame) -> str:
    parts = [(one.signal, one.value, one.quality.value, one.source) for one in frame.readings]
    return json.dumps(parts, separators=(",", ":"))
