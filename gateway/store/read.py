"""The read side of the store: what the page, the API and the commands ask of the measurements.

with Reader(config.measure_db, clock) as reader:
    reader.history("grid.import.power", start, end, "30m").points
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gateway.clock import Clock, UtcMs
from gateway.errors import FoyerError, Text
from gateway.signals import find
from gateway.store.catalog import quoted
from gateway.store.energy import EnergyBucket, no_energy, read_energy
from gateway.store.history import History, Point, check_history, empty_history, read_history
from gateway.store.readonly import ReadSide
from gateway.store.schema import MINUTE_MS
from gateway.store.spool import Spool
from gateway.store.steps import MAX_POINTS, Step, check_range, edges, step_of, zone_of
from gateway.store.stored import AHEAD_MS, raw_tables, series_by_signal

__all__ = ["MAX_POINTS", "EnergyBucket", "History", "Point", "Reader", "Step", "StoreInfo"]


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What the store holds: whether it is a simulated home, from when to when (UTC ms), and which signals."""

    demo: bool
    first: UtcMs | None
    last: UtcMs | None
    signals: list[str]


class Reader(ReadSide):
    """Reads the measurements, be the gateway running or not. One thread at a time; cheap to make, free to keep.

    Every method raises FoyerError when the file cannot be read. A file that is not there yet is no error: every
    answer is then the one of an empty store.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(path, clock)
        self._path = path

    @property
    def exists(self) -> bool:
        """Whether there is a file of measurements at all."""
        return self._path.exists()

    def history(
        self,
        signal: str,
        start: UtcMs,
        end: UtcMs,
        step: str,
        timezone: str = "Europe/Paris",
        limit: int | None = MAX_POINTS,
    ) -> History:
        """Return the points of a signal in [start, end), in steps raw, 1m, 30m, 1h, 1d or 1mo.

        Buckets are whole ones, the first may begin before `start`; none begins after now. Raises FoyerError for an
        unknown signal (with near names), and for more than `limit` points or raw beyond a day (with the step to use);
        a `limit` of None allows any length.
        """
        chosen, zone, now = step_of(step), zone_of(timezone), self._clock.now()
        known = find(signal)
        check_history(start, end, chosen, known.kind if known else None, limit)
        return self._file.ask(
            lambda connection: read_history(connection, signal, start, end, chosen, zone, now, limit), None
        ) or empty_history(signal, start, end, chosen, zone, now)

    def energy(self, start: UtcMs, end: UtcMs, step: str, timezone: str = "Europe/Paris") -> list[EnergyBucket]:
        """Return the energy in each bucket of [start, end), first and last ones cut at these; steps 1m to 1mo.

        Times are taken to the whole minute. Raises FoyerError as `history` does.
        """
        chosen, zone, now = step_of(step), zone_of(timezone), self._clock.now()
        if chosen is Step.RAW:
            raise FoyerError(
                Text("L’énergie se lit par pas d’une minute ou plus.", "Energy is read in steps of a minute or more."),
                Text("Demandez le pas 1m.", "Ask for step 1m."),
            )
        check_range(start, end, chosen, MAX_POINTS)
        whole_start, whole_end = start - start % MINUTE_MS, end + -end % MINUTE_MS
        inner = [at for at in edges(whole_start, whole_end, chosen, zone) if whole_start < at < whole_end]
        spans = list(pairwise([whole_start, *inner, whole_end]))
        return self._file.ask(lambda connection: read_energy(connection, spans, now), None) or no_energy(spans)

    def info(self) -> StoreInfo:
        """Return what the store holds."""
        return self._file.ask(
            lambda connection: _info(connection, self._clock.now()),
            StoreInfo(demo=False, first=None, last=None, signals=[]),
        )


def _info(connection: sqlite3.Connection, now: int) -> StoreInfo:
    demo = connection.execute("SELECT 1 FROM meta WHERE key = 'demo' AND value = '1'").fetchone() is not None
    series = series_by_signal(connection)
    believed = now + AHEAD_MS
    ends = [
        row
        for table in (quoted(name) for name, _ in raw_tables(connection))
        for row in connection.execute(
            f"SELECT (SELECT min(ts) FROM {table}), (SELECT max(ts) FROM {table} WHERE ts < ?)",  # noqa: S608 - quoted
            (believed,),
        )
    ]
    ends += [(since, last) for _, since, last in Spool(connection).ends if last < believed]
    for one in series.values():
        for table in ("m30", "m1", "change"):
            ends += connection.execute(
                f"SELECT (SELECT min(ts) FROM {table} WHERE series = :series), "  # noqa: S608 - the names above
                f"(SELECT max(ts) FROM {table} WHERE series = :series AND ts < :believed)",
                {"series": one.id, "believed": believed},
            ).fetchall()
    first = min((row[0] for row in ends if row[0] is not None), default=None)
    last = max((row[1] for row in ends if row[1] is not None), default=None)
    return StoreInfo(demo, first, last, list(series))
