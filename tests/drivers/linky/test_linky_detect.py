"""Finding the speed of the line and its first value, on a line simulated bit by bit."""

import pytest
from meters import producer, state, three
from wires import line_levels, sampled

from drivers.linky import sim
from drivers.linky.detect import SpeedSeeker
from drivers.linky.group import Group
from drivers.linky.stream import Stream

_RATE = 76800  # samples a second
_READ_S = 0.02
STANDARD = [sim.standard_frame(one) for one in (state(), producer(), three())]
HISTORIC = [sim.historic_frame(one) for one in (state(), three())]


def reads(levels, speed, start):
    """Yield `(bytes, seconds since sample 0)`, a handful at a time, as a port that is opened at a sample."""
    handful, due = b"", 0.0
    for byte, when in sampled(levels, speed, start=start):
        handful += bytes([byte])
        if when >= due:
            yield handful, start / _RATE + when
            handful, due = b"", when + _READ_S


class Listener:
    """What the driver does with a line: reads, decodes, changes speed when told to."""

    def __init__(self):
        self.seeker = SpeedSeeker(0.0)
        self.stream = Stream()

    def until_understood(self, levels, start=0, *, changes=20):
        """Return when, in seconds from `start`, the first valid group came; None if it never did."""
        at = start
        for _ in range(changes):
            for data, now in reads(levels, self.seeker.speed, at):
                valid = sum(isinstance(event, Group) for event in self.stream.feed(data, now))
                if self.seeker.hear(data, valid, now):
                    self.stream.finish()
                    at = int(now * _RATE)
                    break
                if valid:
                    return now - start / _RATE
            else:
                return None
        return None


@pytest.mark.parametrize("frame", STANDARD)
def test_a_standard_line_gives_its_first_value_within_a_second_from_any_start(frame):
    levels = line_levels(frame, 9600, idle_bits=160) * 2
    for start in range(0, len(levels) // 2, len(levels) // 2 // 61):
        listener = Listener()
        listener.seeker = SpeedSeeker(start / _RATE)
        assert listener.until_understood(levels, start) <= 1.0
        assert listener.seeker.speed == 9600


@pytest.mark.parametrize("frame", HISTORIC)
def test_a_historic_line_gives_its_first_value_within_three_seconds_from_any_start(frame):
    levels = line_levels(frame, 1200, idle_bits=20) * 4
    for start in range(0, len(levels) // 4, len(levels) // 4 // 61):
        listener = Listener()
        listener.seeker = SpeedSeeker(start / _RATE)
        assert listener.until_understood(levels, start) <= 3.0
        assert listener.seeker.speed == 1200


def test_a_historic_line_at_9600_baud_gives_two_values_only():
    assert {byte for byte, _ in sampled(line_levels(HISTORIC[0], 1200), 9600)} == {0x00, 0x80}


@pytest.mark.parametrize(
    ("before", "after", "speed"),
    [
        (line_levels(STANDARD[0] * 3, 9600), line_levels(HISTORIC[0] * 8, 1200), 1200),
        (line_levels(HISTORIC[0] * 3, 1200), line_levels(STANDARD[0] * 12, 9600), 9600),
    ],
)
def test_a_mode_switched_from_afar_is_followed_within_five_seconds(before, after, speed):
    listener = Listener()
    levels = before + after
    assert listener.until_understood(levels) is not None
    assert listener.seeker.locked
    # go on with the same state of mind until the switch, then count
    switched = len(before) / _RATE
    at, found = 0, None
    while found is None:
        for data, now in reads(levels, listener.seeker.speed, at):
            valid = sum(isinstance(event, Group) for event in listener.stream.feed(data, now))
            if listener.seeker.hear(data, valid, now):
                listener.stream.finish()
                at = int(now * _RATE)
                break
            if valid and now > switched + 0.1:
                found = now - switched
                break
    assert listener.seeker.speed == speed
    assert found <= 5.0


@pytest.mark.parametrize("parity", [True, False])
def test_text_of_either_parity_is_no_noise(parity):
    seeker = SpeedSeeker(0.0)
    text = sim.with_parity(STANDARD[0]) if parity else STANDARD[0]
    # text without one valid group is still text: it is given its whole trial
    damaged = text.replace(b"\r", b"").replace(b"\x8d", b"")
    assert not seeker.hear(damaged, 0, 0.5)
    assert not seeker.hear(damaged, 0, 1.5)


def test_noise_is_judged_hastily_once_and_then_the_other_speed_has_its_whole_trial():
    noise = bytes(range(256))
    seeker = SpeedSeeker(0.0)
    assert seeker.hear(noise, 0, 0.3)
    assert seeker.speed == 1200
    assert not seeker.hear(noise, 0, 1.0)
    assert not seeker.hear(noise, 0, 5.0)
    assert seeker.hear(noise, 0, 5.4)
    assert seeker.hear(noise, 0, 5.7)


def test_a_burst_of_noise_does_not_unlock_a_line():
    seeker = SpeedSeeker(0.0)
    seeker.hear(b"x", 1, 1.0)
    assert not seeker.hear(bytes(range(256)), 0, 1.5)
    seeker.hear(b"x", 1, 1.6)
    assert not seeker.hear(bytes(range(256)), 0, 2.5)
    assert seeker.hear(bytes(range(256)), 0, 2.7)
