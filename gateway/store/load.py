"""Loads past minutes in bulk: the history of a demonstration, in seconds for a year and more.

The minutes go to the buckets directly, never through raw rows. A new file is made aside, without a journal, and takes
its name when it is whole; an existing one gets the minutes in one transaction.
"""

from __future__ import annotations

import os
import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path

from gateway.clock import Clock, UtcMs
from gateway.config import Store
from gateway.errors import FoyerError, Text
from gateway.reading import Quality
from gateway.signals import Kind, split_device
from gateway.store.buckets import Bucket, merge, summarise
from gateway.store.catalog import Catalog, Series
from gateway.store.dating import hour_of
from gateway.store.rollup import closed_until, insert_buckets, insert_rows, set_closed_until
from gateway.store.schema import (
    DAY_MS,
    HALF_HOUR_MS,
    MINUTE_MS,
    PAGE_BYTES,
    migrate,
    migrations,
    open_for_writing,
    transaction,
)

DERIVED = frozenset(
    {"grid.import.power", "grid.export.power", "home.power", "home.energy", "balance.unexplained.power"}
)
"""Signals that no device measures: they are made from others."""

_SOURCE = "history"
_SECONDS = 60
_SPARE_MINUTES = 1440
_MINUTES_IN_HALF = HALF_HOUR_MS // MINUTE_MS


class _Loaded:
    """The minutes of one series, in the order of time; only the half-hours of what is too old for minutes.

    Values wait as plain floats (exact for any register) and become stored integers many at a time: this is where
    the time goes.
    """

    def __init__(self, series: Series, keep_minutes: int) -> None:
        self.series = series
        self.halves: list[Bucket] = []
        self.times = array("q")
        self.values = array("d")
        self._keep = keep_minutes

    def trim(self) -> None:
        """Turn what is past the minutes to keep into half-hours, now and then."""
        spare = len(self.times) - self._keep
        if spare >= _SPARE_MINUTES:
            self._widen(spare)
            del self.times[:spare]
            del self.values[:spare]

    def finish(self) -> None:
        """Make the half-hours of what is left."""
        self._widen(len(self.times))

    def minute_rows(self) -> Iterator[tuple[int | None, ...]]:
        """Return the rows of the minutes that are kept as such."""
        number, counts = self.series.id, self.series.kind is Kind.COUNTER
        since = self.times[-1] - self._keep * MINUTE_MS if self.times else 0
        stored = self._stored(len(self.values))
        exact = _SECONDS * 10**self.series.scale
        for at, value, mean in zip(self.times, stored, self.values, strict=True):
            if at > since and value is not None:
                yield (
                    (number, at, 1, None, None, None, value, value, 0, 0, 0)
                    if counts
                    else (number, at, _SECONDS, round(mean * exact), value, value, None, None, None, None, 0)
                )

    def _stored(self, count: int) -> list[int | None]:
        values = self.values[:count]
        if all(map(isfinite, values)):
            factor = 10**self.series.scale
            return [round(value * factor) for value in values]
        return [self.series.to_stored(value) for value in values]

    def _widen(self, count: int) -> None:
        times, values = self.times[:count], self._stored(count)
        place = 0
        while place < count:
            ts = times[place] - times[place] % HALF_HOUR_MS
            after = place + _MINUTES_IN_HALF
            # a whole half-hour, the usual case, needs no search for its end
            if after > count or times[after - 1] >= ts + HALF_HOUR_MS or times[place] != ts:
                after = bisect_left(times, ts + HALF_HOUR_MS, place, min(after, count))
            half = self._half_hour(ts, times[place:after], values[place:after], self.values[place:after])
            if half is not None:
                if self.halves and self.halves[-1].ts == ts:
                    half = merge(self.halves.pop(), half, ts)
                self.halves.append(half)
            place = after

    def _half_hour(
        self, ts: int, times: Sequence[int], values: Sequence[int | None], means: Sequence[float]
    ) -> Bucket | None:
        half = summarise(self.series.kind, ts, times, values)
        if half is None:
            return None
        # each value is a minute, and counts sixty seconds; a mean has more digits than the values it was made of
        n = _SECONDS * half.n
        if half.sum is None:
            return half._replace(n=n)
        known = sum(mean for mean, value in zip(means, values, strict=True) if value is not None)
        return half._replace(n=n, sum=round(known * _SECONDS * 10**self.series.scale))


