"""What meters and adapters do in the field; one test or more for each quirk."""

import pytest
from tic_examples import ALL, H1, H2_SHORT, H3_EJP, S1_PRODUCER, frame, group, old_group, wire

from drivers.linky.frame import Decoder, End
from drivers.linky.group import Group, Reason, Rejected
from drivers.linky.labels import Mode
from drivers.linky.plausible import Gate
from drivers.linky.stream import Stream


def decode(data, **options):
    decoder = Decoder(**options)
    return decoder.feed(data) + decoder.finish()


def raws(events):
    return [event.raw for event in events if isinstance(event, Group)]


def rejected(events):
    return [event for event in events if isinstance(event, Rejected)]


def ends(events):
    return [event for event in events if isinstance(event, End)]


def readings(stream, data, seconds=0.0):
    events = stream.feed(data, seconds)
    return {one.signal: one.value for batch, _ in stream.readings(events, 0) for one in batch}


class TestQuirk1TheFirstByteAfterAPauseIsDamaged:
    @pytest.mark.parametrize("damaged", [0x0B, 0x0E, 0x0F])
    @pytest.mark.parametrize("parity", [True, False])
    def test_no_group_is_lost_when_every_lf_is_damaged(self, damaged, parity):
        for text in ALL.values():
            stream = text * 3
            stream = wire(stream) if parity else stream
            events = decode(stream.replace(b"\x0a", bytes([damaged])))
            assert raws(events) == raws(decode(stream))
            assert not rejected(events)

    def test_no_group_is_lost_when_stx_is_something_else(self):
        events = decode((S1_PRODUCER * 3).replace(b"\x02", b"\x06"))
        assert len(raws(events)) == 33
        assert all(end.complete for end in ends(events))

    def test_an_lf_that_became_a_letter_costs_no_group(self):
        for stream in (wire(S1_PRODUCER), S1_PRODUCER):
            place = stream.index(b"\x0a", 60)
            damaged = stream[:place] + b"\x4a" + stream[place + 1 :]
            assert raws(decode(stream + damaged)) == raws(decode(stream * 2))

    def test_a_cr_that_became_something_else_costs_no_group(self):
        for stream in (wire(S1_PRODUCER), S1_PRODUCER):
            place = stream.index(b"\x0a", 60) - 1
            for became in (0x0F, 0x09, 0x4D, 0x2D, 0x05):
                damaged = stream[:place] + bytes([became]) + stream[place + 1 :]
                assert raws(decode(stream + damaged)) == raws(decode(stream * 2))

    def test_an_lf_that_became_an_stx_does_not_cut_the_frame(self):
        place = S1_PRODUCER.index(b"\n", 60)
        events = decode(S1_PRODUCER[:place] + b"\x02" + S1_PRODUCER[place + 1 :])
        assert ends(events) == [End(Mode.STANDARD, complete=True, clean=True)]


class TestQuirk2LineEndsOfManyKinds:
    def test_an_extra_cr_lf_after_stx_and_before_etx_is_nothing(self):
        events = decode((b"\x02\r\n" + H1[1:-1] + b"\r\n\x03") * 2)
        assert raws(events) == raws(decode(H1 * 2))
        assert all(end.clean for end in ends(events))
        assert not rejected(events)

    def test_a_cooked_terminal_that_turns_cr_into_lf_and_eats_etx_costs_no_group(self):
        cooked = (H1 * 3).replace(b"\r", b"\n").replace(b"\x03", b"")
        events = decode(cooked)
        assert raws(events) == raws(decode(H1 * 3))
        assert [end.complete for end in ends(events)] == [True, True, False]
        assert not rejected(events)

    def test_a_missing_etx_leaves_the_new_stx_to_end_the_frame(self):
        events = decode((S1_PRODUCER * 3).replace(b"\x03", b"") + b"\x03")
        assert [end.complete for end in ends(events)] == [True, True, True]


class TestInterruption:
    @pytest.mark.parametrize("parity", [True, False])
    def test_an_eot_at_any_byte_keeps_the_groups_before_it_and_marks_the_frame(self, parity):
        stream = wire(S1_PRODUCER) if parity else S1_PRODUCER
        eot = b"\x84" if parity else b"\x04"
        all_raws = raws(decode(stream))
        for cut in range(30, len(stream) - 2):
            events = decode(stream + stream[:cut] + eot + stream)
            found = raws(events)
            kept = len(found) - 2 * len(all_raws)
            assert found == all_raws + all_raws[:kept] + all_raws
            assert kept >= stream[:cut].count(b"\x0a") - 1
            assert [end.complete for end in ends(events)] == [True, False, True]
            assert not rejected(events)

    def test_a_new_stx_without_any_terminator_ends_the_frame_it_interrupts(self):
        cut = S1_PRODUCER[: S1_PRODUCER.index(b"\nSINSTI") + 5]
        events = decode(S1_PRODUCER + cut + S1_PRODUCER)
        assert len(raws(events)) == 11 + 8 + 11
        assert ends(events)[1].clean is False

    def test_a_new_stx_before_a_refused_group_ends_the_frame_too(self):
        cut = S1_PRODUCER[: S1_PRODUCER.index(b"\nSINSTI")]
        bad = b"\x02\nADSC\t061964234567\tZ\r" + S1_PRODUCER[S1_PRODUCER.index(b"\nVTIC") :]
        events = decode(S1_PRODUCER + cut + bad)
        assert [(end.complete, end.clean) for end in ends(events)] == [(True, True), (True, True), (True, False)]


