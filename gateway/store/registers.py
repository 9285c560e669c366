"""What a counter stood at, at given moments.

`register(x)` is the first value at or after `x`. Where the values around `x` are far apart it is taken on the straight
line between them, and said to be estimated when that can matter. Resets are taken out: the registers of one counter
never step back, whatever meters it went through.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from gateway.store.buckets import Bucket
from gateway.store.schema import HALF_HOUR_MS
from gateway.store.stored import SeriesReader

_CLOSE_MS = 90_000
"""Values this near each other are the normal pace of a device."""

_MATTERS_WH = 10
"""A gap over which the counter moved no more than this leaves nothing to guess."""

_AROUND = """
SELECT at.value, {columns}
FROM json_each(:moments) AS at
LEFT JOIN {table} AS b ON b.series = :series AND b.ts = (
    SELECT max(ts) FROM {table} WHERE series = :series AND ts < at.value AND ts < :until)
LEFT JOIN {table} AS a ON a.series = :series AND a.ts = (
    SELECT min(ts) FROM {table} WHERE series = :series AND ts >= at.value AND ts < :until)
"""
_SIDES = ", ".join(
    f"{side}.ts + {side}.{end}_ms, {side}.{end}" for side, end in (("b", "first"), ("b", "last"), ("a", "first"))
)

Sample = tuple[int, int]
"""(UTC ms, scaled value), resets taken out."""


class Register(NamedTuple):
    """A counter at one moment. `since` is set before the first value ever, `until` after the last: their times."""

    value: int
    is_estimated: bool = False
    since: int | None = None
    until: int | None = None


class Registers:
    """One counter. `one_wh` is how many of its integers make one Wh."""

    def __init__(self, connection: sqlite3.Connection, reader: SeriesReader) -> None:
        self._connection = connection
        self._reader = reader
        self.one_wh = 10**reader.series.scale
        rows = connection.execute(
            "SELECT ts, before, after FROM segment WHERE series = ? ORDER BY ts", (reader.series.id,)
        ).fetchall()
        self._resets = [ts for ts, _, _ in rows]
        self._offsets = [0, *accumulate(before - after for _, before, after in rows)]

    def at(self, moments: Sequence[int]) -> list[Register | None]:
        """Return the register at each moment (whole minutes, UTC ms, ascending); None when there is no value at all."""
        closed = self._reader.closed
        past = [moment for moment in moments if moment < closed]
        tail = self._tail_samples()
        minutes_from = self._first_minute()
        by_moment: dict[int, list[Sample]] = {}
        halves = [m for m in past if m % HALF_HOUR_MS == 0 or minutes_from is None or m < minutes_from]
        by_moment |= self._around("m30", halves)
        # half-hours know nothing of the moment itself when it is inside one: look around that one too
        for moment in (one for one in halves if one % HALF_HOUR_MS):
            by_moment[moment] += self._around("m30", [moment - moment % HALF_HOUR_MS]).popitem()[1]
        by_moment |= self._around("m1", [m for m in past if m not in by_moment])
        last_closed = self._around("m30", [closed]).get(closed, []) if closed else []
        times = [at for at, _ in tail]
        found: list[Register | None] = []
        for moment in moments:
            samples = by_moment.get(moment, last_closed)
            place = bisect_left(times, moment)
            found.append(self._between(moment, [*samples, *tail[max(place - 1, 0) : place + 1]]))
        return found

    def is_resting(self, until: int) -> bool:
        """Tell whether the counter hardly moved in the half-hour before its last value: a sun that went down."""
        start = until - HALF_HOUR_MS
        rows = self._reader.minutes(start - start % 60_000, until + 1)
        samples = self._samples(rows)
        return bool(samples) and samples[-1][1] - samples[0][1] <= _MATTERS_WH * self.one_wh

    def _between(self, moment: int, samples: Iterable[Sample]) -> Register | None:
        before = max((one for one in samples if one[0] < moment), default=None)
        after = min((one for one in samples if one[0] >= moment), default=None)
        if after is None:
            return None if before is None else Register(before[1], until=before[0])
        if before is None:
            return Register(after[1], since=after[0])
        gap, moved = after[0] - before[0], after[1] - before[1]
        if gap <= _CLOSE_MS or moved == 0 or after[0] == moment:
            return Register(after[1])
        value = before[1] + round(moved * (moment - before[0]) / gap)
        return Register(value, is_estimated=moved > _MATTERS_WH * self.one_wh)

    def _around(self, table: str, moments: list[int]) -> dict[int, list[Sample]]:
        """Return, for each moment, the values around it that the closed buckets of `table` know."""
        rows = self._connection.execute(
            _AROUND.format(table=table, columns=_SIDES),
            {
                "moments": json.dumps(moments),
                "series": self._reader.series.id,
                "until": min(self._reader.closed, self._reader.last_believed),
            },
        )
        return {
            moment: [
                self._corrected(at, value) for at, value in zip(flat[::2], flat[1::2], strict=True) if at is not None
            ]
            for moment, *flat in rows
        }

    def _tail_samples(self) -> list[Sample]:
        return self._samples(self._reader.tail)

    def _samples(self, buckets: Iterable[Bucket]) -> list[Sample]:
        found: list[Sample] = []
        for bucket in buckets:
            assert bucket.first is not None and bucket.last is not None  # noqa: PT018 - a counter has both
            found.append(self._corrected(bucket.ts + (bucket.first_ms or 0), bucket.first))
            found.append(self._corrected(bucket.ts + (bucket.last_ms or 0), bucket.last))
        return found

    def _corrected(self, at: int, value: int) -> Sample:
        return at, value + self._offsets[bisect_right(self._resets, at)]

    def _first_minute(self) -> int | None:
        row = self._connection.execute("SELECT min(ts) FROM m1 WHERE series = ?", (self._reader.series.id,)).fetchone()
        return None if row[0] is None else int(row[0])
