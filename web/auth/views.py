"""Signing in, signing out, and the very first time."""

from __future__ import annotations

import ipaddress
import math

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.errors import FoyerError, Text
from web.auth import attempts, guard, passwords
from web.auth.accounts import LIFE_MS, Account
from web.problems import Problem
from web.settings import SESSION_COOKIE, box, wished_language

auth = Blueprint("auth", __name__)

USUAL_USER = "maison"

_WRONG = Text(
    "Ce nom ou ce mot de passe ne convient pas. Vérifiez-les et réessayez.",
    "This name or this password does not match. Check them and try again.",
)
_WRONG_CODE = Text(
    "Ce code ne convient pas ou n’est plus valable. Demandez-en un nouveau avec « foyer pair ».",
    "This code does not match or is no longer valid. Ask for a new one with “foyer pair”.",
)
_NOT_THE_SAME = Text("Les deux mots de passe diffèrent.", "The two passwords differ.")
_NOT_AT_HOME = Text(
    "La première connexion se fait depuis le réseau de la maison.",
    "The first sign-in is made from the home’s own network.",
)


@auth.route("/connexion", methods=["GET", "POST"])
def sign_in() -> AnyResponse:
    """Show the sign-in page, or check what was typed in it (`user`, `password`, `next`)."""
    if not box().accounts.exist():
        return redirect(url_for("auth.welcome"), code=303)
    wanted = guard.local_path(request.values.get("next"))
    if request.method != "POST":
        if guard.session() is not None:
            return redirect(wanted, code=303)
        return _page("sign_in.html", None, 200, next=wanted, user="")
    user, password = request.form.get("user", ""), request.form.get("password", "")
    who = (attempts.account(user), attempts.address(request.remote_addr))
    if wait := math.ceil(box().attempts.admit(*who)):
        response = _page("sign_in.html", _wait(wait), 429, next=wanted, user=user)
        response.headers["Retry-After"] = str(wait)
        return response
    account = box().accounts.check(user, password)
    if account is None:
        return _page("sign_in.html", _WRONG, 403, next=wanted, user=user)
    box().attempts.forget(*who)
    return _signed_in(account, wanted)


@auth.post("/deconnexion")
def sign_out() -> AnyResponse:
    """End this session."""
    session = guard.required_session()
    box().accounts.end_session(session.account, session.id)
    response = redirect(url_for("auth.sign_in"), code=303)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="Strict", secure=request.is_secure)
    return response


@auth.route("/bienvenue", methods=["GET", "POST"])
def welcome() -> AnyResponse:
    """Make the home's account with the code of `foyer pair` (`code`, `user`, `password`, `password_again`)."""
    if box().accounts.exist():
        return redirect(url_for("auth.sign_in"), code=303)
    if not _from_home(request.remote_addr):
        raise Problem("forbidden", _NOT_AT_HOME)
    if request.method != "POST":
        return _page("pair.html", None, 200, user=USUAL_USER, code="")
    user, code, password = _typed()
    error = passwords.refusal(password)
    if error is None and request.form.get("password_again", password) != password:
        error = _NOT_THE_SAME
    if error is not None:
        return _page("pair.html", error, 400, user=user, code=code)
    return _first_sign_in(user, code, password)


def _typed() -> tuple[str, str, str]:
    form = request.form
    return form.get("user", "").strip() or USUAL_USER, form.get("code", ""), form.get("password", "")


def _first_sign_in(user: str, code: str, password: str) -> AnyResponse:
    who = attempts.address(request.remote_addr)
    if wait := math.ceil(box().attempts.admit(who)):
        response = _page("pair.html", _wait(wait), 429, user=user, code="")
        response.headers["Retry-After"] = str(wait)
        return response
    if not box().pairing.check(code):
        return _page("pair.html", _WRONG_CODE, 403, user=user, code="")
    try:
        account = box().accounts.create(user, password)
    except FoyerError as refusal:
        return _page("pair.html", refusal.what, 409, user=user, code="")
    box().pairing.close()
    box().attempts.forget(who)
    return _signed_in(account, "/")


def _signed_in(account: Account, wanted: str) -> AnyResponse:
    token = box().accounts.begin_session(account, request.headers.get("User-Agent", ""))
    response = redirect(wanted, code=303)
    response.set_cookie(
        SESSION_COOKIE, token, max_age=LIFE_MS // 1000, httponly=True, samesite="Strict", secure=request.is_secure
    )
    return response


def _page(template: str, error: Text | None, status: int, **values: str) -> Response:
    language = wished_language()
    return make_response(render_template(template, error=error.pick(language) if error else None, **values), status)


def _wait(seconds: int) -> Text:
    if seconds > 90:  # noqa: PLR2004 - from there on minutes say it better
        minutes = math.ceil(seconds / 60)
        return Text(
            f"Trop d’essais. Patientez {minutes} minutes avant de recommencer.",
            f"Too many attempts. Wait {minutes} minutes before the next one.",
        )
    return Text(
        f"Trop d’essais. Patientez {seconds} s avant de recommencer.",
        f"Too many attempts. Wait {seconds} s before the next one.",
    )


def _from_home(remote: str | None) -> bool:
    """Tell whether a request comes from the home's own network, as far as its address says."""
    try:
        ip = ipaddress.ip_address((remote or "").partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_private or ip.is_loopback or ip.is_link_local