class TestQuirk3Parity:
    def test_the_bytes_of_an_eight_bit_port_are_read(self):
        data = wire(S1_PRODUCER)
        assert data[0] == 0x82
        assert 0x8D in data
        assert 0xC3 in data
        assert raws(decode(data)) == raws(decode(S1_PRODUCER))

    def test_a_stream_whose_bit_7_was_stripped_is_read_without_that_gate(self):
        decoder = Decoder()
        decoder.feed(S1_PRODUCER)
        assert decoder.parity is False

    def test_two_flips_that_the_checksum_cannot_see_are_caught_by_parity(self):
        swapped = wire(S1_PRODUCER).replace(wire(b"01660"), wire(b"01660").replace(wire(b"1"), bytes([0xB1 ^ 0x81])))
        events = decode(wire(S1_PRODUCER) + swapped)
        assert all(one in raws(decode(S1_PRODUCER)) for one in raws(events))


class TestQuirk5SpeedIsNotMode:
    def test_a_historic_stream_is_read_whatever_the_speed_that_brought_it(self):
        stream = Stream()
        assert readings(stream, wire(H1))["grid.import.apparent_power"] == 2120
        assert stream.mode is Mode.HISTORIC


class TestQuirk7Errors:
    def test_errors_are_a_rate_and_not_a_log(self, caplog):
        stream = Stream()
        bad = S1_PRODUCER.replace(b"URMS1\t238\tG", b"URMS1\t239\tG")
        for n in range(40):
            stream.feed(bad if n % 4 == 0 else S1_PRODUCER, float(n))
        assert stream.error_rate == pytest.approx(10 / 440)
        assert stream.details()["rejected"] == {"checksum": 10}
        assert not caplog.records


class TestQuirk8GluedFrames:
    def test_the_head_of_one_frame_and_the_tail_of_another_are_not_one_complete_frame(self):
        full = frame(
            group("ADSC", "061964234567"),
            group("EAST", "004321000"),
            group("EASF07", "000000000"),
            group("SINSTS", "01000"),
            group("NTARF", "01"),
        )
        head = full[: full.index(b"\nNTARF")]
        tail = full[full.index(b"\nEASF07") :]
        events = decode(full + head + tail + full)
        assert [end.complete for end in ends(events)] == [True, False, False, True]
        assert not rejected(events)

    def test_a_label_that_repeats_begins_another_frame(self):
        events = decode(b"\x02" + group("ADSC", "061964234567") + group("VTIC", "02") * 2 + b"\x03")
        assert [end.complete for end in ends(events)] == [False, False]

    def test_a_tail_right_after_an_etx_is_no_complete_frame(self):
        events = decode(S1_PRODUCER + S1_PRODUCER[S1_PRODUCER.index(b"\nEAST") :])
        assert [end.complete for end in ends(events)] == [True, False]

    def test_frames_glued_at_their_border_are_both_read(self):
        events = decode(S1_PRODUCER[:-1] + S1_PRODUCER[1:])
        assert [end.complete for end in ends(events)] == [False, True]


