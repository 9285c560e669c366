"""What PVGIS gives to download: typical years (tmy) and hourly series (seriescalc), as CSV or JSON.

Its pictures are instants, not means: a typical year prints how far from the hour they were taken, an hourly series
prints the minute. Its azimuths count from south. Both are kept as UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from analytics.roof import from_south
from analytics.weather import COMMON_YEAR, Weather, bad
from analytics.weather_rows import Row, number, place, weather_of
from gateway.errors import Text

_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d):(\d\d)(\d\d)")
_HEADER = re.compile(r"^\s*([^:\n]+):\s*(.*)$")
_NO_SLOPE = 0.5  # degrees from flat
_FEBRUARY, _LEAP_DAY = 2, 29

_Where = tuple[float | None, float | None, float | None]


def parse_pvgis_csv(text: str) -> Weather:
    """Return the typical year or the hourly series in a CSV of PVGIS; raise BadWeather."""
    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith(("time(UTC),", "time,"))), None)
    if start is None:
        raise bad("la ligne des titres « time… » manque", "the line of titles, “time…”, is missing")
    header = {match[1].strip(): match[2].strip() for line in lines[:start] if (match := _HEADER.match(line))}
    names = [name.strip() for name in lines[start].split(",")]
    typical = names[0] == "time(UTC)"
    where = _where(
        header.get("Latitude (decimal degrees)"), header.get("Longitude (decimal degrees)"), header.get("Elevation (m)")
    )
    shift_h = _offset(header.get("Irradiance Time Offset (h)", 0.0))
    rows = [_row(cells, n, shift_h, typical=typical) for n, cells in _cells(lines, start, names)]
    years = sorted({int(match[2]) for line in lines[:start] if (match := re.fullmatch(r"(\d{1,2}),(\d{4})\s*", line))})
    plane = None if typical else _plane(header.get("Slope"), header.get("Azimuth"))
    return _weather(
        [row for row in rows if row], header.get("Radiation database", ""), years, where, plane, typical=typical
    )


def _cells(lines: list[str], start: int, names: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the cells of each line of measurements; the legend after them is left."""
    for n, line in enumerate(lines[start + 1 :], start=start + 2):
        if not line.strip():
            return
        cells = line.split(",")
        if len(cells) != len(names):
            raise bad(
                f"ligne {n} : {len(cells)} colonnes au lieu de {len(names)}",
                f"line {n}: {len(cells)} columns instead of {len(names)}",
            )
        yield n, dict(zip(names, cells, strict=True))


def parse_pvgis_json(document: Mapping[str, Any]) -> Weather:
    """Return the typical year or the hourly series in a JSON of PVGIS; raise BadWeather."""
    try:
        inputs, outputs = document["inputs"], document["outputs"]
        location, data = inputs["location"], inputs.get("meteo_data", {})
        typical = "tmy_hourly" in outputs
        found = outputs["tmy_hourly"] if typical else outputs["hourly"]
        where = _where(location["latitude"], location["longitude"], location.get("elevation"))
        shift_h = _offset(location.get("irradiance_time_offset", 0.0))
        plane = None if typical else _json_plane(inputs["mounting_system"])
        years = [int(data[name]) for name in ("year_min", "year_max") if name in data]
        base = str(data.get("radiation_db", ""))
        rows = [
            _row(
                {("time(UTC)" if name == "time" else name): value for name, value in one.items()},
                n,
                shift_h,
                typical=typical,
            )
            for n, one in enumerate(found, start=1)
        ]
    except KeyError as error:
        raise bad(f"le champ « {error.args[0]} » manque", f"the field “{error.args[0]}” is missing") from None
    except (TypeError, AttributeError, ValueError):
        raise bad("ce JSON n’est pas celui de PVGIS", "this JSON is not one of PVGIS") from None
    return _weather([row for row in rows if row], base, years, where, plane, typical=typical)


def _json_plane(mounting: Mapping[str, Any]) -> tuple[float, float]:
    if "fixed" not in mounting:
        raise bad(
            "champ « mounting_system » : la série suit le soleil, votre toit non",
            "field “mounting_system”: the series follows the sun, your roof does not",
            Text("Demandez à PVGIS un plan fixe.", "Ask PVGIS for a fixed plane."),
        )
    fixed = mounting["fixed"]
    return _plane(fixed["slope"]["value"], fixed["azimuth"]["value"])


