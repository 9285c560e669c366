"""The climate that the box carries: monthly clearness and temperature at a few places of France, and days made of it.

Clearness is the month's horizontal irradiation over that of a clear sky (Ineichen, with pvlib's monthly turbidity).
The figures, their sources and which are estimates stand in `data/climate/france.toml`. Pure; no heavy library.
"""

from __future__ import annotations

import random
import tomllib
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from analytics.weather import COMMON_YEAR, kilometres
from gateway.errors import FoyerError, Text

FILE = Path(__file__).with_name("data") / "climate" / "france.toml"

_FARTHEST_KM = 250.0
_SAME_PLACE_KM = 10.0
_NEIGHBOURS = 3
_OVERCAST = 0.35
"""Clearness of an overcast day; a clear one has 1. Monthly means made of these two kinds of day keep the share of beam
that the panels live on: the same mean on every day would lose 2 % of the year.
"""
_SEED = 20_260_101


@dataclass(frozen=True, slots=True)
class Climate:
    """Twelve months at one place, January first: clearness (0 to 1) and mean temperature in °C."""

    latitude: float
    longitude: float
    clearness: tuple[float, ...]
    temperature: tuple[float, ...]
    source: str
    period: str
    estimate: bool


@dataclass(frozen=True, slots=True)
class Station:
    """A place of the file. `sunshine_h` is what the clearness was made from, where it was; see the file's head."""

    name: str
    latitude: float
    longitude: float
    clearness: tuple[float, ...]
    temperature: tuple[float, ...]
    sunshine_h: tuple[float, ...] | None
    estimate: bool
    period: str
    source: str
    seen_on: str


@lru_cache(maxsize=1)
def stations() -> tuple[Station, ...]:
    """Return the places of the file."""
    places = tomllib.loads(FILE.read_text(encoding="utf-8"))["place"]
    return tuple(
        Station(
            one["name"],
            one["latitude"],
            one["longitude"],
            tuple(one["clearness"]),
            tuple(one["temperature_c"]),
            tuple(one["sunshine_h"]) if "sunshine_h" in one else None,
            one["estimate"],
            one["period"],
            one["source"],
            one["seen_on"].isoformat(),
        )
        for one in places
    )


def climate_at(latitude: float, longitude: float) -> Climate:
    """Return the climate of a place, weighted by nearness from the three nearest stations.

    Raise FoyerError where the nearest is more than 250 km away: the box carries France alone.
    """
    near = sorted(
        (kilometres(latitude, longitude, one.latitude, one.longitude), n, one) for n, one in enumerate(stations())
    )[:_NEIGHBOURS]
    if near[0][0] > _FARTHEST_KM:
        raise FoyerError(
            Text(
                "Le climat de ce lieu n’est pas dans la boîte, qui ne connaît que la France métropolitaine.",
                "The climate of this place is not in the box, which knows mainland France and Corsica only.",
            ),
            Text(
                "Vérifiez latitude et longitude, ou donnez un fichier météo avec --weather.",
                "Check latitude and longitude, or give a weather file with --weather.",
            ),
        )
    if near[0][0] < _SAME_PLACE_KM:
        near = near[:1]
    weights = [1 / max(away, _SAME_PLACE_KM) ** 2 for away, _, _ in near]
    used = [one for _, _, one in near]
    return Climate(
        latitude,
        longitude,
        _mean([one.clearness for one in used], weights),
        _mean([one.temperature for one in used], weights),
        "Foyer, " + ", ".join(one.name for one in used),
        used[0].period,
        any(one.estimate for one in used) or len(used) > 1,
    )


def _mean(columns: Sequence[tuple[float, ...]], weights: Sequence[float]) -> tuple[float, ...]:
    total = sum(weights)
    return tuple(
        sum(weight * column[month] for weight, column in zip(weights, columns, strict=True)) / total
        for month in range(12)
    )


def day_clearness(clearness: Sequence[float]) -> list[float]:
    """Return the clearness of the 365 days of a year whose months have the given means: clear days, overcast days, one
    in between for the remainder, in an order that is always the same.
    """
    order = random.Random(_SEED)  # noqa: S311 - a fixed shuffle, nothing secret
    days: list[float] = []
    for month, mean in enumerate(clearness, start=1):
        length = monthrange(COMMON_YEAR, month)[1]
        overcast = min(_OVERCAST, mean)
        clear = min(1.0, max(0.0, (mean - overcast) / (1 - overcast))) * length
        whole = int(clear)
        of_month = [1.0] * whole + [overcast] * (length - whole)
        if whole < length:
            of_month[whole] += (clear - whole) * (1 - overcast)
        order.shuffle(of_month)
        days += of_month
    return days
