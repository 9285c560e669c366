"""The shapes of the HTTP contract, key by key: a test here fails when one changes."""

from datetime import UTC, datetime

import pytest

from gateway.clock import from_datetime, to_iso
from gateway.config import Store
from gateway.errors import FoyerError, Text
from gateway.store.load import load_minutes
from tests.web.conftest import ORIGIN, PASSWORD
from tests.web.feed_server import HEALTHY, NOON

START = from_datetime(datetime(2026, 6, 21, 8, tzinfo=UTC))
MINUTE = 60_000
BUCKET = [
    "from", "to", "import", "export", "production", "consumption", "self_consumption", "self_sufficiency", "coverage",
    "estimated",
]  # fmt: skip


@pytest.fixture
def stored(config, clock):
    """Store two hours of a sunny morning: 1 kW of sun, a third of it used, nothing bought in the second hour."""
    config.state.mkdir(exist_ok=True)
    minutes = [
        (
            START + n * MINUTE,
            {
                "grid.import.energy": 5000 + min(n, 60) * 10,
                "grid.export.energy": 100 + n * 8,
                "pv.energy": 90_000 + n * 12,
                "pv.power": 720,
                "grid.tariff.period": "hp",
            },
        )
        for n in range(121)
    ]
    load_minutes(config.measure_db, minutes, demo=True, clock=clock, settings=Store())


def get(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json


def test_live(program):
    body = get(program, "/api/v1/live")

    assert list(body) == ["at", "signals"]
    assert set(body["signals"]) == set(NOON)
    for name, sig in body["signals"].items():
        assert list(sig) == ["value", "unit", "at", "age_s", "quality", "source"], name
    assert body["signals"]["pv.power"] | {"at": ""} == {
        "value": 2120, "unit": "W", "at": "", "age_s": 0.4, "quality": "measured", "source": "test",
    }  # fmt: skip


def test_history(program, stored):
    body = get(program, "/api/v1/history?signal=pv.power&from=2026-06-21T08:00Z&to=2026-06-21T09:00Z&step=30m")

    assert list(body) == ["signal", "unit", "step", "points"]
    assert (body["signal"], body["unit"], body["step"]) == ("pv.power", "W", "30m")
    assert body["points"] == [
        ["2026-06-21T08:00:00.000Z", 720, "measured"],
        ["2026-06-21T08:30:00.000Z", 720, "measured"],
    ]


def test_history_of_a_gap_is_null(program, stored):
    body = get(program, "/api/v1/history?signal=pv.power&from=2026-06-20T08:00Z&to=2026-06-20T08:30Z&step=30m")
    assert [point[1] for point in body["points"]] == [None]


def test_history_of_a_state_is_its_changes(program, stored):
    body = get(program, "/api/v1/history?signal=grid.tariff.period&from=1990-01-01&step=1m")
    assert [point[1] for point in body["points"]][-1] == "hp"


def test_history_before_anything_is_stored_is_empty(program):
    body = get(program, "/api/v1/history?signal=pv.power")
    assert {point[1] for point in body["points"]} == {None}


def test_history_keeps_a_plus_sign_that_was_not_encoded(program, stored):
    body = get(program, "/api/v1/history?signal=pv.power&from=2026-06-21T10:00+02:00&to=2026-06-21T11:00+02:00&step=1h")
    assert [point[0] for point in body["points"]] == ["2026-06-21T08:00:00.000Z"]


def test_energy(program, stored):
    body = get(program, "/api/v1/energy?from=2026-06-21T08:00Z&to=2026-06-21T10:00Z&step=1h")

    assert list(body) == ["from", "to", "step", "timezone", "buckets"]
    assert body["step"] == "1h"
    assert body["timezone"] == "Europe/Paris"
    first, second = body["buckets"]
    assert list(first) == list(second) == BUCKET
    assert (first["from"], first["to"]) == ("2026-06-21T08:00:00.000Z", "2026-06-21T09:00:00.000Z")
    assert [first[name] for name in BUCKET[2:7]] == [600, 480, 720, 840, 240]
    assert [second[name] for name in BUCKET[2:7]] == [0, 480, 720, 240, 240]
    assert second["self_sufficiency"] == 1
    assert first["self_sufficiency"] == pytest.approx(240 / 840, abs=1e-4)
    assert first["estimated"] is False
    assert 0 <= first["coverage"] <= 1


def test_energy_that_is_not_known_is_null_and_never_zero(program):
    for bucket in get(program, "/api/v1/energy?from=2020-01-01&to=2020-01-02&step=1h")["buckets"]:
        assert [bucket[name] for name in BUCKET[2:8]] == [None] * 6
        assert bucket["coverage"] == 0


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-06-21", 24), ("2026-10-25", 25)])
def test_a_day_is_the_day_of_the_home(program, clock, day, hours):
    clock.wall = from_datetime(datetime(2027, 1, 1, tzinfo=UTC))
    after = f"{day[:-2]}{int(day[-2:]) + 1}"
    body = get(program, f"/api/v1/energy?from={day}&to={after}&step=1h")
    assert len(body["buckets"]) == hours


def test_health(program):
    body = get(program, "/api/v1/health")

    assert body == HEALTHY
    assert list(body) == ["state", "checks"]
    assert list(body["checks"][0]) == ["id", "state", "code", "text", "mend", "since", "details"]


def test_healthz_says_status_words_to_anyone_and_nothing_else(stranger):
    assert get(stranger, "/healthz") == {"status": "ok", "gateway": "connected"}


def test_the_default_is_the_last_day(program, clock):
    body = get(program, "/api/v1/energy")
    assert body["to"] == to_iso(clock.now())
    assert body["step"] == "1h"
    assert len(body["buckets"]) in (24, 25)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("history", "signal"),
        ("history?signal=", "signal"),
        ("history?signal=pv.powr", "signal"),
        ("history?signal=pv.power@UPPER", "signal"),
        ("history?signal=" + "x" * 3000, "signal"),
        ("history?signal=pv.power&step=2h", "step"),
        ("history?signal=pv.power&from=2026-06-01&to=2026-06-20&step=1m", "step"),
        ("history?signal=pv.power&from=2026-06-01&to=2026-06-20&step=raw", "step"),
        ("history?signal=pv.power&from=yesterday", "from"),
        ("history?signal=pv.power&from=9999-12-31T23:59:59%2B00:00", "from"),
        ("history?signal=pv.power&from=0001-01-01", "from"),
        ("history?signal=pv.power&to=2026-13-01", "to"),
        ("history?signal=pv.power&from=2026-06-02&to=2026-06-01", "from"),
        ("history?signal=pv.power&from=2026-06-01&to=2026-06-01", "from"),
        ("history?signal=pv.power&from=%00", "from"),
        ("energy?step=raw", "step"),
        ("energy?from=2026-06-01&to=2020-01-01", "from"),
        ("energy?from=1990-01-01&step=1h", "step"),
    ],
)
def test_a_parameter_that_is_not_accepted_is_named_with_its_mend(program, path, parameter):
    answer = program.get(f"/api/v1/{path}")

    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert list(answer.json) == ["type", "title", "status", "detail", "mend", "parameter"]
    assert answer.json["type"] == "urn:foyer:problem:bad-parameter"
    assert answer.json["parameter"] == parameter


