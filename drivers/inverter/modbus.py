"""Modbus, behind one small door: the only importer of pymodbus.

`Link.read` returns registers or raises a `LinkFault`. What pymodbus leaves to its users is done here: the length of
each answer is checked, an exception reply becomes an error, a serial line is closed and left to fall quiet after each
silence (its answers carry no number: a late one would pass for the next), and nothing is logged. `RegisterServer` is
the other end, for the simulator.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from drivers.inverter.address import Address
from drivers.inverter.faults import (
    Closed,
    ExceptionReply,
    LinkFault,
    NoPort,
    PortBusy,
    Refused,
    ShortReply,
    Silent,
    Unreachable,
)
from gateway.errors import Misconfigured, Text

# pymodbus writes its last twenty frames at each error; the box says what matters itself, once
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

MAX_COUNT = 125
"""The most registers that one Modbus request may ask for."""

_TIMEOUT_S = 2.5
_RETRIES = 1
_BUSY_PAUSE_S = 0.5
_LONGEST_FRAME_BITS = 11 * 260


class Space(StrEnum):
    """The two register spaces that hold measurements."""

    HOLDING = "holding"
    INPUT = "input"


class Link(Protocol):
    """A way to one or several devices. One request is in flight at a time."""

    async def read(self, space: Space, unit: int, address: int, count: int) -> list[int]:
        """Return `count` registers (1..125), each 0..65535, from the wire address `address`; raise `LinkFault`."""
        ...

    async def close(self) -> None:
        """Give the way back; it closes when the last user has done so."""
        ...


class _Line:
    """One TCP connection or serial port, opened when first needed and after each fault."""

    def __init__(self, address: Address, timeout_s: float, retries: int) -> None:
        self._address = address
        self._timeout = timeout_s
        if address.transport == "rtu":
            self._timeout = max(timeout_s, 1.0 + _LONGEST_FRAME_BITS / address.baud)
        self._retries = retries
        self._rtu = address.framer == "rtu"
        self._framer_known = address.framer != "auto"
        self._lock = asyncio.Lock()
        self._client: AsyncModbusTcpClient | AsyncModbusSerialClient | None = None
        self._cause: OSError | None = None
        self._quiet_until = 0.0
        self.users = 0

    async def read(self, space: Space, unit: int, address: int, count: int) -> list[int]:
        async with self._lock:
            for left in range(self._retries, -1, -1):
                try:
                    return await self._once(space, unit, address, count)
                except (Silent, Closed, ShortReply):
                    if not left:
                        self._drop()
                        raise
                    self._try_other_framer()
                except ExceptionReply as reply:
                    if not left or not reply.busy:
                        raise
                    await asyncio.sleep(_BUSY_PAUSE_S)
        raise AssertionError("the last try returns or raises")

    async def _once(self, space: Space, unit: int, address: int, count: int) -> list[int]:
        client = await self._connected()
        ask = client.read_holding_registers if space is Space.HOLDING else client.read_input_registers
        try:
            reply = await ask(address, count=count, device_id=unit)
        except ModbusException:
            open_still = client.connected
            if self._rtu or not open_still:
                self._drop()
            where = self._address.where
            raise Silent(where) if open_still else Closed(where) from None
        except asyncio.CancelledError:
            # nobody will fetch the answer under way: on a line without numbers it would pass for the next
            if self._rtu:
                self._drop()
            raise
        self._framer_known = True  # whatever it says, it was understood
        if reply.isError():
            raise ExceptionReply(self._address.where, reply.exception_code)
        if len(reply.registers) != count:
            self._drop()
            raise ShortReply(self._address.where, len(reply.registers), count)
        return list(reply.registers)

    def _try_other_framer(self) -> None:
        """Before anything ever answered, the next try speaks the other way of framing over TCP."""
        if not self._framer_known:
            self._drop()
            self._rtu = not self._rtu
            self._quiet_until = 0.0

    async def _connected(self) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        if self._client is not None and self._client.connected:
            return self._client
        if self._client is not None:
            self._drop()
        await asyncio.sleep(max(0.0, self._quiet_until - asyncio.get_running_loop().time()))
        client = self._make()
        self._cause = None
        try:
            opened = await client.connect()
        except BaseException:
            client.close()
            raise
        if not opened:
            client.close()
            raise self._explain(self._cause)
        self._client = client
        return client

    def _make(self) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        common: dict[str, Any] = {"timeout": self._timeout, "retries": 0, "reconnect_delay": 0}
        one = self._address
        client: AsyncModbusTcpClient | AsyncModbusSerialClient
        if one.transport == "rtu":
            client = AsyncModbusSerialClient(
                one.device, baudrate=one.baud, parity=one.parity, stopbits=one.stop_bits, **common
            )
        else:
            framer = FramerType.RTU if self._rtu else FramerType.SOCKET
            client = AsyncModbusTcpClient(one.host, port=one.port, framer=framer, **common)
        create = client.ctx.call_create

        async def remember_why() -> Any:
            # connect() only says False; the reason decides what the person is told
            try:
                return await create()
            except OSError as error:
                self._cause = error
                raise

        client.ctx.call_create = remember_why
        return client

    def _explain(self, cause: OSError | None) -> LinkFault | Misconfigured:
        where = self._address.where
        if self._address.transport == "tcp":
            return Refused(where) if isinstance(cause, ConnectionRefusedError) else Unreachable(where)
        number = cause.errno if cause else None
        if number in (errno.EACCES, errno.EPERM):
            return Misconfigured(
                Text(f"Le port {where} est interdit à Foyer.", f"Foyer may not open the port {where}."),
                Text(
                    "Ajoutez l’utilisateur foyer au groupe dialout, puis relancez.",
                    "Add the user foyer to the group dialout, then start again.",
                ),
            )
        return NoPort(where) if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) else PortBusy(where)

    def _drop(self) -> None:
        if self._client is None:
            return
        self._client.close()
        self._client = None
        if self._rtu:
            self._quiet_until = asyncio.get_running_loop().time() + self._timeout

    async def shut(self) -> None:
        self._drop()
        await asyncio.sleep(0)  # lets the event loop finish with the closed socket


_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Line]] = WeakKeyDictionary()


class _User:
    """One user's share of a line."""

    def __init__(self, line: _Line, lines: dict[str, _Line], where: str) -> None:
        self._line = line
        self._lines = lines
        self._where = where
        self._open = True
        line.users += 1

    async def read(self, space: Space, unit: int, address: int, count: int) -> list[int]:
        return await self._line.read(space, unit, address, count)

    async def close(self) -> None:
        if not self._open:
            return
        self._open = False
        self._line.users -= 1
        if not self._line.users:
            self._lines.pop(self._where, None)
            await self._line.shut()


