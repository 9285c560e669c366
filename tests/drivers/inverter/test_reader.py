"""The driver through days, nights and faults, on a real port, with time moved by hand."""

import asyncio
import contextlib
import dataclasses
import functools
from datetime import UTC, datetime

import pytest

from drivers.contract import DeviceState
from drivers.inverter import create, reader
from drivers.inverter.address import Address
from drivers.inverter.modbus import open_link
from drivers.inverter.sim import Fault
from gateway.clock import UtcMs, from_datetime
from gateway.errors import Misconfigured, Unsupported
from gateway.reading import Quality
from gateway.signals import find, within_bounds

LYON = (45.764, 4.835)
NOON = datetime(2026, 6, 21, 11, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 21, 0, 0, tzinfo=UTC)
DUSK = datetime(2026, 6, 21, 19, 50, tzinfo=UTC)


class Stage:
    """A host whose time moves only when the test says so, always to the driver's next look."""

    def __init__(self, start):
        self.clock = self
        self._start = from_datetime(start)
        self._seconds = 0.0
        self._wake_at = 0.0
        self._idle = asyncio.Event()
        self._go = asyncio.Event()
        self.rounds = []
        self.beats = []
        self.values = {}
        self.history = {}

    def now(self):
        return UtcMs(self._start + round(self._seconds * 1000))

    def monotonic(self):
        return self._seconds

    def publish(self, readings, *, frame_end=False):
        assert frame_end
        self.rounds.append(readings)
        for one in readings:
            signal = find(one.signal)
            assert signal is not None
            assert one.value is None or isinstance(one.value, str) or within_bounds(signal, one.value)
            self.values[one.signal] = one
            self.history.setdefault(one.signal, []).append(one)

    def beat(self, beat):
        if not self.beats or self.beats[-1] != beat:
            self.beats.append(beat)

    async def sleep(self, seconds):
        self._wake_at = self._seconds + seconds
        self._go.clear()
        self._idle.set()
        await self._go.wait()

    async def settled(self):
        async with asyncio.timeout(20):
            await self._idle.wait()

    async def pass_time(self, seconds, before_each=None):
        end = self._seconds + seconds
        await self.settled()
        while self._wake_at <= end:
            self._seconds = self._wake_at
            if before_each:
                await before_each()
            self._idle.clear()
            self._go.set()
            await self.settled()
        self._seconds = end

    def value(self, name):
        return self.values[name].value

    @property
    def state(self):
        return self.beats[-1].state


@pytest.fixture
async def drive(monkeypatch):
    """Start the driver on a port: `stage, driver = await drive(port, NOON)`."""
    monkeypatch.setattr(reader, "open_link", functools.partial(open_link, timeout_s=0.1))
    tasks = []

    async def start(port, moment, *, place=LYON, period_s=10.0, suffix=False, framer="socket"):
        stage = Stage(moment)
        address = Address("tcp", 1, host="127.0.0.1", port=port, framer=framer)
        driver = reader.InverterReader(
            reader.Settings("roof", address, period_s, place, suffix=suffix), sleep=stage.sleep
        )
        task = asyncio.create_task(driver.run(stage))
        tasks.append(task)
        await stage.settled()
        return stage, task

    yield start
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def inverter(simulate, sunny):
    """A simulated inverter whose state the test changes: `box.state`, `await box.change(ac_w=...)`."""

    class Box:
        state = sunny

        async def change(self, **values):
            self.state = dataclasses.replace(self.state, **values)
            await self.sim.settle()

    box = Box()
    box.sim, box.port = await simulate(lambda: box.state)
    return box


