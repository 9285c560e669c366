"""A year of half-hours in each shape that Enedis writes, and what goes wrong in such files."""

import zipfile
from datetime import date
from pathlib import Path

import pytest

from analytics.curves import MJ_PER_WH, CurveError, load_curve, midnight, read_curve
from tests.analytics.bill import made

DATA = Path(__file__).parents[2] / "data" / "curves"
DAY = (date(2026, 1, 10), date(2026, 1, 11))


def slots_of(curve, day):
    following = date.fromordinal(day.toordinal() + 1)
    return [one for one in curve.slots if midnight(day) <= one.start < midnight(following)]


@pytest.mark.parametrize("write", made.SHAPES.values(), ids=made.SHAPES.keys())
def test_a_year_in_every_shape_gives_the_same_half_hours(write):
    rows = made.half_hours(*made.YEAR)

    curve = read_curve(write(rows))

    assert len(curve.slots) == 17_520
    assert curve.total_mj == made.total_wh(rows) * MJ_PER_WH
    assert [slot.end for slot in curve.slots] == [at for at, _ in rows]
    assert all(slot.end - slot.start == 1800 for slot in curve.slots)
    assert len(slots_of(curve, date(2025, 10, 26))) == 50
    assert len(slots_of(curve, date(2026, 3, 29))) == 46
    assert curve.days() == made.YEAR


def test_a_stamp_is_the_end_of_its_slot():
    curve = read_curve(b"Horodate;Valeur\n2026-01-10T00:30:00+01:00;100\n2026-01-10T01:00:00+01:00;100\n")

    assert curve.slots[0].start == midnight(date(2026, 1, 10))


@pytest.mark.parametrize(
    ("unit", "value", "wh"),
    [("W", "400", 200), ("W", "400.00000000000006", 200), ("kW", "0,4", 200), ("Wh", "200", 200), ("kWh", "0.2", 200)],
)
def test_power_and_energy_in_any_unit(unit, value, wh):
    text = f"Horodate;Valeur (en {unit})\n2026-01-10T00:30:00+01:00;{value}\n2026-01-10T01:00:00+01:00;{value}\n"

    assert read_curve(text.encode()).total_mj == 2 * wh * MJ_PER_WH


@pytest.mark.parametrize("minutes", [10, 15, 30, 60])
def test_watts_last_as_long_as_their_step(minutes):
    step = minutes * 60
    rows = [(at, 600) for at in range(midnight(DAY[0]) + step, midnight(DAY[1]) + 1, step)]

    curve = read_curve(made.customer_space(rows))

    assert curve.total_mj == 24 * 600 * MJ_PER_WH


def test_steps_that_change_after_a_setting_of_the_meter():
    start, middle, end = (midnight(date(2026, 1, day)) for day in (10, 11, 12))
    rows = [(at, 600) for at in range(start + 3600, middle + 1, 3600)]
    rows += [(at, 600) for at in range(middle + 600, end + 1, 600)]

    assert read_curve(made.customer_space(rows)).total_mj == 48 * 600 * MJ_PER_WH


def test_a_missing_row_is_a_hole_not_a_longer_slot():
    rows = made.half_hours(*DAY)
    del rows[20]

    curve = read_curve(made.customer_space(rows))

    assert len(curve.slots) == 47
    assert curve.total_mj == made.total_wh(rows) * MJ_PER_WH


def test_empty_values_are_told_and_never_zero():
    data = made.customer_space(made.half_hours(*DAY)).replace(b";157\r\n", b";\r\n", 1)
    data = data.replace(b"T12:00:00+01:00;", b"T12:00:00+01:00;;", 1)

    curve = read_curve(data)

    assert len(curve.slots) < 48
    assert "vide" in curve.notes[0].fr


def test_the_same_export_twice_counts_once():
    data = made.customer_space(made.half_hours(*DAY))

    twice = read_curve(data + b"\r\n" + data)

    assert twice.slots == read_curve(data).slots
    assert "48" in twice.notes[0].en


def test_one_hour_with_two_values_is_refused():
    data = made.customer_space(made.half_hours(*DAY)) + b"\r\n2026-01-10T12:00:00+01:00;9999"

    with pytest.raises(CurveError, match="Line 52: this time is already on line 27"):
        read_curve(data)


def test_newest_first_reads_the_same():
    rows = made.half_hours(date(2025, 10, 25), date(2025, 10, 28))
    lines = made.naive(rows).split(b"\n")

    turned = b"\n".join([lines[0], *lines[:0:-1]])

    assert read_curve(turned).slots == read_curve(made.naive(rows)).slots


def test_trailing_semicolons_change_nothing():
    rows = made.half_hours(*DAY)

    assert read_curve(made.customer_space(rows, tail=";")).slots == read_curve(made.customer_space(rows)).slots


def test_accents_of_the_wrong_encoding_still_read():
    rows = made.half_hours(*DAY)

    assert read_curve(made.flow_file(rows).decode().encode("cp1252")).slots == read_curve(made.flow_file(rows)).slots
    mangled = made.flow_file(rows).decode("cp1252").encode()
    assert read_curve(mangled).slots == read_curve(made.flow_file(rows)).slots


