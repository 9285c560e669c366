"""A reading: one value of one signal at one moment. The only thing drivers produce."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.clock import UtcMs

Value = float | int | str


class Quality(StrEnum):
    """How far a value can be trusted; these words are part of the HTTP contract."""

    MEASURED = "measured"
    DERIVED = "derived"
    ESTIMATED = "estimated"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value.

    `signal` is a name of `gateway.signals`, with `@device` behind it when the home has several of a kind.
    `value` is in the signal's unit; None withdraws the last value: it is now known to be unknown (never a zero).
    `at` is when the device measured it (UTC ms). `source` says where it comes from and how it was made,
    such as `linky`, `inverter:roof`, `derive:index-steps`.
    """

    signal: str
    value: Value | None
    at: UtcMs
    quality: Quality = Quality.MEASURED
    source: str = ""
