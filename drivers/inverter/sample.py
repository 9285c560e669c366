"""What one poll of an inverter gives, whatever language the inverter speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from drivers.inverter.points import Device
from gateway.reading import Value
from gateway.signals import find, within_bounds

NEGATIVE = "negative"
IMPLAUSIBLE = "implausible"
HYBRID = "hybrid inverter"

_NAMEPLATE_ROOM = 1.2
"""How far over its rated power an inverter is believed."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One poll.

    `values` by plain signal name, in the signals' units; `missing` gives the reason for each signal that has none.
    `derived` names the values that were computed from others. `state` is an operating state of `points.STATES`,
    `events` the bits of `points.EVENTS` that are set, `rated_w` the nameplate power where it is known.
    """

    values: Mapping[str, Value]
    missing: Mapping[str, str] = field(default_factory=dict)
    derived: frozenset[str] = frozenset()
    state: int | None = None
    events: tuple[int, ...] = ()
    rated_w: float | None = None


class Session(Protocol):
    """An inverter that was found, and is read poll after poll."""

    model: str
    """The family, as in `foyer inverter models`."""
    unit: int
    device: Device

    async def poll(self) -> Sample:
        """Read it once; raise `LinkFault`."""
        ...

    async def resume(self) -> None:
        """Make sure, after a fault or a sleep, that the device is still the one that was found; raise `LinkFault`."""
        ...


def doubt(name: str, value: float, rated_w: float | None = None) -> str:
    """Return why a measured number cannot be believed as the signal `name`; an empty text when it can."""
    signal = find(name)
    assert signal is not None
    if value < 0:
        return NEGATIVE
    if not within_bounds(signal, value) or (rated_w and value > rated_w * _NAMEPLATE_ROOM):
        return IMPLAUSIBLE
    return ""
