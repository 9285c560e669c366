"""The decoder: bytes to groups, whatever the cut, whatever the damage."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tic_examples import (
    ALL,
    H1,
    H2_SHORT,
    H3_EJP,
    S1_PRODUCER,
    S2_PEAK,
    decode,
    ends,
    frame,
    group,
    groups,
    old_group,
    rejected,
    wire,
)

from drivers.linky.frame import Decoder, End
from drivers.linky.group import WIRE, WIRE_WITH_PARITY, Group, Reason, Rejected, parse, read_standard, repair
from drivers.linky.labels import HISTORIC, STANDARD, Mode, Nature
from drivers.linky.plausible import Gate


def values(data, **options):
    return {one.label: one.value for one in groups(decode(data, **options))}


class TestExampleFrames:
    def test_a_one_phase_off_peak_frame_has_these_values(self):
        assert values(H1) == {
            "ADCO": "061961234567",
            "OPTARIF": "HC..",
            "ISOUSC": 45,
            "HCHC": 12345678,
            "HCHP": 23456789,
            "PTEC": "HP..",
            "IINST": 9,
            "IMAX": 90,
            "PAPP": 2120,
            "HHPHC": "A",
            "MOTDETAT": "000000",
        }

    def test_a_three_phase_short_frame_has_these_values(self):
        assert values(H2_SHORT) == {"ADIR2": 32, "ADCO": "061976234567", "IINST1": 4, "IINST2": 32, "IINST3": 0}

    def test_an_ejp_frame_with_notice_and_overload_has_these_values(self):
        found = values(H3_EJP)
        assert found["EJPHN"] == 12345678
        assert found["EJPHPM"] == 456789
        assert (found["PEJP"], found["PTEC"], found["ADPS"], found["PAPP"]) == (30, "HN..", 47, 10930)
        assert len(found) == 13

    def test_a_producer_frame_has_these_values(self):
        found = {one.label: one for one in groups(decode(S1_PRODUCER))}
        assert found["EAST"].value == 4321000
        assert found["EAIT"].value == 765432
        assert found["SINSTI"].value == 1660
        assert found["STGE"].value == "013A0301"
        assert found["DATE"].value == ""
        assert found["DATE"].stamp.iso == "2025-06-21T13:05:02+02:00"
        assert found["DATE"].stamp.at == 1750503902000
        assert found["CCAIN"].stamp.iso == "2025-06-21T13:00:00+02:00"
        assert len(found) == 11

    def test_a_peak_frame_of_a_degraded_clock_has_these_values(self):
        found = {one.label: one for one in groups(decode(S2_PEAK))}
        assert found["NGTF"].value == "EJP"
        assert found["DATE"].stamp.degraded
        assert found["DATE"].stamp.iso == "2025-01-15T06:30:00+01:00"
        assert found["DPM1"].value == 0
        assert found["DPM1"].stamp.iso == "2025-01-16T07:00:00"
        assert found["DPM1"].stamp.at is None
        assert found["NTARF"].value == 1

    @pytest.mark.parametrize("name", ALL)
    def test_every_example_is_one_complete_clean_frame_with_parity_or_without(self, name):
        for data in (ALL[name], wire(ALL[name])):
            events = decode(data)
            assert not rejected(events)
            assert [(end.complete, end.clean) for end in ends(events)] == [(True, True)]


class TestAnySplit:
    @given(st.data())
    @settings(max_examples=150, deadline=None)
    def test_any_split_of_any_stream_gives_the_same_events(self, data):
        stream = data.draw(_streams())
        whole = Decoder(judge=Gate())
        expected = whole.feed(stream) + whole.finish()
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
        parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        decoder = Decoder(judge=Gate())
        events = [event for part in parts for event in decoder.feed(part)] + decoder.finish()
        assert events == expected

    @pytest.mark.parametrize("bare", [True, False])
    def test_one_byte_at_a_time_gives_the_same_events(self, bare):
        stream = b"".join(ALL.values()) * 2
        stream = stream if bare else wire(stream)
        decoder = Decoder()
        events = [event for byte in stream for event in decoder.feed(bytes([byte]))] + decoder.finish()
        assert events == decode(stream)

    def test_a_group_is_given_with_its_last_byte_and_a_frame_ends_with_its_etx(self):
        decoder = Decoder()
        assert groups(decoder.feed(S1_PRODUCER[: S1_PRODUCER.index(b"\r") + 1]))[0].label == "ADSC"
        rest = S1_PRODUCER[S1_PRODUCER.index(b"\r") + 1 : -1]
        assert not ends(decoder.feed(rest))
        assert ends(decoder.feed(b"\x03")) == [End(Mode.STANDARD, complete=True, clean=True)]


@st.composite
def _streams(draw):
    """Real frames, parity kept or not, with cuts, flips, control characters and soup in between."""
    pieces = draw(st.lists(st.sampled_from([*ALL.values(), b"\x04\x02", b"\r\n", b"\x02"]), min_size=1, max_size=8))
    stream = bytearray(b"".join(pieces))
    if draw(st.booleans()):
        stream = bytearray(wire(bytes(stream)))
    for _ in range(draw(st.integers(0, 12))):
        place = draw(st.integers(0, len(stream) - 1))
        change = draw(st.sampled_from(["flip", "drop", "soup", "control"]))
        if change == "flip":
            stream[place] ^= 1 << draw(st.integers(0, 7))
        elif change == "drop":
            del stream[place : place + draw(st.integers(1, 40))]
            stream = stream or bytearray(b"\r")
        elif change == "control":
            stream[place] = draw(st.integers(0, 31))
        else:
            stream[place:place] = draw(st.binary(max_size=400))
    return bytes(stream)


_TRUE = {one.raw for data in ALL.values() for one in groups(decode(data))}


class TestDamage:
    @given(st.binary(max_size=600))
    @settings(max_examples=300, deadline=None)
    def test_byte_soup_never_raises_and_never_gives_a_value_that_fails_a_gate(self, soup):
        for mode in (None, Mode.HISTORIC, Mode.STANDARD):
            for one in groups(decode(soup, mode=mode)):
                _passes_every_gate(one)

    @given(_streams())
    @settings(max_examples=300, deadline=None)
    def test_a_damaged_stream_never_gives_a_value_that_fails_a_gate(self, stream):
        for one in groups(decode(stream)):
            _passes_every_gate(one)

    @given(st.sampled_from(sorted(ALL)), st.integers(0, 10_000), st.integers(0, 7))
    @settings(max_examples=300, deadline=None)
    def test_a_flipped_bit_is_refused_or_repaired_and_never_believed(self, name, place, bit):
        latched = wire(ALL[name]) * 2
        damaged = bytearray(wire(ALL[name]))
        damaged[place % len(damaged)] ^= 1 << bit
        events = decode(latched + bytes(damaged))
        found = groups(events)
        assert {one.raw for one in found} <= _TRUE
        for one in found:
            if one.repaired:
                assert one.spec.nature is not Nature.INDEX

    def test_a_flipped_bit_in_a_power_is_repaired_and_says_so(self):
        damaged = bytearray(wire(S1_PRODUCER))
        damaged[S1_PRODUCER.index(b"01660") + 2] ^= 0x04
        found = {one.label: one for one in groups(decode(wire(S1_PRODUCER) + bytes(damaged)))[11:]}
        assert found["SINSTI"].value == 1660
        assert found["SINSTI"].repaired

    def test_a_digit_made_a_control_character_by_one_flip_is_repaired(self):
        damaged = bytearray(wire(S1_PRODUCER))
        damaged[S1_PRODUCER.index(b"01660") + 2] ^= 0x20
        found = {one.label: one for one in groups(decode(wire(S1_PRODUCER) + bytes(damaged)))[11:]}
        assert found["SINSTI"].repaired
        assert found["SINSTI"].value == 1660

    def test_a_flipped_bit_in_an_index_is_refused_for_its_parity(self):
        damaged = bytearray(wire(S1_PRODUCER))
        damaged[S1_PRODUCER.index(b"004321000") + 4] ^= 0x01
        events = decode(wire(S1_PRODUCER) + bytes(damaged))
        assert [(one.label, one.reason) for one in rejected(events)] == [("EAST", Reason.PARITY)]
        assert ends(events)[-1] == End(Mode.STANDARD, complete=True, clean=False)

    def test_what_two_flips_could_explain_is_not_repaired(self):
        sound = wire(group("NGTF", "H PLEINE/CREUSE "))[1:-1]
        blank = sound.index(0xA0)
        flipped = bytearray(sound)
        flipped[blank] ^= 0x80  # a lone parity bit, or a blank that was a back-quote: the character set decides
        assert repair(bytes(flipped), Mode.STANDARD).value == "H PLEINE/CREUSE"
        text = bytearray(wire(group("NGTF", "HC et Week-End  "))[1:-1])
        text[text.index(wire(b"t")[0])] ^= 0x40  # "t" and "4" are both text, and the sum is blind to that bit
        assert repair(bytes(text), Mode.STANDARD) is None

    def test_three_damaged_bytes_are_beyond_repair(self):
        damaged = bytearray(wire(b"SINSTI\t01660\tI"))
        for place in (1, 8, 9):
            damaged[place] ^= 1
        assert repair(bytes(damaged), Mode.STANDARD) is None

    def test_endless_text_without_a_control_character_is_not_kept(self):
        decoder = Decoder()
        for _ in range(100):
            decoder.feed(b"A" * 1000)
        assert len(decoder._tail) < 300
        assert groups(decoder.feed(b"\r" + S1_PRODUCER))

    def test_endless_text_is_refused_once_for_its_size(self):
        events = decode(b"\n" + b"A" * 5000 + b"\r")
        assert [(one.reason, len(one.raw)) for one in rejected(events)] == [(Reason.SIZE, 64)]

    def test_endless_text_with_parity_damage_amid_it_is_not_joined(self):
        stream = wire(S1_PRODUCER * 2) + b"\x0a" + wire(b"A" * 300) + b"\x92" + wire(b"B" * 20) + b"\x8d"
        assert [one.reason for one in rejected(decode(stream))] == [Reason.CHECKSUM]


def _passes_every_gate(one):
    raw = one.raw.encode("ascii")
    again = parse(raw)
    assert isinstance(again, Group)
    assert again[:4] == one[:4]
    covered = raw[:-1] if b"\t" in raw else raw[:-2]
    assert raw[-1] == (sum(covered) & 0x3F) + 0x20
    assert one.label in (STANDARD if b"\t" in raw else HISTORIC)


class TestGates:
    def test_the_checksum_may_be_a_blank(self):
        blank = [one.label for one in groups(decode(H1 + S1_PRODUCER + S2_PEAK)) if one.raw.endswith(" ")]
        assert blank == ["PTEC", "IINST", "EAIT", "NGTF", "FPM1"]

    def test_each_mode_has_its_own_checksum_and_no_other(self):
        head = b"EAST\t004321000\t"
        as_historic = bytes([(sum(head[:-1]) & 0x3F) + 0x20])
        events = decode(frame(b"\n" + head + as_historic + b"\r", group("VTIC", "02")))
        assert [one.reason for one in rejected(events)] == [Reason.CHECKSUM]
        old = b"PAPP 02120"
        as_standard = bytes([(sum(old) + 0x20 & 0x3F) + 0x20])
        events = decode(frame(b"\n" + old + b" " + as_standard + b"\r"))
        assert [one.reason for one in rejected(events)] == [Reason.CHECKSUM]

    @pytest.mark.parametrize(
        ("one", "reason"),
        [
            (group("EASTX", "004321000"), Reason.LABEL),
            (group("EAST", "04321000"), Reason.SIZE),
            (group("EAST", "004321000", "E250621130502"), Reason.SIZE),
            (group("DATE", ""), Reason.SIZE),
            (group("DATE", "", "E25062113050"), Reason.SIZE),
            (group("DATE", "", "E251321130502"), Reason.CHARSET),
            (group("DATE", "", "X250621130502"), Reason.CHARSET),
            (group("EAST", "0043p1000"), Reason.CHARSET),
            (group("STGE", "013a0301"), Reason.CHARSET),
            (group("NGTF", "H`PLEINE/CREUSE "), Reason.CHARSET),
            (group("PJOURF+1", "0000400X" + " NONUTILE" * 10), Reason.CHARSET),
            (old_group("PTEC", "XX.."), Reason.CHARSET),
            (old_group("PAPP", "2120"), Reason.SIZE),
            (old_group("PAPQ", "02120"), Reason.LABEL),
            (b"\nXY\r", Reason.CHECKSUM),
            (b"\nA\t\r", Reason.CHECKSUM),
        ],
    )
    def test_each_gate_names_its_reason(self, one, reason):
        events = decode(frame(one))
        assert [event.reason for event in rejected(events)] == [reason]
        assert not groups(events)

    def test_unknown_labels_are_kept_apart_with_their_text(self):
        events = decode(frame(group("ADSC", "061964234567"), group("NEWLABEL", "42")))
        assert rejected(events) == [Rejected("NEWLABEL", group("NEWLABEL", "42")[1:-1].decode(), Reason.LABEL)]

    def test_an_imposed_mode_refuses_the_other(self):
        assert not groups(decode(H1, mode=Mode.STANDARD))
        assert not groups(decode(S1_PRODUCER, mode=Mode.HISTORIC))
        assert len(groups(decode(H1, mode=Mode.HISTORIC))) == 11

    def test_parity_none_reads_damaged_parity_bits(self):
        damaged = bytes(byte ^ 0x80 if n % 3 == 0 else byte for n, byte in enumerate(wire(S1_PRODUCER)))
        assert len(groups(decode(damaged * 2, parity="none"))) == 22

    @given(st.sampled_from(sorted(STANDARD)), st.data())
    @settings(max_examples=200, deadline=None)
    def test_the_short_way_through_the_gates_agrees_with_the_long_one(self, name, data):
        spec = STANDARD[name]
        text = data.draw(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=0, max_size=20))
        text = data.draw(st.sampled_from([text, "0" * spec.size, "12345678901234567890"[: spec.size]]))
        stamp = data.draw(st.sampled_from([None, "E250621130502", " 250116070000", "H000000000000", "E259921130502"]))
        line = bytearray(group(name, text, stamp)[:-1])
        if data.draw(st.booleans()):
            line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        for read, table in ((bytes(line), WIRE), (wire(bytes(byte & 0x7F for byte in line)), WIRE_WITH_PARITY)):
            quick = read_standard(read, table)
            seven = bytes(byte & 0x7F for byte in read)
            if quick is not None:
                assert quick == parse(seven[1:])


class TestModeAndParity:
    def test_the_mode_is_latched_by_three_good_groups(self):
        decoder = Decoder()
        pieces = S1_PRODUCER.split(b"\r")
        modes = []
        for piece in pieces[:4]:
            decoder.feed(piece + b"\r")
            modes.append(decoder.mode)
        assert modes == [None, None, Mode.STANDARD, Mode.STANDARD]

    def test_a_mode_switched_mid_stream_is_followed_without_losing_a_group(self):
        decoder = Decoder()
        events = decoder.feed(wire(S1_PRODUCER * 2 + H1 * 2 + S1_PRODUCER))
        assert len(groups(events)) == 11 * 5
        assert not rejected(events)
        assert [end.mode for end in ends(events)] == [Mode.STANDARD] * 2 + [Mode.HISTORIC] * 2 + [Mode.STANDARD]
        assert all(end.complete for end in ends(events))

    def test_a_mode_switched_mid_frame_ends_the_frame(self):
        cut = S1_PRODUCER[: S1_PRODUCER.index(b"\nIRMS1")]
        events = decode(cut + H1[1:])
        assert [(end.mode, end.complete) for end in ends(events)] == [(Mode.STANDARD, False), (Mode.HISTORIC, True)]

    def test_parity_is_recognised_by_itself(self):
        for data, kept in ((wire(S1_PRODUCER), True), (S1_PRODUCER, False)):
            decoder = Decoder()
            assert decoder.parity is None
            decoder.feed(data)
            assert decoder.parity is kept

    @pytest.mark.parametrize(("before", "after"), [(bytes, wire), (wire, bytes)])
    def test_an_adapter_exchanged_for_one_that_treats_parity_otherwise_is_noticed(self, before, after):
        decoder = Decoder()
        decoder.feed(before(S1_PRODUCER * 2))
        assert len(groups(decoder.feed(after(S1_PRODUCER * 3)))) >= 3 * 11 - 3

    def test_a_passing_contradiction_does_not_overturn_the_parity(self):
        decoder = Decoder()
        decoder.feed(wire(S1_PRODUCER * 2))
        for _ in range(4):
            decoder.feed(S1_PRODUCER[1 : S1_PRODUCER.index(b"\nDATE")])
            decoder.feed(wire(S1_PRODUCER))
        assert decoder.parity is True

    def test_noise_in_bit_7_does_not_disturb_a_stream_without_parity(self):
        noisy = bytearray(S1_PRODUCER)
        noisy[40] |= 0x80
        noisy[90] |= 0x80
        assert len(groups(decode(S1_PRODUCER + bytes(noisy)))) == 22


class TestFrames:
    def test_a_capture_that_begins_and_ends_anywhere_has_two_partial_frames(self):
        stream = S1_PRODUCER * 4
        events = decode(stream[30:-40])
        assert not rejected(events)
        assert [end.complete for end in ends(events)] == [False, True, True, False]

    def test_a_scrap_without_a_group_is_a_partial_frame_too(self):
        events = decode(b"00\t9\r\x03" + S1_PRODUCER + b"\x02\nADSC\t")
        assert [end.complete for end in ends(events)] == [False, True, False]
        assert ends(events)[0].mode is None

    def test_a_scrap_that_a_new_frame_ends_is_a_partial_frame_too(self):
        events = decode(b"00\t9\r" + S1_PRODUCER)
        assert [end.complete for end in ends(events)] == [False, True]

    def test_every_start_offset_gives_every_whole_group_and_no_other(self):
        stream = wire(S1_PRODUCER * 2)
        raws = [one.raw for one in groups(decode(stream))]
        for offset in range(len(stream)):
            whole = stream[offset:].count(b"\x0a")
            found = [one.raw for one in groups(decode(stream[offset:]))]
            assert found == raws[len(raws) - len(found) :]
            assert whole <= len(found) <= whole + 1

    def test_the_decoder_may_go_on_after_a_break(self):
        decoder = Decoder()
        decoder.feed(S1_PRODUCER * 2 + S1_PRODUCER[:50])
        assert decoder.finish() == [End(Mode.STANDARD, complete=False, clean=False)]
        assert decoder.finish() == []
        events = decoder.feed(S1_PRODUCER[80:] + S1_PRODUCER)
        assert [end.complete for end in ends(events)] == [False, True]
        assert not rejected(events)

    def test_thousands_of_values_do_not_fill_the_memory(self):
        decoder = Decoder()
        decoder.feed(S1_PRODUCER * 2)
        for n in range(10_000):
            decoder.feed(group("EAST", f"{n:09d}"))
        assert len(decoder._known) <= 4096
