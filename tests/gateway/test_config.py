"""The configuration: every problem at once, each with its path, what is accepted and the mend."""

import hypothesis
import pytest
from click.testing import CliRunner
from hypothesis import strategies as st

from gateway import config as configuration
from gateway.cli import cli
from gateway.config_rules import ConfigError
from gateway.errors import Misconfigured

GOOD = """
[home]
name = "Maison"
latitude = 47.2
longitude = -1.5
[meter]
port = "/dev/serial/by-id/usb-tic"
[[inverter]]
id = "roof"
url = "tcp://192.168.1.20:502?unit=1"
[[solar_array]]
id = "south"
inverter = "roof"
kwp = 3
azimuth = 180
[contract]
option = "hphc"
off_peak = ["22:00-06:00"]
[paths]
state = "state"
"""


def write(tmp_path, text):
    file = tmp_path / "foyer.toml"
    file.write_text(text, encoding="utf-8")
    return file


def paths(tmp_path, text):
    _, problems = configuration.check(write(tmp_path, text))
    return {problem.path: problem for problem in problems}


def test_a_good_file_gives_typed_tables(tmp_path):
    config = configuration.load(write(tmp_path, GOOD))
    assert config.meter.port == "/dev/serial/by-id/usb-tic"
    assert config.inverter[0].period_s == 10.0
    assert config.solar_array[0].kwp == 3.0
    assert config.contract.off_peak == ("22:00-06:00",)
    assert config.measure_db == tmp_path / "state" / "measure.db"
    assert config.relay is None


def test_every_problem_is_told_at_once(tmp_path):
    found = paths(
        tmp_path,
        """
        colour = 3
        [home]
        nane = "x"
        latitude = 100
        [meter]
        port = "COM1"
        mode = "standart"
        [[inverter]]
        id = "Roof"
        [store]
        commit_s = true
        """,
    )
    assert set(found) == {
        "colour", "home.nane", "home.latitude", "meter.port", "meter.mode", "inverter[0].id", "inverter[0].url",
        "store.commit_s",
    }  # fmt: skip
    assert found["home.nane"].mend.en == "Did you mean “name”?"
    assert found["meter.mode"].mend.fr == "Vouliez-vous dire « standard » ?"
    assert found["inverter[0].url"].value == "(absent)"
    assert "-90" in found["home.latitude"].accepted.fr


def test_tables_written_with_the_wrong_brackets_are_told(tmp_path):
    found = paths(tmp_path, '[inverter]\nid = "a"\n')
    assert "[[inverter]]" in found["inverter"].mend.en
    found = paths(tmp_path, "meter = 3\n")
    assert "meter" in found


def test_links_between_tables_are_checked(tmp_path):
    twice = GOOD + '\n[[inverter]]\nid = "roof"\nurl = "tcp://h:1"\n[[solar_array]]\nid="b"\ninverter="shed"\nkwp=1\n'
    found = paths(tmp_path, twice)
    assert set(found) == {"inverter[1].id", "solar_array[1].inverter"}


def test_an_unknown_time_zone_is_told(tmp_path):
    assert set(paths(tmp_path, '[home]\ntimezone = "Europe/Pariss"\n')) == {"home.timezone"}


def test_the_wizards_file_is_laid_over_the_persons(tmp_path):
    file = write(tmp_path, GOOD)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "wizard.toml").write_text('[meter]\nport = "/dev/ttyUSB7"\n', encoding="utf-8")
    config = configuration.load(file)
    assert config.meter.port == "/dev/ttyUSB7"
    assert config.home.name == "Maison"


@pytest.mark.parametrize("content", [b"[home\n", b"\xff\xfe"])
def test_unreadable_toml_is_one_sentence(tmp_path, content):
    file = tmp_path / "foyer.toml"
    file.write_bytes(content)
    with pytest.raises(Misconfigured, match="not readable TOML"):
        configuration.load(file)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(Misconfigured) as caught:
        configuration.load(tmp_path / "none.toml")
    assert "--config" in caught.value.say("fr")


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner, max_size=3),
)


@hypothesis.given(
    st.sampled_from(["home", "store", "meter", "contract", "relay", "mqtt", "web", "paths"]),
    st.sampled_from(["name", "latitude", "port", "mode", "option", "off_peak", "pin", "url", "hosts", "state", "x"]),
    values,
)
def test_whatever_stands_in_a_key_the_checker_answers(table, key, value):
    from gateway.config_rules import Checker

    checker = Checker()
    made = checker.table(configuration.Config, {table: {key: value}}, "")
    assert (made is None) == bool(checker.problems)


def test_check_prints_problems_and_exits_one(tmp_path):
    file = write(tmp_path, '[meter]\nport = "COM1"\n')
    result = CliRunner().invoke(cli, ["check", "--config", str(file), "--json"], standalone_mode=False)
    assert result.return_value == 1
    assert '"path": "meter.port"' in result.output
    result = CliRunner().invoke(cli, ["check", "--config", str(file)], standalone_mode=False)
    assert "meter.port" in result.stderr


def test_check_of_a_good_file_exits_zero(tmp_path):
    result = CliRunner().invoke(cli, ["check", "--config", str(write(tmp_path, GOOD))], standalone_mode=False)
    assert result.return_value == 0


def test_the_error_of_a_file_lists_each_line(tmp_path):
    with pytest.raises(ConfigError) as caught:
        configuration.load(write(tmp_path, "[store]\nkind = 3\nraw_days = 0\n"))
    assert caught.value.say("fr").count("\n") == 2