def load_minutes(
    path: Path,
    minutes: Iterable[tuple[UtcMs, Mapping[str, float | int | str]]],
    *,
    demo: bool,
    clock: Clock,
    settings: Store,
    minute_days: int | None = None,
    derived: Collection[str] = DERIVED,
) -> int:
    """Load minutes, oldest first, each a mapping of signal to value, and return how many there were.

    Gauges are the mean of the minute, counters the register at its start, states text. Half-hours are kept of all,
    minutes of the last `minute_days` (by default what `settings` keeps). `demo` marks the file as a simulated home
    for ever; `derived` names the signals, devices aside, that are made from others. Raises FoyerError for a signal
    that does not exist, Misconfigured for a file of a newer version.
    """
    days = settings.minute_days if minute_days is None else min(minute_days, settings.minute_days)
    fresh = not path.exists()
    target = path.with_name(f"{path.name}.loading") if fresh else path
    if fresh:
        path.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
    connection = _open_fresh(target, clock) if fresh else open_for_writing(target, clock)
    try:
        catalog = Catalog()
        catalog.load(connection)
        batch = _Batch(catalog, days * DAY_MS // MINUTE_MS, derived)
        for at, values in minutes:
            batch.add(at, values)
        with transaction(connection):
            batch.write(connection, demo=demo)
    finally:
        connection.close()
    if fresh:
        _publish(target, path)
    return batch.count


def _open_fresh(path: Path, clock: Clock) -> sqlite3.Connection:
    """Open a file that nobody knows yet: a failure leaves nothing to repair, so it needs no journal."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    migrate(connection, path, clock, migrations())
    return connection


def _publish(made: Path, path: Path) -> None:
    """Give a whole file its name, on the disk as well."""
    descriptor = os.open(made, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    made.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _Batch:
    """Everything there is to load."""

    def __init__(self, catalog: Catalog, keep_minutes: int, derived: Collection[str]) -> None:
        self.count = 0
        self._catalog = catalog
        self._keep = keep_minutes
        self._derived = derived
        self._waiting: list[tuple[int, dict[str, float | int | str]]] = []
        self._numbers: dict[str, _Loaded] = {}
        self._changes: dict[str, list[tuple[int, str]]] = {}
        self._first: dict[str, int] = {}
        self.last = 0

    def add(self, at: int, values: Mapping[str, float | int | str]) -> None:
        self._waiting.append((at, dict(values)))
        self.last = at
        self.count += 1
        if len(self._waiting) >= _SPARE_MINUTES:
            self.settle()

    def settle(self) -> None:
        """Hand the minutes that wait to their series, a day of one signal at a time."""
        times = array("q", [at for at, _ in self._waiting])
        for signal in dict.fromkeys(signal for _, values in self._waiting for signal in values):
            series = self._series(signal)
            column = [values.get(signal) for _, values in self._waiting]
            if series.kind is Kind.STATE:
                self._add_states(signal, times, column)
            else:
                self._add_numbers(series, times, column)
        self._waiting.clear()

    def _series(self, signal: str) -> Series:
        series = self._catalog.series_of(signal, _SOURCE)
        if series is None:
            raise FoyerError(Text(f"La mesure « {signal} » n’existe pas.", f"There is no signal “{signal}”."))
        return series

    def _add_numbers(self, series: Series, times: array[int], column: list[float | int | str | None]) -> None:
        loaded = self._numbers.setdefault(series.signal, _Loaded(series, self._keep))
        known = [float(value) for value in column if value is not None]
        loaded.values.extend(known)
        if len(known) == len(column):
            loaded.times.extend(times)
        else:
            loaded.times.extend(at for at, value in zip(times, column, strict=True) if value is not None)
        self._first.setdefault(series.signal, times[0])
        loaded.trim()

    def _add_states(self, signal: str, times: array[int], column: list[float | int | str | None]) -> None:
        changes = self._changes.setdefault(signal, [])
        self._first.setdefault(signal, times[0])
        for at, value in zip(times, column, strict=True):
            if value is not None and (not changes or changes[-1][1] != value):
                changes.append((at, str(value)))

    def write(self, connection: sqlite3.Connection, *, demo: bool) -> None:
        self.settle()
        self._catalog.write(connection)
        for loaded in sorted(self._numbers.values(), key=lambda one: one.series.id or 0):
            number = loaded.series.id
            assert number is not None
            loaded.finish()
            insert_rows(connection, "m1", loaded.minute_rows())
            insert_buckets(connection, "m30", ((number, bucket) for bucket in loaded.halves))
        for signal, changes in self._changes.items():
            number = self._series(signal).id
            rows = [(number, at, value) for at, value in changes]
            connection.executemany("INSERT OR REPLACE INTO change VALUES (?, ?, ?)", rows)
        for signal, at in self._first.items():
            quality = Quality.DERIVED if split_device(signal)[0] in self._derived else Quality.MEASURED
            row = (self._series(signal).id, at, quality.value)
            connection.execute("INSERT OR REPLACE INTO quality VALUES (?, ?, ?)", row)
        if demo:
            connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('demo', '1')")
        hour = hour_of(self.last + MINUTE_MS)
        if self.count and hour > (closed_until(connection) or 0):
            set_closed_until(connection, hour)