def test_a_problem_speaks_the_language_asked_for(program):
    for language, word in (("fr-FR,fr", "Essayez"), ("en-GB", "Try"), ("de", "Essayez")):
        answer = program.get("/api/v1/history?signal=pv.powr", headers={"Accept-Language": language})
        assert answer.json["mend"] == f"{word} signal=pv.power."


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("POST", "/api/v1/live", 405, "method-not-allowed"),
        ("DELETE", "/api/v1/sessions/999", 404, "not-found"),
        ("DELETE", "/api/v1/keys/999", 404, "not-found"),
    ],
)
def test_what_the_api_does_not_do_is_a_problem(browser, method, path, status, slug):
    answer = browser.open(path, method=method, headers=ORIGIN, json={})

    assert answer.status_code == status
    assert answer.json["type"] == f"urn:foyer:problem:{slug}"
    assert list(answer.json) == ["type", "title", "status"]
    assert status != 405 or "GET" in answer.headers["Allow"]


def test_without_a_key_the_api_says_how_to_get_in(stranger):
    answer = stranger.get("/api/v1/live")

    assert answer.status_code == 401
    assert answer.json["type"] == "urn:foyer:problem:sign-in-needed"
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_store_that_cannot_be_read_is_unavailable_with_its_mend(program, config):
    config.state.mkdir(exist_ok=True)
    config.measure_db.write_bytes(b"not a database" * 1000)
    answer = program.get("/api/v1/history?signal=pv.power")

    assert answer.status_code == 503
    assert answer.json["type"] == "urn:foyer:problem:unavailable"
    assert "mend" in answer.json


