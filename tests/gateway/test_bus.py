"""The bus: latest values, bounded fan-out, and the door for other threads."""

import asyncio
import threading

from gateway.bus import Bus
from gateway.reading import Reading
from tests.gateway.clocks import NOON, FakeClock


def reading(value):
    return Reading("pv.power", value, NOON)


async def test_the_latest_value_is_kept_with_its_monotonic_time():
    clock = FakeClock()
    bus = Bus(clock)
    bus.publish("inverter:roof", [reading(1)])
    clock.wall -= 3_600_000
    clock.mono += 2
    bus.publish("inverter:roof", [reading(2)])
    assert bus.latest["pv.power"].reading.value == 2
    assert bus.latest["pv.power"].seen == 1002.0


async def test_a_full_queue_drops_the_oldest_and_counts_it():
    bus = Bus(FakeClock())
    slow = bus.subscribe(size=2)
    for value in range(5):
        bus.publish("x", [reading(value)])
    batches = await slow.get()
    assert [batch.readings[0].value for batch in batches] == [3, 4]
    assert slow.dropped == 3


async def test_each_listener_gets_each_batch_in_order():
    bus = Bus(FakeClock())
    one, two = bus.subscribe(), bus.subscribe()
    bus.publish("x", [reading(1)])
    bus.publish("x", [reading(2)], frame_end=True)
    for queue in (one, two):
        batches = await queue.get()
        assert [batch.readings[0].value for batch in batches] == [1, 2]
        assert batches[-1].frame_end
    bus.unsubscribe(one)
    bus.publish("x", [reading(3)])
    assert [batch.readings[0].value for batch in await two.get()] == [3]


async def test_another_thread_publishes_through_its_own_door():
    bus = Bus(FakeClock())
    queue = bus.subscribe()
    thread = threading.Thread(target=bus.publish_threadsafe, args=("linky", [reading(7)]))
    thread.start()
    batches = await asyncio.wait_for(queue.get(), 5)
    thread.join()
    assert batches[0].source == "linky"
