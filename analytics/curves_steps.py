"""From stamped values to slots: how long each one lasts, repeated ones, holes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from analytics.curves import HOUR, CurveError, Slot
from gateway.errors import Text

_STEPS = (300, 600, 900, 1800, 3600)


class Stamped(NamedTuple):
    """One row: UTC seconds of the END, the value (mW if `is_power`, else mJ; None when empty), the step if told."""

    end: int
    value: int | None
    is_power: bool
    step: int | None
    line: int


def slots_of(rows: Sequence[Stamped]) -> tuple[list[Slot], list[Text]]:
    """Return the slots, in order of time, and what is to be said: values given twice, empty ones."""
    notes: list[Text] = []
    ordered = _without_repeats(rows, notes)
    steps = _steps(ordered)
    slots: list[Slot] = []
    empty = 0
    for row, step in zip(ordered, steps, strict=True):
        if row.value is None:
            empty += 1
            continue
        start = row.end - step
        if slots and start < slots[-1].end:
            # a longer step that begins inside the slot before: only what is new counts
            start = slots[-1].end
        slots.append(Slot(start, row.end, row.value * (row.end - start) if row.is_power else row.value))
    if empty:
        notes.append(
            Text(
                f"{empty} valeur{'s' if empty > 1 else ''} du fichier {'sont vides' if empty > 1 else 'est vide'}.",
                f"{empty} value{'s' if empty > 1 else ''} of the file {'are' if empty > 1 else 'is'} empty.",
            )
        )
    return slots, notes


def _without_repeats(rows: Sequence[Stamped], notes: list[Text]) -> list[Stamped]:
    """Return the rows by time, each time once: an export given twice changes nothing, two values contradict."""
    by_end: dict[int, Stamped] = {}
    repeated = 0
    for row in rows:
        known = by_end.get(row.end)
        if known is None or known.value is None:
            by_end[row.end] = row
        elif row.value is not None and row.value != known.value:
            raise CurveError(
                Text(
                    f"Ligne {row.line} : cette heure est déjà à la ligne {known.line}, avec une autre valeur.",
                    f"Line {row.line}: this time is already on line {known.line}, with another value.",
                ),
                Text("Gardez une seule des deux lignes.", "Keep only one of the two lines."),
            )
        else:
            repeated += 1
    if repeated:
        notes.append(
            Text(
                f"Lignes en double, comptées une fois : {repeated}.",
                f"Repeated lines, counted once: {repeated}.",
            )
        )
    return sorted(by_end.values())


def _steps(rows: Sequence[Stamped]) -> list[int]:
    """Return how long each row lasts: what it says, else the time since the row before where that is a usual step.

    A step twice the neighbours' is a missing row, not a long slot, unless the rows before it had that step already.
    """
    gaps = [two.end - one.end for one, two in pairwise(rows)]
    usual = Counter(gap for gap in gaps if gap in _STEPS)
    fallback = usual.most_common(1)[0][0] if usual else HOUR // 2
    steps: list[int] = []
    for place, row in enumerate(rows):
        before = gaps[place - 1] if place else None
        after = gaps[place] if place < len(gaps) else None
        if row.step is not None:
            steps.append(row.step)
        elif before in _STEPS and (before == after or (steps and steps[-1] == before)):
            steps.append(before)
        else:
            near = [gap for gap in (before, after) if gap in _STEPS]
            steps.append(min(near) if near else fallback)
    return steps
