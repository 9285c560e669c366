"""What on this machine stands between the driver and a serial port: other programs, the console, the small UART.

Everything is read from files below `root`, so that a test can lay out a machine of its own. What this user may not see
(another user's open files) is left out: then nothing is known, and nothing is claimed.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")

_UARTS = re.compile(r"tty(AMA|S)\d+")
_ALIAS = "serial0"
_COMMAND_LINES = ("boot/firmware/cmdline.txt", "boot/cmdline.txt", "proc/cmdline")
_CONSOLE = re.compile(r"console=(serial0|ttyAMA\d+|ttyS\d+)[^\s]*")
_MODELS = ("sys/firmware/devicetree/base/model", "proc/device-tree/model")
_UNITS = ("sys/fs/cgroup/system.slice", "sys/fs/cgroup/systemd/system.slice")
_MODEM_MANAGER = "ModemManager"


class Holder(NamedTuple):
    """A process that has a port open."""

    name: str
    pid: int


class Console(NamedTuple):
    """The kernel's console on a serial line: the word of the command line, and the file to take it out of."""

    word: str
    file: str


def device(port: str, root: Path = ROOT) -> str:
    """Return the device node behind a port, as the machine itself names it (`/dev/ttyUSB0`)."""
    path = Path(port).resolve()
    with contextlib.suppress(ValueError):
        return f"/{path.relative_to(root.resolve())}"
    return str(path)


def holders(port: str, root: Path = ROOT) -> list[Holder]:
    """Return the other processes that have the port open, as far as this user may see them."""
    node = device(port, root)
    return [Holder(name, pid) for pid, name, folder in _processes(root) if _has_open(folder, node)]


def _processes(root: Path) -> Iterator[tuple[int, str, Path]]:
    for folder in sorted((root / "proc").glob("[0-9]*")):
        pid = int(folder.name)
        with contextlib.suppress(OSError):
            if pid != os.getpid():
                yield pid, (folder / "comm").read_text(encoding="utf-8", errors="replace").strip(), folder


def _has_open(process: Path, node: str) -> bool:
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:
        return False
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()) == node:
                return True
    return False


def is_raspberry(root: Path = ROOT) -> bool:
    """Tell whether this is a Raspberry Pi. The gateway's own sandbox hides /proc/device-tree, but not /sys."""
    for name in _MODELS:
        with contextlib.suppress(OSError):
            return "Raspberry Pi" in (root / name).read_text(encoding="utf-8", errors="replace")
    return False


def is_uart(port: str, root: Path = ROOT) -> bool:
    """Tell whether a port is a serial line of the board itself, there or not."""
    return Path(port).name == _ALIAS or _UARTS.fullmatch(Path(device(port, root)).name) is not None


def is_small_uart(port: str, root: Path = ROOT) -> bool:
    """Tell whether a port is the mini-UART of a Raspberry Pi, whose speed follows the processor's."""
    return Path(device(port, root)).name == "ttyS0" and is_raspberry(root)


def is_terminal(port: str, root: Path = ROOT) -> bool:
    """Tell whether a port is a pseudo-terminal, which has no real speed."""
    return device(port, root).startswith("/dev/pts/")


def console(port: str, root: Path = ROOT) -> Console | None:
    """Return the kernel's console where it is on this port."""
    node = Path(device(port, root)).name
    if not is_uart(port, root):
        return None
    for name in _COMMAND_LINES:
        with contextlib.suppress(OSError):
            text = (root / name).read_text(encoding="utf-8", errors="replace")
            for found in _CONSOLE.finditer(text):
                line = found[1] if found[1] != _ALIAS else Path(device(str(root / "dev" / _ALIAS), root)).name
                if line in (node, _ALIAS):
                    return Console(found[0], f"/{name}")
    return None


def login(port: str, root: Path = ROOT) -> str | None:
    """Return the systemd unit that offers a login on this port, when it is running."""
    node = Path(device(port, root)).name
    names = {node, _ALIAS} if Path(port).name == _ALIAS else {node}
    for name in sorted(names):
        unit = f"serial-getty@{name}.service"
        if any((root / units / r"system-serial\x2dgetty.slice" / unit).exists() for units in _UNITS):
            return unit
        for _, program, folder in _processes(root):
            if program == "agetty" and name in _arguments(folder):
                return unit
    return None


def _arguments(process: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return (process / "cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    return []


class Obstacle(NamedTuple):
    """What keeps a port from being read. `code` is `modem-manager`, `serial-login`, `serial-console` or `port-busy`."""

    code: str
    holder: Holder | None = None
    unit: str = ""
    console: Console | None = None


def obstacle(port: str, root: Path = ROOT) -> Obstacle | None:
    """Return what stands between the driver and the port, the surest first; None where nothing is seen."""
    found = holders(port, root)
    for holder in found:
        if holder.name == _MODEM_MANAGER:
            return Obstacle("modem-manager", holder)
    on_console, unit = console(port, root), login(port, root)
    if unit is not None:
        return Obstacle("serial-login", unit=unit, console=on_console)
    if on_console is not None:
        return Obstacle("serial-console", console=on_console)
    return Obstacle("port-busy", found[0]) if found else None
