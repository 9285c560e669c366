"""From the name of a family to an inverter being read."""

from __future__ import annotations

from drivers.inverter.chain import Keeper
from drivers.inverter.families import choose
from drivers.inverter.modbus import Link
from drivers.inverter.regmap import open_registers, read_map
from drivers.inverter.sample import Session
from drivers.inverter.sunspec import open_session


async def open_inverter(link: Link, unit: int | None, model: str, keeper: Keeper | None = None) -> Session:
    """Return the inverter of the family `model` behind `link`; without a unit, at the family's usual ones.

    Raise `LinkFault` when there is none, `Misconfigured` for an unknown family. `keeper`: see `sunspec.open_session`.
    """
    family = choose(model)
    if family.map is None:
        return await open_session(link, unit, keeper)
    return await open_registers(link, family.unit if unit is None else unit, family.name, read_map(family.map))
