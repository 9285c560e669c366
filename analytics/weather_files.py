"""Weather files that people download: which format one is, and EPW itself. Pure parsing, no heavy library.

Formats: EPW; PVGIS typical year (CSV, JSON, EPW) and hourly series (CSV, JSON); Open-Meteo JSON. Any other file, and
any bad line or field in these, is a `BadWeather` with a sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from analytics.weather import COMMON_YEAR, Weather, bad
from analytics.weather_open_meteo import parse_open_meteo
from analytics.weather_pvgis import parse_pvgis_csv, parse_pvgis_json
from analytics.weather_rows import Row, number, place, weather_of
from gateway.errors import Text

_LARGEST_BYTES = 64_000_000
_HEADER_LINES = 8
_EPW_FIELDS = 22  # as far as the wind speed; some writers leave out what comes after
_OFFSET = re.compile(r"Irradiance Time Offset \(h\):\s*(-?\d+(?:\.\d+)?)")
_PERIOD = re.compile(r"Period of Record=(\d{4}-\d{4})")
_MISSING_LIGHT, _MISSING_CELSIUS, _MISSING_WIND = 9000.0, 99.0, 900.0
_FEBRUARY, _LEAP_DAY = 2, 29


def read_weather(path: Path) -> Weather:
    """Return the weather of a file; raise BadWeather with the line or field that is wrong."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise bad(f"{path} est trop gros", f"{path} is too large")
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        reason = error.strerror or str(error)
        raise bad(f"{path} ne peut pas être lu ({reason})", f"{path} cannot be read ({reason})") from None
    return parse_weather(text)


def parse_weather(text: str) -> Weather:
    """Return the weather in the text of a file; raise BadWeather."""
    start = text.lstrip()[:400]
    if start.startswith("LOCATION,"):
        return parse_epw(text)
    if start.startswith("{"):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", 1)
            raise bad(f"JSON illisible, ligne {line}", f"unreadable JSON, line {line}") from None
        if "inputs" in document and "outputs" in document:
            return parse_pvgis_json(document)
        return parse_open_meteo(document)
    if re.match(r"Latitude \(decimal degrees\)|time\(UTC\),", start):
        return parse_pvgis_csv(text)
    raise bad(
        "format inconnu",
        "unknown format",
        Text(
            "Donnez un fichier EPW, PVGIS (CSV ou JSON) ou Open-Meteo (JSON).",
            "Give an EPW, a PVGIS (CSV or JSON) or an Open-Meteo (JSON) file.",
        ),
    )


def parse_epw(text: str) -> Weather:
    """Return the typical year of an EPW file.

    Hour 1 is 00:00 to 01:00 of local standard time, so the sun is taken half an hour before the printed one. PVGIS
    writes EPW too, in UTC whatever its header says, and prints how far from the hour its pictures were taken.
    """
    lines = text.splitlines()
    header, rows = lines[:_HEADER_LINES], lines[_HEADER_LINES:]
    location = header[0].split(",")
    if len(header) < _HEADER_LINES or len(location) < 10:  # noqa: PLR2004 - the fields of LOCATION
        raise bad("ligne 1, LOCATION incomplète", "line 1, LOCATION is incomplete")
    latitude, longitude = place(location[6], location[7], "ligne 1", "line 1")
    zone = number(location[8], "ligne 1, fuseau", "line 1, time zone", -12, 14)
    altitude = number(location[9], "ligne 1, altitude", "line 1, elevation", -500, 9000)
    comments = "\n".join(header[1:])
    offset = _OFFSET.search(comments)
    shift_h = float(offset[1]) if offset else -0.5 - zone
    parsed = [
        row
        for number_, line in enumerate(rows, start=_HEADER_LINES + 1)
        if line.strip() and (row := _row(line, number_, shift_h))
    ]
    years = sorted({int(line[:4]) for line in rows if line[:4].isdigit()})
    record = _PERIOD.search(comments)
    period = record[1] if record else (f"{years[0]}-{years[-1]}" if years else "")
    maker = "PVGIS" if offset else location[4].strip()
    return weather_of(
        parsed,
        kind="epw",
        source=", ".join(part for part in (location[1].strip(), maker) if part and part != "unknown"),
        period=period,
        where=(latitude, longitude, altitude),
        typical=True,
    )


def _row(line: str, at_line: int, shift_h: float) -> Row | None:
    cells = line.split(",")
    fr, en = f"ligne {at_line}", f"line {at_line}"
    if len(cells) < _EPW_FIELDS:
        raise bad(f"{fr} : {len(cells)} champs au lieu de 35", f"{en}: {len(cells)} fields instead of 35")
    month, day, hour = (
        int(number(cells[n], fr, en, low, high)) for n, low, high in ((1, 1, 12), (2, 1, 31), (3, 1, 24))
    )
    if (month, day) == (_FEBRUARY, _LEAP_DAY):
        return None
    try:
        midnight = datetime(COMMON_YEAR, month, day, tzinfo=UTC).timestamp()
    except ValueError:
        raise bad(f"{fr} : le {day}/{month} n’existe pas", f"{en}: no {day}/{month} in a year") from None
    return Row(
        at_line,
        midnight + 3600 * hour,
        midnight + 3600 * (hour + shift_h),
        month,
        *_light(cells, fr, en),
        _known(cells[6], fr, en, -90, _MISSING_CELSIUS),
        _known(cells[21], fr, en, 0, _MISSING_WIND),
    )


def _light(cells: Sequence[str], fr: str, en: str) -> tuple[float | None, float | None, float | None]:
    ghi, dni, dhi = (_known(cells[n], fr, en, 0, _MISSING_LIGHT) for n in (13, 14, 15))
    return ghi, dni, dhi


def _known(cell: str, fr: str, en: str, low: float, missing: float) -> float | None:
    """Return a number, or None where the format's own mark of a missing one stands."""
    value = number(cell, fr, en, -1e6, 1e9)
    return None if value >= missing else max(value, low)