def open_link(address: Address, *, timeout_s: float = _TIMEOUT_S, retries: int = _RETRIES) -> Link:
    """Return a way to `address`; nothing is opened before the first read. Call it inside the event loop.

    Two users of one TCP endpoint or serial port share one line: many inverters accept a single connection, and two
    units may stand on one serial bus. `timeout_s` holds for each try; `retries` is how often a silence is retried.
    """
    lines = _lines.setdefault(asyncio.get_running_loop(), {})
    line = lines.get(address.where)
    if line is None:
        line = lines[address.where] = _Line(address, timeout_s, retries)
    return _User(line, lines, address.where)


Image = Mapping[int, Sequence[int]]
"""Registers by the wire address of the first of each run; what is in no run answers exception 2."""


class RegisterServer:
    """A device that serves registers, over TCP or on a serial line: the other end, for the simulator.

    `image` is called at each request; its runs must keep their places and lengths. The public attributes spoil the
    answers: `silent` swallows them, `exception` replies with that code, `cut` leaves out that many registers,
    `delay_s` makes them late.
    """

    def __init__(
        self,
        image: Callable[[], Image],
        *,
        unit: int = 1,
        address: str = "127.0.0.1",
        port: int = 0,
        device: str | None = None,
        rtu_frames: bool = False,
    ) -> None:
        self._image = image
        self._unit = unit
        self._address = address
        self._port = port
        self._device = device
        self._rtu_frames = rtu_frames
        self._server: Any = None
        self.silent = False
        self.exception: int | None = None
        self.cut = 0
        self.delay_s = 0.0
        self.requests = 0
        self.connections = 0

    @property
    def listening(self) -> bool:
        """Whether the port is open."""
        return self._server is not None

    async def start(self) -> int:
        """Open the port; return its number (0 on a serial line). A second start takes the same number again."""
        from pymodbus.server import ModbusSerialServer, ModbusTcpServer  # noqa: PLC0415 - the gateway never serves
        from pymodbus.simulator import DataType, SimData, SimDevice  # noqa: PLC0415 - the gateway never serves

        runs = [SimData(start, values=list(words), datatype=DataType.REGISTERS) for start, words in self._runs()]
        device = SimDevice(self._unit, runs, action=self._refresh)
        hooks: dict[str, Any] = {
            "trace_pdu": self._cut,
            "trace_packet": self._swallow,
            "trace_connect": self._count_connection,
        }
        if self._device is not None:
            self._server = ModbusSerialServer(device, port=self._device, baudrate=9600, **hooks)
        else:
            framer = FramerType.RTU if self._rtu_frames else FramerType.SOCKET
            self._server = ModbusTcpServer(device, address=(self._address, self._port), framer=framer, **hooks)
        await self._server.serve_forever(background=True)
        if self._device is None:
            self._port = self._server.transport.sockets[0].getsockname()[1]
        return self._port

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.shutdown()
            await asyncio.sleep(0)

    def _runs(self) -> list[tuple[int, Sequence[int]]]:
        return sorted(self._image().items())

    async def _refresh(
        self, function: int, start: int, address: int, count: int, registers: list[int], values: list[Any] | None
    ) -> Any:
        from pymodbus.constants import ExcCodes  # noqa: PLC0415 - the gateway never serves

        del function, address, count, values
        self.requests += 1
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        for first, words in self._runs():
            registers[first - start : first - start + len(words)] = words
        return None if self.exception is None else ExcCodes(self.exception)

    def _cut(self, sending: bool, pdu: Any) -> Any:
        if sending and self.cut and not pdu.isError():
            pdu.registers = pdu.registers[: -self.cut]
        return pdu

    def _swallow(self, sending: bool, data: bytes) -> bytes:
        return b"" if sending and self.silent else data

    def _count_connection(self, connected: bool) -> None:
        self.connections += 1 if connected else -1
