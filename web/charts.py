"""The energy of a period as the page shows it: rows of tenths of a kWh that add up, across and down. Pure.

Only the parts are rounded (used from the roof, bought, sent to the grid), each column by its running total. The wholes
(used, made) are sums of what is shown. So every row and every column adds up to the last digit, and no shown total is
further than a tenth of a kWh from the truth by part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

_TENTH_WH = 100
PARTS = ("self", "bought", "sent")
WHOLES = {"used": ("self", "bought"), "made": ("self", "sent")}
COLUMNS = ("used", "self", "bought", "made", "sent")


class Energy(Protocol):
    """What the store says of one stretch of time, Wh; None is unknown. The names are those of its read side."""

    @property
    def import_wh(self) -> float | None:
        """Bought."""
        ...

    @property
    def export_wh(self) -> float | None:
        """Sent to the grid."""
        ...

    @property
    def production_wh(self) -> float | None:
        """Made by the panels."""
        ...

    @property
    def self_consumption_wh(self) -> float | None:
        """Made by the panels and used at home."""
        ...

    @property
    def coverage(self) -> float:
        """What part of the time was measured, 0 to 1."""
        ...

    @property
    def estimated(self) -> bool:
        """Whether a part is an estimate."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """One stretch: Wh to show by column (multiples of 100, None unknown), and how far it was measured (0 to 1)."""

    wh: Mapping[str, int | None]
    coverage: float
    estimated: bool

    @property
    def known(self) -> bool:
        """Tell whether anything at all was measured."""
        return any(value is not None for value in self.wh.values())

    @property
    def self_share(self) -> float | None:
        """What part of the energy used came from the roof, 0 to 1."""
        used, own = self.wh["used"], self.wh["self"]
        return own / used if used and own is not None else None


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a period and their sums. `whole` is False when something in between was not measured."""

    rows: tuple[Row, ...]
    total: Row
    whole: bool


def parts(energy: Energy, *, has_pv: bool) -> dict[str, float | None]:
    """Return the three parts of one stretch, in Wh; without panels all that is used is bought."""
    own = energy.self_consumption_wh if has_pv else 0.0
    if own is None and energy.production_wh is not None and energy.export_wh is not None:
        own = max(0.0, energy.production_wh - energy.export_wh)
    return {"self": own, "bought": energy.import_wh, "sent": energy.export_wh if has_pv else 0.0}


def table(buckets: Iterable[Energy | None], *, has_pv: bool) -> Table:
    """Return the table of consecutive stretches; None is a stretch the store knows nothing of."""
    listed = list(buckets)
    split = [parts(one, has_pv=has_pv) if one is not None else dict.fromkeys(PARTS) for one in listed]
    columns = {name: _running([one[name] for one in split]) for name in PARTS}
    rows = tuple(
        Row(
            _with_wholes({name: columns[name][n] for name in PARTS}),
            one.coverage if one is not None else 0.0,
            one.estimated if one is not None else False,
        )
        for n, one in enumerate(listed)
    )
    seen = [row for row in rows if row.known]
    total = Row(
        {name: _sum([row.wh[name] for row in rows]) for name in COLUMNS},
        sum(row.coverage for row in rows) / len(rows) if rows else 0.0,
        any(row.estimated for row in rows),
    )
    whole = len(seen) == len(rows) and all(value is not None for row in rows for value in row.wh.values())
    return Table(rows, total, whole)


def _running(values: Sequence[float | None]) -> list[int | None]:
    """Round each value so that the rounded ones sum to the rounded sum; unknown ones stay unknown."""
    exact, shown = 0.0, 0
    found: list[int | None] = []
    for value in values:
        if value is None:
            found.append(None)
            continue
        exact += value
        step = round(exact / _TENTH_WH) * _TENTH_WH - shown
        shown += step
        found.append(step)
    return found


def _with_wholes(wh: dict[str, int | None]) -> dict[str, int | None]:
    for name, (one, other) in WHOLES.items():
        first, second = wh[one], wh[other]
        wh[name] = first + second if first is not None and second is not None else None
    return wh


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
