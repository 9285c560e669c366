"""Gathers what a source says into rows: one row a round of the device, at most one a second."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.bus import Batch
from gateway.reading import Quality, Reading

_SILENT_S = 2.0
"""A source that never says where a round ends gets a row this long after the first reading of it."""

_PATIENT_S = 10.0
"""A source that does say it, and is late: a slow historic frame takes more than two seconds."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One round of a source: the last reading of each signal. `at` is the newest of theirs, `seen` is monotonic."""

    source: str
    at: int
    seen: float
    readings: tuple[Reading, ...]


@dataclass(slots=True)
class _Open:
    since: float
    seen: float
    readings: dict[str, Reading] = field(default_factory=dict)


class Gatherer:
    """The rounds under way, by source. A stale reading is no reading, and is left out."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}
        self._ends_rounds: set[str] = set()

    def add(self, seen: float, batch: Batch) -> list[Frame]:
        """Take a batch that came at `seen` (monotonic s) and return the rounds that are complete now."""
        closed = self.expire(seen)
        under_way = self._open.setdefault(batch.source, _Open(seen, seen))
        under_way.seen = seen
        for reading in batch.readings:
            if reading.quality is not Quality.STALE:
                under_way.readings[reading.signal] = reading
        if batch.frame_end:
            self._ends_rounds.add(batch.source)
            closed += self._close(batch.source)
        return closed

    def expire(self, now: float) -> list[Frame]:
        """Return the rounds that waited too long for their end."""
        late = [
            source
            for source, under_way in self._open.items()
            if now - under_way.since >= (_PATIENT_S if source in self._ends_rounds else _SILENT_S)
        ]
        return [frame for source in late for frame in self._close(source)]

    def close_all(self) -> list[Frame]:
        """Return every round under way."""
        return [frame for source in list(self._open) for frame in self._close(source)]

    def _close(self, source: str) -> list[Frame]:
        under_way = self._open.pop(source)
        readings = tuple(under_way.readings.values())
        if not readings:
            return []
        return [Frame(source, max(reading.at for reading in readings), under_way.seen, readings)]
