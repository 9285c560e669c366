"""The weekly look at the roof: the last ninety days of the store against a clear sky, as `<state>/solar-health.json`.

    {"at": ISO, "days": n, "clear_days": n, "ratio": measured over clear-sky power on late clear days or null,
     "ratios": [[date, ratio], …], "findings": [{"code", "state", "text": {fr, en}, "evidence"}]}

Imports pvlib: for jobs alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any

import numpy as np

from analytics import solar
from analytics.forecast import warmth
from analytics.performance import SLOT_S, Day, Finding, Slot, clear_ratios
from analytics.roof import Plane, plane_of
from analytics.solar_faults import all_faults
from analytics.solar_setup import FEWEST_DAYS, smooth_days, wrong_setup
from analytics.state_file import replace_json
from gateway.clock import Clock, UtcMs, to_iso
from gateway.config import Config
from gateway.store.read import Reader

HEALTH = "solar-health.json"

_DAYS, _FEWEST = 90, 7
_LATE = 10  # clear days
_DAY_MS, _SLOT_MS, _MINUTE_MS = 86_400_000, SLOT_S * 1000, 60_000
_MS_A_DEGREE = 240_000
_AT_ONCE = 10  # days read in one go: a bounded memory
_FEWEST_MINUTES = 3  # of five, for a mean to be one
_INPUT = re.compile(r"pv\.dc\.power\.\d+(@.+)?")
_STEEPEST = 90.0


def run(config: Config, clock: Clock) -> tuple[bool, str] | None:
    """Judge the roof and write what was found; None when there is nothing to judge it by yet."""
    home = config.home
    if not config.solar_array or home.latitude is None or home.longitude is None:
        return None
    planes = [plane_of(array, config.file.parent) for array in config.solar_array]
    with Reader(config.measure_db, clock) as reader:
        days = read_days(reader, planes, home.latitude, home.longitude, clock.now())
    if len(days) < _FEWEST:
        return None
    document = judged(days, planes, home.latitude, home.longitude)
    replace_json(config.state / HEALTH, {"at": to_iso(clock.now())} | document)
    codes = ", ".join(str(one["code"]) for one in document["findings"])
    return True, f"{len(days)} days, {document['clear_days']} clear: {codes or 'nothing found'}"


def judged(days: Sequence[Day], planes: Sequence[Plane], latitude: float, longitude: float) -> dict[str, Any]:
    """Return what the rules say of these days, oldest first."""
    peak_w = 1000 * sum(plane.kwp for plane in planes)
    ratios = clear_ratios(days, peak_w)
    findings = [*all_faults(days, peak_w), *_setup(days, planes, latitude, longitude)]
    return {
        "days": len(days),
        "clear_days": len(ratios),
        "ratio": round(median(ratio for _, ratio in ratios[-_LATE:]), 3) if ratios else None,
        "ratios": [[days[n].date, round(ratio, 3)] for n, ratio in ratios],
        "findings": [finding.as_json() for finding in findings],
    }


@dataclass(slots=True)
class _Means:
    """Sums by slot of what the store holds by minute."""

    power: dict[int, list[float]] = field(default_factory=dict)
    voltage: dict[int, float] = field(default_factory=dict)
    inputs: dict[int, list[list[float]]] = field(default_factory=dict)


def read_days(reader: Reader, planes: Sequence[Plane], latitude: float, longitude: float, now: UtcMs) -> list[Day]:
    """Return the last whole days of the store that hold any solar power; they begin at the sun's own midnight."""
    info = reader.info()
    if "pv.power" not in info.signals or info.first is None:
        return []
    shift = round(longitude * _MS_A_DEGREE)
    until = (now + shift) // _DAY_MS * _DAY_MS - shift
    since = max(until - _DAYS * _DAY_MS, (info.first + shift) // _DAY_MS * _DAY_MS - shift)
    inputs = sorted(name for name in info.signals if _INPUT.fullmatch(name))
    phases = [name for name in info.signals if name.startswith("grid.voltage.l") and "@" not in name]
    days: list[Day] = []
    for start in range(since, until, _AT_ONCE * _DAY_MS):
        end = min(start + _AT_ONCE * _DAY_MS, until)
        means = _read(reader, inputs, phases, UtcMs(start), UtcMs(end))
        days += _days(means, len(inputs), planes, latitude, longitude, start, end)
    return days


def _read(reader: Reader, inputs: Sequence[str], phases: Sequence[str], start: UtcMs, end: UtcMs) -> _Means:
    means = _Means()
    for at, watts in _minutes(reader, "pv.power", start, end):
        means.power.setdefault(at, []).append(watts)
    for phase in phases:
        for at, volts in _minutes(reader, phase, start, end):
            means.voltage[at] = max(means.voltage.get(at, 0.0), volts)
    for number, name in enumerate(inputs):
        for at, watts in _minutes(reader, name, start, end):
            means.inputs.setdefault(at, [[] for _ in inputs])[number].append(watts)
    return means


def _minutes(reader: Reader, signal: str, start: UtcMs, end: UtcMs) -> list[tuple[int, float]]:
    """Return (start of the slot, value) of each minute that has one."""
    points = reader.history(signal, start, end, "1m", limit=None).points
    return [
        (start + (at - start) // _SLOT_MS * _SLOT_MS, float(value))
        for at, value, _ in points
        if isinstance(value, int | float) and start <= at < end
    ]


def _days(
    means: _Means,
    inputs: int,
    planes: Sequence[Plane],
    latitude: float,
    longitude: float,
    start: int,
    end: int,
) -> list[Day]:
    times = np.arange(start, end, _SLOT_MS, dtype=np.float64) / 1000 + SLOT_S / 2
    month = datetime.fromtimestamp((start + end) / 2000, UTC).month
    light = solar.clear_sky(latitude, longitude, times, warmth(latitude, longitude, month))
    clear = np.sum(solar.powers(light, planes), axis=0)
    per_day = _DAY_MS // _SLOT_MS
    found: list[Day] = []
    for first in range(0, len(times), per_day):
        slots = [
            Slot(
                UtcMs(at := start + n * _SLOT_MS),
                _mean(means.power.get(at, [])),
                float(clear[n]),
                90 - float(light.zenith[n]),
                float(light.azimuth[n]),
                means.voltage.get(at),
                tuple(_mean(values) for values in means.inputs.get(at, [[]] * inputs)),
            )
            for n in range(first, min(first + per_day, len(times)))
            if light.zenith[n] < 90  # noqa: PLR2004 - above the horizon
        ]
        if any(slot.measured for slot in slots):
            date = datetime.fromtimestamp(float(times[first]) + 43_200, UTC).date().isoformat()
            found.append(Day(date, tuple(slots)))
    return found


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if len(values) >= _FEWEST_MINUTES else None


def _setup(days: Sequence[Day], planes: Sequence[Plane], latitude: float, longitude: float) -> list[Finding]:
    peak_w = 1000 * sum(plane.kwp for plane in planes)
    smooth = smooth_days(days, peak_w)
    if len(smooth) < FEWEST_DAYS:
        return []
    times = [slot.at / 1000 + SLOT_S / 2 for day in smooth for slot in day.slots]
    month = datetime.fromtimestamp(times[len(times) // 2], UTC).month
    light = solar.clear_sky(latitude, longitude, times, warmth(latitude, longitude, month))

    def curves(tilt: float, turn: float) -> list[list[float]]:
        moved = [
            solar.turned(plane, min(_STEEPEST, max(0.0, plane.tilt_deg + tilt)), plane.azimuth_deg + turn)
            for plane in planes
        ]
        whole = np.sum(solar.powers(light, moved), axis=0).tolist()
        cut: list[list[float]] = []
        for day in smooth:
            done = sum(len(one) for one in cut)
            cut.append(whole[done : done + len(day.slots)])
        return cut

    slopes = {(plane.tilt_deg, plane.azimuth_deg) for plane in planes}
    return wrong_setup(smooth, curves, turns=len(slopes) == 1)
