"""From registers to numbers, by SunSpec's types. What a device does not measure becomes None, never a number.

Pure functions. Registers are 0..65535, big-endian, as they come off the wire.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from enum import StrEnum

WORD = 0xFFFF
_SIGN = 0x8000
_MAX_SCALE = 10
_FLOAT_SENSE = 1e30  # some devices mark a missing float with the largest negative one instead of a NaN


class Type(StrEnum):
    """How a value is written in registers."""

    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    UINT64 = "uint64"
    ACC32 = "acc32"
    ENUM16 = "enum16"
    BITS32 = "bitfield32"
    FLOAT32 = "float32"


SIZES: dict[Type, int] = {
    Type.INT16: 1,
    Type.UINT16: 1,
    Type.ENUM16: 1,
    Type.INT32: 2,
    Type.UINT32: 2,
    Type.ACC32: 2,
    Type.BITS32: 2,
    Type.FLOAT32: 2,
    Type.UINT64: 4,
}
"""How many registers each type takes."""

_SIGNED = (Type.INT16, Type.INT32)


def unsigned(words: Sequence[int]) -> int:
    """Return the words as one unsigned number, high word first."""
    number = 0
    for word in words:
        number = number << 16 | word
    return number


def signed(words: Sequence[int]) -> int:
    """Return the words as one two's complement number, high word first."""
    number = unsigned(words)
    bits = 16 * len(words)
    return number - (1 << bits) if number >> (bits - 1) else number


def _float(words: Sequence[int]) -> float | None:
    value: float = struct.unpack(">f", struct.pack(">2H", *words))[0]
    return value if math.isfinite(value) and abs(value) < _FLOAT_SENSE else None


def decode(kind: Type, words: Sequence[int], *, positive: bool = False) -> float | int | None:
    """Return the number in `words`, or None for the type's "not implemented".

    `positive` says that the value cannot be negative: then the mark of the other signedness, which devices mix up, is
    "not implemented" as well, and so is any negative number.
    """
    if kind is Type.FLOAT32:
        real = _float(words)
        return None if real is None or (positive and real < 0) else real
    raw = unsigned(words)
    bits = 16 * len(words)
    ones, top = (1 << bits) - 1, 1 << (bits - 1)
    if kind is Type.BITS32:
        return None if raw & top else raw
    if kind is Type.ACC32 and raw == 0:
        return None
    if kind in _SIGNED:
        number = signed(words)
        return None if raw == top or (positive and number < 0) else number
    return None if raw == ones or (positive and raw == top) else raw


def scale_factor(word: int) -> int | None:
    """Return the power of ten in a scale register, or None when it is absent or senseless."""
    number = signed((word,))
    return number if -_MAX_SCALE <= number <= _MAX_SCALE else None


def scaled(raw: float, factor: int | None) -> float | int | None:
    """Return `raw` times ten to the `factor`, exactly rounded; None without a factor, never an unscaled number."""
    if factor is None:
        return None
    power: int = 10 ** abs(factor)
    return raw * power if factor >= 0 else raw / power


def tidy(value: float) -> float | int:
    """Return whole numbers as int and others without the noise of binary fractions (three decimals)."""
    rounded = round(value, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def text(words: Sequence[int]) -> str | None:
    """Return the text in `words`, cut at the first NUL and without blanks around it; None when there is none."""
    raw = b"".join(word.to_bytes(2, "big") for word in words)
    line = raw.partition(b"\0")[0].decode("latin-1")
    return "".join(char for char in line if char.isprintable()).strip() or None
