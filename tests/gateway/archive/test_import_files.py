"""Every format that is read gives back what was written in it; whatever else is in a file is said in one sentence."""

import contextlib
import math
import sqlite3
import struct
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.archive.imports import emoncms, home_assistant, influxdb, tables
from gateway.archive.imports.lines import points_of_line
from gateway.archive.imports.source import BadFile, moment
from gateway.clock import to_datetime
from gateway.errors import FoyerError

PARIS = ZoneInfo("Europe/Paris")
AT = 1_700_000_000
FILES = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
floats32 = st.floats(width=32, allow_nan=True, allow_infinity=False)


def taken(series):
    return {one.id: list(one.read()) for one in series}


def said(error):
    text = error.value.say("fr")
    assert "\n" not in text
    return error.value.say("en")


# -- times --


@pytest.mark.parametrize(
    "text",
    [
        "1700000000",
        "1700000000000",
        "1700000000000000",
        "1700000000000000000",
        "1.7e9",
        "2023-11-14T22:13:20Z",
        "2023-11-14 23:13:20",
        "2023-11-14T22:13:20.000000000Z",
    ],
)
def test_a_time_is_known_in_any_of_its_writings(text):
    assert moment(text, PARIS) == AT * 1000


def test_the_hour_that_comes_twice_goes_forward():
    first = moment("2025-10-26 02:30:00", PARIS)
    assert moment("2025-10-26 02:00:00", PARIS, first) == first + 1_800_000


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_value_error(text):
    with contextlib.suppress(ValueError, OverflowError):
        assert 0 < moment(text, PARIS) < 4_102_444_800_000


# -- emoncms --


@FILES
@given(values=st.lists(floats32, max_size=200), interval=st.integers(1, 86_400), tail=st.binary(max_size=3))
def test_phpfina_gives_back_its_values_and_skips_what_is_padded(tmp_path, values, interval, tail):
    (tmp_path / "7.meta").write_bytes(struct.pack("<4I", 0, 0, interval, AT))
    (tmp_path / "7.dat").write_bytes(struct.pack(f"<{len(values)}f", *values) + tail)
    assert taken(emoncms.read([tmp_path / "7.dat"], PARIS)) == {
        "7": [((AT + n * interval) * 1000, value) for n, value in enumerate(values) if not math.isnan(value)]
    }


@FILES
@given(rows=st.lists(st.tuples(st.integers(1, 4_000_000_000), floats32), max_size=100), tail=st.binary(max_size=8))
def test_phptimeseries_gives_back_its_records(tmp_path, rows, tail):
    (tmp_path / "feed_3.MYD").write_bytes(b"".join(struct.pack("<BIf", 249, at, value) for at, value in rows) + tail)
    assert taken(emoncms.read([tmp_path / "feed_3.MYD"], PARIS)) == {
        "3": [(at * 1000, value) for at, value in rows if not math.isnan(value)]
    }


@FILES
@given(meta=st.binary(max_size=40), data=st.binary(max_size=100))
def test_any_bytes_are_a_feed_or_one_sentence(tmp_path, meta, data):
    for name in ("1.meta", "1.dat"):
        (tmp_path / name).write_bytes(meta if name == "1.meta" else data)
    (tmp_path / "feed_2.MYD").write_bytes(data)
    for name in ("1.dat", "feed_2.MYD"):
        with contextlib.suppress(FoyerError):
            taken(emoncms.read([tmp_path / name], PARIS))


@pytest.mark.parametrize(
    ("meta", "word"),
    [(b"", "16 bytes"), (struct.pack("<4I", 0, 0, 0, AT), "interval"), (struct.pack("<4I", 0, 0, 10, 0), "start_time")],
)
def test_a_bad_meta_is_named_by_its_field(tmp_path, meta, word):
    (tmp_path / "1.meta").write_bytes(meta)
    (tmp_path / "1.dat").write_bytes(b"")
    with pytest.raises(BadFile) as error:
        emoncms.read([tmp_path / "1.dat"], PARIS)
    assert word in said(error)
    assert "1.meta" in said(error)


def test_a_missing_file_is_named(tmp_path):
    (tmp_path / "1.dat").write_bytes(b"")
    with pytest.raises(BadFile) as error:
        emoncms.read([tmp_path / "1.dat"], PARIS)
    assert "1.meta" in said(error)
    with pytest.raises(BadFile):
        emoncms.read([tmp_path / "what.xyz"], PARIS)


# -- CSV --


