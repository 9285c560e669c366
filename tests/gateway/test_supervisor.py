"""The supervisor: restart with back-off, one log line a change, and nothing wrong let through."""

import asyncio
import logging
import socket

import pytest

from drivers.contract import Beat, DeviceState
from gateway import supervisor as room
from gateway.bus import Bus
from gateway.clock import SystemClock
from gateway.errors import Misconfigured, Text, Transient
from gateway.health import State, as_json, of_device
from gateway.reading import Reading
from gateway.supervisor import Supervisor, notify_systemd
from tests.gateway.clocks import NOON

OK = Beat(DeviceState.OK, "reading", Text("Le compteur est lu.", "The meter is read."))
LOST = Beat(DeviceState.LOST, "no-signal", Text("Rien.", "Nothing."), Text("Branchez.", "Plug it in."))


class Scripted:
    """A driver that plays a list of steps, one `run` after the other."""

    id = "linky"

    def __init__(self, runs):
        self._runs = runs

    async def run(self, host):
        steps = self._runs.pop(0) if self._runs else [asyncio.Event()]
        for step in steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Beat):
                host.beat(step)
            elif isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, list):
                host.publish(step)
            elif callable(step):
                await asyncio.to_thread(step, host)


@pytest.fixture
def care(monkeypatch):
    monkeypatch.setattr(room, "BACK_OFF_S", (0.0,))

    async def start(*runs, on_change=lambda: None):
        bus = Bus(SystemClock())
        supervisor = Supervisor(bus, SystemClock(), on_change=on_change)
        waiting = list(runs)
        monkeypatch.setattr(room, "load_driver", lambda _name, _settings: Scripted(waiting))
        supervisor.add("meter", "linky", {})
        return supervisor, bus

    return start


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the supervisor has no event for each of these conditions
            await asyncio.sleep(0.005)


async def test_a_failed_driver_is_started_again(care):
    supervisor, _ = await care([Transient(Text("a", "a"))], [RuntimeError("boom")], [OK, asyncio.Event()])
    await until(lambda: supervisor.devices["meter"].beat == OK)
    await supervisor.stop()


async def test_a_driver_that_returns_is_started_again(care):
    supervisor, _ = await care([], [OK, asyncio.Event()])
    await until(lambda: supervisor.devices["meter"].beat == OK)
    await supervisor.stop()


async def test_what_only_a_person_can_mend_is_left_stopped_with_its_sentence(care):
    error = Misconfigured(
        Text("Pas le droit de lire le port.", "No right to read the port."), Text("Faites ceci.", "Do.")
    )
    supervisor, _ = await care([error], [OK])
    await until(lambda: supervisor.devices["meter"].beat.state is DeviceState.LOST)
    device = supervisor.devices["meter"]
    assert device.beat.text == error.what
    check = of_device(device)
    assert check.state is State.PROBLEM
    assert as_json([check])["state"] == "problem"
    assert check.as_json()["mend"] == {"fr": "Faites ceci.", "en": "Do."}
    await supervisor.stop()


async def test_lost_and_back_are_one_log_line_each(care, caplog):
    caplog.set_level(logging.INFO, "foyer.supervisor")
    changes = []
    supervisor, _ = await care([OK, LOST, LOST, LOST, OK, OK, asyncio.Event()], on_change=lambda: changes.append(1))
    await until(lambda: len(changes) == 3)
    await supervisor.stop()
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["device=meter state=lost code=no-signal", "device=meter state=ok code=reading"]


async def test_a_reading_that_the_registry_refuses_is_counted_not_published(care):
    bad = [
        Reading("pv.magic", 1, NOON),
        Reading("pv.power", -5, NOON),
        Reading("pv.power", float("nan"), NOON),
        Reading("pv.power", "many", NOON),
        Reading("grid.tariff.period", 3, NOON),
        Reading("pv.power@Bad Id", 3, NOON),
    ]
    good = [
        Reading("pv.power@roof", 5, NOON),
        Reading("grid.tariff.period", "hp", NOON),
        Reading("pv.energy", None, NOON),
    ]
    supervisor, bus = await care([bad, good, OK, asyncio.Event()])
    await until(lambda: supervisor.devices["meter"].beat == OK)
    assert set(bus.latest) == {"pv.power@roof", "grid.tariff.period", "pv.energy"}
    assert dict(supervisor.devices["meter"].refused) == {"unknown signal": 2, "out of bounds": 4}
    assert of_device(supervisor.devices["meter"]).details["refused"]["out of bounds"] == 4
    await supervisor.stop()


async def test_a_driver_thread_may_publish_and_beat(care):
    def from_a_thread(host):
        host.publish([Reading("pv.power", 9, NOON)], frame_end=True)
        host.beat(OK)

    supervisor, bus = await care([from_a_thread, asyncio.Event()])
    await until(lambda: supervisor.devices["meter"].beat == OK)
    assert bus.latest["pv.power"].reading.value == 9
    await supervisor.stop()


async def test_a_silent_driver_counts_as_stuck(care):
    supervisor, _ = await care([asyncio.Event()])
    await asyncio.sleep(0)
    assert supervisor.stuck() == []
    supervisor.devices["meter"].heard -= 61
    assert supervisor.stuck() == ["meter"]
    await supervisor.stop()


def test_an_unknown_driver_names_the_known_ones():
    with pytest.raises(Misconfigured) as caught:
        room.load_driver("gaz", {})
    assert "linky" in caught.value.say("fr")


def test_systemd_is_told_over_its_socket(tmp_path, monkeypatch):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        notify_systemd("READY=1")
        assert listener.recv(64) == b"READY=1"
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify_systemd("READY=1")
