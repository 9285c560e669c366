"""The writer's work without its thread: takes batches, commits, closes hours, keeps going when the disk fails."""

from __future__ import annotations

import logging
import os
import sqlite3
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from gateway.bus import Batch
from gateway.clock import Clock, UtcMs
from gateway.config import Store
from gateway.store import undated
from gateway.store.catalog import Catalog
from gateway.store.dating import BEFORE_FOYER, Dating
from gateway.store.faults import Fault, diagnose
from gateway.store.fold import fold
from gateway.store.frames import Frame, Gatherer
from gateway.store.pending import Pending
from gateway.store.resume import read_standing
from gateway.store.rollup import close_hours, retain
from gateway.store.schema import DAY_MS, open_for_writing, stamp, transaction
from gateway.store.trust import Trust

log = logging.getLogger(__name__)

_HOURS_AT_ONCE = 24  # then rows are committed again: a catch-up of a month must not hold up the present
_RETAIN_AFTER_S = 3600.0
"""A calendar that leapt must have been right for this long before anything is deleted by it."""

_RETAIN_EVERY_S = 86_400.0
_RETRY_S = 30.0
_TICK_S = 1.0
"""`tick` comes about so often: a commit is begun this much early, so that none comes late."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault and since when."""

    fault: Fault
    since: UtcMs


