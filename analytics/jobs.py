"""The jobs process: run what is due, note what came of it, and end. A timer starts it every quarter of an hour.

What it knows of each job is `<state>/jobs.json`, which the gateway and the page may read:
`{"store-check": {"at": ISO, "ok": bool, "detail": str, "next": ISO}}`. A job that has never run is not in it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from analytics.store_check import quick_check
from gateway.clock import Clock, UtcMs, from_datetime, system_clock, to_iso
from gateway.config import Config

log = logging.getLogger("foyer.jobs")

_HOUR_S = 3600
_DAY_S = 24 * _HOUR_S


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do from time to time. `run` returns whether it went well and a word about it, or None when there
    was nothing to do it on yet: that is not noted, and tried again in the next round. It may raise.
    """

    id: str
    every_s: int
    retry_s: int
    """How long after a failure it is tried again."""
    run: Callable[[Config], tuple[bool, str] | None]


def _nightly_backup(config: Config) -> tuple[bool, str] | None:
    # its encryption is not loaded before it is needed
    if config.backup is None:
        return None
    made: tuple[bool, str] | None = import_module("analytics.nightly_backup").nightly_backup(config)
    return made


def _solar(module: str, config: Config) -> tuple[bool, str] | None:
    """Run a job of the sun, unless there are no panels or the box was installed without pvlib."""
    if not config.solar_array or find_spec("pvlib") is None:
        return None
    outcome: tuple[bool, str] | None = import_module(module).run(config, system_clock())
    return outcome


JOBS: tuple[Job, ...] = (
    Job("store-check", 7 * _DAY_S, _DAY_S, lambda config: quick_check(config.measure_db)),
    # asked each hour: it knows its night, and a stick may come back in the morning
    Job("backup", _HOUR_S, _HOUR_S, _nightly_backup),
    Job("solar-expected", _HOUR_S, _HOUR_S, lambda config: _solar("analytics.forecast", config)),
    Job("solar-health", 7 * _DAY_S, _DAY_S, lambda config: _solar("analytics.solar_health", config)),
)

Notes = dict[str, dict[str, Any]]


def is_due(job: Job, note: Mapping[str, Any] | None, now: UtcMs) -> bool:
    """Tell whether a job should run now. A next time further away than one period was noted by a wrong clock."""
    if note is None:
        return True
    try:
        wait_ms = from_datetime(datetime.fromisoformat(note["next"])) - now
    except (KeyError, TypeError, ValueError):
        return True
    return not 0 < wait_ms <= job.every_s * 1000


def run_due(jobs: Iterable[Job], config: Config, clock: Clock, notes: Notes) -> bool:
    """Run the jobs that are due, whatever becomes of the others; note them in `notes` and tell if all went well."""
    all_well = True
    for job in jobs:
        now = clock.now()
        if not is_due(job, notes.get(job.id), now):
            continue
        try:
            outcome = job.run(config)
        except Exception as error:
            log.exception("job failed id=%s", job.id)
            outcome = False, f"{type(error).__name__}: {error}"
        if outcome is None:
            continue
        ok, detail = outcome
        wait_s = job.every_s if ok else job.retry_s
        notes[job.id] = {
            "at": to_iso(now),
            "ok": ok,
            "detail": detail,
            "next": to_iso(clock.now() + wait_s * 1000),
        }
        log.log(logging.INFO if ok else logging.ERROR, "job done id=%s ok=%s", job.id, ok)
        all_well = all_well and ok
    return all_well


def read_notes(path: Path) -> Notes:
    """Return what was noted; nothing when there is no file or not a readable one: the jobs then simply run."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {key: note for key, note in found.items() if isinstance(note, dict)} if isinstance(found, dict) else {}


def write_notes(path: Path, notes: Notes) -> None:
    """Replace the file in one step, so that a reader or a power cut never meets half of it."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(notes, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def main(config: Config, clock: Clock | None = None, jobs: Iterable[Job] = JOBS) -> int:
    """Run one round; return 0, or 1 when a job failed in it."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    config.state.mkdir(parents=True, exist_ok=True)
    path = config.state / "jobs.json"
    notes = read_notes(path)
    before = dict(notes)
    all_well = run_due(jobs, config, clock or system_clock(), notes)
    if notes != before:
        write_notes(path, notes)
    return 0 if all_well else 1
