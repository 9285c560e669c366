"""What the box has measured itself, so that an import ends before it."""

from __future__ import annotations

from typing import NamedTuple

from gateway.archive.imports.source import HOUR_MS
from gateway.clock import UtcMs
from gateway.store.read import Reader

_MONTH_MS = 31 * 24 * HOUR_MS


class Own(NamedTuple):
    """The first value that the store has of a signal."""

    at: UtcMs
    value: float


def first_value(reader: Reader, signal: str, now: int) -> Own | None:
    """Return the first value of a signal, None when the store has none."""
    info = reader.info()
    if signal not in info.signals or info.first is None:
        return None
    start, end = int(info.first), now + 1
    for step, width in (("1mo", _MONTH_MS), ("1h", HOUR_MS)):
        found = _first(reader, signal, start, end, step)
        if found is None:
            return None
        start, end = max(start, int(found.at)), int(found.at) + width
    for step in ("raw", "1m", "30m"):
        found = _first(reader, signal, start - start % HOUR_MS, end, step)
        if found is not None:
            return found
    return None


def _first(reader: Reader, signal: str, start: int, end: int, step: str) -> Own | None:
    points = reader.history(signal, UtcMs(start), UtcMs(end), step, limit=None).points
    return next((Own(at, float(value)) for at, value, _ in points if value is not None), None)
