"""The rows that stand for raw ones that are gone: one a minute, or a half-hour where minutes are gone as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.clock import UtcMs
from gateway.outputs.influx.lines import HALF_HOUR, MINUTE
from gateway.reading import Quality, Value
from gateway.signals import Kind, find
from gateway.store.read import Reader

_SOURCES = {"1m": f"{MINUTE}:box", "30m": f"{HALF_HOUR}:box"}


@dataclass(slots=True)
class _Bucket:
    """A minute or a half-hour under way."""

    values: dict[str, Value] = field(default_factory=dict)
    estimated: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Summary:
    """One bucket of every signal: means of gauges, first values of counters. A `lines.Row`."""

    at: UtcMs
    source: str
    values: Mapping[str, Value]
    estimated: frozenset[str]


def summaries(reader: Reader, start: int, end: int, step: str) -> list[Summary]:
    """Return the buckets of [start, end) in steps 1m or 30m, oldest first; those without a value are not there."""
    buckets: dict[UtcMs, _Bucket] = {}
    for signal in reader.info().signals:
        known = find(signal)
        if known is None or known.kind is Kind.STATE:
            continue
        for at, value, quality in reader.history(signal, UtcMs(start), UtcMs(end), step, limit=None).points:
            if value is None or not start <= at < end:
                continue
            bucket = buckets.setdefault(at, _Bucket())
            bucket.values[signal] = value
            if quality is Quality.ESTIMATED:
                bucket.estimated.add(signal)
    source = _SOURCES[step]
    return [Summary(at, source, one.values, frozenset(one.estimated)) for at, one in sorted(buckets.items())]
