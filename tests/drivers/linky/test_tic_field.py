"""More of what the field does: small ports, lost bytes, glued frames, midnight, new meters, odd addresses."""

import random
from itertools import pairwise

import pytest
from meters import NOON, producer, state, three
from tic_examples import (
    H1,
    H2_SHORT,
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

from drivers.linky import sim, states
from drivers.linky.frame import Decoder
from drivers.linky.group import Reason
from drivers.linky.labels import Mode
from drivers.linky.plausible import Gate
from drivers.linky.stream import Stream
from gateway.clock import UtcMs


def readings(stream, data, seconds=0.0, at=0):
    events = stream.feed(data, seconds)
    return {one.signal: one.value for batch, _ in stream.readings(events, UtcMs(at)) for one in batch}


class TestQuirk4TheSmallUartOfARaspberryPi:
    def test_a_line_that_came_without_parity_is_read_and_the_better_port_is_advised(self):
        stream = Stream()
        stream.feed(sim.standard_frame(state()) * 2, 0.0)
        beat = states.reading(stream.details(), speed=9600, small_uart=True)
        assert beat.details["parity"] is False
        assert "dtoverlay=disable-bt" in beat.mend.fr

    def test_a_port_that_turns_the_parity_bit_into_noise_is_read_without_it(self):
        # 7N1 on a 7E1 line: the eighth bit is whatever came at the place of the stop bit
        draw = random.Random(3)
        noisy = bytes(byte | draw.choice((0, 0x80)) for byte in S1_PRODUCER * 40)
        found = groups(decode(noisy, parity="none"))
        assert len(found) == 11 * 40


class TestQuirk6Dongles:
    def test_a_weak_signal_speaks_of_the_trimmer_and_of_the_breakers(self):
        beat = states.weak(0.31, None, {})
        assert "vis de réglage" in beat.mend.fr
        assert "disjoncteurs" in beat.mend.fr

    def test_a_stream_with_a_third_of_its_groups_damaged_still_gives_the_others(self):
        draw = random.Random(1)
        stream = bytearray(wire(sim.standard_frame(producer()) * 40))
        starts = [n for n, byte in enumerate(stream) if byte == 0x0A]
        hit = draw.sample(starts, len(starts) // 3)
        for start in hit:
            stream[start + 3] ^= 0x03  # two flips: no parity error, no repair
        decoder = Decoder(judge=Gate())
        events = decoder.feed(bytes(stream))
        # but for the two numbers that must come twice where so much is damaged
        assert len(groups(events)) >= len(starts) - len(hit) - 2
        sent = {one.raw for one in groups(decode(wire(sim.standard_frame(producer()))))}
        assert {one.raw for one in groups(events)} <= sent


class TestQuirk8LostBytes:
    @pytest.mark.parametrize("parity", [True, False])
    def test_bytes_lost_anywhere_cost_the_groups_they_were_in_and_invent_none(self, parity):
        text = sim.standard_frame(producer())
        text = wire(text) if parity else text
        sent = {one.raw for one in groups(decode(text))}
        whole = len(groups(decode(text)))
        for lost in (1, 2, 7, 40, 200):
            for at in range(20, len(text) - lost - 1, 13):
                decoder = Decoder(judge=Gate())
                decoder.feed(text)
                found = groups(decoder.feed(text[:at] + text[at + lost :] + text))
                assert {one.raw for one in found} <= sent
                touched = text[max(0, at - 1) : at + lost].count(b"\x0a") + 2
                assert len(found) >= 2 * whole - touched - 1

    def test_the_head_of_a_frame_and_the_tail_of_the_next_are_never_one_snapshot(self):
        text = sim.standard_frame(producer())
        head = text[: text.index(b"\nSMAXSN\t")]
        tail = text[text.index(b"\nEASF07") :]
        events = decode(text + head + tail + text)
        assert [end.complete for end in ends(events)] == [True, False, False, True]
        assert not rejected(events)

    def test_a_label_that_comes_twice_or_too_early_never_makes_a_complete_frame_of_two(self):
        labels = ["ADSC", "VTIC", "EAST", "SINSTS", "NTARF"]
        data = {"ADSC": "061964234567", "VTIC": "02", "EAST": "004321000", "SINSTS": "01000", "NTARF": "01"}
        for first in range(1, len(labels)):
            for again in range(first + 1):
                glued = labels[: first + 1] + labels[again:]
                events = decode(frame(*(group(label, data[label]) for label in glued)))
                complete = [end for end in ends(events) if end.complete]
                assert len(complete) == (again == 0)


class TestQuirk10Addresses:
    @pytest.mark.parametrize("address", ["06196423456", "0619642345678", "", "06196423456A", "061964 34567"])
    def test_an_address_of_another_length_or_kind_is_refused_and_the_frame_read(self, address):
        events = decode(frame(group("ADSC", address), group("VTIC", "02"), group("SINSTS", "01000")))
        assert [one.label for one in rejected(events)] == ["ADSC"]
        assert rejected(events)[0].reason in (Reason.SIZE, Reason.CHARSET)
        assert [one.label for one in groups(events)] == ["VTIC", "SINSTS"]

    def test_a_meter_of_an_unknown_type_is_read(self):
        stream = Stream()
        found = readings(stream, frame(group("ADSC", "029999234567"), group("VTIC", "02"), group("SINSTS", "01000")))
        assert found["grid.import.apparent_power"] == 1000


class TestQuirk9DegradedClock:
    def test_readings_keep_the_time_of_this_machine_and_the_difference_is_not_claimed(self):
        stream = Stream()
        events = stream.feed(S2_PEAK, 0.0)
        at = {one.at for batch, _ in stream.readings(events, UtcMs(NOON)) for one in batch}
        assert at == {NOON}
        assert stream.details()["clock_offset_s"] is None

    def test_a_clock_that_is_set_again_is_believed_once_it_goes_forward(self):
        stream = Stream()
        readings(stream, frame(group("ADSC", "061964234567"), group("DATE", "", "h000101000000")), 0.0)
        for n in range(4):
            sound = frame(group("ADSC", "061964234567"), group("DATE", "", f"E25062113050{n}"))
            readings(stream, sound, 1.0 + n, at=1_750_503_900_000 + n * 1000)
        assert stream.details()["clock_offset_s"] == 0


class TestQuirk11Changes:
    @pytest.mark.parametrize(("first", "then"), [(S1_PRODUCER, H1), (H1, S1_PRODUCER)])
    def test_a_mode_switched_after_any_byte_costs_no_whole_group(self, first, then):
        for cut in range(1, len(first)):
            found = groups(decode(wire(first * 2 + first[:cut] + then * 2)))
            whole = first[:cut].count(b"\r")
            # one more where only the CR was cut off: the next STX ends the group as well
            assert len(found) - 2 * first.count(b"\r") - 2 * then.count(b"\r") in (whole, whole + 1)

    def test_a_new_meter_never_gives_a_negative_step(self):
        stream = Stream()
        seen = []
        for n in range(20):
            meter = state(import_wh=4_321_000 + n, at=NOON + n * 1000)
            if n >= 10:
                meter = state(address="021964999999", import_wh=n, indexes=(n,), at=NOON + n * 1000)
            seen.append(readings(stream, wire(sim.standard_frame(meter)), float(n)).get("grid.import.energy"))
        known = [value for value in seen if value is not None]
        steps = [after - before for before, after in pairwise(known)]
        assert [step for step in steps if step < 0] == [min(steps)]  # the one step is that of the new series
        assert stream.details()["meters_replaced"] == 1

    def test_a_contract_change_that_blanks_the_registers_is_a_total_of_its_own(self):
        stream = Stream()
        readings(stream, H1)
        base = frame(
            old_group("ADCO", "061961234567"),
            old_group("OPTARIF", "BASE"),
            old_group("ISOUSC", "45"),
            old_group("BASE", "035802467"),
            old_group("PTEC", "TH.."),
            old_group("IINST", "009"),
            old_group("PAPP", "02120"),
        )
        found = readings(stream, base, 2.0)
        assert found["grid.import.energy"] == 35802467
        assert readings(stream, base, 4.0)["grid.import.energy"] == 35802467


class TestQuirk12Midnight:
    def test_all_that_rolls_at_midnight_rolls_without_a_refusal(self):
        midnight = UtcMs(1_750_543_200_000)  # 2025-06-22T00:00:00+02:00
        gate = Gate()
        decoder = Decoder(judge=gate)
        for n in range(-5, 6):
            at = UtcMs(midnight + n * 1000)
            old = n < 0
            meter = state(
                at=at,
                max_import_va=(6700, UtcMs(midnight - 9_000_000)) if old else (512, at),
                max_import_va_yesterday=(7100, UtcMs(midnight - 90_000_000)) if old else (6700, midnight - 9_000_000),
                mean_import_w=(950, UtcMs(at - at % 1_800_000)),
                index=2 if old else 1,
                tariff="HEURE  PLEINE" if old else "HEURE  CREUSE",
            )
            gate.tick(float(n + 5))
            events = decoder.feed(wire(sim.standard_frame(meter)))
            assert not rejected(events)
            assert [end.clean for end in ends(events)] == [True]

    def test_the_hour_that_october_has_twice_is_two_hours_apart_from_each_other(self):
        from drivers.linky import horodate

        summer, winter = horodate.parse("E251026023000"), horodate.parse("H251026023000")
        assert winter.at - summer.at == 3_600_000
        stream = Stream()
        for n, (letter, clock) in enumerate([("E", "025959"), ("H", "020000"), ("H", "020001")]):
            at = 1_761_440_399_000 + n * 1000
            readings(stream, frame(group("ADSC", "061964234567"), group("DATE", "", f"{letter}251026{clock}")), n, at)
            assert stream.details()["clock_offset_s"] == 0


class TestQuirk13OneOrThreePhases:
    def test_a_corrupt_label_never_makes_three_phases_of_one(self):
        for parity in (True, False):
            stream = Stream()
            text = sim.standard_frame(state())
            text = wire(text) if parity else text
            readings(stream, text * 2)
            assert stream.interpreter.phases == 1
            label = text.index(wire(b"IRMS1") if parity else b"IRMS1") + 4
            for n, flips in enumerate(range(1, 256)):
                damaged = text[:label] + bytes([text[label] ^ flips]) + text[label + 1 :]
                readings(stream, damaged, float(n))
                assert stream.interpreter.phases == 1

    def test_a_three_phase_meter_stays_one_through_frames_that_lost_its_labels(self):
        stream = Stream()
        text = wire(sim.standard_frame(three()))
        readings(stream, text)
        cut = text[: text.index(wire(b"\nIRMS1"))]
        for n in range(50):
            readings(stream, cut + b"\x84", float(n))
        assert stream.interpreter.phases == 3


class TestShortFrameBursts:
    def test_twenty_short_frames_and_one_long_for_a_minute_are_all_read(self):
        long = sim.historic_frame(three())
        stream = Stream()
        for n in range(3):
            events = stream.feed(
                wire(long + H2_SHORT.replace(b"061976", b"021963").replace(b"7 O", b"7 H") * 20), n * 16.0
            )
            names = [one.label for one in groups(events)]
            assert names.count("ADIR2") == 20
        assert stream.partial_frames == 0

    def test_a_burst_that_begins_amid_a_long_frame_ends_it(self):
        long = sim.historic_frame(three(address="061976234567"))
        events = decode(wire(long + long[: long.index(b"\nPAPP")] + b"\x04" + H2_SHORT * 3))
        assert [end.complete for end in ends(events)] == [True, False, True, True, True]


@pytest.mark.parametrize("mode", [None, Mode.STANDARD])
@pytest.mark.parametrize("parity", [True, False])
def test_every_start_offset_of_a_real_frame_gives_every_whole_group(parity, mode):
    text = sim.standard_frame(producer())
    data = wire(text * 2) if parity else text * 2
    for offset in range(1, len(text)):
        found = groups(decode(data[offset:], mode=mode))
        assert data[offset:].count(b"\x0a") <= len(found) <= data[offset:].count(b"\x0a") + 1
