"""The script that puts the units on a machine, run into a folder."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.config import check

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("systemd-sysusers"), reason="needs root, and systemd's own tools"
)


@pytest.fixture
def checkout(tmp_path):
    """What `./start --setup` leaves, as far as the script looks."""
    there = tmp_path / "checkout"
    shutil.copytree(ROOT / "systemd", there / "systemd")
    shutil.copytree(ROOT / "docs/installers", there / "docs/installers")
    (there / ".venv/bin").mkdir(parents=True)
    (there / ".venv/bin/foyer").write_text("#!/bin/sh\n")
    (there / ".venv/bin/foyer").chmod(0o755)
    return there


@pytest.fixture
def machine(tmp_path):
    root = tmp_path / "machine"
    (root / "etc").mkdir(parents=True)
    return root


def _install(checkout, machine, **environment):
    return subprocess.run(
        [checkout / "systemd/install"],
        env={"PATH": os.environ["PATH"], "DESTDIR": str(machine), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_a_unit_names_is_there_afterwards(checkout, machine):
    done = _install(checkout, machine)

    assert done.returncode == 0, done.stderr
    assert {one.name for one in (machine / "etc/systemd/system").iterdir()} == {
        one.name for one in (ROOT / "systemd").glob("foyer-*")
    }
    for file in (
        "etc/udev/rules.d/70-foyer.rules",
        "etc/systemd/journald.conf.d/foyer.conf",
        "etc/foyer/foyer.toml",
        "var/lib/foyer",
    ):
        assert (machine / file).exists()
    assert (machine / "opt/foyer/current").readlink() == checkout / ".venv"
    assert "foyer-gateway" in (machine / "etc/passwd").read_text()


def test_the_installed_configuration_names_the_port_that_the_socket_opens(checkout, machine):
    _install(checkout, machine)

    config, problems = check(machine / "etc/foyer/foyer.toml")

    assert problems == []
    assert config.web.port == 80


def test_a_second_run_keeps_the_households_configuration_and_data(checkout, machine):
    _install(checkout, machine)
    (machine / "etc/foyer/foyer.toml").write_text("# à nous\n")
    (machine / "var/lib/foyer/measure.db").write_text("readings")

    assert _install(checkout, machine).returncode == 0

    assert (machine / "etc/foyer/foyer.toml").read_text() == "# à nous\n"
    assert (machine / "var/lib/foyer/measure.db").read_text() == "readings"


def test_the_configuration_is_not_for_everyone_to_read(checkout, machine):
    _install(checkout, machine)

    assert (machine / "etc/foyer").stat().st_mode & 0o007 == 0
    assert (machine / "etc/foyer/foyer.toml").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("language", "sentence"), [("fr_FR.UTF-8", "Préparez d’abord le programme"), ("en_GB.UTF-8", "Prepare the program")]
)
def test_a_checkout_that_is_not_set_up_is_refused_in_words(checkout, machine, language, sentence):
    (checkout / ".venv/bin/foyer").unlink()

    done = _install(checkout, machine, LC_ALL=language)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert list((machine / "etc").iterdir()) == []
