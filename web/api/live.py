"""The present: once (`live`), or as it changes (`stream`, server-sent events)."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request

from gateway.errors import Text
from web.api import PREFIX
from web.auth import guard
from web.live import LiveFeed
from web.problems import Problem
from web.settings import SESSION_COOKIE, STREAMS, box

live_api = Blueprint("live", __name__, url_prefix=PREFIX)

HEARTBEAT_S = 15.0
RETRY_MS = 3000  # how long a browser waits before it opens a cut stream again
RETRY_AFTER_S = 10  # how often a page without a stream asks `live` instead
_STUCK_S = 20.0  # a browser that takes nothing for so long has gone: its place is given back

_FULL_MEND = Text(
    "Cette page se met à jour toutes les 10 secondes en attendant une place.",
    "This page refreshes every 10 seconds until there is room.",
)


class Places:
    """The streams that may be open at once: each holds a thread, and pages need some too."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    def take(self) -> Callable[[], None] | None:
        """Take a place and return how to give it back (any number of times), or None when all are taken."""
        if not self._free.acquire(blocking=False):
            return None
        taken = threading.Lock()

        def give_back() -> None:
            if taken.acquire(blocking=False):
                self._free.release()

        return give_back


def register(app: Flask) -> None:
    """Add the blueprint, with the places of this application."""
    app.extensions["foyer-places"] = Places(STREAMS)
    app.register_blueprint(live_api)


@live_api.get("/live")
def live() -> Response:
    """Return every signal as it is now."""
    snapshot = box().feed.snapshot()
    return jsonify(at=snapshot.at, signals=snapshot.signals)


@live_api.get("/stream")
def stream() -> Response:
    """Send a snapshot, then what changes, until the browser leaves, is signed out, or the box stops."""
    give_back = current_places().take()
    if give_back is None:
        raise Problem("too-many-streams", mend=_FULL_MEND, retry_after=RETRY_AFTER_S)
    connection = request.environ.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        connection.settimeout(_STUCK_S)
    response = Response(_events(box().feed, _still_allowed()), mimetype="text/event-stream")
    # not in the generator's own `finally`: one that is closed before its first step never runs it
    response.call_on_close(give_back)
    response.headers["X-Accel-Buffering"] = "no"
    return response


def current_places() -> Places:
    """Return the places of the application that serves this request."""
    places = current_app.extensions["foyer-places"]
    assert isinstance(places, Places)
    return places


def _still_allowed() -> Callable[[], bool]:
    accounts = box().accounts
    if g.get("by_key"):
        key = guard.bearer()
        return lambda: accounts.key(key) is not None
    token = request.cookies.get(SESSION_COOKIE, "")
    return lambda: accounts.session(token) is not None


def _events(feed: LiveFeed, allowed: Callable[[], bool]) -> Iterator[str]:
    first = feed.snapshot()
    yield f"retry: {RETRY_MS}\n\n"
    yield _event("snapshot", {"at": first.at, "signals": first.signals})
    yield _event("health", first.health)
    version = first.version
    while not feed.closing:
        newest = feed.wait_for_change(version, HEARTBEAT_S)
        if newest == version:
            if feed.closing or not allowed():
                return
            yield ": still here\n\n"
            continue
        changes = feed.changes(version)
        version = changes.version
        if changes.signals:
            yield _event("frame", {"at": changes.at, "signals": changes.signals})
        if changes.health is not None:
            yield _event("health", changes.health)


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"
