from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.periods import Period, View, period

PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 11, 24)
DAYS = st.dates(date(2001, 1, 1), date(2098, 12, 31))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-21", 24)])
def test_days_have_23_24_or_25_hours(day, hours):
    slots = Period(View.DAY, date.fromisoformat(day), PARIS).slots("fr")
    assert len(slots) == hours
    assert len({slot.label for slot in slots}) == hours


@given(DAYS, st.sampled_from(View))
def test_slots_follow_each_other_without_gap_from_start_to_end(day, view):
    one = Period(view, day, PARIS)
    slots = one.slots("fr")
    assert (slots[0].start, slots[-1].end) == (one.start, one.end)
    assert all(before.end == after.start for before, after in pairwise(slots))


@given(DAYS, st.sampled_from(View))
def test_walking_back_and_forth_comes_home(day, view):
    one = Period(view, day, PARIS)
    assert one.first <= day < one.after
    assert one.previous.following.first == one.first
    assert one.previous.after == one.first


@pytest.mark.parametrize(
    ("view", "fr", "en"),
    [
        (View.DAY, "samedi 21 juin 2025", "Saturday 21 June 2025"),
        (View.WEEK, "Semaine du 16 au 22 juin 2025", "Week of 16 to 22 June 2025"),
        (View.MONTH, "juin 2025", "June 2025"),
        (View.YEAR, "2025", "2025"),
    ],
)
def test_periods_are_named_as_one_says_them(view, fr, en):
    one = Period(view, date(2025, 6, 21), PARIS)
    assert one.title("fr") == fr
    assert one.title("en_GB").replace(",", "") == en


@pytest.mark.parametrize("wrong", [None, "", "hier", "2025-13-40", "0001-01-01", "9999-12-31", "<script>"])
def test_a_wrong_day_in_the_address_is_today(wrong):
    assert period("jour", wrong, TODAY, PARIS).day == TODAY


def test_a_wrong_view_in_the_address_is_the_day():
    assert period("siècle", "2025-06-21", TODAY, PARIS).view is View.DAY


def test_a_week_begins_on_monday():
    assert Period(View.WEEK, date(2026, 3, 1), PARIS).first == date(2026, 3, 1) - timedelta(days=6)
