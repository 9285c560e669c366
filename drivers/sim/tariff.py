"""The contract of the simulated home: which supplier index runs when.

Indexes are numbered as suppliers do: off-peak 1 and peak 2; Tempo blue 1 and 2, white 3 and 4, red 5 and 6 (off-peak
first); EJP normal hours 1 and mobile peak 2; with the base option index 1 is all there is. Hours are those of the wall
clock, so the days of the clock change hold an hour less or more of them. A Tempo day runs from 06:00 to 06:00, an EJP
peak from 07:00 to 01:00.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from drivers.sim.colours import COLOURS, is_ejp, tempo

_WINDOW = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_HOUR = 3600

PERIODS = {
    "base": ("base",),
    "hphc": ("hc", "hp"),
    "tempo": ("blue_hc", "blue_hp", "white_hc", "white_hp", "red_hc", "red_hp"),
    "ejp": ("ejp_hn", "ejp_pm"),
}
"""The period of each supplier index, from 1 on, by option."""

TEMPO_DAY, TEMPO_NIGHT = 6, 22
EJP_START, EJP_END = 7, 25


@dataclass(frozen=True, slots=True)
class Span:
    """Time from `start` to `end` (excluded), in seconds since 1970 (UTC)."""

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
    """`option` is one of `PERIODS`; `off_peak` lists wall-clock windows such as "22:00-06:00". Others: ValueError.

    The colours of Tempo and the days of EJP are those of the seed.
    """

    option: str
    off_peak: tuple[str, ...]
    zone: ZoneInfo
    seed: int = 1

    def __post_init__(self) -> None:
        if self.option not in PERIODS:
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

    def timeline(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield (from, until, supplier index) over [start, end), in seconds, without a hole."""
        since, rest = start, 2 if self.option == "hphc" else 1
        for span, index in sorted(self._spans(start, end), key=lambda one: one[0].start):
            if span.end <= since or span.start >= end:
                continue
            if span.start > since:
                yield since, span.start, rest
                since = span.start
            yield since, min(span.end, end), index
            since = min(span.end, end)
        if since < end:
            yield since, end, rest

    def _spans(self, start: int, end: int) -> Iterator[tuple[Span, int]]:
        """Yield the spans near [start, end) in which another index runs than the usual one; of Tempo, every span."""
        day = local_date(start, self.zone) - timedelta(days=1)
        last = local_date(end, self.zone)
        while day <= last:
            if self.option == "hphc":
                yield from ((span, 1) for span in self.windows(day))
            elif self.option == "tempo":
                low = 2 * COLOURS.index(tempo(self.seed, day)) + 1
                edges = [instant(day, hour, self.zone) for hour in (TEMPO_DAY, TEMPO_NIGHT, TEMPO_DAY + 24)]
                yield Span(edges[0], edges[1]), low + 1
                yield Span(edges[1], edges[2]), low
            elif self.option == "ejp" and is_ejp(self.seed, day):
                yield self.peak(day), 2
            day += timedelta(days=1)

    def peak(self, day: date) -> Span:
        """Return the mobile peak of an EJP day."""
        return Span(instant(day, EJP_START, self.zone), instant(day, EJP_END, self.zone))

    def period(self, index: int) -> str:
        """Return the tariff period that a supplier index counts, as in `gateway.signals.TARIFF_INDEXES`."""
        return PERIODS[self.option][index - 1]

    @property
    def indexes(self) -> int:
        """How many supplier indexes the contract uses."""
        return len(PERIODS[self.option])
