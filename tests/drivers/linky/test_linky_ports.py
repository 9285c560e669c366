"""Finding the port, and the speed of the line."""

import errno
import grp
import os
import pwd
from pathlib import Path

import pytest

from drivers.linky import ports
from drivers.linky.detect import SpeedSeeker


def device(root, name, vendor="", product=""):
    (root / "dev").mkdir(exist_ok=True)
    (root / "dev" / name).touch()
    folder = root / "sys/devices" / name
    (folder / "tty").mkdir(parents=True)
    if vendor:
        (folder / "idVendor").write_text(f"{vendor}\n")
        (folder / "idProduct").write_text(f"{product}\n")
    (root / "sys/class/tty" / name).mkdir(parents=True)
    (root / "sys/class/tty" / name / "device").symlink_to(folder / "tty")


def says(root, name, **words):
    folder = root / "sys/devices" / name
    for key, text in words.items():
        (folder / key).write_text(f"{text}\n")


def by_id(root, name, target):
    folder = root / "dev/serial/by-id"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(root / "dev" / target)


def names(root):
    return [Path(path).name for path in ports.candidates(root)]


def test_an_adapter_known_by_name_comes_first_and_each_device_once(tmp_path):
    device(tmp_path, "ttyUSB0", "0403", "6001")
    device(tmp_path, "ttyUSB1", "0403", "6015")
    by_id(tmp_path, "usb-FTDI_FT232R-if00", "ttyUSB0")
    by_id(tmp_path, "usb-FTDI_FT230X_TINFO-1234-if00", "ttyUSB1")
    assert names(tmp_path) == ["usb-FTDI_FT230X_TINFO-1234-if00", "usb-FTDI_FT232R-if00"]


@pytest.mark.parametrize(
    ("vendor", "product", "words"),
    [
        ("0403", "6015", {"manufacturer": "FTDI", "serial": "TINFO-1234"}),
        ("0403", "6001", {"manufacturer": "Cartelectronic", "product": "Interface USB 1 TIC"}),
        ("0403", "6015", {"manufacturer": "GCE Electronics", "product": "USBTICLCV2"}),
        ("2341", "8036", {"product": "PiTInfo"}),
        ("1a86", "7523", {"manufacturer": "LiXee", "product": "TIC-DIN"}),
        ("2e8a", "000a", {"product": "Teleinfo USB"}),
    ],
)
def test_an_adapter_made_for_the_meter_comes_first_by_what_it_says_of_itself(tmp_path, vendor, product, words):
    device(tmp_path, "ttyUSB0", "0403", "6001")
    device(tmp_path, "ttyUSB9", vendor, product)
    says(tmp_path, "ttyUSB9", **words)
    assert names(tmp_path) == ["ttyUSB9", "ttyUSB0"]
    by_id(tmp_path, "usb-some_name-if00", "ttyUSB9")
    assert names(tmp_path) == ["usb-some_name-if00", "ttyUSB0"]


def test_the_name_that_the_box_itself_gave_comes_before_all(tmp_path):
    device(tmp_path, "ttyUSB0", "0403", "6015")
    device(tmp_path, "ttyUSB1", "0403", "6001")
    by_id(tmp_path, "usb-FTDI_FT230X_TINFO-1234-if00", "ttyUSB0")
    (tmp_path / "dev/foyer-tic").symlink_to(tmp_path / "dev/ttyUSB1")
    assert names(tmp_path) == ["foyer-tic", "usb-FTDI_FT230X_TINFO-1234-if00"]


def test_a_radio_without_a_stable_name_is_left_alone_by_what_it_says_of_itself(tmp_path):
    device(tmp_path, "ttyUSB0", "10c4", "ea60")
    says(tmp_path, "ttyUSB0", product="Sonoff Zigbee 3.0 USB Dongle Plus")
    assert names(tmp_path) == []


def test_the_debug_connector_of_a_raspberry_pi_5_is_no_candidate(tmp_path):
    device(tmp_path, "ttyAMA0")
    device(tmp_path, "ttyAMA10")
    (tmp_path / "dev/serial0").symlink_to(tmp_path / "dev/ttyAMA10")
    (tmp_path / "sys/firmware/devicetree/base").mkdir(parents=True)
    (tmp_path / "sys/firmware/devicetree/base/model").write_text("Raspberry Pi 5 Model B Rev 1.0\0")
    assert names(tmp_path) == ["ttyAMA0"]


def test_radio_and_other_devices_are_left_alone(tmp_path):
    device(tmp_path, "ttyUSB0", "10c4", "ea60")
    device(tmp_path, "ttyACM0", "1546", "01a7")
    by_id(tmp_path, "usb-ITead_Sonoff_Zigbee_3.0-if00", "ttyUSB0")
    assert names(tmp_path) == []


