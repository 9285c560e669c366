"""The nightly backup: to the folder or stick that `[backup]` names, when it is there, keeping the last ones.

What it knows is `<state>/nightly_backup.json`: the night of the last one, or the one before the first that was missed.
"""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.archive.backup import make_backup
from gateway.archive.manifest import kept_files
from gateway.archive.phrase import from_file
from gateway.clock import Clock, system_clock, to_datetime
from gateway.config import Backup, Config
from gateway.errors import FoyerError, Text

NOTE = "nightly_backup.json"
MISSED_AT_MOST = 3

_NIGHT_STARTS = timedelta(hours=2, minutes=30)
_STICKS = tuple(Path(one) for one in ("/media", "/mnt", "/run/media"))
_NAME = "foyer-????-??-??.age"

Outcome = tuple[bool, str] | None


def nightly_backup(config: Config, clock: Clock | None = None) -> Outcome:
    """Make tonight's backup unless it is made. None: there is nothing to do.

    A stick that is not there is well for two nights; three nights without a backup are not.
    """
    settings = config.backup
    if settings is None:
        return None
    clock = clock or system_clock()
    tonight = night_of(clock, ZoneInfo(config.home.timezone))
    note = _read(config.state / NOTE)
    if note.get("last") == tonight.isoformat():
        return None
    speech = config.home.language
    folder = config.file.parent / settings.folder
    if not is_there(folder):
        last = _date(note.get("last"))
        since = last or _date(note.get("since")) or tonight - timedelta(days=1)
        missed = max((tonight - since).days, 1)
        if last is None:
            _write(config.state / NOTE, {"since": since.isoformat()})
        return missed < MISSED_AT_MOST, _not_there(folder, missed).pick(speech)
    try:
        said = _make(config, settings, folder, tonight, clock)
    except FoyerError as error:
        return False, error.say(speech)
    _write(config.state / NOTE, {"last": tonight.isoformat()})
    return True, said.pick(speech)


def _not_there(folder: Path, missed: int) -> Text:
    return Text(
        f"Le support des sauvegardes n’est pas là ({folder}) : rebranchez-le. Nuits sans sauvegarde : {missed}.",
        f"The disk for backups is not there ({folder}): plug it in again. Nights without a backup: {missed}.",
    )


def night_of(clock: Clock, zone: ZoneInfo) -> date:
    """Return the night that is under way or was last: a new one begins at half past two, local time."""
    local = to_datetime(clock.now()).astimezone(zone).replace(tzinfo=None)
    return (local - _NIGHT_STARTS).date()


def is_there(folder: Path) -> bool:
    """Tell whether the folder is there; under /media and the like, whether a disk is mounted there."""
    if not folder.is_dir():
        return False
    top = next((one for one in _STICKS if folder.is_relative_to(one)), None)
    if top is None:
        return True
    # an empty mount point would be filled on the box's own card
    return any(one.is_mount() for one in (folder, *folder.parents) if one.is_relative_to(top) and one != top)


def _make(config: Config, settings: Backup, folder: Path, tonight: date, clock: Clock) -> Text:
    phrase = from_file(config.file.parent / settings.phrase_file)
    unreadable = frozenset(path.name for path in kept_files(config.state) if not os.access(path, os.R_OK))
    target = folder / f"foyer-{tonight.isoformat()}.age"
    # made already: the note was lost, not the backup
    if not target.exists():
        make_backup(config, target, phrase, clock, without=unreadable)
    older = sorted(folder.glob(_NAME), reverse=True)[settings.keep :]
    for file in older:
        file.unlink()
    without = ", ".join(sorted(unreadable))
    return Text(
        f"Sauvegarde faite : {target.name}."
        + (f" Sans {without}, que ce programme ne peut pas lire." if without else ""),
        f"Backup made: {target.name}." + (f" Without {without}, which this program may not read." if without else ""),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _date(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


def _write(path: Path, note: dict[str, Any]) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(json.dumps(note), encoding="utf-8")
    beside.replace(path)
