"""A bucket: what is kept of one series over a minute or half an hour, and how buckets add up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.signals import Kind

COLUMNS = "ts, n, sum, mn, mx, first, last, first_ms, last_ms, est"

_SECONDS = 60


class Bucket(NamedTuple):
    """Scaled integers; the mean is sum / n. `n` counts values in a minute, and seconds with data in wider buckets.

    Gauges have n, sum, mn, mx; counters have n, first, last, and where these two stood (ms from `ts`).
    `est` is how many of `n` are estimates.
    """

    ts: int
    n: int
    sum: int | None = None
    mn: int | None = None
    mx: int | None = None
    first: int | None = None
    last: int | None = None
    first_ms: int | None = None
    last_ms: int | None = None
    est: int = 0

    @property
    def is_estimated(self) -> bool:
        """Whether more than half of it are estimates."""
        return 2 * self.est > self.n


def summarise(
    kind: Kind, ts: int, times: Sequence[int], values: Sequence[int | None], estimates: int = 0
) -> Bucket | None:
    """Return the bucket that starts at `ts`, of values in the order of time; None when there is no value at all."""
    if kind is Kind.COUNTER:
        known = [(at, value) for at, value in zip(times, values, strict=True) if value is not None]
        if not known:
            return None
        (first_at, first), (last_at, last) = known[0], known[-1]
        return Bucket(
            ts, len(known), first=first, last=last, first_ms=first_at - ts, last_ms=last_at - ts, est=estimates
        )
    present = [value for value in values if value is not None]
    if not present:
        return None
    return Bucket(ts, len(present), sum(present), min(present), max(present), est=estimates)


def weigh(minute: Bucket) -> Bucket:
    """Return a minute as it counts in wider buckets: sixty seconds, however many values it had.

    A power made from index steps has more values where it is higher; a mean over values would lean that way.
    """
    total = None if minute.sum is None else round(minute.sum * _SECONDS / minute.n)
    return minute._replace(n=_SECONDS, sum=total, est=round(minute.est * _SECONDS / minute.n))


def merge(one: Bucket, two: Bucket, ts: int) -> Bucket:
    """Return the bucket starting at `ts` that holds both; neither may start before `ts`. Order does not matter."""
    n, est = one.n + two.n, one.est + two.est
    if one.sum is not None and two.sum is not None:
        assert one.mn is not None and one.mx is not None  # noqa: PT018 - a gauge has all three
        assert two.mn is not None and two.mx is not None  # noqa: PT018
        return Bucket(ts, n, one.sum + two.sum, min(one.mn, two.mn), max(one.mx, two.mx), est=est)
    head, tail = min(one, two, key=_first_at), max(one, two, key=_last_at)
    first_ms, last_ms = _first_at(head) - ts, _last_at(tail) - ts
    return Bucket(ts, n, first=head.first, last=tail.last, first_ms=first_ms, last_ms=last_ms, est=est)


def widen(buckets: Iterable[Bucket], width: int) -> list[Bucket]:
    """Return buckets of `width` ms made of narrower ones, oldest first."""
    wide: dict[int, Bucket] = {}
    for bucket in buckets:
        ts = bucket.ts - bucket.ts % width
        there = wide.get(ts)
        wide[ts] = merge(there, bucket, ts) if there else _move(bucket, ts)
    return [wide[ts] for ts in sorted(wide)]


def _move(bucket: Bucket, ts: int) -> Bucket:
    if bucket.first_ms is None:
        return bucket._replace(ts=ts)
    return bucket._replace(ts=ts, first_ms=_first_at(bucket) - ts, last_ms=_last_at(bucket) - ts)


def _first_at(bucket: Bucket) -> int:
    return bucket.ts + (bucket.first_ms or 0)


def _last_at(bucket: Bucket) -> int:
    return bucket.ts + (bucket.last_ms or 0)