class TestQuirk9LabelsComeAndGo:
    def test_an_overload_is_over_with_a_clean_frame_that_no_longer_says_it(self):
        stream = Stream()
        assert readings(stream, H3_EJP)["grid.overload"] == "yes"
        calm = H3_EJP.replace(b"\nADPS 047 C\r", b"")
        assert readings(stream, calm)["grid.overload"] == "no"

    def test_an_overload_is_not_over_because_a_frame_was_damaged(self):
        stream = Stream()
        readings(stream, H3_EJP)
        damaged = H3_EJP.replace(b"ADPS 047 C", b"ADPS 049 C")
        assert "grid.overload" not in readings(stream, damaged)
        interrupted = H3_EJP[: H3_EJP.index(b"\nADPS")] + b"\x04"
        assert "grid.overload" not in readings(stream, interrupted)

    def test_a_value_whose_label_is_gone_is_withdrawn(self):
        stream = Stream()
        assert readings(stream, S1_PRODUCER)["grid.export.energy"] == 765432
        consumer = S1_PRODUCER.replace(b"\nEAIT\t000765432\t \r", b"").replace(b"\nSINSTI\t01660\tI\r", b"")
        found = readings(stream, consumer)
        assert found["grid.export.energy"] is None
        assert found["grid.export.apparent_power"] is None
        assert found["grid.import.energy"] == 4321000

    def test_short_frames_do_not_wipe_the_other_values(self):
        stream = Stream()
        long = frame(
            old_group("ADCO", "061976234567"),
            old_group("OPTARIF", "BASE"),
            old_group("BASE", "012345678"),
            *(old_group(f"IINST{n}", "004") for n in (1, 2, 3)),
            old_group("PAPP", "02120"),
        )
        assert readings(stream, long)["grid.overload"] == "no"
        for _ in range(20):
            found = readings(stream, H2_SHORT)
            assert found == {
                "grid.overload": "yes",
                "grid.current.l1": 4,
                "grid.current.l2": 32,
                "grid.current.l3": 0,
                "grid.imbalance.current": 32,
            }
        assert None not in readings(stream, long).values()
        # the long frame amid the short ones says nothing of the overload, the second one running does
        assert readings(stream, long)["grid.overload"] == "no"


class TestQuirk10OldMeters:
    def test_a_state_word_and_a_slot_group_of_an_old_meter_pass(self):
        events = decode(
            frame(old_group("ADCO", "020828123456"), old_group("HHPHC", "Y"), old_group("MOTDETAT", "400000"))
        )
        assert len(raws(events)) == 3

    def test_a_malformed_overload_group_is_refused_and_nothing_else(self):
        events = decode(H3_EJP.replace(b"ADPS 047 C\r", b"ADPS 047\r"))
        assert [one.reason for one in rejected(events)] == [Reason.CHECKSUM]
        assert len(raws(events)) == 12


class TestQuirk11ModeAndMeterChange:
    def test_a_mode_switched_remotely_withdraws_only_what_the_new_mode_does_not_say(self):
        stream = Stream()
        readings(stream, S1_PRODUCER * 2)
        found = readings(stream, H1)
        assert found["grid.import.apparent_power"] == 2120
        assert found["grid.voltage.l1"] is None
        assert found["grid.export.energy"] is None
        assert found["grid.import.energy"] == 12345678 + 23456789

    def test_another_meter_is_believed_with_its_second_frame_and_begins_a_new_series(self):
        stream = Stream()
        readings(stream, S1_PRODUCER, 0.0)
        other = S1_PRODUCER.replace(b"ADSC\t061964234567\tB", group("ADSC", "061964999999")[1:-1]).replace(
            b"EAST\t004321000\tY", group("EAST", "000000012")[1:-1]
        )
        first = readings(stream, other, 1.0)
        assert "grid.import.energy" not in first
        assert stream.details()["meters_replaced"] == 0
        second = readings(stream, other, 2.0)
        assert second["grid.import.energy"] == 12
        assert stream.details()["meters_replaced"] == 1
        assert stream.interpreter.address == "061964999999"


class TestQuirk12Midnight:
    def test_a_date_that_repeats_or_skips_a_second_passes(self):
        gate = Gate()
        decoder = Decoder(judge=gate)
        for n, second in enumerate((57, 58, 58, 59)):
            gate.tick(float(n))
            events = decoder.feed(frame(group("ADSC", "061964234567"), group("DATE", "", f"E2506212359{second}")))
            assert not rejected(events)
        gate.tick(4.0)
        events = decoder.feed(frame(group("ADSC", "061964234567"), group("DATE", "", "E250622000001")))
        assert not rejected(events)

    def test_the_hour_that_october_has_twice_goes_forward(self):
        gate = Gate()
        decoder = Decoder(judge=gate)
        for n, stamp in enumerate(("E251026025959", "H251026020000", "H251026020001")):
            gate.tick(float(n))
            assert not rejected(decoder.feed(frame(group("ADSC", "061964234567"), group("DATE", "", stamp))))


class TestQuirk13OneOrThreePhases:
    def three(self, *more):
        return frame(group("ADSC", "061963234567"), group("IRMS1", "003"), *more)

    def test_one_sure_three_phase_label_is_enough(self):
        stream = Stream()
        readings(stream, frame(group("ADSC", "069999234567"), group("IRMS1", "003")))
        assert stream.interpreter.phases is None
        readings(stream, self.three(group("IRMS2", "001")), 1.0)
        assert stream.interpreter.phases == 3

    def test_a_frame_without_them_does_not_undo_it_but_many_do(self):
        stream = Stream()
        readings(stream, self.three(group("IRMS2", "001")))
        for n in range(19):
            readings(stream, self.three(), float(n))
        assert stream.interpreter.phases == 3
        readings(stream, self.three(), 20.0)
        assert stream.interpreter.phases == 1
