"""The first sheet of an Excel workbook as rows of text, with nothing but the standard library.

Only what Enedis's exports use: shared or inline text, numbers, and dates as serial numbers with a date style or not.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from analytics.curves import MAX_BYTES, CurveError
from analytics.curves_shapes import Row
from gateway.errors import Text

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook knows no time zone
_SERIAL = re.compile(r"\d{5}(\.\d+)?")
_COLUMNS = 200


def rows(data: bytes, name: str) -> Iterator[Row]:
    """Yield (row number, cells) of the first sheet; raise CurveError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            shared = _shared(book)
            sheet = _part(book, min(part for part in book.namelist() if part.startswith("xl/worksheets/sheet")))
            found = list(_rows(sheet, shared))
    except (zipfile.BadZipFile, ET.ParseError, KeyError, ValueError, IndexError, OverflowError) as error:
        raise _unreadable(name) from error
    except (NotImplementedError, RuntimeError, EOFError, OSError, zlib.error) as error:
        raise _unreadable(name) from error
    yield from found


def _unreadable(name: str) -> CurveError:
    return CurveError(
        Text(f"Le classeur {name} ne se lit pas.", f"The workbook {name} cannot be read."),
        Text("Ouvrez-le et enregistrez-le en CSV.", "Open it and save it as CSV."),
    )


def _part(book: zipfile.ZipFile, part: str) -> ET.Element:
    if book.getinfo(part).file_size > MAX_BYTES:
        raise ValueError(part)
    text = book.read(part)
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        # a workbook has none; without them the parser has nothing to blow up
        raise ValueError(part)
    return ET.fromstring(text)  # noqa: S314 - bounded in size and without entities


def _shared(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    return [
        "".join(text.text or "" for text in one.iter(f"{_MAIN}t"))
        for one in _part(book, "xl/sharedStrings.xml").iter(f"{_MAIN}si")
    ]


def _rows(sheet: ET.Element, shared: list[str]) -> Iterator[Row]:
    for number, row in enumerate(sheet.iter(f"{_MAIN}row"), 1):
        cells: list[str] = []
        for cell in row.iter(f"{_MAIN}c"):
            column = _column(cell.get("r", ""), len(cells))
            cells += [""] * (column - len(cells))
            cells.append(_text(cell, shared, is_first=column == 0))
        yield number, cells


def _column(reference: str, fallback: int) -> int:
    letters = re.match("[A-Z]{1,3}", reference)
    if not letters:
        return fallback
    place = 0
    for letter in letters[0]:
        place = place * 26 + ord(letter) - ord("A") + 1
    if place > _COLUMNS:
        raise ValueError(reference)
    return max(place - 1, fallback)


def _text(cell: ET.Element, shared: list[str], *, is_first: bool) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(text.text or "" for text in cell.iter(f"{_MAIN}t"))
    value = cell.findtext(f"{_MAIN}v") or ""
    if kind == "s":
        return shared[int(value)]
    if kind == "n" and is_first and _SERIAL.fullmatch(value):
        # the first column of these sheets holds the time, kept as days since the end of 1899
        moment = _EPOCH + timedelta(seconds=round(float(value) * 86_400))
        return moment.isoformat(sep=" ") if "." in value else moment.date().isoformat()
    return value
