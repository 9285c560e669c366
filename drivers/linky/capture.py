"""Captures that may leave the home: the numbers of the meter and of the delivery point hidden. Pure."""

from __future__ import annotations

import re

from drivers.linky.group import TO_SEVEN_BITS, WITH_PARITY, Group, checksum, parse

MASKED = ("ADSC", "ADCO", "PRM")
"""Labels whose data names the meter or the home."""

_KEPT_DIGITS = 6  # maker, year and type of a meter tell how to read it, and are shared by thousands
_HEAD = re.compile(rb"[^\x00-\x08\x0a-\x1f]+")
_LINE = re.compile(rb"(ADSC|ADCO|PRM)([\t ])([^\x00-\x08\x0a-\x1f]*)")


def mask(data: bytes) -> bytes:
    """Return a capture with the numbers of `MASKED` set to zero, checksum and parity recomputed, length unchanged.

    A damaged or cut group of these labels is hidden just as well; its checksum stays wrong if it was. So is the number
    wherever else it stands (a group whose label was damaged), and the cut group that begins a capture. All other bytes
    stay as they came, damage included.
    """
    text = data.translate(TO_SEVEN_BITS)
    hidden = bytearray(text)
    head = _HEAD.match(text)
    if head and not isinstance(parse(head[0]), Group):
        hidden[: head.end()] = re.sub(rb"\d", b"0", head[0])
    numbers = set()
    for found in _LINE.finditer(text):
        numbers.update(re.findall(rb"\d{7,}", found[3]))
        line = _masked(found[1], found[2], found[3])
        hidden[found.start() : found.start() + len(line)] = line
    for number in numbers:
        hidden = hidden.replace(number, b"0" * len(number))
    kept_parity = any(byte & 0x80 for byte in data)
    fresh = hidden.translate(WITH_PARITY) if kept_parity else hidden
    changed = zip(data, fresh, text, hidden, strict=True)
    return bytes(old if before == after else new for old, new, before, after in changed)


def _masked(label: bytes, separator: bytes, rest: bytes) -> bytes:
    """Return the group without its number; `rest` is the data, the separator and the checksum, as far as they go."""
    keep = 0 if label == b"PRM" else _KEPT_DIGITS
    data, end = (rest[:-2], rest[-2:]) if rest[-2:-1] == separator else (rest, b"")
    hidden = data[:keep] + re.sub(rb"[^\t ]", b"0", data[keep:])
    head = label + separator + data
    new = label + separator + hidden
    if not end:
        return new
    tail = separator if separator == b"\t" else b""
    right = checksum(head + tail) == end[1]
    return new + separator + (bytes([checksum(new + tail)]) if right else end[1:])
