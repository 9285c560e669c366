import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.inverter.chain import Block, Chain, Keeper, find, locate, read_block, still_there
from drivers.inverter.faults import ExceptionReply, Garbled, LinkFault, NoInverter, NotFound, Silent
from drivers.inverter.modbus import Space
from drivers.inverter.sunspec import open_session

SUNS = [0x5375, 0x6E53]


class Memory:
    """A device in memory: registers by address; anything else answers exception 2."""

    def __init__(self, start, words, *, silent_units=()):
        self.words = dict(enumerate(words, start))
        self.silent_units = silent_units
        self.reads = []

    async def read(self, space, unit, address, count):
        self.reads.append((address, count))
        assert space is Space.HOLDING
        assert 1 <= count <= 125
        if unit in self.silent_units:
            raise Silent("memory")
        if any(at not in self.words for at in range(address, address + count)):
            raise ExceptionReply("memory", 2)
        return [self.words[at] for at in range(address, address + count)]

    async def close(self):
        pass


def model(number, length):
    return [number, length, *[0] * length]


@pytest.mark.parametrize("base", [40000, 0, 50000, 40001, 1, 50001])
async def test_the_map_is_found_wherever_it_stands(base):
    chain = await find(Memory(base, [*SUNS, *model(1, 66), *model(101, 50), 0xFFFF, 0]), 1, patient=True)
    assert chain == Chain(1, base, (Block(1, base + 2, 66), Block(101, base + 70, 50)), complete=True)


async def test_a_lone_end_marker_ends_the_chain():
    chain = await find(Memory(40000, [*SUNS, *model(1, 65), *model(103, 50), 0xFFFF]), 1, patient=True)
    assert chain.complete
    assert [block.id for block in chain.blocks] == [1, 103]


async def test_a_map_that_just_stops_keeps_what_was_found():
    chain = await find(Memory(40000, [*SUNS, *model(1, 65), *model(103, 50)]), 1, patient=True)
    assert not chain.complete
    assert [block.id for block in chain.blocks] == [1, 103]
    assert chain.end == 40000 + 2 + 67 + 52


@pytest.mark.parametrize(
    "words",
    [
        [*SUNS, 1, 2001],
        [*SUNS, 1, 0x7FFF],
        [*SUNS, *[7, 0] * 65],
    ],
)
async def test_a_corrupt_chain_is_no_chain(words):
    with pytest.raises(Garbled):
        await find(Memory(40000, words), 1, patient=True)


async def test_a_chain_never_leaves_the_register_space():
    with pytest.raises(Garbled):
        await find(Memory(50000, [*SUNS, *[w for _ in range(8) for w in model(7, 1990)]]), 1, patient=True)


async def test_a_device_without_sunspec_is_said_to_be_one():
    with pytest.raises(NotFound):
        await find(Memory(30000, [1, 2, 3]), 1, patient=True)


async def test_silence_everywhere_is_silence_and_the_shifted_places_are_not_tried():
    memory = Memory(40000, SUNS, silent_units=(1,))
    with pytest.raises(Silent):
        await find(memory, 1, patient=True)
    assert [address for address, _ in memory.reads] == [40000, 0, 50000]


async def test_units_are_tried_until_one_has_an_inverter():
    memory = Memory(40000, [*SUNS, *model(1, 66), *model(111, 60), 0xFFFF, 0], silent_units=(1, 126))
    assert (await locate(memory, (1, 126, 3), patient=False)).unit == 3


async def test_a_meter_is_no_inverter():
    with pytest.raises(NoInverter):
        await locate(Memory(40000, [*SUNS, *model(1, 65), *model(203, 105), 0xFFFF, 0]), (240,), patient=True)


@given(st.lists(st.integers(0, 0xFFFF), max_size=300), st.sampled_from([40000, 0, 50000, 65400]))
def test_no_registers_break_the_walk_or_the_reading(words, base):
    async def attempt():
        memory = Memory(base, [*SUNS, *words])
        try:
            session = await open_session(memory, 1)
            sample = await session.poll()
        except LinkFault:
            return
        assert not set(sample.values) & set(sample.missing)

    asyncio.run(attempt())


@given(
    st.lists(st.tuples(st.sampled_from([1, 101, 113, 160, 120, 64001]), st.integers(0, 130)), max_size=6), st.randoms()
)
def test_no_models_of_odd_lengths_break_the_reading(models, random):
    async def attempt():
        words = [
            w for number, length in models for w in (number, length, *(random.getrandbits(16) for _ in range(length)))
        ]
        memory = Memory(40000, [*SUNS, *words, 0xFFFF, 0])
        try:
            await (await open_session(memory, 1)).poll()
        except LinkFault:
            return

    asyncio.run(attempt())


async def test_a_known_chain_is_recognised_with_three_small_reads():
    memory = Memory(40000, [*SUNS, *model(1, 66), *model(101, 50), 0xFFFF, 0])
    chain = await find(memory, 1, patient=True)
    memory.reads.clear()
    assert await still_there(memory, chain)
    assert [count for _, count in memory.reads] == [3, 2, 2]


async def test_a_chain_that_grew_or_moved_is_not_the_known_one():
    short = Memory(40000, [*SUNS, *model(1, 66), *model(101, 50)])
    chain = await find(short, 1, patient=True)
    assert await still_there(short, chain)
    longer = Memory(40000, [*SUNS, *model(1, 66), *model(101, 50), *model(160, 48), 0xFFFF, 0])
    assert not await still_there(longer, chain)
    assert not await still_there(Memory(0, [*SUNS, *model(1, 66)]), chain)
    assert not await still_there(Memory(40000, [*SUNS, *model(1, 65), *model(101, 50), 0xFFFF, 0]), chain)


def chain_of(*numbers):
    return Chain(1, 40000, tuple(Block(number, 40002 + 100 * n, 50) for n, number in enumerate(numbers)), complete=True)


def test_a_shorter_chain_replaces_a_longer_one_only_when_seen_twice():
    keeper = Keeper()
    long, short, other = chain_of(1, 103, 160), chain_of(1, 103), chain_of(1, 101)
    assert keeper.keep(long) == long
    assert keeper.keep(short) == long
    assert keeper.keep(other) == long
    assert keeper.keep(short) == long
    assert keeper.keep(short) == short
    assert keeper.keep(long) == long


async def test_a_block_is_read_with_its_header_and_refused_when_it_is_another():
    words = model(160, 208)
    memory = Memory(40000, words)
    assert await read_block(memory, 1, Block(160, 40000, 208), 500) == words
    assert [count for _, count in memory.reads] == [125, 85]
    with pytest.raises(Garbled):
        await read_block(memory, 1, Block(103, 40000, 50), 52)


async def test_far_inputs_read_under_other_scale_factors_are_left_out(image):
    one = image("eight-inputs")
    ((start, words),) = one.flat.items()
    memory = Memory(start, words)
    session = await open_session(memory, 1)
    at = next(block.address for block in session._chain.blocks if block.id == 160)
    plain = memory.read
    heads = iter([0, 0, 1])  # the third look at the head of the block finds another scale factor

    async def read(space, unit, address, count):
        got = await plain(space, unit, address, count)
        if address == at:
            got[4] = next(heads)
        return got

    memory.read = read
    sample = await session.poll()
    assert sample.values["pv.dc.power.5"] == 50
    assert "pv.dc.power.6" not in sample.values
