"""How soon a value is known, counted in bytes of the wire: at 960 (or 120) bytes a second, bytes are time."""

import pytest
from meters import NOON, producer, state, three

from drivers.linky import sim
from drivers.linky.stream import Stream

STANDARD_BYTES_S, HISTORIC_BYTES_S = 960, 120


def bytes_until(signal, frame, offset):
    """Bytes read from a random start of a repeating stream until the first reading of `signal`, one byte at a time."""
    stream = Stream()
    data = sim.with_parity(frame * 3)
    for n in range(offset, len(data)):
        events = stream.feed(data[n : n + 1], n / 960)
        if any(one.signal == signal for batch, _ in stream.readings(events, NOON) for one in batch):
            return n - offset + 1
    raise AssertionError(signal)


@pytest.mark.parametrize("one", [state(), producer(), three()])
def test_the_first_power_comes_within_one_standard_frame_and_a_group_from_any_start(one):
    frame = sim.standard_frame(one)
    worst = max(bytes_until("grid.import.apparent_power", frame, offset) for offset in range(0, len(frame), 37))
    assert worst <= len(frame) + 30


def test_any_first_value_comes_within_a_second_in_standard_mode_and_three_in_historic():
    for frame, rate, most in (
        (sim.standard_frame(state()), STANDARD_BYTES_S, 1.0),
        (sim.historic_frame(state()), HISTORIC_BYTES_S, 3.0),
    ):
        data = sim.with_parity(frame * 3)
        for offset in range(0, len(frame), 17):
            stream = Stream()
            for n in range(offset, len(data)):
                events = stream.feed(data[n : n + 1], n / rate)
                if any(batch for batch, _ in stream.readings(events, NOON)):
                    assert n - offset <= most * rate
                    break


def test_a_value_is_given_with_the_last_byte_of_its_group_and_not_with_the_frame():
    frame = sim.standard_frame(state())
    stream = Stream()
    at = frame.index(b"\r", frame.index(b"\nSINSTS")) + 1
    before = [one.signal for batch, _ in stream.readings(stream.feed(frame[: at - 1], 0.0), NOON) for one in batch]
    assert "grid.import.apparent_power" not in before
    after = [one.signal for batch, _ in stream.readings(stream.feed(frame[at - 1 : at], 0.0), NOON) for one in batch]
    assert after[0] == "grid.import.apparent_power"
    assert at / STANDARD_BYTES_S < 0.52
