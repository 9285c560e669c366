"""What is checked before anything else: the name we are called by, where a change comes from, and the answer's headers.

The page is plain HTTP on the home's network. Three things stand between it and a hostile web page open in the same
browser: the Host list (a rebound name is refused before routing), the Origin of every change, and a form token.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import re
import secrets
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from gateway.config import Config
from gateway.errors import Text
from web import settings
from web.problems import MIME, Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FORM_COOKIE = "foyer_form"
FORM_FIELD = "csrf_token"
FORM_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_DEFAULT_PORTS = {"http": "80", "https": "443"}

# a second box on the network is renamed foyer-2.local by its announcer; no public name server can claim .local
_OWN_LOCAL = re.compile(r"foyer(-\d{1,3})?\.local")
_HOST = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[a-zA-Z0-9._-]+)(?::(\d{1,5}))?")

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not no-referrer: that one makes forms send `Origin: null`, which is refused
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_WRONG_ORIGIN_MEND = Text(
    "Ouvrez la page du boîtier elle-même, puis recommencez. Un programme envoie l’en-tête Origin, égal à son adresse.",
    "Open the box’s own page, then try again. A program sends an Origin header equal to the box’s address.",
)
_FORM_MEND = Text("Rechargez la page et recommencez.", "Load the page again and retry.")


def split_host(host: str) -> tuple[str, str] | None:
    """Return `(name, port)` of a Host header, lower case, without brackets or final dot; None if it is not one."""
    match = _HOST.fullmatch(host)
    if match is None:
        return None
    return match[1].strip("[]").rstrip(".").lower(), match[2] or ""


class HostGuard:
    """WSGI layer that answers 421 to any name that is not this box's own, before the application sees the request.

    An address is ours when the connection came in on it: that needs no list of network interfaces, which the hardened
    process cannot see, and follows whatever address the router gives.
    """

    def __init__(self, inner: WSGIApplication, config: Config) -> None:
        self._inner = inner
        self._names = own_names(config)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on, or refuse it."""
        if self.allows(environ.get("HTTP_HOST", ""), environ.get("gunicorn.socket")):
            return self._inner(environ, start_response)
        language = "en" if environ.get("HTTP_ACCEPT_LANGUAGE", "").lower().startswith("en") else "fr"
        problem = Problem(
            "unknown-host",
            mend=Text(
                "Utilisez foyer.local, ou ajoutez ce nom à « hosts » dans la table [web] de la configuration.",
                "Use foyer.local, or add this name to “hosts” in the [web] table of the configuration.",
            ),
        )
        body = json.dumps(problem.as_json(language), ensure_ascii=False).encode()
        headers = {"Content-Type": MIME, "Content-Length": str(len(body)), "Cache-Control": "no-store", **_HEADERS}
        start_response("421 Misdirected Request", list(headers.items()))
        return [b"" if environ.get("REQUEST_METHOD") == "HEAD" else body]

    def allows(self, host: str, connection: Any = None) -> bool:
        """Tell whether a Host header names this box."""
        found = split_host(host)
        if found is None:
            return False
        name, _ = found
        if name in self._names or _OWN_LOCAL.fullmatch(name):
            return True
        return _address(name) is not None and _address(name) == _local_address(connection)


def own_names(config: Config) -> frozenset[str]:
    """Return the names that always mean this box."""
    machine = socket.gethostname().lower()
    short = machine.partition(".")[0]
    extra = {found[0] for host in config.web.hosts if (found := split_host(host)) is not None}
    return frozenset({"localhost", "127.0.0.1", "::1", machine, short, f"{short}.local"} | extra) - {""}


def _address(text: str) -> str | None:
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def _local_address(connection: Any) -> str | None:
    if not isinstance(connection, socket.socket):
        return None
    try:
        return _address(str(connection.getsockname()[0]))
    except (OSError, IndexError):
        return None


def check_origin() -> None:
    """Refuse a change that does not come from one of our own pages; raise Problem."""
    if request.method in _SAFE:
        return
    source = request.headers.get("Origin") or request.headers.get("Referer")
    if not source or not _same_origin(source, request.headers.get("Host", "")):
        raise Problem("wrong-origin", mend=_WRONG_ORIGIN_MEND)
    # JSON and other methods cannot cross origins without asking first; what a plain form can send needs its token
    if request.method != "POST" or request.mimetype == "application/json":
        return
    sent = request.form.get(FORM_FIELD) or request.headers.get(FORM_HEADER) or ""
    secret = request.cookies.get(settings.SESSION_COOKIE) or request.cookies.get(FORM_COOKIE)
    if not secret or not hmac.compare_digest(_token(secret).encode(), sent.encode("utf-8", "surrogatepass")):
        raise Problem("form-expired", mend=_FORM_MEND)


def _same_origin(source: str, host: str) -> bool:
    try:
        parts = urlsplit(source)
    except ValueError:
        return False
    theirs, ours = split_host(parts.netloc), split_host(host)
    if parts.scheme not in _DEFAULT_PORTS or theirs is None or ours is None or theirs[0] != ours[0]:
        return False
    usual = _DEFAULT_PORTS[parts.scheme]
    return (theirs[1] or usual) == (ours[1] or usual)


def form_token() -> str:
    """Return the token that every form of this browser must carry in `csrf_token`."""
    secret = request.cookies.get(settings.SESSION_COOKIE) or request.cookies.get(FORM_COOKIE) or g.get("form_secret")
    if secret is None:
        secret = g.form_secret = secrets.token_urlsafe(16)
    return _token(secret)


def _token(secret: str) -> str:
    return hmac.new(secret.encode("utf-8", "surrogatepass"), b"foyer form", "sha256").hexdigest()


def seal(response: Response) -> Response:
    """Add the headers that every answer carries."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    if secret := g.get("form_secret"):
        response.set_cookie(FORM_COOKIE, secret, httponly=True, samesite="Strict", secure=request.is_secure)
    return response


def register(app: Flask, config: Config, identify: Callable[[], Any]) -> None:
    """Put the checks in front of an application: what it is called, who asks (`identify`), and from which page."""
    app.wsgi_app = HostGuard(app.wsgi_app, config)  # type: ignore[method-assign]
    app.before_request(identify)
    app.before_request(check_origin)
    app.after_request(seal)
