"""The store as the pages see it: the energy of a stretch of time, and today's, kept for a few seconds."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.clock import UtcMs
from gateway.errors import FoyerError
from web.charts import Table, table
from web.periods import Slot
from web.settings import box

if TYPE_CHECKING:
    from gateway.store.read import EnergyBucket

logger = logging.getLogger(__name__)

_KEEP_S = 10.0  # a day's kWh move by a tenth in minutes; every live page asks each second


@dataclass(slots=True)
class Kept:
    """Today's table and when it was read, shared by the threads of the process."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    start: UtcMs | None = None
    read_at: float = 0.0
    table: Table | None = None


def energy(start: UtcMs, end: UtcMs, step: str, timezone: str) -> list[EnergyBucket] | None:
    """Return the store's buckets, or None when the store cannot be read (the reason goes to the journal)."""
    if not box().config.measure_db.exists():
        return None
    from gateway.store.read import Reader  # noqa: PLC0415 - a box whose store is not there still shows its live page

    try:
        with Reader(box().config.measure_db, box().clock) as reader:
            return reader.energy(start, end, step, timezone)
    except (FoyerError, OSError, sqlite3.Error) as error:
        logger.info("the store cannot be read: %s", error)
        return None


def energy_table(slots: Sequence[Slot], step: str, timezone: str, *, has_pv: bool) -> Table | None:
    """Return the table of consecutive slots, None when the store cannot be read."""
    if not slots:
        return table([], has_pv=has_pv)
    buckets = energy(slots[0].start, slots[-1].end, step, timezone)
    if buckets is None:
        return None
    by_start = {bucket.start: bucket for bucket in buckets}
    return table([by_start.get(slot.start) for slot in slots], has_pv=has_pv)


def today(kept: Kept, start: UtcMs, now: UtcMs, timezone: str, *, has_pv: bool) -> Table | None:
    """Return the table of today (one row), read again after some seconds."""
    moment = box().clock.monotonic()
    with kept.lock:
        if kept.start == start and moment - kept.read_at < _KEEP_S:
            return kept.table
        buckets = energy(start, now, "1d", timezone)
        kept.table = table(buckets[:1], has_pv=has_pv) if buckets else None
        kept.start, kept.read_at = start, moment
        return kept.table
