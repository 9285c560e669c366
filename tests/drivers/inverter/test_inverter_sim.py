import asyncio
import dataclasses

import pytest

from drivers.inverter.faults import ExceptionReply, Refused, ShortReply, Silent
from drivers.inverter.sim import Fault, SunSpecServer
from drivers.inverter.sunspec import open_session


async def test_each_poll_sees_the_state_of_its_moment(sunny, simulate, link_to):
    watts = iter(range(100, 200))
    _, port = await simulate(lambda: dataclasses.replace(sunny, ac_w=float(next(watts))))
    session = await open_session(link_to(port), 1)
    powers = [(await session.poll()).values["pv.power"] for _ in range(3)]
    assert powers == sorted(set(powers))


async def test_asleep_it_refuses_and_awake_it_answers_on_the_same_port(sunny, simulate, link_to):
    state = sunny
    sim, port = await simulate(lambda: state)
    link = link_to(port)
    session = await open_session(link, 1)
    state = dataclasses.replace(sunny, awake=False)
    async with asyncio.timeout(10):
        while sim.server.listening:  # noqa: ASYNC110 - it looks at the sun by itself
            await asyncio.sleep(0.05)
    with pytest.raises(Refused):
        await session.poll()
    state = sunny
    async with asyncio.timeout(10):
        while not sim.server.listening:  # noqa: ASYNC110 - it looks at the sun by itself
            await asyncio.sleep(0.05)
    assert (await session.poll()).values["pv.power"] == 2345


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (Fault.REFUSE, Refused),
        (Fault.SILENT, Silent),
        (Fault.SHORT, ShortReply),
        (Fault.EXCEPTION, ExceptionReply),
    ],
)
async def test_it_misbehaves_on_demand_and_recovers(sunny, simulate, link_to, fault, seen):
    sim, port = await simulate(lambda: sunny)
    session = await open_session(link_to(port, timeout_s=0.1), 1)
    await sim.fail(fault)
    with pytest.raises(seen):
        await session.poll()
    await sim.fail(None)
    assert (await session.poll()).values["pv.power"] == 2345


@pytest.mark.parametrize("number", [101, 102, 103, 111, 112, 113])
async def test_its_sentinels_are_read_as_nothing(sunny, simulate, link_to, number):
    sim, port = await simulate(lambda: sunny, inverter_model=number)
    session = await open_session(link_to(port), 1)
    await sim.fail(Fault.SENTINELS)
    sample = await session.poll()
    assert dict(sample.values) == {}
    assert set(sample.missing) == {"pv.power", "pv.energy", "pv.state", "pv.dc.power.1", "pv.dc.power.2"}


@pytest.mark.parametrize(
    ("watts", "volts", "phases"), [(0.0, (), 101), (-9000.0, (0.0,), 101), (1e9, (231.0, 230.0), 102)]
)
async def test_odd_states_still_make_registers(sunny, watts, volts, phases):
    odd = dataclasses.replace(sunny, ac_w=watts, voltage_v=volts, strings=())
    (words,) = SunSpecServer(lambda: odd, inverter_model=phases).image().values()
    assert all(0 <= word <= 0xFFFF for word in words)


async def test_there_are_only_the_models_of_the_table(sunny):
    with pytest.raises(ValueError, match="700"):
        SunSpecServer(lambda: sunny, inverter_model=700)
