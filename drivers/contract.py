"""What a driver is, and what it may ask of the box.

A driver reads one device and publishes readings. It never stores, never logs a value, never decides for the home.
The supervisor starts it, restarts it with back-off when it raises `Transient`, and leaves it stopped, with its
sentence on the page, when it raises `Misconfigured` or `Unsupported`.

A driver is found by its entry point in the group `foyer.drivers`: the name of the entry point is the driver's name
in the configuration, and it loads a `DriverFactory`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from gateway.clock import Clock
from gateway.errors import Text
from gateway.reading import Reading


class DeviceState(StrEnum):
    """How a device is doing. A lost device is no fault of its driver: the driver goes on looking for it."""

    STARTING = "starting"
    OK = "ok"
    DEGRADED = "degraded"
    ASLEEP = "asleep"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Beat:
    """What a driver says of its device. `code` is stable, for programs; `text` is for a person, `mend` what to do."""

    state: DeviceState
    code: str
    text: Text
    mend: Text | None = None
    details: Mapping[str, Any] | None = None
    """Figures for the health page (`{"mode": "standard", "rejected": {...}}`); never an identity or a place."""


class Host(Protocol):
    """What the box offers a running driver. All methods may be called from any thread."""

    clock: Clock

    def publish(self, readings: Sequence[Reading], *, frame_end: bool = False) -> None:
        """Hand over readings as soon as they are known. `frame_end` closes one round of the device (a TIC frame, a
        poll): the store writes one row a round.
        """
        ...

    def beat(self, beat: Beat) -> None:
        """Say how the device is. Call it at least every 20 s: a driver that stays silent for 60 s counts as stuck.
        Saying the same again is free; a change of state is logged once.
        """
        ...


class Driver(Protocol):
    """One device being read."""

    id: str
    """`linky`, or `inverter:<id>`; the `source` of its readings."""

    async def run(self, host: Host) -> None:
        """Read until cancelled. Close the device on the way out. Raise `Transient`, `Misconfigured` or
        `Unsupported` and nothing else; a device that is merely absent or asleep is a beat, not an error.
        """
        ...


class DriverFactory(Protocol):
    """Makes a driver from its table of the configuration (`[meter]`, or one `[[inverter]]`)."""

    def __call__(self, settings: Mapping[str, Any]) -> Driver:
        """Return the driver, or raise `Misconfigured`. Touches no device."""
        ...
