"""The live feed as the web process sees it: it follows the gateway's socket, and knows how old each value is.

The gateway writes newline-delimited JSON (`snapshot`, `frame`, `health`, `tick`). One background thread reads it and
keeps the latest value per signal with a version number. A browser's stream only remembers the last version it sent:
a slow one skips values instead of growing a queue.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

from gateway.clock import Clock, to_iso
from gateway.errors import Text
from gateway.reading import Quality, Value
from gateway.signals import find

logger = logging.getLogger(__name__)

SILENCE_S = 16.0  # the gateway ticks each 5 s: three missed ticks are a lost gateway
LINE_BYTES = 1 << 20  # a snapshot of a large home is about 20 kB
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0  # the socket is on this machine: trying costs nothing
PERIODS = 3  # a value older than this many periods is stale
USUAL_PERIOD_S = 5.0  # for a signal this version does not know

_LOST = Text(
    "La page ne reçoit plus rien de la passerelle : les valeurs affichées vieillissent.",
    "The page receives nothing from the gateway: the values shown are getting old.",
)
_LOST_MEND = Text(
    "La liaison reprend d’elle-même. Si cela dure plus de cinq minutes, redémarrez le boîtier.",
    "The link comes back by itself. If this lasts more than five minutes, restart the box.",
)


class FeedError(ValueError):
    """The gateway wrote something else than the protocol of the live feed."""


class Sig(TypedDict):
    """One signal as the HTTP contract shows it; `age_s` is in seconds, `at` ISO 8601 UTC, an unknown value None."""

    value: Value | None
    unit: str
    at: str | None
    age_s: float | None
    quality: str
    source: str


Health = dict[str, Any]
"""`{"state": "ok|info|warning|problem", "checks": [...]}` as the gateway words it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything known at one moment. `home` is empty until the gateway has spoken once; `at` is ISO 8601 UTC."""

    signals: dict[str, Sig]
    health: Health
    home: dict[str, Any]
    connected: bool
    at: str
    version: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a version. `health` is None when it did not change."""

    signals: dict[str, Sig]
    health: Health | None
    at: str
    version: int


@dataclass(frozen=True, slots=True)
class _Entry:
    sig: Sig
    seen: float  # monotonic moment when the gateway said `age_s`
    version: int
    stale: bool = False  # streams have been told that it is
    gone: bool = False  # a new gateway does not know it any more