@FILES
@given(
    rows=st.lists(st.tuples(st.integers(1, 10**6), st.none() | st.floats(-1e9, 1e9)), min_size=1, max_size=50),
    separator=st.sampled_from(",;\t"),
    head=st.booleans(),
)
def test_a_table_gives_back_its_cells(tmp_path, rows, separator, head):
    lines = [f"time{separator}energy_kwh"] if head else []
    for n, (at, value) in enumerate(rows):
        text = "" if value is None else repr(value)
        lines.append(f"{AT + n + at}{separator}{text if separator == ',' else text.replace('.', ',')}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    expected = [((AT + n + at) * 1000, value) for n, (at, value) in enumerate(rows) if value is not None]
    assert taken(tables.read(tmp_path / "t.csv", PARIS, 1)) == {"energy_kwh" if head else "1": expected}


@FILES
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_one_sentence(tmp_path, data):
    (tmp_path / "t.csv").write_bytes(data)
    with contextlib.suppress(FoyerError):
        taken(tables.read(tmp_path / "t.csv", PARIS, 1))


@pytest.mark.parametrize(
    ("text", "word"), [("1700000000,1\n17x,2\n", "line 2"), ("1700000000,1\n1700000010,abc\n", "abc"), ("", "column")]
)
def test_a_bad_line_of_a_table_is_named(tmp_path, text, word):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BadFile) as error:
        tables.read(tmp_path / "t.csv", PARIS, 1)
    assert word in said(error)


# -- InfluxDB --

names = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters='\\"#\x7f'), min_size=1, max_size=8
).filter(str.isprintable)


def escaped(text):
    for letter in ", =":
        text = text.replace(letter, "\\" + letter)
    return text


@given(
    measurement=names,
    tags=st.dictionaries(names, names, max_size=3),
    field=names,
    value=st.floats(-1e12, 1e12) | st.integers(-(10**12), 10**12),
)
def test_a_line_gives_back_what_was_written(measurement, tags, field, value):
    series = "".join([escaped(measurement), *(f",{escaped(key)}={escaped(tag)}" for key, tag in tags.items())])
    number = f"{value}i" if isinstance(value, int) else repr(value)
    found, fields, stamp = points_of_line(f'{series} {escaped(field)}={number},note="a, b = c" 1700000000000000000')
    assert found == ",".join(
        [
            measurement,
            *(
                f"{key}={tag}"
                for key, tag in sorted(tags.items(), key=lambda one: f"{escaped(one[0])}={escaped(one[1])}")
            ),
        ]
    )
    assert (fields, stamp) == ([(field, value)], "1700000000000000000")


@given(st.text(max_size=60))
def test_any_text_is_a_line_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        points_of_line(text)


@FILES
@given(
    data=st.binary(max_size=200)
    | st.text(max_size=200).map(str.encode)
    | st.text(alphabet='name,time_value#"\n0123456789=. ', max_size=200).map(str.encode)
)
def test_any_bytes_are_an_export_or_one_sentence(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with contextlib.suppress(FoyerError):
        taken(influxdb.read([tmp_path / "x"], PARIS))


def test_line_protocol_with_its_head_and_out_of_order(tmp_path):
    (tmp_path / "x").write_text(
        "# DDL\nCREATE DATABASE home WITH NAME autogen\n# DML\n# CONTEXT-DATABASE:home\n"
        'linky,site=a kwh=2.5,text="x",ok=true 1700000010000000000\n'
        "linky,site=a kwh=1.5 1700000000000000000\n"
        "linky,site=b kwh=9i 1700000000000000000\n"
    )
    assert taken(influxdb.read([tmp_path / "x"], PARIS)) == {
        "linky,site=a/kwh": [(AT * 1000, 1.5), (AT * 1000 + 10_000, 2.5)],
        "linky,site=b/kwh": [(AT * 1000, 9.0)],
    }


def test_the_annotated_csv_of_flux(tmp_path):
    (tmp_path / "x").write_text(
        "#group,false,false,true,true,false,false,true,true,true\r\n"
        "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string\r\n"
        "#default,_result,,,,,,,,\r\n"
        ",result,table,_start,_stop,_time,_value,_field,_measurement,device\r\n"
        ",,0,2023-01-01T00:00:00Z,2024-01-01T00:00:00Z,2023-11-14T22:13:20Z,1.5,energy,meter,linky\r\n"
        ",,0,2023-01-01T00:00:00Z,2024-01-01T00:00:00Z,2023-11-14T22:13:30Z,2,energy,meter,linky\r\n\r\n"
    )
    assert taken(influxdb.read([tmp_path / "x"], PARIS)) == {
        "meter,device=linky/energy": [(AT * 1000, 1.5), (AT * 1000 + 10_000, 2.0)]
    }


def test_the_csv_of_the_version_1_command(tmp_path):
    (tmp_path / "x").write_text(
        "name,tags,time,power,note\nmeter,site=a,1700000000000000000,5,hello\nmeter,site=a,1700000010000000000,6,\n"
    )
    assert taken(influxdb.read([tmp_path / "x"], PARIS)) == {
        "meter,site=a/power": [(AT * 1000, 5.0), (AT * 1000 + 10_000, 6.0)]
    }


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("m v=1 1700000000000000000\nm v=1\n", "line 2"),
        ("m v=1 1700000000000000000\nm v=1x 1700000000000000000\n", "line 2"),
        (",result,_time,_value\n,,soon,1\n", "soon"),
        ("#datatype,x\n,result,_value\n", "_time"),
        ("name,power\nx,1\n", "time"),
    ],
)
def test_a_bad_line_of_an_export_is_named(tmp_path, text, word):
    (tmp_path / "x").write_text(text)
    with pytest.raises(BadFile) as error:
        influxdb.read([tmp_path / "x"], PARIS)
    assert word in said(error)


