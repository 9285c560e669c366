"""The days of Tempo and EJP: which colour a day has. A Tempo day runs from its 06:00 to the next.

A calendar is a CSV `date,colour` with `BLUE`, `WHITE` or `RED` (the French words do too); for EJP the words are `EJP`
and `NORMAL`. A day that the file does not name has no colour: it is asked for, never guessed. Counts are not checked:
the published years do not all have 22 red and 43 white days.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.clock import Clock, UtcMs, from_datetime, to_datetime
from gateway.errors import FoyerError, Text
from gateway.store.read import Reader

BLUE, WHITE, RED = "blue", "white", "red"
_WORDS = {
    "BLUE": BLUE,
    "BLEU": BLUE,
    "WHITE": WHITE,
    "BLANC": WHITE,
    "RED": RED,
    "ROUGE": RED,
    "EJP": "ejp",
    "NORMAL": "normal",
}
_FRENCH_DAY = re.compile(r"(\d\d)/(\d\d)/(\d{4})")
_SHOWN = 5

Colours = Mapping[date, str]


class CalendarError(FoyerError):
    """A calendar of colours that cannot be read, or that lacks days."""


def read_calendar(data: bytes, name: str = "") -> dict[date, str]:
    """Return the colour of each day of a CSV file; raise CalendarError naming the line."""
    text = data.decode("utf-8-sig", errors="replace")
    found: dict[date, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip().strip('"') for cell in re.split("[,;\t]", line)]
        if not any(cells) or (number == 1 and cells[0].lower() in ("date", "jour")):
            continue
        day = _day(cells[0])
        colour = _WORDS.get(cells[1].upper()) if len(cells) > 1 else None
        if day is None or colour is None:
            raise CalendarError(
                Text(
                    f"Ligne {number} du calendrier {name} : « {line[:40]} » n’est pas une date et une couleur.",
                    f"Line {number} of the calendar {name}: “{line[:40]}” is not a date and a colour.",
                ),
                Text("Écrivez par exemple 2025-01-03,RED.", "Write for example 2025-01-03,RED."),
            )
        if found.setdefault(day, colour) != colour:
            raise CalendarError(
                Text(
                    f"Ligne {number} du calendrier {name} : le {day} a deux couleurs.",
                    f"Line {number} of the calendar {name}: {day} has two colours.",
                ),
                Text("Gardez la bonne ligne.", "Keep the right line."),
            )
    return found


def load_calendar(path: Path) -> dict[date, str]:
    """Return the colours of a file; raise CalendarError."""
    try:
        return read_calendar(path.read_bytes(), path.name)
    except OSError as error:
        raise CalendarError(
            Text(
                f"Le calendrier {path} ne se lit pas : {error.strerror}.",
                f"The calendar {path} cannot be read: {error.strerror}.",
            )
        ) from None


def colours_of_store(reader: Reader, start: date, end: date, zone: ZoneInfo, clock: Clock) -> dict[date, str]:
    """Return the colours that the meter itself told of the days [start, end); those it did not tell are left out.

    The meter's colour changes at midnight or at 06:00 according to its mode: the one that holds at noon is the day's.
    """
    first = from_datetime(datetime(start.year, start.month, start.day, tzinfo=zone))
    last = from_datetime(datetime(end.year, end.month, end.day, tzinfo=zone))
    last = UtcMs(min(last, clock.now()))
    if last <= first:
        return {}
    points = reader.history("grid.tariff.today", first, last, "1h", zone.key, limit=None).points
    found: dict[date, str] = {}
    current: str | None = None
    changes = [(to_datetime(at).astimezone(zone), value) for at, value, _ in points]
    day, place = start, 0
    while day < end:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
        while place < len(changes) and changes[place][0] <= noon:
            value = changes[place][1]
            current = value.lower() if isinstance(value, str) else None
            place += 1
        if current in (BLUE, WHITE, RED) and from_datetime(noon) <= last:
            found[day] = current
        day += timedelta(days=1)
    return found


def missing_colours(days: Iterable[date]) -> CalendarError:
    """Return the refusal that names the days without a colour."""
    wanted = sorted(days)
    named = ", ".join(day.isoformat() for day in wanted[:_SHOWN])  # as the file writes them
    more = len(wanted) - _SHOWN
    return CalendarError(
        Text(
            f"Il manque la couleur de {len(wanted)} jour{'s' if len(wanted) > 1 else ''} : {named}"
            f"{f' et {more} autres' if more > 0 else ''}.",
            f"The colour of {len(wanted)} day{'s' if len(wanted) > 1 else ''} is missing: {named}"
            f"{f' and {more} more' if more > 0 else ''}.",
        ),
        Text(
            "Ajoutez-les au fichier de --tempo ; la veille du premier jour compte aussi : sa couleur dure jusqu’à 6 h.",
            "Add these days to the file of --tempo; the day before the first counts too, its colour lasts until 6 am.",
        ),
    )


def _day(text: str) -> date | None:
    if match := _FRENCH_DAY.fullmatch(text):
        text = f"{match[3]}-{match[2]}-{match[1]}"
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
