"""The sky over the simulated home: a clear-sky model, days that are clear, mixed or overcast, clouds that pass, warmth.

Pure functions of (seed, place, time). Time here is in whole seconds since 1970 (UTC), and days are *solar* days,
counted from near the sun's midnight at the place, so that a day's sky never changes in daylight.

Sources: global irradiance of a clear sky, Haurwitz (1945); direct beam, Meinel & Meinel (1976); monthly clearness,
the mean ratio of measured to clear-sky irradiation in the Lyon-Bron typical year 2004-2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import cos, exp, pi

from drivers.sim.noise import draw, ease, wave, waves

DAY_S = 86_400
MINUTES = 1_440
_GRID_S = 300  # solar days begin on a multiple of five minutes, so that minutes and tariff edges fit in them

_CLEARNESS = (0.55, 0.65, 0.73, 0.80, 0.70, 0.83, 0.86, 0.86, 0.76, 0.70, 0.69, 0.53)  # January to December
_MIXED_SHARE = 0.35
_CLEAR_MEAN, _MIXED_MEAN, _OVERCAST_MEAN = 0.98, 0.68, 0.26

_YEAR_DAYS = 365.25
_WARMEST_DAY = 203  # about 22 July
_MEAN_C, _SEASON_C, _HOURS_C, _SPELL_C = 12.8, 8.9, 4.2, 4.5  # Lyon: yearly mean, swings by season, hour and spell
_WARMEST_HOUR = 15


class Sky(StrEnum):
    """What kind of day it is."""

    CLEAR = "clear"
    MIXED = "mixed"
    OVERCAST = "overcast"


def clear_sky(sin_elevation: float) -> tuple[float, float]:
    """Return (global on the flat, direct on a plane facing the sun) under a clear sky, both in W/m²."""
    if sin_elevation <= 0:
        return 0.0, 0.0
    flat = 1098 * sin_elevation * exp(-0.057 / sin_elevation)
    air_mass = 1 / max(sin_elevation, 0.02)
    return flat, min(1353 * 0.7**air_mass**0.678, flat / sin_elevation)


@dataclass(frozen=True, slots=True)
class Weather:
    """The weather of one seed at one place (degrees north and east)."""

    seed: int
    latitude: float
    longitude: float

    def day_of(self, second: int) -> int:
        """Return the number of the solar day that holds an instant."""
        return (second + self._shift()) // DAY_S

    def start_of(self, day: int) -> int:
        """Return the first second of a solar day."""
        return day * DAY_S - self._shift()

    def _shift(self) -> int:
        return round(self.longitude * 240 / _GRID_S) * _GRID_S

    def sky(self, day: int) -> Sky:
        """Return the kind of a day; half the days are like the one before, as weather comes in spells."""
        like = day - 1 if draw(self.seed, "spell", day) < 0.5 else day  # noqa: PLR2004 - one in two
        chance = draw(self.seed, "sky", like)
        month = datetime.fromtimestamp(day * DAY_S, UTC).month
        even = _MIXED_SHARE * _MIXED_MEAN + (1 - _MIXED_SHARE) * _OVERCAST_MEAN
        clear = (_CLEARNESS[month - 1] - even) / (_CLEAR_MEAN - _OVERCAST_MEAN)
        if chance < clear:
            return Sky.CLEAR
        return Sky.MIXED if chance < clear + _MIXED_SHARE else Sky.OVERCAST

    def clearness(self, day: int) -> list[float]:
        """Return global irradiance over clear-sky irradiance, 0 to about 1.1, at each minute of a day (1 441 values).

        Bright edges of clouds pass a little above 1, as they do on real roofs.
        """
        start = self.start_of(day)
        sky = self.sky(day)
        slow = waves(start, 60, MINUTES + 1, 2700, self.seed, "slow", sky)
        if sky is Sky.CLEAR:
            return [0.99 - 0.06 * x for x in slow]
        if sky is Sky.OVERCAST:
            return [0.12 + 0.28 * x for x in slow]
        cover = 0.41 + 0.24 * draw(self.seed, "cover", day)
        middle = waves(start, 60, MINUTES + 1, 840, self.seed, "middle")
        quick = waves(start, 60, MINUTES + 1, 240, self.seed, "quick")
        return [
            (1.06 - 0.74 * ease((0.40 * a + 0.42 * b + 0.18 * c - (1 - cover) + 0.11) / 0.22)) * (0.94 + 0.06 * c)
            for a, b, c in zip(slow, middle, quick, strict=True)
        ]

    def temperature(self, second: int) -> float:
        """Return the outdoor temperature in degrees Celsius."""
        day = second / DAY_S
        hour = ((second + self._shift()) % DAY_S) / 3600
        season = cos(2 * pi * (day - _WARMEST_DAY + 1) / _YEAR_DAYS)  # day 0 is 1 January 1970
        spell = 2 * wave(second, 4 * DAY_S, self.seed, "spell-c") - 1
        return (
            _MEAN_C
            + _SEASON_C * season
            + _HOURS_C * cos(2 * pi * (hour - _WARMEST_HOUR) / 24)
            + _SPELL_C * spell * (1.3 if season < 0 else 1.0)
        )
