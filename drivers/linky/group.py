"""One group: seven-bit text in, a typed value out, or the reason why not. Pure.

A group is `label SEP [horodate SEP] data SEP checksum`; the separator tells the mode and the checksum rule with it:
historic sums up to the last data byte, standard up to the separator before the checksum, included.
The checksum may itself be a blank, so nothing here ever strips a line.
"""

from __future__ import annotations

from codecs import charmap_decode
from enum import StrEnum
from typing import NamedTuple
from zlib import adler32

from drivers.linky import horodate
from drivers.linky.horodate import Horodate
from drivers.linky.labels import HISTORIC, STANDARD, Label, Mode, Nature


class Reason(StrEnum):
    """Why a group was refused; these words are part of the `foyer tic decode` contract."""

    CHECKSUM = "checksum"
    PARITY = "parity"
    LABEL = "label"
    SIZE = "size"
    CHARSET = "charset"
    IMPLAUSIBLE = "implausible"


class Group(NamedTuple):
    """One valid group. `value` is a number where the label is numeric, else text without outer blanks.

    `raw` is the seven-bit text of the group, checksum included.
    """

    label: str
    value: int | str
    stamp: Horodate | None
    spec: Label
    repaired: bool
    raw: str


class Rejected(NamedTuple):
    """One group that was refused. `label` is what stands in the label's place, which may be anything."""

    label: str
    raw: str
    reason: Reason


_new = tuple.__new__
_SP, _HT = 0x20, 0x09
_PLAIN_FIELDS = 3  # label, data, checksum; one more with a horodate
_SHORTEST = 3  # a separator, some data or none, a checksum

_EVEN = bytes(byte for byte in range(256) if byte.bit_count() % 2 == 0)
_LOW = bytes(range(128))
TEXT = b"\t" + bytes(range(0x20, 0x7F))
"""The characters of a group, in seven bits."""
TO_SEVEN_BITS = bytes(byte & 0x7F for byte in range(256))
WITH_PARITY = bytes(byte | 0x80 if byte.bit_count() % 2 else byte for byte in range(128)) * 2
"""Seven-bit text as an 8N1 port sees it on an even-parity line."""
TEXT_WITH_PARITY = TEXT.translate(WITH_PARITY)


def odd_bytes(raw: bytes) -> bytes:
    """Return the bytes of `raw` whose eight bits have odd parity: the damaged ones on a line with even parity."""
    return raw.translate(None, _EVEN)


def parity_evidence(raw: bytes) -> int:
    """Return how much `raw` looks like text whose bit 7 is even parity (> 0) or was stripped (< 0)."""
    high = len(raw.translate(None, _LOW))
    return high - len(odd_bytes(raw))


def checksum(text: bytes) -> int:
    """Return the checksum character of the bytes it covers."""
    return (sum(text) & 0x3F) + 0x20


def parse_standard(text: bytes) -> Group | Reason:
    """Return the standard-mode group that `text` (seven bits, label to checksum) is, or the gate that refuses it."""
    if len(text) < _SHORTEST or text[-2] != _HT:
        return Reason.CHECKSUM
    last = text[-1]
    if ((sum(text) - last) & 0x3F) + 0x20 != last:
        return Reason.CHECKSUM
    raw = text.decode("ascii")
    parts = raw.split("\t")
    spec = STANDARD.get(parts[0])
    if spec is None:
        return Reason.LABEL
    if not spec.horodate:
        return _typed(spec, parts[1], None, raw) if len(parts) == _PLAIN_FIELDS else Reason.SIZE
    if len(parts) != _PLAIN_FIELDS + 1 or len(parts[1]) != horodate.SIZE:
        return Reason.SIZE
    stamp = horodate.parse(parts[1])
    return _typed(spec, parts[2], stamp, raw) if stamp is not None else Reason.CHARSET


_LINES = {
    f"\n{label.name}": (label.name, label, label.size, label.numeric, _PLAIN_FIELDS + label.horodate)
    for label in STANDARD.values()
}
# The low half of adler32 is 1 + the sum of the bytes: the quickest sum there is. By what it leaves once the checksum is
# taken off (1, LF, and what the checksum covers), the checksum that belongs there.
_CHECKS = tuple(chr((left - 1 - 0x0A & 0x3F) + 0x20) for left in range(64))


