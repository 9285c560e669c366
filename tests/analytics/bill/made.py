"""Made-up homes: half-hours of a year, in every shape that Enedis writes them."""

import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
HALF_HOUR = 1800

ABOUT = (
    "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;"
    "Etape metier;Unite;Pas en minutes"
)


def midnight(day):
    return round(datetime(day.year, day.month, day.day, tzinfo=PARIS).timestamp())


def half_hours(start, end):
    """Return (end of the slot in UTC seconds, watts) of each half-hour of [start, end): more in the evening."""
    found = []
    for at in range(midnight(start) + HALF_HOUR, midnight(end) + 1, HALF_HOUR):
        hour = datetime.fromtimestamp(at - HALF_HOUR, PARIS).hour
        found.append((at, 120 + (at // HALF_HOUR * 37) % 611 + (900 if 18 <= hour < 22 else 0)))
    return found


def total_wh(rows):
    return sum(watts for _, watts in rows) / 2


def local(at):
    return datetime.fromtimestamp(at, UTC).astimezone(PARIS)


def customer_space(rows, *, about="1111;Courbe de charge;;;Energie active;Consommation;Comptage Brut;W;", tail=""):
    lines = [ABOUT, about, "Horodate;Valeur"]
    lines += [f"{local(at).isoformat()};{watts}{tail}" for at, watts in rows]
    return "\r\n".join(lines).encode("utf-8-sig")


def naive(rows):
    return "\n".join(["date;value", *(f"{local(at):%Y-%m-%d %H:%M:%S};{watts}" for at, watts in rows)]).encode()


def database(rows):
    lines = (f'{watts},"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}+00"' for at, watts in rows)
    return "\n".join(['"value","created_at"', *lines]).encode()


def latin(rows):
    head = "Date de la mesure;Heure de la mesure;Valeur (en Wh);Statut de la mesure;PRM;Type de données"
    lines = (
        f"{local(at):%d/%m/%Y};{local(at):%H:%M};{f'{watts / 2:.1f}'.replace('.', ',')};Réelle;123;Énergie"
        for at, watts in rows
    )
    return "\n".join([head, *lines]).encode("latin-1")


def flow_file(rows):
    head = (
        "Identifiant PRM;Date de début;Date de fin;Grandeur physique;Grandeur métier;Etape métier;Unité;Horodate;"
        "Valeur;Nature;Pas;Indice de vraisemblance;Etat complémentaire"
    )
    lines = (f"123;;;PA;CONS;BRUT;W;{local(at):%Y-%m-%d %H:%M:%S};{watts};B;PT30M;0;0" for at, watts in rows)
    return "\n".join([head, *lines]).encode()


def data_connect(rows):
    readings = [
        {"value": str(watts), "date": f"{local(at):%Y-%m-%d %H:%M:%S}", "interval_length": "PT30M", "measure_type": "B"}
        for at, watts in rows
    ]
    kind = {"measurement_kind": "power", "unit": "W", "aggregate": "average"}
    return json.dumps(
        {"meter_reading": {"usage_point_id": "123", "reading_type": kind, "interval_reading": readings}}
    ).encode()


def workbook(rows):
    def row(number, cells):
        inner = "".join(
            f'<c r="{chr(65 + place)}{number}" t="inlineStr"><is><t>{escape(str(cell))}</t></is></c>'
            if isinstance(cell, str)
            else f'<c r="{chr(65 + place)}{number}"><v>{cell}</v></c>'
            for place, cell in enumerate(cells)
        )
        return f'<row r="{number}">{inner}</row>'

    lines = [row(1, ["Horodate", "Valeur (en W)"])]
    lines += [row(n, [local(at).isoformat(), watts]) for n, (at, watts) in enumerate(rows, 2)]
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f"{''.join(lines)}</sheetData></worksheet>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("xl/worksheets/sheet1.xml", sheet)
    return out.getvalue()


SHAPES = {
    "customer space": customer_space,
    "naive hours": naive,
    "database": database,
    "Windows encoding and commas": latin,
    "flow R63": flow_file,
    "Data Connect": data_connect,
    "workbook": workbook,
}


def colours(start, end, *, red=(), white=()):
    """Return the colours of [start - 1, end): blue but for the days named."""
    days = [start + timedelta(days=n) for n in range(-1, (end - start).days)]
    return {day: "red" if day in red else "white" if day in white else "blue" for day in days}


def calendar_file(found):
    return "".join(["date,colour\n", *(f"{day},{colour.upper()}\n" for day, colour in found.items())])


YEAR = (date(2025, 9, 1), date(2026, 9, 1))
