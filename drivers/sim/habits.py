"""What a family of four switches on in one day, appliance by appliance.

Each habit is a generator over `Day` that yields uses: from when to when, how many watts, how much reactive power.
Powers, durations and how often are those of common appliances in French homes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from drivers.sim.noise import Dice
from drivers.sim.tariff import Span

_WEDNESDAY, _SATURDAY, _SUNDAY = 2, 5, 6
_LINE_DRYING_C = 12.0  # in warmer air the laundry dries outside


class Use(NamedTuple):
    """An appliance at work from `start` to `end` (excluded, seconds since 1970): active and reactive power, whole."""

    start: int
    end: int
    watts: int
    var: int
    name: str


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of the family: `at` turns an hour of the wall clock into seconds since 1970; `sunrise` and `sunset`
    are hours of it; `away` and `back` say that the house is empty, or that it was the day before.
    """

    seed: int
    date: date
    at: Callable[[float], int]
    sunrise: float
    sunset: float
    outdoor_c: float
    windows: tuple[Span, ...]
    away: bool
    back: bool

    def dice(self, habit: str) -> Dice:
        """Return the day's own draws for a habit."""
        return Dice(self.seed, habit, self.date.toordinal())

    @property
    def weekend(self) -> bool:
        """Tell whether nobody works."""
        return self.date.weekday() >= _SATURDAY

    @property
    def lunch(self) -> bool:
        """Tell whether somebody eats lunch at home: weekends, and Wednesdays without school."""
        return self.weekend or self.date.weekday() == _WEDNESDAY


def _use(name: str, start: int, seconds: float, watts: float, tan_phi: float) -> Use:
    return Use(start, start + max(1, round(seconds)), round(watts), round(watts * tan_phi), name)


def _cycles(name: str, span: Span, period_s: float, duty: float, watts: float) -> Iterator[Use]:
    """Yield the pulses of a resistive load that its thermostat switches."""
    start = float(span.start)
    while start < span.end:
        seconds = min(period_s * duty, span.end - start)
        yield _use(name, round(start), seconds, watts, 0.02)
        start += period_s


def fridge(day: Day) -> Iterator[Use]:
    """Run the compressor a third of the time, more when it is warm."""
    yield from _compressor(day, "fridge", 92, day.outdoor_c * 4)


def freezer(day: Day) -> Iterator[Use]:
    """Run the chest freezer of the garage, less in winter."""
    yield from _compressor(day, "freezer", 74, day.outdoor_c * 12)


def _compressor(day: Day, name: str, watts: float, warm_s: float) -> Iterator[Use]:
    dice = day.dice(name)
    start, end = day.at(0) + dice.between(1300, 2300), day.at(24)
    while start < end:
        on = dice.between(700, 880) + max(-120.0, warm_s)
        yield _use(name, round(start), on, dice.between(watts - 4, watts + 4), 0.8)
        start += on + dice.between(1350, 1600)


def water_heater(day: Day) -> Iterator[Use]:
    """Heat the tank from the first off-peak hour until it is full; colder water in winter takes longer."""
    if day.away:
        return
    dice = day.dice("water")
    need_wh = dice.between(5800, 7900) + (13 - day.outdoor_c) * 55 + (900 if day.weekend else 0)
    left_s = (10_400 if day.back else need_wh) / 2200 * 3600
    for window in day.windows:
        start = window.start + round(dice.between(2, 25))
        seconds = min(left_s, window.end - start)
        if seconds > 0:
            yield _use("water_heater", start, seconds, 2200, 0.0)
            left_s -= seconds