def test_a_bug_is_a_problem_without_its_details(program, monkeypatch, caplog):
    monkeypatch.setattr("web.api.health.jsonify", lambda *_: 1 / 0)
    answer = program.get("/api/v1/health")

    assert answer.status_code == 500
    assert answer.json["type"] == "urn:foyer:problem:internal-error"
    assert "Zero" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_a_known_error_keeps_its_words(program, monkeypatch):
    def refuse(*_):
        raise FoyerError(Text("Non.", "No."), Text("Oui.", "Yes."))

    monkeypatch.setattr("web.api.health.jsonify", refuse)
    assert program.get("/api/v1/health").json["detail"] == "Non."


def test_too_much_is_refused(browser):
    answer = browser.post("/api/v1/keys", data="x" * 70_000, content_type="application/json", headers=ORIGIN)
    assert answer.status_code == 413
    assert answer.json["type"] == "urn:foyer:problem:too-large"


def test_a_person_sees_an_error_as_a_page(browser):
    answer = browser.get("/nowhere", headers={"Accept": "text/html"})

    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "Cette adresse n’existe pas." in answer.text


def test_a_hostile_address_is_not_repeated_as_markup(browser):
    answer = browser.get("/<script>alert(1)</script>", headers={"Accept": "text/html"})
    assert "<script>alert" not in answer.text


# -- the household's doors


def test_the_sessions_are_listed_and_ended(browser, app, box, account):
    box.accounts.begin_session(account, "Tablette")
    listed = get(browser, "/api/v1/sessions")["sessions"]

    assert [list(one) for one in listed] == [["id", "agent", "created", "seen", "current"]] * 2
    assert {one["agent"]: one["current"] for one in listed} == {"Firefox": True, "Tablette": False}
    other = next(one["id"] for one in listed if not one["current"])
    assert browser.delete(f"/api/v1/sessions/{other}", headers=ORIGIN).status_code == 204
    assert len(get(browser, "/api/v1/sessions")["sessions"]) == 1


def test_a_key_is_made_shown_once_listed_and_withdrawn(browser, app):
    made = browser.post("/api/v1/keys", json={"name": " Tableau ", "password": PASSWORD}, headers=ORIGIN)
    program = app.test_client()
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {made.json['key']}"

    assert made.status_code == 201
    assert list(made.json) == ["name", "key"]
    assert program.get("/metrics").status_code == 200
    listed = get(browser, "/api/v1/keys")["keys"]
    assert [list(one) for one in listed] == [["id", "name", "created"]] * 2
    assert [one["name"] for one in listed] == ["test", "Tableau"]
    assert made.json["key"] not in str(listed)
    assert browser.delete(f"/api/v1/keys/{listed[1]['id']}", headers=ORIGIN).status_code == 204
    assert program.get("/metrics").status_code == 401


def test_two_keys_of_one_name_conflict(browser):
    answer = browser.post("/api/v1/keys", json={"name": "test", "password": PASSWORD}, headers=ORIGIN)
    assert answer.status_code == 409
    assert answer.json["type"] == "urn:foyer:problem:conflict"


def test_a_new_password_is_taken_and_signs_the_others_out(browser, box, account):
    other = box.accounts.begin_session(account, "Tablette")
    sent = {"password": PASSWORD, "new_password": "une phrase toute neuve"}

    assert browser.post("/api/v1/password", json=sent, headers=ORIGIN).status_code == 204
    assert box.accounts.session(other) is None
    assert browser.get("/api/v1/live").status_code == 200
    assert box.accounts.check("essai", "une phrase toute neuve")


@pytest.mark.parametrize(
    ("path", "body", "status", "parameter"),
    [
        ("keys", {"name": "x", "password": "wrong"}, 403, None),
        ("keys", {"name": "x"}, 400, "password"),
        ("keys", {"name": "  ", "password": PASSWORD}, 400, "name"),
        ("keys", {"name": ["x"], "password": PASSWORD}, 400, "name"),
        ("keys", [], 400, None),
        ("keys", "text", 400, None),
        ("password", {"password": PASSWORD, "new_password": "court"}, 400, "new_password"),
        ("password", {"password": "wrong", "new_password": "une phrase toute neuve"}, 403, None),
    ],
)
def test_a_door_is_not_changed_by_a_wrong_request(browser, box, path, body, status, parameter):
    answer = browser.post(f"/api/v1/{path}", json=body, headers=ORIGIN)

    assert answer.status_code == status
    assert answer.json.get("parameter") == parameter
    assert [key.name for key in box.accounts.app_keys()] == ["test"]
    assert box.accounts.check("essai", PASSWORD)


def test_guessing_the_password_through_the_api_has_to_wait_too(browser):
    answers = [browser.post("/api/v1/keys", json={"name": "x", "password": "wrong"}, headers=ORIGIN) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "2"
