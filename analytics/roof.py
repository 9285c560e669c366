"""The roof: planes of panels, where they look, and what stands on their horizon. Pure; no heavy library.

Azimuths inside the box are degrees clockwise from north (90 = east, 180 = south), as pvlib has them. PVGIS and
Open-Meteo count from south (-90 = east): `from_south` turns one into the other.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.config import SolarArray
from gateway.errors import FoyerError, Text

_WINDS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSO", "SO", "OSO", "O", "ONO", "NO", "NNO")
_WORDS = {
    "NORD": "N",
    "NORTH": "N",
    "SUD": "S",
    "SOUTH": "S",
    "EST": "E",
    "EAST": "E",
    "OUEST": "O",
    "WEST": "O",
    "W": "O",
}
_FULL_TURN = 360.0
_STEEPEST = 90.0
_FEWEST_HEIGHTS = 4


def azimuth_degrees(text: str | float) -> float:
    """Return degrees clockwise from north for a wind ("S", "SO", "sud-est", "west") or a number from 0 to 360.

    Raise FoyerError for anything else: a negative number is nearly always one counted from south.
    """
    if isinstance(text, int | float):
        return _azimuth_number(float(text))
    try:
        return _azimuth_number(float(text.replace(",", ".")))
    except ValueError:
        pass
    letters = unicodedata.normalize("NFD", text).encode("ascii", "ignore").decode().upper()
    # « ouest-sud-ouest », “south west”, SW: every word is one or two of the four winds
    parts = [part for part in re.split(r"[\s\-_]+", letters) if part]
    wind = "".join(_WORDS.get(part, part) for part in parts)
    for word, letter in (("SOUTH", "S"), ("NORTH", "N"), ("EAST", "E"), ("WEST", "O"), ("W", "O")):
        wind = wind.replace(word, letter)
    if wind in _WINDS:
        return _WINDS.index(wind) * _FULL_TURN / len(_WINDS)
    raise FoyerError(
        Text(f"« {text} » n’est pas une orientation.", f"“{text}” is not an orientation."),
        Text(
            "Écrivez S, SE, ouest… ou des degrés depuis le nord (180 = sud).",
            "Write S, SE, west… or degrees from north (180 = south).",
        ),
    )


def _azimuth_number(degrees: float) -> float:
    if 0 <= degrees <= _FULL_TURN:
        return degrees % _FULL_TURN
    raise FoyerError(
        Text(
            f"Une orientation va de 0 à 360 degrés depuis le nord, pas {degrees:g}.",
            f"An orientation goes from 0 to 360 degrees from north, not {degrees:g}.",
        ),
        Text(
            "Est = 90, sud = 180, ouest = 270 ; PVGIS compte depuis le sud : ajoutez-y 180.",
            "East = 90, south = 180, west = 270; PVGIS counts from south: add 180 to it.",
        )
        if -_FULL_TURN / 2 <= degrees < 0
        else None,
    )


def from_south(degrees: float) -> float:
    """Return degrees clockwise from north for a PVGIS or Open-Meteo azimuth (0 = south, -90 = east, 90 = west)."""
    return (degrees + _FULL_TURN / 2) % _FULL_TURN


@dataclass(frozen=True, slots=True)
class Horizon:
    """What stands around the roof: the height in degrees of the skyline at azimuths from north, in rising order."""

    azimuths: tuple[float, ...]
    heights: tuple[float, ...]

    def at(self, azimuth: float) -> float:
        """Return the height of the skyline in a direction, on straight lines between its points."""
        direction = azimuth % _FULL_TURN
        after = bisect_right(self.azimuths, direction)
        left, right = self.azimuths[after - 1], self.azimuths[after % len(self.azimuths)]
        gap = (right - left) % _FULL_TURN or _FULL_TURN
        share = ((direction - left) % _FULL_TURN) / gap
        low, high = self.heights[after - 1], self.heights[after % len(self.heights)]
        return low + (high - low) * share


@dataclass(frozen=True, slots=True)
class Plane:
    """Panels of one slope: peak kilowatts, degrees from flat, degrees clockwise from north, and their losses (a share:
    wiring, dirt, mismatch, inverter). `inverter` groups the planes that share one.
    """

    kwp: float
    tilt_deg: float
    azimuth_deg: float
    loss: float = 0.14
    horizon: Horizon | None = None
    id: str = "roof"
    inverter: str = ""


def plane_of(array: SolarArray, folder: Path) -> Plane:
    """Return the plane of one `[[solar_array]]`; its horizon file is sought from the configuration's folder."""
    return Plane(
        array.kwp,
        array.tilt_deg,
        azimuth_degrees(array.azimuth),
        array.losses,
        read_horizon(folder / array.horizon) if array.horizon else None,
        array.id,
        array.inverter,
    )