def _where(latitude: Any, longitude: Any, altitude: Any) -> _Where:
    if latitude is None and longitude is None:
        return None, None, None  # the short form of the CSV: its place is the asker's
    north, east = place(latitude, longitude, "en-tête", "header")
    high = None if altitude is None else number(altitude, "en-tête, altitude", "header, elevation", -500, 9000)
    return north, east, high


def _offset(value: Any) -> float:
    return number(value, "en-tête, Irradiance Time Offset", "header, Irradiance Time Offset", -1, 1)


def _plane(slope: Any, azimuth: Any) -> tuple[float, float]:
    """Return (tilt, azimuth from north) of what PVGIS prints: `30 deg. (optimum)` and degrees from south."""
    tilt = number(str(slope).split(" ")[0], "en-tête, Slope", "header, Slope", 0, 90)
    south = number(str(azimuth).split(" ")[0], "en-tête, Azimuth", "header, Azimuth", -180, 180)
    return tilt, from_south(south)


def _row(cells: Mapping[str, Any], line: int, shift_h: float, *, typical: bool) -> Row | None:
    fr, en = f"ligne {line}", f"line {line}"
    stamp = str(cells.get("time(UTC)", cells.get("time", "")))
    match = _STAMP.fullmatch(stamp)
    try:
        year, month, day, hour, minute = (int(part) for part in match.groups()) if match else (0, 0, 0, 0, 0)
        if typical and (month, day) == (_FEBRUARY, _LEAP_DAY):
            return None
        at = datetime(COMMON_YEAR if typical else year, month, day, hour, minute, tzinfo=UTC).timestamp()
    except ValueError:
        raise bad(f"{fr} : « {stamp[:20]} » n’est pas une heure", f"{en}: “{stamp[:20]}” is not a time") from None

    def cell(name: str, low: float, high: float) -> float | None:
        if name not in cells or cells[name] in ("", None):
            return None
        return number(cells[name], f"{fr}, {name}", f"{en}, {name}", low, high)

    if typical:
        light = cell("G(h)", -1, 1600), cell("Gb(n)", -1, 1600), cell("Gd(h)", -1, 1600)
    else:
        beam, sky, ground = (cell(name, -1, 1600) for name in ("Gb(i)", "Gd(i)", "Gr(i)"))
        whole = cell("G(i)", -1, 1600)
        if beam is not None and sky is not None:
            whole = beam + sky + (ground or 0.0)
        light = whole, beam, sky
    return Row(line, at, at + 3600 * shift_h, month, *light, cell("T2m", -90, 60), cell("WS10m", 0, 90))


def _weather(
    rows: list[Row],
    base: str,
    years: list[int],
    where: _Where,
    plane: tuple[float, float] | None,
    *,
    typical: bool,
) -> Weather:
    if not typical and not years:
        years = (
            [datetime.fromtimestamp(at, UTC).year for at in (min(r.at_s for r in rows), max(r.at_s for r in rows))]
            if rows
            else []
        )
    flat = plane is not None and plane[0] < _NO_SLOPE
    if flat:
        # what comes down on a flat plane is the horizontal light: its beam is what remains beside the sky's
        rows = [Row(r.line, r.at_s, r.sun_s, r.month, r.ghi, None, r.dhi, r.temperature, r.wind) for r in rows]
    weather = weather_of(
        rows,
        kind="pvgis-tmy" if typical else "pvgis-hourly",
        source=base if base.startswith("PVGIS") else " ".join(filter(None, ("PVGIS", base))),
        period=f"{min(years)}-{max(years)}" if years else "",
        where=where,
        plane=None if flat else plane,
        typical=typical,
    )
    if weather.plane and weather.dhi is None:
        raise bad(
            "la série est sur un plan incliné, sans ses composantes",
            "the series is on a tilted plane, without its components",
            Text(
                "Demandez à PVGIS les composantes du rayonnement, ou un plan horizontal.",
                "Ask PVGIS for the radiation components, or for a horizontal plane.",
            ),
        )
    return weather
