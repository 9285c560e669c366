"""Every address of the application, as everyone who may ask for it. A new route must be added here, on purpose."""

import pytest

from tests.web.conftest import KEY
from web.auth import guard
from web.problems import Problem

# endpoint: who may ask. "all", "key" (a program or a person), "person" (signed in). A page is always for a person.
TABLE = {
    "static": "all",
    "health.healthz": "all",
    "auth.sign_in": "all",
    "auth.welcome": "all",
    "auth.sign_out": "person",
    "account.change_password": "person",
    "account.create_key": "person",
    "account.end_key": "person",
    "account.end_session": "person",
    "account.keys": "person",
    "account.sessions": "person",
    "health.health": "key",
    "history.energy": "key",
    "history.history": "key",
    "live.live": "key",
    "live.stream": "key",
    "metrics.metrics": "key",
    "openapi.openapi": "key",
}


def who_may(endpoint):
    return "person" if endpoint.startswith("pages.") else TABLE[endpoint]


def addresses(app):
    """Yield (endpoint, method, address) of everything that the application answers."""
    for rule in app.url_map.iter_rules():
        values = dict.fromkeys(rule.arguments, "1")
        with app.test_request_context():
            address = app.url_for(rule.endpoint, **values)
        for method in sorted(rule.methods):
            yield rule.endpoint, method, address


def may(app, method, address, *, key=None, token=None):
    """Tell whether the guard lets a request through; what the route says afterwards is another matter."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    if token:
        headers["Cookie"] = f"foyer_session={token}"
    with app.test_request_context(address, method=method, headers=headers):
        try:
            return guard.identify() is None
        except Problem:
            return False


def test_every_address_is_in_the_table(app):
    known = {rule.endpoint for rule in app.url_map.iter_rules() if not rule.endpoint.startswith("pages.")}

    assert known == set(TABLE)


def test_the_guard_opens_what_the_table_opens_and_nothing_else():
    assert {endpoint for endpoint, who in TABLE.items() if who == "all"} == guard.OPEN
    assert {endpoint for endpoint, who in TABLE.items() if who == "key"} == guard.KEYED


def test_a_stranger_gets_only_what_is_open(app, account):
    for endpoint, method, address in addresses(app):
        assert may(app, method, address) is (who_may(endpoint) == "all"), (endpoint, method)


@pytest.mark.parametrize("key", ["wrong", "", "foyer_", KEY + "x"])
def test_a_wrong_key_opens_nothing_more(app, account, key):
    for endpoint, method, address in addresses(app):
        assert may(app, method, address, key=key) is (who_may(endpoint) == "all"), (endpoint, method)


def test_a_program_only_reads_and_only_the_measures(app, account):
    for endpoint, method, address in addresses(app):
        allowed = who_may(endpoint) == "all" or (who_may(endpoint) == "key" and method in ("GET", "HEAD"))
        assert may(app, method, address, key=KEY) is allowed, (endpoint, method)


def test_a_person_is_let_through_everywhere(app, box, account):
    token = box.accounts.begin_session(account, "")
    for endpoint, method, address in addresses(app):
        assert may(app, method, address, token=token), (endpoint, method)


def test_a_made_up_cookie_opens_nothing_more(app, account):
    for endpoint, method, address in addresses(app):
        assert may(app, method, address, token="made-up") is (who_may(endpoint) == "all"), (endpoint, method)


def test_the_guard_stands_in_front_of_every_request(app):
    assert app.before_request_funcs[None][0] is guard.identify


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/api/v2/live", "/connexion/x", "//", "/API/v1/live"])
def test_a_stranger_is_not_told_what_exists(stranger, path):
    answer = stranger.get(path)

    assert answer.status_code in (303, 308, 401)
    assert answer.status_code != 404


def test_a_wrong_key_is_refused_even_beside_a_good_cookie(browser):
    assert browser.get("/api/v1/live", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_another_kind_of_authorization_is_not_a_key(stranger):
    assert stranger.get("/api/v1/live", headers={"Authorization": f"Basic {KEY}"}).status_code == 401
    assert stranger.get("/api/v1/live", headers={"Authorization": KEY}).status_code == 401
    assert stranger.get(f"/api/v1/live?key={KEY}").status_code == 401


def test_the_word_bearer_may_be_written_in_any_case(stranger):
    assert stranger.get("/api/v1/live", headers={"Authorization": f"bearer {KEY}"}).status_code == 200


def test_a_withdrawn_key_opens_nothing(program, box):
    box.accounts.end_key(box.accounts.app_keys()[0].id)
    assert program.get("/api/v1/live").status_code == 401
