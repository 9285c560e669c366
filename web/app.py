"""The web application: every blueprint, the language and the theme of a request, and what templates can use."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, request
from flask_babel import Babel  # type: ignore[import-untyped]  # Flask-Babel ships no types

from gateway.clock import Clock, system_clock
from gateway.config import Config
from web import settings
from web.assets import Site, asset
from web.live import LiveFeed
from web.settings import Box, box


def create_app(config: Config, clock: Clock | None = None, feed: LiveFeed | None = None) -> Site:
    """Return the application of a home. Without `feed`, one that follows the home's gateway is started."""
    clock = clock or system_clock()
    if feed is None:
        feed = LiveFeed(config.live_socket, clock)
        feed.start()
    app = Site(__name__)
    app.extensions["foyer"] = Box(config, clock, feed)
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
    _register(app)
    return app


def _register(app: Site) -> None:
    from web.pages import pages  # noqa: PLC0415

    app.register_blueprint(pages)


def _template_values() -> dict[str, Any]:
    """Return what every template can use: nothing about the home before sign-in."""
    snapshot = box().feed.snapshot()
    return {
        "snapshot": snapshot,
        "home_name": snapshot.home.get("name") or box().config.home.name,
        "demo": box().config.home.demo,
        "language": settings.wished_language(),
        "theme": settings.wished_theme(),
        "csrf_token": "",
    }


def _keep_preferences(response: Response) -> Response:
    """Keep a language or a theme asked in the address (`?lang=en`), so that plain links can change them."""
    for name, accepted in ((settings.LANGUAGE_COOKIE, settings.LANGUAGES), (settings.THEME_COOKIE, settings.THEMES)):
        wish = request.args.get(name)
        if wish is not None and wish in accepted:
            response.set_cookie(name, wish, max_age=settings.PREFERENCE_S, samesite="Lax", secure=request.is_secure)
    return response
