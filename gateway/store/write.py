"""The write side of the store: one thread, one connection; whoever publishes never waits for the disk."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.bus import Batch
from gateway.clock import Clock, UtcMs, to_iso
from gateway.config import Store
from gateway.errors import Text
from gateway.store.recorder import Recorder, Trouble
from gateway.store.trust import Trust
from gateway.store.undervoltage import Undervoltage

_TICK_S = 1.0
_QUEUE = 20_000
"""Batches that may wait while one commit hangs: ten minutes and more of a busy home."""


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How the store is doing, for the health page. Counts are since the start; `file_bytes` includes the WAL."""

    state: Literal["ok", "problem"]
    code: str
    text: Text
    mend: Text | None
    since: UtcMs | None
    last_commit: UtcMs | None
    pending_rows: int
    dropped_rows: int
    glitches: int
    file_bytes: int
    demo: bool


class Writer:
    """Records what is published. `put` may be called from any thread and returns at once.

    `trust` judges the calendar (`trust.Trust(clock, is_calendar_set)` on a real box); without it, it is believed.
    `alarm` is the file in which the machine says that its supply sags (`undervoltage.find_alarm()`).
    """

    def __init__(
        self, path: Path, clock: Clock, settings: Store, trust: Trust | None = None, alarm: Path | None = None
    ) -> None:
        self._path = path
        self._clock = clock
        self._trust = trust or Trust(clock)
        self._recorder = Recorder(path, clock, settings, self._trust)
        self._supply = Undervoltage(alarm, clock.monotonic)
        self._queue: deque[tuple[float, Batch]] = deque()
        self._words: deque[tuple[str, str]] = deque()
        self._lost = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="foyer-store", daemon=True)

    def start(self) -> None:
        """Open the file and start the thread. Raises Misconfigured when the file is of a newer version."""
        self._recorder.open()
        self._thread.start()

    def put(self, batch: Batch) -> None:
        """Hand over a batch; when the disk hangs for long the oldest waiting ones are given up, and counted."""
        if len(self._queue) >= _QUEUE:
            self._queue.popleft()
            self._lost += 1
        self._queue.append((self._clock.monotonic(), batch))

    def meter_clock(self, offset_s: float) -> None:
        """Take the meter's time minus the calendar, in seconds, each time it is known. From any thread."""
        self._trust.meter(offset_s)

    def remember(self, name: str, value: str) -> None:
        """Keep a small word under `name` with the next commit (`Arrivals.remembered` finds it). From any thread."""
        self._words.append((name, value))

    def stop(self) -> None:
        """Commit everything, close the file, and return when that is done."""
        if self._thread.ident is None:
            return
        self._stopping.set()
        self._thread.join()

    def status(self) -> StoreStatus:
        """Return how the store is doing now. Callable from any thread."""
        recorder = self._recorder
        trouble, damaged = recorder.trouble, recorder.damaged
        state: Literal["ok", "problem"] = "ok"
        code, text, mend, since = "store.ok", _OK, None, None
        if trouble is not None:
            state, code, since = "problem", trouble.fault.code, trouble.since
            text, mend = _say(trouble, recorder.dropped_rows), trouble.fault.mend
        elif damaged is not None and damaged.exists():
            state, code = "problem", "store.replaced"
            text, mend = _REPLACED, _mend_replaced(damaged)
        if self._thread.ident is not None and not self._thread.is_alive() and not self._stopping.is_set():
            state, code, text, mend = "problem", "store.stopped", _STOPPED, _RESTART
        return StoreStatus(
            state,
            code,
            text,
            mend,
            since,
            recorder.last_commit,
            recorder.pending_rows,
            recorder.dropped_rows + self._lost,
            recorder.glitches,
            _size(self._path),
            recorder.demo,
        )

    def _run(self) -> None:
        while not self._stopping.wait(_TICK_S):
            self._drain()
            if self._supply.sags():
                self._recorder.hurry()
            self._recorder.tick()
        self._drain()
        self._recorder.close()

    def _drain(self) -> None:
        while self._queue:
            seen, batch = self._queue.popleft()
            self._recorder.take(seen, batch)
        while self._words:
            self._recorder.remember(*self._words.popleft())


_OK = Text("Les mesures sont enregistrées.", "Readings are being saved.")
_REPLACED = Text(
    "Le fichier des mesures était abîmé ; un fichier neuf a pris la suite, l’historique d’avant n’y est pas.",
    "The measurements file was damaged; a new one took over, without the earlier history.",
)
_STOPPED = Text(
    "L’enregistrement des mesures s’est arrêté sur une erreur du programme.",
    "Saving the readings stopped on an error of the program.",
)
_RESTART = Text("Redémarrez le boîtier.", "Restart the box.")


def _mend_replaced(damaged: Path) -> Text:
    return Text(
        f"Remettez une sauvegarde avec « foyer restore », puis effacez {damaged.name}.",
        f"Put back a backup with “foyer restore”, then delete {damaged.name}.",
    )


def _say(trouble: Trouble, dropped: int) -> Text:
    """Return what is not being kept, and since when."""
    since = to_iso(trouble.since)
    if not dropped:
        return Text(
            f"{trouble.fault.text.fr} Depuis {since}, elles attendent en mémoire.",
            f"{trouble.fault.text.en} Since {since} they wait in memory.",
        )
    return Text(
        f"{trouble.fault.text.fr} Cela dure depuis {since} ; les {dropped} plus anciennes en attente sont perdues.",
        f"{trouble.fault.text.en} This lasts since {since}; the {dropped} oldest ones waiting are lost.",
    )


def _size(path: Path) -> int:
    total = 0
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            total += file.stat().st_size
        except OSError:
            continue  # not there, or not for us to see: it counts for nothing
    return total
