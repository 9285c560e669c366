"""The parameters of the history routes: read, checked, and refused by name with what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from gateway.clock import Clock, UtcMs, from_datetime
from gateway.errors import Text
from gateway.signals import SIGNALS, find
from gateway.store.read import MAX_POINTS
from web.problems import Problem

STEP_S = {"raw": 0, "1m": 60, "30m": 1800, "1h": 3600, "1d": 23 * 3600, "1mo": 28 * 86_400}
"""The steps from fine to coarse, with the shortest time one can last, in seconds."""

DAY_S = 86_400
LONGEST_RAW_S = DAY_S + 3600  # the long day of October is one day too

_DATE_MEND = Text(
    "Écrivez une date comme 2025-06-21, ou un instant comme 2025-06-21T10:00:00Z.",
    "Write a date such as 2025-06-21, or a moment such as 2025-06-21T10:00:00Z.",
)
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(9998, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time and its step. `end` is excluded."""

    start: UtcMs
    end: UtcMs
    step: str


def signal_name(raw: str | None) -> str:
    """Return the name of a signal that exists; raise Problem."""
    if raw and find(raw):
        return raw
    near = difflib.get_close_matches((raw or "")[:60], SIGNALS, n=1)
    example = near[0] if near else "pv.power"
    raise Problem(
        "bad-parameter",
        Text("« signal » doit nommer un signal mesuré.", "“signal” must name a signal that is measured.")
        if raw
        else Text("« signal » manque.", "“signal” is missing."),
        Text(f"Essayez signal={example}.", f"Try signal={example}."),
        parameter="signal",
    )


def span(
    start: str | None,
    end: str | None,
    step: str | None,
    *,
    steps: Sequence[str],
    usual: str,
    zone: str,
    clock: Clock,
    counted: bool = True,
) -> Span:
    """Return the stretch asked for: the last 24 hours by default. Dates are local days; raise Problem."""
    if step is None or step == "":
        step = usual
    if step not in steps:
        known = ", ".join(steps)
        raise Problem(
            "bad-parameter",
            Text("« step » n’est pas un pas connu.", "“step” is not a known step."),
            Text(f"Choisissez parmi {known}.", f"Choose one of {known}."),
            parameter="step",
        )
    last = _moment("to", end, zone) if end else clock.now()
    first = _moment("from", start, zone) if start else UtcMs(last - DAY_S * 1000)
    if first >= last:
        raise Problem(
            "bad-parameter",
            Text("« from » doit venir avant « to ».", "“from” must come before “to”."),
            Text("Échangez les deux, ou avancez « from ».", "Swap the two, or make “from” earlier."),
            parameter="from",
        )
    length_s = (last - first) / 1000
    if counted and not _fits(length_s, step):
        raise _too_long(length_s, step)
    return Span(first, last, step)


def _fits(length_s: float, step: str) -> bool:
    return length_s <= LONGEST_RAW_S if step == "raw" else length_s // STEP_S[step] <= MAX_POINTS


def _too_long(length_s: float, step: str) -> Problem:
    names = list(STEP_S)
    coarser = next((one for one in names[names.index(step) + 1 :] if _fits(length_s, one)), None)
    return Problem(
        "bad-parameter",
        Text("Cette durée est trop longue pour ce pas.", "This is too long for such a step."),
        Text(f"Essayez step={coarser}, ou une durée plus courte.", f"Try step={coarser}, or a shorter time.")
        if coarser
        else Text("Demandez une durée plus courte.", "Ask for a shorter time."),
        parameter="step",
    )


def _moment(name: str, raw: str, zone: str) -> UtcMs:
    try:
        moment = _parsed(raw, ZoneInfo(zone))
    except (ValueError, OverflowError):
        moment = None
    if moment is None or not _EARLIEST <= moment <= _LATEST:
        raise Problem(
            "bad-parameter",
            Text(f"« {name} » n’est pas une date lisible.", f"“{name}” is not a readable date."),
            _DATE_MEND,
            parameter=name,
        )
    return from_datetime(moment)


def _parsed(raw: str, zone: ZoneInfo) -> datetime:
    text = raw.strip()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        # a plus sign left bare in an address arrives as a blank
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return datetime.combine(day, time(), zone)
