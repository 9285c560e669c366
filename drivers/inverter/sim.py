"""A simulated SunSpec inverter behind a real Modbus port, for the demonstration and the tests."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from drivers.inverter.modbus import RegisterServer
from drivers.inverter.points import INVERTERS_FLOAT, INVERTERS_INT, PRODUCING, SLEEPING
from gateway.clock import UtcMs

BASE = 40000

_LOOK_S = 0.5  # how often the inverter looks whether the sun woke it
_NA_INT, _NA_UINT, _NA_SCALE = 0x8000, 0xFFFF, 0x8000
_NA_FLOAT = 0x7FC0_0000
_PHASES = {101: 1, 102: 2, 103: 3, 111: 1, 112: 2, 113: 3}
_TRUSTED_POWER_FACTOR = 99


@dataclass(frozen=True, slots=True)
class InverterState:
    """What the simulated inverter measures: AC watts, Wh ever made, one voltage a phase, (volts, watts) a string."""

    at: UtcMs
    ac_w: float
    energy_wh: int
    voltage_v: tuple[float, ...]
    frequency_hz: float
    strings: tuple[tuple[float, float], ...]
    temperature_c: float
    awake: bool


class Fault(StrEnum):
    """What the simulated inverter can do wrong."""

    REFUSE = "refuse"
    SILENT = "silent"
    SHORT = "short"
    EXCEPTION = "exception"
    SENTINELS = "sentinels"


def _text(value: str, words: int) -> list[int]:
    raw = value.encode("latin-1")[: words * 2].ljust(words * 2, b"\0")
    return list(struct.unpack(f">{words}H", raw))


def _long(value: int) -> list[int]:
    return [value >> 16 & 0xFFFF, value & 0xFFFF]


def _real(value: float | None) -> list[int]:
    if value is None:
        return _long(_NA_FLOAT)
    return list(struct.unpack(">2H", struct.pack(">f", value)))


def _short(value: float) -> int:
    return max(-32767, min(32767, round(value))) & 0xFFFF


def _count(value: float) -> int:
    return max(0, min(65534, round(value)))


def common_model(manufacturer: str, model: str, serial: str) -> list[int]:
    """Return model 1, with its pad."""
    body = _text(manufacturer, 16) + _text(model, 16) + [0] * 8 + _text("1.0", 8) + _text(serial, 16) + [1, _NA_INT]
    return [1, len(body), *body]


def _phases(state: InverterState, count: int) -> tuple[list[float | None], list[float | None]]:
    """Return amperes and volts of three phases, None where there is none."""
    volts: list[float | None] = [*state.voltage_v[:count], None, None, None][:3]
    amps = [state.ac_w / count / one if one else None for one in volts]
    return amps, volts


def integer_model(number: int, state: InverterState) -> list[int]:
    """Return model 101, 102 or 103."""
    amps, volts = _phases(state, _PHASES[number])
    dc_w = sum(watts for _, watts in state.strings)
    dc_v = max((one for one, _ in state.strings), default=0.0)
    body = [
        _count(sum(one or 0 for one in amps) * 100),
        *(_NA_UINT if one is None else _count(one * 100) for one in amps),
        _short(-2),
        *[_NA_UINT] * 3,
        *(_NA_UINT if one is None else _count(one * 10) for one in volts),
        _short(-1),
        *[_short(state.ac_w), 0],
        *[_count(state.frequency_hz * 100), _short(-2)],
        *[_short(state.ac_w), 0],
        *[0, 0],
        *[_TRUSTED_POWER_FACTOR, 0],
        *_long(state.energy_wh & 0xFFFF_FFFF),
        0,
        *[_count(dc_w / dc_v * 100 if dc_v else 0), _short(-2)],
        *[_count(dc_v * 10), _short(-1)],
        *[_short(dc_w), 0],
        *[_short(state.temperature_c * 10), _NA_INT, _NA_INT, _NA_INT, _short(-1)],
        *[PRODUCING if state.awake else SLEEPING, _NA_UINT],
        *[0] * 12,
    ]
    return [number, len(body), *body]


def float_model(number: int, state: InverterState) -> list[int]:
    """Return model 111, 112 or 113."""
    amps, volts = _phases(state, _PHASES[number])
    dc_w = sum(watts for _, watts in state.strings)
    dc_v = max((one for one, _ in state.strings), default=0.0)
    reals: list[float | None] = [sum(one or 0 for one in amps), *amps, None, None, None, *volts]
    reals += [state.ac_w, state.frequency_hz, state.ac_w, 0.0, float(_TRUSTED_POWER_FACTOR), float(state.energy_wh)]
    reals += [dc_w / dc_v if dc_v else 0.0, dc_v, dc_w, state.temperature_c, None, None, None]
    body = [word for one in reals for word in _real(one)]
    body += [PRODUCING if state.awake else SLEEPING, _NA_UINT, *[0] * 12]
    return [number, len(body), *body]


def mppt_model(state: InverterState) -> list[int]:
    """Return model 160 with one module for each string."""
    body = [_short(-2), _short(-1), 0, 0, 0, 0, len(state.strings), _NA_UINT]
    for number, (volts, watts) in enumerate(state.strings, 1):
        body += [number, *_text(f"String {number}", 8)]
        body += [_count(watts / volts * 100 if volts else 0), _count(volts * 10), _count(watts)]
        body += [*_long(0), *_long(0xFFFF_FFFF), _short(state.temperature_c), PRODUCING if state.awake else SLEEPING]
        body += _long(0)
    return [160, len(body), *body]


class SunSpecServer:
    """A SunSpec inverter on a TCP port, or on a serial line when `device` names its end.

    Asleep (`awake` False) it closes its port, as inverters without a battery do. `inverter_model` is 101-103 or
    111-113. `fail` makes it misbehave. Start it inside the event loop.
    """

    def __init__(
        self,
        state: Callable[[], InverterState],
        address: str = "127.0.0.1",
        port: int = 0,
        unit: int = 1,
        manufacturer: str = "Foyer",
        model: str = "Simulateur 3 kW",
        serial: str = "DEMO-0001",
        inverter_model: int = 103,
        device: str | None = None,
    ) -> None:
        if inverter_model not in (*INVERTERS_INT, *INVERTERS_FLOAT):
            raise ValueError(f"no such inverter model: {inverter_model}")
        self._state = state
        self._names = (manufacturer, model, serial)
        self._inverter_model = inverter_model
        self._fault: Fault | None = None
        self._watch: asyncio.Task[None] | None = None
        self._switching = asyncio.Lock()
        self.server = RegisterServer(self.image, unit=unit, address=address, port=port, device=device)

    def image(self) -> dict[int, list[int]]:
        """Return the registers of this moment."""
        state = self._state()
        build = integer_model if self._inverter_model in INVERTERS_INT else float_model
        inverter = build(self._inverter_model, state)
        mppt = mppt_model(state)
        if self._fault is Fault.SENTINELS:
            inverter = self._nothing_measured(inverter)
            mppt[2:8] = [_NA_SCALE] * 4 + mppt[6:8]
        words = [0x5375, 0x6E53, *common_model(*self._names), *inverter, *mppt, 0xFFFF, 0]
        return {BASE: words}

    def _nothing_measured(self, inverter: list[int]) -> list[int]:
        body = [_NA_INT] * 50 if self._inverter_model in INVERTERS_INT else _long(_NA_FLOAT) * 23 + [_NA_UINT] * 14
        if self._inverter_model in INVERTERS_INT:
            body[22:24] = [0, 0]
            body[36] = _NA_UINT
        return [*inverter[:2], *body]

    async def start(self) -> int:
        """Open the port; return its number."""
        port = await self.server.start()
        self._watch = asyncio.create_task(self._follow_the_sun())
        return port

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        await self.server.stop()

    async def fail(self, fault: Fault | None) -> None:
        """Misbehave from now on, or behave again with None."""
        self._fault = fault
        self.server.silent = fault is Fault.SILENT
        self.server.cut = 1 if fault is Fault.SHORT else 0
        self.server.exception = 4 if fault is Fault.EXCEPTION else None
        await self.settle()

    async def settle(self) -> None:
        """Open or close the port at once, as the state and the fault ask."""
        async with self._switching:
            wanted = self._state().awake and self._fault is not Fault.REFUSE
            if wanted and not self.server.listening:
                await self.server.start()
            elif not wanted and self.server.listening:
                await self.server.stop()

    async def _follow_the_sun(self) -> None:
        while True:
            await self.settle()
            await asyncio.sleep(_LOOK_S)
