"""How the box is: in full for the household, and in one word for whatever watches it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from web.api import PREFIX
from web.settings import box

health_api = Blueprint("health", __name__)


@health_api.get(f"{PREFIX}/health")
def health() -> Response:
    """Return every check, with what to do about it."""
    return jsonify(box().feed.snapshot().health)


@health_api.get("/healthz")
def healthz() -> Response:
    """Return status words, and nothing of the home: anyone on the network may ask."""
    snapshot = box().feed.snapshot()
    return jsonify(status=snapshot.health["state"], gateway="connected" if snapshot.connected else "lost")
