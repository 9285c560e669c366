"""Whatever the bytes, the readers answer or refuse in their own words: nothing else ever comes out."""

from datetime import date
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.calendar_tempo import CalendarError, read_calendar
from analytics.curves import Curve, CurveError, read_curve
from tests.analytics.bill import made

VALID = [write(made.half_hours(date(2025, 10, 26), date(2025, 10, 27))) for write in made.SHAPES.values()]
HEADERS = [
    b"Horodate;Valeur\n",
    b"Date;Valeur (en Wh)\n",
    b"Horodate;EAS F1;EAS T\n",
    b"date,value\n",
    b"PK",
    b'{"a":',
    made.ABOUT.encode() + b"\n",
]


def answer_or_refusal(data):
    try:
        curve = read_curve(data, "fichier")
    except CurveError:
        return None
    assert isinstance(curve, Curve)
    assert all(one.end <= two.start for one, two in pairwise(curve.slots))
    assert all(slot.mj >= 0 and slot.end > slot.start for slot in curve.slots)
    return curve


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data):
    answer_or_refusal(data)


@settings(deadline=None)
@given(st.sampled_from(HEADERS), st.binary(max_size=200))
def test_any_bytes_after_a_known_header(header, data):
    answer_or_refusal(header + data)


CELLS = st.sampled_from(
    [
        "",
        "0",
        "1",
        "9" * 12,
        "1,5",
        "-3",
        "2026-01-10T00:30:00+01:00",
        "2026-01-10 00:30:00",
        "10/01/2026",
        "x",
        "PT30M",
        "Horodate",
        "Valeur",
        "EAS F1",
        "EAS T",
        "Periode",
        "Cadran",
        "HC",
        "kWh",
        "W",
        "Wh",
        "VA",
        "29/02/2025",
        "24:00",
    ]
)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=12), st.sampled_from(";,\t"))
def test_any_table_of_likely_cells(rows, sign):
    answer_or_refusal("\n".join(sign.join(cells) for cells in rows).encode())


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(VALID), st.data())
def test_a_damaged_file(data, choose):
    where = choose.draw(st.integers(0, len(data) - 1))
    length = choose.draw(st.integers(0, 40))
    put = choose.draw(st.binary(max_size=20))

    answer_or_refusal(data[:where] + put + data[where + length :])


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(VALID), st.integers(0, 5000))
def test_a_cut_file(data, kept):
    answer_or_refusal(data[:kept])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_calendar(data):
    try:
        found = read_calendar(data)
    except CalendarError:
        return
    assert set(found.values()) <= {"blue", "white", "red", "ejp", "normal"}
