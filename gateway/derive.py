"""What follows from what was measured: active power, home use, balances. No I/O, no clock.

How active power is made of index steps is told in `gateway.power`.

Signs: all flows are >= 0. `home = pv + import - export + discharge - charge`. When that sum is below zero (the meter
and the inverter are read some seconds apart), home is 0 and `balance.unexplained.power = home - sum` (>= 0) shows what
is missing: sources + unexplained = uses, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.bus import Latest
from gateway.clock import UtcMs
from gateway.power import ZERO, IndexPower, MeanCheck, Power
from gateway.reading import Quality, Reading, Value
from gateway.signals import find, split_device

_RESET_WH = 100  # more than 36 kVA brings in the 10 s between two polls of an inverter


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
_SURE_W, _SURE_SHARE = 30.0, 0.1


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
    home = max(0.0, total)
    half = sum(part.half_w for part in known)
    exact = all(part.quality in (Quality.DERIVED, Quality.MEASURED) for part in known)
    sure = exact and flows.skew_s <= _SKEW_FOR_DERIVED_S and not _may_export_unseen(flows)
    # The small difference of two large flows inherits the doubt of both: 100 W ± 60 W is no figure to show as sure.
    quality = Quality.DERIVED if sure and half <= max(_SURE_W, _SURE_SHARE * home) else Quality.ESTIMATED
    return Balance(Power(home, quality, f"derive:balance(skew {flows.skew_s:.0f} s)", half), home - total)


def _may_export_unseen(flows: Flows) -> bool:
    """Tell whether power may leave the home that the meter does not count: home use is then at most what is made."""
    drawn = flows.grid_import
    return flows.has_pv and not flows.has_export and drawn is not None and drawn.method == ZERO


_SUMMED = ("pv.power", "pv.energy", "battery.charge.power", "battery.discharge.power")
_STALE_PERIODS = 3


class Derivation:
    """Keeps what the derived signals need, and says them anew when an input changes."""

    def __init__(self, inverters: Iterable[str] = (), *, has_battery: bool = False) -> None:
        self._inverters = tuple(inverters)
        self._has_battery = has_battery
        self._import = _Direction("import")
        self._export = _Direction("export")
        self._home_energy: float | None = None

    def take(self, reading: Reading) -> bool:
        """Take one measured reading; return True when the derived signals are to be said anew because of it."""
        name, value = reading.signal, reading.value
        if isinstance(value, str) or value is None:
            return split_device(name)[0] in _SUMMED
        if self._import.take(name, reading.at, value) or self._export.take(name, reading.at, value):
            return True
        return split_device(name)[0] in _SUMMED

    def derived(self, latest: Mapping[str, Latest], at: UtcMs, monotonic: float) -> list[Reading]:
        """Return every derived reading at `at`; a value that cannot be made is there as None."""
        known = _Known(latest, monotonic)
        readings = [self._sum(name, known, at) for name in _SUMMED] if len(self._inverters) > 1 else []
        pv_total = next((one for one in readings if one.signal == "pv.power"), None)
        pv_energy = next((one for one in readings if one.signal == "pv.energy"), None)
        has_export = known.ever("grid.export.energy")
        grid_import, grid_export = self._import.now(known, at), self._export.now(known, at)
        readings += self._import.readings(grid_import, at)
        if has_export:
            readings += self._export.readings(grid_export, at)
        readings.append(_power_factor(grid_import, self._import, grid_export, self._export, at))
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


class _Direction:
    """The active power of one direction of the grid, and the check of it against the meter's own means."""

    def __init__(self, way: str) -> None:
        self._name = f"grid.{way}"
        self._power = IndexPower()
        self._check = MeanCheck()
        self._difference: float | None = None
        self._has_news = False

    def take(self, name: str, at: UtcMs, value: float) -> bool:
        """Take a reading; return whether this direction is to be said anew."""
        if name == f"{self._name}.energy":
            # not yet: the apparent power of the same frame, or the frame's end, comes within a second
            self._power.index(at, value)
            return False
        if name == f"{self._name}.apparent_power":
            self._power.apparent(at, value)
        elif name == f"{self._name}.mean_power":
            self._difference, self._has_news = self._check.compare(at, value), True
        else:
            return False
        return True

    def now(self, known: _Known, at: UtcMs) -> Power | None:
        """Return the power of now, None while the meter is silent."""
        heard = known.fresh(f"{self._name}.energy", f"{self._name}.apparent_power")
        power = self._power.estimate() if heard else None
        self._check.see(at, power.watts if power else None)
        return power

    def factor(self) -> float | None:
        """Return the power factor learnt at about the present load."""
        return self._power.power_factor

    def readings(self, power: Power | None, at: UtcMs) -> list[Reading]:
        """Return the power with its uncertainty, and the check when there is a new one."""
        name, half = f"{self._name}.power", round(power.half_w) if power else None
        quality = power.quality if power else Quality.DERIVED
        made = [
            _reading(name, power, at),
            Reading(f"{name}.uncertainty", half, at, quality, power.method if power else "derive"),
        ]
        if self._has_news:
            self._has_news = False
            difference = None if self._difference is None else round(self._difference)
            made.append(Reading(f"{self._name}.mean_power.check.net", difference, at, Quality.DERIVED, "derive:mean"))
        return made


def _power_factor(
    drawn: Power | None, importing: _Direction, sent: Power | None, exporting: _Direction, at: UtcMs
) -> Reading:
    """Return the power factor at the meter: of the direction that flows, None until it was learnt."""
    way = importing if drawn and drawn.watts else exporting if sent and sent.watts else None
    factor = way.factor() if way else None
    return Reading(
        "grid.power_factor", None if factor is None else round(factor, 2), at, Quality.DERIVED, "derive:index-steps"
    )


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
