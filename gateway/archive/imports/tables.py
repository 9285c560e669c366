"""CSV with a time in the first column and numbers in the others, as emoncms and spreadsheets write it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.archive.imports.source import BadFile, Sample, Series, moment, number, unreadable
from gateway.clock import UtcMs
from gateway.errors import Text

_SEPARATORS = "\t;,"
_MOST_COLUMNS = 500


def lines_of(file: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of a CSV file; raise BadFile where it cannot be read as one."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text, delimiter=separator)
            for cells in rows:
                yield rows.line_num, cells
    except OSError as error:
        raise unreadable(file, error) from None
    except UnicodeDecodeError:
        raise BadFile(file, Text("n’est pas du texte en UTF-8", "is no text in UTF-8")) from None
    except csv.Error as error:
        raise BadFile(file, Text(f"n’est pas du CSV lisible ({error})", f"is no readable CSV ({error})")) from None


def read(file: Path, zone: ZoneInfo, hold_ms: int) -> list[Series]:
    """Return one series a column; the whole file is read once, so that a bad line is said before anything else."""
    separator = _separator(file)
    first = next((cells for _, cells in lines_of(file, separator) if any(cells)), None)
    if first is None or not 2 <= len(first) <= _MOST_COLUMNS:  # noqa: PLR2004 - a time and a value
        raise BadFile(
            file,
            Text(
                "une colonne de temps et une de valeurs sont attendues",
                "a column of times and one of values are expected",
            ),
        )
    named = not _is_moment(first[0], zone)
    for _ in _rows(file, separator, zone, skip=named):
        pass
    found: list[Series] = []
    for column in range(1, len(first)):
        name = first[column].strip() if named and first[column].strip() else str(column)
        id_ = name if name not in [one.id for one in found] else f"{name}#{column}"
        reader = partial(_samples, file, separator, zone, column, skip=named)
        found.append(Series(id_, name, "", None, hold_ms, reader))
    return found


def _separator(file: Path) -> str:
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as text:
            head = text.readline(10_000)
    except OSError as error:
        raise unreadable(file, error) from None
    # where there is another, the comma is that of French decimals
    return next((one for one in _SEPARATORS if one in head), ",")


def _is_moment(text: str, zone: ZoneInfo) -> bool:
    try:
        moment(text, zone)
    except (ValueError, OverflowError):
        return False
    return True


def _rows(file: Path, separator: str, zone: ZoneInfo, *, skip: bool) -> Iterator[tuple[UtcMs, list[float | None]]]:
    last: UtcMs | None = None
    for line, cells in lines_of(file, separator):
        if not any(cell.strip() for cell in cells):
            continue
        if skip:
            skip = False
            continue
        try:
            last = moment(cells[0], zone, last)
        except (ValueError, OverflowError):
            raise BadFile(
                file, Text(f"« {cells[0]} » n’est pas un instant", f"“{cells[0]}” is no time"), line
            ) from None
        yield last, [_cell(file, line, cell, separator) for cell in cells[1:]]


def _cell(file: Path, line: int, cell: str, separator: str) -> float | None:
    try:
        return number(cell if separator == "," else cell.replace(",", "."))
    except ValueError:
        raise BadFile(file, Text(f"« {cell} » n’est pas un nombre", f"“{cell}” is no number"), line) from None


def _samples(file: Path, separator: str, zone: ZoneInfo, column: int, *, skip: bool) -> Iterator[Sample]:
    for at, values in _rows(file, separator, zone, skip=skip):
        value = values[column - 1] if column <= len(values) else None
        if value is not None:
            yield at, value
