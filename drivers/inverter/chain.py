"""The SunSpec map of a device: where it is, and the chain of models in it.

Devices end their chains in many ways, list models in any order and skip none of the traps; see `_walk`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from drivers.inverter.faults import Closed, ExceptionReply, Garbled, LinkFault, NoInverter, NotFound, ShortReply, Silent
from drivers.inverter.modbus import MAX_COUNT, Link, Space
from drivers.inverter.points import INVERTERS
from drivers.inverter.registers import WORD

UNITS = (1, 126, 3, 2, 71, 247, 200, 240)
"""The unit numbers that inverters usually have, most usual first."""

_MARKER = [0x5375, 0x6E53]  # "SunS"
_BASES = (40000, 0, 50000)
_SHIFTED_BASES = (40001, 1, 50001)  # some gateways count from one
_LAST_ADDRESS = 65535
_MAX_MODELS = 64
_MAX_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Block:
    """One model of the chain: its ID, the address of the register that holds it, and the length of its body."""

    id: int
    address: int
    length: int


@dataclass(frozen=True, slots=True)
class Chain:
    """The models of one unit. `complete` says that the end marker was seen; else the map just stopped."""

    unit: int
    base: int
    blocks: tuple[Block, ...]
    complete: bool

    @property
    def end(self) -> int:
        """The address right behind the last model."""
        last = self.blocks[-1] if self.blocks else None
        return last.address + 2 + last.length if last else self.base + 2

    def first(self, wanted: Collection[int]) -> Block | None:
        """Return the first model whose ID is wanted: devices repeat IDs, and the first is their own."""
        return next((block for block in self.blocks if block.id in wanted), None)


async def _header(link: Link, unit: int, address: int) -> tuple[int, int] | None:
    """Return ID and length at `address`, or None where the map stops. A lone end marker is (0xFFFF, 0)."""
    if address >= _LAST_ADDRESS:
        return None
    try:
        number, length = await link.read(Space.HOLDING, unit, address, 2)
    except (ExceptionReply, ShortReply):
        # some devices hold only the first word of the end marker, and refuse to read past it
        try:
            (number,) = await link.read(Space.HOLDING, unit, address, 1)
        except ExceptionReply:
            return None
        return (WORD, 0) if number == WORD else None
    return number, length


async def _walk(link: Link, unit: int, base: int) -> Chain:
    blocks: list[Block] = []
    address = base + 2
    while True:
        header = await _header(link, unit, address)
        if header is None or header[0] == 0:
            return Chain(unit, base, tuple(blocks), complete=False)
        number, length = header
        if number == WORD:
            return Chain(unit, base, tuple(blocks), complete=True)
        if length > _MAX_LENGTH or len(blocks) >= _MAX_MODELS or address + 1 + length > _LAST_ADDRESS:
            raise Garbled
        blocks.append(Block(number, address, length))
        address += 2 + length


async def find(link: Link, unit: int, *, patient: bool) -> Chain:
    """Return the chain of `unit`; raise `NotFound` when it answers without one, or the fault of the link.

    A silence at one place may mean that only that place is not answered, so the others are tried, unless not `patient`.
    """
    faults: list[LinkFault] = []
    answered = False
    for base in (*_BASES, *_SHIFTED_BASES):
        if base == _SHIFTED_BASES[0] and not answered:
            break
        try:
            words = await link.read(Space.HOLDING, unit, base, 2)
        except (Silent, Closed, ExceptionReply, ShortReply) as fault:
            faults.append(fault)
            answered = answered or not fault.absent
            if not patient and isinstance(fault, Silent):
                break
            continue
        answered = True
        if words == _MARKER:
            return await _walk(link, unit, base)
    # a gateway that says that nobody answers behind it is no device without SunSpec
    absence = next((fault for fault in faults if isinstance(fault, ExceptionReply) and fault.absent), None)
    if answered and absence is None:
        raise NotFound
    raise absence or faults[-1]


async def locate(link: Link, units: Sequence[int], *, patient: bool) -> Chain:
    """Return the chain of the first of `units` that has an inverter in it; raise the most telling fault if none has.

    `patient` is as for `find`.
    """
    telling: LinkFault | None = None
    for unit in units:
        try:
            chain = await find(link, unit, patient=patient)
        except (Silent, Closed, ExceptionReply, NotFound) as fault:
            if telling is None or (telling.absent and not fault.absent):
                telling = fault
            continue
        if chain.first(INVERTERS):
            return chain
        telling = NoInverter()
    assert telling is not None
    raise telling


async def still_there(link: Link, chain: Chain) -> bool:
    """Tell, with three small reads, whether the device still has this chain."""
    last = chain.blocks[-1]
    try:
        head = await link.read(Space.HOLDING, chain.unit, chain.base, 3)
        if head != [*_MARKER, chain.blocks[0].id]:
            return False
        if await _header(link, chain.unit, last.address) != (last.id, last.length):
            return False
    except ExceptionReply:
        return False
    end = await _header(link, chain.unit, chain.end)
    return (end is not None and end[0] == WORD) if chain.complete else (end is None or end[0] == 0)


class Keeper:
    """Remembers the longest chain seen. A half-awake inverter shows a shorter one: it counts only when seen twice."""

    def __init__(self) -> None:
        self.chain: Chain | None = None
        self._shorter: Chain | None = None

    def keep(self, found: Chain) -> Chain:
        """Return the chain to go on with, after a scan that gave `found`."""
        if self.chain is None or len(found.blocks) >= len(self.chain.blocks) or found == self._shorter:
            self.chain, self._shorter = found, None
        else:
            self._shorter = found
        return self.chain


async def read_block(link: Link, unit: int, block: Block, size: int) -> list[int]:
    """Return the first `size` registers of a model, its ID and length included.

    Raise `Garbled` unless they are those of the block: so an answer to another question is never taken for this one.
    """
    size = min(size, 2 + block.length)
    words: list[int] = []
    while len(words) < size:
        count = min(MAX_COUNT, size - len(words))
        words += await link.read(Space.HOLDING, unit, block.address + len(words), count)
        if words[:2] != [block.id, block.length]:
            raise Garbled
    return words
