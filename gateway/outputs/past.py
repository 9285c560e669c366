"""A history made whole: what the box no longer keeps is asked of the gateway, which reads it back from InfluxDB.

The web process has no network of its own, so the way is the command socket. Whatever fails on it, the history is the
one the box has.
"""

from __future__ import annotations

import json
import logging
import socket
from dataclasses import replace
from pathlib import Path

from gateway.clock import Clock, UtcMs
from gateway.config import Config
from gateway.reading import Quality
from gateway.signals import Kind, find
from gateway.store.read import History, Point, Reader

log = logging.getLogger(__name__)

_STEPS = ("raw", "1m")
_DAY_MS, _HOUR_MS, _MINUTE_MS = 86_400_000, 3_600_000, 60_000
_ANSWER_S = 6.0
_UNTRUSTED = (Quality.STALE, Quality.ESTIMATED)


def complete(
    found: History, start: int, end: int, config: Config, reader: Reader, clock: Clock, patience_s: float = 8.0
) -> History:
    """Return `found`, the box's own history of [start, end), with what came before its first value put in front.

    As it is when InfluxDB is not configured, for other steps than raw and 1m, for states, and when nothing answers
    within `patience_s`.
    """
    known = find(found.signal)
    if config.store.kind != "influxdb" or found.step not in _STEPS or known is None or known.kind is Kind.STATE:
        return found
    until = next((at for at, value, _ in found.points if value is not None), min(end, clock.now() + 1))
    if until - start < _MINUTE_MS:
        return found
    try:
        points = ask(config.command_socket, found.signal, start, until, found.step, clock, patience_s)
    except (OSError, ValueError, KeyError) as error:
        log.info("past.unavailable error=%r", error)
        return found
    if not points:
        return found
    points = _as_the_box_knows(points, found.signal, reader, start, until)
    if found.step == "raw":
        return replace(found, points=points + found.points)
    by_time = {point[0]: point for point in points}
    return replace(
        found, points=[by_time.get(point[0], point) if point[1] is None else point for point in found.points]
    )


def ask(path: Path, signal: str, start: int, end: int, step: str, clock: Clock, patience_s: float) -> list[Point]:
    """Return the points of [start, end) that the gateway reads back, oldest first.

    Raises OSError when it is not there or takes too long, ValueError when it answers with an error.
    """
    limit = clock.monotonic() + patience_s
    points: list[Point] = []
    # the newest days first: they are the ones looked at when patience ends
    for last in range(end, start, -_DAY_MS):
        points = _ask_once(path, signal, max(start, last - _DAY_MS), last, step, clock, limit) + points
    return points


def _ask_once(path: Path, signal: str, start: int, end: int, step: str, clock: Clock, limit: float) -> list[Point]:
    request = {"command": "history", "signal": signal, "from": start, "to": end, "step": step}
    points: list[Point] = []
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_ANSWER_S)
        line.connect(str(path))
        line.sendall(json.dumps(request).encode() + b"\n")
        with line.makefile("rb") as answer:
            for piece in answer:
                if clock.monotonic() > limit:
                    raise TimeoutError("the past takes too long")
                message = json.loads(piece)
                if "end" in message:
                    return points
                if error := message.get("error"):
                    raise ValueError(error["en"])
                points += [(UtcMs(at), value, Quality(quality)) for at, value, quality in message["points"]]
    raise ConnectionError("the gateway stopped in the middle of an answer")


def _as_the_box_knows(points: list[Point], signal: str, reader: Reader, start: int, end: int) -> list[Point]:
    """Mark each point measured or derived as the box remembers it of that hour, for ever."""
    hours = {
        at: quality
        for at, value, quality in reader.history(signal, UtcMs(start), UtcMs(end), "1h", limit=None).points
        if value is not None and quality not in _UNTRUSTED
    }
    return [
        (at, value, quality if quality in _UNTRUSTED else hours.get(UtcMs(at - at % _HOUR_MS), quality))
        for at, value, quality in points
    ]
