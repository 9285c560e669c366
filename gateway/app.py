"""The gateway process: devices in, bus, derivation, store and live feed out. It survives whatever else fails."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Iterator
from typing import IO

from gateway.bus import Batch, Bus
from gateway.clock import Clock, system_clock
from gateway.config import Config
from gateway.derive import Derivation
from gateway.devices import add_devices
from gateway.errors import Misconfigured, Text
from gateway.health import Check, State, as_json, of_clock, of_device, of_jobs
from gateway.outputs.influx.sink import InfluxSink
from gateway.outputs.live import LiveFeed
from gateway.store.trust import Trust, is_calendar_set
from gateway.store.undervoltage import find_alarm
from gateway.store.write import StoreStatus, Writer
from gateway.supervisor import Supervisor, notify_systemd

log = logging.getLogger("foyer.gateway")

PULSE_S = 5.0
_DERIVE = "derive"


@contextlib.contextmanager
def _alone(config: Config) -> Iterator[None]:
    """Hold the box's lock: two gateways on one store would each lose the other's rows. It goes with the process."""
    config.run.mkdir(parents=True, exist_ok=True)
    config.state.mkdir(parents=True, exist_ok=True)
    lock: IO[str] = (config.state / "gateway.lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misconfigured(
                Text(
                    f"Une passerelle tourne déjà sur {config.state}.",
                    f"A gateway is already running on {config.state}.",
                ),
                Text("Arrêtez-la d’abord, ou changez [paths] state.", "Stop it first, or change [paths] state."),
            ) from None
        yield


def store_check(status: StoreStatus) -> Check:
    """Return the health check of the store."""
    states = {"ok": State.OK, "info": State.INFO, "warning": State.WARNING, "problem": State.PROBLEM}
    details = {"pending_rows": status.pending_rows, "dropped_rows": status.dropped_rows, "bytes": status.file_bytes}
    return Check("store", states[status.state], status.code, status.text, status.mend, details=details)


def _writer(config: Config, clock: Clock) -> Writer:
    """Return the store's writer. A demo's calendar is believed as it is: run fast, it would look like steps."""
    if config.home.demo:
        return Writer(config.measure_db, clock, config.store)
    return Writer(config.measure_db, clock, config.store, trust=Trust(clock, is_calendar_set), alarm=find_alarm())


class Gateway:
    """Everything of the process, wired. Construct it inside the running event loop."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._bus = Bus(clock)
        self._writer = _writer(config, clock)
        self._derivation = Derivation([one.id for one in config.inverter])
        self._supervisor = Supervisor(self._bus, clock, on_change=self._device_changed)
        home = config.home
        self._feed = LiveFeed(
            config.live_socket,
            self._bus,
            clock,
            home={"name": home.name, "demo": home.demo, "language": home.language, "timezone": home.timezone},
            health=self._health,
        )
        self._influx = InfluxSink(config, clock, self._writer.remember)
        self._store_codes: tuple[str, ...] = ()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then close the devices, commit what is in memory and close the feed."""
        self._writer.start()
        self._bus.tap(self._writer.put)
        await self._feed.start()
        await self._influx.start()
        self._bus.tap(self._derive)
        add_devices(self._supervisor, self._config)
        notify_systemd("READY=1")
        log.info("gateway started, devices=%d", len(self._supervisor.devices))
        try:
            while not stop.is_set():
                self._pulse()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), PULSE_S)
        finally:
            notify_systemd("STOPPING=1")
            await self._supervisor.stop()
            await self._influx.stop()
            await asyncio.to_thread(self._writer.stop)
            await self._feed.stop()
            log.info("gateway stopped")

    def _derive(self, batch: Batch) -> None:
        if batch.source == _DERIVE:
            return
        changed = [self._derivation.take(reading) for reading in batch.readings]
        if any(changed) or batch.frame_end:
            self._publish_derived(frame_end=batch.frame_end)

    def _publish_derived(self, *, frame_end: bool) -> None:
        latest = self._bus.latest
        derived = self._derivation.derived(latest, self._clock.now(), self._clock.monotonic())
        # A value that was never known and still is not says nothing.
        news = [reading for reading in derived if reading.value is not None or reading.signal in latest]
        if news:
            self._bus.publish(_DERIVE, news, frame_end=frame_end)

    def _pulse(self) -> None:
        """Each 5 s: let what has gone stale be known, and feed the watchdog while every driver is alive."""
        self._publish_derived(frame_end=False)
        status = self._writer.status()
        codes = (status.code, *(check.code for check in self._influx.checks()))
        if codes != self._store_codes:
            if status.state == "problem" and status.code not in self._store_codes:
                log.error("store code=%s", status.code)
            self._store_codes = codes
            self._feed.health_changed()
        if not self._supervisor.stuck():
            notify_systemd("WATCHDOG=1")

    def _device_changed(self) -> None:
        self._feed.health_changed()
        meter = self._supervisor.devices.get("meter")
        offset_s = (meter.beat.details or {}).get("clock_offset_s") if meter else None
        if offset_s is not None:
            self._writer.meter_clock(float(offset_s))

    def _health(self) -> dict[str, object]:
        checks = [of_device(device) for device in self._supervisor.devices.values()]
        stored = [store_check(self._writer.status()), *of_jobs(self._config.state / "jobs.json")]
        return as_json([*checks, *stored, *self._influx.checks(), of_clock(self._clock)])


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Gateway(config, system_clock()).run(stop)


def set_up_log() -> None:
    """Log to stderr, one line an event; under systemd the journal adds the time."""
    under_systemd = bool(os.environ.get("JOURNAL_STREAM"))
    form = "%(levelname)s %(name)s %(message)s" if under_systemd else "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=form)


def main(config: Config) -> int:
    """Run the gateway until SIGTERM or SIGINT; return the exit code."""
    set_up_log()
    with _alone(config):
        asyncio.run(_serve(config))
    return 0
