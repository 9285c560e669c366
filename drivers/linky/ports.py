"""Where the meter's adapter may be: the candidates for `port = "auto"`, and what a person can do about a port.

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

from gateway.errors import Text

_TIC_NAMES = re.compile(r"TINFO|TIC|teleinfo|LiXee|Cartelectronic|GCE_?Electronics|PiTInfo", re.IGNORECASE)
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
_PI_UARTS = ("dev/serial0", "dev/ttyAMA0", "dev/ttyS0")


def candidates(root: Path = Path("/")) -> list[str]:
    """Return the ports where a meter may be, the likeliest first; each device once."""
    by_id = sorted((root / "dev/serial/by-id").glob("*"))
    likely = [path for path in by_id if _TIC_NAMES.search(path.name)]
    usual = [path for path in by_id if path not in likely and not _OTHER_DEVICES.search(path.name)]
    refused = {path.resolve() for path in by_id if _OTHER_DEVICES.search(path.name)}
    board = [root / name for name in _PI_UARTS] if _is_raspberry(root) else []
    bare = sorted((*(root / "dev").glob("ttyUSB*"), *(root / "dev").glob("ttyACM*")))
    known = [path for path in bare if _usb_id(root, path) in _USB_SERIAL]
    found: dict[Path, str] = {}
    for path in (*likely, *usual, *board, *known):
        if path.exists() and path.resolve() not in refused:
            found.setdefault(path.resolve(), str(path))
    return list(found.values())


def _is_raspberry(root: Path) -> bool:
    with contextlib.suppress(OSError):
        return "Raspberry Pi" in (root / "proc/device-tree/model").read_text(encoding="utf-8", errors="replace")
    return False


def _usb_id(root: Path, port: Path) -> str:
    """Return `vendor:product` of the USB device behind a port, or nothing."""
    device = (root / "sys/class/tty" / port.name / "device").resolve()
    for folder in (device, *device.parents):
        with contextlib.suppress(OSError):
            vendor = (folder / "idVendor").read_text(encoding="ascii").strip()
            return f"{vendor}:{(folder / 'idProduct').read_text(encoding='ascii').strip()}"
    return ""


def quicken(port: str, root: Path = Path("/")) -> None:
    """Let an FTDI adapter hand over bytes after 1 ms instead of 16, where this user may say so."""
    name = Path(port).resolve().name
    timer = root / "sys/class/tty" / name / "device/latency_timer"
    with contextlib.suppress(OSError):
        if timer.read_text(encoding="ascii").strip() != "1":
            timer.write_text("1\n", encoding="ascii")


def permission_mend(port: str) -> Text:
    """Return the exact command that grants this user the port."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    group = "dialout"
    with contextlib.suppress(OSError, KeyError):
        group = grp.getgrgid(Path(port).stat().st_gid).gr_name
    command = f"sudo usermod -aG {group} {user}"
    return Text(f"Lancez « {command} », puis redémarrez la box.", f"Run “{command}”, then restart the box.")


def failure_code(error: OSError, port: str) -> str:
    """Return why a port could not be opened or read: no-port, no-permission, port-busy or port-fault."""
    if not Path(port).exists():
        return "no-port"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "no-permission"
    if error.errno in (errno.EBUSY, errno.EAGAIN):
        return "port-busy"
    return "port-fault"
