"""When the tariff changes next, by what a meter says."""

from datetime import datetime
from zoneinfo import ZoneInfo

import hypothesis
from hypothesis import strategies as st

from drivers.linky.calendar import Calendar, Change, Peaks, local_instant
from gateway.clock import UtcMs, from_datetime

PARIS = ZoneInfo("Europe/Paris")
FILL = " NONUTILE"
HPHC = "00004001 06004002 22004001" + 8 * FILL
HALF = "00004001 07004002 12304001 14004002 23304001" + 6 * FILL


def at(text):
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=PARIS))


def test_the_profile_of_tomorrow_is_that_of_today_when_both_have_its_number():
    calendar = Calendar({1: "hc", 2: "hp"})
    calendar.day_profile("NJOURF", 0)
    calendar.day_profile("NJOURF+1", 0)
    calendar.tomorrow(HPHC, at("2026-03-10T12:00"))
    assert calendar.next_change(at("2026-03-10T12:00"), 2, "hp") == Change(at("2026-03-10T22:00"), "hc", True)
    assert calendar.next_change(at("2026-03-10T23:00"), 1, "hc") == Change(at("2026-03-11T06:00"), "hp", True)


def test_another_profile_tomorrow_says_nothing_of_today_until_midnight_has_passed():
    calendar = Calendar({1: "hc", 2: "hp"})
    calendar.day_profile("NJOURF", 0)
    calendar.day_profile("NJOURF+1", 1)
    calendar.tomorrow(HALF, at("2026-03-10T12:00"))
    assert calendar.next_change(at("2026-03-10T12:00"), 2, "hp") is None
    calendar.day_profile("NJOURF", 1)
    calendar.day_profile("NJOURF+1", 0)
    calendar.tomorrow(HPHC, at("2026-03-11T00:01"))
    assert calendar.next_change(at("2026-03-11T08:00"), 2, "hp") == Change(at("2026-03-11T12:30"), "hc", True)
    assert calendar.next_change(at("2026-03-11T23:45"), 1, "hc") == Change(at("2026-03-12T06:00"), "hp", True)


def test_an_index_never_seen_has_its_number_for_a_name():
    calendar = Calendar()
    calendar.day_profile("NJOURF", 0)
    calendar.day_profile("NJOURF+1", 0)
    calendar.tomorrow(HPHC, at("2026-03-10T12:00"))
    assert calendar.next_change(at("2026-03-10T12:00"), 2, None).period == "f01"


def test_a_day_of_one_index_has_no_change():
    calendar = Calendar({1: "base"})
    calendar.day_profile("NJOURF", 0)
    calendar.day_profile("NJOURF+1", 0)
    calendar.tomorrow("00004001" + 10 * FILL, at("2026-03-10T12:00"))
    assert calendar.next_change(at("2026-03-10T12:00"), 1, "base") is None


def test_without_profiles_the_switching_times_seen_are_expected_again():
    calendar = Calendar()
    for moment, period in (
        ("2026-03-10T21:59:50", "hp"),
        ("2026-03-10T22:00:02", "hc"),
        ("2026-03-11T05:59:59", "hc"),
        ("2026-03-11T06:00:01", "hp"),
    ):
        calendar.period(period, at(moment))
        if moment.startswith("2026-03-11T05"):
            assert calendar.next_change(at(moment), None, "hc") is None
    calendar.period("hp", at("2026-03-11T06:00:02"))
    assert calendar.next_change(at("2026-03-11T12:00"), None, "hp") == Change(at("2026-03-11T22:00"), "hc", False)


def test_a_change_across_a_long_silence_teaches_nothing():
    calendar = Calendar()
    calendar.period("hp", at("2026-03-10T20:00"))
    calendar.period("hc", at("2026-03-10T23:10"))
    assert calendar.next_change(at("2026-03-11T12:00"), None, "hp") is None


def test_the_day_of_the_clock_change_keeps_the_hours_of_the_wall():
    calendar = Calendar({1: "hc", 2: "hp"})
    calendar.day_profile("NJOURF", 0)
    calendar.day_profile("NJOURF+1", 0)
    calendar.tomorrow(HPHC, at("2026-03-28T23:00"))
    change = calendar.next_change(at("2026-03-28T23:00"), 1, "hc")
    assert change.at - at("2026-03-28T23:00") == 6 * 3_600_000


def test_a_stamp_without_season_is_legal_time():
    assert local_instant(" 250116070000") == at("2025-01-16T07:00")
    assert local_instant(" 250716070000") == at("2025-07-16T07:00")
    assert local_instant(" 000000000000") is None


def test_the_nearest_peak_that_has_not_ended_is_the_one_to_tell():
    peaks = Peaks()
    peaks.edge("DPM1", " 250116070000")
    peaks.edge("FPM1", " 250117010000")
    peaks.edge("DPM2", " 250120070000")
    assert peaks.next(at("2025-01-15T12:00")) == (at("2025-01-16T07:00"), at("2025-01-17T01:00"))
    assert peaks.next(at("2025-01-17T02:00")) == (at("2025-01-20T07:00"), None)
    peaks.keep({"DPM1", "FPM1"})
    assert peaks.next(at("2025-01-17T02:00")) == (None, None)


entries = st.one_of(st.just("NONUTILE"), st.from_regex(r"[0-9]{4}[0-9A-F]{4}", fullmatch=True))


@hypothesis.given(st.lists(entries, min_size=11, max_size=11), st.integers(1, 10), st.integers(0, 200_000))
def test_whatever_a_profile_holds_the_change_is_to_come_and_to_another_index(slots, index, minutes):
    calendar, now = Calendar(), UtcMs(at("2026-01-01T00:00") + minutes * 60_000)
    calendar.day_profile("NJOURF", 0)
    calendar.day_profile("NJOURF+1", 0)
    calendar.tomorrow(" ".join(slots), now)
    change = calendar.next_change(now, index, "hp")
    assert change is None or (change.at > now and change.period != f"f{index:02d}")
