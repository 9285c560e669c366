"""What InfluxDB exports: line protocol, the annotated CSV of Flux, and the CSV of its version 1 command.

A series is named `measurement,tag=value/field`. Text and booleans are left aside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.archive.imports.lines import points_of_line
from gateway.archive.imports.source import BadFile, Sample, Series, moment, number, unreadable
from gateway.archive.imports.tables import lines_of
from gateway.clock import UtcMs
from gateway.errors import Text

IRREGULAR_MS = 600_000
_MOST_UNSORTED = 10_000_000
_OF_FLUX = {"", "result", "table"}

Row = tuple[str, UtcMs, float]
"""Series, time, value."""


def read(files: list[Path], zone: ZoneInfo) -> list[Series]:
    """Return the series of these files; each file is read once whole, so that a bad line is said first."""
    found: dict[str, Series] = {}
    for file in files:
        rows = partial(_rows_of(file), file, zone)
        last: dict[str, UtcMs] = {}
        unsorted: set[str] = set()
        for name, at, _ in rows():
            if at < last.get(name, 0):
                unsorted.add(name)
            last[name] = at
        for name in last:
            id_ = name if name not in found else f"{name} ({file.name})"
            reader = partial(_sorted if name in unsorted else _samples, rows, name)
            found[id_] = Series(id_, name, "", None, IRREGULAR_MS, reader)
    return list(found.values())


def _rows_of(file: Path) -> Callable[[Path, ZoneInfo], Iterator[Row]]:
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as text:
            head = next((line for line in text if line.strip()), "")
    except OSError as error:
        raise unreadable(file, error) from None
    if head.startswith(("#group", "#datatype", "#default")) or ("_time" in head and "_value" in head):
        return _flux_rows
    return _command_rows if head.startswith("name,") else _line_rows


def _samples(rows: Callable[[], Iterator[Row]], name: str) -> Iterator[Sample]:
    return ((at, value) for series, at, value in rows() if series == name)


def _sorted(rows: Callable[[], Iterator[Row]], name: str) -> Iterator[Sample]:
    samples = []
    for sample in _samples(rows, name):
        samples.append(sample)
        if len(samples) > _MOST_UNSORTED:
            raise BadFile(
                Path(name),
                Text(
                    "trop de valeurs dans le désordre : exportez-les par dates",
                    "too many values out of order: export them by date",
                ),
            )
    return iter(sorted(samples))


def _line_rows(file: Path, zone: ZoneInfo) -> Iterator[Row]:
    try:
        with file.open(encoding="utf-8-sig") as text:
            for count, line in enumerate(text, start=1):
                plain = line.strip()
                # the head that the export of version 1 writes before its points
                if not plain or plain.startswith(("#", "CREATE DATABASE ")):
                    continue
                try:
                    series, fields, stamp = points_of_line(plain)
                    at = moment(stamp, zone)
                except (ValueError, OverflowError):
                    raise BadFile(
                        file,
                        Text(
                            "ce n’est pas une ligne d’InfluxDB avec son instant",
                            "this is no line of InfluxDB with its time",
                        ),
                        count,
                    ) from None
                for field, value in fields:
                    yield f"{series}/{field}", at, value
    except OSError as error:
        raise unreadable(file, error) from None
    except UnicodeDecodeError:
        raise BadFile(file, Text("n’est pas du texte en UTF-8", "is no text in UTF-8")) from None


def _flux_rows(file: Path, zone: ZoneInfo) -> Iterator[Row]:
    header: list[str] | None = None
    for line, cells in lines_of(file, ","):
        if not any(cells) or cells[0].startswith("#"):
            header = None
        elif header is None:
            header = cells
            missing = [name for name in ("_time", "_value") if name not in header]
            if missing:
                raise BadFile(
                    file, Text(f"la colonne {missing[0]} manque", f"the column {missing[0]} is missing"), line
                )
        else:
            row = dict(zip(header, cells, strict=False))
            tags = ",".join(f"{name}={row[name]}" for name in sorted(row) if not _is_flux(name) and row[name])
            series = row.get("_measurement", "") + ("," + tags if tags else "")
            yield from _row(
                file, line, zone, f"{series}/{row.get('_field', 'value')}", row.get("_time", ""), row.get("_value", "")
            )


def _is_flux(name: str) -> bool:
    return name in _OF_FLUX or name.startswith("_")


def _command_rows(file: Path, zone: ZoneInfo) -> Iterator[Row]:
    header: list[str] | None = None
    for line, cells in lines_of(file, ","):
        if not any(cells):
            header = None
        elif header is None or (cells[0] == "name" and "time" in cells):
            header = cells
            if "time" not in header:
                raise BadFile(file, Text("la colonne time manque", "the column time is missing"), line)
        else:
            row = dict(zip(header, cells, strict=False))
            series = row.get("name", "") + ("," + row["tags"] if row.get("tags") else "")
            for field in header:
                if field not in ("name", "tags", "time"):
                    yield from _row(file, line, zone, f"{series}/{field}", row.get("time", ""), row.get(field, ""))


def _row(file: Path, line: int, zone: ZoneInfo, series: str, at: str, value: str) -> Iterator[Row]:
    try:
        found = number(value)
    except ValueError:
        return  # text or a boolean, which are left aside
    if found is None:
        return
    try:
        yield series, moment(at, zone), found
    except (ValueError, OverflowError):
        raise BadFile(file, Text(f"« {at} » n’est pas un instant", f"“{at}” is no time"), line) from None
