"""The past from InfluxDB, by InfluxQL: the one question that 1.x, 2.x and 3 all answer.

Only what the box no longer has is asked for: raw rows past `store.raw_days`, minutes past `store.minute_days`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from gateway.clock import Clock, UtcMs
from gateway.config import Config, Influxdb
from gateway.errors import FoyerError, Text, Unsupported
from gateway.outputs.influx.faults import bare
from gateway.outputs.influx.lines import ESTIMATED, HALF_HOUR, MINUTE, home_tag
from gateway.outputs.influx.server import Api, Connection
from gateway.reading import Quality
from gateway.signals import Kind, Signal, find
from gateway.store.read import Point

STEPS = ("raw", "1m")
_HOUR_MS, _MINUTE_MS = 3_600_000, 60_000
_REST_S = 30.0
"""After a fault, how long the server is left alone: a page must not wait for it at each click."""

_DERIVE = "derive"
_FIELDS_S = 300.0


class ReadBack:
    """Reads points back. One question at a time; others wait for it, never longer than its own timeouts."""

    def __init__(self, config: Config, settings: Influxdb, clock: Clock, connection: Connection | None = None) -> None:
        self._connection = connection or Connection(settings, config.file.parent)
        self._home = home_tag(config.home.name)
        self._clock = clock
        self._lock = threading.Lock()
        self._fault: FoyerError | None = None
        self._rest_until = 0.0
        self._fields: dict[str, set[str]] = {}
        self._fields_until = 0.0

    def hours(self, signal: str, start: int, end: int, step: str) -> Iterator[list[Point]]:
        """Yield the points of [start, end), an hour at a time, oldest first; step raw or 1m.

        A minute is the mean of a gauge, the first value of a counter. States are nowhere but in the box. Raises
        FoyerError: the server is away, or cannot be read.
        """
        known = find(signal)
        if known is None or known.kind is Kind.STATE or step not in STEPS:
            return
        at = start
        while at < end:
            until = min(end, at - at % _HOUR_MS + _HOUR_MS)
            yield self._ask(known, signal, at, until, step)
            at = until

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            self._connection.close()

    def _ask(self, known: Signal, signal: str, start: int, end: int, step: str) -> list[Point]:
        with self._lock:
            if self._fault is not None and self._clock.monotonic() < self._rest_until:
                raise bare(self._fault)
            try:
                self._open()
                points = self._raw(known, signal, start, end)
                if step != "raw":
                    points = _with_minutes(_minutes(known, points), self._read(known, signal, MINUTE, start, end))
            except FoyerError as fault:
                self._fault, self._rest_until = bare(fault), self._clock.monotonic() + _REST_S
                self._connection.close()
                self._fields = {}
                raise
            self._fault = None
            return points

    def _open(self) -> None:
        if self._connection.server is None:
            server = self._connection.open(prepare=False)
            self._fields = {}
            if server.api is Api.OTHER:
                raise Unsupported(
                    Text(f"{server.name} ne se relit pas ainsi.", f"{server.name} cannot be read this way.")
                )
        if not self._fields or self._clock.monotonic() >= self._fields_until:
            found = self._connection.query("SHOW FIELD KEYS")
            self._fields = {str(one["name"]): {str(row[0]) for row in one.get("values", [])} for one in found}
            self._fields_until = self._clock.monotonic() + _FIELDS_S

    def _raw(self, known: Signal, signal: str, start: int, end: int) -> list[Point]:
        points = {
            point[0]: point
            for measurement in self._fields
            if measurement not in (MINUTE, HALF_HOUR)
            for point in self._read(known, signal, measurement, start, end)
        }
        return [points[at] for at in sorted(points)]

    def _read(self, known: Signal, signal: str, measurement: str, start: int, end: int) -> list[Point]:
        fields = self._fields.get(measurement, set())
        if signal not in fields:
            return []
        chosen = [f'"{signal}"', *([f'"{ESTIMATED}"'] if ESTIMATED in fields else [])]
        name = measurement.replace("\\", "\\\\").replace('"', '\\"')
        series = self._connection.query(
            f'SELECT {", ".join(chosen)} FROM "{name}" '  # noqa: S608 - names of the registry, and of the server
            f"WHERE \"home\" = '{self._home}' AND time >= {start}ms AND time < {end}ms"
        )
        usual = Quality.DERIVED if measurement == _DERIVE else Quality.MEASURED
        return [
            point
            for one in series
            for row in one.get("values", [])
            if (point := _point(known, signal, dict(zip(one["columns"], row, strict=True)), usual)) is not None
        ]


def _point(known: Signal, signal: str, row: dict[str, Any], usual: Quality) -> Point | None:
    value = row.get(signal)
    if not isinstance(value, int | float):
        return None  # another field of the same row
    guessed = signal in str(row.get(ESTIMATED) or "").split()
    number = int(value) if known.kind is Kind.COUNTER else float(value)
    return UtcMs(int(row["time"])), number, Quality.ESTIMATED if guessed else usual


def _minutes(known: Signal, points: list[Point]) -> list[Point]:
    """Return one point a minute of raw ones; an estimate where more than half of them are."""
    minutes: list[Point] = []
    for at, group in groupby(points, key=lambda point: point[0] - point[0] % _MINUTE_MS):
        members = list(group)
        numbers = [value for _, value, _ in members if isinstance(value, int | float)]
        value = numbers[0] if known.kind is Kind.COUNTER else round(sum(numbers) / len(numbers), known.scale + 2)
        guessed = sum(quality is Quality.ESTIMATED for _, _, quality in members) * 2 > len(members)
        usual = next((quality for _, _, quality in members if quality is not Quality.ESTIMATED), Quality.MEASURED)
        minutes.append((UtcMs(at), value, Quality.ESTIMATED if guessed else usual))
    return minutes


def _with_minutes(made: list[Point], sent: list[Point]) -> list[Point]:
    """Return the minutes made of raw rows, and those sent as minutes where there were no rows left."""
    points = {point[0]: point for point in [*sent, *made]}
    return [points[at] for at in sorted(points)]
