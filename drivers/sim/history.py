"""The past of the simulated home, as the box would have stored it: one dict of signals a minute.

Signals are those that the drivers and the derivations publish for the meter at hand: supplier indexes by number (f01…)
in standard mode and by meaning (hc, blue_hp…) in historic mode, and nothing of injection where it is not counted: what
is sent then looks as if it were used at home. At night the panels make 0 W and their counter stands still. Now and then
the box was unplugged for some minutes: those minutes are missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from drivers.sim.day import Flow, HomeDay
from drivers.sim.noise import Dice
from drivers.sim.registers import MINUTE_MS, Counts, Registers
from gateway.clock import UtcMs

if TYPE_CHECKING:
    from drivers.sim.home import SimulatedHome

_DAY_MS = 86_400_000
_HOLE_DAYS = 100  # one hole in each hundred days of the calendar
_MJ_A_WATT_MINUTE = 60_000

Values = dict[str, float | int | str]


def minutes(home: SimulatedHome, registers: Registers, start: UtcMs, end: UtcMs) -> Iterator[tuple[UtcMs, Values]]:
    """Yield (start of the minute, values) from `start` up to `end`, both on whole minutes.

    Gauges are the mean of the minute, rounded so that home = solar + import - export still holds; counters are the
    registers at the start of the minute; states are text. `registers` must not be past `start`; they are settled at
    `end` afterwards, for the live devices to go on from. No minute is missing in the last day before `end`.
    """
    if registers.at > start or start % MINUTE_MS or end % MINUTE_MS:
        raise ValueError(f"cannot start at {start} from registers at {registers.at}")
    registers.advance(start)
    while registers.at < end:
        at = registers.at
        day, minute = registers.here()
        counts = registers.settled()
        flow = registers.step()
        if at >= end - _DAY_MS or not in_hole(home.seed, at):
            yield at, _values(home, day, minute, counts, flow)


def _values(home: SimulatedHome, day: HomeDay, minute: int, counts: Counts, flow: Flow) -> Values:
    pv, bought, sent = (round(energy / _MJ_A_WATT_MINUTE) for energy in (flow.pv_mj, flow.import_mj, flow.export_mj))
    voltage = day.terminal_voltage(minute, 0.5, bought - sent)
    counted = home.meter.counts_export
    index = day.index[minute]
    values: Values = {
        "grid.import.energy": counts.import_wh,
        **{f"grid.import.energy.{_name(home, n)}": wh for n, wh in enumerate(counts.indexes, 1)},
        "grid.import.apparent_power": round(flow.import_va),
        "grid.import.power": bought,
        "grid.current.l1": round((flow.import_va + flow.export_va) / voltage / home.meter.phases),
        "home.power": max(0, pv + bought - (sent if counted else 0)),
        "grid.tariff.period": home.tariff.period(index),
    }
    if home.option == "tempo":
        values["grid.tariff.today"] = home.tariff.period(index).partition("_")[0]
    if home.meter.mode == "standard":
        values["grid.voltage.l1"] = round(voltage)
    if counted:
        values["grid.export.energy"] = counts.export_wh
        values["grid.export.apparent_power"] = round(flow.export_va)
        values["grid.export.power"] = sent
    dc = (day.roof.dc_w[minute] + day.roof.dc_w[minute + 1]) / 2
    first, second = home.split(dc)
    values["pv.power"] = pv
    values["pv.energy"] = counts.pv_wh
    values["pv.dc.power.1"] = round(first)
    values["pv.dc.power.2"] = round(second)
    return values


def _name(home: SimulatedHome, number: int) -> str:
    """Return the name of a supplier index: its number in standard mode, its meaning in historic mode."""
    return f"f{number:02d}" if home.meter.mode == "standard" else home.tariff.period(number)


@lru_cache(maxsize=8)
def _hole(seed: int, number: int) -> range:
    dice = Dice(seed, "hole", number)
    start = (number * _HOLE_DAYS * 1440 + int(dice.between(0, (_HOLE_DAYS - 1) * 1440))) * MINUTE_MS
    return range(start, start + int(dice.between(9, 55)) * MINUTE_MS)


def in_hole(seed: int, at: UtcMs) -> bool:
    """Tell whether the box was unplugged at an instant."""
    return at in _hole(seed, at // (_HOLE_DAYS * _DAY_MS))
