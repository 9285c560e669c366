import re

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from web.auth import guard


@pytest.fixture
def document(program):
    answer = program.get("/api/v1/openapi.json")
    assert answer.mimetype == "application/json"
    return answer.json


def routes(app):
    """Yield (path as OpenAPI writes it, method) of everything but pages and sign-in."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] not in ("pages", "auth", "static"):
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                yield re.sub(r"<(?:\w+:)?\w+>", "{id}", rule.rule), method.lower(), rule.endpoint


def test_the_document_is_valid(document):
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_route_is_described_and_nothing_else(app, document):
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert described == {(path, method) for path, method, _ in routes(app)}


def test_who_may_ask_is_described_as_the_guard_does_it(app, document):
    for path, method, endpoint in routes(app):
        ways = [next(iter(one)) for one in document["paths"][path][method]["security"]]
        expected = [] if endpoint in guard.OPEN else ["session", "appKey"] if endpoint in guard.KEYED else ["session"]
        assert ways == expected, endpoint


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/live",
        "/api/v1/health",
        "/api/v1/history?signal=pv.power",
        "/api/v1/history?signal=grid.tariff.period",
        "/api/v1/energy",
        "/api/v1/sessions",
        "/api/v1/keys",
        "/healthz",
        "/api/v1/history?signal=none",
    ],
)
def test_each_answer_is_as_it_is_described(browser, app, document, path):
    answer = browser.get(path)
    described = document["paths"][path.partition("?")[0]]["get"]["responses"][str(answer.status_code)]
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    schema = described["content"][answer.mimetype]["schema"]

    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json)
