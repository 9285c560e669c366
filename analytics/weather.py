"""What a weather series is, whatever file it came from. Pure Python: the parsers need no heavy library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from gateway.errors import FoyerError, Text

COMMON_YEAR = 2023
"""The year on which the months of a typical year, each from another year, are laid: not a leap one."""

_EARTH_KM = 6371.0


class BadWeather(FoyerError):
    """A weather file that cannot be used: the sentence names the line or the field."""


@dataclass(frozen=True, slots=True)
class Weather:
    """Weather at one place. All lists have one value a row; irradiances in W/m², temperature in °C, wind in m/s.

    `sun_s` is the instant, in UTC seconds, at which the sun stands for the row: the middle of its interval, or the
    instant of a satellite's picture. Rows are `step_s` apart. `month` is 1 to 12 by the file's own calendar. Without
    `dhi` only the global irradiance is known; `dni` may be None beside it, being what remains. With `plane`, (tilt,
    azimuth from north), `ghi` is the whole light *on that plane*, `dni` its beam and `dhi` its sky, ground left over.
    """

    kind: str
    source: str
    period: str
    latitude: float | None
    longitude: float | None
    altitude: float | None
    step_s: int
    sun_s: Sequence[float]
    month: Sequence[int]
    ghi: Sequence[float]
    dni: Sequence[float] | None
    dhi: Sequence[float] | None
    temperature: Sequence[float]
    wind: Sequence[float]
    plane: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        lengths = {
            len(column)
            for column in (self.sun_s, self.month, self.ghi, self.dni, self.dhi, self.temperature, self.wind)
            if column is not None
        }
        assert len(lengths) == 1, lengths


def bad(fr: str, en: str, mend: Text | None = None) -> BadWeather:
    """Return the error of a file that cannot be used."""
    return BadWeather(Text(f"Fichier météo : {fr}.", f"Weather file: {en}."), mend)


def kilometres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the great-circle distance between two places in degrees."""
    one, two = radians(latitude), radians(other_latitude)
    chord = sin((two - one) / 2) ** 2 + cos(one) * cos(two) * sin(radians(other_longitude - longitude) / 2) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(chord)))
