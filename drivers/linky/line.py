"""The serial line itself: opening, reading, changing speed. The only importer of pyserial in this room.

Always eight bits without parity, raw: the meter's even parity then stays in bit 7, where the decoder checks it. A port
opened 7E1 would neither report a parity error nor work on the small UART of a Raspberry Pi.
"""

from __future__ import annotations

import contextlib
import termios

import serial

from drivers.linky import ports

_BLOCK_S = 0.25  # how long a read waits for the first byte
_MOST = 4096


def is_network(port: str) -> bool:
    """Tell whether a port is a URL (`tcp://host:port`, `rfc2217://host:port`) and not a device."""
    return "://" in port


class Line:
    """An open port. Every method may raise OSError (pyserial's errors are OSErrors) when the device goes away."""

    def __init__(self, port: str, speed: int) -> None:
        self.port = port
        self._serial = _open(port, speed)
        self.by_socket = port.startswith("tcp://")
        """Whether the far end has a speed of its own, which cannot be set from here."""
        if not is_network(port):
            ports.quicken(port)

    def read(self) -> bytes:
        """Return what has come, waiting at most a quarter of a second for the first byte."""
        if not self.by_socket:
            return bytes(self._serial.read(self._serial.in_waiting or 1))
        first = bytes(self._serial.read(1))
        if not first:
            return b""
        # A socket does not tell how much is waiting: take what is there without waiting.
        self._serial.timeout = 0
        rest = bytes(self._serial.read(_MOST))
        self._serial.timeout = _BLOCK_S
        return first + rest

    def set_speed(self, speed: int) -> None:
        """Change the speed; what came at the former one is thrown away. A TCP bridge has a speed of its own."""
        if not self.by_socket:
            try:
                self._serial.baudrate = speed
                self._serial.reset_input_buffer()
            except termios.error as error:  # not an OSError, though it says the same
                raise OSError(*error.args) from None

    def close(self) -> None:
        """Close the port, which may be gone already."""
        with contextlib.suppress(OSError, termios.error):
            self._serial.close()


def _open(port: str, speed: int) -> serial.Serial:
    if is_network(port):
        url = port.replace("tcp://", "socket://", 1)
        return serial.serial_for_url(url, baudrate=speed, timeout=_BLOCK_S)
    return serial.Serial(port, speed, timeout=_BLOCK_S, exclusive=True)
