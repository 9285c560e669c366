"""The sun on the panels: the only module that knows pvlib. Import it inside a job or a command, never in what always
runs: it brings pandas and scipy, about a second and 130 MB.

The chain is that of PVGIS, so that its figures compare: sky of Perez (Driesse's continuous form), reflection losses of
Martin and Ruiz, cell temperature of Faiman, power of Huld for crystalline silicon (coefficients of PVGIS 5), and one
share of losses for all the rest. The sun is taken in the middle of each interval.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pvlib

from analytics.climate import Climate, day_clearness
from analytics.roof import Horizon, Plane
from analytics.weather import COMMON_YEAR, Weather, bad
from gateway.errors import Text

Array = npt.NDArray[np.float64]

ALBEDO = 0.2
BAND = 0.08
"""How far a real year may be from a typical one, as a share: weather files of different decades differ by that much."""
CLIMATE_BAND = 0.10
"""The same without a weather file: the estimate of the climate adds to it."""

_STEP_S = 900
_DAY_S = 86_400
_ENOUGH = 0.9  # of a month's hours: less of it and its energy is unknown
_SAME_DEG = 1.0
_STANDARD_W = 1000.0
_DAY_SWING_C, _WARMEST_H = 4.0, 15.0  # half the usual swing of a day in France, and its warmest hour by the sun


@dataclass(frozen=True, slots=True)
class Light:
    """The sun's place (degrees; zenith with refraction), light (W/m²), warmth (°C) and wind (m/s) at instants."""

    zenith: Array
    azimuth: Array
    extra: Array
    ghi: Array
    dni: Array
    dhi: Array
    temperature: Array
    wind: Array
    on_plane: tuple[float, float] | None = None
    """The (tilt, azimuth) on which ghi, dni and dhi were given as whole, beam and sky, if not horizontal."""


@dataclass(frozen=True, slots=True)
class YearYield:
    """A year of production: kWh in each month of all planes, by plane, and what the light was, kWh/m² horizontal."""

    months: tuple[float, ...]
    planes_kwh: tuple[float, ...]
    ghi_kwh: float

    @property
    def kwh(self) -> float:
        """Return the year's kWh."""
        return sum(self.months)


def altitude_at(latitude: float, longitude: float) -> float:
    """Return metres above the sea, from pvlib's coarse map."""
    return float(pvlib.location.lookup_altitude(latitude, longitude))


def sun(latitude: float, longitude: float, altitude: float, times_s: Sequence[float] | Array) -> pd.DataFrame:
    """Return pvlib's solar position at UTC seconds."""
    index = pd.to_datetime(np.asarray(times_s, dtype=np.float64) * 1e9, utc=True)
    return pvlib.solarposition.get_solarposition(index, latitude, longitude, altitude)


def clear_sky(
    latitude: float,
    longitude: float,
    times_s: Sequence[float] | Array,
    temperature: float | Array = 12.0,
    wind: float = 2.0,
    altitude: float | None = None,
) -> Light:
    """Return the light of a cloudless sky at instants in UTC seconds (Ineichen, monthly turbidity of pvlib's map)."""
    height = altitude_at(latitude, longitude) if altitude is None else altitude
    position = sun(latitude, longitude, height, times_s)
    extra = pvlib.irradiance.get_extra_radiation(position.index)
    site = pvlib.location.Location(latitude, longitude, altitude=height)
    sky = site.get_clearsky(position.index, solar_position=position, dni_extra=extra)
    return Light(
        _array(position["apparent_zenith"]),
        _array(position["azimuth"]),
        _array(extra),
        _array(sky["ghi"]),
        _array(sky["dni"]),
        _array(sky["dhi"]),
        np.broadcast_to(np.asarray(temperature, dtype=np.float64), len(position)).copy(),
        np.full(len(position), wind),
    )


def light_of(weather: Weather, latitude: float, longitude: float) -> Light:
    """Return the light of a weather series; the sun is that of the weather's own place, when it names one."""
    north = latitude if weather.latitude is None else weather.latitude
    east = longitude if weather.longitude is None else weather.longitude
    height = altitude_at(north, east) if weather.altitude is None else weather.altitude
    position = sun(north, east, height, weather.sun_s)
    zenith = _array(position["apparent_zenith"])
    extra = _array(pvlib.irradiance.get_extra_radiation(position.index))
    ghi = np.asarray(weather.ghi, dtype=np.float64)
    dni, dhi = _beam_and_sky(weather, ghi, zenith, extra)
    return Light(
        zenith,
        _array(position["azimuth"]),
        extra,
        ghi,
        dni,
        dhi,
        np.asarray(weather.temperature, dtype=np.float64),
        np.asarray(weather.wind, dtype=np.float64),
        weather.plane,
    )


