"""What follows from what was measured: active power from index steps, home use, balances. No I/O, no clock.

Linky gives apparent power (VA) at once and active energy in steps of 1 Wh. Active power is therefore made here:

* `index-steps`: Wh counted between two steps of the index, over the time between them. Exact to about one TIC frame at
  each end, so the window grows until that is small beside it, and is cut when the apparent power shows a new load.
* `va-power-factor`: in the seconds after such a cut, apparent power times the last power factor seen. An estimate.

Signs: all flows are >= 0. `home = pv + import - export + discharge - charge`. When that sum is below zero (the meter
and the inverter are read some seconds apart), home is 0 and `balance.unexplained.power = home - sum` (>= 0) shows what
is missing: sources + unexplained = uses, always.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.bus import Latest
from gateway.clock import UtcMs
from gateway.reading import Quality, Reading, Value
from gateway.signals import find, split_device

MS_PER_HOUR = 3_600_000

_ENOUGH_WH = 20  # at 20 steps the jitter of one step is 5 % of the window at most
_ENOUGH_MS = 60_000
_NEW_LOAD_VA = 100.0  # smaller changes are within the noise of the meter's 1 s rms window
_NEW_LOAD_SHARE = 0.2
_ASSUMED_POWER_FACTOR = 0.9  # until two index steps have shown the home's own; the value is marked as an estimate
_MIN_POWER_FACTOR = 0.3
_LONGEST_GAP_MS = 120_000  # a hole longer than this tells nothing of the power now
_RESET_WH = 100  # more than 36 kVA brings in the 10 s between two polls of an inverter

_POWER_FROM_STEPS = "derive:index-steps"
_POWER_FROM_FACTOR = "derive:va-power-factor"
_POWER_ZERO = "derive:no-apparent-power"


@dataclass(frozen=True, slots=True)
class Power:
    """An active power in W (>= 0), how far to trust it, and how it was made."""

    watts: float
    quality: Quality
    method: str


@dataclass(slots=True)
class IndexPower:
    """Active power of one direction (import or export) from its index and its apparent power."""

    _steps: deque[tuple[UtcMs, float]] = field(default_factory=deque)
    _index_wh: float | None = None
    _index_at: int = 0
    _va: float | None = None
    _va_reference: float = 0.0
    _va_ms: float = 0.0
    _va_since: int = 0
    _va_at: int = 0
    _power_factor: float | None = None

    def index(self, at: UtcMs, wh: float) -> None:
        """Take the index register, in Wh, as read at `at`."""
        before = self._index_wh
        lost = at < self._index_at or at - self._index_at > _LONGEST_GAP_MS
        self._index_wh, self._index_at = wh, at
        if before is None or lost or wh < before:
            self._steps.clear()
            self._start_factor(at)
            return
        if wh == before:
            return
        self._steps.append((at, wh))
        self._learn_factor(at)
        while len(self._steps) > 2 and self._is_long(self._steps[1]):  # noqa: PLR2004 - two steps make an interval
            self._steps.popleft()

    def apparent(self, at: UtcMs, va: float) -> None:
        """Take the apparent power of this direction, in VA, as read at `at`."""
        if self._va is not None and at > self._va_at:
            self._va_ms += self._va * (at - self._va_at)
        threshold = max(_NEW_LOAD_VA, _NEW_LOAD_SHARE * self._va_reference)
        if self._va is None or abs(va - self._va_reference) > threshold:
            self._va_reference = va
            self._steps.clear()
            self._start_factor(at)
        self._va, self._va_at = va, at

    def estimate(self, at: UtcMs) -> Power | None:
        """Return the active power at `at`, or None while nothing is known."""
        if self._va == 0:
            return Power(0.0, Quality.DERIVED, _POWER_ZERO)
        if len(self._steps) > 1:
            first, last = self._steps[0], self._steps[-1]
            watts = (last[1] - first[1]) * MS_PER_HOUR / (last[0] - first[0])
            # No new step for longer than the last rate promises: the power fell at least to one step in that time.
            waited = at - last[0]
            if waited > 0:
                watts = min(watts, MS_PER_HOUR / waited)
            return Power(watts, Quality.DERIVED, _POWER_FROM_STEPS)
        if self._va is not None:
            factor = self._power_factor or _ASSUMED_POWER_FACTOR
            return Power(self._va * factor, Quality.ESTIMATED, _POWER_FROM_FACTOR)
        return None

    def _is_long(self, second: tuple[UtcMs, float]) -> bool:
        newest = self._steps[-1]
        return newest[1] - second[1] >= _ENOUGH_WH or newest[0] - second[0] >= _ENOUGH_MS

    def _start_factor(self, at: UtcMs) -> None:
        self._va_ms, self._va_since = 0.0, at

    def _learn_factor(self, at: UtcMs) -> None:
        """Compare the energy of the window with its apparent power, both since the last new load."""
        if len(self._steps) == 1:
            self._start_factor(at)
            return
        span = self._steps[-1][0] - self._va_since
        if len(self._steps) < 3 or span <= 0 or self._va_ms <= 0:  # noqa: PLR2004 - one interval is too coarse
            return
        first, last = self._steps[0], self._steps[-1]
        watts = (last[1] - first[1]) * MS_PER_HOUR / (last[0] - first[0])
        factor = watts / (self._va_ms / span)
        self._power_factor = min(1.0, max(_MIN_POWER_FACTOR, factor))


@dataclass(frozen=True, slots=True)
class Flows:
    """The home's flows at one moment, W, each >= 0, None when unknown. `has_*` tells what the home owns."""

    grid_import: Power | None
    grid_export: Power | None
    pv: Power | None
    charge: Power | None
    discharge: Power | None
    has_pv: bool
    has_export: bool
    has_battery: bool
    skew_s: float
    """How far apart the meter's and the inverter's values were taken."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Home use and what does not add up, both W >= 0; see the module's text for the equation."""

    home: Power
    unexplained_w: float


