"""The household's own doors: its sessions, its password and its app keys. Signed-in people only, never an app key.

Whatever opens a new door (a key, another password) asks for the present password again.
"""

from __future__ import annotations

import math
from typing import Any

from flask import Blueprint, Response, jsonify, request

from gateway.clock import to_iso
from gateway.errors import FoyerError, Text
from web.api import PREFIX
from web.auth import attempts, guard, passwords
from web.problems import Problem
from web.settings import box

account_api = Blueprint("account", __name__, url_prefix=PREFIX)

LONGEST_NAME = 60

_WRONG_PASSWORD = Text("Le mot de passe actuel ne convient pas.", "The present password does not match.")
_NOT_JSON = Text("L’envoi doit être un objet JSON.", "What is sent must be a JSON object.")


def _sent(*names: str) -> list[str]:
    body: Any = request.get_json(silent=True) if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise Problem("bad-request", _NOT_JSON)
    for name in names:
        if not isinstance(body.get(name), str) or not body[name].strip():
            raise Problem(
                "bad-parameter",
                Text(f"« {name} » manque.", f"“{name}” is missing."),
                Text(f"Donnez « {name} » comme un texte.", f"Give “{name}” as a text."),
                parameter=name,
            )
    return [body[name] for name in names]


def _check_password(password: str) -> None:
    account = guard.required_session().account
    who = (attempts.account(account.user), attempts.address(request.remote_addr))
    if wait := math.ceil(box().attempts.admit(*who)):
        raise Problem("too-many-attempts", retry_after=wait)
    if box().accounts.check(account.user, password) is None:
        raise Problem("forbidden", _WRONG_PASSWORD)
    box().attempts.forget(*who)


@account_api.get("/sessions")
def sessions() -> Response:
    """Return the signed-in browsers."""
    mine = guard.required_session()
    return jsonify(
        sessions=[
            {
                "id": one.id,
                "agent": one.agent,
                "created": to_iso(one.created),
                "seen": to_iso(one.seen),
                "current": one.id == mine.id,
            }
            for one in box().accounts.sessions(mine.account)
        ]
    )


@account_api.delete("/sessions/<int:number>")
def end_session(number: int) -> tuple[str, int]:
    """Sign one browser out."""
    if not box().accounts.end_session(guard.required_session().account, number):
        raise Problem("not-found")
    return "", 204


@account_api.post("/password")
def change_password() -> tuple[str, int]:
    """Change the password (`password`, `new_password`); every other browser is signed out."""
    password, new = _sent("password", "new_password")
    if refusal := passwords.refusal(new):
        raise Problem("bad-parameter", refusal, parameter="new_password")
    _check_password(password)
    mine = guard.required_session()
    box().accounts.change_password(mine.account, new, keep=mine)
    return "", 204


@account_api.get("/keys")
def keys() -> Response:
    """Return the app keys, without their secret."""
    return jsonify(
        keys=[{"id": one.id, "name": one.name, "created": to_iso(one.created)} for one in box().accounts.app_keys()]
    )


@account_api.post("/keys")
def create_key() -> tuple[Response, int]:
    """Make an app key (`name`, `password`) and show it, once."""
    name, password = _sent("name", "password")
    name = name.strip()[:LONGEST_NAME]
    _check_password(password)
    try:
        key = box().accounts.create_key(name)
    except FoyerError as error:
        raise Problem("conflict", error.what, error.mend) from None
    return jsonify(name=name, key=key), 201


@account_api.delete("/keys/<int:number>")
def end_key(number: int) -> tuple[str, int]:
    """Withdraw an app key."""
    if not box().accounts.end_key(number):
        raise Problem("not-found")
    return "", 204
