"""The simulated meter says what a meter would, byte for byte, and the decoder reads it back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meters import NOON, producer, state, three
from tic_examples import wire

from drivers.linky import codes, sim
from drivers.linky.frame import Decoder, End
from drivers.linky.group import Group, Rejected
from drivers.linky.labels import HISTORIC, STANDARD


def read(data):
    decoder = Decoder()
    events = decoder.feed(data) + decoder.finish()
    assert not [event for event in events if isinstance(event, Rejected)]
    assert [event.clean for event in events if isinstance(event, End)] == [True]
    return {event.label: event for event in events if isinstance(event, Group)}


@pytest.mark.parametrize(("one", "groups", "size"), [(state(), 38, 865), (producer(), 48, 1093), (three(), 53, 1214)])
def test_standard_frames_have_the_groups_and_the_size_of_real_ones(one, groups, size):
    data = sim.standard_frame(one)
    assert (data.count(b"\r"), len(data)) == (groups, size)


@pytest.mark.parametrize(
    ("one", "groups", "size"),
    [
        (state(option="base", period="base"), 10, 152),
        (state(), 11, 170),
        (state(option="tempo", period="blue_hp", indexes=(1, 2, 3, 4, 5, 6), tempo_tomorrow="red"), 16, 275),
        (three(option="base", period="base", subscribed_kva=18), 16, 233),
        (three(option="tempo", period="white_hc", indexes=(1, 2, 3, 4, 5, 6)), 22, 356),
    ],
)
def test_historic_frames_have_the_groups_and_the_size_of_real_ones(one, groups, size):
    data = sim.historic_frame(one)
    assert (data.count(b"\r"), len(data)) == (groups, size)


def test_groups_come_in_the_order_of_the_specification():
    for data, table in ((sim.standard_frame(producer()), STANDARD), (sim.historic_frame(state()), HISTORIC)):
        ranks = [table[label].rank for label in read(data)]
        assert ranks == sorted(ranks)


def test_a_frame_reads_back_as_the_state_it_was_made_of():
    found = read(sim.with_parity(sim.standard_frame(producer())))
    assert found["EAST"].value == 4_321_000
    assert found["EASF02"].value == 1_321_000
    assert found["EASF03"].value == 0
    assert found["EAIT"].value == 765_432
    assert found["SINSTI"].value == 1660
    assert found["DATE"].stamp.at == NOON
    assert found["DATE"].stamp.iso == "2025-06-21T13:05:02+02:00"
    assert found["SMAXIN-1"].stamp.at == NOON - 86_400_000
    word = codes.status(found["STGE"].value)
    assert (word.producer, word.injecting, word.supplier_index, word.standard_output) == (True, True, 2, True)
    assert (word.contact_closed, word.cut_off, word.overload, word.clock_degraded) == (False, "closed", False, False)


def test_winter_and_summer_have_their_letters():
    assert sim.horodate(NOON) == "E250621130502"
    assert sim.horodate(1_736_922_600_000) == "H250115073000"


def test_tempo_colours_and_overload_are_in_the_status_word():
    word = sim.status_word(state(tempo_today="white", tempo_tomorrow="red", import_va=6100))
    status = codes.status(f"{word:08X}")
    assert (status.today, status.tomorrow, status.overload) == ("white", "red", True)


def test_an_unnamed_calendar_has_no_group():
    assert not {"NGTF", "LTARF"} & set(read(sim.standard_frame(state(calendar="", tariff=""))))
    assert "CCASN" not in read(sim.standard_frame(state(mean_import_w=None)))


def test_a_current_above_the_setting_is_announced_in_historic_mode():
    assert read(sim.historic_frame(state(current_a=(31.0,))))["ADPS"].value == 31
    assert "ADPS" not in read(sim.historic_frame(state(current_a=(30.0,))))


def test_a_three_phase_meter_above_its_setting_has_short_frames():
    found = read(sim.short_frame(three()))
    assert {label: one.value for label, one in found.items()} == {
        "ADIR3": 30,
        "ADCO": "021963234567",
        "IINST1": 1,
        "IINST2": 2,
        "IINST3": 30,
    }


def test_parity_is_even_on_every_byte():
    data = sim.with_parity(sim.standard_frame(state()))
    assert all(byte.bit_count() % 2 == 0 for byte in data)
    assert data == wire(sim.standard_frame(state()))


_WH = st.integers(0, 999_999_999)
_VA = st.integers(0, 36_000)
_STAMPED = st.none() | st.tuples(_VA, st.integers(1_600_000_000, 1_900_000_000).map(lambda s: s * 1000))
_TEXT = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 /.-", min_size=1, max_size=16)


@st.composite
def _states(draw):
    phases = draw(st.sampled_from([1, 3]))
    return state(
        at=draw(st.integers(1_600_000_000, 1_900_000_000)) * 1000,
        address=draw(st.from_regex(r"[0-9]{12}", fullmatch=True)),
        import_wh=draw(_WH),
        indexes=tuple(draw(st.lists(_WH, min_size=1, max_size=10))),
        export_wh=draw(st.none() | _WH),
        voltage_v=tuple(draw(st.lists(st.floats(0, 400), min_size=phases, max_size=phases))),
        current_a=tuple(draw(st.lists(st.floats(0, 90), min_size=phases, max_size=phases))),
        import_va=draw(_VA),
        export_va=draw(_VA),
        index=draw(st.integers(1, 10)),
        calendar=draw(_TEXT),
        tariff=draw(_TEXT),
        subscribed_kva=draw(st.integers(1, 36)) if phases == 3 else draw(st.integers(1, 18)),
        max_import_va=draw(_STAMPED),
        mean_import_w=draw(_STAMPED),
        tempo_today=draw(st.sampled_from([None, "blue", "white", "red"])),
    )


@given(_states())
@settings(max_examples=100, deadline=None)
def test_reading_what_was_rendered_gives_the_state_back(one):
    found = read(sim.with_parity(sim.standard_frame(one)))
    assert found["ADSC"].value == one.address
    assert found["DATE"].stamp.at == one.at
    assert found["EAST"].value == one.import_wh
    assert [found[f"EASF{n + 1:02d}"].value for n in range(len(one.indexes))] == list(one.indexes)
    assert found["EAIT"].value == one.export_wh if one.export_wh is not None else "EAIT" not in found
    assert found["SINSTS"].value == one.import_va
    assert found["NGTF"].value == one.calendar.strip()
    assert found["NTARF"].value == one.index
    assert ("IRMS2" in found) == (len(one.voltage_v) == 3)
    if one.mean_import_w is not None:
        assert (found["CCASN"].value, found["CCASN"].stamp.at) == one.mean_import_w
    old = read(sim.historic_frame(one))
    assert old["HCHC"].value == one.indexes[0]
    assert old["PAPP"].value == round(one.import_va, -1)
