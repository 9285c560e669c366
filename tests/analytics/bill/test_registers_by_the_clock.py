"""Which register counts when: off-peak windows, Tempo days, the days of the clock change."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.bill_registers import Hours, spans_of, split
from analytics.calendar_tempo import CalendarError, read_calendar
from analytics.curves import CurveError, Slot, midnight
from gateway.errors import FoyerError, Misconfigured
from tests.analytics.bill import made

WEEK = (date(2026, 1, 5), date(2026, 1, 12))


def hours_of(spans, register):
    return sum(span.end - span.start for span in spans if span.register == register) / 3600


@pytest.mark.parametrize(
    ("windows", "hours"),
    [(("22:00-06:00",), 8), (("02:00-07:00", "13:00-16:00"), 8), (("22:24-06:24",), 8), (("00:00-00:00",), 24)],
)
def test_windows_count_their_hours_every_day(windows, hours):
    spans = spans_of("hphc", Hours(windows), None, *WEEK)

    assert hours_of(spans, "hc") == pytest.approx(7 * hours)
    assert spans[0].start == midnight(WEEK[0])
    assert spans[-1].end == midnight(WEEK[1])
    assert all(one.end == two.start for one, two in pairwise(spans))


def test_summer_windows_hold_from_april_to_october():
    hours = Hours(("22:00-06:00",), ("02:00-06:00", "12:00-14:00"))

    assert hours_of(spans_of("hphc", hours, None, date(2026, 7, 1), date(2026, 7, 11)), "hc") == 60
    assert hours_of(spans_of("hphc", hours, None, date(2026, 12, 1), date(2026, 12, 11)), "hc") == 80


def test_off_peak_hours_are_asked_for():
    with pytest.raises(Misconfigured, match="needs the off-peak hours"):
        spans_of("hphc", Hours(()), None, *WEEK)


def test_a_tempo_day_runs_from_six_to_six():
    day = date(2026, 1, 8)
    colours = made.colours(*WEEK, red=(day,))

    spans = spans_of("tempo", Hours(()), colours, *WEEK)

    red = [span for span in spans if span.register.startswith("red")]
    assert [datetime.fromtimestamp(span.start, made.PARIS).strftime("%d %H") for span in red] == ["08 06", "08 22"]
    assert red[-1].end == midnight(day) + 30 * 3600
    assert hours_of(spans, "red_hp") == 16
    assert hours_of(spans, "red_hc") == 8


def test_missing_colours_are_named():
    colours = made.colours(*WEEK)
    del colours[date(2026, 1, 7)]

    with pytest.raises(CalendarError, match="2026-01-07"):
        spans_of("tempo", Hours(()), colours, *WEEK)


def test_the_day_before_the_first_counts_too():
    colours = made.colours(*WEEK)
    del colours[date(2026, 1, 4)]

    with pytest.raises(CalendarError, match="2026-01-04"):
        spans_of("tempo", Hours(()), colours, *WEEK)


def test_ejp_peaks_last_until_one_in_the_night():
    days = [date(2026, 1, 4) + timedelta(days=n) for n in range(8)]
    colours = dict.fromkeys(days, "normal") | {date(2026, 1, 6): "ejp"}

    spans = spans_of("ejp", Hours(()), colours, *WEEK)

    assert hours_of(spans, "ejp_pm") == 18
    assert spans_of("ejp", Hours(()), None, date(2026, 6, 1), date(2026, 6, 3))[0].register == "ejp_hn"


def test_a_bad_line_of_a_calendar_is_named():
    with pytest.raises(CalendarError, match="Line 2 of the calendar"):
        read_calendar(b"date,colour\n2026-01-05,GREEN\n")
    with pytest.raises(CalendarError, match="two colours"):
        read_calendar(b"2026-01-05,RED\n05/01/2026,BLEU\n")


CUT_DAYS = st.sampled_from(
    [date(2025, 10, 25), date(2025, 10, 26), date(2026, 3, 28), date(2026, 3, 29), date(2026, 1, 1)]
)
WINDOWS = st.sampled_from([("22:00-06:00",), ("01:30-07:30", "12:30-14:30"), ("22:24-06:24",), ("02:00-03:00",)])


@settings(max_examples=40, deadline=None)
@given(CUT_DAYS, st.integers(1, 5), WINDOWS, st.sampled_from(["base", "hphc", "tempo"]), st.integers(1, 4))
def test_no_energy_is_lost_or_made_across_the_clock_change(start, length, windows, option, cut):
    end = start + timedelta(days=length)
    slots = [Slot(at - 1800, at, watts * 1_800_000 + 7) for at, watts in made.half_hours(start, end)]
    middle = min(start + timedelta(days=cut), end)
    cuts = [(midnight(start), midnight(middle)), (midnight(middle), midnight(end))][: 2 if middle < end else 1]

    parts = split(slots, spans_of(option, Hours(windows), made.colours(start, end), start, end), cuts)

    assert sum(sum(part.mj.values()) for part in parts) == sum(slot.mj for slot in slots)
    assert sum(part.covered for part in parts) == midnight(end) - midnight(start)
    assert all(part.holes == 0 for part in parts)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(7)))
def test_days_of_one_colour_may_change_places(order):
    """Whole Tempo days, from 06:00 to 06:00, of one colour: their order changes no register."""
    start, end = date(2026, 1, 1), date(2026, 1, 10)
    rows = dict(made.half_hours(start, end))
    first = midnight(date(2026, 1, 2)) + 6 * 3600
    spans = spans_of("tempo", Hours(()), made.colours(start, end), start, end)
    moved = dict(rows)
    for place, taken in enumerate(order):
        for step in range(1, 49):
            moved[first + place * 86_400 + step * 1800] = rows[first + taken * 86_400 + step * 1800]

    def registers(found):
        slots = [Slot(at - 1800, at, watts) for at, watts in sorted(found.items())]
        return split(slots, spans, [(midnight(start), midnight(end))])[0].mj

    assert registers(moved) == registers(rows)


def test_a_slot_cut_by_a_price_is_shared_by_time():
    start = date(2026, 1, 5)
    spans = spans_of("hphc", Hours(("22:15-06:15",)), None, *WEEK)
    at = midnight(start) + 22 * 3600

    part = split([Slot(at, at + 1800, 1000)], spans, [(midnight(start), midnight(WEEK[1]))])[0]

    assert part.mj == {"hp": 500, "hc": 500}
    assert part.shared == 1000


def test_daily_values_do_not_tell_off_peak_hours():
    spans = spans_of("hphc", Hours(("22:00-06:00",)), None, *WEEK)
    day = Slot(midnight(WEEK[0]), midnight(WEEK[0]) + 86_400, 1000)

    with pytest.raises(CurveError, match="one value a day"):
        split([day], spans, [(midnight(WEEK[0]), midnight(WEEK[1]))])


def test_a_wrong_window_is_one_of_the_family():
    with pytest.raises(FoyerError, match="not a window"):
        spans_of("hphc", Hours(("22h-6h",)), None, *WEEK)
