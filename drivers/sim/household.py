"""The family's days put end to end: what runs at any instant, as steps of whole watts.

A plan is made for one local day from hash(seed, date) alone, so any day can be had without the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from drivers.sim.habits import HABITS, Day, Use
from drivers.sim.noise import draw, waves
from drivers.sim.tariff import Span, Tariff, instant, local_date
from drivers.sim.weather import MINUTES, Weather
from drivers.sun import elevation_azimuth
from gateway.clock import UtcMs

_STANDBY_W, _STANDBY_AWAY_W, _STANDBY_SWING_W = 142.0, 90.0, 18.0
STANDBY_TAN_PHI = 0.5
_EVENING_HOURS = (22.0, 30.0)  # when a tank is heated by a home without off-peak hours
_DARK_DEG = 3.0  # lamps go on before the sun is gone
_SCAN_S = 600
_AUGUST_WEEKS, _WINTER_WEEKS = (30, 32), (7, 10)


@dataclass(frozen=True, slots=True)
class Steps:
    """A solar day of the household. `starts[n]` to `starts[n + 1]` (seconds) holds `watts[n]` and `var[n]` of all but
    the standby, which goes straight between `standby_w` at each minute (1 441 values). `uses` are sorted by start.
    """

    starts: list[int]
    watts: list[int]
    var: list[int]
    standby_w: list[float]
    uses: list[Use]

    def running(self, second: float) -> Iterator[Use]:
        """Yield the uses at work at an instant."""
        return (use for use in self.uses if use.start <= second < use.end)


def stack(uses: list[Use], start: int, standby_w: list[float]) -> Steps:
    """Return the uses of the solar day that begins at `start` (seconds), one on top of the other."""
    end = start + 60 * MINUTES
    uses = sorted(uses)
    turns: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    turns[start] = [0, 0]
    for use in uses:
        for second, sign in ((max(use.start, start), 1), (use.end, -1)):
            turns[second][0] += sign * use.watts
            turns[second][1] += sign * use.var
    starts, watts, var = [], [], []
    sum_w = sum_var = 0
    for second in sorted(turns):
        sum_w += turns[second][0]
        sum_var += turns[second][1]
        if second < end:
            starts.append(second)
            watts.append(sum_w)
            var.append(sum_var)
    return Steps(starts, watts, var, standby_w, uses)


@dataclass(frozen=True, slots=True)
class Household:
    """A family of four in a house. With `burst_w`, a workshop there overloads the supply now and then: it brings the
    power at the meter up to that many watts, or draws them on a phase of its own (`bursts_alone`).
    """

    seed: int
    weather: Weather
    tariff: Tariff
    burst_w: float = 0.0
    bursts_alone: bool = False

    def away(self, day: date) -> bool:
        """Tell whether the family is on holiday: two weeks in summer, one in winter, Saturday to Friday."""
        week = (day + timedelta(days=2)).isocalendar()
        summer = _pick(_AUGUST_WEEKS, draw(self.seed, "summer", week.year))
        winter = _pick(_WINTER_WEEKS, draw(self.seed, "winter", week.year))
        return week.week in {summer, summer + 1, winter}

    def plan(self, day: date) -> tuple[Use, ...]:
        """Return everything that is switched on during a local day; what starts before midnight may end after."""
        return _plan(self, day)

    def steps(self, number: int) -> Steps:
        """Return a solar day, with what goes on from the day before."""
        start = self.weather.start_of(number)
        end = self.weather.start_of(number + 1)
        day, last = local_date(start, self.tariff.zone) - timedelta(days=1), local_date(end, self.tariff.zone)
        uses: list[Use] = []
        while day <= last:
            uses += [use for use in self.plan(day) if use.end > start and use.start < end]
            day += timedelta(days=1)
        return stack(uses, start, self._standby(start))

    def _standby(self, start: int) -> list[float]:
        base = _STANDBY_AWAY_W if self.away(local_date(start + 12 * 3600, self.tariff.zone)) else _STANDBY_W
        quick = waves(start, 60, MINUTES + 1, 180, self.seed, "standby")
        return [base + _STANDBY_SWING_W * (x - 0.5) for x in quick]


def _pick(weeks: tuple[int, int], chance: float) -> int:
    low, high = weeks
    return low + int(chance * (high - low + 1))


def _lamp_hours(weather: Weather, zone: ZoneInfo, midnight: int) -> tuple[float, float]:
    """Return the hours on the wall when lamps go out and come on; noon twice where the sun does not rise."""
    light = [
        second
        for second in range(midnight, midnight + 86_400, _SCAN_S)
        if elevation_azimuth(UtcMs(second * 1000), weather.latitude, weather.longitude)[0] > _DARK_DEG
    ]
    if not light:
        return 12.0, 12.0
    out, on = (datetime.fromtimestamp(second, zone) for second in (light[0], light[-1]))
    return out.hour + out.minute / 60, on.hour + on.minute / 60


@lru_cache(maxsize=8)
def _plan(household: Household, day: date) -> tuple[Use, ...]:
    zone = household.tariff.zone

    def at(hours: float) -> int:
        return instant(day, hours, zone)

    sunrise, sunset = _lamp_hours(household.weather, zone, at(0))
    windows = household.tariff.windows(day)
    noon_c = sum(household.weather.temperature(at(hour)) for hour in (6, 12, 18, 24)) / 4
    yesterday = day - timedelta(days=1)
    context = Day(
        seed=household.seed,
        date=day,
        at=at,
        sunrise=sunrise,
        sunset=sunset,
        outdoor_c=noon_c,
        windows=tuple(windows) or (Span(at(_EVENING_HOURS[0]), at(_EVENING_HOURS[1])),),
        away=household.away(day),
        back=household.away(yesterday),
    )
    return tuple(use for habit in HABITS for use in habit(context))
