"""Hears a Raspberry Pi say that its supply sags: the moment before the power goes is the moment to commit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

_FIRMWARE = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
_HWMON = Path("/sys/class/hwmon")
_LOW_NOW = 1  # bit 0 of get_throttled; the alarm of the hwmon driver is 0 or 1
_PAUSE_S = 10.0
"""A supply that flickers for hours must not wear the card out."""


def find_alarm(firmware: Path = _FIRMWARE, hwmon: Path = _HWMON) -> Path | None:
    """Return the file in which this machine says so, None on one that cannot."""
    for name in sorted(hwmon.glob("hwmon*/name")):
        alarm = name.with_name("in0_lcrit_alarm")
        try:
            if name.read_text(encoding="ascii").strip() == "rpi_volt" and alarm.exists():
                return alarm
        except OSError:
            continue  # it went, or is not for us to read
    return firmware if firmware.exists() else None


class Undervoltage:
    """Watches that file. `sags` is asked about once a second: one short read in memory, and a word of the firmware."""

    def __init__(self, file: Path | None, monotonic: Callable[[], float]) -> None:
        self._file = file
        self._monotonic = monotonic
        self._was_low = False
        self._quiet_until = float("-inf")

    def sags(self) -> bool:
        """Tell whether the supply has just begun to sag."""
        if self._file is None:
            return False
        try:
            # both are one number, get_throttled in hexadecimal
            is_low = bool(int(self._file.read_text(encoding="ascii"), 16) & _LOW_NOW)
        except (OSError, ValueError):
            is_low = False
        began, self._was_low = is_low and not self._was_low, is_low
        now = self._monotonic()
        if not began or now < self._quiet_until:
            return False
        self._quiet_until = now + _PAUSE_S
        log.warning("store.undervoltage file=%s", self._file)
        return True