def test_a_known_dongle_without_a_name_is_a_candidate(tmp_path):
    device(tmp_path, "ttyUSB0", "1a86", "7523")
    device(tmp_path, "ttyUSB1", "dead", "beef")
    device(tmp_path, "ttyACM0")
    assert names(tmp_path) == ["ttyUSB0"]


def test_the_header_of_a_raspberry_pi_is_a_candidate_there_and_only_there(tmp_path):
    device(tmp_path, "ttyAMA0")
    device(tmp_path, "ttyS0")
    assert names(tmp_path) == []
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_text("Raspberry Pi 4 Model B Rev 1.4\0")
    assert names(tmp_path) == ["ttyAMA0", "ttyS0"]
    (tmp_path / "dev/serial0").symlink_to(tmp_path / "dev/ttyS0")
    assert names(tmp_path) == ["serial0", "ttyAMA0"]


def test_an_ftdi_adapter_is_made_quick_where_one_may(tmp_path):
    device(tmp_path, "ttyUSB0", "0403", "6015")
    timer = tmp_path / "sys/class/tty/ttyUSB0/device/latency_timer"
    ports.quicken(str(tmp_path / "dev/ttyUSB0"), tmp_path)
    assert not timer.exists()
    timer.write_text("16\n")
    by_id(tmp_path, "usb-TINFO", "ttyUSB0")
    ports.quicken(str(tmp_path / "dev/serial/by-id/usb-TINFO"), tmp_path)
    assert timer.read_text() == "1\n"
    ports.quicken(str(tmp_path / "dev/ttyUSB0"), tmp_path)
    assert timer.read_text() == "1\n"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EACCES, "no-permission"),
        (errno.EPERM, "no-permission"),
        (errno.EBUSY, "port-busy"),
        (errno.EAGAIN, "port-busy"),
        (errno.EIO, "port-fault"),
    ],
)
def test_each_failure_has_its_code(tmp_path, number, code):
    (tmp_path / "tic").touch()
    assert ports.failure_code(OSError(number, "x"), str(tmp_path / "tic")) == code
    assert ports.failure_code(OSError(number, "x"), str(tmp_path / "gone")) == "no-port"


def test_the_command_that_grants_a_port_names_its_group(tmp_path):
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert f"“sudo usermod -aG dialout {user}”" in ports.permission_mend(str(tmp_path / "gone")).en
    node = tmp_path / "tic"
    node.touch()
    node.chmod(0o660)
    group = next(one for one in grp.getgrall() if one.gr_name not in ("root", "dialout"))
    os.chown(node, -1, group.gr_gid if os.geteuid() == 0 else -1)
    owner = grp.getgrgid(node.stat().st_gid).gr_name
    assert f"« sudo usermod -aG {owner} {user} »" in ports.permission_mend(str(node)).fr
    assert "log out and in again" in ports.permission_mend(str(node)).en


def test_a_port_whose_group_may_not_read_it_is_given_to_the_group_of_serial_ports(tmp_path):
    node = tmp_path / "tic"
    node.touch()
    node.chmod(0o620)
    said = ports.permission_mend(str(node))
    assert f"sudo chgrp dialout {node} && sudo chmod 660 {node} && sudo usermod -aG dialout " in said.fr


class TestSpeed:
    def test_text_at_the_first_speed_stays_there(self):
        seeker = SpeedSeeker(0.0)
        assert not seeker.hear(b"\x82\nADSC", 1, 0.1)
        assert seeker.locked
        assert not seeker.hear(b"", 0, 9.0)
        assert seeker.speed == 9600

    def test_two_values_only_are_a_slow_line(self):
        seeker = SpeedSeeker(0.0)
        assert not seeker.hear(b"\x00\x80" * 4, 0, 0.1)
        assert seeker.hear(b"\x00\x80" * 10, 0, 0.2)
        assert seeker.speed == 1200

    def test_noise_at_the_slow_speed_goes_back_to_the_fast_one(self):
        seeker = SpeedSeeker(0.0)
        seeker.hear(b"\x00" * 30, 0, 0.1)
        assert not seeker.hear(bytes(range(0, 256, 8)), 0, 0.3)
        assert seeker.hear(bytes(range(256)), 0, 0.6)
        assert seeker.speed == 9600

    def test_silence_alternates(self):
        seeker = SpeedSeeker(0.0)
        speeds = [seeker.speed for tick in range(100) if seeker.hear(b"", 0, tick / 5)]
        assert speeds == [1200, 9600, 1200, 9600, 1200]
        assert seeker.silent

    def test_a_line_once_understood_is_given_longer(self):
        seeker = SpeedSeeker(0.0)
        seeker.hear(b"x", 3, 1.0)
        assert not seeker.hear(b"", 0, 10.9)
        assert seeker.hear(b"", 0, 11.1)
        assert not seeker.locked
