"""The feeds of emoncms: PHPFINA (`N.meta`, `N.dat`), PHPTIMESERIES (`feed_N.MYD`), and what it exports as CSV.

PHPFINA has one little-endian float32 an interval, NaN where nothing came; its meta holds two unused words, the interval
and the start, uint32 seconds. PHPTIMESERIES has records of nine bytes: 249, uint32 seconds, float32.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from functools import partial
from math import isfinite
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.archive.imports import tables
from gateway.archive.imports.source import BadFile, Sample, Series, unreadable
from gateway.clock import UtcMs
from gateway.errors import Text

IRREGULAR_MS = 600_000
_POINTS = 65_536
_RECORD = struct.Struct("<BIf")
_MARK = 249
_META_BYTES = 16
_LONGEST_S = 86_400 * 31
_FURTHEST_S = 4_102_444_800


def read(files: list[Path], zone: ZoneInfo) -> list[Series]:
    """Return the feeds of these files; raise BadFile for what is none of emoncms's."""
    found: dict[str, Series] = {}
    for file in files:
        if file.suffix in (".meta", ".dat"):
            one = [_fixed(file.with_suffix(".meta"), file.with_suffix(".dat"))]
        elif file.suffix == ".MYD":
            one = [_variable(file)]
        elif file.suffix.lower() == ".csv":
            one = tables.read(file, zone, IRREGULAR_MS)
        else:
            raise BadFile(
                file,
                Text(
                    "on attend N.dat avec N.meta, feed_N.MYD ou un .csv",
                    "expected N.dat with N.meta, feed_N.MYD or a .csv",
                ),
            )
        found |= {series.id: series for series in one}
    return list(found.values())


def _fixed(meta: Path, data: Path) -> Series:
    try:
        head = meta.read_bytes()
        size = data.stat().st_size
    except OSError as error:
        raise unreadable(Path(error.filename), error) from None
    if len(head) < _META_BYTES:
        raise BadFile(meta, Text("trop court : 16 octets attendus", "too short: 16 bytes expected"))
    interval, start = struct.unpack_from("<II", head, 8)
    if not 0 < interval <= _LONGEST_S:
        raise BadFile(meta, Text(f"interval : {interval} s n’est pas possible", f"interval: {interval} s cannot be"))
    if not 0 < start < _FURTHEST_S or start + interval * (size // 4) >= _FURTHEST_S:
        raise BadFile(meta, Text(f"start_time : {start} n’est pas possible", f"start_time: {start} cannot be"))
    name = data.stem
    return Series(name, f"feed {name}", "", None, interval * 1000, partial(_fixed_samples, data, start, interval))


def _fixed_samples(data: Path, start: int, interval: int) -> Iterator[Sample]:
    try:
        with data.open("rb") as file:
            at = start * 1000
            while piece := file.read(4 * _POINTS):
                values = array("f", piece[: len(piece) // 4 * 4])
                if sys.byteorder == "big":
                    values.byteswap()
                for value in values:
                    if isfinite(value):
                        yield UtcMs(at), value
                    at += interval * 1000
    except OSError as error:
        raise unreadable(data, error) from None


def _variable(file: Path) -> Series:
    name = file.stem.removeprefix("feed_")
    # looked through once at the start, so that a damaged record is said before anything else
    for _ in _variable_samples(file):
        pass
    return Series(name, f"feed {name}", "", None, IRREGULAR_MS, partial(_variable_samples, file))


def _variable_samples(file: Path) -> Iterator[Sample]:
    try:
        with file.open("rb") as data:
            count = 0
            while piece := data.read(_RECORD.size * _POINTS):
                for mark, at, value in _RECORD.iter_unpack(piece[: len(piece) // _RECORD.size * _RECORD.size]):
                    if mark != _MARK or not 0 < at < _FURTHEST_S:
                        raise BadFile(file, Text(f"enregistrement {count} abîmé", f"record {count} is damaged"))
                    count += 1
                    if isfinite(value):
                        yield UtcMs(at * 1000), value
    except OSError as error:
        raise unreadable(file, error) from None
