"""Who may ask for what: everything needs a signed-in session, except what the two tables below name."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.errors import Text
from web.auth.accounts import Session
from web.problems import Problem, for_program
from web.settings import SESSION_COOKIE, box

OPEN = frozenset({"static", "health.healthz", "auth.sign_in", "auth.welcome"})
"""The endpoints that answer anyone on the home's network: they hold nothing of the home."""

KEYED = frozenset(
    {
        "health.health",
        "history.energy",
        "history.history",
        "live.live",
        "live.stream",
        "metrics.metrics",
        "openapi.openapi",
    }
)
"""The endpoints that a program with an app key may read."""

_READING = frozenset({"GET", "HEAD"})

_KEY_MEND = Text(
    "Donnez l’en-tête « Authorization: Bearer CLÉ » avec une clé valable, ou connectez-vous.",
    "Give the header “Authorization: Bearer KEY” with a valid key, or sign in.",
)
_READ_ONLY = Text("Une clé d’application ne fait que lire les mesures.", "An app key only reads the measures.")


def identify() -> AnyResponse | None:
    """Find out who asks, and stop here whoever may not; a page then leads to the sign-in."""
    if key := bearer():
        _by_key(key)
        return None
    token = request.cookies.get(SESSION_COOKIE)
    g.session = box().accounts.session(token) if token else None
    if g.session is not None or request.endpoint in OPEN:
        return None
    if for_program():
        raise Problem("sign-in-needed", mend=_KEY_MEND)
    if not box().accounts.exist():
        return _see(url_for("auth.welcome"))
    wanted = request.full_path.rstrip("?") if request.method in _READING else "/"
    return _see(url_for("auth.sign_in", next=None if wanted == "/" else wanted))


def bearer() -> str:
    """Return the app key that this request gives, or an empty text."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _by_key(key: str) -> None:
    g.session = None
    if request.endpoint in OPEN:
        return
    if box().accounts.key(key) is None:
        raise Problem("sign-in-needed", mend=_KEY_MEND)
    if request.endpoint not in KEYED or request.method not in _READING:
        raise Problem("forbidden", _READ_ONLY)
    g.by_key = True


def _see(address: str) -> Response:
    response = redirect(address, code=303)
    assert isinstance(response, Response)
    return response


def session() -> Session | None:
    """Return the session of this request, if someone is signed in."""
    found: Session | None = g.get("session")
    return found


def required_session() -> Session:
    """Return the session of a request that the guard let through by session."""
    found = session()
    if found is None:
        raise Problem("sign-in-needed", mend=_KEY_MEND)
    return found


def local_path(wanted: str | None) -> str:
    """Return `wanted` when it is a path of this site, else "/": a link must not lead out through our sign-in."""
    if not wanted or not wanted.startswith("/") or wanted.startswith("//"):
        return "/"
    if "\\" in wanted or any(character < " " or character == "\x7f" for character in wanted):
        return "/"
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc else wanted
