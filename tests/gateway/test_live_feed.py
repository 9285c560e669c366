"""The live feed over a real UNIX socket."""

import asyncio
import json

import pytest

from gateway.bus import Bus
from gateway.outputs import live
from gateway.outputs.live import LiveFeed
from gateway.reading import Quality, Reading
from tests.gateway.clocks import NOON, FakeClock

HOME = {"name": "Maison", "demo": False, "language": "fr", "timezone": "Europe/Paris"}


@pytest.fixture
async def feed(tmp_path):
    clock = FakeClock()
    bus = Bus(clock)
    served = LiveFeed(tmp_path / "live.sock", bus, clock, home=HOME, health=lambda: {"state": "ok", "checks": []})
    await served.start()
    yield served, bus, clock, tmp_path / "live.sock"
    await served.stop()
    assert not (tmp_path / "live.sock").exists()


class Listener:
    def __init__(self, path):
        self.path = path

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_unix_connection(self.path)
        return self

    async def __aexit__(self, *_):
        self.writer.close()
        await self.writer.wait_closed()

    async def next(self, kind=None):
        while True:
            message = json.loads(await asyncio.wait_for(self.reader.readline(), 5))
            if kind is None or message["type"] == kind:
                return message


async def test_a_listener_gets_a_snapshot_then_only_what_changes(feed):
    _, bus, clock, path = feed
    bus.publish("inverter:roof", [Reading("pv.power", 500, NOON), Reading("pv.energy", 7, NOON)])
    clock.mono += 2
    async with Listener(path) as listener:
        snapshot = await listener.next()
        assert snapshot == {
            "type": "snapshot",
            "at": "2026-06-21T10:00:00.000Z",
            "signals": {
                "pv.energy": {
                    "value": 7, "unit": "Wh", "at": "2026-06-21T10:00:00.000Z", "age_s": 2.0, "quality": "measured",
                    "source": "",
                },
                "pv.power": {
                    "value": 500, "unit": "W", "at": "2026-06-21T10:00:00.000Z", "age_s": 2.0, "quality": "measured",
                    "source": "",
                },
            },
            "health": {"state": "ok", "checks": []},
            "home": HOME,
        }  # fmt: skip
        bus.publish("derive", [Reading("home.power", 480, NOON, Quality.DERIVED, "derive:balance")])
        frame = await listener.next("frame")
        assert set(frame["signals"]) == {"home.power"}
        assert frame["signals"]["home.power"]["quality"] == "derived"


async def test_values_of_one_burst_leave_together_with_the_newest_of_each(feed, monkeypatch):
    _, bus, _, path = feed
    monkeypatch.setattr(live, "COALESCE_S", 0.2)
    async with Listener(path) as listener:
        await listener.next("snapshot")
        bus.publish("x", [Reading("pv.power", 1, NOON)])
        await listener.next("frame")
        for value in range(2, 50):
            bus.publish("x", [Reading("pv.power", value, NOON), Reading("pv.energy", value, NOON)])
        frame = await listener.next("frame")
        assert {name: one["value"] for name, one in frame["signals"].items()} == {"pv.power": 49, "pv.energy": 49}


async def test_an_old_value_says_that_it_is_stale(feed):
    _, bus, clock, path = feed
    bus.publish("linky", [Reading("grid.import.energy", 1, NOON)])
    clock.mono += 16
    async with Listener(path) as listener:
        snapshot = await listener.next()
    assert snapshot["signals"]["grid.import.energy"]["quality"] == "stale"
    assert snapshot["signals"]["grid.import.energy"]["age_s"] == 16.0


async def test_a_withdrawn_value_is_null(feed):
    _, bus, _, path = feed
    bus.publish("x", [Reading("pv.power", None, NOON)])
    async with Listener(path) as listener:
        snapshot = await listener.next()
    assert snapshot["signals"]["pv.power"]["value"] is None


async def test_health_is_sent_when_it_changes(feed):
    served, _, _, path = feed
    async with Listener(path) as listener:
        await listener.next("snapshot")
        served.health_changed()
        message = await listener.next("health")
        assert message["health"] == {"state": "ok", "checks": []}


async def test_a_quiet_feed_ticks(feed, monkeypatch):
    monkeypatch.setattr(live, "TICK_S", 0.05)
    async with Listener(feed[3]) as listener:
        await listener.next("snapshot")
        assert (await listener.next())["type"] == "tick"


async def test_the_socket_is_closed_to_other_users(feed):
    assert feed[3].stat().st_mode & 0o777 == 0o660


async def test_listeners_come_and_go_and_a_leftover_socket_file_is_replaced(tmp_path):
    clock = FakeClock()
    path = tmp_path / "live.sock"
    path.touch()
    served = LiveFeed(path, Bus(clock), clock, home=HOME, health=dict)
    await served.start()
    for _ in range(3):
        async with Listener(path) as listener:
            await listener.next("snapshot")
    async with Listener(path) as listener:
        await listener.next("snapshot")
        await served.stop()
        assert await asyncio.wait_for(listener.reader.readline(), 5) == b""