def lighting(day: Day) -> Iterator[Use]:
    """Light the rooms where somebody is while it is dark."""
    if day.away:
        return
    dice = day.dice("light")
    rise = dice.between(7.8, 9.2) if day.weekend else dice.between(6.4, 6.9)
    for watts, until in ((45, 0.1), (30, 0.4), (22, 0.9)):
        if rise < day.sunrise + 0.2:
            start = day.at(rise + dice.between(0, 0.3))
            yield _use("lighting", start, max(600.0, day.at(day.sunrise + until) - start), watts, 0.6)
    bed = dice.between(22.3, 23.2) + (0.7 if day.weekend else 0)
    for watts, early, share in ((60, 0.3, 1.0), (45, 0.0, 0.9), (28, -0.5, 0.7), (20, -0.8, 0.6), (15, -1.2, 0.8)):
        home = max(day.sunset - early, 9.0 if day.weekend else 16.8) + dice.between(0, 0.5)
        if home < bed and dice.chance(share):
            yield _use("lighting", day.at(home), day.at(bed + dice.between(-0.8, 0.2)) - day.at(home), watts, 0.6)


def screens(day: Day) -> Iterator[Use]:
    """Watch television in the evening, use computers after school and at weekends."""
    if day.away:
        return
    dice = day.dice("screens")
    start = dice.between(19.9, 20.8)
    yield _use("television", day.at(start), 3600 * dice.between(1.4, 2.6), 105, 0.5)
    if day.weekend and dice.chance(0.6):
        yield _use("television", day.at(dice.between(14.5, 16.5)), 3600 * dice.between(1.2, 2.4), 105, 0.5)
    starts = (9.4, 14.2, 17.2) if day.weekend else (17.3, 20.6)
    if day.date.weekday() == _WEDNESDAY:
        starts = (9.2, 13.8, 20.8)
    for hour in starts:
        yield _use("computers", day.at(hour + dice.between(-0.4, 0.6)), 3600 * dice.between(0.8, 2.4), 85, 0.55)
    if not day.weekend and dice.chance(0.45):  # working from home
        for hour, hours in ((8.9, 3.3), (13.5, 4.0)):
            yield _use("computers", day.at(hour + dice.between(0, 0.2)), 3600 * hours, 65, 0.55)


def breakfast(day: Day) -> Iterator[Use]:
    """Boil water and make coffee in the morning; a cup of tea later at weekends."""
    if day.away:
        return
    dice = day.dice("breakfast")
    rise = dice.between(8.2, 9.6) if day.weekend else dice.between(6.7, 7.1)
    yield _use("kettle", day.at(rise), dice.between(120, 200), 2000, 0.0)
    yield _use("coffee", day.at(rise + 0.12), dice.between(240, 420), 900, 0.02)
    if dice.chance(0.5):
        yield _use("coffee", day.at(rise + 0.45), dice.between(90, 200), 900, 0.02)
    if day.weekend or dice.chance(0.35):
        yield _use("kettle", day.at(dice.between(16.2, 17.6)), dice.between(110, 190), 2000, 0.0)


def _hob(day: Day, dice: Dice, hour: float) -> Iterator[Use]:
    start = day.at(hour)
    boil = round(dice.between(300, 560))
    yield _use("hob", start, boil, 1800, 0.12)
    simmer = Span(start + boil, start + boil + round(dice.between(600, 1300)))
    for use in _cycles("hob", simmer, dice.between(40, 70), dice.between(0.35, 0.6), 1400):
        yield use._replace(var=round(use.watts * 0.12))


def meals(day: Day) -> Iterator[Use]:
    """Cook dinner, and lunch when somebody is there: hob, oven on its thermostat, microwave."""
    if day.away:
        return
    dice = day.dice("meals")
    dinner = dice.between(18.7, 19.6)
    if dice.chance(0.85):
        yield from _hob(day, dice, dinner)
    if dice.chance(0.5 if day.weekend else 0.28):
        start = day.at(dinner - dice.between(0.1, 0.5))
        heat = round(dice.between(540, 760))
        yield _use("oven", start, heat, 2300, 0.02)
        yield from _cycles("oven", Span(start + heat, start + heat + round(dice.between(1200, 2400))), 170, 0.36, 2300)
    if dice.chance(0.5):
        yield _use("microwave", day.at(dinner + dice.between(0.3, 0.7)), dice.between(90, 260), 1250, 0.25)
    if day.lunch:
        yield from _hob(day, dice, dice.between(11.8, 12.5))
    elif dice.chance(0.45):
        yield _use("microwave", day.at(dice.between(12.2, 12.9)), dice.between(120, 260), 1250, 0.25)


