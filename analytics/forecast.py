"""What the panels should give now and today, for the page: `<state>/solar.json`. Imports pvlib: for jobs alone.

    {"at": ISO, "kind": "forecast" | "clear-sky", "source": str, "now_w": W, "today_wh": Wh,
     "arrays": [{"id", "kwp", "now_w", "today_wh"}], "today": [[ISO, W], …]}

`today` is the home's day in quarters of an hour, stamped at their start. With the weather of `<state>/forecast.json`
(an answer of Open-Meteo that covers the day) it is a forecast; without, what a sky without clouds would give: more than
most days, never less.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics import solar
from analytics.climate import climate_at
from analytics.roof import Plane, plane_of
from analytics.state_file import replace_json
from analytics.weather import BadWeather, Weather
from analytics.weather_files import read_weather
from gateway.clock import Clock, UtcMs, from_datetime, to_datetime, to_iso
from gateway.config import Config
from gateway.errors import FoyerError

FORECAST, EXPECTED = "forecast.json", "solar.json"

_QUARTER_S = 900
_COVERED = 0.9  # of the day's bright quarters: a forecast of less is not the day's
_LOWEST_SUN_W = 20.0  # under a clear sky; below it a ratio of light to clear light means nothing
_MOST_CLEAR = 1.3
_MILD_C = 12.0


def run(config: Config, clock: Clock) -> tuple[bool, str] | None:
    """Write what is expected; None when no panels, or no place, are configured."""
    home = config.home
    if not config.solar_array or home.latitude is None or home.longitude is None:
        return None
    planes = [plane_of(array, config.file.parent) for array in config.solar_array]
    weather, note = _forecast(config.state / FORECAST)
    document = expected(planes, home.latitude, home.longitude, ZoneInfo(home.timezone), clock.now(), weather)
    replace_json(config.state / EXPECTED, document)
    return True, note or f"{document['kind']}, {document['today_wh']} Wh"


def _forecast(path: Path) -> tuple[Weather | None, str]:
    """Return the weather that was left in the state folder, and a word when it is there and cannot be used."""
    if not path.exists():
        return None, ""
    try:
        return read_weather(path), ""
    except BadWeather as error:
        return None, str(error)


def expected(
    planes: list[Plane], latitude: float, longitude: float, zone: ZoneInfo, now: UtcMs, weather: Weather | None
) -> dict[str, Any]:
    """Return the document of the day that holds `now`."""
    today = to_datetime(now).astimezone(zone).date()
    start, end = (
        from_datetime(datetime(day.year, day.month, day.day, tzinfo=zone)) // 1000
        for day in (today, today + timedelta(days=1))
    )
    starts = np.arange(start, end, _QUARTER_S, dtype=np.float64)
    moments = np.append(starts + _QUARTER_S / 2, now / 1000)
    sky = solar.clear_sky(latitude, longitude, moments, warmth(latitude, longitude, today.month))
    kind, source = "clear-sky", "pvlib"
    if weather is not None and (light := _clouded(sky, weather, moments)) is not None:
        sky, kind, source = light, "forecast", weather.source
    powers = solar.powers(sky, planes)
    total = np.sum(powers, axis=0)
    return {
        "at": to_iso(now),
        "kind": kind,
        "source": source,
        "now_w": round(float(total[-1])),
        "today_wh": _watt_hours(total),
        "arrays": [
            {"id": plane.id, "kwp": plane.kwp, "now_w": round(float(watts[-1])), "today_wh": _watt_hours(watts)}
            for plane, watts in zip(planes, powers, strict=True)
        ],
        "today": [
            [datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"), round(float(watts))]
            for at, watts in zip(starts, total[:-1], strict=True)
        ],
    }


def _watt_hours(watts: solar.Array) -> int:
    return round(float(watts[:-1].sum()) * _QUARTER_S / 3600)


def warmth(latitude: float, longitude: float, month: int) -> float:
    """Return the month's usual temperature in °C; a mild one where the box knows no climate."""
    try:
        return climate_at(latitude, longitude).temperature[month - 1]
    except FoyerError:
        return _MILD_C


def _clouded(sky: solar.Light, weather: Weather, moments: solar.Array) -> solar.Light | None:
    """Return the clear light under the forecast's clouds; None when the forecast does not cover the day.

    What is interpolated is the ratio to a clear sky, not the light itself: an hour's mean would flatten the curve.
    """
    if weather.latitude is None or weather.longitude is None or weather.plane is not None:
        return None
    given = solar.light_of(weather, weather.latitude, weather.longitude)
    clear = solar.clear_sky(weather.latitude, weather.longitude, weather.sun_s, altitude=weather.altitude)
    bright = clear.ghi > _LOWEST_SUN_W
    times = np.asarray(weather.sun_s, dtype=np.float64)[bright]
    wanted = moments[sky.ghi > _LOWEST_SUN_W]
    if not times.size or not wanted.size:
        return None
    inside = (wanted >= times[0] - weather.step_s) & (wanted <= times[-1] + weather.step_s)
    if inside.mean() < _COVERED:
        return None

    def kept(light: solar.Array, of_clear: solar.Array, most: float) -> solar.Array:
        ratio = np.clip(light[bright] / np.maximum(of_clear[bright], 1.0), 0.0, most)
        return np.asarray(np.interp(moments, times, ratio), dtype=np.float64)

    ghi = sky.ghi * kept(given.ghi, clear.ghi, _MOST_CLEAR)
    dni = sky.dni * kept(given.dni, clear.dni, _MOST_CLEAR)
    level = np.maximum(np.cos(np.radians(sky.zenith)), 0.0)
    every = np.asarray(weather.sun_s, dtype=np.float64)
    return solar.Light(
        sky.zenith,
        sky.azimuth,
        sky.extra,
        ghi,
        dni,
        np.maximum(ghi - dni * level, 0.0),
        np.asarray(np.interp(moments, every, given.temperature), dtype=np.float64),
        np.asarray(np.interp(moments, every, given.wind), dtype=np.float64),
    )