def _wire_table(characters: bytes) -> str:
    """Return the decoding table of a line: to seven bits, and an error for whatever is not in `characters` or LF."""
    good = {*characters, 0x0A}
    return "".join(chr(byte & 0x7F) if byte in good else "\ufffe" for byte in range(256))


WIRE = _wire_table(TEXT)
WIRE_WITH_PARITY = _wire_table(TEXT_WITH_PARITY)


def read_standard(line: bytes, wire: str) -> Group | None:
    """Return the standard-mode group that `line` (LF to checksum, as on the wire) is, or None: then `parse` tells why.

    The short way through the same gates, for sound lines. Bit 7 does not disturb the checksum: 128 is 0 modulo 64.
    """
    try:
        text, _ = charmap_decode(line, "strict", wire)
    except UnicodeDecodeError:
        return None
    parts = text.split("\t")
    found = _LINES.get(parts[0])
    if found is None or parts[-1] != _CHECKS[adler32(line) - line[-1] & 0x3F]:
        return None
    name, spec, size, numeric, fields = found
    data = parts[-2]
    if len(parts) != fields or len(data) != size:
        return None
    stamp = None
    if fields != _PLAIN_FIELDS:
        stamp = horodate.parse(parts[1])
        if stamp is None:
            return None
    if data.isdigit() if numeric else not size:
        # built as a tuple, which halves the time that calling a NamedTuple takes
        return _new(Group, (name, int(data) if numeric else data, stamp, spec, False, text[1:]))
    group = _typed(spec, data, stamp, text[1:])
    return group if isinstance(group, Group) else None


def parse_historic(text: bytes) -> Group | Reason:
    """Return the historic-mode group that `text` (seven bits, label to checksum) is, or the gate that refuses it."""
    if len(text) < _SHORTEST or text[-2] != _SP:
        return Reason.CHECKSUM
    last = text[-1]
    if ((sum(text) - last - _SP) & 0x3F) + 0x20 != last:
        return Reason.CHECKSUM
    raw = text.decode("ascii")
    name, _, data = raw[:-2].partition(" ")
    spec = HISTORIC.get(name)
    if spec is None:
        return Reason.LABEL
    return _typed(spec, data, None, raw)


def _typed(spec: Label, data: str, stamp: Horodate | None, raw: str) -> Group | Reason:
    if len(data) != spec.size:
        return Reason.SIZE
    if spec.pattern is None:
        # the text is ASCII, so isdigit means 0-9
        return Group(spec.name, int(data), stamp, spec, False, raw) if data.isdigit() else Reason.CHARSET
    if spec.pattern.fullmatch(data) is None:
        return Reason.CHARSET
    return Group(spec.name, data.strip(), stamp, spec, False, raw)


def parse(text: bytes, only: Mode | None = None) -> Group | Reason:
    """Return the group that `text` is in the mode its separator tells; `only` refuses the other mode."""
    standard = _HT in text
    if only is not None and standard is not (only is Mode.STANDARD):
        return Reason.CHECKSUM
    return parse_standard(text) if standard else parse_historic(text)


def repair(raw: bytes, mode: Mode) -> Group | None:
    """Return the group that `raw` was before one bit flipped, when one flip, and one only, explains it.

    `raw` still has its parity bits. Parity names the damaged byte; checksum, label table and character set must leave
    a single one of its eight possible flips. An index is never repaired: a wrong one would live for ever.
    """
    damaged = odd_bytes(raw)
    if len(damaged) != 1:
        return None
    place = raw.index(damaged)
    found = []
    for bit in range(8):
        text = bytearray(raw.translate(TO_SEVEN_BITS))
        text[place] = (raw[place] ^ 1 << bit) & 0x7F
        if text[place] not in TEXT:
            continue
        group = parse(bytes(text), mode)
        if isinstance(group, Group):
            found.append(group)
    if len(found) != 1 or found[0].spec.nature is Nature.INDEX:
        return None
    return found[0]._replace(repaired=True)


def rejected(text: bytes, reason: Reason) -> Rejected:
    """Return the refusal of `text` (seven bits); the label is what stands before the first separator."""
    raw = text.decode("ascii")
    return Rejected(raw.replace("\t", " ").partition(" ")[0], raw, reason)