class Recorder:
    """Owns the one writing connection. Not thread-safe: one thread calls everything but the plain attributes."""

    def __init__(self, path: Path, clock: Clock, settings: Store, trust: Trust | None = None) -> None:
        self.trouble: Trouble | None = None
        self.last_commit: UtcMs | None = None
        self.damaged: Path | None = next(iter(sorted(path.parent.glob(f"{path.name}.damaged-*"))), None)
        self.demo = False
        self._path = path
        self._clock = clock
        self._settings = settings
        self._catalog = Catalog()
        self._gatherer = Gatherer()
        self._trust = trust or Trust(clock)
        self._waiting: list[tuple[UtcMs, Frame]] = []
        self._undated = 0
        self._dating = Dating()
        self._pending = Pending(self._catalog)
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._resumed = False
        self._commit_at = clock.monotonic() + settings.commit_s
        self._retain_at = clock.monotonic() + _RETAIN_AFTER_S
        self._newest = 0
        self._committed = 0

    @property
    def pending_rows(self) -> int:
        """How many rows wait for the next commit, or for the calendar to be set."""
        return len(self._pending.rows) + len(self._waiting) + self._dating.waiting + self._undated

    @property
    def dropped_rows(self) -> int:
        """How many rows were given up because the disk failed for too long or their time could not be believed."""
        return self._pending.counts.dropped_rows + self._dating.dropped

    @property
    def glitches(self) -> int:
        """How many counter values were wrong and left out."""
        return self._pending.counts.glitches

    def open(self) -> None:
        """Open the file. Raises Misconfigured for a newer one; any other fault is remembered and tried again."""
        try:
            self._open()
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    def take(self, seen: float, batch: Batch) -> None:
        """Take a batch that came at `seen` (monotonic seconds)."""
        self._trust.look()
        self._keep(self._gatherer.add(seen, batch))

    def remember(self, name: str, value: str) -> None:
        """Keep a word with the next commit."""
        self._pending.memory[name] = value

    def tick(self) -> None:
        """Do what is due: commit, close hours, delete what is past its time. Call it about once a second."""
        now = self._clock.monotonic()
        self._trust.look()
        self._keep(self._gatherer.expire(now))
        if now >= self._commit_at:
            self._commit_at = now + (
                max(self._settings.commit_s - _TICK_S, _TICK_S)
                if self._work()
                else min(self._settings.commit_s, _RETRY_S)
            )

    def hurry(self) -> None:
        """Commit at the next tick, the rounds under way as well: the power may be about to go."""
        self._keep(self._gatherer.close_all())
        self._commit_at = self._clock.monotonic()

    def close(self) -> None:
        """Commit what waits and leave a file that needs no other one beside it."""
        self._keep(self._gatherer.close_all())
        self._work()
        if self._connection is not None:
            try:
                self._save_undated(self._connection, inf)
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                self._fail(error)
            self._disconnect()

    def _keep(self, frames: list[Frame]) -> None:
        now = self._clock.now()
        self._waiting += [(now, frame) for frame in frames]

    def _date(self, connection: sqlite3.Connection | None) -> None:
        """Give what came since the last commit its time: until here a step of the calendar can be made good."""
        shift = self._trust.shift_ms
        waiting, self._waiting = self._waiting, []
        for now, frame in waiting:
            correction = self._trust.stepped_since(frame.seen) + (shift or 0)
            dated = replace(frame, at=frame.at + correction)
            admitted = self._dating.admit(dated, now + correction, is_trusted=shift is not None)
            if admitted and self._undated and connection is not None:
                admitted = self._find_undated(connection, dated) + admitted
            for ts, one in admitted:
                if self._newest and ts - self._newest > DAY_MS:
                    self._retain_at = max(self._retain_at, self._clock.monotonic() + _RETAIN_AFTER_S)
                self._newest = ts
                self._pending.add(ts, one)

    def _find_undated(self, connection: sqlite3.Connection, known: Frame) -> list[tuple[int, Frame]]:
        found, lost = undated.date(connection, self._trust.boot, known, self._committed, BEFORE_FOYER)
        self._dating.dropped += lost
        self._undated, self._pending.dated = 0, True
        return found

    def _save_undated(self, connection: sqlite3.Connection, seen: float) -> None:
        if frames := self._dating.overdue(seen):
            with transaction(connection):
                undated.save(connection, self._trust.boot, frames)
            self._dating.forget(len(frames))
            self._undated = undated.count(connection)

    def _work(self) -> bool:
        """Commit, and look after the file. Returns whether the disk let us."""
        try:
            connection = self._connected()
            self._date(connection)
            if not self._pending.is_empty:
                with transaction(connection):
                    self._pending.write(connection)
                self._pending.clear()
            self._committed = self._dating.newest
            self._save_undated(connection, self._clock.monotonic())
            self.last_commit = self._clock.now()
            while close_hours(connection, self._catalog, self._clock.now(), at_most=_HOURS_AT_ONCE):
                if self._clock.monotonic() >= self._commit_at + self._settings.commit_s:
                    break
            self._retain(connection)
        except (sqlite3.Error, OSError) as error:
            self._date(None)
            self._fail(error)
            return False
        if self.trouble is not None:
            log.warning("store.recovered code=%s dropped_rows=%d", self.trouble.fault.code, self.dropped_rows)
            self.trouble = None
        return True

    def _retain(self, connection: sqlite3.Connection) -> None:
        if self._clock.monotonic() >= self._retain_at:
            settings = self._settings
            retain(connection, self._catalog, self._clock.now(), settings.raw_days, settings.minute_days)
            self._retain_at = self._clock.monotonic() + _RETAIN_EVERY_S

    def _connected(self) -> sqlite3.Connection:
        """Return the connection, to a new file when the one we had was moved or deleted under us."""
        if self._connection is not None and self._inode != _inode(self._path):
            self._disconnect()
            self._pending.rewrite(self._clock.now())
        if self._connection is None:
            self._open()
        assert self._connection is not None
        return self._connection

    def _open(self) -> None:
        connection = open_for_writing(self._path, self._clock)
        try:
            self._catalog.load(connection)
            with transaction(connection):
                fold(connection, self._catalog)
            if not self._resumed:
                self._resume(connection)
            self._undated = undated.count(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._inode = _inode(self._path)

    def _resume(self, connection: sqlite3.Connection) -> None:
        standing = read_standing(connection, self._catalog)
        self.demo = standing.demo
        self._dating = Dating(standing.newest)
        self._committed = standing.newest or 0
        states = standing.states
        if standing.newest is not None:
            # nobody watched since then: what a state was in between is not known
            known = [series for series, value in states.items() if value is not None]
            self._pending.changes.extend((series, standing.newest + 1, None) for series in known)
            states = dict.fromkeys(states)
        self._pending.resume(states, standing.qualities, standing.counters, standing.sources)
        self._resumed = True

    def _fail(self, error: sqlite3.Error | OSError) -> None:
        fault = diagnose(error)
        self._disconnect()
        if self.trouble is None or self.trouble.fault.code != fault.code:
            log.error("store.failed code=%s error=%r", fault.code, error)
            since = self.trouble.since if self.trouble else self._clock.now()
            self.trouble = Trouble(fault, since)
        if fault.damaged:
            self._set_aside()

    def _set_aside(self) -> None:
        """Move a damaged file out of the way, with its WAL: a repair may still want them. A new one is made next."""
        target = self._path.with_name(f"{self._path.name}.damaged-{stamp(self._clock)}")
        try:
            for suffix in ("", "-wal", "-shm"):
                file = self._path.with_name(self._path.name + suffix)
                if file.exists():
                    file.rename(target.with_name(target.name + suffix))
        except OSError as error:
            log.exception("store.not-set-aside error=%r", error)  # noqa: TRY401 - the key=value line is what is searched
            return
        self.damaged = target
        self._pending.rewrite(self._clock.now())
        self._commit_at = self._clock.monotonic()

    def _disconnect(self) -> None:
        if self._connection is not None:
            try:
                self._connection.close()
            except sqlite3.Error as error:
                log.warning("store.close error=%r", error)
            self._connection = None


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - one call, no exception chain of Path to explain
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
