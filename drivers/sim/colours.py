"""Which days are red, white or blue, and which are EJP days: by the seed, within the rules of the contracts. Pure.

Tempo: from 1 September on, 22 red days between 1 November and 31 March, never at a weekend, and 43 white days, never on
a Sunday. EJP: 22 days between 1 November and 31 March. A real supplier chooses the coldest days; here a draw does.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from drivers.sim.noise import draw

BLUE, WHITE, RED = "blue", "white", "red"
COLOURS = (BLUE, WHITE, RED)
_RED_DAYS, _WHITE_DAYS, _EJP_DAYS = 22, 43, 22
_SEPTEMBER = 9
_SATURDAY, _SUNDAY = 5, 6
_MILD = 2.0  # white days of the milder months come after those of winter have had their chance


def season_of(day: date) -> int:
    """Return the year in which the Tempo season of a day begins, on 1 September."""
    return day.year if day.month >= _SEPTEMBER else day.year - 1


@lru_cache(maxsize=16)
def _coloured(seed: int, season: int) -> dict[date, str]:
    winter = _days(date(season, 11, 1), date(season + 1, 3, 31))
    red = _first([day for day in winter if day.weekday() < _SATURDAY], _RED_DAYS, seed, "red")
    mild = {*_days(date(season, 10, 1), date(season, 10, 31)), *_days(date(season + 1, 4, 1), date(season + 1, 5, 31))}
    may_be_white = [day for day in (*winter, *mild) if day not in red and day.weekday() != _SUNDAY]
    white = sorted(may_be_white, key=lambda day: draw(seed, "white", day.toordinal()) * (_MILD if day in mild else 1))
    return {**dict.fromkeys(white[:_WHITE_DAYS], WHITE), **dict.fromkeys(red, RED)}


def tempo(seed: int, day: date) -> str:
    """Return the colour of a day, which runs from its 06:00 to the next."""
    return _coloured(seed, season_of(day)).get(day, BLUE)


@lru_cache(maxsize=16)
def _ejp_days(seed: int, season: int) -> frozenset[date]:
    return frozenset(_first(_days(date(season, 11, 1), date(season + 1, 3, 31)), _EJP_DAYS, seed, "ejp"))


def is_ejp(seed: int, day: date) -> bool:
    """Tell whether a mobile peak begins at 07:00 of a day."""
    return day in _ejp_days(seed, season_of(day))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _first(days: list[date], count: int, seed: int, kind: str) -> list[date]:
    return sorted(days, key=lambda day: draw(seed, kind, day.toordinal()))[:count]
