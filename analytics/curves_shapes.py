"""The shapes of Enedis files: which column is what, block after block. Rows in, a `Curve` out. Pure.

Headers are matched without accents or case, so that a file saved in the wrong encoding still reads. A file may hold
several blocks, each with its header: a curve, indexes, the names of the registers, the highest powers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from analytics.curves import Curve, CurveError, Slot, midnight
from analytics.curves_index import Indexes, days_of, named_registers, register_of
from analytics.curves_steps import Stamped, slots_of
from analytics.curves_values import (
    ENERGY,
    MAX_VALUE,
    POWER,
    bad_line,
    day_of,
    naive_or_aware,
    number,
    plain,
    step_of,
    unit_in,
    utc,
)
from gateway.errors import Text

Row = tuple[int, list[str]]

_STAMPS = ("horodate", "datedelamesure", "dateheure", "datetime", "createdat", "timestamp", "date", "jour")
_HOURS = ("heuredelamesure", "heure")
_VALUES = ("valeur", "value", "consommation", "puissance", "energie", "wh", "kwh", "w")
_SENT = ("injection", "production", "prod")
_LONGEST_DATE = 10
_DAY_S = 86_400


@dataclass(slots=True)
class _Layout:
    """The columns of the block being read; None where the file has no such column."""

    kind: str
    headers: list[str]
    stamp: int
    value: int | None = None
    hour: int | None = None
    unit: int | None = None
    step: int | None = None
    prm: int | None = None
    flow: int | None = None
    told_unit: str | None = None
    told_step: int | None = None


@dataclass(slots=True)
class _Found:
    """What the blocks read so far have given."""

    stamped: list[Stamped] = field(default_factory=list)
    daily: dict[int, Slot] = field(default_factory=dict)
    indexes: Indexes = field(default_factory=Indexes)
    peak_va: int | None = None
    prm: str = ""
    assumed_w: bool = False
    previous: int | None = None


def rows_of_text(data: bytes) -> Iterator[Row]:
    """Yield (line number, cells) of a text file: UTF-8 with or without mark, else Windows; `;`, tab or comma."""
    text = _decode(data)
    head = text[:2000]
    delimiter = next((sign for sign in (";", "\t") if sign in head), ",")
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error:
        raise bad_line(
            reader.line_num,
            Text("elle ne se découpe pas en colonnes", "it does not split into columns"),
            Text("Exportez de nouveau le fichier.", "Export the file again."),
        ) from None


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def from_rows(rows: Iterable[Row], name: str) -> Curve:
    """Return the curve made of the rows of a file; raise CurveError."""
    found = _Found()
    layout: _Layout | None = None
    about: dict[str, str] = {}
    waiting: list[str] | None = None
    for line, raw in _oldest_first(rows):
        cells = [cell.strip() for cell in raw]
        if not any(cells):
            continue
        if waiting is not None:
            about = dict(zip(waiting, cells, strict=False))
            _check_about(about, line)
            waiting = None
            continue
        if layout is not None and cells[layout.stamp if layout.stamp < len(cells) else 0][:1].isdigit():
            _take(found, layout, line, cells)
            continue
        keys = [plain(cell) for cell in cells]
        if _is_preamble(keys):
            waiting, layout = keys, None
        elif new := _layout_of(keys, cells, about):
            layout = new
        elif layout is None:
            raise _unknown_header(line, cells, keys)
        else:
            _take(found, layout, line, cells)
    return _curve(found, name)


def _oldest_first(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows, those of data turned round when the file goes back in time: repeated hours need their order."""
    every = list(rows)
    stamps = [(place, cells[0]) for place, (_, cells) in enumerate(every) if cells and cells[0][:1].isdigit()]
    if len(stamps) > 1 and stamps[0][1][4:5] == "-" and stamps[0][1][:10] > stamps[-1][1][:10]:
        first, last = stamps[0][0], stamps[-1][0]
        every[first : last + 1] = every[first : last + 1][::-1]
    yield from every


def _is_preamble(keys: Sequence[str]) -> bool:
    return "identifiantprm" in keys and "typededonnees" in keys and not any(key in _STAMPS for key in keys)


def _check_about(about: dict[str, str], line: int) -> None:
    if any(word in plain(text) for text in about.values() for word in _SENT):
        raise _sent(line)


def _sent(line: int) -> CurveError:
    return bad_line(
        line,
        Text(
            "ce fichier donne l’énergie injectée, pas la consommation",
            "this file holds the energy sent to the grid, not consumption",
        ),
        Text("Exportez la consommation.", "Export the consumption."),
    )


def _layout_of(keys: list[str], cells: list[str], about: dict[str, str]) -> _Layout | None:
    """Return the layout that a row announces, or None when it is no header."""
    if keys[0] == "periode" and any(key.startswith("cadran") for key in keys):
        return _Layout("names", cells, 0)
    stamp = next((keys.index(known) for known in _STAMPS if known in keys), None)
    if stamp is None:
        return None
    if any(register_of(cell) for cell in cells):
        return _Layout("indexes", cells, stamp)
    value = next(
        (
            place
            for wanted in _VALUES
            for place, key in enumerate(keys)
            if place != stamp and (key == wanted or (len(wanted) > 2 and key.startswith(wanted)))  # noqa: PLR2004
        ),
        None,
    )
    if value is None:
        return None
    about_unit = next((text for key, text in about.items() if key.startswith("unit")), "")
    about_step = next((text for key, text in about.items() if key.startswith("pas")), "")
    if (
        "va" in (plain(about_unit), plain(cells[value])[-2:])
        or "puissancemax" in "".join((*about.values(), *keys)).lower()
    ):
        return _Layout("peaks", cells, stamp, value)
    return _Layout(
        "points",
        cells,
        stamp,
        value,
        hour=next((keys.index(known) for known in _HOURS if known in keys), None),
        unit=next((place for place, key in enumerate(keys) if key.startswith("unit")), None),
        step=next((place for place, key in enumerate(keys) if key in ("pas", "pasenminutes")), None),
        prm=next((place for place, key in enumerate(keys) if key in ("identifiantprm", "prm")), None),
        flow=next((place for place, key in enumerate(keys) if key.startswith("grandeurm")), None),
        told_unit=unit_in(cells[value]) or unit_in(about_unit),
        told_step=step_of(about_step),
    )


