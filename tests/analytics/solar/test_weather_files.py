import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.roof import Plane
from analytics.solar import year
from analytics.weather import BadWeather, kilometres
from analytics.weather_files import parse_weather, read_weather
from tests.analytics.solar.conftest import ALTITUDE, LATITUDE, LONGITUDE, epw, open_meteo

SOUTH = [Plane(1.0, 35, 180)]


def _kwh(text, planes=SOUTH):
    return year(parse_weather(text), LATITUDE, LONGITUDE, planes).kwh


def test_every_format_of_one_sky_gives_the_same_year(
    pvgis_csv, pvgis_json, pvgis_epw, station_epw, pvgis_hourly_csv, means, instants
):
    truth = _kwh(pvgis_csv)
    found = {
        "PVGIS JSON": _kwh(pvgis_json),
        "PVGIS EPW": _kwh(pvgis_epw),
        "station EPW": _kwh(station_epw),
        "PVGIS hourly": _kwh(pvgis_hourly_csv),
        "Open-Meteo, means of the hour before": _kwh(open_meteo(means, "hourly", 3600, "")),
    }

    assert {name: kwh for name, kwh in found.items() if abs(kwh / truth - 1) > 0.015} == {}


@pytest.mark.parametrize("azimuth", [90, 270])
def test_no_format_moves_the_sun_to_the_morning_or_the_evening(
    pvgis_csv, pvgis_epw, station_epw, pvgis_hourly_csv, means, azimuth
):
    plane = [Plane(1.0, 60, azimuth)]
    truth = _kwh(pvgis_csv, plane)

    for text in (pvgis_epw, station_epw, pvgis_hourly_csv, open_meteo(means, "hourly", 3600, "")):
        assert _kwh(text, plane) == pytest.approx(truth, rel=0.03)


def test_a_satellite_instant_is_not_the_middle_of_an_hour(pvgis_csv):
    weather = parse_weather(pvgis_csv)

    assert weather.sun_s[1] % 3600 == pytest.approx(0.1761 * 3600)


def test_a_stations_hour_is_taken_in_its_middle_and_in_its_own_zone(station_epw):
    weather = parse_weather(station_epw)

    assert weather.sun_s[0] == pytest.approx(1_672_531_200 - 1800)  # 00:30 at UTC+1 is 23:30 UTC of the day before
    assert weather.month[0] == 1


def test_open_meteo_means_of_the_time_before_are_moved_back_and_instants_are_not(means):
    before = parse_weather(open_meteo(means, "hourly", 3600, ""))
    instant = parse_weather(open_meteo(means, "hourly", 3600, "_instant"))
    quarter = parse_weather(open_meteo(means, "minutely_15", 0, ""))

    assert instant.sun_s[0] - before.sun_s[0] == 1800
    assert quarter.sun_s[0] % 3600 == 3600 - 450
    assert before.wind[0] == pytest.approx(2.0)


def test_each_file_says_where_it_comes_from(pvgis_csv, pvgis_json, station_epw, pvgis_epw, pvgis_hourly_csv):
    found = [
        (one.kind, one.source, one.period)
        for one in map(parse_weather, (pvgis_csv, pvgis_json, station_epw, pvgis_epw, pvgis_hourly_csv))
    ]

    assert found == [
        ("pvgis-tmy", "PVGIS", "2005-2016"),
        ("pvgis-tmy", "PVGIS-SARAH3", "2005-2023"),
        ("epw", "Lyon Bron AP, ISD-TMYx", "2004-2018"),
        ("epw", "Lyon Bron AP, PVGIS", "2005-2016"),
        ("pvgis-hourly", "PVGIS-SARAH3", "2021-2022"),
    ]


def test_the_months_of_different_years_make_one_year(pvgis_csv):
    weather = parse_weather(pvgis_csv)

    assert len(weather.sun_s) == 8760
    assert list(weather.sun_s) == sorted(weather.sun_s)
    assert weather.sun_s[-1] - weather.sun_s[0] == 8759 * 3600


