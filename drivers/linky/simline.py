"""A Linky on a real pseudo-terminal, playing frames at the pace of the wire, with the faults of the field on demand."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import pty
import random
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from drivers.linky.sim import MeterState, historic_frame, is_over, short_frame, standard_frame, with_parity

_BYTES_PER_S = {"standard": 960, "historic": 120}  # ten bits a character
_PAUSE_S = 0.025  # between frames: 16.7 to 33.4 ms
_SHORT_FRAMES = 20  # between two long ones, while a phase of three is above its setting and for a minute after
_STILL_SHORT_MS = 60_000
_PIECE = 16  # bytes written at once, as an adapter would hand them over


class TicLine:
    """One simulated TIC output; `link` is a symbolic link to the port, as udev makes for an adapter.

    Anything may be set at any time: `states` (what the meter shows), `mode` (switched by the supplier), `parity` False
    (an adapter that strips bit 7), `silence` (carrier, but nothing said), `noise` (the chance of each bit to flip),
    `extra` (bytes said before the next frame), `before` (called with the line before each frame), `spoil` (what becomes
    of the bytes of a frame on their way), `unplug()` and `replug()` (the adapter goes, even amid a frame, and comes
    back).
    """

    def __init__(
        self,
        link: Path,
        state: Callable[[], MeterState],
        mode: Literal["standard", "historic"] = "standard",
        *,
        parity: bool = True,
    ) -> None:
        self.link = link
        self.mode: Literal["standard", "historic"] = mode
        self.parity = parity
        self.silence = False
        self.noise = 0.0
        self.extra = b""
        self.before: Callable[[TicLine], None] = lambda _: None
        self.spoil: Callable[[bytes], bytes] = bytes
        self.frames = 0
        self.written = 0
        self.states = state
        self._short_until = 0
        self._shorts = 0
        self._random = random.Random(0)  # noqa: S311 - noise must be the same in each run
        self._master = self._slave = -1
        self.replug()

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return self._master >= 0

    def replug(self) -> None:
        """Make the port (again)."""
        if self.plugged:
            return
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        fresh = self.link.with_name(f".{self.link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.link)

    def unplug(self) -> None:
        """Take the port away: whoever reads it sees the end of it."""
        if not self.plugged:
            return
        self.link.unlink(missing_ok=True)
        for descriptor in (self._slave, self._master):
            os.close(descriptor)
        self._master = self._slave = -1

    async def run(self) -> None:
        """Play until cancelled, then unplug."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                rate = _BYTES_PER_S[self.mode]
                said, self.extra = self.extra + self._frame(), b""
                for start in range(0, len(said), _PIECE):
                    piece = said[start : start + _PIECE]
                    due += len(piece) / rate
                    await asyncio.sleep(max(0.0, due - loop.time()))
                    self.say(piece)
                due = max(due, loop.time() - 1.0) + _PAUSE_S
                await asyncio.sleep(max(0.0, due - loop.time()))
        finally:
            self.unplug()

    def say(self, data: bytes) -> None:
        """Put bytes on the line now. Nobody listening is no obstacle: what nobody reads is lost, as on a wire."""
        if not self.plugged or self.silence:
            return
        self.written += len(data)
        try:
            os.write(self._master, self._damaged(data))
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            with contextlib.suppress(termios.error):
                termios.tcflush(self._slave, termios.TCIFLUSH)

    def _frame(self) -> bytes:
        self.before(self)
        self.frames += 1
        state = self.states()
        text = standard_frame(state) if self.mode == "standard" else self._historic(state)
        return self.spoil(with_parity(text) if self.parity else text)

    def _historic(self, state: MeterState) -> bytes:
        if len(state.voltage_v) > 1 and is_over(state):
            self._short_until = state.at + _STILL_SHORT_MS
        self._shorts = (self._shorts + 1) % (_SHORT_FRAMES + 1) if state.at < self._short_until else 0
        return short_frame(state) if self._shorts else historic_frame(state)

    def _damaged(self, data: bytes) -> bytes:
        if not self.noise:
            return data
        bits = 8 if self.parity else 7
        return bytes(byte ^ sum((self._random.random() < self.noise) << bit for bit in range(bits)) for byte in data)
