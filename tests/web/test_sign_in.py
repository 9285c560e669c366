import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.conftest import KEY, ORIGIN, PASSWORD, USER, form_token, post_form
from web.auth.guard import local_path
from web.security import form_token as form_token_of_request


def sign_in(client, password=PASSWORD, user=USER, **more):
    return post_form(client, "/connexion", user=user, password=password, **more)


def test_the_right_password_signs_in_and_goes_where_one_was_going(stranger):
    assert stranger.get("/api/v1/live").status_code == 401
    answer = sign_in(stranger, next="/historique?mois=2025-06")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/historique?mois=2025-06")
    assert stranger.get("/api/v1/live").status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger):
    cookie = next(one for one in sign_in(stranger).headers.getlist("Set-Cookie") if "foyer_session" in one)

    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie


def test_the_cookie_stays_on_https_where_there_is_https(app, account):
    client = app.test_client()
    page = client.get("/connexion", base_url="https://localhost")
    fields = {"csrf_token": form_token(page), "user": USER, "password": PASSWORD}
    answer = client.post(
        "/connexion", data=fields, base_url="https://localhost", headers={"Origin": "https://localhost"}
    )

    assert answer.status_code == 303
    assert all("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody", PASSWORD), ("", ""), ("x" * 5000, "y")])
def test_a_wrong_name_and_a_wrong_password_are_told_the_same(stranger, user, password):
    answer = sign_in(stranger, user=user, password=password)

    assert answer.status_code == 403
    assert "Vérifiez-les" in answer.text
    assert "foyer_session" not in "".join(answer.headers.getlist("Set-Cookie"))


def test_after_five_mistakes_one_waits_even_with_the_right_password(stranger, clock):
    for _ in range(5):
        assert sign_in(stranger, "wrong").status_code == 403
    answer = sign_in(stranger)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "2"
    clock.pass_s(2)
    assert sign_in(stranger).status_code == 303


def test_a_long_wait_is_told_in_minutes(stranger, clock, box):
    for _ in range(14):
        sign_in(stranger, "wrong")
        clock.pass_s(900)
    sign_in(stranger, "wrong", user="somebody-else")
    assert "15 minutes" in sign_in(stranger, "wrong", user="a-third").text


def test_signing_out_ends_the_session_everywhere_it_was_copied(stranger, app):
    token = form_token(stranger.get("/connexion"))
    sign_in(stranger)
    copied = app.test_client()
    copied.set_cookie("foyer_session", stranger.get_cookie("foyer_session").value)
    refused = stranger.post("/deconnexion", data={"csrf_token": token}, headers=ORIGIN)
    answer = stranger.post("/deconnexion", headers={**ORIGIN, "X-CSRF-Token": session_form_token(copied)})

    assert refused.status_code == 403  # the token of before the sign-in
    assert answer.headers["Location"] == "/connexion"
    assert stranger.get_cookie("foyer_session") is None
    assert copied.get("/api/v1/live").status_code == 401


def session_form_token(client):
    """Return the token of a signed-in browser's forms, as the pages write it."""
    with client.application.test_request_context(
        headers={"Cookie": f"foyer_session={client.get_cookie('foyer_session').value}"}
    ):
        return form_token_of_request()


def test_someone_signed_in_has_no_need_of_the_sign_in_page(browser):
    assert browser.get("/connexion?next=/historique").headers["Location"] == "/historique"


def test_a_page_leads_to_the_sign_in_and_remembers_itself(stranger):
    assert stranger.get("/").headers["Location"] == "/connexion"
    assert stranger.get("/historique?a=1&b=2").headers["Location"] == "/connexion?next=/historique?a%3D1%26b%3D2"
    assert stranger.post("/historique", headers=ORIGIN).headers["Location"] == "/connexion"


def test_nothing_of_the_home_shows_before_sign_in(stranger):
    page = stranger.get("/connexion").text
    for word in ("Ma maison", "Maison d’essai", "2120", USER):
        assert word not in page


def test_no_secret_is_ever_logged(stranger, caplog):
    caplog.set_level(logging.DEBUG)
    sign_in(stranger, "a secret that is wrong")
    sign_in(stranger)
    stranger.get("/api/v1/live", headers={"Authorization": f"Bearer {KEY}"})

    for secret in ("a secret that is wrong", PASSWORD, KEY, stranger.get_cookie("foyer_session").value):
        assert secret not in caplog.text


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example", "http://evil.example/", "https:evil", "/\\evil.example", "\\\\evil", "javascript:alert(1)",
        "/\t/evil.example", "/a\r\nSet-Cookie: x=1", "evil", "", None, "///evil", "/\x7f",
    ],
)  # fmt: skip
def test_the_way_back_never_leads_out(wanted):
    assert local_path(wanted) == "/"


@pytest.mark.parametrize("wanted", ["/", "/historique", "/historique?jour=2025-06-21#midi", "/a//b", "/é"])
def test_the_way_back_leads_to_any_page_of_the_box(wanted):
    assert local_path(wanted) == wanted


@given(st.text())
def test_any_way_back_stays_on_the_box(wanted):
    path = local_path(wanted)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))


def test_a_hostile_way_back_is_shown_as_text(stranger):
    page = stranger.get('/connexion?next=/"><script>alert(1)</script>').text
    assert "<script>alert" not in page


def test_a_hostile_name_is_shown_as_text(stranger):
    page = sign_in(stranger, "wrong", user='"><script>alert(1)</script>').text
    assert "<script>alert" not in page
