"""Makes of a source's samples what the store keeps: registers that never step back, means of whole minutes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from gateway.archive.imports.source import HOUR_MS, Sample, in_order
from gateway.clock import UtcMs
from gateway.signals import Signal, within_bounds

MINUTE_MS = 60_000
MOST_W = 100_000
"""No home uses or makes more: what asks for more in a counter is a glitch or another counter."""

_GAP_MS = 2 * HOUR_MS
_T = TypeVar("_T")


@dataclass(slots=True)
class Seen:
    """What went by: how much, from when to when, and what was wrong with it. `gap_ms` adds up gaps above two hours."""

    count: int = 0
    first: UtcMs | None = None
    last: UtcMs | None = None
    first_value: float = 0.0
    last_value: float = 0.0
    total: float = 0.0
    resets: int = 0
    glitches: int = 0
    refused: int = 0
    gaps: int = 0
    gap_ms: int = 0

    def note(self, sample: Sample) -> None:
        """Take one value that is kept."""
        at, value = sample
        if self.first is None or self.last is None:
            self.first, self.first_value = at, value
        elif at - self.last > _GAP_MS:
            self.gaps += 1
            self.gap_ms += at - self.last
        self.last, self.last_value = at, value
        self.count += 1
        self.total += value


def scaled(samples: Iterable[Sample], factor: float) -> Iterator[Sample]:
    """Yield samples in the signal's unit, in the order of time."""
    return ((at, value * factor) for at, value in in_order(samples))


def until(samples: Iterable[Sample], end: int | None) -> Iterator[Sample]:
    """Yield the samples before `end`, which None leaves open."""
    for at, value in samples:
        if end is not None and at >= end:
            return
        yield at, value


def registers(samples: Iterable[Sample], seen: Seen) -> Iterator[Sample]:
    """Yield (whole minute, Wh) of a counter in Wh that never steps back.

    One value that is lower, or higher than a home can reach, and that the next one contradicts, is a glitch. Confirmed
    it is another counter: what it counted before is not known, and the register stands still there.
    """
    last: Sample | None = None
    offset = 0.0
    minute = -1
    for (at, raw), after in _with_next(samples):
        if last is None:
            offset = max(-raw, 0.0)
        elif raw < last[1]:
            if after is not None and after[1] >= last[1]:
                seen.glitches += 1
                continue
            seen.resets += 1
            offset += last[1] - raw
        elif raw - last[1] > MOST_W * (at - last[0]) / HOUR_MS + 1:
            if after is None or after[1] < raw:
                seen.glitches += 1
                continue
            seen.resets += 1
            offset -= raw - last[1]
        last = (at, raw)
        if at // MINUTE_MS > minute:
            minute = at // MINUTE_MS
            yield UtcMs(minute * MINUTE_MS), raw + offset


def minute_means(samples: Iterable[Sample], hold_ms: int) -> Iterator[Sample]:
    """Yield (whole minute, mean over the part of it that is known); a value holds until the next, `hold_ms` at most."""
    minute, weight, total = -1, 0, 0.0
    for (start, value), after in _with_next(samples):
        at, end = int(start), min(start + hold_ms, after[0] if after else start + hold_ms)
        while at < end:
            if at // MINUTE_MS != minute:
                if weight:
                    yield UtcMs(minute * MINUTE_MS), total / weight
                minute, weight, total = at // MINUTE_MS, 0, 0.0
            piece = min(end, (minute + 1) * MINUTE_MS) - at
            weight += piece
            total += value * piece
            at += piece
    if weight:
        yield UtcMs(minute * MINUTE_MS), total / weight


def kept(samples: Iterable[Sample], signal: Signal, seen: Seen) -> Iterator[Sample]:
    """Yield what the signal can be, and note it; count the rest as refused."""
    for at, value in samples:
        if within_bounds(signal, value):
            seen.note((at, value))
            yield at, value
        else:
            seen.refused += 1


def _with_next(samples: Iterable[_T]) -> Iterator[tuple[_T, _T | None]]:
    rest = iter(samples)
    for one in rest:
        here = one
        break
    else:
        return
    for after in rest:
        yield here, after
        here = after
    yield here, None
