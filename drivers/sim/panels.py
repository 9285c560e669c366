"""The roof and its inverter: from the sky to DC and AC power, minute by minute.

Method: beam and isotropic diffuse light on the tilted plane, 20 % of ground reflection, the ASHRAE incidence loss,
a cell warmer by 0.03 °C per W/m² and losing 0.4 % per degree, an inverter with 97 % efficiency and its own small need.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians, sin

from drivers.sim.weather import MINUTES, Weather, clear_sky
from drivers.sun import elevation_azimuth
from gateway.clock import UtcMs

_STEP = 5  # minutes between two computed places of the sun; straight lines between
_AWAKE_DEG = 1.0
_GROUND = 0.2
_CELL_C = 0.03
_LOSS_A_DEGREE = 0.004
_STANDARD_C = 25.0
_EFFICIENCY = 0.97
_OWN_NEED_W = 7.0


@dataclass(frozen=True, slots=True)
class PanelDay:
    """A solar day of the roof: AC and DC watts at each minute (1 441 values; straight lines between), and whether the
    inverter is awake during each minute (1 440 values).
    """

    ac_w: list[float]
    dc_w: list[float]
    awake: list[bool]


@dataclass(frozen=True, slots=True)
class _Light:
    """Clear-sky light at one moment, W/m²: global and direct on the flat, direct on the panels; sun and warmth."""

    flat: float
    flat_beam: float
    beam: float
    elevation: float
    outdoor_c: float


@dataclass(frozen=True, slots=True)
class Panels:
    """Panels of one slope (azimuth clockwise from north) behind one inverter of `inverter_w` AC watts.

    `losses` are those of wiring, dirt, mismatch and age.
    """

    kwp: float
    tilt_deg: float
    azimuth_deg: float
    inverter_w: float
    losses: float = 0.14

    def day(self, weather: Weather, day: int) -> PanelDay:
        """Return a solar day of production under a weather."""
        start = weather.start_of(day)
        lights = [self._light(weather, start + 60 * minute) for minute in range(0, MINUTES + _STEP, _STEP)]
        clearness = weather.clearness(day)
        ac, dc, awake = [0.0] * (MINUTES + 1), [0.0] * (MINUTES + 1), [False] * MINUTES
        for number, (here, there) in enumerate(pairwise(lights)):
            if here.elevation < _AWAKE_DEG and there.elevation < _AWAKE_DEG:
                continue
            for step in range(_STEP):
                minute, share = number * _STEP + step, step / _STEP
                if here.elevation + (there.elevation - here.elevation) * share < _AWAKE_DEG:
                    continue
                dc[minute] = self._dc(here, there, share, clearness[minute])
                ac[minute] = self._ac(dc[minute])
                # power rises from and falls to zero in the minute beside, which is a waking one too
                awake[max(0, minute - 1)] = awake[min(minute, MINUTES - 1)] = True
        return PanelDay(ac, dc, awake)

    def _light(self, weather: Weather, second: int) -> _Light:
        elevation, azimuth = elevation_azimuth(UtcMs(second * 1000), weather.latitude, weather.longitude)
        high, tilt = radians(elevation), radians(self.tilt_deg)
        flat, direct = clear_sky(sin(high))
        facing = sin(high) * cos(tilt) + cos(high) * sin(tilt) * cos(radians(azimuth - self.azimuth_deg))
        entering = max(0.0, 1 - 0.05 * (1 / facing - 1)) if facing > 0 else 0.0
        beam = direct * facing * entering if facing > 0 else 0.0
        return _Light(flat, direct * max(0.0, sin(high)), beam, elevation, weather.temperature(second))

    def _dc(self, here: _Light, there: _Light, share: float, clearness: float) -> float:
        flat = (here.flat + (there.flat - here.flat) * share) * clearness
        # what a cloud leaves of the beam falls faster than what it leaves of the whole light
        through: float = min(1.0, max(0.0, (clearness - 0.25) / 0.75)) ** 1.5
        diffuse = max(0.0, flat - (here.flat_beam + (there.flat_beam - here.flat_beam) * share) * through)
        slope = cos(radians(self.tilt_deg))
        plane = (
            (here.beam + (there.beam - here.beam) * share) * through
            + diffuse * (1 + slope) / 2
            + flat * _GROUND * (1 - slope) / 2
        )
        cell_c = here.outdoor_c + _CELL_C * plane
        return self.kwp * plane * (1 - _LOSS_A_DEGREE * (cell_c - _STANDARD_C)) * (1 - self.losses)

    def _ac(self, dc_w: float) -> float:
        return min(self.inverter_w, max(0.0, _EFFICIENCY * dc_w - _OWN_NEED_W))
