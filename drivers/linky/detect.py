"""Which speed the line has: a small state machine over what the bytes look like. Pure.

A meter in historic mode speaks at 1200 baud, in standard mode at 9600, and some adapters re-time; so the speed is
found by the bytes, apart from the mode. At 9600 a stream of 1200 baud gives only 0x00 and 0x80; at 1200 a stream of
9600 gives noise of all values: half its bytes have bit 7 set and half have an odd parity, where a meter's text has
one of the two at most, as its adapter keeps the parity or strips it. Both show within half a second. A line that
says nothing, or nothing that tells, is tried at both speeds in turn.
"""

from __future__ import annotations

from drivers.linky.group import odd_bytes

SPEEDS = (9600, 1200)

_SLOW_LINE = bytes((0x00, 0x80))
_ENOUGH = 24  # bytes that tell a slow line from a fast one: 24 of only two values is no text
_MOSTLY = 0.9
_LOW = bytes(range(128))
_NOISE_BYTES = 40  # a third of a second at 1200 baud
_NOISE = 0.3  # the part of bytes with bit 7 set, and of odd ones, above which this is no text at all
_TRIAL_S = {9600: 2.5, 1200: 5.0}  # longer than the longest frame takes to give one valid group
_LOST_S = 10.0  # a line that was understood is given longer before it is doubted
_DOUBT_S = 1.0  # but noise for so long, where there was text, is another speed


class SpeedSeeker:
    """Says at which speed to read. Feed it every read, empty ones too; `speed` changes when the line asks for it."""

    def __init__(self, now: float) -> None:
        self.speed = SPEEDS[0]
        self.locked = False
        self.silent = True
        self._since = now
        self._hasty = False
        self._bytes = self._slow = self._high = self._odd = 0

    def hear(self, data: bytes, valid_groups: int, now: float) -> bool:
        """Take what was read and how many valid groups it completed; return True if the speed must change.

        `locked` tells that the line is understood, `silent` that it gave nothing since the last change.
        """
        if data:
            self.silent = False
        if valid_groups:
            self.locked = True
            self._hasty = False
            self._restart(now)
            return False
        self._bytes += len(data)
        self._slow += len(data) - len(data.translate(None, _SLOW_LINE))
        self._high += len(data.translate(None, _LOW))
        self._odd += len(odd_bytes(data))
        if self._is_slower() or self._is_noise(now):
            self._turn(now)
            return True
        if now - self._since < (_LOST_S if self.locked else _TRIAL_S[self.speed]):
            return False
        self._turn(now)
        self._hasty = False
        return True

    def _is_slower(self) -> bool:
        return self.speed == SPEEDS[0] and self._bytes >= _ENOUGH and self._slow >= _MOSTLY * self._bytes

    def _is_noise(self, now: float) -> bool:
        """Tell whether no speed but the other can make text of this. Judged so once: the other gets its whole trial."""
        if self._bytes < _NOISE_BYTES or self._hasty or (self.locked and now - self._since < _DOUBT_S):
            return False
        self._hasty = min(self._high, self._odd) > _NOISE * self._bytes
        return self._hasty

    def _turn(self, now: float) -> None:
        self.speed = SPEEDS[1] if self.speed == SPEEDS[0] else SPEEDS[0]
        self.locked = False
        self.silent = True
        self._restart(now)

    def _restart(self, now: float) -> None:
        self._since = now
        self._bytes = self._slow = self._high = self._odd = 0
