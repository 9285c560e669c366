"""Opens a backup as a stream: clear or encrypted, each file in it checked against the manifest while it goes by."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from gateway.archive import manifest as manifests
from gateway.archive.crypt import MAGIC, Damaged, Decrypter
from gateway.archive.manifest import Manifest, Stored
from gateway.errors import FoyerError, Text

_PIECE = 1024 * 1024
_MOST_MANIFEST = 1024 * 1024

Sink = Callable[[bytes], object]


def is_encrypted(file: Path) -> bool:
    """Tell whether a backup asks for a phrase. Raises FoyerError for what is no backup, or cannot be read."""
    try:
        with file.open("rb") as source:
            head = source.read(len(MAGIC))
    except OSError as error:
        raise FoyerError(
            Text(f"{file} ne peut pas être lu ({error.strerror}).", f"{file} cannot be read ({error.strerror}).")
        ) from None
    if head == MAGIC:
        return True
    if head.startswith(b"\x1f\x8b"):
        return False
    raise FoyerError(
        Text(f"{file} n’est pas une sauvegarde de Foyer.", f"{file} is no backup of Foyer."),
        Text("Donnez le fichier que « foyer backup » a fait.", "Give the file that “foyer backup” made."),
    )


@contextlib.contextmanager
def opened(file: Path, phrase: str | None) -> Iterator[Archive]:
    """Open a backup. Raises WrongPhrase, Damaged, or FoyerError; nothing of it is believed before it was checked."""
    encrypted = is_encrypted(file)
    if encrypted and phrase is None:
        raise FoyerError(
            Text("Cette sauvegarde est fermée par une phrase.", "This backup is closed by a phrase."),
            Text("Donnez-la avec --phrase-file.", "Give it with --phrase-file."),
        )
    with contextlib.ExitStack() as stack:
        source: IO[bytes] = stack.enter_context(file.open("rb"))
        if encrypted:
            assert phrase is not None
            source = stack.enter_context(io.BufferedReader(Decrypter(source, phrase), _PIECE))
        try:
            unpacked = stack.enter_context(gzip.GzipFile(fileobj=source, mode="rb"))
            tar = stack.enter_context(tarfile.open(fileobj=unpacked, mode="r|"))
            yield Archive(tar, unpacked)
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
            raise Damaged from None


class Archive:
    """An open backup: its manifest, then `unpack` once."""

    def __init__(self, tar: tarfile.TarFile, unpacked: gzip.GzipFile) -> None:
        self._tar = tar
        self._unpacked = unpacked
        head = tar.next()
        if head is None or head.name != manifests.NAME or not head.isreg() or head.size > _MOST_MANIFEST:
            raise Damaged
        content = tar.extractfile(head)
        assert content is not None
        self.manifest: Manifest = manifests.parse(content.read())

    def unpack(self, sink_of: Callable[[Stored], contextlib.AbstractContextManager[Sink]]) -> None:
        """Hand each file's bytes to its sink, and check them; the files are exactly those of the manifest."""
        for stored in self.manifest.files:
            member = self._tar.next()
            if member is None or member.name != stored.name or not member.isreg() or member.size != stored.size:
                raise Damaged
            content = self._tar.extractfile(member)
            assert content is not None
            seen = hashlib.sha256()
            with sink_of(stored) as sink:
                while piece := content.read(_PIECE):
                    seen.update(piece)
                    sink(piece)
            if seen.hexdigest() != stored.sha256:
                raise Damaged
        if self._tar.next() is not None:
            raise Damaged
        # to the very end: the last bytes are what tells a whole file from one that was cut
        while self._unpacked.read(_PIECE):
            pass


@contextlib.contextmanager
def nowhere(_: Stored) -> Iterator[Sink]:
    """Give a sink that keeps nothing: to check a backup."""
    yield len


def verify(file: Path, phrase: str | None) -> Manifest:
    """Read a backup whole, check every byte of it, and return its manifest."""
    with opened(file, phrase) as archive:
        archive.unpack(nowhere)
        return archive.manifest
