"""How often to look, and what a silence means, by the height of the sun. Pure."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from drivers.sun import elevation_azimuth
from gateway.clock import UtcMs

DARK_S = 300.0
TWILIGHT_S = 30.0
LOST_AFTER_S = 600.0
"""How long an inverter may be silent under the sun before it counts as lost."""

_DARK_DEG = -6.0
_DAY_DEG = 5.0
_BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_JITTER = 0.2


class Light(Enum):
    """How much the sun can give. `UNKNOWN` when the place of the home is not configured."""

    DARK = "dark"
    TWILIGHT = "twilight"
    DAY = "day"
    UNKNOWN = "unknown"


def light(at: UtcMs, place: tuple[float, float] | None) -> Light:
    """Return the light at `at` over `place` (latitude, longitude in degrees)."""
    if place is None:
        return Light.UNKNOWN
    elevation, _ = elevation_azimuth(at, *place)
    if elevation < _DARK_DEG:
        return Light.DARK
    return Light.TWILIGHT if elevation <= _DAY_DEG else Light.DAY


def back_off(failures: int, uniform: Callable[[float, float], float]) -> float:
    """Return the seconds to wait after that many failures in a row (1 and up), spread by `uniform(low, high)`."""
    seconds = _BACK_OFF_S[min(failures, len(_BACK_OFF_S)) - 1]
    return seconds * uniform(1 - _JITTER, 1 + _JITTER)
