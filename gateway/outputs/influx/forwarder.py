"""Sends every stored row to InfluxDB, in the order in which rows arrived, and remembers how far it got.

The store is the queue: nothing waits here but one batch. A batch is done with when the server said so; a kill in
between sends it again, which changes nothing over there.
"""

from __future__ import annotations

import json
import logging
import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from gateway.clock import Clock
from gateway.config import Config, Influxdb
from gateway.errors import FoyerError, Misconfigured
from gateway.health import Check
from gateway.outputs.influx.delivery import Delivery
from gateway.outputs.influx.faults import Away, NoDatabase, bare
from gateway.outputs.influx.health import Gap, Status, influx_check
from gateway.outputs.influx.lines import home_tag
from gateway.outputs.influx.minutes import summaries
from gateway.outputs.influx.quarantine import Quarantine
from gateway.outputs.influx.server import Connection
from gateway.store.arrivals import Arrival, Arrivals
from gateway.store.read import Reader

log = logging.getLogger(__name__)

BATCH = 1_000
POLL_S = 10.0
BREATH_S = 0.5
"""Between two full batches: a server that is sent months at once keeps them all in memory."""

FIRST_S, LONGEST_S = 1.0, 300.0
PAUSE_S = 60.0
"""Before asking again what only a person can mend."""