async def test_by_day_each_period_publishes_one_round(inverter, drive):
    stage, _ = await drive(inverter.port, NOON)
    assert stage.state is DeviceState.OK
    assert {name: one.value for name, one in stage.values.items()} == {
        "pv.power": 2345,
        "pv.energy": 123456,
        "pv.dc.power.1": 1300,
        "pv.dc.power.2": 1100,
        "pv.state": "producing",
    }
    power = stage.values["pv.power"]
    assert (power.quality, power.source) == (Quality.MEASURED, "inverter:roof")
    await inverter.change(ac_w=2400.0, energy_wh=123460)
    await stage.pass_time(10)
    assert (stage.value("pv.power"), stage.value("pv.energy")) == (2400, 123460)
    await stage.pass_time(100)
    assert len(stage.rounds) == 12
    assert inverter.sim.server.connections == 1


async def test_with_several_inverters_the_names_carry_the_id(inverter, drive):
    stage, _ = await drive(inverter.port, NOON, suffix=True)
    assert set(stage.values) == {
        f"{name}@roof" for name in ("pv.power", "pv.energy", "pv.dc.power.1", "pv.dc.power.2", "pv.state")
    }


async def test_a_box_that_starts_at_night_says_asleep_and_infers_zero(inverter, drive):
    await inverter.change(awake=False)
    stage, _ = await drive(inverter.port, MIDNIGHT)
    assert stage.state is DeviceState.ASLEEP
    power = stage.values["pv.power"]
    assert (power.value, power.quality, power.source) == (0, Quality.ESTIMATED, "inverter:roof:night")
    assert set(stage.values) == {"pv.power"}
    await stage.pass_time(60)
    assert stage.now() - stage.values["pv.power"].at <= 10_000  # kept fresh: what is inferred now holds now


async def test_in_the_dark_the_inverter_is_looked_for_every_five_minutes(inverter, drive):
    await inverter.sim.fail(Fault.EXCEPTION)
    stage, _ = await drive(inverter.port, MIDNIGHT)
    assert stage.state is DeviceState.ASLEEP
    asked = inverter.sim.server.requests
    await stage.pass_time(290)
    assert inverter.sim.server.requests == asked
    await stage.pass_time(20)
    assert inverter.sim.server.requests > asked


async def test_after_the_night_the_inverter_is_back_within_a_minute(inverter, drive):
    await inverter.change(awake=False)
    stage, _ = await drive(inverter.port, MIDNIGHT)
    await stage.pass_time(4.5 * 3600)  # the sun rises at 3:53 UTC
    assert stage.value("pv.power") is None  # in the twilight nothing is known, and nothing is invented
    assert [one.value for one in stage.history["pv.power"]].count(None) == 1
    assert {beat.state for beat in stage.beats} == {DeviceState.STARTING, DeviceState.ASLEEP}
    await inverter.change(awake=True, ac_w=55.0, energy_wh=123456)
    await stage.pass_time(60)
    assert stage.state is DeviceState.OK
    assert stage.value("pv.power") == 55
    assert stage.values["pv.power"].quality is Quality.MEASURED


async def test_the_counter_is_kept_overnight_and_the_first_values_at_dawn_are_ignored(inverter, drive):
    stage, _ = await drive(inverter.port, DUSK)
    assert stage.value("pv.energy") == 123456
    await inverter.change(awake=False)
    await stage.pass_time(8.4 * 3600)
    assert {one.value for one in stage.history["pv.energy"]} == {123456}
    held = [one for one in stage.history["pv.energy"] if one.source == "inverter:roof:night"]
    assert len(held) > 100  # the dark says that the counter stands still, again and again
    assert {one.quality for one in held} == {Quality.ESTIMATED}
    await inverter.change(awake=True, energy_wh=7)
    known = len(stage.history["pv.energy"])
    await stage.pass_time(45)
    assert stage.state is DeviceState.OK
    await inverter.change(energy_wh=123470)
    await stage.pass_time(40)
    assert {one.value for one in stage.history["pv.energy"][known:]} <= {123470}
    assert stage.value("pv.energy") == 123470