def read_horizon(path: Path) -> Horizon:
    """Return the skyline of a file; raise FoyerError with the line or field that is wrong.

    Read are: the answers of PVGIS printhorizon (CSV or JSON, azimuths from south); two columns, azimuth from north and
    height; or PVGIS's "user horizon": heights alone, evenly spaced, from north by east.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "UTF-8"
        raise FoyerError(
            Text(f"L’horizon {path} ne peut pas être lu ({reason}).", f"Horizon {path} cannot be read ({reason}).")
        ) from None
    return parse_horizon(text)


def parse_horizon(text: str) -> Horizon:
    """Return the skyline in the text of a file; see `read_horizon`."""
    if text.lstrip().startswith("{"):
        return _horizon_json(text)
    if re.search(r"^\s*A\s+H_hor", text, re.MULTILINE):
        rows = [line.split() for line in text.splitlines()]
        pairs = [(from_south(float(row[0])), float(row[1])) for row in rows if len(row) >= 2 and _is_number(row[0])]  # noqa: PLR2004 - azimuth and height
        return _skyline(pairs)
    pairs = []
    alone: list[float] = []
    for number, line in enumerate(text.splitlines(), start=1):
        cells = [cell for cell in re.split(r"[,;\s]+", line.strip()) if cell]
        if not cells or (number == 1 and not _is_number(cells[0])):
            continue
        if not all(_is_number(cell) for cell in cells):
            raise _bad_horizon(f"ligne {number}", f"line {number}")
        values = [float(cell) for cell in cells]
        if len(values) == 2:  # noqa: PLR2004 - azimuth and height
            pairs.append((values[0], values[1]))
        else:
            alone += values
    if pairs and not alone:
        return _skyline(pairs)
    if pairs or len(alone) < _FEWEST_HEIGHTS:
        raise _bad_horizon("colonnes", "columns")
    step = _FULL_TURN / len(alone)
    return _skyline([(step * n, height) for n, height in enumerate(alone)])


def _horizon_json(text: str) -> Horizon:
    try:
        profile = json.loads(text)["outputs"]["horizon_profile"]
        return _skyline([(from_south(float(one["A"])), float(one["H_hor"])) for one in profile])
    except (ValueError, KeyError, TypeError):
        raise _bad_horizon("champ outputs.horizon_profile", "field outputs.horizon_profile") from None


def _skyline(pairs: Sequence[tuple[float, float]]) -> Horizon:
    # a skyline written from 0 to 360, or from -180 to 180, says its first direction twice
    points = {azimuth % _FULL_TURN: height for azimuth, height in pairs}
    if len(points) < _FEWEST_HEIGHTS:
        raise _bad_horizon(f"{len(points)} directions", f"{len(points)} directions")
    for azimuth, height in points.items():
        if not 0 <= height <= _STEEPEST:
            raise _bad_horizon(f"hauteur {height:g}° à {azimuth:g}°", f"height {height:g}° at {azimuth:g}°")
    order = sorted(points)
    return Horizon(tuple(order), tuple(points[azimuth] for azimuth in order))


def _bad_horizon(fr: str, en: str) -> FoyerError:
    return FoyerError(
        Text(f"Ce fichier n’est pas un horizon lisible ({fr}).", f"This file is not a readable horizon ({en})."),
        Text(
            "Donnez azimut et hauteur en degrés, une direction par ligne.",
            "Give azimuth and height in degrees, one direction a line.",
        ),
    )


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", text) is not None
