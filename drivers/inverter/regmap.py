"""Inverters with registers of their maker's own: the map is data (`models/*.toml`), the reading is here, read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from drivers.inverter.faults import ExceptionReply, WrongModel
from drivers.inverter.modbus import Link, Space
from drivers.inverter.points import NOT_IMPLEMENTED, Device, Found
from drivers.inverter.registers import SIZES, Type, decode, scaled, text, tidy, unsigned
from drivers.inverter.sample import Sample, doubt
from gateway.reading import Value

Words = Mapping[int, int]
"""Registers by wire address."""


@dataclass(frozen=True, slots=True)
class MapPoint:
    """One number: its wire address, type, power of ten, and the raw values that mean "none" besides the type's own."""

    at: int
    type: Type
    scale: int = 0
    absent: tuple[int, ...] = ()

    @property
    def span(self) -> range:
        """The addresses it takes."""
        return range(self.at, self.at + SIZES[self.type])

    def take(self, words: Words, order: Literal["big", "little"]) -> float | int | None:
        """Return the number, or None when it is absent or was not read."""
        raw = [words[at] for at in self.span if at in words]
        if len(raw) < len(self.span):
            return None
        if order == "little":
            raw.reverse()
        if unsigned(raw) in self.absent:
            return None
        number = decode(self.type, raw, positive=self.type not in (Type.INT16, Type.INT32))
        return None if number is None else scaled(number, self.scale)


@dataclass(frozen=True, slots=True)
class MapSignal:
    """One signal: a number, or the product of several (volts by amperes)."""

    signal: str
    factors: tuple[MapPoint, ...]


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """The registers of one family.

    `rated` is the nameplate power in W: a device without a sensible one is not of this family. `serial` is the first
    register and the length of the serial number. One request asks for at most `most` registers, and skips no more than
    `gap` unused ones.
    """

    manufacturer: str
    space: Space
    word_order: Literal["big", "little"]
    rated: MapPoint
    serial: tuple[int, int]
    signals: tuple[MapSignal, ...]
    most: int
    gap: int

    def requests(self) -> list[range]:
        """Return the address ranges to read, in order."""
        ranges: list[range] = []
        for span in sorted((point.span for one in self.signals for point in one.factors), key=lambda one: one.start):
            last = ranges[-1] if ranges else None
            if last and span.start - last.stop <= self.gap and span.stop - last.start <= self.most:
                ranges[-1] = range(last.start, max(last.stop, span.stop))
            else:
                ranges.append(span)
        return ranges


def _point(raw: Mapping[str, Any]) -> MapPoint:
    return MapPoint(raw["at"], Type(raw["type"]), raw.get("scale", 0), tuple(raw.get("absent", ())))


def read_map(raw: Mapping[str, Any]) -> RegisterMap:
    """Return the map in the `[map]` table of a family file; a missing key raises KeyError, a wrong type ValueError."""
    return RegisterMap(
        manufacturer=raw["manufacturer"],
        space=Space(raw["space"]),
        word_order="little" if raw["word_order"] == "little" else "big",
        rated=_point(raw["rated"]),
        serial=(raw["serial"]["at"], raw["serial"]["words"]),
        signals=tuple(
            MapSignal(one["signal"], tuple(_point(factor) for factor in one.get("product", [one])))
            for one in raw["signal"]
        ),
        most=raw.get("most", 100),
        gap=raw.get("gap", 0),
    )


class RegisterSession:
    """One inverter read by its maker's map."""

    def __init__(self, link: Link, unit: int, model: str, registers: RegisterMap) -> None:
        self._link = link
        self._map = registers
        self._rated_w = 0.0
        self.unit = unit
        self.model = model
        self.device = Device(registers.manufacturer, None, None)

    async def _read(self, span: Sequence[int]) -> dict[int, int]:
        words = await self._link.read(self._map.space, self.unit, span[0], len(span))
        return dict(zip(span, words, strict=True))

    async def resume(self) -> None:
        """Read the nameplate and the serial number: they tell whether this is the family at all."""
        try:
            plate = await self._read(self._map.rated.span)
            first, count = self._map.serial
            serial = await self._read(range(first, first + count))
        except ExceptionReply as reply:
            if reply.absent or reply.busy:
                raise
            raise WrongModel(self.model) from None
        rated = self._map.rated.take(plate, self._map.word_order)
        if not rated or doubt("pv.power", rated):
            raise WrongModel(self.model)
        self._rated_w = rated
        self.device = Device(self._map.manufacturer, None, text(list(serial.values())))

    async def poll(self) -> Sample:
        """Read every signal of the map; a refused range leaves its signals out."""
        words: dict[int, int] = {}
        for span in self._map.requests():
            try:
                words |= await self._read(span)
            except ExceptionReply as reply:
                if reply.absent or reply.busy:
                    raise
        values: dict[str, Value] = {}
        missing: dict[str, str] = {}
        for one in self._map.signals:
            found = self._take(one, words)
            if found.value is None:
                missing[one.signal] = found.reason
            else:
                values[one.signal] = tidy(found.value)
        derived = frozenset(one.signal for one in self._map.signals if len(one.factors) > 1)
        return Sample(values, missing, derived & values.keys(), rated_w=self._rated_w)

    def _take(self, one: MapSignal, words: Words) -> Found:
        product: float | int = 1
        for point in one.factors:
            number = point.take(words, self._map.word_order)
            if number is None:
                return Found(None, NOT_IMPLEMENTED)
            product *= number
        if one.signal == "pv.energy" and product == 0:
            return Found(None, NOT_IMPLEMENTED)  # a lifetime of zero is what a half-awake device says
        reason = doubt(one.signal, product, self._rated_w if one.signal == "pv.power" else None)
        return Found(None, reason) if reason else Found(product)


async def open_registers(link: Link, unit: int, model: str, registers: RegisterMap) -> RegisterSession:
    """Return the inverter at `unit` if it is of this family; raise `WrongModel` or the fault of the link."""
    session = RegisterSession(link, unit, model, registers)
    await session.resume()
    return session
