"""The steps of a history: buckets of minutes and hours in UTC, of days and months as people at home have them. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.clock import UtcMs, from_datetime, to_datetime
from gateway.errors import FoyerError, Text
from gateway.store.schema import DAY_MS, HALF_HOUR_MS, HOUR_MS, MINUTE_MS

MAX_POINTS = 5_000


class Step(StrEnum):
    """How fine a history is."""

    RAW = "raw"
    MINUTE = "1m"
    HALF_HOUR = "30m"
    HOUR = "1h"
    DAY = "1d"
    MONTH = "1mo"


WIDTHS: Final = {Step.MINUTE: MINUTE_MS, Step.HALF_HOUR: HALF_HOUR_MS, Step.HOUR: HOUR_MS}
_SHORTEST: Final = WIDTHS | {Step.DAY: 23 * HOUR_MS, Step.MONTH: 28 * DAY_MS}


def step_of(step: str) -> Step:
    """Return the step called `step`, or raise FoyerError with those there are."""
    try:
        return Step(step)
    except ValueError:
        known = ", ".join(Step)
        raise FoyerError(
            Text(f"Le pas « {step} » n’existe pas.", f"There is no step “{step}”."),
            Text(f"Choisissez parmi : {known}.", f"Choose one of: {known}."),
        ) from None


def zone_of(timezone: str) -> ZoneInfo:
    """Return the time zone called `timezone`, or raise FoyerError."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FoyerError(
            Text(f"Le fuseau horaire « {timezone} » n’existe pas.", f"There is no time zone “{timezone}”."),
            Text("Donnez un nom comme Europe/Paris.", "Give a name such as Europe/Paris."),
        ) from None


def check_range(start: int, end: int, step: Step, limit: int | None) -> None:
    """Raise FoyerError when a range is upside down, or would give more than `limit` points; names the step to use."""
    if end <= start:
        raise FoyerError(
            Text("La fin de la période doit venir après son début.", "The end of the range must come after its start."),
        )
    if limit is None:
        return
    # a day and an hour: the long day of October is one day too
    too_long = end - start > DAY_MS + HOUR_MS if step is Step.RAW else (end - start) // _SHORTEST[step] > limit
    if too_long:
        raise too_many(start, end, step, limit)


def too_many(start: int, end: int, step: Step, limit: int) -> FoyerError:
    """Return the refusal of a range that has too many points at `step`."""
    coarser = [one for one in list(Step)[list(Step).index(step) + 1 :] if (end - start) // _SHORTEST[one] <= limit]
    mend = (
        Text(f"Demandez le pas {coarser[0]}, ou une période plus courte.", f"Ask for step {coarser[0]}, or less time.")
        if coarser
        else Text("Demandez une période plus courte.", "Ask for a shorter range.")
    )
    return FoyerError(
        Text(
            f"Cette période compte trop de points au pas {step} (au plus {limit}).",
            f"This range has too many points at step {step} (at most {limit}).",
        ),
        mend,
    )


def edges(start: int, end: int, step: Step, zone: ZoneInfo) -> list[UtcMs]:
    """Return the bucket edges from the one at or before `start` to the one at or after `end`, oldest first."""
    if width := WIDTHS.get(step):
        return [UtcMs(at) for at in range(start - start % width, end + width, width) if at - width < end]
    day = to_datetime(start).astimezone(zone).date()
    if step is Step.MONTH:
        day = day.replace(day=1)
    found = [_midnight(day, zone)]
    while found[-1] < end:
        day = _next(day, step)
        found.append(_midnight(day, zone))
    return found


def buckets(start: int, end: int, step: Step, zone: ZoneInfo) -> list[tuple[UtcMs, UtcMs]]:
    """Return (start, end) of each bucket that touches [start, end)."""
    return list(pairwise(edges(start, end, step, zone)))


def _next(day: date, step: Step) -> date:
    if step is Step.DAY:
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _midnight(day: date, zone: ZoneInfo) -> UtcMs:
    """Return the first instant of a local day; where midnight is skipped by the clocks, the instant they jump to."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return from_datetime(local.astimezone(UTC))
