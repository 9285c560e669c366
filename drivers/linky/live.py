"""A port as a source of bytes, for the commands: finds the speed by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from drivers.linky.detect import SPEEDS, SpeedSeeker
from drivers.linky.frame import Decoder
from drivers.linky.group import Group
from drivers.linky.line import Line
from gateway.clock import Clock


def listen(port: str, clock: Clock) -> Iterator[bytes]:
    """Yield what the port says, for ever; nothing-heard yields too (empty), so that the caller can keep an eye on time.

    Raises OSError when the port cannot be opened or goes away.
    """
    decoder = Decoder()
    seeker = SpeedSeeker(clock.monotonic())
    with closing(Line(port, SPEEDS[0])) as line:
        while True:
            data = line.read()
            valid = sum(isinstance(event, Group) for event in decoder.feed(data))
            if seeker.hear(data, valid, clock.monotonic()):
                line.set_speed(seeker.speed)
            yield data