async def test_without_a_place_a_sleeping_inverter_is_unknown_and_never_zero(inverter, drive):
    await inverter.change(ac_w=20.0)
    stage, _ = await drive(inverter.port, DUSK, place=None)
    await inverter.change(awake=False)
    await stage.pass_time(3600)
    assert stage.state is DeviceState.ASLEEP
    assert [one.value for one in stage.history["pv.power"]][-2:] == [20, None]
    await stage.pass_time(16 * 3600)
    assert stage.state is DeviceState.LOST


async def test_a_refusal_by_day_withdraws_the_value_and_after_ten_minutes_is_a_problem(inverter, drive):
    stage, _ = await drive(inverter.port, NOON)
    await inverter.sim.fail(Fault.REFUSE)
    await stage.pass_time(25)
    assert stage.state is DeviceState.DEGRADED
    assert stage.value("pv.power") == 2345  # one missed look is not yet a loss
    await stage.pass_time(30)
    assert stage.value("pv.power") is None
    assert stage.value("pv.state") is None
    assert stage.value("pv.energy") == 123456
    await stage.pass_time(700)
    assert stage.state is DeviceState.LOST
    assert stage.beats[-1].code == "refused"
    assert stage.beats[-1].mend
    assert [one.value for one in stage.history["pv.power"]].count(None) == 1
    await inverter.sim.fail(None)
    await stage.pass_time(75)
    assert stage.state is DeviceState.OK
    assert stage.value("pv.power") == 2345


@pytest.mark.parametrize(
    ("fault", "code"), [(Fault.SILENT, "silent"), (Fault.EXCEPTION, "exception"), (Fault.SHORT, "short")]
)
async def test_a_device_that_misbehaves_is_named_and_taken_back(inverter, drive, fault, code):
    stage, _ = await drive(inverter.port, NOON)
    await inverter.sim.fail(fault)
    await stage.pass_time(60)
    assert stage.beats[-1].code == code
    assert stage.value("pv.power") is None
    await inverter.sim.fail(None)
    await stage.pass_time(75)
    assert stage.state is DeviceState.OK
    assert stage.value("pv.power") == 2345


async def test_what_the_inverter_does_not_measure_is_withdrawn_not_zero(inverter, drive):
    stage, _ = await drive(inverter.port, NOON)
    await inverter.sim.fail(Fault.SENTINELS)
    await stage.pass_time(30)
    assert stage.value("pv.power") is None
    assert stage.state is DeviceState.DEGRADED
    assert stage.beats[-1].code == "no-power"
    assert 0 not in [one.value for one in stage.history["pv.power"]]


async def test_a_draw_by_day_is_no_production(inverter, drive):
    stage, _ = await drive(inverter.port, NOON)
    await inverter.change(ac_w=-8.0)
    await stage.pass_time(10)
    assert stage.value("pv.power") is None
    assert stage.state is DeviceState.OK


async def test_a_draw_in_the_dark_leaves_the_inferred_zero(inverter, drive):
    await inverter.change(ac_w=-8.0)
    stage, _ = await drive(inverter.port, MIDNIGHT)
    power = stage.values["pv.power"]
    assert (power.value, power.quality) == (0, Quality.ESTIMATED)
    assert stage.value("pv.state") == "producing"
    await stage.pass_time(100)
    assert stage.value("pv.state") == "producing"


async def test_power_in_the_dark_means_that_the_place_or_the_clock_is_wrong(inverter, drive):
    stage, _ = await drive(inverter.port, MIDNIGHT)
    assert stage.value("pv.power") == 2345
    await inverter.sim.fail(Fault.REFUSE)
    await stage.pass_time(700)
    assert stage.value("pv.power") is None
    assert stage.state is DeviceState.LOST


async def test_a_counter_reset_is_accepted_when_it_insists(inverter, drive):
    stage, _ = await drive(inverter.port, NOON)
    await inverter.change(energy_wh=5)
    await stage.pass_time(20)
    assert stage.value("pv.energy") == 123456
    await stage.pass_time(10)
    assert stage.value("pv.energy") == 5


