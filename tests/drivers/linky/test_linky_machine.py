"""What stands between the driver and a port, on machines laid out file by file."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.contract import DeviceState
from drivers.linky import machine
from drivers.linky.blocked import blocked
from drivers.linky.machine import Console, Holder, Obstacle


def process(root, pid, name, *, opens=(), arguments=()):
    folder = root / "proc" / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text(f"{name}\n")
    (folder / "cmdline").write_text("\0".join([name, *arguments, ""]))
    for number, target in enumerate(opens):
        (folder / "fd" / str(number)).symlink_to(target)


def node(root, name):
    (root / "dev").mkdir(exist_ok=True)
    (root / "dev" / name).touch()
    return str(root / "dev" / name)


def write(root, name, text):
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def pi(root, model="Raspberry Pi 4 Model B Rev 1.4"):
    write(root, "sys/firmware/devicetree/base/model", f"{model}\0")


class TestHolders:
    def test_the_program_that_has_the_port_open_is_named_with_its_number(self, tmp_path):
        port = node(tmp_path, "ttyUSB0")
        process(tmp_path, 12, "bash", opens=["/dev/pts/3"])
        process(tmp_path, 815, "node-red", opens=["/dev/null", "/dev/ttyUSB0"])
        assert machine.holders(port, tmp_path) == [Holder("node-red", 815)]
        assert machine.obstacle(port, tmp_path) == Obstacle("port-busy", Holder("node-red", 815))

    def test_it_is_found_behind_a_stable_name_too(self, tmp_path):
        port = node(tmp_path, "ttyUSB0")
        (tmp_path / "dev/tic").symlink_to(port)
        process(tmp_path, 815, "picocom", opens=["/dev/ttyUSB0"])
        assert machine.holders(str(tmp_path / "dev/tic"), tmp_path) == [Holder("picocom", 815)]

    def test_what_this_user_may_not_see_is_not_claimed(self, tmp_path):
        port = node(tmp_path, "ttyUSB0")
        (tmp_path / "proc/99").mkdir(parents=True)
        process(tmp_path, 100, "hidden")
        (tmp_path / "proc/100/fd").rmdir()
        process(tmp_path, os.getpid(), "foyer", opens=["/dev/ttyUSB0"])
        assert machine.holders(port, tmp_path) == []
        assert machine.obstacle(port, tmp_path) is None

    def test_a_real_program_on_a_real_terminal_is_found(self):
        master, slave = pty.openpty()
        port = os.ttyname(slave)
        code = "import sys, time; port = open(sys.argv[1]); print(flush=True); time.sleep(60)"
        with subprocess.Popen([sys.executable, "-c", code, port], stdout=subprocess.PIPE) as other:
            other.stdout.readline()
            found = [holder.pid for holder in machine.holders(port)]
            other.kill()
        os.close(master)
        os.close(slave)
        assert found == [other.pid]


class TestConsole:
    @pytest.mark.parametrize("file", ["boot/firmware/cmdline.txt", "boot/cmdline.txt", "proc/cmdline"])
    @pytest.mark.parametrize("word", ["console=serial0,115200", "console=ttyAMA0,115200"])
    def test_a_console_on_the_line_is_found_where_it_is_written(self, tmp_path, file, word):
        node(tmp_path, "ttyAMA0")
        (tmp_path / "dev/serial0").symlink_to(tmp_path / "dev/ttyAMA0")
        write(tmp_path, file, f"{word} console=tty1 root=PARTUUID=1-2 rootwait\n")
        for port in ("serial0", "ttyAMA0"):
            found = machine.obstacle(str(tmp_path / "dev" / port), tmp_path)
            assert found == Obstacle("serial-console", console=Console(word, f"/{file}"))

    def test_a_console_elsewhere_and_a_usb_adapter_are_no_obstacle(self, tmp_path):
        write(tmp_path, "boot/firmware/cmdline.txt", "console=ttyAMA10,115200 console=tty1\n")
        assert machine.obstacle(node(tmp_path, "ttyAMA0"), tmp_path) is None
        write(tmp_path, "boot/firmware/cmdline.txt", "console=serial0,115200\n")
        assert machine.obstacle(node(tmp_path, "ttyUSB0"), tmp_path) is None

    def test_the_command_takes_that_word_out_of_that_file(self, tmp_path):
        file = tmp_path / "cmdline.txt"
        file.write_text("console=serial0,115200 console=tty1 rootwait\n")
        beat = blocked(Obstacle("serial-console", console=Console("console=serial0,115200", str(file))), "/dev/serial0")
        command = beat.mend.fr.split("« ")[1].split(" »")[0]
        subprocess.run(command.removeprefix("sudo "), shell=True, check=True)
        assert file.read_text() == "console=tty1 rootwait\n"
        assert beat.code == "serial-console"

    def test_what_only_the_kernel_shows_is_to_be_edited_where_a_raspberry_pi_keeps_it(self):
        beat = blocked(
            Obstacle("serial-console", console=Console("console=ttyS0,115200", "/proc/cmdline")), "/dev/ttyS0"
        )
        assert "'s/console=serial0,115200 *//' /boot/firmware/cmdline.txt" in beat.mend.en


class TestLogin:
    def test_a_login_that_systemd_runs_on_the_line_is_found(self, tmp_path):
        port = node(tmp_path, "ttyAMA0")
        unit = r"sys/fs/cgroup/system.slice/system-serial\x2dgetty.slice/serial-getty@ttyAMA0.service"
        (tmp_path / unit).mkdir(parents=True)
        assert machine.obstacle(port, tmp_path) == Obstacle("serial-login", unit="serial-getty@ttyAMA0.service")
        assert machine.obstacle(node(tmp_path, "ttyS0"), tmp_path) is None

    def test_a_login_is_found_by_its_process_where_there_are_no_groups_to_see(self, tmp_path):
        port = node(tmp_path, "ttyS0")
        process(tmp_path, 500, "agetty", arguments=["-o", "-p -- \\u", "115200", "ttyS0", "vt220"])
        process(tmp_path, 501, "agetty", arguments=["tty1"])
        assert machine.login(port, tmp_path) == "serial-getty@ttyS0.service"
        assert machine.login(node(tmp_path, "ttyAMA0"), tmp_path) is None

    def test_the_commands_stop_the_login_and_take_the_console_out(self, tmp_path):
        console = Console("console=serial0,115200", "/boot/firmware/cmdline.txt")
        found = Obstacle("serial-login", unit="serial-getty@ttyAMA0.service", console=console)
        for text in (blocked(found, "/dev/serial0").mend.fr, blocked(found, "/dev/serial0").mend.en):
            assert (
                "sudo systemctl mask --now serial-getty@ttyAMA0.service && "
                "sudo sed -i 's/console=serial0,115200 *//' /boot/firmware/cmdline.txt" in text
            )
        alone = blocked(found._replace(console=None), "/dev/serial0")
        assert alone.mend.en == "Run “sudo systemctl mask --now serial-getty@ttyAMA0.service”."
        assert (alone.code, alone.state) == ("serial-login", DeviceState.LOST)


class TestModemManager:
    def test_it_is_named_before_any_other(self, tmp_path):
        port = node(tmp_path, "ttyUSB0")
        process(tmp_path, 300, "cat", opens=["/dev/ttyUSB0"])
        process(tmp_path, 400, "ModemManager", opens=["/dev/ttyUSB0"])
        found = machine.obstacle(port, tmp_path)
        assert found == Obstacle("modem-manager", Holder("ModemManager", 400))
        beat = blocked(found, port, details={"speed": 9600})
        assert beat.code == "modem-manager"
        assert "sudo systemctl disable --now ModemManager" in beat.mend.fr
        assert "sudo systemctl disable --now ModemManager" in beat.mend.en
        assert beat.details == {"speed": 9600, "holder": "ModemManager", "pid": 400}

    def test_one_that_leaves_the_port_alone_is_no_obstacle(self, tmp_path):
        process(tmp_path, 400, "ModemManager", opens=["/dev/ttyUSB7"])
        assert machine.obstacle(node(tmp_path, "ttyUSB0"), tmp_path) is None


def test_a_port_in_use_names_who_uses_it_or_how_to_find_out():
    beat = blocked(Obstacle("port-busy", Holder("node-red", 815)), "/dev/ttyUSB0")
    assert (beat.code, beat.text.fr) == ("port-busy", "Le programme « node-red » (numéro 815) utilise /dev/ttyUSB0.")
    unknown = blocked(None, "/dev/ttyUSB0")
    assert unknown.code == "port-busy"
    assert "sudo fuser -v /dev/ttyUSB0" in unknown.mend.fr


def test_the_small_uart_is_ttys0_of_a_raspberry_pi_and_no_other(tmp_path):
    port = node(tmp_path, "ttyS0")
    (tmp_path / "dev/serial0").symlink_to(port)
    assert not machine.is_small_uart(port, tmp_path)
    pi(tmp_path)
    assert machine.is_small_uart(port, tmp_path)
    assert machine.is_small_uart(str(tmp_path / "dev/serial0"), tmp_path)
    assert not machine.is_small_uart(node(tmp_path, "ttyAMA0"), tmp_path)


def test_this_machine_can_be_asked_anything():
    for port in ("/dev/null", "/dev/serial0", "/dev/ttyS0", "/nowhere"):
        machine.obstacle(port)
        assert isinstance(machine.is_small_uart(port), bool)
    assert Path("/proc").exists()
