"""Starts the drivers, restarts them with back-off, listens to their beats, and tells systemd how things are.

One line is logged when a device is lost and one when it is back; nothing in between.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from drivers.contract import Beat, DeviceState, Driver, DriverFactory
from gateway.bus import Bus
from gateway.clock import Clock, UtcMs
from gateway.errors import FoyerError, Misconfigured, Text, Transient, Unsupported
from gateway.reading import Reading
from gateway.signals import Kind, find, within_bounds

log = logging.getLogger("foyer.supervisor")

BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
STUCK_S = 60.0
"""A driver that has not said anything for this long is taken for stuck, and the watchdog is no longer fed."""

_UNWELL = (DeviceState.LOST, DeviceState.DEGRADED)
_STARTING = Beat(DeviceState.STARTING, "starting", Text("Démarrage.", "Starting."))


def load_driver(name: str, settings: Mapping[str, Any]) -> Driver:
    """Return the driver called `name`, found by its entry point; raise Misconfigured when there is none."""
    for entry in entry_points(group="foyer.drivers", name=name):
        factory: DriverFactory = entry.load()
        return factory(settings)
    known = ", ".join(sorted(entry.name for entry in entry_points(group="foyer.drivers")))
    raise Misconfigured(
        Text(f"Il n’y a pas de pilote « {name} ».", f"There is no driver “{name}”."),
        Text(f"Pilotes connus : {known}.", f"Known drivers: {known}."),
    )


@dataclass(slots=True)
class Device:
    """One driver under care: its last beat, since when it is in that state, and when it last spoke."""

    id: str
    make: Callable[[], Driver]
    beat: Beat
    since: UtcMs
    heard: float
    refused: Counter[str]
    """Readings that were not published, by reason."""


class _Host:
    """What one driver is handed: it may be called from any thread."""

    def __init__(self, supervisor: Supervisor, device: Device, source: str, clock: Clock, bus: Bus) -> None:
        self.clock = clock
        self._source = source
        self._supervisor = supervisor
        self._device = device
        self._bus = bus
        self._loop_thread = threading.get_ident()

    def publish(self, readings: Sequence[Reading], *, frame_end: bool = False) -> None:
        self._device.heard = self.clock.monotonic()
        kept = [reading for reading in readings if self._acceptable(reading)]
        if threading.get_ident() == self._loop_thread:
            self._bus.publish(self._source, kept, frame_end=frame_end)
        else:
            self._bus.publish_threadsafe(self._source, kept, frame_end=frame_end)

    def beat(self, beat: Beat) -> None:
        self._device.heard = self.clock.monotonic()
        if threading.get_ident() == self._loop_thread:
            self._supervisor.heard(self._device, beat)
        else:
            self._supervisor.loop.call_soon_threadsafe(self._supervisor.heard, self._device, beat)

    def _acceptable(self, reading: Reading) -> bool:
        """Keep what the registry knows and allows; a driver's mistake must not reach the store."""
        signal = find(reading.signal)
        if signal is None:
            self._device.refused["unknown signal"] += 1
            return False
        if reading.value is None:
            return True
        if signal.kind is Kind.STATE:
            right = isinstance(reading.value, str)
        else:
            right = isinstance(reading.value, int | float) and within_bounds(signal, reading.value)
        if not right:
            self._device.refused["out of bounds"] += 1
        return right


class Supervisor:
    """Keeps the drivers running. Construct it inside the running event loop."""

    def __init__(self, bus: Bus, clock: Clock, *, on_change: Callable[[], None] = lambda: None) -> None:
        self.loop = asyncio.get_running_loop()
        self.devices: dict[str, Device] = {}
        self._bus = bus
        self._clock = clock
        self._on_change = on_change
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add(self, device_id: str, driver: str, settings: Mapping[str, Any]) -> None:
        """Take a device into care and start its driver."""
        device = Device(
            device_id,
            lambda: load_driver(driver, settings),
            _STARTING,
            self._clock.now(),
            self._clock.monotonic(),
            Counter(),
        )
        self.devices[device_id] = device
        self._tasks[device_id] = asyncio.create_task(self._care(device), name=f"device {device_id}")

    async def stop(self) -> None:
        """End every driver and wait until each has closed its device."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def heard(self, device: Device, beat: Beat) -> None:
        """Take a beat; log and tell the page when the device's state or its reason changed."""
        before = device.beat
        if (beat.state, beat.code) != (before.state, before.code):
            device.since = self._clock.now()
            if beat.state in _UNWELL and before.state not in _UNWELL:
                log.warning("device=%s state=%s code=%s", device.id, beat.state, beat.code)
            elif before.state in _UNWELL and beat.state not in _UNWELL:
                log.info("device=%s state=%s code=%s", device.id, beat.state, beat.code)
        device.beat = beat
        if beat != before:
            self._on_change()

    def stuck(self) -> list[str]:
        """Return the devices whose driver has been silent too long."""
        now = self._clock.monotonic()
        return [device.id for device in self.devices.values() if now - device.heard > STUCK_S]

    async def _care(self, device: Device) -> None:
        failures = 0
        while True:
            began = self._clock.monotonic()
            try:
                driver = device.make()
                await driver.run(_Host(self, device, driver.id, self._clock, self._bus))
                raise Transient(Text("Le pilote s’est arrêté.", "The driver stopped."))  # noqa: TRY301
            except (Misconfigured, Unsupported) as error:
                self.heard(device, _beat_of(error, "needs-a-person"))
                await self._wait_for_a_person(device)
                return
            except Transient as error:
                self.heard(device, _beat_of(error, "transient"))
            except Exception:
                # A driver's own mistake must not end the others: it is logged whole once, and tried again.
                log.exception("device=%s driver failed", device.id)
                text = Text("Le pilote a eu une panne imprévue.", "The driver failed unexpectedly.")
                self.heard(device, Beat(DeviceState.LOST, "driver-failed", text))
            failures = 0 if self._clock.monotonic() - began > BACK_OFF_S[-1] else failures + 1
            await self._rest(device, BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1])

    async def _rest(self, device: Device, seconds: float) -> None:
        device.heard = self._clock.monotonic()
        await asyncio.sleep(seconds * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret

    async def _wait_for_a_person(self, device: Device) -> None:
        """Stay alive for the watchdog: a device that only a person can mend is no stuck driver."""
        while True:
            await self._rest(device, STUCK_S / 3)


def _beat_of(error: FoyerError, code: str) -> Beat:
    return Beat(DeviceState.LOST, code, error.what, error.mend)


def notify_systemd(message: str) -> None:
    """Send `READY=1`, `WATCHDOG=1`, `STOPPING=1`… to systemd (sd_notify(3)); outside a unit it does nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(message.encode(), address)
