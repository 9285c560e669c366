"""Writes everything the home owns into one zip, in open formats: CSV, Parquet where its library is there, and JSON.

Signals go by one at a time, by days or months, so that ten years need no more memory than one.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from gateway.archive import parquet
from gateway.archive.home_data import home_data
from gateway.archive.readme import readme
from gateway.clock import Clock, UtcMs, from_datetime, to_datetime, to_iso
from gateway.config import Config
from gateway.errors import FoyerError, Text
from gateway.signals import Kind, find, split_device
from gateway.store.read import Point, Reader, Step
from gateway.store.steps import edges, step_of, zone_of

COLUMNS = ("at_utc", "at_local", "value", "unit", "quality")
_FINE = (Step.RAW, Step.MINUTE)
_ZIP = "export.zip"


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds: rows by signal, its span, and whether there is Parquet in it."""

    rows: dict[str, int]
    start: UtcMs
    end: UtcMs
    step: str
    parquet: bool


@dataclass(frozen=True, slots=True)
class Span:
    """What is asked for: [start, end) in UTC ms, by `step`; days and months are those of `zone`."""

    start: UtcMs
    end: UtcMs
    step: Step
    zone: ZoneInfo

    def windows(self) -> Iterator[tuple[UtcMs, UtcMs]]:
        """Yield the pieces that are read at once: a day of fine steps, a month of others."""
        piece = Step.DAY if self.step in _FINE else Step.MONTH
        for start, end in pairwise(edges(self.start, self.end, piece, self.zone)):
            yield max(start, self.start), min(end, self.end)


def export(
    config: Config,
    target: Path,
    clock: Clock,
    *,
    since: UtcMs | None = None,
    until: UtcMs | None = None,
    step: str = "30m",
    language: str = "fr",
    progress: Callable[[str], None] = lambda _: None,
) -> Exported:
    """Write the zip `target`, which must not exist; times left out are those of the whole store. Raises FoyerError."""
    if target.exists():
        raise FoyerError(
            Text(f"{target} existe déjà ; rien n’a été écrit.", f"{target} exists already; nothing was written."),
            Text("Choisissez un autre nom.", "Choose another name."),
        )
    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as work:
            made = _write(config, Path(work), clock, (since, until), step_of(step), language, progress)
            (Path(work) / _ZIP).rename(target)
    except OSError as error:
        raise FoyerError(
            Text(f"L’export n’a pas pu être écrit : {error}.", f"The export could not be written: {error}."),
            Text("Vérifiez la place et le droit d’écrire.", "Check the room left and the right to write."),
        ) from error
    return made


def _write(
    config: Config,
    work: Path,
    clock: Clock,
    asked: tuple[UtcMs | None, UtcMs | None],
    step: Step,
    language: str,
    progress: Callable[[str], None],
) -> Exported:
    (work / _ZIP).touch(0o600)
    zone = zone_of(config.home.timezone)
    rows: dict[str, int] = {}
    with (
        Reader(config.measure_db, clock) as reader,
        zipfile.ZipFile(work / _ZIP, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        info = reader.info()
        start = asked[0] if asked[0] is not None else info.first or clock.now()
        end = asked[1] if asked[1] is not None else UtcMs((info.last or start) + 1)
        span = Span(start, UtcMs(max(end, start + 1)), step, zone)
        with parquet.converter(work) as converter:
            for signal in info.signals:
                progress(signal)
                name = file_name(signal, language)
                table = work / "table.csv"
                rows[signal] = _write_table(reader, signal, span, table)
                archive.write(table, f"csv/{name}.csv")
                if converter is not None:
                    made = converter.convert(table, is_text=_is_state(signal))
                    archive.write(made, f"parquet/{name}.parquet", zipfile.ZIP_STORED)
                    made.unlink()
                table.unlink()
        with archive.open("csv/energy-by-day.csv", "w") as out:
            _write_energy(reader, span, out)
        archive.writestr("home.json", json.dumps(home_data(config), ensure_ascii=False, indent=1))
        whole = Exported(rows, span.start, span.end, step.value, converter is not None)
        for tongue, name in (("fr", "LISEZ-MOI.txt"), ("en", "README.txt")):
            archive.writestr(
                name, readme(tongue, config, whole, info.demo, {one: file_name(one, language) for one in rows})
            )
    return whole


def file_name(signal: str, language: str) -> str:
    """Return a name for people and programs: `energie-achetee__grid.import.energy`. Pure."""
    known = find(signal)
    label = known.label.pick(language) if known else signal
    device = split_device(signal)[1]
    plain = unicodedata.normalize("NFKD", f"{label} {device}".lower().replace("œ", "oe"))
    slug = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode()).strip("-")
    return f"{slug}__{signal}"


def _is_state(signal: str) -> bool:
    known = find(signal)
    return known is not None and known.kind is Kind.STATE


def points(reader: Reader, signal: str, span: Span) -> Iterator[Point]:
    """Yield what is known of a signal over a span, oldest first; what is unknown of a measure is left out.

    A state keeps its unknowns: they say until when the one before holds.
    """
    state = _is_state(signal)
    last: Point | None = None
    for start, end in span.windows():
        for point in reader.history(signal, start, end, span.step, span.zone.key, limit=None).points:
            at, value, _ = point
            if last is not None and (at <= last[0] or (state and value == last[1])):
                continue
            if value is not None or (state and last is not None):
                last = point
                yield point


def _write_table(reader: Reader, signal: str, span: Span, path: Path) -> int:
    known = find(signal)
    unit = known.unit if known else ""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\r\n")
        rows.writerow(COLUMNS)
        for at, value, quality in points(reader, signal, span):
            shown = "" if value is None else value
            rows.writerow((to_iso(at), local(at, span.zone), shown, unit, quality.value))
            count += 1
    return count


def local(at: UtcMs, zone: ZoneInfo) -> str:
    """Return a time as the clock at home showed it, with its offset: the repeated hour of October is told apart."""
    return to_datetime(at).astimezone(zone).isoformat(timespec="seconds")


_ENERGY = ("import_wh", "export_wh", "production_wh", "consumption_wh", "self_consumption_wh", "self_sufficiency")


def _write_energy(reader: Reader, span: Span, out: IO[bytes]) -> None:
    out.write((",".join(("day", *_ENERGY, "coverage", "estimated")) + "\r\n").encode())
    for start, end in _years(span):
        for day in reader.energy(start, end, Step.DAY, span.zone.key):
            figures = [getattr(day, name) for name in _ENERGY]
            cells = ["" if one is None else str(one) for one in figures]
            date = to_datetime(day.start).astimezone(span.zone).date().isoformat()
            out.write((",".join([date, *cells, str(day.coverage), str(day.estimated).lower()]) + "\r\n").encode())


def _years(span: Span) -> Iterator[tuple[UtcMs, UtcMs]]:
    """Yield the span by local years, so that a page's limit of points is never met."""
    at = span.start
    while at < span.end:
        here = to_datetime(at).astimezone(span.zone)
        after = from_datetime(
            here.replace(year=here.year + 1, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        )
        yield at, min(after, span.end)
        at = after
