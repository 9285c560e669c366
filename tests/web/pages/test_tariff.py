from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.config import Contract
from web.tariff import tariff

NOON = datetime(2025, 6, 21, 12, 42, tzinfo=ZoneInfo("Europe/Paris"))
HPHC = Contract(option="hphc", off_peak=("22:30-06:30", "13:00-14:00"))


def state(**values):
    return {f"grid.tariff.{name}": {"value": value} for name, value in values.items()}


@pytest.mark.parametrize(
    ("period", "name", "tone", "until"),
    [
        ("hp", "Heures pleines", "grid", "13\u202fh"),
        ("hc", "Heures creuses", "home", "14\u202fh"),
        ("HEURE  CREUSE", "HEURE  CREUSE", "home", "14\u202fh"),
    ],
)
def test_the_period_says_its_name_and_until_when(period, name, tone, until):
    found = tariff(state(period=period), HPHC, NOON, "fr")
    assert (found.name, found.tone, found.until) == (name, tone, until)


def test_tempo_shows_the_colours_of_today_and_tomorrow():
    found = tariff(state(period="red_hp", today="red", tomorrow="blue"), Contract(option="tempo"), NOON, "en")
    assert (found.name, found.tone, found.until) == ("Red day, peak", "alert", "22:00")
    assert [(one.when, one.code, one.word) for one in found.colours] == [
        ("Today", "red", "red"),
        ("Tomorrow", "blue", "blue"),
    ]
    assert found.warning.startswith("Red day: electricity is very dear until 22:00")


def test_before_six_the_colour_is_still_that_of_the_day_before():
    night = NOON.replace(hour=4)
    found = tariff(state(period="blue_hc", today="blue", tomorrow="red"), None, night, "fr")
    assert [one.when for one in found.colours] == ["Jusqu’à 6 h", "Ensuite"]
    assert found.warning.startswith("Dès 6 h, jour rouge")


def test_a_red_day_to_come_is_said_in_words():
    found = tariff(state(period="blue_hp", today="blue", tomorrow="red"), None, NOON, "fr")
    assert found.warning.startswith("Demain, jour rouge")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"notice": "announced"}, "Pointe mobile dans moins d’une demi-heure."),
        (
            {"notice": "announced", "peak.start": "2025-06-22T05:00Z", "peak.end": "2025-06-22T23:00Z"},
            "Pointe mobile demain à partir de 7\u202fh et jusqu’à 1\u202fh",
        ),
        ({"notice": "announced", "peak.start": "2025-06-24T05:00Z"}, "Pointe mobile le 24/06 à partir de 7\u202fh :"),
        ({"notice": "peak", "peak.end": "2025-06-21T23:00Z"}, "Pointe mobile jusqu’à 1\u202fh :"),
        ({"notice": "peak"}, "Pointe mobile : "),
        ({"notice": "none"}, ""),
    ],
)
def test_a_mobile_peak_is_said_with_its_hours(values, said):
    found = tariff(state(period="ejp_hn", **values), None, NOON, "fr")
    assert found.warning.startswith(said)
    assert bool(found.warning) is bool(said)


def test_the_meters_own_next_change_is_believed_before_the_contract():
    signals = state(period="hp", next_change="2025-06-21T13:30Z", next_period="hc")
    found = tariff(signals, HPHC, NOON, "fr")
    assert (found.until, found.then) == ("15\u202fh\u202f30", "Heures creuses")
    assert tariff(state(period="hp", next_change="2025-06-21T13:30Z", next_period="f01"), None, NOON, "fr").then == ""


@pytest.mark.parametrize("at", ["2025-06-21T10:00Z", "2025-06-23T10:00Z", "demain", ""])
def test_a_next_change_that_is_past_far_or_unreadable_is_not_shown(at):
    assert tariff(state(period="hp", next_change=at), None, NOON, "fr").until == ""


def test_without_the_contract_no_hour_is_promised():
    assert tariff(state(period="hp"), None, NOON, "fr").until == ""


def test_a_meter_that_says_nothing_has_no_tariff():
    assert tariff({}, HPHC, NOON, "fr") is None
    assert tariff(state(period=None), HPHC, NOON, "fr") is None
