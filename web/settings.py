"""What the web process was given at start, and the numbers and names its rooms share."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request

from gateway.clock import Clock
from gateway.config import Config
from web.auth.accounts import Accounts
from web.auth.attempts import Attempts
from web.auth.pairing import Pairing
from web.home_db import HomeDb
from web.live import LiveFeed

LANGUAGES = ("fr", "en")  # French is the source, and what an unknown wish gets
THEMES = ("light", "dark", "auto")
LANGUAGE_COOKIE, THEME_COOKIE = "lang", "theme"
SESSION_COOKIE = "foyer_session"
PREFERENCE_S = 365 * 24 * 3600

THREADS = 32
STREAMS = 24  # live browsers at once: the other eight threads answer pages
BODY_BYTES = 64 * 1024

_EXTENSION = "foyer"


@dataclass(frozen=True, slots=True)
class Box:
    """The parts of the running box that requests need."""

    config: Config
    clock: Clock
    feed: LiveFeed
    db: HomeDb
    accounts: Accounts
    attempts: Attempts
    pairing: Pairing


def box() -> Box:
    """Return the parts of the application that serves this request."""
    found = current_app.extensions[_EXTENSION]
    assert isinstance(found, Box)
    return found


def wished_language() -> str:
    """Return "fr" or "en": asked in the address, kept in the cookie, spoken by the browser, or the home's own."""
    for wish in (request.args.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if wish in LANGUAGES:
            return wish
    return request.accept_languages.best_match(LANGUAGES) or box().config.home.language


def wished_theme() -> str:
    """Return "light", "dark" or "auto" (as the device says)."""
    for wish in (request.args.get("theme"), request.cookies.get(THEME_COOKIE)):
        if wish in THEMES:
            return wish
    return "auto"
