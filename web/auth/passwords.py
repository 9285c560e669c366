"""Passwords: kept as scrypt hashes, checked one at a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import unicodedata
from functools import cache

from gateway.errors import Text

SHORTEST = 10
LONGEST = 1024

N, R, P = 1 << 15, 8, 1
_MEMORY = 128 * N * R * 2  # OpenSSL's own limit is just below what these numbers need

TOO_SHORT = Text(
    f"Choisissez un mot de passe d’au moins {SHORTEST} caractères ; une phrase convient très bien.",
    f"Choose a password of at least {SHORTEST} characters; a sentence does very well.",
)

# each check takes 32 MiB for a moment: one at a time keeps a burst of sign-ins within the memory of the box
_one_at_a_time = threading.Lock()


def refusal(password: str) -> Text | None:
    """Return why a new password is not accepted, or None."""
    return None if SHORTEST <= len(password) <= LONGEST else TOO_SHORT


def hashed(password: str) -> str:
    """Return `scrypt$n$r$p$salt$hash` of a password."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, N, R, P)
    return f"scrypt${N}${R}${P}${_text(salt)}${_text(digest)}"


def matches(password: str, kept: str | None) -> bool:
    """Tell whether a password is the one whose hash was kept; an unknown account (None) takes just as long."""
    known = kept is not None
    _, n, r, p, salt, digest = (kept or _nobody()).split("$")
    found = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, base64.b64decode(digest)) and known


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    plain = unicodedata.normalize("NFC", password[:LONGEST]).encode("utf-8", "surrogatepass")
    with _one_at_a_time:
        return hashlib.scrypt(plain, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


@cache
def _nobody() -> str:
    salt, digest = secrets.token_bytes(16), secrets.token_bytes(32)
    return f"scrypt${N}${R}${P}${_text(salt)}${_text(digest)}"


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