def _unknown_header(line: int, cells: Sequence[str], keys: Sequence[str]) -> CurveError:
    if any(word in key for key in keys for word in _SENT[:2]):
        return _sent(line)
    shown = ";".join(cells)[:60]
    return bad_line(
        line,
        Text(f"« {shown} » n’est pas un en-tête d’Enedis connu", f"“{shown}” is not a known Enedis header"),
        Text(
            "Prenez l’export « courbe de charge » de votre espace Enedis, sans le modifier.",
            "Take the “courbe de charge” export of your Enedis space, as it is.",
        ),
    )


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


def _take(found: _Found, layout: _Layout, line: int, cells: list[str]) -> None:
    if layout.kind == "names":
        for register, code, label in named_registers(cells, layout.headers):
            found.indexes.name(register, code, label)
    elif layout.kind == "indexes":
        _take_indexes(found, layout, line, cells)
    elif layout.kind == "peaks":
        peak = number(_cell(cells, layout.value), line)
        if peak is not None:
            found.peak_va = max(found.peak_va or 0, int(peak))
    else:
        _take_point(found, layout, line, cells)


def _take_indexes(found: _Found, layout: _Layout, line: int, cells: list[str]) -> None:
    at = utc(naive_or_aware(_cell(cells, layout.stamp), line), None)
    registers = {}
    for place, header in enumerate(layout.headers):
        register = register_of(header)
        value = number(_cell(cells, place), line) if register else None
        if register and value is not None:
            registers[register] = int(value)
    if registers:
        found.indexes.readings[at] = registers


def _take_point(found: _Found, layout: _Layout, line: int, cells: list[str]) -> None:
    if plain(_cell(cells, layout.flow)) in _SENT:
        raise _sent(line)
    _same_meter(found, _cell(cells, layout.prm), line)
    stamp = " ".join(filter(None, (_cell(cells, layout.stamp), _cell(cells, layout.hour))))
    value = number(_cell(cells, layout.value), line)
    if value is not None and value > MAX_VALUE:
        raise bad_line(line, Text("la valeur est démesurée", "the value is out of all measure"))
    unit = unit_in(_cell(cells, layout.unit)) or layout.told_unit
    if len(stamp) <= _LONGEST_DATE:
        _take_day(found, unit, stamp, value, line)
        return
    if unit is None:
        found.assumed_w, unit = True, "w"
    end = utc(naive_or_aware(stamp, line), found.previous)
    found.previous = end
    step = step_of(_cell(cells, layout.step)) or layout.told_step
    is_power = unit in POWER
    scale = POWER[unit] if is_power else ENERGY[unit]
    amount = None if value is None else int((value * scale).to_integral_value())
    found.stamped.append(Stamped(end, amount, is_power, step, line))


def _same_meter(found: _Found, prm: str, line: int) -> None:
    if prm and found.prm and prm != found.prm:
        raise bad_line(
            line,
            Text("ce fichier contient deux compteurs", "this file holds two meters"),
            Text("Gardez un seul point de livraison (PRM) par fichier.", "Keep one delivery point (PRM) per file."),
        )
    found.prm = found.prm or prm


def _take_day(found: _Found, unit: str | None, stamp: str, value: Decimal | None, line: int) -> None:
    day = day_of(stamp, line)
    if unit not in ENERGY:
        raise bad_line(
            line,
            Text("une valeur par jour sans unité d’énergie", "a daily value without a unit of energy"),
            Text(
                "Écrivez l’unité dans l’en-tête : « Valeur (en Wh) ».",
                "Write the unit in the header: “Valeur (en Wh)”.",
            ),
        )
    if value is None:
        return
    start = midnight(day)
    end = midnight(type(day).fromordinal(day.toordinal() + 1))
    slot = Slot(start, end, int((value * ENERGY[unit]).to_integral_value()))
    if found.daily.setdefault(start, slot) != slot:
        raise bad_line(
            line,
            Text(f"le {day} a déjà une autre valeur", f"{day} already has another value"),
            Text("Gardez une seule des deux lignes.", "Keep only one of the two lines."),
        )


def _curve(found: _Found, name: str) -> Curve:
    """Return the finest of what a file holds; a coarser one counts the same energy again and is left out."""
    notes: list[Text] = []
    if found.assumed_w:
        notes.append(
            Text("Le fichier ne dit pas son unité : lu en watts.", "The file does not tell its unit: read as watts.")
        )
    if found.stamped:
        slots, more = slots_of(found.stamped)
        if slots:
            return Curve(slots, notes + more, peak_va=found.peak_va)
        notes += more
    if found.indexes.readings:
        slots, registers, more = days_of(found.indexes)
        if slots:
            return Curve(slots, notes + more, registers, found.peak_va)
    if found.daily:
        return Curve([found.daily[start] for start in sorted(found.daily)], notes, peak_va=found.peak_va)
    raise CurveError(
        Text(f"Le fichier {name} ne contient aucune valeur.", f"The file {name} holds no value."),
        Text(
            "Sur le site d’Enedis, ouvrez l’enregistrement de la courbe de charge, puis exportez de nouveau.",
            "On the Enedis site, allow the recording of the load curve, then export again.",
        ),
    )
