"""What goes wrong, as RFC 9457 problem details for programs and as a page for people. The `type` of each is stable."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from gateway.errors import FoyerError, Text
from web import settings

logger = logging.getLogger(__name__)

MIME = "application/problem+json"
_PREFIX = "urn:foyer:problem:"
_FOR_PROGRAMS = ("/api/", "/metrics", "/healthz")

_TITLES: dict[str, tuple[int, Text]] = {
    "bad-request": (400, Text("La demande n’est pas comprise.", "The request is not understood.")),
    "bad-parameter": (400, Text("Un paramètre n’est pas accepté.", "A parameter is not accepted.")),
    "sign-in-needed": (401, Text("Il faut se connecter.", "Sign-in is needed.")),
    "forbidden": (403, Text("Ce n’est pas permis.", "This is not allowed.")),
    "wrong-origin": (403, Text("La demande vient d’une autre page.", "The request comes from another page.")),
    "form-expired": (403, Text("Ce formulaire a expiré.", "This form has expired.")),
    "not-found": (404, Text("Cette adresse n’existe pas.", "This address does not exist.")),
    "method-not-allowed": (405, Text("Cette adresse ne fait pas cela.", "This address does not do that.")),
    "conflict": (409, Text("Cela ne va pas avec l’état actuel.", "This does not fit the present state.")),
    "too-large": (413, Text("L’envoi est trop volumineux.", "What was sent is too large.")),
    "unsupported-media-type": (415, Text("Ce format n’est pas accepté.", "This format is not accepted.")),
    "unknown-host": (421, Text("Ce nom n’est pas celui du boîtier.", "This name is not the box’s own.")),
    "too-many-attempts": (429, Text("Trop d’essais.", "Too many attempts.")),
    "internal-error": (500, Text("Une erreur est survenue dans le boîtier.", "An error occurred in the box.")),
    "unavailable": (503, Text("Ce n’est pas disponible pour le moment.", "This is not available for now.")),
    "too-many-streams": (503, Text("Trop d’écrans suivent déjà le direct.", "Too many screens follow the live data.")),
}
"""Every `type` (without its prefix), its status and its title."""

_BY_STATUS = {
    400: "bad-request",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
}

_MEND_INTERNAL = Text(
    "Réessayez. Si cela revient, « foyer doctor » aide à trouver la cause.",
    "Try again. If it comes back, “foyer doctor” helps to find the cause.",
)


class Problem(Exception):
    """A refusal. `slug` is a key of the table of titles; `parameter` names what to change; `retry_after` in seconds."""

    def __init__(
        self,
        slug: str,
        detail: Text | None = None,
        mend: Text | None = None,
        *,
        parameter: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(slug)
        self.slug = slug
        self.status, self.title = _TITLES[slug]
        self.detail = detail
        self.mend = mend
        self.parameter = parameter
        self.retry_after = retry_after

    def as_json(self, language: str) -> dict[str, Any]:
        """Return the problem details, in one language."""
        body: dict[str, Any] = {
            "type": _PREFIX + self.slug,
            "title": self.title.pick(language),
            "status": self.status,
        }
        for name, text in (("detail", self.detail), ("mend", self.mend)):
            if text is not None:
                body[name] = text.pick(language)
        if self.parameter is not None:
            body["parameter"] = self.parameter
        return body


def for_program() -> bool:
    """Tell whether this request expects JSON rather than a page."""
    if request.path.startswith(_FOR_PROGRAMS):
        return True
    return bool(request.accept_mimetypes) and not request.accept_mimetypes.accept_html


def respond(problem: Problem) -> Response:
    """Return the answer for a problem, as this client wants it."""
    language = settings.wished_language()
    body = problem.as_json(language)
    if for_program():
        response = Response(json.dumps(body, ensure_ascii=False), mimetype=MIME)
    else:
        response = make_response(render_template("error.html", problem=body))
    response.status_code = problem.status
    response.headers["Content-Language"] = language
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="foyer"'
    return response


def register(app: Flask) -> None:
    """Let every error of the application end as a problem."""
    app.register_error_handler(Problem, respond)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(FoyerError, _from_foyer)
    app.register_error_handler(Exception, _from_bug)


def _from_http(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < HTTPStatus.BAD_REQUEST:  # a redirect made by the router
        return Response(error.get_response())  # type: ignore[arg-type]
    if isinstance(error, RequestEntityTooLarge):
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    response = respond(Problem(_BY_STATUS.get(status, "bad-request" if status < 500 else "internal-error")))  # noqa: PLR2004 - the family of server errors
    if "Allow" in (headers := dict(error.get_headers(request.environ))):
        response.headers["Allow"] = headers["Allow"]
    return response


def _from_foyer(error: FoyerError) -> Response:
    return respond(Problem("unavailable", error.what, error.mend))


def _from_bug(error: Exception) -> Response:
    logger.error("event=web-error path=%s", request.path, exc_info=error)
    return respond(Problem("internal-error", mend=_MEND_INTERNAL))
