"""The SunSpec family: most inverters sold in France, over Modbus TCP or RS485, read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from drivers.inverter import points
from drivers.inverter.chain import UNITS, Block, Chain, Keeper, find, locate, read_block, still_there
from drivers.inverter.faults import ExceptionReply, NoInverter
from drivers.inverter.modbus import MAX_COUNT, Link
from drivers.inverter.points import Found, Module
from drivers.inverter.registers import tidy
from drivers.inverter.sample import HYBRID, Sample, doubt
from gateway.reading import Value

NAME = "sunspec"

_COMMON_SIZE = 68
_NAMEPLATE_SIZE = 28


@dataclass(slots=True)
class _Collector:
    """Sorts what was found into values and reasons."""

    values: dict[str, Value] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, found: Found, rated_w: float | None = None) -> None:
        if found.value is None:
            self.missing[name] = found.reason
        elif reason := doubt(name, found.value, rated_w):
            self.missing[name] = reason
        else:
            self.values[name] = tidy(found.value)


def _sum(found: Sequence[Found]) -> Found:
    """Return the sum of what is known; unused inputs measure nothing and count for nothing."""
    known = [one.value for one in found if one.value is not None]
    return Found(sum(known)) if known else Found(None, HYBRID)


class SunspecSession:
    """One SunSpec inverter. `unit` is the one it was found at."""

    model = NAME

    def __init__(self, link: Link, chain: Chain, keeper: Keeper) -> None:
        self._link = link
        self._chain = chain
        self._keeper = keeper
        self._nameplate = points.Nameplate(None, hybrid=False)
        self.unit = chain.unit
        self.device = points.Device(None, None, None)

    async def identify(self) -> None:
        """Read who the device is, and its nameplate where it has one: they do not change while it runs."""
        inverter = self._inverter()
        before = [one for one in self._chain.blocks if one.id == points.COMMON and one.address < inverter.address]
        if before:
            # meters further along have a model 1 of their own: the inverter's is the last before its model
            self.device = points.common(await self._read(before[-1], _COMMON_SIZE))
        plate = self._chain.first((points.NAMEPLATE,))
        if plate:
            try:
                self._nameplate = points.nameplate(await self._read(plate, _NAMEPLATE_SIZE))
            except ExceptionReply:
                self._nameplate = points.Nameplate(None, hybrid=False)

    async def resume(self) -> None:
        """Go on with the known chain when the device still has it; else look at it again."""
        if await still_there(self._link, self._chain):
            return
        found = await find(self._link, self.unit, patient=True)
        if not found.first(points.INVERTERS):
            raise NoInverter
        self._chain = self._keeper.keep(found)
        await self.identify()

    async def poll(self) -> Sample:
        """Read the inverter model and its DC inputs: two requests, most often."""
        block = self._inverter()
        inverter = points.inverter(await self._read(block, points.INVERTER_SIZE[block.id]))
        modules = await self._modules()
        rated = self._nameplate.rated_w
        into = _Collector()
        derived: frozenset[str] = frozenset()
        if self._nameplate.hybrid:
            # the AC side of a hybrid is panels plus or minus battery: only the panels' own inputs tell the sun
            panels = [one for one in modules if not one.battery]
            into.add("pv.power", _sum([one.power for one in panels]))
            into.add("pv.energy", _sum([one.energy for one in panels if one.energy.value]))
            derived = frozenset({"pv.power", "pv.energy"})
        else:
            into.add("pv.power", inverter.power, rated)
            into.add("pv.energy", inverter.energy)
        for module in modules:
            if not module.battery:
                into.add(f"pv.dc.power.{module.number}", module.power)
        known = None if inverter.state is None else points.STATES.get(inverter.state)
        if known:
            into.values["pv.state"] = known[0]
        else:
            into.missing["pv.state"] = points.NOT_IMPLEMENTED
        return Sample(into.values, into.missing, derived, inverter.state, inverter.events, rated)

    def _inverter(self) -> Block:
        block = self._chain.first(points.INVERTERS)
        assert block is not None  # a chain without one is never kept
        return block

    async def _read(self, block: Block, size: int) -> list[int]:
        return await read_block(self._link, self.unit, block, size)

    async def _modules(self) -> list[Module]:
        block = self._chain.first((points.MPPT,))
        if block is None:
            return []
        try:
            words = await self._read(block, MAX_COUNT)
            count = points.module_count(words)
            needed = points.modules_end(count)
            if not count or needed <= len(words):
                return points.modules(words)
            whole = await self._read(block, needed)
        except ExceptionReply:
            return []  # a device that wakes up may show its inputs later than itself
        # the far inputs came in another request than the scale factors: they count if these did not move meanwhile
        again = await self._read(block, points.modules_end(0))
        return points.modules(whole if points.scales(again) == points.scales(whole) else words)


async def open_session(
    link: Link, unit: int | None, keeper: Keeper | None = None, *, patient: bool = True
) -> SunspecSession:
    """Return the inverter behind `link` at `unit`, or at the first usual unit; raise `LinkFault` if there is none.

    A `keeper` carries what is known of the device's chain from one session to the next. See `chain.find` for `patient`.
    """
    keeper = keeper or Keeper()
    units = UNITS if unit is None else (unit,)
    chain = keeper.keep(await locate(link, units, patient=patient and unit is not None))
    session = SunspecSession(link, chain, keeper)
    await session.identify()
    return session
