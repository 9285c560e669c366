"""Puts a backup back. Nothing is changed before all of it was read and checked; what was there is kept aside."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import sqlite3
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway.archive.crypt import Damaged
from gateway.archive.manifest import CONFIG, MEASURES, Manifest, Stored, kept_files
from gateway.archive.ownership import give_to_owner
from gateway.archive.quiet import at_rest
from gateway.archive.reading import Sink, opened
from gateway.clock import Clock
from gateway.config import Paths
from gateway.errors import FoyerError, Text
from gateway.store.schema import newest_version, open_for_writing, refuse_newer, stamp

_JOURNALS = ("-wal", "-shm", "-journal")
_SPARE_BYTES = 50_000_000
_MOST_CONFIG = 1_000_000


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back where, and where what was there before is kept; None when nothing was."""

    manifest: Manifest
    config: Path
    state: Path
    aside: Path | None


def restore(file: Path, phrase: str | None, target: Path, clock: Clock, *, own_paths: bool = False) -> Restored:
    """Put the backup `file` back as the home whose configuration is `target`.

    With `own_paths` the data go to the folders `state` and `run` beside `target`, whatever the configuration named;
    else where it names them. Raises WrongPhrase, Damaged or FoyerError: nothing was changed then.
    """
    target = target.absolute()
    try:
        config = _read_configuration(file, phrase)
        config = with_own_paths(config) if own_paths else config
        state = _state(config, target)
        state.mkdir(parents=True, exist_ok=True)
        with at_rest(state), tempfile.TemporaryDirectory(prefix=".restore-", dir=state) as folder:
            work = Path(folder)
            manifest = _unpack(file, phrase, work)
            (work / CONFIG).write_text(config, encoding="utf-8", newline="")
            _check(work, manifest, clock)
            aside = _swap(work, manifest, target, state, clock)
    except OSError as error:
        raise FoyerError(
            Text(f"La sauvegarde n’a pas pu être remise : {error}.", f"The backup could not be put back: {error}."),
            Text("Vérifiez la place et le droit d’écrire.", "Check the room left and the right to write."),
        ) from error
    return Restored(manifest, target, state, aside)


def _read_configuration(file: Path, phrase: str | None) -> str:
    """Return the configuration that a backup holds. All of it is read and checked for that, before anything is made."""
    found = io.BytesIO()

    def sink_of(stored: Stored) -> contextlib.AbstractContextManager[Sink]:
        is_config = stored.name == CONFIG and stored.size <= _MOST_CONFIG
        return contextlib.nullcontext(found.write if is_config else len)

    with opened(file, phrase) as archive:
        archive.unpack(sink_of)
    try:
        return found.getvalue().decode()
    except UnicodeDecodeError:
        raise Damaged from None


def _state(config: str, target: Path) -> Path:
    """Return the data folder that a configuration names, once it stands at `target`."""
    try:
        paths = tomllib.loads(config).get("paths", {})
        return (target.parent / str(paths.get("state", Paths().state))).absolute()
    except (tomllib.TOMLDecodeError, AttributeError):
        raise Damaged from None


def _unpack(file: Path, phrase: str | None, work: Path) -> Manifest:
    with opened(file, phrase) as archive:
        needed = sum(one.size for one in archive.manifest.files)
        if shutil.disk_usage(work).free < needed + _SPARE_BYTES:
            raise FoyerError(
                Text("Il n’y a pas assez de place pour cette sauvegarde.", "There is no room for this backup."),
                Text(f"Libérez {needed // 1_000_000 + 50} Mo.", f"Free {needed // 1_000_000 + 50} MB."),
            )
        archive.unpack(partial(_into, work))
        return archive.manifest


@contextlib.contextmanager
def _into(work: Path, stored: Stored) -> Iterator[Sink]:
    with (work / stored.name).open("xb") as file:
        (work / stored.name).chmod(0o600)
        yield file.write


def _check(work: Path, manifest: Manifest, clock: Clock) -> None:
    """Look whether each database is sound, and bring an older file of measurements to this version."""
    for stored in manifest.files:
        path = work / stored.name
        if path.suffix != ".db":
            continue
        try:
            with contextlib.closing(sqlite3.connect(path)) as database:
                sound = database.execute("PRAGMA quick_check(1)").fetchone()
                version = int(database.execute("PRAGMA user_version").fetchone()[0])
            if sound != ("ok",) or version != stored.schema:
                raise Damaged
            if stored.name == MEASURES:
                refuse_newer(path, version, newest_version())
                open_for_writing(path, clock).close()
        except sqlite3.Error:
            raise Damaged from None
    # what the migration keeps beside the older file is the backup itself
    for copy in work.glob(f"{MEASURES}.before-*"):
        copy.unlink()


def _swap(work: Path, manifest: Manifest, target: Path, state: Path, clock: Clock) -> Path | None:
    """Set aside what is there, then move the new files in; on an error, put everything back as it was."""
    there = [target] if target.exists() else []
    for path in kept_files(state):
        there += [one for end in ("", *_JOURNALS) if (one := path.with_name(path.name + end)).exists()]
    aside = state / f"before-restore-{stamp(clock)}"
    moves: list[tuple[Path, Path]] = []
    if there:
        aside.mkdir(mode=0o700)
        moves += [(path, aside / path.name) for path in there]
    target.parent.mkdir(parents=True, exist_ok=True)
    for stored in manifest.files:
        give_to_owner(work / stored.name, stored.owner)
        moves.append((work / stored.name, target if stored.name == CONFIG else state / stored.name))
    done: list[tuple[Path, Path]] = []
    try:
        for source, place in moves:
            shutil.move(source, place)
            done.append((source, place))
    except OSError:
        for source, place in reversed(done):
            shutil.move(place, source)
        raise
    return aside if there else None


def with_own_paths(text: str) -> str:
    """Return a configuration whose `[paths]` are the folders `state` and `run` beside it. Pure."""
    wanted = {"state": "state", "run": "run"}
    if _paths_of(text) == wanted:
        return text
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        if re.match(r"\s*\[", line):
            inside = re.match(r"\s*\[\s*paths\s*\]", line) is not None
        if not inside:
            kept.append(line)
    made = "".join(kept).rstrip("\n") + '\n\n[paths]\nstate = "state"\nrun = "run"\n'
    if _paths_of(made) != wanted:
        raise FoyerError(
            Text("Dans cette configuration, [paths] est écrit autrement.", "This configuration has unusual [paths]."),
            Text("Remettez-la sans --into.", "Restore it without --into."),
        )
    return made


def _paths_of(text: str) -> object:
    """Return the table `[paths]` of a configuration; None when it has none, or is no TOML."""
    try:
        return tomllib.loads(text).get("paths")
    except tomllib.TOMLDecodeError:
        return None
