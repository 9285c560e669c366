"""The faults of the field, for the simulated line to play: each a name, a sentence, and what it does to a `TicLine`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from drivers.linky.sim import MeterState
from drivers.linky.simline import TicLine
from gateway.errors import Text

FAULTS: dict[str, Text] = {
    "none": Text("ligne saine", "sound line"),
    "noise": Text("des bits retournés au hasard", "bits flipped at random"),
    "damaged-lf": Text("le premier octet de groupes abîmé", "the first byte of groups damaged"),
    "damaged-stx": Text("le premier octet de chaque trame abîmé", "the first byte of each frame damaged"),
    "no-etx": Text("des trames sans fin", "frames without their end"),
    "eot": Text("des trames interrompues", "frames interrupted"),
    "glued": Text(
        "le début d’une trame collé à la fin d’une autre", "the head of a frame glued to the tail of another"
    ),
    "lost-bytes": Text("des octets perdus", "bytes lost"),
    "degraded-clock": Text("l’horloge du compteur perdue", "the meter lost its clock"),
    "silence": Text("vingt trames dites, vingt tues", "twenty frames said, twenty kept"),
    "mode-switch": Text("le mode change toutes les soixante trames", "the mode changes each sixty frames"),
    "meter-change": Text("un autre compteur après quarante trames", "another meter after forty frames"),
    "icrnl": Text("un port mal réglé, qui change CR en LF", "a port badly set, which turns CR into LF"),
}
"""Every fault, with what it is."""

_BIT_FLIPS = 2e-4
_QUIET_FRAMES, _MODE_FRAMES, _METER_FRAMES = 20, 60, 40
_LF, _CR, _ETX, _EOT = b"\n", b"\r", b"\x03", b"\x84"
_LATE = b"\x0b\x0e\x0f"  # what an LF becomes when the receiver wakes up late
_DAMAGED_SHARE = 0.1
_CUT_EACH = 5  # frames
_LOST_SHARE = 0.002


def play(line: TicLine, name: str) -> None:
    """Set the fault `name` on a line."""
    dice = random.Random(0)  # noqa: S311 - a fault must be the same in each run
    spoils: dict[str, Callable[[bytes], bytes]] = {
        "damaged-lf": lambda data: damaged_lf(data, dice),
        "damaged-stx": lambda data: _LATE[:1] + data[1:],
        "no-etx": lambda data: data.removesuffix(_ETX),
        "eot": lambda data: cut(data, dice) if line.frames % _CUT_EACH == 0 else data,
        "glued": lambda data: glued(data, line.frames),
        "lost-bytes": lambda data: bytes(one for one in data if dice.random() >= _LOST_SHARE),
        "icrnl": lambda data: data.replace(_CR, _LF),
    }
    befores: dict[str, Callable[[TicLine], None]] = {"silence": _quiet_by_turns, "mode-switch": _other_mode}
    line.spoil = spoils.get(name, line.spoil)
    line.before = befores.get(name, line.before)
    sound = line.states
    if name == "noise":
        line.noise = _BIT_FLIPS
    elif name == "icrnl":
        line.parity = False
    elif name == "degraded-clock":
        line.states = lambda: replace(sound(), events=("clock",))
    elif name == "meter-change":
        other = AnotherMeter(sound)
        line.states = lambda: other() if line.frames > _METER_FRAMES else sound()


def damaged_lf(data: bytes, dice: random.Random) -> bytes:
    """Return a frame with some of its LF damaged, as a slow optocoupler does after a pause."""
    parts = data.split(_LF)
    made = parts[0]
    for part in parts[1:]:
        made += (bytes([dice.choice(_LATE)]) if dice.random() < _DAMAGED_SHARE else _LF) + part
    return made


def cut(data: bytes, dice: random.Random) -> bytes:
    """Return a frame that the meter breaks off after one of its groups, with an EOT."""
    groups = data.split(_LF)
    return _LF.join(groups[: dice.randrange(1, len(groups))]) + _EOT


def glued(data: bytes, number: int) -> bytes:
    """Return the head of each fifth frame, and the tail of the one behind it: what an overrun buffer leaves."""
    groups = data.split(_LF)
    half = len(groups) // 2
    if number % _CUT_EACH == 0:
        return _LF.join(groups[:half])
    if number % _CUT_EACH == 1:
        return _LF + _LF.join(groups[half:])
    return data


class AnotherMeter:
    """The states of the meter that takes the place of the first: another number, registers that begin at 0."""

    def __init__(self, states: Callable[[], MeterState]) -> None:
        self._states = states
        self._first: MeterState | None = None

    def __call__(self) -> MeterState:
        """Return the state of now."""
        state = self._states()
        first = self._first = self._first or state
        export = None if state.export_wh is None or first.export_wh is None else state.export_wh - first.export_wh
        return replace(
            state,
            address=state.address[:6] + f"{999_999 - int(state.address[6:]):06d}",
            import_wh=state.import_wh - first.import_wh,
            indexes=tuple(one - begun for one, begun in zip(state.indexes, first.indexes, strict=True)),
            export_wh=export,
        )


def _quiet_by_turns(line: TicLine) -> None:
    line.silence = line.frames // _QUIET_FRAMES % 2 == 1


def _other_mode(line: TicLine) -> None:
    if line.frames and line.frames % _MODE_FRAMES == 0:
        line.mode = "historic" if line.mode == "standard" else "standard"
