"""The units of the packaged box, judged by systemd itself."""

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
PROCESSES = ("gateway", "web", "jobs", "courier")
EXPOSURE_AT_MOST = {"gateway": 1.5, "web": 0.5, "jobs": 0.5, "courier": 1.2}

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd's own tools")


class _Unit(RawConfigParser):
    """A unit file: keys keep their case, and a key given twice is a list of its values."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",))
        self.optionxform = str
        self.lines = (SYSTEMD / name).read_text(encoding="utf-8")
        self.read_string(self.lines)

    def all(self, key: str) -> list[str]:
        return re.findall(rf"^{key}=(.*)$", self.lines, re.MULTILINE)


@pytest.fixture
def machine(tmp_path):
    """An empty machine with systemd's own units, ours, and something to start."""
    root = tmp_path / "root"
    (root / "usr/lib/systemd").mkdir(parents=True)
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    ours = root / "etc/systemd/system"
    ours.mkdir(parents=True)
    for unit in SYSTEMD.glob("foyer-*"):
        shutil.copy(unit, ours)
    program = root / "opt/foyer/current/bin/foyer"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return root


def _verify(root, *units):
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={root}", "--recursive-errors=one", *units],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def test_systemd_has_nothing_to_say_about_our_units(machine):
    assert _verify(machine, *(unit.name for unit in SYSTEMD.glob("foyer-*"))) == (0, "")


def test_the_verification_sees_a_misspelt_key(machine):
    unit = machine / "etc/systemd/system/foyer-gateway.service"
    unit.write_text(unit.read_text().replace("WatchdogSec", "WatchdogSecs"))

    assert "Unknown key 'WatchdogSecs'" in _verify(machine, unit.name)[1]


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_is_exposed_no_more_than_its_bar(process):
    bar = round(EXPOSURE_AT_MOST[process] * 10)
    unit = SYSTEMD / f"foyer-{process}.service"

    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={bar}", unit],
        capture_output=True,
        text=True,
        check=False,
    )

    exposure = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", done.stdout)
    assert exposure, done.stderr
    assert float(exposure[1]) <= EXPOSURE_AT_MOST[process]
    assert done.returncode == 0


@pytest.mark.parametrize("process", PROCESSES)
def test_a_unit_runs_its_own_process_as_its_own_user(process):
    service = _Unit(f"foyer-{process}.service")["Service"]

    assert service["ExecStart"] == f"/opt/foyer/current/bin/foyer run {process} --config /etc/foyer/foyer.toml"
    assert (service["User"], service["Group"]) == (f"foyer-{process}", "foyer")


def test_the_gateway_comes_back_for_ever_and_is_watched():
    unit = _Unit("foyer-gateway.service")

    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert {key: unit["Service"][key] for key in ("Type", "WatchdogSec", "Restart")} == {
        "Type": "notify",
        "WatchdogSec": "60",
        "Restart": "always",
    }


def test_the_gateway_opens_serial_ports_and_gpio_and_no_other_device():
    unit = _Unit("foyer-gateway.service")

    assert unit["Service"]["DevicePolicy"] == "closed"
    assert unit["Service"]["SupplementaryGroups"] == "dialout gpio"
    assert unit.all("DeviceAllow") == [
        f"char-{kind} rw" for kind in ("188", "166", "204", "ttyS", "gpiochip")
    ]  # ttyUSB, ttyACM, ttyAMA by their numbers: the module of a dongle may come after the unit


@pytest.mark.parametrize("unit", ["foyer-gateway.service", "foyer-web.socket"])
def test_only_the_households_own_network_comes_near(unit):
    text = _Unit(unit)

    assert text.all("IPAddressDeny") == ["any"]
    assert text.all("IPAddressAllow") == ["localhost link-local 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7"]


@pytest.mark.parametrize("process", ["web", "jobs", "courier"])
def test_a_process_that_needs_no_network_has_none(process):
    service = _Unit(f"foyer-{process}.service")["Service"]

    assert service["PrivateNetwork"] == "yes"
    assert service["RestrictAddressFamilies"] == "AF_UNIX"


def test_the_page_is_handed_port_80():
    assert _Unit("foyer-web.socket")["Socket"]["ListenStream"] == "80"


def test_jobs_are_looked_at_every_quarter_of_an_hour():
    assert _Unit("foyer-jobs.timer")["Timer"]["OnUnitActiveSec"] == "15min"
    assert _Unit("foyer-jobs.service")["Service"]["Type"] == "oneshot"


def test_the_journal_stays_in_memory_and_small():
    journal = _Unit("journald.conf.d/foyer.conf")["Journal"]

    assert (journal["Storage"], journal["RuntimeMaxUse"]) == ("volatile", "32M")


def test_each_line_of_the_device_rules_is_one_that_udev_can_read():
    word = r'(?:[A-Z_]+(?:\{[A-Za-z_]+\})?(?:==|!=|\+=|:=|=)"[^"]*")'
    for line in (SYSTEMD / "udev/70-foyer.rules").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            assert re.fullmatch(rf"{word}(?:, {word})*", line), line
