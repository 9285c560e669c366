"""Load curves: energy drawn from the grid, slot by slot, whatever file it comes in.

`read_curve(data)` takes the bytes of any of the files of `docs/developers/tariffs.md` and returns a `Curve`: slots in
UTC seconds and whole millijoules, so that every sum is exact. A stamp is the END of its slot; the long day of October
has 25 hours of them and the short one of March 23. Nothing is filled in: what is missing is told. Anything that cannot
be read raises `CurveError`, which names the line and the mend.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.errors import FoyerError, Text

PARIS = ZoneInfo("Europe/Paris")
MJ_PER_WH = 3_600_000
MJ_PER_KWH = 1000 * MJ_PER_WH
MAX_BYTES = 64 << 20
HOUR = 3600


class CurveError(FoyerError):
    """A file that is not a load curve this box can read: where, and what to do."""


class Slot(NamedTuple):
    """Energy over [start, end), UTC seconds; `mj` whole millijoules."""

    start: int
    end: int
    mj: int


@dataclass(frozen=True, slots=True)
class DayRegisters:
    """Energy of each register (mJ) from one day to another (excluded), from indexes; names as in TARIFF_INDEXES."""

    start: date
    end: date
    mj: dict[str, int]


@dataclass(frozen=True, slots=True)
class Curve:
    """Slots in order of time, none over another, and what is worth saying about the file.

    `registers` is filled by files of indexes. `peak_va` is the highest power the meter told, None when it tells none.
    """

    slots: list[Slot]
    notes: list[Text] = field(default_factory=list)
    registers: list[DayRegisters] = field(default_factory=list)
    peak_va: int | None = None

    @property
    def total_mj(self) -> int:
        """All the energy of the curve."""
        return sum(slot.mj for slot in self.slots)

    def days(self, zone: ZoneInfo = PARIS) -> tuple[date, date]:
        """Return the first day that the curve holds whole and the one after the last; raise CurveError if none."""
        if self.slots:
            first = datetime.fromtimestamp(self.slots[0].start, UTC).astimezone(zone)
            last = datetime.fromtimestamp(self.slots[-1].end, UTC).astimezone(zone)
            start = first.date() + timedelta(days=1 if first.time().isoformat() != "00:00:00" else 0)
            if start < last.date():
                return start, last.date()
        raise CurveError(
            Text("Cette courbe ne contient pas un jour entier.", "This curve does not hold a whole day."),
            Text("Demandez un export plus long.", "Ask for a longer export."),
        )


def midnight(day: date, zone: ZoneInfo = PARIS) -> int:
    """Return when a day of the home begins, in UTC seconds."""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def read_curve(data: bytes, name: str = "") -> Curve:
    """Return the curve in a file's bytes; raise CurveError and nothing else."""
    # imported here: the shapes are made of the names above
    from analytics import curves_json, curves_shapes, curves_xlsx  # noqa: PLC0415

    if len(data) > MAX_BYTES:
        raise CurveError(
            Text(f"Le fichier {name} est trop gros.", f"The file {name} is too large."),
            Text("Gardez un ou deux ans par fichier.", "Keep a year or two to a file."),
        )
    if data.startswith(b"PK"):
        return curves_shapes.from_rows(curves_xlsx.rows(data, name), name)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return curves_json.read(data, name)
    return curves_shapes.from_rows(curves_shapes.rows_of_text(data), name)


def load_curve(path: Path) -> Curve:
    """Return the curve of a file; raise CurveError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CurveError(
            Text(
                f"Le fichier {path} ne se lit pas : {error.strerror}.",
                f"The file {path} cannot be read: {error.strerror}.",
            )
        ) from None
    return read_curve(data, path.name)
