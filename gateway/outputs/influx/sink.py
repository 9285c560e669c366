"""InfluxDB as the gateway has it: the forwarder out, and the way back in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.clock import Clock
from gateway.config import Config
from gateway.health import Check
from gateway.outputs.commands import CommandSocket
from gateway.outputs.influx.forwarder import Forwarder
from gateway.outputs.influx.readback import ReadBack


class InfluxSink:
    """Started and stopped with the gateway; does nothing at all unless `[store] kind = "influxdb"`."""

    def __init__(self, config: Config, clock: Clock, remember: Callable[[str, str], None]) -> None:
        self._forwarder: Forwarder | None = None
        self._past: ReadBack | None = None
        self._commands: CommandSocket | None = None
        settings = config.store.influxdb
        if config.store.kind == "influxdb" and settings is not None:
            self._forwarder = Forwarder(config, settings, clock, remember)
            self._past = ReadBack(config, settings, clock)
            self._commands = CommandSocket(config.command_socket, self._past)

    async def start(self) -> None:
        """Start the thread, open the command socket."""
        if self._forwarder:
            self._forwarder.start()
        if self._commands:
            await self._commands.start()

    async def stop(self) -> None:
        """Stop both; call it before the store's writer stops, which keeps how far the forwarder got."""
        if self._commands:
            await self._commands.stop()
        if self._forwarder:
            await asyncio.to_thread(self._forwarder.stop)
        if self._past:
            await asyncio.to_thread(self._past.close)

    def checks(self) -> list[Check]:
        """Return the health check of InfluxDB, where there is one."""
        return [self._forwarder.check()] if self._forwarder else []