def dishes(day: Day) -> Iterator[Use]:
    """Start the dishwasher after dinner, at the off-peak hour when there is one in the evening."""
    dice = day.dice("dishes")
    if day.away or not dice.chance(0.75):
        return
    evening = [span.start for span in day.windows if day.at(20.5) <= span.start <= day.at(24)]
    start = evening[0] + round(dice.between(300, 2400)) if evening else day.at(dice.between(20.6, 21.6))
    for after, seconds, watts, tan_phi in (
        (0, 480, 60, 0.7),
        (480, dice.between(700, 900), 1900, 0.03),
        (1380, 2100, 65, 0.7),
        (3480, dice.between(540, 700), 1900, 0.03),
        (4180, 1500, 25, 0.7),
    ):
        yield _use("dishwasher", start + after, seconds, watts, tan_phi)


def washing(day: Day) -> Iterator[Use]:
    """Wash four or five times a week, in daylight when somebody is there; the dryer follows in the cold months."""
    dice = day.dice("washing")
    if day.away or not dice.chance(0.9 if day.weekend else 0.48):
        return
    start = day.at(dice.between(9.6, 14.5) if day.weekend or dice.chance(0.8) else dice.between(16.6, 17.4))
    heat = round(dice.between(780, 1250))
    yield _use("washing_machine", start, 240, 70, 0.8)
    yield _use("washing_machine", start + 240, heat, 2050, 0.03)
    turn = start + 240 + heat
    for number in range(round(dice.between(60, 85))):
        yield _use("washing_machine", turn + number * 45, 30, 190, 0.85)
    spin = turn + 60 * 62
    yield _use("washing_machine", spin, dice.between(420, 600), 420, 0.75)
    if day.outdoor_c < _LINE_DRYING_C and dice.chance(0.5):
        yield _use("dryer", spin + round(dice.between(900, 2400)), dice.between(4500, 6600), 720, 0.45)


def cleaning(day: Day) -> Iterator[Use]:
    """Vacuum at the weekend, iron now and then."""
    dice = day.dice("cleaning")
    if day.away:
        return
    if day.date.weekday() == _SATURDAY or dice.chance(0.12):
        yield _use("vacuum", day.at(dice.between(10.0, 11.6)), dice.between(900, 1900), 750, 0.3)
    if day.date.weekday() == _SUNDAY and dice.chance(0.6):
        start = day.at(dice.between(17.0, 17.8))
        yield from _cycles("iron", Span(start, start + round(dice.between(1500, 2700))), 60, 0.45, 2100)


def heating(day: Day) -> Iterator[Use]:
    """Warm the bathroom and the living room with an electric panel on cold mornings and evenings."""
    cold = 11.5 - day.outdoor_c
    if day.away or cold <= 0:
        return
    dice = day.dice("heating")
    duty = min(0.9, 0.25 + cold * 0.05)
    mornings = (7.6, 9.8) if day.weekend else (6.2, 7.8)
    for opens, closes in (mornings, (17.6, 18.7), (20.2, 22.0)):
        start = day.at(opens + dice.between(0, 0.3))
        yield from _cycles("heating", Span(start, day.at(closes)), dice.between(540, 720), duty, 1000)


HABITS: tuple[Callable[[Day], Iterator[Use]], ...] = (
    fridge,
    freezer,
    water_heater,
    lighting,
    screens,
    breakfast,
    meals,
    dishes,
    washing,
    cleaning,
    heating,
)

APPLIANCES: tuple[str, ...] = (
    "standby",
    "fridge",
    "freezer",
    "water_heater",
    "heating",
    "lighting",
    "television",
    "computers",
    "hob",
    "oven",
    "microwave",
    "kettle",
    "coffee",
    "dishwasher",
    "washing_machine",
    "dryer",
    "vacuum",
    "iron",
    "workshop",
)
"""Every appliance there can be; `standby` is what never stops: ventilation, internet box, clocks, sleeping screens."""
