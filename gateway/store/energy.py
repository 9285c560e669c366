"""Energy of the home over buckets of time, from its counters and from nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.clock import UtcMs
from gateway.signals import TARIFF_INDEXES, Kind, split_device
from gateway.store.registers import Register, Registers
from gateway.store.schema import HOUR_MS
from gateway.store.spool import Spool
from gateway.store.stored import SeriesReader, StoredSeries, series_by_signal

_NIGHT_MS = 16 * HOUR_MS
"""An inverter that went to sleep with the sun says nothing for as long as this, and makes nothing."""

_SLACK_WH = 10
_SLACK = 0.05
"""Meter and inverter do not read the same instant, nor measure alike: a deficit up to this is none."""


@dataclass(frozen=True, slots=True)
class EnergyBucket:
    """Energy over [start, end), in Wh; None is unknown, never zero.

    `consumption` is import + production - export; without panels it is import. `self_consumption` is production
    - export, `self_sufficiency` is its share of consumption, 0 to 1. `coverage` is the share of the time, up to now,
    between the first and the last register known. `estimated`: a register was taken between two far apart.
    """

    start: UtcMs
    end: UtcMs
    import_wh: float | None
    export_wh: float | None
    production_wh: float | None
    consumption_wh: float | None
    self_consumption_wh: float | None
    self_sufficiency: float | None
    coverage: float
    estimated: bool


class Flow(NamedTuple):
    """Energy of one counter, or of several together, over one bucket."""

    wh: float | None
    coverage: float
    is_estimated: bool


_UNKNOWN = Flow(None, 0.0, is_estimated=False)


def read_energy(connection: sqlite3.Connection, spans: Sequence[tuple[int, int]], now: int) -> list[EnergyBucket]:
    """Return the energy of each span (whole minutes, UTC ms, one ending where the next begins)."""
    stored = series_by_signal(connection)
    spool = Spool(connection)
    moments = [spans[0][0], *(end for _, end in spans)]

    def flows(signals: list[StoredSeries], *, is_solar: bool = False) -> list[Flow]:
        columns = [
            _flows(SeriesReader(connection, one, now, spool), connection, moments, now, is_solar=is_solar)
            for one in signals
        ]
        return [_together(row) for row in zip(*columns, strict=True)] if columns else [_UNKNOWN] * len(spans)

    has_panels = any(split_device(signal)[0].startswith("pv.") for signal in stored)
    imported = flows(_import_series(stored))
    exported = flows([stored["grid.export.energy"]] if "grid.export.energy" in stored else [])
    produced = flows(_solar_series(stored), is_solar=True)
    return [
        balance(start, end, grid, export, solar, has_panels=has_panels)
        for (start, end), grid, export, solar in zip(spans, imported, exported, produced, strict=True)
    ]


def no_energy(spans: Sequence[tuple[int, int]]) -> list[EnergyBucket]:
    """Return the buckets of a home that has no measurements yet."""
    return [balance(start, end, _UNKNOWN, _UNKNOWN, _UNKNOWN, has_panels=False) for start, end in spans]


def balance(start: int, end: int, grid: Flow, export: Flow, solar: Flow, *, has_panels: bool) -> EnergyBucket:
    """Return the bucket made of the three flows. Pure."""
    used = own = share = None
    known = [flow for flow in (grid, export, solar) if flow.wh is not None]
    if not has_panels:
        used = grid.wh
    elif grid.wh is not None and export.wh is not None and solar.wh is not None:
        used = _positive(grid.wh + solar.wh - export.wh, solar.wh)
        own = _positive(solar.wh - export.wh, solar.wh)
        if used and own is not None:
            share = round(min(own / used, 1.0), 4)
    return EnergyBucket(
        UtcMs(start),
        UtcMs(end),
        grid.wh,
        export.wh,
        solar.wh,
        used,
        own,
        share,
        round(min((flow.coverage for flow in known), default=0.0), 4),
        estimated=any(flow.is_estimated for flow in known),
    )


def _positive(difference: float, production: float) -> float | None:
    """Return a difference of counters; a small deficit is none, a large one means that they contradict each other."""
    if difference >= 0:
        return difference
    return 0 if -difference <= max(_SLACK_WH, _SLACK * production) else None


def _import_series(stored: dict[str, StoredSeries]) -> list[StoredSeries]:
    if "grid.import.energy" in stored:
        return [stored["grid.import.energy"]]
    # the distributor's indexes count the same energy again
    indexes = [f"grid.import.energy.{index}" for index in TARIFF_INDEXES if not index.startswith("d0")]
    return [stored[name] for name in indexes if name in stored]


def _solar_series(stored: dict[str, StoredSeries]) -> list[StoredSeries]:
    if "pv.energy" in stored:
        return [stored["pv.energy"]]
    return [
        one for signal, one in stored.items() if split_device(signal)[0] == "pv.energy" and one.kind is Kind.COUNTER
    ]


def _flows(
    reader: SeriesReader, connection: sqlite3.Connection, moments: Sequence[int], now: int, *, is_solar: bool
) -> list[Flow]:
    registers = Registers(connection, reader)
    found = registers.at(moments)
    last = next((one.until for one in reversed(found) if one is not None and one.until is not None), None)
    sleeps = is_solar and last is not None and now - last <= _NIGHT_MS and registers.is_resting(last)
    return [
        _flow((start, min(end, max(now, start + 1))), one, two, registers.one_wh, sleeps=sleeps)
        for start, end, one, two in zip(moments, moments[1:], found, found[1:], strict=False)
    ]


def _flow(span: tuple[int, int], one: Register | None, two: Register | None, one_wh: int, *, sleeps: bool) -> Flow:
    start, end = span
    if one is None or two is None or two.since is not None or (one.until is not None and not sleeps):
        return _UNKNOWN
    moved = two.value - one.value
    if moved < 0:
        return _UNKNOWN
    since = start if one.since is None else one.since
    until = end if two.until is None or sleeps else min(two.until, end)
    coverage = max(min((until - since) / (end - start), 1.0), 0.0)
    estimated = one.is_estimated or two.is_estimated or one.until is not None
    return Flow(moved if one_wh == 1 else moved / one_wh, coverage, estimated)


def _together(flows: Sequence[Flow]) -> Flow:
    total = 0.0
    for flow in flows:
        if flow.wh is None:
            return _UNKNOWN
        total += flow.wh
    return Flow(total, min(flow.coverage for flow in flows), any(flow.is_estimated for flow in flows))
