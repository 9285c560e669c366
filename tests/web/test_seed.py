import io
import json
import sys
from contextlib import closing

import pytest

from gateway.clock import system_clock
from gateway.config import load
from tests.web.running import KEY, PASSWORD, USER, write_home
from web.auth.accounts import Accounts
from web.auth.seed import main
from web.home_db import HomeDb


@pytest.fixture
def file(home):
    return write_home(home, 8080, account=False)


def run(file, monkeypatch, given):
    monkeypatch.setattr(sys, "argv", ["seed", "--config", str(file)])
    monkeypatch.setattr(sys, "stdin", io.StringIO(given if isinstance(given, str) else json.dumps(given)))
    return main()


def seeded(user=USER, password=PASSWORD, app_key=KEY):
    return {"user": user, "password": password, "app_key": app_key}


def test_a_demo_gets_its_account_and_its_key_and_a_second_run_brings_them_up_to_date(file, monkeypatch):
    assert run(file, monkeypatch, seeded()) == 0
    assert run(file, monkeypatch, seeded(password="demo", app_key="other")) == 0
    with closing(HomeDb(load(file).home_db)) as db:
        accounts = Accounts(db, system_clock())
        assert accounts.check(USER, "demo")
        assert accounts.check(USER, PASSWORD) is None
        assert accounts.key("other")
        assert accounts.key(KEY) is None


def test_the_same_password_again_keeps_the_sessions(file, monkeypatch):
    run(file, monkeypatch, seeded())
    with closing(HomeDb(load(file).home_db)) as db:
        accounts = Accounts(db, system_clock())
        token = accounts.begin_session(accounts.find(USER), "")
        run(file, monkeypatch, seeded())
        assert accounts.session(token)


def test_a_home_with_another_account_is_left_alone(file, monkeypatch, capsys):
    run(file, monkeypatch, seeded())
    assert run(file, monkeypatch, seeded(user="other")) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    "given", ["", "[]", "{", '{"user":"x"}', {"user": "x", "password": 1, "app_key": "k"}, seeded(app_key="")]
)
def test_a_wrong_input_is_one_sentence_and_status_1(file, monkeypatch, capsys, given):
    assert run(file, monkeypatch, given) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
