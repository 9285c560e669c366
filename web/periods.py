"""The stretches of time the page "Historique" walks through: days, weeks, months and years of the home's own calendar.

A day has 23, 24 or 25 hours. Pure: today is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton

from gateway.clock import UtcMs, from_datetime, to_datetime

_HOUR_MS = 3_600_000
_FIRST_YEAR, _LAST_YEAR = 2000, 2099


class View(StrEnum):
    """How long the stretch is; these words stand in the address of the page."""

    DAY = "jour"
    WEEK = "semaine"
    MONTH = "mois"
    YEAR = "annee"


STEPS = {View.DAY: "1h", View.WEEK: "1d", View.MONTH: "1d", View.YEAR: "1mo"}
"""The step to ask of the store."""


def midnight(day: date, zone: ZoneInfo) -> UtcMs:
    """Return when a day begins in a timezone."""
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=zone))


def local_day(at: UtcMs, zone: ZoneInfo) -> date:
    """Return the day that it is in a timezone."""
    return to_datetime(at).astimezone(zone).date()


@dataclass(frozen=True, slots=True)
class Slot:
    """One bar: from `start` to `end` (excluded, UTC ms), its name in the table and the short one under the chart."""

    start: UtcMs
    end: UtcMs
    label: str
    tick: str


@dataclass(frozen=True, slots=True)
class Period:
    """A day, week (from Monday), month or year that holds `day`."""

    view: View
    day: date
    zone: ZoneInfo

    @property
    def first(self) -> date:
        """The first day."""
        return {
            View.DAY: self.day,
            View.WEEK: self.day - timedelta(days=self.day.weekday()),
            View.MONTH: self.day.replace(day=1),
            View.YEAR: self.day.replace(month=1, day=1),
        }[self.view]

    @property
    def after(self) -> date:
        """The first day that no longer belongs to it."""
        first = self.first
        if self.view is View.DAY:
            return first + timedelta(days=1)
        if self.view is View.WEEK:
            return first + timedelta(days=7)
        return _next_month(first) if self.view is View.MONTH else first.replace(year=first.year + 1)

    @property
    def start(self) -> UtcMs:
        """When it begins."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> UtcMs:
        """When it ends, excluded."""
        return midnight(self.after, self.zone)

    def moved(self, day: date) -> Period:
        """Return the period of the same length that holds another day."""
        return Period(self.view, day, self.zone)

    @property
    def previous(self) -> Period:
        """The one before."""
        return self.moved(self.first - timedelta(days=1))

    @property
    def following(self) -> Period:
        """The one after."""
        return self.moved(self.after)

    def title(self, locale: str) -> str:
        """Return its name, such as "samedi 21 juin 2025"."""
        if self.view is View.DAY:
            return format_date(self.day, "full", locale)
        if self.view is View.WEEK:
            return _week_title(self.first, self.after - timedelta(days=1), locale)
        return format_skeleton("yMMMM" if self.view is View.MONTH else "y", self.first, locale=locale)

    def slots(self, locale: str) -> list[Slot]:
        """Return its bars in order."""
        if self.view is View.DAY:
            return self._hours(locale)
        days: list[date] = []
        day = self.first
        while day < self.after:
            days.append(day)
            day = _next_month(day) if self.view is View.YEAR else day + timedelta(days=1)
        edges = [*days, self.after]
        return [
            Slot(midnight(day, self.zone), midnight(edges[n + 1], self.zone), *self._names(day, locale))
            for n, day in enumerate(days)
        ]

    def _names(self, day: date, locale: str) -> tuple[str, str]:
        if self.view is View.YEAR:
            return format_date(day, "LLLL", locale), format_date(day, "LLL", locale)
        return format_skeleton("Ed", day, locale=locale), format_date(
            day, "ccc" if self.view is View.WEEK else "d", locale
        )

    def _hours(self, locale: str) -> list[Slot]:
        starts = [UtcMs(at) for at in range(self.start, self.end, _HOUR_MS)]
        hours = [to_datetime(at).astimezone(self.zone) for at in starts]
        names = [f"{hour.hour}\u202fh" if locale == "fr" else f"{hour.hour}:00" for hour in hours]
        # when clocks go back one hour comes twice: its offset tells them apart
        labels = [
            f"{name} ({hour:%Z})" if names.count(name) > 1 else name for name, hour in zip(names, hours, strict=True)
        ]
        return [
            Slot(at, UtcMs(at + _HOUR_MS), label, name) for at, label, name in zip(starts, labels, names, strict=True)
        ]


def period(view: str | None, day: str | None, today: date, zone: ZoneInfo) -> Period:
    """Return the period an address asks for; what it does not say, or says wrongly, is today's day."""
    wanted = View(view) if view in list(View) else View.DAY
    try:
        asked = date.fromisoformat(day or "")
    except ValueError:
        asked = today
    return Period(wanted, asked if _FIRST_YEAR <= asked.year <= _LAST_YEAR else today, zone)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _week_title(first: date, last: date, locale: str) -> str:
    end = format_date(last, "d MMMM y", locale)
    start = format_date(first, "d" if first.month == last.month else "d MMMM", locale)
    return f"Week of {start} to {end}" if locale.startswith("en") else f"Semaine du {start} au {end}"


def iso_local(at: UtcMs, zone: ZoneInfo) -> str:
    """Return an instant as ISO 8601 in local time with its offset."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).isoformat(timespec="seconds")
