"""The web application: every blueprint, the language and the theme of a request, and what templates can use."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, request
from flask_babel import Babel  # type: ignore[import-untyped]  # Flask-Babel ships no types

from gateway.clock import Clock, system_clock
from gateway.config import Config
from web import problems, security, settings
from web.api import live
from web.api.account import account_api
from web.api.health import health_api
from web.api.history import history_api
from web.api.metrics import metrics_api
from web.api.openapi import openapi_api
from web.assets import Site, asset
from web.auth import guard
from web.auth.accounts import Accounts
from web.auth.attempts import Attempts
from web.auth.pairing import Pairing
from web.auth.views import auth
from web.home_db import HomeDb
from web.live import LiveFeed
from web.pages import pages
from web.settings import Box, box


def create_app(config: Config, clock: Clock | None = None, feed: LiveFeed | None = None) -> Site:
    """Return the application of a home. Without `feed`, one that follows the home's gateway is started."""
    clock = clock or system_clock()
    if feed is None:
        feed = LiveFeed(config.live_socket, clock)
        feed.start()
    app = Site(__name__)
    db = HomeDb(config.home_db)
    app.extensions["foyer"] = Box(
        config, clock, feed, db, Accounts(db, clock), Attempts(db, clock), Pairing(config.state, clock)
    )
    app.config.update(
        MAX_CONTENT_LENGTH=settings.BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=settings.BODY_BYTES,
        BABEL_DEFAULT_LOCALE="fr",
        BABEL_DEFAULT_TIMEZONE=config.home.timezone,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    Babel(app, locale_selector=settings.wished_language, timezone_selector=lambda: config.home.timezone)
    app.jinja_env.globals["asset"] = partial(asset, app)
    app.context_processor(_template_values)
    app.after_request(_keep_preferences)
    security.register(app, config, guard.identify)
    problems.register(app)
    live.register(app)
    for blueprint in (auth, pages, account_api, health_api, history_api, metrics_api, openapi_api):
        app.register_blueprint(blueprint)
    return app


def _template_values() -> dict[str, Any]:
    """Return what every template can use: nothing about the home before sign-in."""
    values: dict[str, Any] = {
        "snapshot": None,
        "home_name": "",
        "demo": box().config.home.demo,
        "language": settings.wished_language(),
        "theme": settings.wished_theme(),
        "csrf_token": security.form_token(),
    }
    if guard.session() is not None:
        snapshot = box().feed.snapshot()
        values |= {"snapshot": snapshot, "home_name": snapshot.home.get("name") or box().config.home.name}
    return values


def _keep_preferences(response: Response) -> Response:
    """Keep a language or a theme asked in the address (`?lang=en`), so that plain links can change them."""
    for name, accepted in ((settings.LANGUAGE_COOKIE, settings.LANGUAGES), (settings.THEME_COOKIE, settings.THEMES)):
        wish = request.args.get(name)
        if wish is not None and wish in accepted:
            response.set_cookie(name, wish, max_age=settings.PREFERENCE_S, samesite="Lax", secure=request.is_secure)
    return response