def test_a_line_written_twice_counts_once(pvgis_csv):
    lines = pvgis_csv.splitlines()
    twice = "\n".join([*lines[:400], *lines[390:]])

    assert parse_weather(twice).ghi == parse_weather(pvgis_csv).ghi


def test_a_leap_day_is_left_out(station_epw):
    lines = station_epw.splitlines()
    leap = lines[100].split(",")
    leap[1], leap[2], leap[13] = "2", "29", "9999"

    assert len(parse_weather("\n".join([*lines, ",".join(leap)])).ghi) == 8760


def test_a_few_missing_hours_are_lent_by_the_day_before(station_epw):
    lines = station_epw.splitlines()
    for n in (4000, 4001):
        cells = lines[n].split(",")
        cells[13], cells[6] = "9999", "99.9"
        lines[n] = ",".join(cells)
    weather, whole = parse_weather("\n".join(lines)), parse_weather(station_epw)

    assert weather.ghi[4000 - 8] == whole.ghi[4000 - 8 - 24]
    assert weather.temperature[4000 - 8] == 12.0


def _epw_line(text, n, cell, value):
    lines = text.splitlines()
    cells = lines[n - 1].split(",")
    cells[cell] = value
    lines[n - 1] = ",".join(cells)
    return "\n".join(lines)


def _missing(text):
    lines = text.splitlines()
    for n in range(2000, 2100):
        cells = lines[n].split(",")
        cells[13] = "9999"
        lines[n] = ",".join(cells)
    return "\n".join(lines)


BAD_EPW = {
    "a word for a number": (lambda text: _epw_line(text, 20, 13, "soleil"), "ligne 20"),
    "too much light": (lambda text: _epw_line(text, 3000, 13, "3000"), "ligne 3000"),
    "a month that is none": (lambda text: _epw_line(text, 30, 1, "13"), "ligne 30"),
    "a day that is none": (lambda text: _epw_line(text, 30, 2, "31").replace("2009,1,31", "2009,2,31"), "ligne 30"),
    "a cut line": (lambda text: text[: text.rindex("\n") + 20], "ligne 8768"),
    "half a year": (lambda text: "\n".join(text.splitlines()[:4000]), "8 760"),
    "no light for four days": (_missing, "ligne 2001"),
    "a place that is none": (lambda text: text.replace(f",{LATITUDE},", ",145.7,", 1), "ligne 1, latitude"),
    "no place": (lambda text: text.replace(f",{LATITUDE},{LONGITUDE},1.0,{ALTITUDE}", "", 1), "LOCATION"),
}


@pytest.mark.parametrize(("spoil", "where"), BAD_EPW.values(), ids=BAD_EPW.keys())
def test_a_bad_epw_is_refused_by_line(station_epw, spoil, where):
    with pytest.raises(BadWeather) as refused:
        parse_weather(spoil(station_epw))

    assert where in refused.value.say("fr")


BAD_CSV = {
    "a column too few": (lambda text: text.replace(",280.0,2.0,", ",2.0,", 1), "ligne 19"),
    "an hour that is none": (lambda text: re.sub(r"\d{8}:0300", "20090141:0300", text, count=1), "ligne 22"),
    "a word": (lambda text: text.replace(",80.0,0.00,", ",80.0,beau,", 1), "ligne 19, G(h)"),
    "no titles": (lambda text: text.replace("time(UTC),", "heure,"), "time"),
    "no latitude": (lambda text: text.replace(str(LATITUDE), "quarante"), "latitude"),
    "an offset of a day": (lambda text: text.replace("0.1761", "24"), "Irradiance Time Offset"),
}


@pytest.mark.parametrize(("spoil", "where"), BAD_CSV.values(), ids=BAD_CSV.keys())
def test_a_bad_csv_is_refused_by_line(pvgis_csv, spoil, where):
    with pytest.raises(BadWeather) as refused:
        parse_weather(spoil(pvgis_csv))

    assert where in refused.value.say("fr")


