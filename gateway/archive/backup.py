"""Makes a backup: one file that holds everything the home owns, while the box runs.

A tar, compressed with gzip, encrypted as `age` does: `age -d FILE | tar xz` opens it anywhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import hashlib
import io
import json
import os
import secrets
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from gateway.archive.crypt import Encrypter
from gateway.archive.manifest import CONFIG, MEASURES, NAME, Manifest, Stored, foyer_version, kept_files
from gateway.archive.ownership import owner_of
from gateway.archive.quiet import open_lock
from gateway.archive.reading import verify
from gateway.clock import Clock, to_datetime
from gateway.config import Config
from gateway.errors import FoyerError, Text
from gateway.store.read import Reader

_PIECE = 1024 * 1024
_BUSY_S = 10.0
_TRIES = 5
_LEVEL = 4  # of gzip: a third faster than the usual 6 on a small processor, hardly larger
_WORK = ".backup-"
_SPARE_BYTES = 50_000_000


def make_backup(
    config: Config, target: Path, phrase: str | None, clock: Clock, *, without: frozenset[str] = frozenset()
) -> Manifest:
    """Write a backup to `target`, which must not exist, read it back, and return what it holds.

    A phrase of None leaves it open. `without` names files to leave out. Raises FoyerError; `target` is then not there.
    """
    if target.exists():
        raise FoyerError(
            Text(f"{target} existe déjà ; rien n’a été écrit.", f"{target} exists already; nothing was written."),
            Text("Choisissez un autre nom.", "Choose another name."),
        )
    try:
        with _work_folder(config.state) as work:
            copies = _copies(config, work, without)
            manifest = _manifest(config, work, copies, clock)
            _write(target, work, manifest, phrase)
    except (OSError, sqlite3.Error) as error:
        raise FoyerError(
            Text(f"La sauvegarde n’a pas pu être faite : {error}.", f"The backup could not be made: {error}."),
            Text("Vérifiez la place et le droit d’écrire.", "Check the room left and the right to write."),
        ) from error
    return manifest


@contextlib.contextmanager
def _work_folder(state: Path) -> Iterator[Path]:
    """Give a private folder on the box's own disk: nothing in clear ever reaches the disk of the backups.

    One backup at a time; what a power cut left of another is removed.
    """
    with os.fdopen(open_lock(state / "backup.lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in state.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_WORK, dir=state) as folder:
            yield Path(folder)


def _copies(config: Config, work: Path, without: frozenset[str]) -> dict[Path, Path]:
    """Return the copies of the home's files, each with the file it was made of."""
    there = dict.fromkeys([*kept_files(config.state), config.file])
    files = [path for path in there if path.name not in without]
    needed = sum(path.stat().st_size for path in files)
    if shutil.disk_usage(work).free < needed + _SPARE_BYTES:
        raise FoyerError(
            Text("Il n’y a pas assez de place pour préparer la sauvegarde.", "There is no room to prepare the backup."),
            Text(f"Libérez {needed // 1_000_000 + 50} Mo.", f"Free {needed // 1_000_000 + 50} MB."),
        )
    made = {}
    for path in files:
        copy = work / (CONFIG if path == config.file else path.name)
        if path.suffix == ".db":
            copy_database(path, copy)
        else:
            shutil.copyfile(path, copy)
        made[copy] = path
    return made


def copy_database(path: Path, copy: Path) -> None:
    """Copy a database, as it stands at one instant, whoever writes it meanwhile. Raises sqlite3.Error, OSError.

    A file in WAL mode whose writer stopped has no log beside it, and one that may not write there can only open it as
    immutable; should a writer come back meanwhile, the copy is made again.
    """
    wal = path.with_name(f"{path.name}-wal")
    for _ in range(_TRIES):
        copy.unlink(missing_ok=True)
        before, alive = path.stat(), wal.exists()
        mode = "mode=ro" if alive or not _is_wal(path) else "mode=ro&immutable=1"
        source = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=_BUSY_S)
        with contextlib.closing(source), contextlib.closing(sqlite3.connect(copy)) as target:
            target.execute("PRAGMA synchronous=OFF")
            source.backup(target)
        after = path.stat()
        if "immutable" not in mode or (after.st_mtime_ns, after.st_size, wal.exists()) == (
            before.st_mtime_ns,
            before.st_size,
            False,
        ):
            break
    else:
        raise OSError(f"{path.name} changes all the time")
    with contextlib.closing(sqlite3.connect(copy)) as made:
        # one plain file: nothing may stay in a log beside it
        made.execute("PRAGMA journal_mode=DELETE")


def _is_wal(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(20)[18:19] == b"\x02"


def _manifest(config: Config, work: Path, copies: dict[Path, Path], clock: Clock) -> Manifest:
    with Reader(work / MEASURES, clock) as reader:
        info = reader.info()
    return Manifest(
        foyer_version(),
        clock.now(),
        config.home.name,
        info.demo,
        tuple(_stored(copy, original) for copy, original in copies.items()),
        tuple(info.signals),
        info.first,
        info.last,
    )


def _stored(path: Path, original: Path) -> Stored:
    schema = None
    if path.suffix == ".db":
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            schema = int(database.execute("PRAGMA user_version").fetchone()[0])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Stored(path.name, path.stat().st_size, digest, schema, owner_of(original))


def _write(target: Path, work: Path, manifest: Manifest, phrase: str | None) -> None:
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:  # noqa: PTH123 - its mode
            _pack(file, work, manifest, phrase)
            file.flush()
            os.fsync(file.fileno())
        verify(beside, phrase)
        if target.exists():
            raise FileExistsError(17, "exists already", str(target))
        beside.rename(target)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _pack(file: IO[bytes], work: Path, manifest: Manifest, phrase: str | None) -> None:
    with contextlib.ExitStack() as stack:
        sink: IO[bytes] = file
        if phrase is not None:
            encrypted = stack.enter_context(Encrypter(file, phrase))
            sink = stack.enter_context(io.BufferedWriter(encrypted, _PIECE))
        packed = stack.enter_context(gzip.GzipFile(filename="", fileobj=sink, mode="wb", compresslevel=_LEVEL, mtime=0))
        tar = stack.enter_context(tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT))
        head = json.dumps(manifest.as_json(), ensure_ascii=False, indent=1).encode()
        tar.addfile(_member(NAME, len(head), manifest), io.BytesIO(head))
        for stored in manifest.files:
            with (work / stored.name).open("rb") as source:
                tar.addfile(_member(stored.name, stored.size, manifest), source)


def _member(name: str, size: int, manifest: Manifest) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    member.mtime = int(to_datetime(manifest.made_at).timestamp())
    return member
