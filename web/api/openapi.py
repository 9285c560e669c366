"""The description of the API, kept by hand beside this module and served as it is."""

from __future__ import annotations

from importlib.resources import files

from flask import Blueprint, Response

from web.api import PREFIX

openapi_api = Blueprint("openapi", __name__, url_prefix=PREFIX)


def document() -> bytes:
    """Return the OpenAPI 3.1 document."""
    return files("web.api").joinpath("openapi.json").read_bytes()


@openapi_api.get("/openapi.json")
def openapi() -> Response:
    """Return the description of this API."""
    return Response(document(), mimetype="application/json")
