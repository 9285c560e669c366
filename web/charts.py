"""The energy of a period as the page shows it: rows of tenths of a kWh that add up, across and down. Pure.

Only the parts are rounded (used from the roof, bought, sent to the grid), each column by its running total. The wholes
(used, made) are sums of what is shown. So every row and every column adds up to the last digit, and no shown total is
further than a tenth of a kWh from the truth by part. A whole with an unknown part is the sum of the others: "at least".
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
    """One stretch: Wh to show by column (multiples of 100, None unknown), and how far it was measured (0 to 1).

    `least` names the wholes that are at least what is shown.
    """

    wh: Mapping[str, int | None]
    coverage: float
    estimated: bool
    least: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        """Tell whether anything at all was measured."""
        return any(value is not None for value in self.wh.values())

    @property
    def self_share(self) -> float | None:
        """What part of the energy used came from the roof, 0 to 1."""
        used, own = self.wh["used"], self.wh["self"]
        return own / used if used and own is not None and "used" not in self.least else None


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a period and their sums. `lead` rows at the head come before anything was ever measured.

    `whole` is False when something after them was not measured.
    """

    rows: tuple[Row, ...]
    total: Row
    lead: int
    whole: bool


def parts(energy: Energy, *, has_pv: bool) -> dict[str, float | None]:
    """Return the three parts of one stretch, in Wh; without panels all that is used is bought."""
    own = energy.self_consumption_wh if has_pv else 0.0
    return {"self": own, "bought": energy.import_wh, "sent": energy.export_wh if has_pv else 0.0}


def table(buckets: Iterable[Energy | None], *, has_pv: bool) -> Table:
    """Return the table of consecutive stretches; None is a stretch the store knows nothing of."""
    listed = list(buckets)
    split = [parts(one, has_pv=has_pv) if one is not None else dict.fromkeys(PARTS) for one in listed]
    columns = {name: _running([one[name] for one in split]) for name in PARTS}
    rows = tuple(
        _row({name: columns[name][n] for name in PARTS}, one.coverage if one else 0.0, bool(one and one.estimated))
        for n, one in enumerate(listed)
    )
    lead = next((n for n, row in enumerate(rows) if row.known), len(rows))
    seen = rows[lead:]
    total = Row(
        {name: _sum([row.wh[name] for row in rows]) for name in COLUMNS},
        sum(row.coverage for row in seen) / len(seen) if seen else 0.0,
        any(row.estimated for row in rows),
        frozenset(name for name in WHOLES if any(row.wh[name] is None or name in row.least for row in seen)),
    )
    whole = all(value is not None for row in seen for value in row.wh.values()) and not total.least
    return Table(rows, total, lead, whole)


def _row(wh: dict[str, int | None], coverage: float, estimated: bool) -> Row:
    least = set()
    for name, (one, other) in WHOLES.items():
        known = [value for value in (wh[one], wh[other]) if value is not None]
        partial = len(known) == 1
        wh[name] = sum(known) if known and (any(known) or not partial) else None  # "at least 0" says nothing
        if partial and wh[name] is not None:
            least.add(name)
    return Row(wh, coverage, estimated, frozenset(least))


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


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
