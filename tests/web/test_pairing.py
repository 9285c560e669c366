import json
import os
import stat

import pytest
from click.testing import CliRunner

from gateway.errors import FoyerError
from tests.web.conftest import ORIGIN, PASSWORD, form_token, post_form
from tests.web.running import write_home
from web.auth.pairing import LIFE_MS, TRIES, Pairing, pair

WRONG = "00000000"


@pytest.fixture
def pairing(config, clock):
    return Pairing(config.state, clock)


@pytest.fixture
def code(pairing):
    made = pairing.make()[0]
    return made if made != WRONG else pairing.make()[0]


@pytest.fixture
def newcomer(app):
    """Return a browser at a home that has no account yet."""
    return app.test_client()


def test_a_code_has_eight_digits_and_only_its_hash_is_kept(config, pairing, clock):
    code, expires = pairing.make()
    kept = (config.state / "pair.json").read_text()

    assert len(code) == 8
    assert code.isdigit()
    assert expires == clock.now() + 15 * 60 * 1000
    assert code not in kept
    # made by root before the web process has its file, the hash is for the group of the box; else for its maker alone
    expected = 0o640 if os.geteuid() == 0 and not config.home_db.exists() else 0o600
    assert stat.S_IMODE((config.state / "pair.json").stat().st_mode) == expected
    assert [one.name for one in config.state.iterdir()] == ["pair.json"]


def test_the_code_is_right_as_it_is_shown_in_two_groups(pairing, code):
    assert pairing.check(f" {code[:4]} {code[4:]} ")


def test_five_wrong_tries_end_the_code(pairing, code):
    assert not any(pairing.check(WRONG) for _ in range(TRIES))
    assert not pairing.check(code)


def test_the_fifth_try_still_counts(pairing, code):
    for _ in range(TRIES - 1):
        pairing.check(WRONG)
    assert pairing.check(code)


def test_a_code_lasts_fifteen_minutes(pairing, code, clock):
    clock.wall += LIFE_MS
    assert not pairing.check(code)


def test_a_calendar_that_steps_back_does_not_lengthen_a_code(pairing, code, clock):
    clock.wall -= 1
    assert not pairing.check(code)


def test_a_new_code_takes_the_place_of_the_old_one(pairing, code):
    new = pairing.make()[0]
    assert pairing.check(new)
    assert code == new or not pairing.check(code)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"expires":"x","tries":1}', "\xff"])
def test_a_damaged_file_is_no_code(config, pairing, content):
    config.state.mkdir()
    (config.state / "pair.json").write_text(content, encoding="latin-1")
    assert not pairing.check(WRONG)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_code_made_by_root_belongs_to_the_web_process(config, pairing):
    config.state.mkdir()
    (config.state / "home.db").touch()
    os.chown(config.state / "home.db", 12345, 12346)
    pairing.make()
    owner = (config.state / "pair.json").stat()
    assert (owner.st_uid, owner.st_gid) == (12345, 12346)


def test_a_code_that_cannot_be_written_leaves_nothing_behind(config, pairing):
    (config.state / "pair.json").mkdir(parents=True)
    (config.state / "pair.json" / "x").touch()
    with pytest.raises(OSError):
        pairing.make()
    assert [one.name for one in config.state.iterdir()] == ["pair.json"]


# -- the page


def test_a_home_without_account_leads_to_the_first_sign_in(newcomer):
    assert newcomer.get("/").headers["Location"] == "/bienvenue"
    assert newcomer.get("/connexion").headers["Location"] == "/bienvenue"


def test_the_code_and_a_chosen_password_make_the_account_and_sign_in(newcomer, box, code):
    answer = post_form(newcomer, "/bienvenue", code=code, user="Camille", password=PASSWORD)

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
    assert newcomer.get("/api/v1/live").status_code == 200
    assert box.accounts.check("camille", PASSWORD)
    assert not (box.config.state / "pair.json").exists()


def test_a_name_left_empty_gets_the_usual_one(newcomer, box, code):
    post_form(newcomer, "/bienvenue", code=code, password=PASSWORD)
    assert box.accounts.find("maison")


def test_a_wrong_code_makes_nothing(newcomer, box, code):
    answer = post_form(newcomer, "/bienvenue", code=WRONG, user="x", password=PASSWORD)
    assert answer.status_code == 403
    assert not box.accounts.exist()


def test_a_short_password_costs_no_try(newcomer, box, code):
    for _ in range(TRIES + 1):
        assert post_form(newcomer, "/bienvenue", code=code, password="court").status_code == 400
    assert post_form(newcomer, "/bienvenue", code=code, password=PASSWORD).status_code == 303


def test_two_passwords_that_differ_are_refused(newcomer, box, code):
    answer = post_form(newcomer, "/bienvenue", code=code, password=PASSWORD, password_again=PASSWORD + "x")
    assert answer.status_code == 400
    assert not box.accounts.exist()


def test_guessing_codes_from_one_address_soon_has_to_wait(newcomer, pairing):
    answers = [post_form(newcomer, "/bienvenue", code=WRONG, password=PASSWORD) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429]
    assert answers[-1].headers["Retry-After"]


def test_once_there_is_an_account_the_code_opens_nothing(stranger, box, code):
    assert stranger.get("/bienvenue").headers["Location"] == "/connexion"
    token = form_token(stranger.get("/connexion"))
    answer = stranger.post(
        "/bienvenue", data={"csrf_token": token, "code": code, "user": "x", "password": PASSWORD}, headers=ORIGIN
    )
    assert answer.headers["Location"] == "/connexion"
    assert box.accounts.find("x") is None


@pytest.mark.parametrize(
    ("address", "answer"),
    [("192.168.1.30", 200), ("10.0.0.2", 200), ("fe80::1", 200), ("::1", 200), ("93.184.216.34", 403), ("x", 403)],
)
def test_the_first_sign_in_is_for_the_home_network_only(newcomer, address, answer):
    assert newcomer.get("/bienvenue", environ_overrides={"REMOTE_ADDR": address}).status_code == answer


# -- the command


def test_the_command_gives_a_code_that_works(home, clock):
    file = write_home(home, 8080, account=False)
    result = CliRunner().invoke(pair, ["--config", str(file), "--json"])
    answer = json.loads(result.output)

    assert result.exit_code == 0
    assert set(answer) == {"code", "expires", "url"}
    assert answer["url"].endswith(":8080/bienvenue")


def test_the_command_speaks_to_a_person(home, monkeypatch):
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    file = write_home(home, 8080, account=False)
    result = CliRunner().invoke(pair, ["--config", str(file)])

    assert result.output.startswith("Code : ")
    assert "/bienvenue" in result.output


def test_the_command_refuses_when_the_home_has_an_account(home):
    file = write_home(home, 8080)
    result = CliRunner().invoke(pair, ["--config", str(file)])

    assert isinstance(result.exception, FoyerError)
    assert not (home / "state" / "pair.json").exists()


def test_the_command_says_when_the_folder_is_out_of_reach(home):
    file = write_home(home, 8080, account=False)
    (home / "state").write_text("not a folder")
    result = CliRunner().invoke(pair, ["--config", str(file)])

    assert isinstance(result.exception, FoyerError)
    assert "sudo foyer pair" in result.exception.mend.en
