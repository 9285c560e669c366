"""The bus: the latest value of each signal, and a bounded fan-out to whoever listens.

It lives in the event loop's thread; `publish_threadsafe` is the one door for other threads.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.reading import Reading


@dataclass(frozen=True, slots=True)
class Batch:
    """What one source said at once. `frame_end` closes a round of the device (see `drivers.contract.Host.publish`)."""

    source: str
    readings: tuple[Reading, ...]
    frame_end: bool


@dataclass(frozen=True, slots=True)
class Latest:
    """The last reading of a signal and when it came, in monotonic seconds: its age survives a jump of the calendar."""

    reading: Reading
    seen: float


class Subscription:
    """One listener's queue. When it is full the oldest batch goes, and is counted in `dropped`."""

    def __init__(self, size: int) -> None:
        self._queue: deque[Batch] = deque()
        self._size = size
        self._ready = asyncio.Event()
        self.dropped = 0

    def put(self, batch: Batch) -> None:
        """Add a batch; called by the bus."""
        if len(self._queue) >= self._size:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(batch)
        self._ready.set()

    async def get(self) -> list[Batch]:
        """Wait until something was published, and return all of it, oldest first."""
        await self._ready.wait()
        batches = list(self._queue)
        self._queue.clear()
        self._ready.clear()
        return batches


class Bus:
    """Latest values and fan-out. Construct it inside the running event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._latest: dict[str, Latest] = {}
        self._subscriptions: list[Subscription] = []
        self._taps: list[Callable[[Batch], None]] = []

    @property
    def latest(self) -> dict[str, Latest]:
        """The last reading of each signal, by name; a withdrawn value is there with None."""
        return self._latest

    def subscribe(self, size: int = 512) -> Subscription:
        """Return a new listener's queue of at most `size` batches."""
        subscription = Subscription(size)
        self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a listener."""
        self._subscriptions.remove(subscription)

    def tap(self, listener: Callable[[Batch], None]) -> None:
        """Call `listener` at once with each batch, in the loop's thread: for the pure, quick derivations only."""
        self._taps.append(listener)

    def publish(self, source: str, readings: Sequence[Reading], *, frame_end: bool = False) -> None:
        """Publish from the loop's thread."""
        batch = Batch(source, tuple(readings), frame_end)
        seen = self._clock.monotonic()
        for reading in batch.readings:
            self._latest[reading.signal] = Latest(reading, seen)
        for subscription in self._subscriptions:
            subscription.put(batch)
        for listener in self._taps:
            listener(batch)

    def publish_threadsafe(self, source: str, readings: Sequence[Reading], *, frame_end: bool = False) -> None:
        """Publish from any other thread; returns at once."""
        self._loop.call_soon_threadsafe(lambda: self.publish(source, readings, frame_end=frame_end))
