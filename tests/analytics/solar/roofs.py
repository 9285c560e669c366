"""Roofs over many days: the sky of the simulated home, light and panels by pvlib, and faults to put in."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from analytics import solar
from analytics.performance import SLOT_S, Day, Slot
from analytics.roof import Plane
from drivers.sim.weather import Weather

LATITUDE, LONGITUDE = 45.764, 4.835
PLANE = Plane(3.0, 30, 180)
PEAK_W = 3000.0
PER_DAY = 86_400 // SLOT_S


@lru_cache(maxsize=16)
def roof(start="2025-04-15", count=60, seed=7, plane=PLANE, as_if=PLANE, late_min=0):
    """`count` days of `plane`, whose owner says `as_if`, its clock `late_min` late: healthy, under passing weather."""
    first = datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp() - round(LONGITUDE * 240)
    first -= first % 300
    times = first + SLOT_S * (np.arange(count * PER_DAY) + 0.5)
    clear = solar.clear_sky(LATITUDE, LONGITUDE, times, 15.0)
    moved = solar.clear_sky(LATITUDE, LONGITUDE, times - 60 * late_min, 15.0) if late_min else clear
    kept = _clearness(Weather(seed, LATITUDE, LONGITUDE), first, count)
    given = solar.plane_power(_clouded(moved, kept), plane) * 0.97
    expected = solar.plane_power(clear, as_if)
    days = []
    for n in range(count):
        slots = [
            Slot(
                int(times[i] * 1000),
                float(given[i]),
                float(expected[i]),
                90 - float(clear.zenith[i]),
                float(clear.azimuth[i]),
                236.0,
            )
            for i in range(n * PER_DAY, (n + 1) * PER_DAY)
            if clear.zenith[i] < 90
        ]
        days.append(Day(datetime.fromtimestamp(first + n * 86_400 + 43_200, UTC).date().isoformat(), tuple(slots)))
    return tuple(days)


def _clearness(weather, first, count):
    """The mean of each five minutes of what the simulated home's sky lets through."""
    number = weather.day_of(int(first) + 60)
    minutes = np.concatenate([weather.clearness(number + n)[:1440] for n in range(count)])
    return minutes.reshape(-1, SLOT_S // 60).mean(axis=1)


def _clouded(clear, kept):
    ghi = clear.ghi * kept
    dni = clear.dni * np.clip((kept - 0.25) / 0.75, 0, 1) ** 1.5
    level = np.maximum(np.cos(np.radians(clear.zenith)), 0)
    return replace(clear, ghi=ghi, dni=dni, dhi=np.maximum(ghi - dni * level, 0))


def changed(days, change, since=0):
    """The days with `change(day number, slot)` in place of each slot's measured power from a day on."""
    return [
        day if n < since else replace(day, slots=tuple(replace(slot, measured=change(n, slot)) for slot in day.slots))
        for n, day in enumerate(days)
    ]


def with_inputs(days, share=0.5, down_from=None):
    """Two DC inputs, the first of which stops from a day on."""

    def slot_of(n, slot):
        one = 0.0 if down_from is not None and n >= down_from else share * slot.measured
        return replace(slot, measured=one + (1 - share) * slot.measured, strings=(one, (1 - share) * slot.measured))

    return [replace(day, slots=tuple(slot_of(n, slot) for slot in day.slots)) for n, day in enumerate(days)]
