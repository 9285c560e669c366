"""The meter's time stamps: `SAAMMJJhhmmss`, local legal time whose season letter *is* the offset.

`H` is winter (+01:00) and `E` summer (+02:00), whatever the time zone of this machine: the letter also tells apart the
hour that October has twice. Lower case says the meter's clock is degraded: right in form, doubtful in fact. A blank
season (announced mobile peaks) gives no offset, so no instant.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

SIZE = 13
_OFFSETS = {"H": 1, "h": 1, "E": 2, "e": 2}
_HOUR_MS = 3_600_000
_NO_DAY = "000000"  # a stamp that was never set
_KNOWN_MINUTES = 1024

_SECONDS = {f"{second:02d}": second * 1000 for second in range(60)}

_new = tuple.__new__  # half the time that calling a NamedTuple takes
_minutes: dict[str, int] = {}


class Horodate(NamedTuple):
    """One stamp. `at` (UTC ms) is None when it names no instant (blank season, or a date of zeros)."""

    text: str
    at: int | None

    @property
    def degraded(self) -> bool:
        """Tell whether the meter says that its own clock cannot be trusted."""
        return self.text[0] in "he"

    @property
    def iso(self) -> str | None:
        """Return ISO 8601 with the meter's own offset; without one for a blank season; None for a date of zeros."""
        text = self.text
        if text[1:7] == _NO_DAY:
            return None
        local = f"20{text[1:3]}-{text[3:5]}-{text[5:7]}T{text[7:9]}:{text[9:11]}:{text[11:13]}"
        hours = _OFFSETS.get(text[0])
        return local if hours is None else f"{local}+0{hours}:00"


def _minute(text: str) -> int | None:
    """Return the UTC ms at which the minute of a stamp begins, or None if the calendar has no such minute."""
    try:
        local = datetime.strptime(text[1:11], "%y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    begins = round(local.timestamp() * 1000) - _OFFSETS.get(text[0], 0) * _HOUR_MS
    if text[0] == " ":
        return begins
    if len(_minutes) >= _KNOWN_MINUTES:
        _minutes.clear()
    _minutes[text[:11]] = begins
    return begins


def parse(text: str) -> Horodate | None:
    """Return the stamp, or None if `text` is not one."""
    begins, seconds = _minutes.get(text[:11]), _SECONDS.get(text[11:])
    if begins is not None and seconds is not None:
        return _new(Horodate, (text, begins + seconds))
    return _first_of_its_minute(text)


def _first_of_its_minute(text: str) -> Horodate | None:
    """Return the stamp, or None, with every check; the minute of a sound one is remembered."""
    digits = text[1:]
    if len(text) != SIZE or not digits.isdigit() or not digits.isascii() or text[11] > "5":
        return None
    season = text[0]
    if season not in _OFFSETS and season != " ":
        return None
    if text[1:7] == _NO_DAY:
        return Horodate(text, None)
    begins = _minute(text)
    if begins is None:
        return None
    return Horodate(text, None if season == " " else begins + _SECONDS[text[11:]])
