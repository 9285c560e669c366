"""Inverters by their maker's own registers."""

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.inverter.families import choose, families
from drivers.inverter.faults import ExceptionReply, LinkFault, WrongModel
from drivers.inverter.modbus import MAX_COUNT, Space
from drivers.inverter.opening import open_inverter
from drivers.inverter.regmap import open_registers, read_map
from gateway.signals import find

DATA = Path(__file__).parents[2] / "data" / "registers"
DUMPS = sorted(path.stem for path in DATA.glob("*.json"))
MAPPED = [family for family in families() if family.map is not None]


def load(name):
    raw = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    return raw, {run["at"]: [int(word, 16) for word in run["words"].split()] for run in raw["registers"]}


class Memory:
    """Registers in one space; the other space, and what is not there, answer exception 2."""

    def __init__(self, runs, space=Space.INPUT):
        self.words = {at + n: word for at, words in runs.items() for n, word in enumerate(words)}
        self.space = space
        self.asked = []

    async def read(self, space, unit, address, count):
        self.asked.append((address, count))
        wanted = range(address, address + count)
        if space is not self.space or any(at not in self.words for at in wanted):
            raise ExceptionReply("memory", 2)
        return [self.words[at] for at in wanted]

    async def close(self):
        pass


@pytest.mark.parametrize("name", DUMPS)
async def test_each_dump_reads_as_its_device_means_it(name, serve, link_to):
    raw, runs = load(name)
    _, port = await serve(runs, unit=raw["unit"])
    session = await open_inverter(link_to(port), None, raw["model"])
    sample = await session.poll()
    assert dict(sample.values) == raw["readings"]
    assert dict(sample.missing) == raw["missing"]
    assert [session.device.manufacturer, session.device.model, session.device.serial] == raw["device"]
    assert sample.derived == {"pv.dc.power.1", "pv.dc.power.2"}


@pytest.mark.parametrize("family", MAPPED, ids=lambda family: family.name)
def test_each_map_names_signals_that_exist_and_asks_for_few_registers(family):
    registers = read_map(family.map)
    assert all(find(one.signal) for one in registers.signals)
    assert all(len(span) <= min(registers.most, MAX_COUNT) for span in registers.requests())
    covered = {at for span in registers.requests() for at in span}
    assert all(at in covered for one in registers.signals for point in one.factors for at in point.span)


async def test_the_space_of_the_map_is_the_one_read():
    _, runs = load("sungrow-sg")
    registers = read_map(choose("sungrow-sg").map)
    await open_registers(Memory(runs, Space.INPUT), 1, "sungrow-sg", registers)
    with pytest.raises(WrongModel):
        await open_registers(Memory(runs, Space.HOLDING), 1, "sungrow-sg", registers)


async def test_a_device_of_another_make_is_not_believed():
    _, runs = load("sungrow-sg")
    memory = Memory(runs)
    memory.words[5000] = 0xFFFF
    with pytest.raises(WrongModel) as caught:
        await open_registers(memory, 1, "sungrow-sg", read_map(choose("sungrow-sg").map))
    assert caught.value.mend


@pytest.mark.parametrize("raw", [(0xFFFF, 0x7FFF), (0xFFFF, 0xFFFF)])
async def test_absent_numbers_and_senseless_ones_are_missing(raw):
    _, runs = load("sungrow-sg")
    memory = Memory(runs)
    session = await open_registers(memory, 1, "sungrow-sg", read_map(choose("sungrow-sg").map))
    memory.words[5030], memory.words[5031] = raw
    memory.words[5003] = memory.words[5004] = 0
    memory.words[5013] = 0xFFFF
    sample = await session.poll()
    assert dict(sample.missing) == dict.fromkeys(("pv.power", "pv.energy", "pv.dc.power.2"), "not implemented")
    memory.words[5030], memory.words[5031] = 6001, 0
    assert (await session.poll()).missing["pv.power"] == "implausible"


async def test_a_refused_range_leaves_only_its_signals_out():
    _, runs = load("sungrow-sg")
    memory = Memory(runs)
    session = await open_registers(memory, 1, "sungrow-sg", read_map(choose("sungrow-sg").map))
    del memory.words[5031]
    sample = await session.poll()
    assert sample.missing == {"pv.power": "not implemented"}
    assert sample.values["pv.energy"] == 18345000


@given(st.lists(st.integers(0, 0xFFFF), min_size=46, max_size=46))
def test_no_registers_break_the_reading(words):
    async def attempt():
        try:
            session = await open_registers(Memory({4989: words}), 1, "sungrow-sg", read_map(choose("sungrow-sg").map))
            sample = await session.poll()
        except LinkFault:
            return
        assert all(value >= 0 for value in sample.values.values())

    asyncio.run(attempt())


async def test_a_sunspec_device_is_opened_by_its_own_family(image, serve, link_to):
    one = image("float")
    _, port = await serve(one.flat)
    assert (await open_inverter(link_to(port), None, "auto")).model == "sunspec"
    with pytest.raises(WrongModel):
        await open_inverter(link_to(port), 1, "sungrow-sg")