DAY_MS = 86_400_000
_HOLE_MS = 600_000
_JOIN_S = 5.0
_KEPT_GAPS = 20


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far we are: the last arrival dealt with, the newest time sent (UTC ms), and a gap to be sent as minutes."""

    seq: int = 0
    at: int = 0
    gap: tuple[int, int] | None = None

    def as_text(self) -> str:
        """Return the cursor as it is remembered."""
        return json.dumps({"seq": self.seq, "at": self.at, "gap": self.gap})

    @classmethod
    def from_text(cls, text: str | None) -> Self:
        """Return a remembered cursor; the beginning when there is none, or it is no cursor."""
        try:
            found = json.loads(text or "")
            gap = found["gap"]
            return cls(int(found["seq"]), int(found["at"]), (int(gap[0]), int(gap[1])) if gap else None)
        except (ValueError, KeyError, TypeError, IndexError):
            return cls()


class Forwarder:
    """One sink: its thread, its cursor, its back-off. `check` may be called from any thread."""

    def __init__(
        self,
        config: Config,
        settings: Influxdb,
        clock: Clock,
        remember: Callable[[str, str], None],
        connection: Connection | None = None,
    ) -> None:
        self.connection = connection or Connection(settings, config.file.parent)
        self.status = Status()
        self._config = config
        self._clock = clock
        self._remember = remember
        self._name = f"influxdb {settings.url} {settings.bucket or settings.database}"
        self._arrivals = Arrivals(config.measure_db, clock)
        self._delivery = Delivery(
            self.connection.write,
            home_tag(config.home.name),
            Quarantine(config.state / "influxdb-refused.jsonl", clock),
        )
        self._cursor: Cursor | None = None
        self._kept = False
        self._failures = 0
        self._types_until = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="foyer-influxdb", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a request that hangs is not waited for, its batch will be sent again."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    def check(self) -> Check:
        """Return the health check."""
        return influx_check(self.status, self._clock, self._config.store.raw_days)

    def step(self) -> float:
        """Send one batch at most, and return how long to rest (s). Raises nothing that a server or a disk can cause."""
        try:
            rows = self._waiting()
            self._open()
            more = self._send_gap() or self._send(rows)
        except Away as fault:
            return self._failed(fault, fault.after_s)
        except FoyerError as fault:
            return self._failed(fault, None)
        if self.status.fault is not None:
            log.info("influxdb.recovered")
        self._failures = 0
        self._tell(fault=None, since=None)
        return BREATH_S if more else POLL_S

    def close(self) -> None:
        """Let go of the file and the connections."""
        self._arrivals.close()
        self.connection.close()

    def _run(self) -> None:
        rest = 0.0
        while not self._stopping.wait(rest):
            try:
                rest = self.step()
            except Exception:  # the readings of the house go on, whatever is wrong here
                log.exception("influxdb.error")
                rest = PAUSE_S
        self.close()

    def _waiting(self) -> list[Arrival]:
        """Return the next rows to send, from where we are; a file that was replaced is followed from its beginning."""
        kept = self._arrivals.remembered(self._name)
        if self._cursor is None:
            self._cursor = Cursor.from_text(kept)
        elif (self._kept and kept is None) or self._arrivals.newest() < self._cursor.seq:
            log.warning("influxdb.restarted reason=new-file")
            self._cursor = Cursor()
        self._kept = kept is not None
        rows = self._arrivals.after(self._cursor.seq, BATCH)
        self._look_for_gap(rows)
        self._tell(waiting=len(rows), more=len(rows) == BATCH, oldest=rows[0].at if rows else None)
        return rows

    def _look_for_gap(self, rows: list[Arrival]) -> None:
        """Find out whether raw rows went before they could be sent: none of those we stopped at is left."""
        cursor = self._at()
        if rows and cursor.at and not cursor.gap and rows[0].at - cursor.at > _HOLE_MS:
            oldest = self._arrivals.oldest()
            if oldest is not None and oldest > cursor.seq:
                self._advance(replace(cursor, gap=(cursor.at + 1, rows[0].at)))

    def _open(self) -> None:
        if self._clock.monotonic() >= self._types_until:
            # a field may have got its type right meanwhile: a new shard takes any
            self._delivery.left_out.clear()
            self._types_until = self._clock.monotonic() + DAY_MS / 1000
        if self.connection.server is None:
            server = self.connection.open()
            log.info("influxdb.connected server=%s api=%s", server.name, server.api)
            self._tell(server=server)

    def _send(self, rows: list[Arrival]) -> bool:
        """Send rows; return whether more wait already."""
        server = self.connection.server
        assert server is not None
        cursor = self._at()
        if self.connection.created and cursor.seq:
            # the database we had filled is gone: what the box still has goes there again
            log.warning("influxdb.restarted reason=new-database")
            self._advance(Cursor())
            return True
        if not rows:
            return False
        self._delivery.send(rows, texts=server.holds_texts)
        self._settle_first_write()
        newest = max(row.at for row in rows)
        self._advance(replace(cursor, seq=rows[-1].seq, at=max(cursor.at, newest)))
        more = len(rows) == BATCH
        self._tell(waiting=0, more=more, oldest=newest if more else None)
        return more

    def _settle_first_write(self) -> None:
        """Have the machine write down a database that is new: InfluxDB 1.x never starts again after losing its head."""
        if self.connection.created:
            self.connection.created = False
            if self.connection.is_local:
                os.sync()

    def _send_gap(self) -> bool:
        """Send a day at most of what only minutes are left of; return whether there was such a day."""
        cursor, server = self._at(), self.connection.server
        if cursor.gap is None or (self.connection.created and cursor.seq):
            return False
        assert server is not None
        start, end = cursor.gap
        until = min(end, start - start % DAY_MS + DAY_MS)
        minutes_since = self._clock.now() - self._config.store.minute_days * DAY_MS
        with Reader(self._config.measure_db, self._clock) as reader:
            rows = summaries(reader, start, until, "1m" if start >= minutes_since else "30m")
        for place in range(0, len(rows), BATCH):
            self._delivery.send(rows[place : place + BATCH], texts=server.holds_texts)
        self._note_gap(start, until, len(rows))
        self._advance(replace(cursor, at=until, gap=(until, end) if until < end else None))
        return True

    def _note_gap(self, start: int, end: int, points: int) -> None:
        if not points:
            return
        gaps = list(self.status.gaps)
        if gaps and gaps[-1].end == start:
            last = gaps.pop()
            start, points = last.start, last.points + points
        self._tell(gaps=tuple([*gaps, Gap(start, end, points)][-_KEPT_GAPS:]))

    def _at(self) -> Cursor:
        assert self._cursor is not None
        return self._cursor

    def _advance(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._remember(self._name, cursor.as_text())

    def _failed(self, fault: FoyerError, after_s: float | None) -> float:
        """Note a fault and return how long to rest."""
        # who answers, and what it has, is asked anew: it may be another server by then
        self.connection.close()
        if type(self.status.fault) is not type(fault):
            log.warning("influxdb.failed fault=%s reason=%s", type(fault).__name__, fault.what.en)
        self._tell(fault=bare(fault), since=self.status.since or self._clock.now())
        self._failures += 1
        if isinstance(fault, Misconfigured) and not (isinstance(fault, NoDatabase) and self._failures == 1):
            return PAUSE_S
        rest = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures - 1, 20))
        rest = max(rest, min(after_s or 0.0, LONGEST_S))
        return rest * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret

    def _tell(self, **changes: object) -> None:
        delivery = self._delivery
        self.status = replace(
            self.status,
            sent=delivery.sent,
            refused=delivery.refused,
            beyond=delivery.beyond,
            left_out=dict(delivery.left_out),
            **changes,  # type: ignore[arg-type]  # fields of Status, by name
        )