def _beam_and_sky(weather: Weather, ghi: Array, zenith: Array, extra: Array) -> tuple[Array, Array]:
    if weather.dhi is None:
        return _split(ghi, zenith, extra)
    dhi = np.asarray(weather.dhi, dtype=np.float64)
    if weather.dni is not None:
        return np.asarray(weather.dni, dtype=np.float64), dhi
    dni = pvlib.irradiance.dni(ghi, dhi, zenith)
    return np.nan_to_num(np.asarray(dni, dtype=np.float64)), dhi


def _split(ghi: Array, zenith: Array, extra: Array) -> tuple[Array, Array]:
    """Return (dni, dhi) of a global irradiance alone, by the decomposition of Erbs (Driesse's continuous form)."""
    parts = pvlib.irradiance.erbs_driesse(ghi, zenith, dni_extra=extra)
    return _array(parts["dni"]), _array(parts["dhi"])


def climate_weather(climate: Climate) -> Weather:
    """Return a year at 15 minutes made of a climate: clear days and overcast ones, as many as the month asks for."""
    start = datetime(COMMON_YEAR, 1, 1, tzinfo=UTC).timestamp()
    # days begin at the sun's own midnight, so that none changes in daylight
    shift = round(climate.longitude * 240)
    times: Array = start + _STEP_S / 2 + _STEP_S * np.arange(365 * _DAY_S // _STEP_S, dtype=np.float64)
    solar_day = np.clip((times + shift - start) // _DAY_S, 0, 364).astype(int)
    months = np.repeat(np.arange(1, 13), [monthrange(COMMON_YEAR, month)[1] for month in range(1, 13)])
    month = months[((times - start) // _DAY_S).astype(int)]
    light = clear_sky(climate.latitude, climate.longitude, times)
    ghi = light.ghi * np.asarray(day_clearness(climate.clearness))[solar_day]
    dni, dhi = _split(ghi, light.zenith, light.extra)
    # panels live on the warm side of the day: its mean alone would give them 1 % too much
    hour = ((times + shift) % _DAY_S) / 3600
    warmth = np.asarray(climate.temperature)[month - 1] + _DAY_SWING_C * np.cos((hour - _WARMEST_H) * np.pi / 12)
    return Weather(
        "climate",
        climate.source,
        climate.period,
        climate.latitude,
        climate.longitude,
        None,
        _STEP_S,
        times.tolist(),
        month.tolist(),
        ghi.tolist(),
        dni.tolist(),
        dhi.tolist(),
        warmth.tolist(),
        [2.0] * len(times),
    )


def effective_irradiance(light: Light, plane: Plane) -> tuple[Array, Array]:
    """Return (light that enters the panels, light on their plane), W/m²; a series for another plane is BadWeather."""
    incidence = pvlib.irradiance.aoi(plane.tilt_deg, plane.azimuth_deg, light.zenith, light.azimuth)
    beam, sky, ground = _on_plane(light, plane)
    if plane.horizon is not None:
        beam = np.where(_behind(plane.horizon, light), 0.0, beam)
        # what hides a part of the sky is not black: it sends back some of the light, as the ground does
        hidden = _sky_loss(plane.horizon)
        sky = sky * (1 - hidden) + hidden * ALBEDO * light.ghi
    scattered = pvlib.iam.martin_ruiz_diffuse(plane.tilt_deg)
    entering = (
        beam * np.nan_to_num(pvlib.iam.martin_ruiz(incidence)) + sky * scattered["sky"] + ground * scattered["ground"]
    )
    return np.maximum(entering, 0.0), beam + sky + ground


def _on_plane(light: Light, plane: Plane) -> tuple[Array, Array, Array]:
    if light.on_plane is not None:
        tilt, azimuth = light.on_plane
        turn = abs((azimuth - plane.azimuth_deg + 180) % 360 - 180)
        if abs(tilt - plane.tilt_deg) > _SAME_DEG or turn > _SAME_DEG:
            raise bad(
                f"la série est pour un plan incliné de {tilt:g}° vers {azimuth:g}°",
                f"the series is for a plane tilted {tilt:g}° towards {azimuth:g}°",
                Text("Demandez à PVGIS un plan horizontal (slope 0).", "Ask PVGIS for a horizontal plane (slope 0)."),
            )
        return light.dni, light.dhi, np.maximum(light.ghi - light.dni - light.dhi, 0.0)
    parts = pvlib.irradiance.get_total_irradiance(
        plane.tilt_deg,
        plane.azimuth_deg,
        light.zenith,
        light.azimuth,
        light.dni,
        light.ghi,
        light.dhi,
        dni_extra=light.extra,
        airmass=pvlib.atmosphere.get_relative_airmass(light.zenith),
        albedo=ALBEDO,
        model="perez-driesse",
    )
    return tuple(_array(parts[name]) for name in ("poa_direct", "poa_sky_diffuse", "poa_ground_diffuse"))  # type: ignore[return-value]  # three names, three arrays


def _behind(horizon: Horizon, light: Light) -> npt.NDArray[np.bool_]:
    skyline = np.interp(light.azimuth, horizon.azimuths, horizon.heights, period=360)
    return (90 - light.zenith) < skyline


def _sky_loss(horizon: Horizon) -> float:
    """Return the share of an even sky that a skyline hides from flat ground: the mean of its sine squared."""
    heights = np.interp(np.arange(360), horizon.azimuths, horizon.heights, period=360)
    return float(np.mean(np.sin(np.radians(heights)) ** 2))


def plane_power(light: Light, plane: Plane) -> Array:
    """Return the W that a plane gives, its losses taken off."""
    entering, whole = effective_irradiance(light, plane)
    cell = pvlib.temperature.faiman(whole, light.temperature, light.wind)
    watts = pvlib.pvarray.huld(entering, cell, plane.kwp * _STANDARD_W, cell_type="csi", k_version="pvgis5")
    return np.maximum(np.asarray(watts, dtype=np.float64), 0.0) * (1 - plane.loss)


def powers(light: Light, planes: Sequence[Plane], inverter_w: Mapping[str, float] | None = None) -> list[Array]:
    """Return the W of each plane, those of one inverter cut together at what it can give, where that is known."""
    found = [plane_power(light, plane) for plane in planes]
    for inverter, limit in (inverter_w or {}).items():
        members = [n for n, plane in enumerate(planes) if plane.inverter == inverter]
        if members:
            together = np.sum([found[n] for n in members], axis=0)
            share = np.minimum(1.0, limit / np.maximum(together, 1e-9))
            for n in members:
                found[n] = found[n] * share
    return found


def year(
    weather: Weather,
    latitude: float,
    longitude: float,
    planes: Sequence[Plane],
    inverter_w: Mapping[str, float] | None = None,
) -> YearYield:
    """Return the yearly production; of a series of many years, the mean one. Raise BadWeather for a part of a year."""
    light = light_of(weather, latitude, longitude)
    month = np.asarray(weather.month)
    hours = np.array([monthrange(COMMON_YEAR, n)[1] * 24.0 for n in range(1, 13)])
    rows = np.bincount(month, minlength=13)[1:]
    for n, count in enumerate(rows):
        if count * weather.step_s < _ENOUGH * hours[n] * 3600:
            raise bad(
                f"le mois {n + 1} n’y est pas entier, il faut une année",
                f"month {n + 1} is not whole in it, a year is needed",
            )

    def monthly(watts: Array) -> Array:
        means: Array = np.asarray(np.bincount(month, weights=watts, minlength=13)[1:] / rows, dtype=np.float64)
        kwh: Array = means * hours / 1000
        return kwh

    by_plane = [monthly(watts) for watts in powers(light, planes, inverter_w)]
    return YearYield(
        tuple(float(one) for one in np.sum(by_plane, axis=0)),
        tuple(float(one.sum()) for one in by_plane),
        float(monthly(light.ghi).sum()),
    )


def turned(plane: Plane, tilt_deg: float, azimuth_deg: float) -> Plane:
    """Return the same panels on another slope."""
    return replace(plane, tilt_deg=tilt_deg, azimuth_deg=azimuth_deg % 360)


def _array(column: object) -> Array:
    return np.nan_to_num(np.asarray(column, dtype=np.float64))
