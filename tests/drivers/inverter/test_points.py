import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.inverter import points
from drivers.inverter.sample import doubt

WORDS = st.lists(st.integers(0, 0xFFFF), max_size=140)


def finite(found):
    return found.value is None or math.isfinite(found.value)


@given(st.sampled_from(points.INVERTERS), WORDS)
def test_any_inverter_block_reads_without_a_fault(number, words):
    one = points.inverter([number, len(words), *words])
    assert finite(one.power)
    assert finite(one.energy)
    assert one.energy.value is None or one.energy.value > 0
    assert (one.power.value is None) == bool(one.power.reason)


@given(WORDS)
def test_any_input_block_reads_without_a_fault(words):
    block = [160, len(words), *words]
    for module in points.modules(block):
        assert finite(module.power)
        assert module.power.value is None or module.power.value >= 0
    assert len(points.modules(block)) <= points.module_count(block)


@given(WORDS)
def test_any_nameplate_and_name_read_without_a_fault(words):
    plate = points.nameplate([120, len(words), *words])
    assert plate.rated_w is None or plate.rated_w > 0
    points.common([1, len(words), *words])


def test_every_sentinel_block_measures_nothing():
    for word in (0x8000, 0xFFFF):
        one = points.inverter([103, 50, *[word] * 50])
        assert one.power.value is None or doubt("pv.power", one.power.value)
        assert one.energy.value is None
        assert one.events == ()
        assert all(
            module.power.value is None for module in points.modules([160, 128, *[word] * 4, 0, 0, 6, *[word] * 121])
        )


def test_the_announced_inputs_are_no_more_than_fit():
    assert points.module_count([160, 48, 0, 0, 0, 0, 0, 0, 6, 0]) == 2
    assert points.module_count([160, 48, 0, 0, 0, 0, 0, 0, 0xFFFF, 0]) == 0
    assert points.module_count([160, 4, 0, 0, 0, 0]) == 0


def test_event_bits_have_plain_words():
    block = [103, 50, *[0] * 38, 0, 1 << 10 | 1 << 4, *[0] * 10]
    assert points.inverter(block).events == (4, 10)
    assert points.EVENTS[10].fr == "tension du réseau trop haute"


@pytest.mark.parametrize(
    ("value", "rated", "reason"),
    [
        (-1, None, "negative"),
        (3601, 3000, "implausible"),
        (3600, 3000, ""),
        (200_000, None, "implausible"),
        (0, None, ""),
    ],
)
def test_a_power_is_doubted_for_a_reason(value, rated, reason):
    assert doubt("pv.power", value, rated) == reason
