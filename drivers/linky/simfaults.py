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
    "eot": Text("des trames interrompues", "frames interrupted"),
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


def play(line: TicLine, name: str) -> None:
    """Set the fault `name` on a line."""
    dice = random.Random(0)  # noqa: S311 - a fault must be the same in each run
    if name == "noise":
        line.noise = _BIT_FLIPS
    elif name == "damaged-lf":
        line.spoil = lambda data: damaged_lf(data, dice)
    elif name == "eot":
        line.spoil = lambda data: cut(data, dice) if line.frames % _CUT_EACH == 0 else data
    elif name == "silence":
        line.before = _quiet_by_turns
    elif name == "mode-switch":
        line.before = _other_mode
    elif name == "icrnl":
        line.parity = False
        line.spoil = lambda data: data.replace(_CR, _LF)
    elif name == "meter-change":
        one, other = line.states, AnotherMeter(line.states)
        line.states = lambda: other() if line.frames > _METER_FRAMES else one()


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