# -- Home Assistant --


def home_assistant_db(path, rows, *, old=False, meta=(("sensor.linky_import", "kWh", 1, None),)):
    """Write a database as the recorder makes it; rows are (series, UTC s, sum, state, mean)."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE TABLE statistics_meta (id INTEGER PRIMARY KEY, statistic_id VARCHAR(255), source VARCHAR(32), "
            "unit_of_measurement VARCHAR(255), has_mean BOOLEAN, has_sum BOOLEAN, name VARCHAR(255))"
        )
        time = "start DATETIME" if old else "start DATETIME, start_ts FLOAT"
        database.execute(
            f"CREATE TABLE statistics (id INTEGER PRIMARY KEY, metadata_id INTEGER, {time}, mean FLOAT, min FLOAT, "
            "max FLOAT, last_reset DATETIME, state FLOAT, sum FLOAT)"
        )
        for number, (name, unit, has_sum, label) in enumerate(meta, start=1):
            database.execute(
                "INSERT INTO statistics_meta VALUES (?, ?, 'recorder', ?, ?, ?, ?)",
                (number, name, unit, not has_sum, has_sum, label),
            )
        for number, at, total, state, mean in rows:
            text = to_datetime(at * 1000).strftime("%Y-%m-%d %H:%M:%S.%f")
            column = "start" if old else "start_ts"
            database.execute(
                f"INSERT INTO statistics (metadata_id, {column}, sum, state, mean) VALUES (?, ?, ?, ?, ?)",
                (number, text if old else at, total, state, mean),
            )
        database.commit()


@pytest.mark.parametrize("old", [True, False])
def test_sums_stand_at_the_end_of_their_hour_and_means_at_its_start(tmp_path, old):
    home_assistant_db(
        tmp_path / "ha.db",
        [
            (1, AT, 1.5, 101.5, None),
            (1, AT + 3600, 2.5, 102.5, None),
            (2, AT, None, None, 300.0),
            (1, AT + 7200, None, 7.0, None),
        ],
        old=old,
        meta=(("sensor.linky_import", "kWh", 1, None), ("sensor.pv_power", "W", 0, "Toit")),
    )
    series = home_assistant.read(tmp_path / "ha.db")
    assert [(one.id, one.name, one.unit, one.counts) for one in series] == [
        ("sensor.linky_import", "", "kWh", True),
        ("sensor.pv_power", "Toit", "W", False),
    ]
    found = taken(series)
    assert found["sensor.linky_import"][:2] == [((AT + 3600) * 1000, 1.5), ((AT + 7200) * 1000, 2.5)]
    assert found["sensor.pv_power"] == [(AT * 1000, 300.0)]


@FILES
@given(data=st.binary(max_size=300))
def test_any_bytes_are_no_home_assistant_and_said_so(tmp_path, data):
    assume(data)
    (tmp_path / "ha.db").write_bytes(data)
    with pytest.raises(BadFile):
        home_assistant.read(tmp_path / "ha.db")


def test_another_database_and_a_bad_time_are_named(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db")) as database:
        database.execute("CREATE TABLE t (a)")
    with pytest.raises(BadFile) as error:
        home_assistant.read(tmp_path / "x.db")
    assert "missing" in said(error)
    home_assistant_db(tmp_path / "ha.db", [(1, AT, 1, 1, None)], old=True)
    with contextlib.closing(sqlite3.connect(tmp_path / "ha.db")) as database:
        database.execute("UPDATE statistics SET start = 'soon'")
        database.commit()
    with pytest.raises(BadFile) as error:
        taken(home_assistant.read(tmp_path / "ha.db"))
    assert "soon" in said(error)
    with pytest.raises(BadFile):
        home_assistant.read(tmp_path / "absent.db")
