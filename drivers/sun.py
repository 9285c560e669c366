"""Where the sun stands: enough to know day from night, and to light a simulated roof. Pure Python, a few microseconds.

Method: the equations of the NOAA solar calculator (after Meeus, Astronomical Algorithms), good to some hundredths of
a degree between 1950 and 2050.
"""

from __future__ import annotations

from math import acos, asin, atan2, cos, degrees, radians, sin, tan

from gateway.clock import UtcMs

_MS_A_DAY = 86_400_000
_J2000_MS = 946_728_000_000  # 2000-01-01T12:00:00Z, the origin of the series below
_DAYS_A_CENTURY = 36_525.0
_CIVIL_NIGHT_DEG = -6.0


def _declination_and_equation_of_time(at: UtcMs) -> tuple[float, float]:
    """Return the sun's declination in radians and the equation of time in minutes."""
    century = (at - _J2000_MS) / _MS_A_DAY / _DAYS_A_CENTURY
    mean_longitude = radians((280.46646 + century * (36_000.76983 + century * 0.0003032)) % 360)
    anomaly = radians(357.52911 + century * (35_999.05029 - century * 0.0001537))
    eccentricity = 0.016708634 - century * (0.000042037 + century * 0.0000001267)
    centre = (
        sin(anomaly) * (1.914602 - century * (0.004817 + century * 0.000014))
        + sin(2 * anomaly) * (0.019993 - century * 0.000101)
        + sin(3 * anomaly) * 0.000289
    )
    node = radians(125.04 - 1934.136 * century)
    apparent_longitude = mean_longitude + radians(centre - 0.00569 - 0.00478 * sin(node))
    mean_obliquity = 23 + (26 + (21.448 - century * (46.815 + century * (0.00059 - century * 0.001813))) / 60) / 60
    obliquity = radians(mean_obliquity + 0.00256 * cos(node))
    half = tan(obliquity / 2) ** 2
    minutes = 4 * degrees(
        half * sin(2 * mean_longitude)
        - 2 * eccentricity * sin(anomaly)
        + 4 * eccentricity * half * sin(anomaly) * cos(2 * mean_longitude)
        - 0.5 * half * half * sin(4 * mean_longitude)
        - 1.25 * eccentricity * eccentricity * sin(2 * anomaly)
    )
    return asin(sin(obliquity) * sin(apparent_longitude)), minutes


def elevation_azimuth(at: UtcMs, latitude: float, longitude: float) -> tuple[float, float]:
    """Return the sun's elevation above the horizon and its azimuth clockwise from north, both in degrees.

    The elevation is the geometric one of the disc's centre: refraction, half a degree at the horizon, is not added.
    `latitude` is in degrees north, `longitude` in degrees east.
    """
    declination, equation = _declination_and_equation_of_time(at)
    minutes = (at % _MS_A_DAY) / 60_000 + equation + 4 * longitude
    hour_angle = radians(minutes / 4 - 180)
    north = radians(latitude)
    cos_zenith = sin(north) * sin(declination) + cos(north) * cos(declination) * cos(hour_angle)
    elevation = 90 - degrees(acos(max(-1.0, min(1.0, cos_zenith))))
    azimuth = degrees(
        atan2(
            -sin(hour_angle) * cos(declination),
            cos(north) * sin(declination) - sin(north) * cos(declination) * cos(hour_angle),
        )
    )
    return elevation, azimuth % 360


def is_dark(at: UtcMs, latitude: float, longitude: float) -> bool:
    """Tell whether the sun is more than 6 degrees under the horizon: no panel gives anything then."""
    return elevation_azimuth(at, latitude, longitude)[0] < _CIVIL_NIGHT_DEG
