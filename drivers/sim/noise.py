"""Chance that never changes: every number here is a pure function of its key, in any process and any Python version.

Keys are mixed with BLAKE2b; no global random state is read or left behind.
"""

from __future__ import annotations

from hashlib import blake2b

_MASK = (1 << 64) - 1
_UNIT = 2.0**-53


def _number(*key: int | str) -> int:
    """Return 64 bits drawn from the key; its parts must hold no `/`."""
    return int.from_bytes(blake2b("/".join(map(str, key)).encode(), digest_size=8).digest())


def draw(*key: int | str) -> float:
    """Return the number of [0, 1) that belongs to the key."""
    return (_number(*key) >> 11) * _UNIT


class Dice:
    """A stream of draws that starts at a key (SplitMix64, after Steele, Lea and Flood 2014)."""

    def __init__(self, *key: int | str) -> None:
        self._state = _number(*key)

    def unit(self) -> float:
        """Return the next number of [0, 1)."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((self._state ^ (self._state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) * _UNIT

    def between(self, low: float, high: float) -> float:
        """Return the next number of [low, high)."""
        return low + (high - low) * self.unit()

    def chance(self, probability: float) -> bool:
        """Tell whether the next draw falls under `probability`."""
        return self.unit() < probability


def ease(x: float) -> float:
    """Return the smooth step of x: 0 below 0, 1 above 1, flat at both ends."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    return x * x * (3 - 2 * x)


def wave(second: int, period_s: int, *key: int | str) -> float:
    """Return smooth value noise of [0, 1] at one instant: free draws each `period_s`, eased between them."""
    knot, rest = divmod(second, period_s)
    here = draw(*key, knot)
    return here + (draw(*key, knot + 1) - here) * ease(rest / period_s)


def waves(start: int, step_s: int, count: int, period_s: int, *key: int | str) -> list[float]:
    """Return what `wave` gives at `count` instants, `step_s` apart from `start`."""
    first = start // period_s
    last = (start + step_s * (count - 1)) // period_s + 1
    knots = [draw(*key, knot) for knot in range(first, last + 1)]
    values = []
    for second in range(start, start + step_s * count, step_s):
        knot, rest = divmod(second, period_s)
        here = knots[knot - first]
        x = rest / period_s
        values.append(here + (knots[knot - first + 1] - here) * (x * x * (3 - 2 * x)))
    return values