def _open_meteo(**changes):
    document = {
        "latitude": 47.2,
        "longitude": -1.55,
        "hourly": {"time": [0, 3600, 7200], "shortwave_radiation": [1, 2, 3]},
    }
    document["hourly"] |= changes.pop("hourly", {})
    return json.dumps(document | changes)


BAD_JSON = {
    "cut in the middle": ('{"inputs": {', "ligne 1"),
    "something else": ('{"a": 1}', "minutely_15"),
    "no light": (_open_meteo(hourly={"shortwave_radiation": None}), "hourly.shortwave_radiation"),
    "columns of different lengths": (_open_meteo(hourly={"shortwave_radiation": [1]}), "3 valeurs"),
    "local times": (_open_meteo(hourly={"time": ["2026-03-29T02:00"] * 3}, utc_offset_seconds=7200), "heure locale"),
    "a time that is none": (_open_meteo(hourly={"time": ["2026-03-32T02:00"] * 3}), "time[0]"),
    "a negative light": (_open_meteo(hourly={"shortwave_radiation": [1, -400, 2]}), "shortwave_radiation[1]"),
    "no place": (_open_meteo(latitude=None), "latitude"),
    "PVGIS without rows": ('{"inputs": {"location": {"latitude": 1, "longitude": 1}}, "outputs": {}}', "hourly"),
    "a series that follows the sun": (
        json.dumps(
            {
                "inputs": {"location": {"latitude": 45, "longitude": 8}, "mounting_system": {"two_axis": {}}},
                "outputs": {"hourly": []},
            }
        ),
        "mounting_system",
    ),
    "words": ("Bonjour", "format inconnu"),
    "nothing": ("", "format inconnu"),
}


@pytest.mark.parametrize(("text", "where"), BAD_JSON.values(), ids=BAD_JSON.keys())
def test_a_bad_file_is_refused_by_field(text, where):
    with pytest.raises(BadWeather) as refused:
        parse_weather(text)

    assert where in refused.value.say("fr")


def test_a_part_of_a_year_has_no_yearly_yield(pvgis_hourly_csv):
    part = "\n".join(pvgis_hourly_csv.splitlines()[:3000])

    with pytest.raises(BadWeather, match="month"):
        _kwh(part)


def test_a_tilted_series_serves_the_plane_it_was_made_for_and_no_other(pvgis_hourly_csv):
    tilted = pvgis_hourly_csv.replace("Slope: 0 deg.", "Slope: 35 deg. (optimum)").replace("Azimuth: 0", "Azimuth: -45")

    assert _kwh(tilted, [Plane(1.0, 35, 135)]) > 0
    with pytest.raises(BadWeather, match="135"):
        _kwh(tilted, SOUTH)


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path):
    with pytest.raises(BadWeather, match="cannot be read"):
        read_weather(tmp_path / "none.epw")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "image.epw").write_bytes(bytes(range(256)) * 50)

    with pytest.raises(BadWeather):
        read_weather(tmp_path / "image.epw")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_to_a_file_is_more_than_a_sentence(data, pvgis_csv, pvgis_json, station_epw):
    text = data.draw(st.sampled_from([pvgis_csv[:6000], pvgis_json[:3000], station_epw[:6000]]))
    at = data.draw(st.integers(0, len(text)))
    broken = text[:at] + data.draw(st.text(max_size=12)) + text[at + data.draw(st.integers(0, 40)) :]

    with pytest.raises(BadWeather):
        parse_weather(broken)


NAMES = [
    *("inputs", "outputs", "hourly", "minutely_15", "time", "location", "latitude", "longitude"),
    *("tmy_hourly", "shortwave_radiation", "mounting_system", "fixed", "meteo_data"),
]


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
        max_leaves=20,
    )
)
def test_no_json_is_more_than_a_sentence(document):
    with pytest.raises(BadWeather):
        parse_weather(json.dumps(document))


def test_a_typical_year_of_another_latitude_is_far_away():
    assert kilometres(47.218, -1.553, 45.726, 4.938) == pytest.approx(527, abs=10)


def test_an_epw_without_a_record_says_the_years_of_its_rows(means):
    assert parse_weather(epw(means, comment="nothing")).period == "2005-2016"
