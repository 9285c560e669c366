"""Which drivers a configuration asks for, and what each is told."""

from __future__ import annotations

import dataclasses

from gateway.config import Config
from gateway.supervisor import Supervisor


def add_devices(supervisor: Supervisor, config: Config) -> None:
    """Take the configured meter and inverters into care. An inverter is told the place: at night it may sleep."""
    place = {"latitude": config.home.latitude, "longitude": config.home.longitude}
    if config.meter is not None:
        supervisor.add("meter", config.meter.driver, dataclasses.asdict(config.meter))
    for inverter in config.inverter:
        settings = dataclasses.asdict(inverter) | place | {"suffix": len(config.inverter) > 1}
        supervisor.add(f"inverter:{inverter.id}", "inverter", settings)
