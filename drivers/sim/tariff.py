"""The contract of the simulated home: which supplier index runs when.

Supplier index 1 is off-peak (HC) and 2 is peak (HP), as suppliers number them; with the base option index 1 is all
there is. Hours are wall-clock hours of the home, so the days of the clock change hold an hour less or more of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_WINDOW = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_HOUR = 3600

HC, HP, BASE = "hc", "hp", "base"


@dataclass(frozen=True, slots=True)
class Span:
    """Off-peak time from `start` to `end` (excluded), in seconds since 1970 (UTC)."""

    start: int
    end: int


def instant(day: date, hours: float, zone: ZoneInfo) -> int:
    """Return when the wall clock of `zone` shows `hours` after the midnight that opens `day` (24 and more: later days).

    A wall time that the clock change skips is taken an hour later, one that it repeats the first time.
    """
    wall = datetime.combine(day, time()) + timedelta(seconds=round(hours * _HOUR))
    return round(wall.replace(tzinfo=zone).timestamp())


def local_date(second: int, zone: ZoneInfo) -> date:
    """Return the date that the calendar on the wall shows at an instant."""
    return datetime.fromtimestamp(second, UTC).astimezone(zone).date()


@dataclass(frozen=True, slots=True)
class Tariff:
    """`option` is "base" or "hphc"; `off_peak` lists wall-clock windows such as "22:00-06:00". Others: ValueError."""

    option: str
    off_peak: tuple[str, ...]
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.option not in {"base", "hphc"}:
            raise ValueError(f"option not simulated: {self.option!r}")
        for window in self.off_peak:
            if not _WINDOW.fullmatch(window):
                raise ValueError(f"not a window of hours: {window!r}")
        if self.option == "hphc" and not self.off_peak:
            raise ValueError("hphc needs off-peak hours")

    def windows(self, day: date) -> list[Span]:
        """Return the off-peak windows that begin on a local day, whatever the option, in order of time."""
        spans = []
        for window in self.off_peak:
            match = _WINDOW.fullmatch(window)
            assert match
            opens = int(match[1]) + int(match[2]) / 60
            closes = int(match[3]) + int(match[4]) / 60
            spans.append(
                Span(
                    instant(day, opens, self.zone),
                    instant(day, closes if closes > opens else closes + 24, self.zone),
                )
            )
        return sorted(spans, key=lambda span: span.start)

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """Yield the whole off-peak windows of the contract that touch [start, end); none for the base option."""
        if self.option == "base":
            return
        day = local_date(start, self.zone) - timedelta(days=1)
        last = local_date(end, self.zone)
        while day <= last:
            yield from (span for span in self.windows(day) if span.end > start and span.start < end)
            day += timedelta(days=1)

    def period(self, off_peak: bool) -> str:
        """Return "base", "hc" or "hp"."""
        if self.option == "base":
            return BASE
        return HC if off_peak else HP

    def index(self, off_peak: bool) -> int:
        """Return the number of the supplier index that runs: 1 or 2."""
        return 1 if self.option == "base" or off_peak else 2

    @property
    def indexes(self) -> int:
        """How many supplier indexes the contract uses."""
        return 1 if self.option == "base" else 2
