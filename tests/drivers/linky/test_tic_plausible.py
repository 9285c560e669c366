"""The last gate: what a meter cannot have said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tic_examples import frame, group

from drivers.linky.frame import Decoder
from drivers.linky.group import Reason, Rejected
from drivers.linky.plausible import Gate

ADSC = group("ADSC", "061964234567")


class Meter:
    """A decoder with its gate, fed one frame a second."""

    def __init__(self):
        self.gate = Gate()
        self.decoder = Decoder(judge=self.gate)
        self.now = 0.0

    def says(self, *groups, after=1.0):
        self.now += after
        self.gate.tick(self.now)
        events = self.decoder.feed(frame(ADSC, *groups))
        return [event.label for event in events if isinstance(event, Rejected)], events

    def refuses(self, *groups, after=1.0):
        return self.says(*groups, after=after)[0]


def east(value):
    return group("EAST", f"{value:09d}")


def test_an_index_may_stand_still_or_move_as_fast_as_the_supply_allows():
    meter = Meter()
    for value in (1000, 1000, 1001, 1017, 1068):
        assert not meter.refuses(east(value))


def test_an_index_that_steps_back_or_leaps_is_refused_as_implausible():
    meter = Meter()
    meter.says(east(100_000))
    for wrong in (99_999, 140_000, 900_000_000):
        refused, events = meter.says(east(wrong))
        assert refused == ["EAST"]
        assert [event.reason for event in events if isinstance(event, Rejected)] == [Reason.IMPLAUSIBLE]
        assert not events[-1].clean
        assert not meter.refuses(east(100_001))


def test_an_index_may_have_moved_far_after_a_long_silence():
    meter = Meter()
    meter.says(east(100_000))
    assert not meter.refuses(east(110_000), after=3600.0)


def test_an_index_that_rested_for_an_hour_may_not_leap_in_the_second_after():
    meter = Meter()
    for _ in range(3600):
        meter.says(east(100_000))
    assert meter.refuses(east(101_000)) == ["EAST"]


def test_an_index_that_insists_three_times_begins_a_new_series():
    meter = Meter()
    meter.says(east(100_000))
    assert [meter.refuses(east(value)) for value in (12, 13, 13, 14)] == [["EAST"], ["EAST"], [], []]


def test_a_wrong_first_index_does_not_shut_the_true_ones_out():
    meter = Meter()
    meter.says(east(900_000_000))
    assert [bool(meter.refuses(east(100_000 + n))) for n in range(4)] == [True, True, False, False]


def test_an_old_doubt_does_not_help_a_new_one():
    meter = Meter()
    meter.says(east(100_000))
    assert meter.refuses(east(12))
    for _ in range(5):
        assert not meter.refuses(east(100_000))
    assert meter.refuses(east(12))
    assert meter.refuses(east(12))


@given(st.lists(st.integers(0, 200), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_whatever_comes_an_index_never_steps_back_but_to_begin_a_series_that_insisted(values):
    meter = Meter()
    said = [(value, not meter.refuses(east(value))) for value in values]
    assert said[0][1]
    last = 0
    for n, (value, accepted) in enumerate(said):
        if accepted and value < last:
            refused = [before for before, passed in said[:n] if not passed]
            assert refused[-2] <= refused[-1] <= value
        last = value if accepted else last


def test_the_date_goes_forward_at_the_pace_of_time():
    meter = Meter()
    meter.says(group("DATE", "", "E250621130502"))
    assert not meter.refuses(group("DATE", "", "E250621130503"))
    assert meter.refuses(group("DATE", "", "E250621130403")) == ["DATE"]
    assert meter.refuses(group("DATE", "", "E250621150503")) == ["DATE"]
    assert not meter.refuses(group("DATE", "", "E250621130507"))


def test_a_date_that_was_set_anew_is_believed_when_it_insists():
    meter = Meter()
    meter.says(group("DATE", "", "E250621130502"))
    assert meter.refuses(group("DATE", "", "E250621120000"))
    assert not meter.refuses(group("DATE", "", "E250621120001"))


def test_a_date_that_was_never_set_stands_in_no_ones_way():
    meter = Meter()
    meter.says(group("DATE", "", "h000000000000"))
    assert not meter.refuses(group("DATE", "", "E250621120001"))
    assert not meter.refuses(group("DATE", "", "h000000000000"))


def test_a_doubtful_date_and_one_never_set_do_not_speak_for_each_other():
    meter = Meter()
    meter.says(group("DATE", "", "E250621130502"))
    assert meter.refuses(group("DATE", "", "E250621120000"))
    meter.says(group("DATE", "", "E250621130503"), after=0.0)
    assert meter.refuses(group("DATE", "", "E250101120000"))
    assert meter.refuses(group("DATE", "", "E240101120000"))


def test_the_date_drives_time_where_the_bytes_do_not():
    meter = Meter()
    meter.says(group("DATE", "", "E250621130500"), east(100_000))
    assert meter.refuses(east(100_150), after=0.0)
    assert not meter.refuses(group("DATE", "", "E250621130509"), east(100_150), after=0.0)


@pytest.mark.parametrize(
    "wrong", [group("SINSTS", "60001"), group("URMS1", "501"), group("RELAIS", "256"), group("NTARF", "11")]
)
def test_what_no_home_has_is_refused(wrong):
    assert len(Meter().refuses(wrong)) == 1


def test_a_setting_may_change_at_once_in_a_sound_stream():
    meter = Meter()
    meter.says(group("PREF", "09"))
    assert not meter.refuses(group("PREF", "12"))


def test_a_setting_that_changes_in_a_noisy_stream_must_say_so_twice():
    meter = Meter()
    broken = b"".join(b"\nSINSTS\t01000\tX\r" for _ in range(8))
    meter.says(group("PREF", "09"), broken)
    assert meter.refuses(group("PREF", "12"), broken)[0] == "PREF"
    assert "PREF" not in meter.refuses(group("PREF", "12"), broken)
    for _ in range(30):
        meter.says()
    assert not meter.refuses(group("PREF", "09"))


def test_a_number_that_identifies_is_believed_at_first_sight_only_in_a_sound_stream():
    prm = group("PRM", "30000000000001")
    assert not Meter().refuses(prm)
    meter = Meter()
    meter.says(b"".join(b"\nSINSTS\t01000\tX\r" for _ in range(8)))
    assert meter.refuses(prm) == ["PRM"]
    assert not meter.refuses(prm)


def test_a_text_with_a_capital_amid_small_letters_must_come_twice():
    odd = group("NGTF", "H PLEINEoCREUSE ")
    meter = Meter()
    assert meter.refuses(odd) == ["NGTF"]
    assert not meter.refuses(odd)
    assert not Meter().refuses(group("NGTF", "HC et Week-End  "))


def test_an_unknown_label_is_no_sign_of_noise():
    meter = Meter()
    meter.says(group("PREF", "09"), *[group(f"NEW{n}", "1") for n in range(9)])
    assert not [one for one in meter.refuses(group("PREF", "12")) if one == "PREF"]


def test_another_delivery_point_must_come_twice_but_is_no_other_meter():
    meter = Meter()
    meter.says(group("PRM", "30000000000001"))
    assert meter.refuses(group("PRM", "30000000000002"))
    assert not meter.refuses(group("PRM", "30000000000002"))
    assert meter.gate.meters_replaced == 0
