"""The commands of the household's data, as a person types them."""

import contextlib
import json
import sqlite3

import pytest
from click.testing import CliRunner

from gateway import commands_archive as commands
from gateway.archive import crypt
from gateway.errors import FoyerError
from tests.gateway.archive.filled import PHRASE, rows_of


@pytest.fixture(autouse=True)
def _english_and_light(monkeypatch):
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    monkeypatch.setattr(crypt.Encrypter.__init__, "__defaults__", (4,))


@pytest.fixture
def phrase_file(tmp_path):
    file = tmp_path / "phrase"
    file.write_text(f"{PHRASE}\nand more\n")
    file.chmod(0o600)
    return file


def call(command, *arguments, typed=None):
    done = CliRunner().invoke(command, [str(one) for one in arguments], input=typed, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done


def test_a_phrase_is_asked_twice_and_the_backup_goes_back_into_a_folder(home, tmp_path):
    config, _ = home
    done = call(commands.backup_command, tmp_path / "b.age", "--config", config.file, typed=f"{PHRASE}\n{PHRASE}\n")
    assert "Backup made and read back" in done.output
    assert PHRASE not in done.output
    done = call(commands.restore_command, tmp_path / "b.age", "--into", tmp_path / "card", typed=f"{PHRASE}\n")
    assert "Chez Ève" in done.output
    assert rows_of(tmp_path / "card" / "state" / "home.db") == rows_of(config.home_db)


def test_a_phrase_from_a_file_and_json(home, tmp_path, phrase_file):
    config, _ = home
    given = ("--phrase-file", phrase_file, "--json")
    made = json.loads(call(commands.backup_command, tmp_path / "b.age", "--config", config.file, *given).output)
    assert made["encrypted"]
    assert made["home"] == "Chez Ève"
    assert {"measure.db", "home.db", "outbox.db", "foyer.toml", "wizard.toml"} == {one["name"] for one in made["files"]}
    back = json.loads(call(commands.restore_command, tmp_path / "b.age", "--config", config.file, *given).output)
    assert back["aside"].startswith(str(config.state / "before-restore-"))


def test_a_backup_left_open_comes_with_a_warning(home, tmp_path):
    config, _ = home
    done = call(commands.backup_command, tmp_path / "b.tgz", "--plain", "--config", config.file)
    assert "Beware" in done.stderr
    call(commands.restore_command, tmp_path / "b.tgz", "--into", tmp_path / "card")


@pytest.mark.parametrize("typed", ["short\nshort\n"])
def test_a_short_phrase_is_refused(home, tmp_path, typed):
    config, _ = home
    with pytest.raises(FoyerError, match="too short"):
        call(commands.backup_command, tmp_path / "b.age", "--config", config.file, typed=typed)
    assert not (tmp_path / "b.age").exists()


@pytest.mark.parametrize(("content", "mode", "word"), [("", 0o600, "empty"), ("a phrase here", 0o644, "Everybody")])
def test_a_file_that_holds_no_good_phrase_is_refused(home, tmp_path, phrase_file, content, mode, word):
    config, _ = home
    phrase_file.write_text(content)
    phrase_file.chmod(mode)
    with pytest.raises(FoyerError, match=word):
        call(commands.backup_command, tmp_path / "b", "--phrase-file", phrase_file, "--config", config.file)
    with pytest.raises(FoyerError, match="cannot be read"):
        call(commands.backup_command, tmp_path / "b", "--phrase-file", tmp_path / "absent", "--config", config.file)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04"])
def test_a_file_that_is_no_backup_is_said(tmp_path, content):
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(FoyerError, match="no backup of Foyer"):
        call(commands.restore_command, tmp_path / "b", "--into", tmp_path / "card")
    with pytest.raises(FoyerError, match="cannot be read"):
        call(commands.restore_command, tmp_path / "absent", "--into", tmp_path / "card")
    assert not (tmp_path / "card").exists()


def test_a_damaged_database_in_a_backup_is_refused(home, tmp_path):
    config, _ = home
    with contextlib.closing(sqlite3.connect(config.state / "other.db")) as database:
        database.executescript("CREATE TABLE t (a); CREATE INDEX i ON t (a); INSERT INTO t VALUES (1), (2);")
        database.execute("PRAGMA writable_schema=ON")
        database.execute("UPDATE sqlite_schema SET rootpage = 3 WHERE name = 't'")
        database.commit()
    call(commands.backup_command, tmp_path / "b", "--plain", "--config", config.file)
    with pytest.raises(FoyerError, match="damaged"):
        call(commands.restore_command, tmp_path / "b", "--into", tmp_path / "card")
    assert not (tmp_path / "card" / "foyer.toml").exists()


def test_an_export_says_what_it_holds(home, tmp_path):
    config, _ = home
    done = call(commands.export_command, tmp_path / "e.zip", "--config", config.file, "--step", "1d")
    assert "Exported" in done.output
    told = call(
        commands.export_command, tmp_path / "f.zip", "--config", config.file, "--from", "2026-06-20", "--json"
    ).output
    assert json.loads(told)["rows"]["pv.power"] > 0


def test_erasing_asks_for_the_name_of_the_home(home):
    config, _ = home
    with pytest.raises(FoyerError, match="Not that name"):
        call(commands.erase_command, "--config", config.file, typed="yes\n")
    assert config.measure_db.exists()
    done = call(commands.erase_command, "--config", config.file, typed="Chez Ève\n")
    assert "measure.db" in done.output
    assert not config.measure_db.exists()
    assert not config.file.exists()


def test_erasing_with_yes_tells_what_it_removed(home):
    config, _ = home
    removed = json.loads(call(commands.erase_command, "--yes", "--json", "--config", config.file).output)["removed"]
    assert str(config.home_db) in removed
