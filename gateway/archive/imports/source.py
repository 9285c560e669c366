"""What an import reads, whatever wrote it: series of (time, number), and one way to say what is wrong with a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.clock import UtcMs, from_datetime
from gateway.errors import FoyerError, Text

Sample = tuple[UtcMs, float]

HOUR_MS = 3_600_000
_FURTHEST_MS = 4_102_444_800_000  # the year 2100: what is later is no time
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_FRACTION = re.compile(r"(\.\d{6})\d+")


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a source. `unit` is the source's own word, empty when it has none.

    `counts` tells whether it accumulates, None when only its unit can tell. A value that is no count stands for
    `hold_ms` at most, from its time on. `read` gives the samples, oldest first, as often as it is asked.
    """

    id: str
    name: str
    unit: str
    counts: bool | None
    hold_ms: int
    read: Callable[[], Iterator[Sample]]


class BadFile(FoyerError):
    """A file that is not what it should be: which, where in it, and what is wrong."""

    def __init__(self, file: Path, what: Text, line: int | None = None) -> None:
        where_fr = f"{file.name}, ligne {line}" if line is not None else file.name
        where_en = f"{file.name}, line {line}" if line is not None else file.name
        super().__init__(Text(f"{where_fr} : {what.fr}.", f"{where_en}: {what.en}."))


def unreadable(file: Path, error: OSError) -> BadFile:
    """Return what to raise for a file that the system does not let us read."""
    why = error.strerror or "?"
    return BadFile(file, Text(f"ne peut pas être lu ({why})", f"cannot be read ({why})"))


def number(text: str) -> float | None:
    """Return a finite number; None for an empty cell, NaN and null. Raises ValueError for anything else."""
    plain = text.strip()
    if plain.lower() in ("", "nan", "null", "none"):
        return None
    if not _NUMBER.fullmatch(plain):
        raise ValueError(plain)
    found = float(plain)
    return found if isfinite(found) else None


def moment(text: str, zone: ZoneInfo, after: int | None = None) -> UtcMs:
    """Return a time: a count of s, ms, us or ns since 1970, told apart by their size, or a date and time.

    Without an offset it is local; the hour that comes twice is its second turn when that is what follows `after`.
    Raises ValueError.
    """
    plain = text.strip()
    if _NUMBER.fullmatch(plain):
        return _since_1970(plain)
    at = datetime.fromisoformat(_FRACTION.sub(r"\1", plain))
    if at.tzinfo is None:
        local = at.replace(tzinfo=zone)
        found, again = from_datetime(local.astimezone(UTC)), from_datetime(local.replace(fold=1).astimezone(UTC))
        return _checked(again if after is not None and found <= after < again else found)
    return _checked(from_datetime(at))


def _since_1970(plain: str) -> UtcMs:
    # ns would lose their end as a float
    count = int(plain) if plain.lstrip("+-").isdigit() else float(plain)
    for least, per_ms in ((1e17, 1_000_000), (1e14, 1_000), (1e11, 1)):
        if abs(count) >= least:
            return _checked(int(count // per_ms))
    return _checked(int(count * 1000))


def _checked(at: int) -> UtcMs:
    if not 0 < at < _FURTHEST_MS:
        raise ValueError(at)
    return UtcMs(at)


def in_order(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield the samples whose time is later than the one before."""
    last = 0
    for at, value in samples:
        if at > last:
            last = at
            yield at, value