async def test_a_new_inverter_that_has_made_nothing_has_no_counter_yet(inverter, drive):
    await inverter.change(energy_wh=0)
    stage, _ = await drive(inverter.port, NOON)
    assert "pv.energy" not in stage.values
    await inverter.change(energy_wh=1)
    await stage.pass_time(10)
    assert stage.value("pv.energy") == 1


async def test_ended_the_driver_leaves_no_connection_behind(inverter, drive):
    _, task = await drive(inverter.port, NOON)
    assert inverter.sim.server.connections == 1
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        while inverter.sim.server.connections:  # noqa: ASYNC110 - the other end hears of it a little later
            await asyncio.sleep(0.01)


async def test_a_device_that_speaks_no_sunspec_is_told_so_and_looked_at_again(serve, drive):
    _, port = await serve({0: [1, 2, 3]})
    stage, _ = await drive(port, NOON)
    assert stage.beats[-1].code == "not-sunspec"
    assert stage.beats[-1].mend


async def test_event_bits_are_told_in_plain_words(image, serve, drive):
    one = image("short-common")
    ((start, words),) = one.flat.items()
    at = min(where for where in one.runs if one.runs[where][0] == 101) - start
    words[at + 41] |= 1 << 10
    _, port = await serve({start: words})
    stage, _ = await drive(port, NOON)
    assert stage.state is DeviceState.DEGRADED
    assert stage.beats[-1].text.fr == "L’onduleur signale : tension du réseau trop haute."
    assert "Enedis" in stage.beats[-1].mend.fr


async def test_a_sleeping_state_that_answers_is_rest_not_a_fault(image, serve, drive):
    one = image("drawing")
    _, port = await serve(one.flat)
    stage, _ = await drive(port, NOON)
    assert stage.state is DeviceState.ASLEEP
    assert stage.beats[-1].code == "resting"


async def test_a_chain_cut_short_at_dawn_is_completed_later(sunny, serve, drive):
    from drivers.inverter.sim import BASE, SunSpecServer

    whole = SunSpecServer(lambda: sunny).image()[BASE]
    server, port = await serve({BASE: whole[:122]})  # common and inverter models only: the inputs come later
    stage, _ = await drive(port, NOON)
    assert "pv.dc.power.1" not in stage.values
    await server.stop()
    await stage.pass_time(30)
    server._image = lambda: {BASE: whole}
    await server.start()
    await stage.pass_time(75)
    assert stage.value("pv.dc.power.1") == 1300


async def test_an_inverter_replaced_under_the_same_address_is_found_again(sunny, serve, drive):
    from drivers.inverter.sim import BASE, common_model, integer_model

    image = {
        BASE: [0x5375, 0x6E53, *common_model("Old", "Old", "1"), *integer_model(103, sunny), 64001, 1, 0, 0xFFFF, 0]
    }
    server, port = await serve(lambda: image)
    stage, _ = await drive(port, NOON)
    await server.stop()
    image = {BASE: [0x5375, 0x6E53, *common_model("New", "New", "2")[:67], *integer_model(101, sunny)]}
    image[BASE][3] = 65
    await stage.pass_time(60)
    await server.start()
    await stage.pass_time(240)
    assert stage.state is DeviceState.OK
    assert stage.value("pv.power") == 2345


def test_the_settings_of_the_box_make_a_driver():
    settings = {"id": "roof", "url": "tcp://127.0.0.1:502?unit=1", "model": "auto", "period_s": 5.0}
    driver = create(settings | {"latitude": None, "longitude": None, "suffix": True})
    assert driver.id == "inverter:roof"
    with pytest.raises(Misconfigured, match="unit"):
        create(settings | {"url": "tcp://127.0.0.1:502?unit=one"})
    with pytest.raises(Misconfigured, match="no inverter model"):
        create(settings | {"model": "steam"})
    with pytest.raises(Unsupported):
        create(settings | {"url": "https://envoy.local"})
