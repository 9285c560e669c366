import dataclasses
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Config, Web
from tests.web.conftest import ORIGIN, PASSWORD, USER, form_token
from web.security import HostGuard, split_host

MACHINE = socket.gethostname()


@pytest.fixture
def guard():
    return HostGuard(lambda *_: [], dataclasses.replace(Config(), web=Web(hosts=("maison.lan", "[fd00::7]:81"))))


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:8080", "LOCALHOST", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080",
        MACHINE, f"{MACHINE}:8080", f"{MACHINE}.local", f"{MACHINE.upper()}.LOCAL.",
        "foyer.local", "foyer-2.local:8080",
        "foyer.local.", "maison.lan", "maison.lan:9000", "[fd00::7]",
    ],
)  # fmt: skip
def test_the_box_answers_to_its_own_names(guard, host):
    assert guard.allows(host)


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "evil.example:8080", "foyer.local.evil.example", "evil-foyer.local", "foyer-evil.local",
        "localhost.evil.example", "192.168.1.5", "127.0.0.2", "0.0.0.0", "[::]", "user@localhost", "localhost@evil",
        "localhost,evil.example", "localhost evil", "localhost/evil", "[localhost]", "localhost:port", "localhost:",
        "::1",
        "127.0.0.1.nip.io", "2130706433", "foyer.local\x00", "foyer.local\n",
    ],
)  # fmt: skip
def test_the_box_answers_to_no_other_name(guard, host):
    assert not guard.allows(host)


@given(st.text())
def test_no_text_breaks_the_reading_of_a_host(host):
    found = split_host(host)
    assert found is None or (found[0] == found[0].lower() and (found[1] == "" or found[1].isdigit()))


def test_an_address_is_ours_when_the_connection_came_in_on_it(guard):
    with socket.create_server(("127.0.0.2", 0)) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            assert guard.allows("127.0.0.2:8080", accepted)
            assert not guard.allows("127.0.0.3", accepted)
            assert not guard.allows("evil.example", accepted)


def test_an_ipv4_address_is_ours_on_a_socket_of_both_families(guard):
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server,
        socket.create_connection(("127.0.0.2", server.getsockname()[1])),
    ):
        accepted, _ = server.accept()
        with accepted:
            assert guard.allows("127.0.0.2", accepted)


def test_a_closed_connection_has_no_address(guard):
    closed = socket.socket()
    closed.close()
    assert not guard.allows("10.0.0.1", closed)


@pytest.mark.parametrize("path", ["/", "/healthz", "/static/app.js", "/api/v1/live", "/connexion", "/nowhere"])
def test_a_wrong_host_is_refused_before_anything_else(browser, path):
    answer = browser.get(path, headers={"Host": "evil.example"})

    assert answer.status_code == 421
    assert answer.json["type"] == "urn:foyer:problem:unknown-host"
    assert answer.mimetype == "application/problem+json"
    assert "[web]" in answer.json["mend"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_wrong_host_is_refused_in_english_and_without_body_for_head(browser):
    answer = browser.get("/", headers={"Host": "evil.example", "Accept-Language": "en-GB"})
    assert answer.json["title"].startswith("This name")
    assert browser.head("/", headers={"Host": "evil.example"}).data == b""


def sign_in(client, headers, host="localhost:8080", **fields):
    page = client.get("/connexion", headers={"Host": host})
    form = {"user": USER, "password": PASSWORD, "csrf_token": form_token(page)}
    return client.post("/connexion", data={**form, **fields}, headers={"Host": host, **headers})


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("localhost:8080", {"Origin": "http://localhost:8080"}),
        ("localhost:8080", {"Origin": "http://LOCALHOST:8080"}),
        ("localhost", {"Origin": "http://localhost"}),
        ("localhost", {"Origin": "http://localhost:80"}),
        ("foyer.local:443", {"Origin": "https://foyer.local"}),
        ("foyer.local", {"Referer": "http://foyer.local/connexion?next=/"}),
        ("[::1]:8080", {"Origin": "http://[::1]:8080"}),
    ],
)
def test_a_form_of_our_own_page_is_taken(stranger, host, headers):
    assert sign_in(stranger, headers, host).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost"},  # another port is another program
        {"Origin": "http://localhost:8081"},
        {"Origin": "https://localhost"},
        {"Origin": "http://127.0.0.1:8080"},  # ours too, but not the one this page was opened with
        {"Origin": "http://localhost:8080.evil.example"},
        {"Origin": "http://localhost:8080@evil.example"},
        {"Origin": "localhost:8080"},
        {"Origin": "file://localhost:8080"},
        {"Origin": "http://[broken"},
        {"Referer": "http://evil.example/?http://localhost:8080"},
        {"Origin": "http://evil.example", "Referer": "http://localhost:8080/"},
    ],
)
def test_a_form_from_anywhere_else_is_refused(stranger, headers):
    answer = sign_in(stranger, {**headers, "Accept": "application/json"})

    assert answer.status_code == 403
    assert answer.json["type"] == "urn:foyer:problem:wrong-origin"
    assert stranger.get_cookie("foyer_session") is None


@pytest.mark.parametrize("token", ["", "0" * 64, "é", "\x00"])
def test_a_form_without_its_token_is_refused(stranger, token):
    answer = sign_in(stranger, {"Origin": "http://localhost:8080", "Accept": "application/json"}, csrf_token=token)

    assert answer.status_code == 403
    assert answer.json["type"] == "urn:foyer:problem:form-expired"


def test_the_token_of_another_browser_is_refused(app, stranger):
    theirs = form_token(app.test_client().get("/connexion"))
    answer = sign_in(stranger, {"Origin": "http://localhost:8080"}, csrf_token=theirs)
    assert answer.status_code == 403


def test_plain_text_cannot_pass_for_a_form_or_for_json(browser):
    answer = browser.post("/api/v1/keys", data='{"name":"x"}', content_type="text/plain", headers=ORIGIN)
    assert answer.status_code == 403


def test_json_from_our_own_page_needs_no_form_token(browser):
    answer = browser.post("/api/v1/keys", json={"name": "x", "password": PASSWORD}, headers=ORIGIN)
    assert answer.status_code == 201


def test_json_from_elsewhere_is_refused(browser):
    answer = browser.post(
        "/api/v1/keys", json={"name": "x", "password": PASSWORD}, headers={"Origin": "http://evil.example"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/connexion", "/healthz", "/api/v1/live", "/nowhere", "/static/none.js"])
def test_every_answer_carries_the_headers(browser, path):
    answer = browser.get(path)
    policy = answer.headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "geolocation=()" in answer.headers["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/connexion", "/", "/api/v1/live", "/api/v1/health", "/metrics", "/healthz"])
def test_nothing_of_the_home_is_kept_by_a_browser(browser, path):
    assert browser.get(path).headers["Cache-Control"] == "no-store"


def test_a_preflight_from_elsewhere_gets_no_permission(stranger):
    answer = stranger.options(
        "/api/v1/live", headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}
    )
    assert not any(name.startswith("Access-Control") for name, _ in answer.headers)