class LiveFeed:
    """Follows `path` in a background thread from `start()` to `close()`; every other method may be called anywhere."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._changed = threading.Condition(threading.RLock())
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._link: socket.socket | None = None
        self._entries: dict[str, _Entry] = {}
        self._health: Health = {"state": "ok", "checks": []}
        self._health_version = 0
        self._home: dict[str, Any] = {}
        self._connected = False
        self._said_lost = False
        self._since = to_iso(clock.now())
        self._version = 0

    @property
    def closing(self) -> bool:
        """Tell whether the process is stopping: streams end by themselves."""
        return self._closing.is_set()

    def start(self) -> None:
        """Begin to follow the gateway; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._follow, name="live-feed", daemon=True)
            self._thread.start()

    def stop_streams(self) -> None:
        """Wake every waiting stream and tell it to end. Safe in a signal handler."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Stop following and end the thread."""
        self.stop_streams()
        link = self._link
        if link is not None:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                logger.debug("the live link was already closed")
        if self._thread is not None:
            self._thread.join()

    def snapshot(self) -> Snapshot:
        """Return everything known, with ages brought up to now."""
        with self._changed:
            now = self._clock.monotonic()
            signals = {name: _shown(name, entry, now) for name, entry in self._entries.items() if not entry.gone}
            return Snapshot(
                signals,
                self._known_health(),
                dict(self._home),
                self._connected,
                to_iso(self._clock.now()),
                self._version,
            )

    def changes(self, since: int) -> Changes:
        """Return what changed after version `since`; a signal that no longer exists is there with a value of None."""
        with self._changed:
            now = self._clock.monotonic()
            signals = {name: _shown(name, entry, now) for name, entry in self._entries.items() if entry.version > since}
            health = self._known_health() if self._health_version > since else None
            return Changes(signals, health, to_iso(self._clock.now()), self._version)

    def wait_for_change(self, since: int, timeout: float) -> int:
        """Wait until something is newer than version `since`, at most `timeout` seconds; return the present version."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > since or self.closing, timeout)
            return self._version

    # -- the thread

    def _follow(self) -> None:
        wait = FIRST_WAIT_S
        while not self.closing:
            try:
                for message in self._messages():
                    self._take(message)
                    wait = FIRST_WAIT_S
            except (OSError, ValueError) as error:
                self._lose(str(error))
            else:
                self._lose("closed by the gateway")
            self._closing.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT_S)

    def _messages(self) -> Iterator[Mapping[str, Any]]:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(SILENCE_S)
            link.connect(str(self._path))
            self._link = link
            with link.makefile("rb") as lines:
                while not self.closing and (line := lines.readline(LINE_BYTES)):
                    if not line.endswith(b"\n"):
                        raise FeedError("a line of the live feed is too long or cut")
                    message = json.loads(line)
                    if not isinstance(message, dict):
                        raise FeedError("a line of the live feed is not an object")
                    yield message
            self._link = None

    def _take(self, message: Mapping[str, Any]) -> None:
        kind = message.get("type")
        with self._changed:
            version = self._version + 1
            if kind == "snapshot":
                self._replace_all(message, version)
            elif kind == "frame":
                self._merge(_signals(message), version)
            elif kind == "health":
                self._health, self._health_version = _health(message), version
            self._mark_stale(version)
            self._publish(version)

    def _replace_all(self, message: Mapping[str, Any], version: int) -> None:
        signals, health, home = _signals(message), _health(message), message.get("home")
        if not isinstance(home, dict):
            raise FeedError("a snapshot without its home")
        for name, entry in self._entries.items():
            if name not in signals and not entry.gone:
                self._entries[name] = replace(entry, version=version, gone=True)
        self._merge(signals, version)
        self._health, self._health_version, self._home = health, version, home
        if self._said_lost:
            logger.info("event=gateway-back")
        self._connected, self._said_lost = True, False

    def _merge(self, signals: Mapping[str, Sig], version: int) -> None:
        now = self._clock.monotonic()
        for name, sig in signals.items():
            self._entries[name] = _Entry(sig, now, version)

    def _lose(self, why: str) -> None:
        with self._changed:
            version = self._version + 1
            if self._connected:
                self._connected = False
                self._since = to_iso(self._clock.now())
                self._health_version = version
            if not self._said_lost and not self.closing:
                logger.warning("event=gateway-lost why=%r", why)
                self._said_lost = True
            self._mark_stale(version)
            self._publish(version)

    def _mark_stale(self, version: int) -> None:
        """Give a new version to each value that has just become stale, so that streams say so without being asked."""
        now = self._clock.monotonic()
        for name, entry in self._entries.items():
            if not entry.stale and _is_stale(name, entry, now):
                self._entries[name] = replace(entry, version=version, stale=True)

    def _publish(self, version: int) -> None:
        newest = max((entry.version for entry in self._entries.values()), default=0)
        if max(newest, self._health_version) == version:
            self._version = version
            self._changed.notify_all()

    def _known_health(self) -> Health:
        if self._connected:
            return self._health
        lost = {
            "id": "gateway",
            "state": "problem",
            "code": "gateway-lost",
            "text": _LOST.as_json(),
            "mend": _LOST_MEND.as_json(),
            "since": self._since,
            "details": {},
        }
        return {"state": "problem", "checks": [lost, *self._health["checks"]]}


def _age(entry: _Entry, now: float) -> float | None:
    age = entry.sig["age_s"]
    return None if age is None else age + max(0.0, now - entry.seen)


def _is_stale(name: str, entry: _Entry, now: float) -> bool:
    signal = find(name)
    period = signal.period_s if signal else USUAL_PERIOD_S
    age = _age(entry, now)
    return age is not None and age > PERIODS * period


def _shown(name: str, entry: _Entry, now: float) -> Sig:
    sig, age = entry.sig.copy(), _age(entry, now)
    sig["age_s"] = None if age is None else round(age, 1)
    if entry.gone:
        sig["value"] = None
    if entry.gone or _is_stale(name, entry, now):
        sig["quality"] = Quality.STALE.value
    return sig


def _signals(message: Mapping[str, Any]) -> dict[str, Sig]:
    raw = message.get("signals")
    if not isinstance(raw, dict):
        raise FeedError("a message without its signals")
    return {name: _sig(name, one) for name, one in raw.items()}


def _sig(name: str, raw: Any) -> Sig:
    if not isinstance(raw, dict) or raw.keys() != Sig.__annotations__.keys():
        raise FeedError(f"signal {name!r} has other keys than {', '.join(Sig.__annotations__)}")
    age = raw["age_s"]
    if age is not None and (isinstance(age, bool) or not isinstance(age, int | float)):
        raise FeedError(f"signal {name!r} has no usable age")
    return Sig(
        value=raw["value"],
        unit=str(raw["unit"]),
        at=raw["at"],
        age_s=age,
        quality=str(raw["quality"]),
        source=str(raw["source"]),
    )


def _health(message: Mapping[str, Any]) -> Health:
    health = message.get("health")
    if not isinstance(health, dict) or not isinstance(health.get("checks"), list) or "state" not in health:
        raise FeedError("a message without its health")
    return health