@pytest.mark.parametrize("word", ["Production", "Injection"])
def test_a_file_of_injection_is_refused_as_consumption(word):
    about = f"1111;Courbe de charge;;;Energie active;{word};Comptage Brut;W;"

    with pytest.raises(CurveError, match="energy sent to the grid"):
        read_curve(made.customer_space(made.half_hours(*DAY), about=about))


def test_daily_injection_is_refused():
    with pytest.raises(CurveError, match="energy sent to the grid"):
        read_curve(b"Date;Injection quotidienne (en Wh)\n01/06/2026;1200\n")


def test_two_meters_in_one_file_are_refused():
    data = made.flow_file(made.half_hours(*DAY)) + b"\n456;;;PA;CONS;BRUT;W;2026-01-11 00:30:00;100;B;PT30M;0;0"

    with pytest.raises(CurveError, match="Line 50: this file holds two meters"):
        read_curve(data)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2026-01-10T01:00:00+01:00;many", "Line 2: “many” is not a number"),
        ("2026-01-10T01:00:00+01:00;-4", "Line 2: the value -4 is negative"),
        ("2026-13-10T01:00:00+01:00;4", "Line 2: “2026-13-10T01:00:00.01:00” is not a date"),
    ],
)
def test_a_bad_line_is_named_with_its_mend(line, said):
    with pytest.raises(CurveError, match=said) as refused:
        read_curve(f"Horodate;Valeur\n{line}\n".encode())

    assert refused.value.mend is not None


def test_a_file_of_something_else_is_refused():
    with pytest.raises(CurveError, match=r"Line 1: .* is not a known Enedis header"):
        read_curve(b"Nom;Prenom\nDupont;Jeanne\n")


def test_a_file_without_any_value_is_refused():
    with pytest.raises(CurveError, match="holds no value"):
        read_curve(b"Horodate;Valeur\n2026-01-10T01:00:00+01:00;\n")


def test_daily_values_are_whole_days_of_23_24_and_25_hours():
    curve = load_curve(DATA / "daily.csv")

    assert [(slot.end - slot.start) // 3600 for slot in curve.slots] == [24, 25, 24]
    assert curve.total_mj == 31_500 * MJ_PER_WH


def test_a_daily_value_needs_its_unit():
    with pytest.raises(CurveError, match="without a unit"):
        read_curve(b"Date;Valeur\n01/06/2026;1200\n")


def test_indexes_give_the_registers_by_name_and_count_nothing_twice():
    curve = load_curve(DATA / "index.csv")

    assert [slot.mj // MJ_PER_WH for slot in curve.slots] == [9000, 10_000]
    assert [{name: mj // MJ_PER_WH for name, mj in one.mj.items()} for one in curve.registers] == [
        {"hc": 3000, "hp": 6000},
        {"hc": 4000, "hp": 6000},
    ]
    assert curve.peak_va == 6420


def test_an_index_that_steps_back_is_not_counted():
    data = (DATA / "index.csv").read_bytes().replace(b"113000", b"000100")

    curve = read_curve(data)

    assert "recule" in curve.notes[0].fr
    assert len(curve.slots) == 1


def test_the_labels_of_a_tempo_calendar_name_its_registers():
    head = "Horodate;Type de releve;EAS F1;EAS F2;EAS T"
    names = "Periode;" + ";".join(
        f"{word} classe temporelle {n}" for n in (1, 2) for word in ("Identifiant", "Libelle", "Cadran")
    )
    data = (
        f"{head}\n2026-01-10T00:00:00+01:00;Arrêté;1000;2000;3000\n2026-01-11T00:00:00+01:00;Arrêté;1500;2700;4200\n"
        f"{names}\nDu 10/01/2026;X1;Heures Creuses Jour Bleu;EAS F1;X2;Heures Pleines Jour Rouge;EAS F2\n"
    )

    curve = read_curve(data.encode())

    assert curve.registers[0].mj == {"blue_hc": 500 * MJ_PER_WH, "red_hp": 700 * MJ_PER_WH}


def test_a_register_that_rolls_over_goes_on():
    data = b"Horodate;EAS T\n2026-01-10T00:00:00+01:00;999999000\n2026-01-11T00:00:00+01:00;500\n"

    assert read_curve(data).total_mj == 1500 * MJ_PER_WH


def test_a_workbook_of_shared_text_and_serial_dates(tmp_path):
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
        '<row><c r="A2"><v>46032.020833333336</v></c><c r="B2"><v>400</v></c></row>'
        '<row><c r="A3"><v>46032.041666666664</v></c><c r="B3"><v>400</v></c></row></sheetData></worksheet>'
    )
    shared = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>Horodate</t></si>'
        "<si><r><t>Valeur </t></r><r><t>(en W)</t></r></si></sst>"
    )
    file = tmp_path / "courbe.xlsx"
    with zipfile.ZipFile(file, "w") as book:
        book.writestr("xl/sharedStrings.xml", shared)
        book.writestr("xl/worksheets/sheet1.xml", sheet)

    curve = load_curve(file)

    assert curve.slots[0].start == midnight(date(2026, 1, 10))
    assert curve.total_mj == 400 * MJ_PER_WH


def test_a_workbook_with_entities_is_refused(tmp_path):
    file = tmp_path / "courbe.xlsx"
    with zipfile.ZipFile(file, "w") as book:
        book.writestr("xl/worksheets/sheet1.xml", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>')

    with pytest.raises(CurveError, match="cannot be read"):
        load_curve(file)
