"""The built files, the language and the theme."""

import json

import pytest
from flask import render_template_string

from web.assets import Assets


@pytest.fixture
def folder(tmp_path, app):
    (tmp_path / "app-3f2a91.js").write_text("1")
    (tmp_path / "plain.js").write_text("2")
    (tmp_path / "manifest.json").write_text(json.dumps({"app.js": "app-3f2a91.js", "plain.js": "plain.js"}))
    app.static_folder = str(tmp_path)
    app.assets = Assets(tmp_path)
    return tmp_path


def rendered(app, template, **request):
    with app.test_request_context(**request):
        return render_template_string(template)


def test_a_built_file_is_found_under_its_hashed_name_and_kept_for_a_year(app, folder, stranger):
    address = rendered(app, "{{ asset('app.js') }}")
    with stranger.get(address) as answer:
        assert address == "/static/app-3f2a91.js"
        assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_a_file_without_a_hash_keeps_its_name_and_is_asked_for_each_time(app, folder, stranger):
    assert rendered(app, "{{ asset('plain.js') }}") == "/static/plain.js"
    assert rendered(app, "{{ asset('other.js') }}") == "/static/other.js"
    with stranger.get("/static/plain.js") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"


def test_a_new_build_is_seen_without_a_restart(app, folder):
    import os

    (folder / "manifest.json").write_text(json.dumps({"app.js": "app-77.js"}))
    os.utime(folder / "manifest.json", ns=(1, 1))
    assert rendered(app, "{{ asset('app.js') }}") == "/static/app-77.js"
    (folder / "manifest.json").unlink()
    assert rendered(app, "{{ asset('app.js') }}") == "/static/app.js"


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "/etc/passwd"])
def test_nothing_outside_the_folder_is_served(folder, stranger, path):
    assert stranger.get(f"/static/{path}").status_code in (303, 308, 404)


@pytest.mark.parametrize(
    ("wishes", "language"),
    [
        ({}, "fr"),
        ({"headers": {"Accept-Language": "en-GB,en;q=0.9"}}, "en"),
        ({"headers": {"Accept-Language": "de,en;q=0.5"}}, "en"),
        ({"headers": {"Accept-Language": "de"}}, "fr"),
        ({"headers": {"Accept-Language": "en", "Cookie": "lang=fr"}}, "fr"),
        ({"headers": {"Cookie": "lang=fr"}, "query_string": "lang=en"}, "en"),
        ({"headers": {"Cookie": "lang=xx"}, "query_string": "lang=../../etc"}, "fr"),
    ],
)
def test_the_language_is_the_one_asked_for_then_kept_then_spoken(app, wishes, language):
    assert rendered(app, "{{ language }}", **wishes) == language


@pytest.mark.parametrize(
    ("wishes", "theme"),
    [
        ({}, "auto"),
        ({"headers": {"Cookie": "theme=dark"}}, "dark"),
        ({"headers": {"Cookie": "theme=dark"}, "query_string": "theme=light"}, "light"),
        ({"headers": {"Cookie": 'theme="><script>'}}, "auto"),
    ],
)
def test_the_theme_is_the_one_asked_for_or_kept(app, wishes, theme):
    assert rendered(app, "{{ theme }}", **wishes) == theme


def test_a_wish_in_the_address_is_kept(stranger):
    stranger.get("/connexion?lang=en&theme=dark")
    assert stranger.get_cookie("lang").value == "en"
    assert stranger.get_cookie("theme").value == "dark"
    stranger.get("/connexion?lang=xx&theme=")
    assert stranger.get_cookie("lang").value == "en"


def test_templates_know_the_home_only_after_sign_in(app, box, account):
    template = "{{ home_name }}|{{ demo }}|{{ snapshot.connected }}"
    token = box.accounts.begin_session(account, "")

    assert rendered(app, template) == "|True|"
    with app.test_request_context(headers={"Cookie": f"foyer_session={token}"}):
        app.preprocess_request()
        assert render_template_string(template) == "Maison d’essai|True|True"


def test_a_hostile_name_of_the_home_is_shown_as_text(app, box, account, gateway, feed):
    with feed._changed:
        feed._home = {"name": "<script>alert(1)</script>"}
    token = box.accounts.begin_session(account, "")
    with app.test_request_context(headers={"Cookie": f"foyer_session={token}"}):
        app.preprocess_request()
        assert "<script>" not in render_template_string("{{ home_name }}")
