"""Bytes to groups: an incremental decoder of the TIC stream. Pure; any split of the stream gives the same events.

A group ends at its CR and starts after the last control character before it, because the first byte after a pause is
often damaged: LF and STX cannot be relied on. Bytes are taken as an 8N1 port sees them, with the line's even parity in
bit 7; a stream that lost its parity on the way is recognised and read without that gate.

ETX, EOT and a new STX end a frame. A frame is also over where a label repeats or goes backwards: lost bytes glue the
head of one frame to the tail of another. Groups of a broken frame stay valid; the frame is marked incomplete.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

from drivers.linky.group import (
    TEXT,
    TEXT_WITH_PARITY,
    TO_SEVEN_BITS,
    WIRE,
    WIRE_WITH_PARITY,
    Group,
    Reason,
    Rejected,
    odd_bytes,
    parity_evidence,
    parse,
    parse_historic,
    read_standard,
    rejected,
    repair,
)
from drivers.linky.labels import HISTORIC, OPENERS, STANDARD, Mode, Nature


class End(NamedTuple):
    """The frame of the groups before it is over.

    `complete`: its start and its end were both seen, and nothing cut it. `clean`: complete, and no group was refused.
    A scrap of a frame (the tail end at the start of a capture) may hold no group at all, and so have no mode yet.
    """

    mode: Mode | None
    complete: bool
    clean: bool


Event = Group | Rejected | End
_Known = tuple[bytes, int, Group, list[Group | None]]

_CONTROL = rb"\x00-\x08\x0a-\x1f\x80-\x88\x8a-\x9f"  # with bit 7 or without; HT is text
_TOKEN = re.compile(rb"([^%b]*)([%b])" % (_CONTROL, _CONTROL))
_PLAIN = re.compile(rb"([%b]*)[^%b]+" % (_CONTROL, _CONTROL))
_STX, _ETX, _EOT, _LF, _CR = 0x02, 0x03, 0x04, 0x0A, 0x0D
_MARKS = (_STX, _ETX, _EOT)
_LONGEST = 256  # the longest group has 111 bytes
_SHOWN = 64
_SURE = 3  # groups that latch a mode, bytes that make parity evidence, groups that overturn a latched parity
_KNOWN = 4096  # raw groups remembered with their meaning
_CLOSED = -1
_OPENING = frozenset(label.rank for label in (*HISTORIC.values(), *STANDARD.values()) if label.name in OPENERS)


class Judge(Protocol):
    """Who knows what the meter said before (`drivers.linky.plausible.Gate`)."""

    def accepts(self, group: Group) -> bool:
        """Tell whether the meter can have said this; not asked again for the same bytes as a frame ago."""
        ...

    def damaged(self, reason: Reason) -> None:
        """Learn that a group was refused before it came to judgement."""
        ...

    def frame_over(self, *, clean: bool) -> None:
        """Learn that a frame is over."""
        ...


class Decoder:
    """Decodes one stream. `mode` may be imposed; `parity="none"` ignores bit 7; `judge` is the last gate, if any."""

    def __init__(self, mode: Mode | None = None, parity: str = "auto", judge: Judge | None = None) -> None:
        self._judge = judge
        self._only = mode
        self._ignore_parity = parity == "none"
        self._parity: bool | None = False if self._ignore_parity else None
        self._good = TEXT + bytes(byte | 0x80 for byte in TEXT)
        self._wire = WIRE
        self._against = 0
        self._mode: Mode | None = None
        self._speaking: Mode | None = None
        self._streak = 0
        self._tail = b""
        self._begun = False
        self._broken = b""
        self._settled = False
        self._quick = False
        self._known: dict[bytes, _Known] = {}
        self._usable: dict[bytes, _Known] = {}
        self._current: dict[str, list[Group | None]] = {}
        self._rank = _CLOSED
        self._start = False
        self._started = False
        self._stx = False
        self._scraps = False
        self._refused = 0

    @property
    def mode(self) -> Mode | None:
        """The mode of the stream, once three good groups agree on it."""
        return self._mode

    @property
    def parity(self) -> bool | None:
        """Whether bit 7 carries the parity; None as long as nothing tells."""
        return self._parity

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes and return what they complete, in order."""
        out: list[Event] = []
        pieces = (self._tail + data).replace(b"\x8d", b"\r").split(b"\r")
        tail = pieces.pop()
        known, last = self._usable, self._rank
        append = out.append
        for piece in pieces:
            # Most groups repeat from frame to frame: what these very bytes mean is remembered.
            hit = known.get(piece)
            if hit is None:
                self._rank = last
                self._miss(piece, out)
                known, last = self._usable, self._rank
                continue
            marks, rank, group, current = hit
            if marks or not 0 <= last < rank:
                self._rank = last
                for mark in marks:
                    self._mark(mark, out)
                self._place(rank, out)
            last = rank
            if current[0] is group:
                append(group)
            else:
                self._give(group, current, out)
        self._rank = last
        # Control characters act at once, so that a frame ends with its ETX and not with the next frame's first group.
        at = 0
        for token in _TOKEN.finditer(tail):
            self._token(token[1], token[2], out)
            at = token.end()
        if at:
            self._settle()
        self._tail = tail[at : at + _LONGEST + 1]
        return out

    def finish(self) -> list[Event]:
        """End the stream (end of a file, port lost): an unfinished group is dropped, an open frame is incomplete."""
        out: list[Event] = []
        self._scraps = self._scraps or bool(self._tail)
        self._close(out, complete=False)
        self._tail = self._broken = b""
        self._begun = self._start = self._stx = False
        self._refused = 0
        self._settle()
        return out

    def _miss(self, piece: bytes, out: list[Event]) -> None:
        """Decode the bytes up to a CR: at once when they are LF and a sound group, else character by character."""
        group = None
        if self._quick:
            group = read_standard(piece, self._wire)
        elif self._settled:
            group = self._historic_line(piece)
        if group is not None:
            rank = group.spec.rank
            current = self._remember(piece, b"", group)
            if _CLOSED < self._rank < rank:
                self._rank = rank
            else:
                self._place(rank, out)
            self._give(group, current, out)
            return
        for token in _TOKEN.finditer(piece + b"\r"):
            self._token(token[1], token[2], out)
        self._settle()
        plain = _PLAIN.fullmatch(piece)
        newest = out[-1] if out else None
        if self._settled and plain and isinstance(newest, Group):
            body = piece[plain.end(1) :].translate(TO_SEVEN_BITS)
            if body == newest.raw.encode() and not newest.repaired:
                self._remember(piece, bytes(mark for mark in plain[1] if mark & 0x7F in _MARKS), newest)

    def _historic_line(self, piece: bytes) -> Group | None:
        """Return the group of a sound line, LF to checksum; None sends it the long way."""
        if piece.translate(None, self._good) != b"\n" or piece[0] != _LF or len(piece) > _LONGEST:
            return None
        found = parse_historic(piece[1:].translate(TO_SEVEN_BITS))
        return found if isinstance(found, Group) else None

    def _remember(self, piece: bytes, marks: bytes, group: Group) -> list[Group | None]:
        """Keep the meaning of `piece`, and return the place that holds its label's current group."""
        label, _, _, spec, _, _ = group
        known = self._known
        current = self._current.get(label)
        if current is None:
            current = self._current[label] = [None]
        if spec.nature is not Nature.CLOCK:  # a date does not come back
            if len(known) >= _KNOWN:
                known.clear()
            # Without a judge there is nothing to compare: each group is its own current one.
            known[piece] = (marks, spec.rank, group, current if self._judge is not None else [group])
        return current

    def _give(self, group: Group, current: list[Group | None], out: list[Event]) -> None:
        """Hand out a group that is not the one its label had, if the judge lets it pass."""
        if self._judge is None or self._judge.accepts(group):
            current[0] = group
            out.append(group)
        else:
            self._refused += 1
            out.append(Rejected(group.label, group.raw, Reason.IMPLAUSIBLE))

    def _settle(self) -> None:
        """Note whether nothing is pending, so that the next group can be taken by its bytes alone."""
        self._settled = (
            self._begun
            and not (self._stx or self._against or self._broken)
            and self._parity is not None
            and self._mode is not None
            and self._mode is self._speaking
        )
        self._quick = self._settled and self._mode is Mode.STANDARD
        self._usable = self._known if self._settled else {}

    def _token(self, text: bytes, control: bytes, out: list[Event]) -> None:
        """Take a run of text (or none) and the control character that ends it."""
        broken, self._broken = self._broken, b""
        if text:
            group = self._decode(text)
            if isinstance(group, Reason):
                group = self._rescue(text, broken) or group
            if isinstance(group, Reason):
                self._refuse(text, control, group, out)
            else:
                self._accept(group, out)
        self._begun = True
        self._mark(control[0], out)

    def _decode(self, text: bytes) -> Group | Reason:
        if len(text) > _LONGEST:
            return Reason.SIZE
        evidence = parity_evidence(text)
        self._weigh(evidence)
        gate = evidence >= 0 if self._parity is None else self._parity
        if gate and odd_bytes(text):
            return Reason.PARITY
        group = parse(text.translate(TO_SEVEN_BITS), self._only)
        if self._parity is None and abs(evidence) >= _SURE and isinstance(group, Group):
            self._set_parity(kept=evidence > 0)
        return group

    def _weigh(self, evidence: int) -> None:
        """Overturn the latched parity when several groups running say otherwise: the adapter was changed."""
        if self._parity is None or self._ignore_parity or abs(evidence) < _SURE:
            return
        if (evidence > 0) is self._parity:
            self._against = 0
            return
        self._against += 1
        if self._against >= _SURE:
            self._set_parity(kept=evidence > 0)

    def _set_parity(self, *, kept: bool) -> None:
        self._parity = kept
        self._good = TEXT_WITH_PARITY if kept else TEXT
        self._wire = WIRE_WITH_PARITY if kept else WIRE
        self._against = 0
        self._known.clear()

    def _rescue(self, text: bytes, broken: bytes) -> Group | None:
        """Find the group in `text` when a byte at its edge, or one bit inside, was damaged.

        The edge bytes are an LF or a CR that became text; `broken` is what a bit flip cut off by making text a control.
        """
        if self._mode is None or len(text) > _LONGEST:
            return None
        for part in (text[1:], text[:-1]):
            if self._parity and odd_bytes(part):
                continue
            group = parse(part.translate(TO_SEVEN_BITS), self._mode)
            if isinstance(group, Group):
                return group
        if not self._parity:
            return None
        return repair(text, self._mode) or (repair(broken + text, self._mode) if broken else None)

    def _refuse(self, text: bytes, control: bytes, reason: Reason, out: list[Event]) -> None:
        """Refuse a group; text that no CR or LF ends is a group cut short, which the frame's state tells."""
        if not self._begun:
            self._scraps = True
            return
        if self._stx:
            self._close(out, complete=True)
        self._refused += 1
        if self._judge is not None:
            self._judge.damaged(reason)
        damaged = bool(self._parity and odd_bytes(control)) and control != b"\r"  # 0x8D was made 0x0D on the way in
        if control[0] & 0x7F in (_CR, _LF) and not damaged:
            shown = text if len(text) <= _LONGEST else text[:_SHOWN]
            out.append(rejected(shown.translate(TO_SEVEN_BITS), reason))
            self._scraps = True
        elif damaged and len(text) <= _LONGEST:
            self._broken = text + control

    def _accept(self, group: Group, out: list[Event]) -> None:
        mode = group.spec.mode
        if mode is not self._speaking:
            if self._rank != _CLOSED:
                self._close(out, complete=self._stx)
            self._speaking = mode
            self._streak = 0
            self._known.clear()
        self._streak += 1
        if self._streak >= _SURE and self._mode is not mode:
            self._mode = mode
        self._place(group.spec.rank, out)
        self._give(group, self._current.setdefault(group.label, [None]), out)

    def _mark(self, control: int, out: list[Event]) -> None:
        """Take a control character: what starts or ends a frame, unless its parity says that it was something else."""
        code = control & 0x7F
        if code not in _MARKS or (self._parity and control.bit_count() % 2):
            return
        if code == _STX:
            # An LF with one bit flipped is an STX too: the next label tells whether a frame begins here.
            self._stx = self._rank != _CLOSED
            if not self._stx:
                self._close(out, complete=False)
                self._start = True
        else:
            self._close(out, complete=code == _ETX)
            self._start = False

    def _place(self, rank: int, out: list[Event]) -> None:
        """Put a group into its frame, which is a new one where the order of the labels says so."""
        if rank <= self._rank:
            self._close(out, complete=self._stx)
        if self._rank == _CLOSED:
            self._started = self._start or rank in _OPENING
            self._start = self._scraps = False
        self._rank = rank
        self._stx = False

    def _close(self, out: list[Event], *, complete: bool) -> None:
        if self._rank == _CLOSED and not self._scraps:
            return
        complete = complete and self._started and self._rank != _CLOSED
        clean = complete and not self._refused
        out.append(End(self._speaking, complete, clean))
        if self._judge is not None:
            self._judge.frame_over(clean=clean)
        self._rank = _CLOSED
        self._scraps = False
        self._refused = 0
        self._start, self._stx = self._stx, False
