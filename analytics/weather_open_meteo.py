"""Open-Meteo's JSON: `minutely_15` or `hourly` arrays, of a forecast or of the past.

A radiation without `_instant` is the mean of the interval *before* its time: the sun is then taken in the middle of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from analytics.weather import Weather, bad
from analytics.weather_rows import Row, number, place, weather_of
from gateway.errors import Text

_STEPS = {"minutely_15": 900, "hourly": 3600}
_LIGHT = ("shortwave_radiation", "direct_normal_irradiance", "diffuse_radiation")
_A_METRE_A_SECOND = {"km/h": 3.6, "m/s": 1.0, "ms": 1.0, "mp/h": 2.236936, "mph": 2.236936, "kn": 1.943844}


def parse_open_meteo(document: Any) -> Weather:
    """Return the weather in an answer of Open-Meteo; raise BadWeather with the field that is wrong."""
    name = next((name for name in _STEPS if isinstance(document, Mapping) and name in document), None)
    if name is None:
        raise bad(
            "ce JSON n’a ni « minutely_15 » ni « hourly », ni « inputs » de PVGIS",
            "this JSON has neither “minutely_15” nor “hourly”, nor the “inputs” of PVGIS",
        )
    arrays, units = document[name], document.get(f"{name}_units") or {}
    if not isinstance(arrays, Mapping) or not isinstance(units, Mapping):
        raise bad(f"le champ « {name} » n’est pas un objet", f"the field “{name}” is not an object")
    times = _times(arrays.get("time"), document, name)
    instant = f"{_LIGHT[0]}_instant" in arrays
    suffix = "_instant" if instant else ""
    columns = [_column(arrays, f"{one}{suffix}", name, len(times)) for one in _LIGHT]
    if columns[0] is None:
        raise bad(
            f"le champ « {name}.{_LIGHT[0]} » manque",
            f"the field “{name}.{_LIGHT[0]}” is missing",
            Text(
                "Demandez shortwave_radiation_instant à Open-Meteo.",
                "Ask Open-Meteo for shortwave_radiation_instant.",
            ),
        )
    per = _A_METRE_A_SECOND.get(str(units.get("wind_speed_10m", "km/h")), 3.6)
    winds = _column(arrays, "wind_speed_10m", name, len(times))
    warmths = _column(arrays, "temperature_2m", name, len(times))
    back_s = 0.0 if instant else _STEPS[name] / 2
    rows = []
    for n, at in enumerate(times):
        moment = datetime.fromtimestamp(at, UTC)
        wind = None if winds is None or winds[n] is None else _cell(winds[n], n, "wind_speed_10m", 0, 400)
        light = [
            None if one is None or one[n] is None else _cell(one[n], n, what, -5, 1600)
            for one, what in zip(columns, _LIGHT, strict=True)
        ]
        warmth = None if warmths is None or warmths[n] is None else _cell(warmths[n], n, "temperature_2m", -90, 60)
        rows.append(
            Row(
                n,
                at,
                at - back_s,
                moment.month,
                light[0],
                light[1],
                light[2],
                warmth,
                None if wind is None else wind / per,
            )
        )
    north, east = place(document.get("latitude"), document.get("longitude"), "champ", "field")
    high = document.get("elevation")
    first, last = (datetime.fromtimestamp(at, UTC).date().isoformat() for at in (min(times), max(times)))
    return weather_of(
        rows,
        kind="open-meteo",
        source="Open-Meteo",
        period=f"{first}/{last}",
        where=(north, east, None if high is None else number(high, "champ elevation", "field elevation", -500, 9000)),
    )


def _cell(value: Any, n: int, field: str, low: float, high: float) -> float:
    return number(value, f"{field}[{n}]", f"{field}[{n}]", low, high)


def _column(arrays: Mapping[str, Any], field: str, name: str, length: int) -> Sequence[Any] | None:
    column = arrays.get(field)
    if column is None:
        return None
    if not isinstance(column, list) or len(column) != length:
        raise bad(
            f"le champ « {name}.{field} » n’a pas {length} valeurs",
            f"the field “{name}.{field}” has not {length} values",
        )
    return column


def _times(stamps: Any, document: Mapping[str, Any], name: str) -> list[float]:
    """Return UTC seconds. Local times are refused: some do not exist, or come twice, when the clocks change."""
    if not isinstance(stamps, list) or not stamps:
        raise bad(f"le champ « {name}.time » manque", f"the field “{name}.time” is missing")
    if all(isinstance(one, int) and not isinstance(one, bool) for one in stamps):
        return [number(one, f"{name}.time", f"{name}.time", 0, 4e9) for one in stamps]
    if document.get("utc_offset_seconds", 0) != 0:
        raise bad(
            f"le champ « {name}.time » est en heure locale",
            f"the field “{name}.time” is in local time",
            Text("Demandez timeformat=unixtime à Open-Meteo.", "Ask Open-Meteo for timeformat=unixtime."),
        )
    found = []
    for n, one in enumerate(stamps):
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z?", str(one)):
            raise bad(f"{name}.time[{n}] n’est pas une heure", f"{name}.time[{n}] is not a time")
        try:
            found.append(datetime.fromisoformat(str(one).removesuffix("Z")).replace(tzinfo=UTC).timestamp())
        except ValueError:
            raise bad(f"{name}.time[{n}] n’est pas une heure", f"{name}.time[{n}] is not a time") from None
    return found
