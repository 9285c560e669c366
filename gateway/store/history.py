"""The history of one signal, in steps."""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.clock import UtcMs
from gateway.errors import FoyerError, Text
from gateway.reading import Quality, Value
from gateway.signals import SIGNALS, Kind, find
from gateway.store.buckets import Bucket, widen
from gateway.store.schema import HOUR_MS
from gateway.store.steps import MAX_POINTS, WIDTHS, Step, buckets, check_range, too_many
from gateway.store.stored import SeriesReader, StoredSeries, series_by_signal

Point = tuple[UtcMs, Value | None, Quality]
"""When, what, how far to trust it. None is a gap, and its quality `stale`."""


@dataclass(frozen=True, slots=True)
class History:
    """Points of one signal, oldest first, in its unit.

    Gauges are means over a step, counters their first value in it, states their changes. Each step without a value is
    a point with None.
    """

    signal: str
    unit: str
    step: str
    points: list[Point]


def check_signal(signal: str, stored: Iterable[str]) -> None:
    """Raise FoyerError with near names when there is no such signal."""
    if find(signal) is not None:
        return
    near = difflib.get_close_matches(signal, {*SIGNALS, *stored}, n=3)
    names = ", ".join(near)
    raise FoyerError(
        Text(f"La mesure « {signal} » n’existe pas.", f"There is no signal “{signal}”."),
        Text(f"Vouliez-vous dire : {names} ?", f"Did you mean: {names}?") if near else None,
    )


def empty_history(signal: str, start: int, end: int, step: Step, zone: ZoneInfo, now: int) -> History:
    """Return the history of a signal that has none yet: gaps, where a step has buckets."""
    check_signal(signal, ())
    known = find(signal)
    assert known is not None
    points: list[Point] = []
    if step is not Step.RAW and known.kind is not Kind.STATE:
        points = [(at, None, Quality.STALE) for at, _ in _past(start, end, step, zone, now)]
    return History(signal, known.unit, step.value, points)


def read_history(
    connection: sqlite3.Connection,
    signal: str,
    start: int,
    end: int,
    step: Step,
    zone: ZoneInfo,
    now: int,
    limit: int | None,
) -> History:
    """Return the history of a signal; see `Reader.history`."""
    stored = series_by_signal(connection)
    check_signal(signal, stored)
    series = stored.get(signal)
    if series is None:
        return empty_history(signal, start, end, step, zone, now)
    reader = SeriesReader(connection, series, now)
    if series.kind is Kind.STATE:
        points = _states(reader, start, end, step, limit)
    elif step is Step.RAW:
        points = _raw(reader, start, end, limit)
    else:
        points = _steps(reader, _past(start, end, step, zone, now), step)
    return History(signal, series.unit, step.value, points)


def check_history(start: int, end: int, step: Step, kind: Kind | None, limit: int | None = MAX_POINTS) -> None:
    """Raise FoyerError for a range that would give too many points; states are counted when they are read."""
    check_range(start, end, step, None if kind is Kind.STATE else limit)


def _past(start: int, end: int, step: Step, zone: ZoneInfo, now: int) -> list[tuple[UtcMs, UtcMs]]:
    """Return the buckets that have begun: nobody expects a point of tomorrow."""
    until = min(end, now + 1)
    return buckets(start, until, step, zone) if until > start else []


def _states(reader: SeriesReader, start: int, end: int, step: Step, limit: int | None) -> list[Point]:
    rows = reader.changes(start, end, limit)
    if limit is not None and len(rows) > limit:
        raise too_many(start, end, step, limit)
    qualities = reader.qualities()
    return [(UtcMs(ts), value, Quality.STALE if value is None else qualities.at(ts, ts + 1)) for ts, value in rows]


def _raw(reader: SeriesReader, start: int, end: int, limit: int | None) -> list[Point]:
    rows = reader.raw(start, end, limit)
    if limit is not None and len(rows) > limit:
        raise too_many(start, end, Step.RAW, limit)
    qualities, scale = reader.qualities(), reader.series.scale
    return [
        (
            UtcMs(row.ts),
            _unscaled(row.value, scale),
            qualities.at(row.ts, row.ts + 1, is_estimate=bool(row.is_estimate)),
        )
        for row in rows
    ]


def _steps(reader: SeriesReader, spans: list[tuple[UtcMs, UtcMs]], step: Step) -> list[Point]:
    if not spans:
        return []
    bucket_of = _narrow(reader, spans, step) if step in WIDTHS else _wide(reader)
    qualities = reader.qualities()
    points: list[Point] = []
    for start, end in spans:
        bucket = bucket_of(start, end)
        if bucket is None:
            points.append((start, None, Quality.STALE))
        else:
            value = _value(reader.series, bucket)
            points.append((start, value, qualities.at(start, end, is_estimate=bucket.is_estimated)))
    return points


def _narrow(reader: SeriesReader, spans: list[tuple[UtcMs, UtcMs]], step: Step) -> Callable[[int, int], Bucket | None]:
    """Return what gives the bucket of a span, all read at once: for steps of which most have one or two rows."""
    start, end = spans[0][0], spans[-1][1]
    rows = reader.minutes(start, end) if step is Step.MINUTE else reader.halves(start, end)
    if step is Step.HOUR:
        rows = widen(rows, HOUR_MS)
    by_start = {bucket.ts: bucket for bucket in rows}
    return lambda at, _: by_start.get(at)


def _wide(reader: SeriesReader) -> Callable[[int, int], Bucket | None]:
    """Return what gives the bucket of a span of days or more, one look-up each."""
    return reader.first if reader.series.kind is Kind.COUNTER else reader.total


def _value(series: StoredSeries, bucket: Bucket) -> Value | None:
    if series.kind is Kind.COUNTER:
        return None if bucket.first is None else _unscaled(bucket.first, series.scale)
    if bucket.sum is None:
        return None
    # two digits more than one value has: the mean of many is finer
    return float(round(bucket.sum / bucket.n / 10**series.scale, series.scale + 2))


def _unscaled(value: int, scale: int) -> float | int:
    return value / 10**scale if scale else value
