"""The simulated home: one roof, one family, one meter, and everything they show agreeing at every instant.

A pure function of (seed, time): the same in every process, so the history, the live devices and the tests of a demo
need to share nothing but a seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import floor, hypot
from zoneinfo import ZoneInfo

from drivers.sim.day import HomeDay, make_day
from drivers.sim.habits import APPLIANCES
from drivers.sim.history import minutes
from drivers.sim.household import Household
from drivers.sim.meters import METERS, Variant
from drivers.sim.noise import wave
from drivers.sim.overload import TIMES
from drivers.sim.panels import Panels
from drivers.sim.phases import Phases, split
from drivers.sim.registers import Registers
from drivers.sim.tariff import Tariff
from drivers.sim.weather import Weather
from gateway.clock import UtcMs

_GRAIN = 64  # powers are whole 64ths of a watt: sums and differences of them are exact in binary
_FLICKER_V, _FLICKER_S = 0.8, 7
_FIRST_STRING = 0.52
_STRING_V, _STRING_V_A_DEGREE, _STRING_LIGHT_V = 318.0, -1.1, 14.0
_CASE_C_A_WATT = 0.008


@dataclass(frozen=True, slots=True)
class Powers:
    """The home at an instant. Active powers in W, apparent in VA; `home_w == pv_w + import_w - export_w` exactly, one
    of `import_w` and `export_w` is 0, and `home_w` is the sum of `appliances`.
    """

    at: UtcMs
    pv_w: float
    awake: bool
    """Whether the inverter has light enough to work."""
    strings: tuple[tuple[float, float], ...]
    """The two inputs of the inverter: (volts, watts)."""
    home_w: float
    appliances: dict[str, float]
    import_w: float
    export_w: float
    import_va: float
    export_va: float
    voltage_v: float
    current_a: float
    phases: Phases
    period: str
    """The tariff period, as in `gateway.signals.TARIFF_INDEXES`."""
    index: int
    """The supplier index that runs, from 1 on."""
    outdoor_c: float
    inverter_c: float


@dataclass(frozen=True, slots=True)
class SimulatedHome:
    """The home of one seed. Degrees north and east; azimuth clockwise from north; the inverter gives `kwp` kilowatts.

    Contracts simulated are those of `drivers.sim.tariff.PERIODS`; any other raises ValueError. `meter` tells what kind
    of meter counts it.
    """

    seed: int
    latitude: float
    longitude: float
    kwp: float
    tilt_deg: float
    azimuth_deg: float
    timezone: str
    option: str = "hphc"
    off_peak: tuple[str, ...] = ("22:00-06:00",)
    subscribed_kva: int = 6
    meter: Variant = METERS["standard"]
    weather: Weather = field(init=False, repr=False, compare=False)
    panels: Panels = field(init=False, repr=False, compare=False)
    household: Household = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        weather = Weather(self.seed, self.latitude, self.longitude)
        tariff = Tariff(self.option, self.off_peak, ZoneInfo(self.timezone), self.seed)
        burst_w = TIMES * self.subscribed_kva * 1000 / self.meter.phases if self.meter.overload else 0.0
        household = Household(self.seed, weather, tariff, burst_w, bursts_alone=self.meter.phases > 1)
        panels = Panels(self.kwp, self.tilt_deg, self.azimuth_deg, self.kwp * 1000)
        for name, value in (
            ("weather", weather),
            ("panels", panels),
            ("household", household),
        ):
            object.__setattr__(self, name, value)

    @property
    def tariff(self) -> Tariff:
        """The supply contract."""
        return self.household.tariff

    def minute_of(self, at: UtcMs) -> tuple[HomeDay, int]:
        """Return the solar day that holds an instant, and the number of the minute in it."""
        second = at // 1000
        number = self.weather.day_of(second)
        return _day(self, number), (second - self.weather.start_of(number)) // 60

    def powers(self, at: UtcMs) -> Powers:
        """Return the home at an instant."""
        day, minute = self.minute_of(at)
        second = at / 1000
        share = (second - day.start) / 60 - minute
        pv = _grain(_between(day.roof.ac_w, minute, share))
        dc = _between(day.roof.dc_w, minute, share)
        appliances = dict.fromkeys(APPLIANCES, 0.0)
        appliances["standby"] = _grain(_between(day.steps.standby_w, minute, share))
        reactive = day.still_var(minute)
        reactive_by = {"standby": reactive}
        for use in day.steps.running(second):
            appliances[use.name] += use.watts
            reactive += use.var
            reactive_by[use.name] = reactive_by.get(use.name, 0.0) + use.var
        home = sum(appliances.values())
        net = home - pv
        apparent = hypot(net, reactive)
        flicker = _FLICKER_V * (wave(floor(second), _FLICKER_S, self.seed, "flicker") - 0.5)
        voltage = day.terminal_voltage(minute, share, net) + flicker
        phases = split(self.meter.phases, appliances, reactive_by, pv, voltage)
        if self.meter.phases > 1:
            apparent = abs(sum(phases.va))  # a phase that injects counts as negative in the total
        index = day.index[minute]
        outdoor = self.weather.temperature(floor(second))
        return Powers(
            at=at,
            pv_w=pv,
            awake=day.roof.awake[minute],
            strings=self._strings(dc, outdoor),
            home_w=home,
            appliances=appliances,
            import_w=max(net, 0.0),
            export_w=max(-net, 0.0),
            import_va=apparent if net >= 0 else 0.0,
            export_va=apparent if net < 0 else 0.0,
            voltage_v=voltage,
            current_a=apparent / voltage,
            phases=phases,
            period=self.tariff.period(index),
            index=index,
            outdoor_c=outdoor,
            inverter_c=outdoor + 6 + _CASE_C_A_WATT * pv,
        )

    def _strings(self, dc_w: float, outdoor_c: float) -> tuple[tuple[float, float], ...]:
        if dc_w <= 0:
            return (0.0, 0.0), (0.0, 0.0)
        light = dc_w / (self.kwp * 1000)
        volts = _STRING_V + _STRING_V_A_DEGREE * (outdoor_c + 30 * light - 25) + _STRING_LIGHT_V * light
        first, second = self.split(dc_w)
        return (volts, first), (volts - 4.5, second)

    @staticmethod
    def split(dc_w: float) -> tuple[float, float]:
        """Return the watts of the inverter's two inputs; they add up to `dc_w`."""
        return dc_w * _FIRST_STRING, dc_w - dc_w * _FIRST_STRING

    def registers(self, at: UtcMs) -> Registers:
        """Return the counters of an installation some years old, starting at the whole minute before `at`."""
        return Registers.first(self, at)

    def minutes(
        self, registers: Registers, start: UtcMs, end: UtcMs
    ) -> Iterator[tuple[UtcMs, dict[str, float | int | str]]]:
        """Return the past, minute by minute: see `drivers.sim.history.minutes`."""
        return minutes(self, registers, start, end)


