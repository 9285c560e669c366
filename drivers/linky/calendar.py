"""When the tariff changes next, and which peak is announced: what a meter's day profiles and stamps say. Pure.

PJOURF+1 is the profile of tomorrow. It is also that of today when NJOURF and NJOURF+1 name the same profile, and from
midnight on the one seen the day before is. Where no profile helps (historic mode), the switching times seen in the last
days do. All hours are the legal time of France, in which the profiles are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from drivers.linky.codes import Slot, profile
from gateway.clock import UtcMs, from_datetime, to_datetime

_PARIS = ZoneInfo("Europe/Paris")
_KNOWN_MS = 8 * 86_400_000  # a switching time not seen for longer is forgotten
_GAP_MS = 300_000  # a change across a longer silence does not tell when it was


@dataclass(frozen=True, slots=True)
class Change:
    """A change to come: when, to which period, and whether the meter itself says so."""

    at: UtcMs
    period: str
    said: bool


def local_instant(text: str) -> UtcMs | None:
    """Return the instant of a stamp without season letter (` AAMMJJhhmmss`, legal time); None if there is none."""
    try:
        local = datetime.strptime(text[1:], "%y%m%d%H%M%S").replace(tzinfo=_PARIS)
    except ValueError:
        return None
    return from_datetime(local)


def _on(day: date, start: str) -> UtcMs | None:
    """Return when the wall clock shows `start` ("HH:MM") on a day; None if no clock shows that."""
    hour, minute = int(start[:2]), int(start[3:])
    if hour > 23 or minute > 59:  # noqa: PLR2004 - the last ones of a day and of an hour
        return None
    return from_datetime(datetime.combine(day, time(hour, minute), _PARIS))


@dataclass(slots=True)
class Calendar:
    """What one meter has said of its tariff's times. `names` gives the period of an index, as far as it was seen."""

    names: dict[int, str] = field(default_factory=dict)
    _days: dict[date, tuple[Slot, ...]] = field(default_factory=dict)
    _text: str = ""
    _tomorrow: tuple[Slot, ...] = ()
    _profile_today: int | None = None
    _profile_tomorrow: int | None = None
    _seen: dict[tuple[str, str], dict[str, UtcMs]] = field(default_factory=dict)
    _period: str | None = None
    _period_at: int = 0

    def day_profile(self, label: str, number: int) -> None:
        """Take NJOURF or NJOURF+1."""
        if label == "NJOURF":
            self._profile_today = number
        else:
            self._profile_tomorrow = number

    def tomorrow(self, text: str, now: UtcMs) -> None:
        """Take PJOURF+1, said at `now`."""
        if text != self._text:
            try:
                self._tomorrow = profile(text)
            except ValueError:
                self._tomorrow = ()
            self._text = text
        today = _date(now)
        self._days[today + timedelta(days=1)] = self._tomorrow
        if self._profile_today is not None and self._profile_today == self._profile_tomorrow:
            self._days[today] = self._tomorrow
        for day in [day for day in self._days if day < today]:
            del self._days[day]

    def period(self, period: str | None, now: UtcMs, index: int | None = None) -> bool:
        """Take the period of now, and learn when it changes; return whether it did."""
        if period is not None and index is not None:
            self.names[index] = period
        before, since = self._period, now - self._period_at
        if before is not None and period is not None and before != period and 0 <= since <= _GAP_MS:
            # a meter switches on whole minutes, and says so at once
            self._seen.setdefault((before, period), {})[to_datetime(now).astimezone(_PARIS).strftime("%H:%M")] = now
        self._period, self._period_at = period, now
        return before != period

    def next_change(self, now: UtcMs, index: int | None, period: str | None) -> Change | None:
        """Return the next change from the index (standard) or the period (historic) of now; None when not known."""
        if index is not None and _date(now) in self._days:
            return self._by_profile(now, index)
        return self._by_habit(now, period) if period is not None else None

    def _by_profile(self, now: UtcMs, index: int) -> Change | None:
        today = _date(now)
        for day in (today, today + timedelta(days=1)):
            for slot in self._days.get(day, ()):
                at = _on(day, slot.start)
                if at is not None and at > now and slot.index is not None and slot.index != index:
                    return Change(at, self.names.get(slot.index, f"f{slot.index:02d}"), True)
        return None

    def _by_habit(self, now: UtcMs, period: str) -> Change | None:
        changes = list(self._learnt(now, period))
        return min(changes, key=lambda change: change.at, default=None)

    def _learnt(self, now: UtcMs, period: str) -> Iterator[Change]:
        today = _date(now)
        for (before, after), times in self._seen.items():
            for clock, seen in times.items():
                if before != period or now - seen > _KNOWN_MS:
                    continue
                coming = (_on(day, clock) for day in (today, today + timedelta(days=1)))
                yield from (Change(at, after, False) for at in coming if at is not None and at > now)


@dataclass(slots=True)
class Peaks:
    """The mobile peaks that a meter announces (DPMn, FPMn), by their number."""

    _edges: dict[str, UtcMs] = field(default_factory=dict)

    def edge(self, label: str, text: str) -> None:
        """Take a start (DPMn) or an end (FPMn): a stamp without season letter."""
        at = local_instant(text)
        if at is None:
            self._edges.pop(label, None)
        else:
            self._edges[label] = at

    def keep(self, labels: set[str]) -> None:
        """Forget the peaks that a clean frame no longer announces."""
        for label in [label for label in self._edges if label not in labels]:
            del self._edges[label]

    def next(self, now: UtcMs) -> tuple[UtcMs | None, UtcMs | None]:
        """Return the start and the end of the peak that runs or comes first, as far as they are said."""
        starts = [(self._edges.get(f"DPM{n}"), self._edges.get(f"FPM{n}")) for n in (1, 2, 3)]
        coming = [one for one in starts if one != (None, None) and (one[1] is None or one[1] > now)]
        return min(coming, key=lambda one: one[0] or 0, default=(None, None))


def _date(at: UtcMs) -> date:
    return to_datetime(at).astimezone(_PARIS).date()
