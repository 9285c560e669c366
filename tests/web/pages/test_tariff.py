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
    assert (found.today, found.tomorrow) == (("red", "red"), ("blue", "blue"))


def test_without_the_contract_no_hour_is_promised():
    assert tariff(state(period="hp"), None, NOON, "fr").until == ""


def test_a_meter_that_says_nothing_has_no_tariff():
    assert tariff({}, HPHC, NOON, "fr") is None
    assert tariff(state(period=None), HPHC, NOON, "fr") is None