@lru_cache(maxsize=4)
def _day(home: SimulatedHome, number: int) -> HomeDay:
    return make_day(home.weather, home.panels, home.household, number)


def _between(values: list[float], minute: int, share: float) -> float:
    return values[minute] + (values[minute + 1] - values[minute]) * share


def _grain(watts: float) -> float:
    return round(watts * _GRAIN) / _GRAIN


def create(
    *,
    seed: int = 1,
    latitude: float = 45.764,
    longitude: float = 4.835,
    kwp: float = 3.0,
    tilt_deg: float = 30.0,
    azimuth_deg: float = 180.0,
    timezone: str = "Europe/Paris",
    meter: str = "standard",
    option: str | None = None,
    off_peak: tuple[str, ...] | None = None,
    subscribed_kva: int | None = None,
) -> SimulatedHome:
    """Return the simulated home of a demonstration; without more, a house in Lyon with 3 kWp to the south.

    `meter` is a name of `drivers.sim.meters.METERS` (KeyError if it is none); the contract is the meter's unless given.
    """
    variant = METERS[meter]
    return SimulatedHome(
        seed,
        latitude,
        longitude,
        kwp,
        tilt_deg,
        azimuth_deg,
        timezone,
        variant.option if option is None else option,
        variant.off_peak if off_peak is None else tuple(off_peak),
        variant.subscribed_kva if subscribed_kva is None else subscribed_kva,
        variant,
    )
