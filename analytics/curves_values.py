"""The cells of a curve file: numbers, units, times and the words of headers. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from analytics.curves import HOUR, MJ_PER_WH, PARIS, CurveError
from gateway.errors import Text

MAX_VALUE = 10**12
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{0,20})?")
_FRENCH = re.compile(r"(\d\d?)/(\d\d?)/(\d{4})(?:[ T]+(\d\d?)[:hH](\d\d)(?::(\d\d))?)?")
_PERIOD = re.compile(r"PT(\d{1,4})([MHS])")
_STEPS = {300, 600, 900, 1800, 3600}
FIRST_YEAR, LAST_YEAR = 2000, 2100

POWER = {"w": 1000, "kw": 1_000_000}
"""Millijoules each second, for one of the unit."""

ENERGY = {"wh": MJ_PER_WH, "kwh": 1000 * MJ_PER_WH, "mwh": 1_000_000 * MJ_PER_WH}
"""Millijoules, for one of the unit."""


@lru_cache(maxsize=1024)
def plain(text: str) -> str:
    """Return a header without accents, blanks, signs or case; what a wrong encoding made of an accent goes too."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", ascii_only.lower())


@lru_cache(maxsize=1024)
def unit_in(text: str) -> str | None:
    """Return the unit named by a cell such as “W” or “Valeur (en kWh)”, in lower case, or None."""
    words = re.findall(r"[A-Za-z]+", text)
    return next((word.lower() for word in reversed(words) if word.lower() in POWER or word.lower() in ENERGY), None)


def number(text: str, line: int) -> Decimal | None:
    """Return a number with a point or a comma, None for an empty cell; raise CurveError for anything else."""
    cleaned = text.strip().replace("\u202f", "").replace("\xa0", "").replace(" ", "")
    if not cleaned:
        return None
    if not _NUMBER.fullmatch(cleaned):
        raise bad_line(
            line,
            Text(f"« {text[:30]} » n’est pas un nombre", f"“{text[:30]}” is not a number"),
            Text(
                "Remettez la valeur de l’export, ou videz la case.", "Put the exported value back, or empty the cell."
            ),
        )
    value = Decimal(cleaned.replace(",", "."))
    if value < 0:
        raise bad_line(
            line,
            Text(f"la valeur {cleaned} est négative", f"the value {cleaned} is negative"),
            Text(
                "Une consommation est positive : vérifiez que ce n’est pas un fichier d’injection.",
                "Consumption is positive: check that this is not a file of injection.",
            ),
        )
    return value


def day_of(text: str, line: int) -> date:
    """Return a day written 2026-06-01 or 01/06/2026; raise CurveError."""
    return naive_or_aware(text, line).date()


def naive_or_aware(text: str, line: int) -> datetime:
    """Return a moment as written: with its offset, or without when the file has none; raise CurveError."""
    cleaned = text.strip()
    if match := _FRENCH.fullmatch(cleaned):
        day, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
        parts = (year, month, day, hour, minute, second)
    else:
        parts = None
    try:
        if parts:
            # 24:00 is how some exports write the end of a day
            moment = datetime(*parts[:3]) + timedelta(hours=parts[3], minutes=parts[4], seconds=parts[5])  # noqa: DTZ001
        else:
            moment = datetime.fromisoformat(cleaned)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise bad_line(
            line,
            Text(f"« {text[:40]} » n’est pas une date", f"“{text[:40]}” is not a date"),
            Text(
                "Il faut une date comme 2026-06-01T00:30:00+02:00 ou 01/06/2026 00:30.",
                "It takes a date such as 2026-06-01T00:30:00+02:00 or 01/06/2026 00:30.",
            ),
        )
    return moment


def utc(moment: datetime, previous: int | None) -> int:
    """Return UTC seconds; a naive hour that October repeats is taken the second time once the first is behind.

    A wall hour that March skips does not exist: it is taken an hour on, as the clocks were.
    """
    if moment.tzinfo is not None:
        return round(moment.timestamp())
    first = round(moment.replace(tzinfo=PARIS, fold=0).timestamp())
    second = round(moment.replace(tzinfo=PARIS, fold=1).timestamp())
    if second > first and previous is not None and previous >= first:
        return second
    return first


def step_of(text: str) -> int | None:
    """Return the seconds of a step cell, minutes or PT30M; None for an empty or unknown one."""
    cleaned = text.strip().upper()
    if match := _PERIOD.fullmatch(cleaned):
        seconds = int(match[1]) * {"S": 1, "M": 60, "H": HOUR}[match[2]]
    elif cleaned.isdecimal() and len(cleaned) <= 4:  # noqa: PLR2004 - minutes of a day have four digits
        seconds = int(cleaned) * 60
    else:
        return None
    return seconds if seconds in _STEPS else None


def bad_line(line: int, what: Text, mend: Text | None = None) -> CurveError:
    """Return the refusal of one line of a file."""
    return CurveError(Text(f"Ligne {line} : {what.fr}.", f"Line {line}: {what.en}."), mend)
