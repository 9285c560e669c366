"""Encryption by a phrase, as a stream, in the format of `age` (version 1, scrypt recipient): `age -d FILE` opens it.

The format is that of https://c2sp.org/age; the primitives are those of `cryptography` and of OpenSSL's scrypt. The work
factor is fixed, because it decides the memory that opening takes: a small box must open what a large one made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import io
import os
import unicodedata
from typing import IO, TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import FoyerError, Text

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MAGIC = b"age-encryption.org/v1\n"
WORK_FACTOR = 16
"""Two to this power: 64 MiB of memory and about half a second on a Raspberry Pi."""

_MOST_WORK = 18  # 256 MiB: what a box of 512 MiB can still open
_CHUNK = 64 * 1024
_TAG = 16
_LABEL = b"age-encryption.org/v1/scrypt"
_LONGEST_LINE = 256


class WrongPhrase(FoyerError):
    """The phrase does not open this file."""

    def __init__(self) -> None:
        super().__init__(
            Text("La phrase n’est pas celle de cette sauvegarde.", "The phrase is not the one of this backup."),
            Text("Vérifiez les majuscules et les espaces.", "Check capitals and spaces."),
        )


class Damaged(FoyerError):
    """The file is cut short, or not as it was written."""

    def __init__(self) -> None:
        super().__init__(
            Text("Cette sauvegarde est abîmée ou incomplète.", "This backup is damaged or incomplete."),
            Text("Prenez-en une autre.", "Use another one."),
        )


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _unbase64(text: bytes) -> bytes:
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise Damaged from None
    if _base64(data) != text:
        raise Damaged
    return data


def _derive(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, purpose).derive(key)


def _phrase_key(phrase: str, salt: bytes, work: int) -> bytes:
    # a phrase typed on another keyboard may be composed otherwise
    secret = unicodedata.normalize("NFC", phrase).encode()
    n, r = 2**work, 8
    return hashlib.scrypt(secret, salt=_LABEL + salt, n=n, r=r, p=1, maxmem=128 * r * (n + 64), dklen=32)


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derive(file_key, b"", b"header"), header, "sha256")


class _Stream:
    """The chunks of the payload: a counter and a mark of the last one make their nonces."""

    def __init__(self, file_key: bytes, nonce: bytes) -> None:
        self._cipher = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
        self._count = 0

    def _nonce(self, *, last: bool) -> bytes:
        nonce = self._count.to_bytes(11, "big") + bytes([last])
        self._count += 1
        return nonce

    def seal(self, chunk: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(last=last), chunk, None)

    def open(self, chunk: bytes, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(last=last), chunk, None)
        except InvalidTag:
            raise Damaged from None


class Encrypter(io.RawIOBase):
    """Writes what it is given to `target`, encrypted. `close` ends it; `target` stays open."""

    def __init__(self, target: IO[bytes], phrase: str, work: int = WORK_FACTOR) -> None:
        file_key, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(16)
        wrapped = ChaCha20Poly1305(_phrase_key(phrase, salt, work)).encrypt(bytes(12), file_key, None)
        header = MAGIC + b"-> scrypt %s %d\n%s\n---" % (_base64(salt), work, _base64(wrapped))
        target.write(header + b" " + _base64(_mac(file_key, header)) + b"\n" + nonce)
        self._target = target
        self._stream = _Stream(file_key, nonce)
        self._waiting = bytearray()

    def writable(self) -> bool:
        """Tell that this is written to."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Take bytes; a full chunk goes out as soon as it is known not to be the last."""
        self._waiting += memoryview(data)
        while len(self._waiting) > _CHUNK:
            self._target.write(self._stream.seal(bytes(self._waiting[:_CHUNK]), last=False))
            del self._waiting[:_CHUNK]
        return memoryview(data).nbytes

    def close(self) -> None:
        """Write the last chunk."""
        if not self.closed:
            self._target.write(self._stream.seal(bytes(self._waiting), last=True))
            self._waiting.clear()
        super().close()


class Decrypter(io.RawIOBase):
    """Reads the clear bytes of `source`. Raises WrongPhrase at once, Damaged when it comes to it."""

    def __init__(self, source: IO[bytes], phrase: str) -> None:
        self._source = source
        self._stream = _Stream(*_opened_header(source, phrase))
        self._clear = b""
        self._next = source.read(_CHUNK + _TAG)
        self._done = False
        self._first = True

    def readable(self) -> bool:
        """Tell that this is read from."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer` with clear bytes; 0 at the end, which is known to be the true one."""
        room = memoryview(buffer).cast("B")
        while not self._clear and not self._done:
            self._clear = self._chunk()
        count = min(len(room), len(self._clear))
        room[:count] = self._clear[:count]
        self._clear = self._clear[count:]
        return count

    def _chunk(self) -> bytes:
        sealed, self._next = self._next, self._source.read(_CHUNK + _TAG)
        self._done = not self._next
        clear = self._stream.open(sealed, last=self._done)
        # only an empty file may end with an empty chunk
        if self._done and not clear and not self._first:
            raise Damaged
        self._first = False
        return clear


def _line(source: IO[bytes]) -> bytes:
    line = source.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise Damaged
    return line


def _opened_header(source: IO[bytes], phrase: str) -> tuple[bytes, bytes]:
    """Return the file's key and the nonce of its payload."""
    magic, stanza, body, end = (_line(source) for _ in range(4))
    kind, _, rest = stanza.removesuffix(b"\n").partition(b" ")
    words = rest.split(b" ")
    if magic != MAGIC or kind != b"->" or len(words) != 3 or not end.startswith(b"--- "):  # noqa: PLR2004
        raise Damaged
    name, salt, work = words
    if name != b"scrypt" or not work.isdigit() or work.startswith(b"0"):
        raise Damaged
    if int(work) > _MOST_WORK:
        raise FoyerError(
            Text(
                "Cette sauvegarde demande plus de mémoire que n’en a une boîte.",
                "This backup needs more memory than a box has.",
            ),
            Text("Ouvrez-la avec « age » sur un ordinateur.", "Open it with “age” on a computer."),
        )
    if len(_unbase64(salt)) != 16:  # noqa: PLR2004 - as the format has it
        raise Damaged
    try:
        key = _phrase_key(phrase, _unbase64(salt), int(work))
        file_key = ChaCha20Poly1305(key).decrypt(bytes(12), _unbase64(body.removesuffix(b"\n")), None)
    except InvalidTag:
        raise WrongPhrase from None
    expected = _mac(file_key, magic + stanza + body + b"---")
    nonce = source.read(16)
    if not hmac.compare_digest(_unbase64(end[4:].removesuffix(b"\n")), expected) or len(nonce) != 16:  # noqa: PLR2004
        raise Damaged
    return file_key, nonce