_SKEW_FOR_DERIVED_S = 15.0


def balance(flows: Flows) -> Balance | None:
    """Return home use from the flows; None as soon as one flow that the home has is unknown."""
    parts = [flows.grid_import]
    parts += [flows.grid_export] if flows.has_export else []
    parts += [flows.pv] if flows.has_pv else []
    parts += [flows.charge, flows.discharge] if flows.has_battery else []
    if any(part is None for part in parts):
        return None
    known = [part for part in parts if part is not None]

    def watts(power: Power | None, present: bool) -> float:
        # whole watts, as they are published: the figures on one screen add up to the last digit
        return round(power.watts) if power is not None and present else 0.0

    total = (
        watts(flows.grid_import, True)
        - watts(flows.grid_export, flows.has_export)
        + watts(flows.pv, flows.has_pv)
        + watts(flows.discharge, flows.has_battery)
        - watts(flows.charge, flows.has_battery)
    )
    exact = all(part.quality in (Quality.DERIVED, Quality.MEASURED) for part in known)
    quality = Quality.DERIVED if exact and flows.skew_s <= _SKEW_FOR_DERIVED_S else Quality.ESTIMATED
    home = max(0.0, total)
    return Balance(Power(home, quality, f"derive:balance(skew {flows.skew_s:.0f} s)"), home - total)


_SUMMED = ("pv.power", "pv.energy", "battery.charge.power", "battery.discharge.power")
_STALE_PERIODS = 3


