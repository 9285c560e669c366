"""The `foyer` command: lazy, bilingual, with settled exit codes."""

import json
import os
import subprocess
import sys

import pytest

from gateway.language import language


def foyer(*arguments, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments],
        capture_output=True,
        text=True,
        env=kept | {"LANG": "fr_FR.UTF-8"} | environment,
        check=False,
        timeout=60,
    )


def test_help_lists_the_commands_in_french_first():
    result = foyer("--help")
    assert result.returncode == 0
    for name in ("run", "check", "demo", "doctor", "history", "tic", "inverter", "pair"):
        assert f"\n  {name} " in result.stdout
    assert "simulée" in result.stdout


def test_help_speaks_english_in_an_english_locale():
    assert "simulated" in foyer("--help", LANG="en_GB.UTF-8").stdout


@pytest.mark.parametrize("name", ["run", "check", "demo", "doctor", "history", "tic", "inverter", "pair"])
def test_every_command_has_help(name):
    result = foyer(name, "--help")
    assert result.returncode == 0
    assert "Usage" in result.stdout


def test_wrong_use_exits_two():
    assert foyer("nothing").returncode == 2
    assert foyer("run", "kitchen").returncode == 2


def test_a_failure_is_one_sentence_on_stderr_and_exits_one(tmp_path):
    result = foyer("run", "gateway", "--config", str(tmp_path / "none.toml"))
    assert result.returncode == 1
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1


def test_check_in_json(tmp_path):
    file = tmp_path / "foyer.toml"
    file.write_text("[store]\nraw_days = 1\n")
    result = foyer("check", "--config", str(file), "--json")
    assert result.returncode == 1
    found = json.loads(result.stdout)
    assert found["ok"] is False
    assert set(found["problems"][0]) == {"path", "value", "accepted", "mend"}


@pytest.mark.parametrize(
    ("variables", "spoken"),
    [
        ({"LC_ALL": "en_US.UTF-8", "LANG": "fr_FR"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "C.UTF-8"}, "fr"),
        ({}, "fr"),
        ({"LC_MESSAGES": "en_GB", "LANG": "fr_FR"}, "en"),
    ],
)
def test_the_locale_decides_the_language(monkeypatch, variables, spoken):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == spoken
