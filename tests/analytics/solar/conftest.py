"""Weather files as their makers write them, all of one made-up year at Lyon, and the year itself."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analytics.climate import day_clearness
from analytics.solar import clear_sky

LATITUDE, LONGITUDE, ALTITUDE = 45.726, 4.938, 198.0
CLEARNESS = (0.55, 0.65, 0.73, 0.80, 0.70, 0.83, 0.86, 0.86, 0.76, 0.70, 0.69, 0.53)
OFFSET_H = 0.1761
START = datetime(2023, 1, 1, tzinfo=UTC)
FIELDS = ("ghi", "dni", "dhi")


@dataclass(frozen=True)
class Made:
    """Light at instants, W/m²: one row an hour."""

    ghi: np.ndarray
    dni: np.ndarray
    dhi: np.ndarray


def made_at(times_s):
    """The made-up sky: what a clear one gives, times the clearness of the day in UTC, the beam falling faster."""
    clear = clear_sky(LATITUDE, LONGITUDE, times_s, altitude=ALTITUDE)
    day = ((np.asarray(times_s) - START.timestamp()) // 86_400).astype(int) % 365
    kept = np.asarray(day_clearness(CLEARNESS))[day]
    beam = np.clip((kept - 0.35) / 0.65, 0, 1)
    ghi, dni = clear.ghi * kept, clear.dni * beam
    level = np.maximum(np.cos(np.radians(clear.zenith)), 0)
    return Made(ghi, dni, np.maximum(ghi - dni * level, 0))


@pytest.fixture(scope="session")
def instants():
    """As satellites see it: one picture an hour, at 10.6 minutes past."""
    return made_at(START.timestamp() + 3600 * (np.arange(8760) + OFFSET_H))


@pytest.fixture(scope="session")
def means():
    """As ground stations log it: the mean of each hour, of twelve instants."""
    fine = made_at(START.timestamp() + 300 * (np.arange(8760 * 12) + 0.5))
    return Made(*(getattr(fine, name).reshape(8760, 12).mean(axis=1) for name in FIELDS))


def stamps(years=None):
    """The hours of a year as PVGIS prints them, each month from another year."""
    for n in range(8760):
        at = START + timedelta(hours=n)
        yield at.replace(year=(years or {}).get(at.month, 2023))


MONTH_YEARS = {month: 2004 + (month * 5) % 13 for month in range(1, 13)}


@pytest.fixture(scope="session")
def pvgis_csv(instants):
    head = [
        f"Latitude (decimal degrees): {LATITUDE}",
        f"Longitude (decimal degrees): {LONGITUDE}",
        f"Elevation (m): {ALTITUDE}",
        f"Irradiance Time Offset (h): {OFFSET_H}",
        "month,year",
        *(f"{month},{year}" for month, year in MONTH_YEARS.items()),
        "time(UTC),T2m,RH,G(h),Gb(n),Gd(h),IR(h),WS10m,WD10m,SP",
    ]
    rows = [
        f"{at:%Y%m%d:%H%M},12.0,80.0,{g:.2f},{b:.2f},{d:.2f},280.0,2.0,200.0,99000.0"
        for at, g, b, d in zip(stamps(MONTH_YEARS), instants.ghi, instants.dni, instants.dhi, strict=True)
    ]
    legend = ["", "T2m: 2-m air temperature (degree Celsius)", "", "PVGIS (c) European Union, 2001-2025"]
    return "\r\n".join([*head, *rows, *legend])


@pytest.fixture(scope="session")
def pvgis_json(instants):
    rows = [
        {
            "time(UTC)": f"{at:%Y%m%d:%H%M}",
            "T2m": 12.0,
            "G(h)": round(g, 2),
            "Gb(n)": round(b, 2),
            "Gd(h)": round(d, 2),
            "WS10m": 2.0,
        }
        for at, g, b, d in zip(stamps(MONTH_YEARS), instants.ghi, instants.dni, instants.dhi, strict=True)
    ]
    location = {"latitude": LATITUDE, "longitude": LONGITUDE, "elevation": ALTITUDE, "irradiance_time_offset": OFFSET_H}
    data = {"radiation_db": "PVGIS-SARAH3", "year_min": 2005, "year_max": 2023}
    return json.dumps({"inputs": {"location": location, "meteo_data": data}, "outputs": {"tmy_hourly": rows}})


def epw(light, *, zone=0, maker="ISD-TMYx", comment="Period of Record=2004-2018; Jan=2004"):
    """An EPW file; `light` is of hours of UTC, the file counts in `zone`."""
    head = [
        f"LOCATION,Lyon Bron AP,AR,FRA,{maker},074800,{LATITUDE},{LONGITUDE},{zone:.1f},{ALTITUDE}",
        "DESIGN CONDITIONS,0",
        "TYPICAL/EXTREME PERIODS,0",
        "GROUND TEMPERATURES,0",
        "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
        "COMMENTS 1,made for a test",
        f"COMMENTS 2,{comment}",
        "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31",
    ]
    rows = []
    for n, at in enumerate(stamps()):
        hour = (n - zone) % 8760
        before = ["0"] * 35
        before[:6] = [str(MONTH_YEARS[at.month]), str(at.month), str(at.day), str(at.hour + 1), "60", "?9"]
        before[6], before[13], before[14], before[15], before[21] = (
            "12.0",
            f"{light.ghi[hour]:.1f}",
            f"{light.dni[hour]:.1f}",
            f"{light.dhi[hour]:.1f}",
            "2.0",
        )
        rows.append(",".join(before))
    return "\n".join([*head, *rows])


@pytest.fixture(scope="session")
def station_epw(means):
    return epw(means, zone=1)


@pytest.fixture(scope="session")
def pvgis_epw(instants):
    """PVGIS writes UTC whatever the zone of its header."""
    text = epw(instants, comment="Irradiance Time Offset (h):-0.8239")
    return text.replace(f"{LONGITUDE},0.0,", f"{LONGITUDE},1.0,")


def open_meteo(light, name, shift_s, suffix):
    step = 3600
    times = [int(START.timestamp()) + step * n + shift_s for n in range(8760)]
    return json.dumps(
        {
            "latitude": LATITUDE,
            "longitude": LONGITUDE,
            "elevation": ALTITUDE,
            "utc_offset_seconds": 0,
            f"{name}_units": {"time": "unixtime", "wind_speed_10m": "km/h"},
            name: {
                "time": times,
                "temperature_2m": [12.0] * 8760,
                "wind_speed_10m": [7.2] * 8760,
                f"shortwave_radiation{suffix}": [round(float(x), 1) for x in light.ghi],
                f"direct_normal_irradiance{suffix}": [round(float(x), 1) for x in light.dni],
                f"diffuse_radiation{suffix}": [round(float(x), 1) for x in light.dhi],
            },
        }
    )


@pytest.fixture(scope="session")
def pvgis_hourly_csv():
    """Two years of the horizontal plane, pictures at ten past."""
    times = np.concatenate([START.timestamp() + 3600 * (np.arange(8760) + 1 / 6)] * 2)
    light = made_at(times[:8760])
    head = [
        f"Latitude (decimal degrees):\t{LATITUDE}",
        f"Longitude (decimal degrees):\t{LONGITUDE}",
        f"Elevation (m):\t{ALTITUDE:.0f}",
        "Radiation database:\tPVGIS-SARAH3",
        "",
        "",
        "Slope: 0 deg. ",
        "Azimuth: 0 deg. ",
        "time,Gb(i),Gd(i),Gr(i),H_sun,T2m,WS10m,Int",
    ]
    rows = [
        f"{at.replace(year=year):%Y%m%d:%H}10,{g - d:.2f},{d:.2f},0.0,10.0,12.0,2.0,0.0"
        for year in (2021, 2022)
        for at, g, d in zip(stamps(), light.ghi, light.dhi, strict=True)
    ]
    return "\n".join([*head, *rows, "", "Gb(i): Beam irradiance", "PVGIS (c) European Union"])
