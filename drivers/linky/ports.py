"""Where the meter's adapter may be: the candidates for `port = "auto"`, and why a port could not be opened.

The root of the file system is a parameter, so that a test can lay out a machine of its own.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import re
from pathlib import Path
from typing import NamedTuple

from drivers.linky.machine import is_raspberry
from gateway.errors import Text

_TIC_NAMES = re.compile(
    r"TINFO|TIC[-_ ]?DIN|USB_?TIC|(?<![a-z])TIC(?![a-z])|t[eé]l[eé][-_ ]?info|linky|LiXee|Cartelectronic|PiTInfo"
    r"|GCE[-_ ]?Electronics",
    re.IGNORECASE,
)
_OTHER_DEVICES = re.compile(r"zigbee|conbee|skyconnect|z-?wave|zooz|arduino|gps|u-blox|modem|huawei", re.IGNORECASE)
_USB_SERIAL = {
    "0403:6001",  # FTDI FT232R
    "0403:6015",  # FTDI FT-X: uTeleinfo and many others
    "1a86:7523",  # CH340
    "1a86:55d4",  # CH9102
    "10c4:ea60",  # CP210x
    "067b:2303",  # PL2303
    "2341:8036",  # boards that carry a TIC interface
    "2e8a:000a",
}
# The header's own UART first. ttyAMA10 is the debug connector of a Raspberry Pi 5: no meter is ever there.
_PI_UARTS = ("dev/serial0", "dev/ttyAMA0", "dev/ttyS0")
_DEBUG_UART = "ttyAMA10"
_GROUP_MAY = 0o060


class Adapter(NamedTuple):
    """What a USB adapter says of itself in sysfs; empty texts where there is none."""

    usb: str = ""
    words: str = ""


def candidates(root: Path = Path("/")) -> list[str]:
    """Return the ports where a meter may be, the likeliest first; each device once.

    First the adapters made for the TIC, by the name that udev or they themselves give; then other serial adapters with
    a stable name, the header of a Raspberry Pi, and known serial chips without a stable name. Radios and modems, by
    what they call themselves, are left alone.
    """
    by_id = sorted((root / "dev/serial/by-id").glob("*"))
    bare = sorted((*(root / "dev").glob("ttyUSB*"), *(root / "dev").glob("ttyACM*")))
    said = {path.resolve(): adapter(path, root) for path in (*by_id, *bare)}
    refused = {
        path.resolve() for path in by_id + bare if _OTHER_DEVICES.search(f"{path.name} {said[path.resolve()].words}")
    }
    made_for_it = [path for path in by_id + bare if _TIC_NAMES.search(f"{path.name} {said[path.resolve()].words}")]
    board = [root / name for name in _PI_UARTS] if is_raspberry(root) else []
    known = [path for path in bare if said[path.resolve()].usb in _USB_SERIAL]
    found: dict[Path, str] = {}
    for path in (root / "dev/foyer-tic", *made_for_it, *by_id, *board, *known):
        device = path.resolve()
        if path.exists() and device not in refused and device.name != _DEBUG_UART:
            found.setdefault(device, str(path))
    return list(found.values())


def adapter(port: Path, root: Path = Path("/")) -> Adapter:
    """Return what the USB device behind a port says of itself."""
    device = (root / "sys/class/tty" / port.resolve().name / "device").resolve()
    for folder in (device, *device.parents):
        vendor, product = _line(folder / "idVendor"), _line(folder / "idProduct")
        if vendor and product:
            words = " ".join(_line(folder / name) for name in ("manufacturer", "product", "serial"))
            return Adapter(f"{vendor}:{product}", words)
    return Adapter()


def _line(file: Path) -> str:
    with contextlib.suppress(OSError):
        return file.read_text(encoding="utf-8", errors="replace").strip()
    return ""


def quicken(port: str, root: Path = Path("/")) -> None:
    """Let an FTDI adapter hand over bytes after 1 ms instead of 16, where this user may say so."""
    name = Path(port).resolve().name
    timer = root / "sys/class/tty" / name / "device/latency_timer"
    with contextlib.suppress(OSError):
        if timer.read_text(encoding="ascii").strip() != "1":
            timer.write_text("1\n", encoding="ascii")


def permission_mend(port: str) -> Text:
    """Return the exact command that grants this user the port: its group, or the port to the group of serial ports."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    group, granted = "dialout", True
    with contextlib.suppress(OSError, KeyError):
        status = Path(port).stat()
        group, granted = grp.getgrgid(status.st_gid).gr_name, status.st_mode & _GROUP_MAY == _GROUP_MAY
    if group == "root" or not granted:
        # Adding someone to the group would give nothing, or everything.
        command = f"sudo chgrp dialout {port} && sudo chmod 660 {port} && sudo usermod -aG dialout {user}"
    else:
        command = f"sudo usermod -aG {group} {user}"
    return Text(
        f"Lancez « {command} », puis fermez et rouvrez la session, ou redémarrez la box.",
        f"Run “{command}”, then log out and in again, or restart the box.",
    )


def failure_code(error: OSError, port: str) -> str:
    """Return why a port could not be opened or read: no-port, no-permission, port-busy or port-fault."""
    if not Path(port).exists():
        return "no-port"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "no-permission"
    if error.errno in (errno.EBUSY, errno.EAGAIN):
        return "port-busy"
    return "port-fault"
