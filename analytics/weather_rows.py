"""From rows as a file has them to a `Weather`: order, doubles, gaps, and the sentences for what cannot be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from statistics import median
from typing import Any

from analytics.weather import Weather, bad
from gateway.errors import Text

_MOST_LIGHT = 1600.0  # W/m²: above what edges of clouds can add to the sun
_BORROWED_AT_MOST = 48  # rows without light that the same hour of a day beside may stand in for
_DAY_S = 86_400
_STILL_AIR, _MILD = 2.0, 12.0  # m/s and °C, where a file says neither


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file: its number, its printed time and the sun's (UTC seconds), what it holds; None is missing."""

    line: int
    at_s: float
    sun_s: float
    month: int
    ghi: float | None
    dni: float | None
    dhi: float | None
    temperature: float | None
    wind: float | None


def number(cell: Any, fr: str, en: str, low: float, high: float) -> float:
    """Return a cell as a number between two bounds; raise BadWeather with where it stands."""
    try:
        value = float(cell)
    except (TypeError, ValueError):
        value = float("nan")
    if not isfinite(value) or not low <= value <= high:
        shown = str(cell).strip()[:20]
        raise bad(f"{fr} : « {shown} » n’est pas possible", f"{en}: “{shown}” is not possible")
    return value


def place(latitude: Any, longitude: Any, fr: str, en: str) -> tuple[float, float]:
    """Return a place in degrees; raise BadWeather."""
    return number(latitude, f"{fr}, latitude", f"{en}, latitude", -90, 90), number(
        longitude, f"{fr}, longitude", f"{en}, longitude", -180, 180
    )


def weather_of(
    rows: Sequence[Row],
    *,
    kind: str,
    source: str,
    period: str,
    where: tuple[float | None, float | None, float | None],
    plane: tuple[float, float] | None = None,
    typical: bool = False,
) -> Weather:
    """Return the weather made of rows in any order; of two for one time the first is kept. Raise BadWeather."""
    if len(rows) < 2:  # noqa: PLR2004 - a step is between two
        raise bad("aucune ligne de mesures", "no line of measurements")
    unique: dict[float, Row] = {}
    for row in rows:
        unique.setdefault(row.at_s, row)
    ordered = [unique[at] for at in sorted(unique)]
    step_s = round(median(two.at_s - one.at_s for one, two in pairwise(ordered)))
    if not 60 <= step_s <= 3 * 3600:  # noqa: PLR2004 - a minute to three hours
        raise bad(f"un pas de {step_s} s ne convient pas", f"a step of {step_s} s will not do")
    if typical and len(ordered) < 8_700:  # noqa: PLR2004 - a year of hours, less two days
        raise bad(
            f"{len(ordered)} heures au lieu de 8 760 pour une année type",
            f"{len(ordered)} hours instead of 8,760 for a typical year",
        )
    ghi = _filled(ordered, [row.ghi for row in ordered], step_s)
    dhi = _optional(ordered, [row.dhi for row in ordered], step_s)
    dni = _optional(ordered, [row.dni for row in ordered], step_s)
    if not any(ghi):
        raise bad("le rayonnement est nul partout", "the radiation is zero everywhere")
    for row, light in zip(ordered, ghi, strict=True):
        if light > _MOST_LIGHT:
            raise bad(
                f"ligne {row.line} : {light:g} W/m² de rayonnement n’est pas possible",
                f"line {row.line}: {light:g} W/m² of radiation is not possible",
            )
    return Weather(
        kind,
        source,
        period,
        *where,
        step_s,
        [row.sun_s for row in ordered],
        [row.month for row in ordered],
        ghi,
        dni if dhi is not None else None,
        dhi,
        _carried([row.temperature for row in ordered], _MILD),
        _carried([row.wind for row in ordered], _STILL_AIR),
        plane,
    )


def _optional(rows: Sequence[Row], column: list[float | None], step_s: int) -> list[float] | None:
    """Return a column that a file may leave out: None where it does, or where too much of it is missing."""
    missing = sum(value is None for value in column)
    return None if missing > _BORROWED_AT_MOST else _filled(rows, column, step_s)


def _filled(rows: Sequence[Row], column: list[float | None], step_s: int) -> list[float]:
    """Return the light, with the few missing rows lent by the same hour of the day before or after."""
    missing = [n for n, value in enumerate(column) if value is None]
    day = _DAY_S // step_s
    lent = list(column)
    for n in missing:
        for other in (n - day, n + day):
            if 0 <= other < len(lent) and lent[n] is None:
                lent[n] = lent[other]
    first = next((n for n, value in enumerate(lent) if value is None), None)
    if first is None and len(missing) > _BORROWED_AT_MOST:
        first = missing[0]
    if first is not None:
        line = rows[first].line
        raise bad(
            f"ligne {line} : le rayonnement manque ({len(missing)} lignes en tout)",
            f"line {line}: the radiation is missing ({len(missing)} lines in all)",
            Text("Choisissez un fichier complet.", "Choose a complete file."),
        )
    return [max(0.0, value) for value in lent if value is not None]


def _carried(column: Sequence[float | None], usual: float) -> list[float]:
    """Return temperature or wind, a missing one taken from the row before: production hardly depends on it."""
    known: list[float] = []
    last = next((value for value in column if value is not None), usual)
    for value in column:
        last = last if value is None else value
        known.append(last)
    return known