class Derivation:
    """Keeps what the derived signals need, and says them anew when an input changes."""

    def __init__(self, inverters: Iterable[str] = (), *, has_battery: bool = False) -> None:
        self._inverters = tuple(inverters)
        self._has_battery = has_battery
        self._import = IndexPower()
        self._export = IndexPower()
        self._home_energy: float | None = None

    def take(self, reading: Reading) -> bool:
        """Take one measured reading; return True when a derived signal depends on it."""
        name, value = reading.signal, reading.value
        if isinstance(value, str) or value is None:
            return split_device(name)[0] in _SUMMED
        if name == "grid.import.energy":
            self._import.index(reading.at, value)
        elif name == "grid.export.energy":
            self._export.index(reading.at, value)
        elif name == "grid.import.apparent_power":
            self._import.apparent(reading.at, value)
        elif name == "grid.export.apparent_power":
            self._export.apparent(reading.at, value)
        else:
            return split_device(name)[0] in _SUMMED
        return True

    def derived(self, latest: Mapping[str, Latest], at: UtcMs, monotonic: float) -> list[Reading]:
        """Return every derived reading at `at`; a value that cannot be made is there as None."""
        known = _Known(latest, monotonic)
        readings = [self._sum(name, known, at) for name in _SUMMED] if len(self._inverters) > 1 else []
        pv_total = next((one for one in readings if one.signal == "pv.power"), None)
        pv_energy = next((one for one in readings if one.signal == "pv.energy"), None)
        grid_import = (
            self._import.estimate(at) if known.fresh("grid.import.energy", "grid.import.apparent_power") else None
        )
        has_export = known.ever("grid.export.energy")
        grid_export = (
            self._export.estimate(at) if known.fresh("grid.export.energy", "grid.export.apparent_power") else None
        )
        readings.append(_reading("grid.import.power", grid_import, at))
        if has_export:
            readings.append(_reading("grid.export.power", grid_export, at))
        pv = _as_power(pv_total) if self._inverters[1:] else known.power("pv.power")
        flows = Flows(
            grid_import=grid_import,
            grid_export=grid_export,
            pv=pv,
            charge=known.power("battery.charge.power"),
            discharge=known.power("battery.discharge.power"),
            has_pv=bool(self._inverters),
            has_export=has_export,
            has_battery=self._has_battery,
            skew_s=known.skew_s("grid.import.apparent_power", *self._pv_names()),
        )
        made = balance(flows)
        readings.append(_reading("home.power", made.home if made else None, at))
        readings.append(
            Reading(
                "balance.unexplained.power",
                round(made.unexplained_w) if made else None,
                at,
                made.home.quality if made else Quality.DERIVED,
                made.home.method if made else "derive:balance",
            )
        )
        readings.append(self._home_use(known, pv_energy, at, has_export=has_export))
        return readings

    def _pv_names(self) -> list[str]:
        if len(self._inverters) > 1:
            return [f"pv.power@{one}" for one in self._inverters]
        return ["pv.power"] if self._inverters else []

    def _sum(self, name: str, known: _Known, at: UtcMs) -> Reading:
        parts = [known.reading(f"{name}@{one}") for one in self._inverters]
        values = [part.value for part in parts if part is not None and isinstance(part.value, int | float)]
        complete = len(values) == len(parts)
        estimated = any(part is not None and part.quality is Quality.ESTIMATED for part in parts)
        quality = Quality.ESTIMATED if estimated else Quality.DERIVED
        return Reading(name, sum(values) if complete else None, at, quality, "derive:sum")

    def _home_use(self, known: _Known, pv_energy: Reading | None, at: UtcMs, *, has_export: bool) -> Reading:
        """Return energy used at home since the registers began: import + production - export, in Wh."""
        signs = {"grid.import.energy": 1}
        if has_export:
            signs["grid.export.energy"] = -1
        if self._inverters:
            signs["pv.energy"] = 1
        total: float | None = 0.0
        for name, sign in signs.items():
            value = pv_energy.value if name == "pv.energy" and pv_energy else known.last(name)
            total = total + sign * value if isinstance(value, int | float) and total is not None else None
        before = self._home_energy
        if total is not None and before is not None and before - _RESET_WH < total < before:
            total = before  # the registers are read some seconds apart; the sum must not step back for that
        if total is not None:
            self._home_energy = total
        return Reading("home.energy", total, at, Quality.DERIVED, "derive:registers")


@dataclass(frozen=True, slots=True)
class _Known:
    """The latest readings with their ages."""

    latest: Mapping[str, Latest]
    monotonic: float

    def ever(self, name: str) -> bool:
        return name in self.latest

    def last(self, name: str) -> Value | None:
        found = self.latest.get(name)
        return found.reading.value if found else None

    def reading(self, name: str) -> Reading | None:
        """Return the reading unless it is older than three of its periods."""
        found, signal = self.latest.get(name), find(name)
        if found is None or signal is None or self.monotonic - found.seen > _STALE_PERIODS * signal.period_s:
            return None
        return found.reading

    def fresh(self, *names: str) -> bool:
        return any(self.reading(name) is not None for name in names)

    def power(self, name: str) -> Power | None:
        return _as_power(self.reading(name))

    def skew_s(self, *names: str) -> float:
        times = [found.reading.at for name in names if (found := self.latest.get(name))]
        return (max(times) - min(times)) / 1000 if times else 0.0


def _as_power(reading: Reading | None) -> Power | None:
    if reading is None or not isinstance(reading.value, int | float):
        return None
    return Power(reading.value, reading.quality, reading.source)


def _reading(signal: str, power: Power | None, at: UtcMs) -> Reading:
    if power is None:
        return Reading(signal, None, at, Quality.DERIVED, "derive")
    return Reading(signal, round(power.watts), at, power.quality, power.method)
