"""Whether the calendar can be believed. A box without a clock of its own boots in the past, and may stay there.

It can when the kernel says that it is set (NTP), when it was set from a battery-backed clock, or when the meter, which
says the time in each frame of the standard mode, agrees. Where the meter alone knows better, the calendar is believed
with the meter's correction.
"""

from __future__ import annotations

import ctypes
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path

from gateway.clock import Clock

log = logging.getLogger(__name__)

_TIMESYNC = Path("/run/systemd/timesync/synchronized")
_FROM_RTC = Path("/sys/class/rtc/rtc0/hctosys")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_ERROR = 5  # what adjtimex returns while the kernel has STA_UNSYNC
_TIMEX_BYTES = 512  # more than any struct timex
_LOOK_EVERY_S = 10.0
_STEP_MS = 2_000
_AGREES_S = 60
"""A meter that is off by less than this confirms the calendar; its own clock is minutes off after some years."""

_METER_GOOD_S = 600.0
_STEPS_KEPT = 64


def is_calendar_set() -> bool:
    """Tell whether this machine's calendar was set by NTP or by a battery-backed clock."""
    if _TIMESYNC.exists():
        return True
    try:
        if _FROM_RTC.read_text(encoding="ascii").strip() == "1":
            return True
    except OSError:
        pass  # no such clock
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))) not in {-1, _TIME_ERROR}
    except (OSError, AttributeError):
        return False


def boot_id() -> str:
    """Return what tells one boot of the machine from another."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


class Trust:
    """Watches the calendar against monotonic time. `is_set` None: it is always believed (a demo, a bulk load)."""

    def __init__(self, clock: Clock, is_set: Callable[[], bool] | None = None, boot: str | None = None) -> None:
        self.boot = boot_id() if boot is None else boot
        self._clock = clock
        self._is_set = is_set
        self._kernel = is_set is None
        self._look_at = clock.monotonic()
        self._meter: tuple[float, float] | None = None
        self._offset: float | None = None
        self._steps: deque[tuple[float, int]] = deque(maxlen=_STEPS_KEPT)

    def meter(self, offset_s: float) -> None:
        """Take the meter's time minus the calendar, in seconds. Callable from any thread."""
        self._meter = (self._clock.monotonic(), offset_s)

    def look(self) -> None:
        """Look for a step of the calendar, and now and then whether it is set. Call it about once a second."""
        if self._is_set is None:
            return
        now = self._clock.monotonic()
        offset = self._clock.now() - now * 1000
        step = 0 if self._offset is None else round(offset - self._offset)
        self._offset = offset
        if abs(step) > _STEP_MS:
            log.warning("store.clock-step ms=%d", step)
            self._steps.append((now, step))
            self._meter = None  # it was said of the calendar before
        if step or now >= self._look_at:
            self._kernel = self._is_set()
            self._look_at = now + _LOOK_EVERY_S

    @property
    def shift_ms(self) -> int | None:
        """What to add to the calendar now; None when nothing says that it can be believed."""
        if self._kernel:
            return 0
        if self._meter is None or self._clock.monotonic() - self._meter[0] > _METER_GOOD_S:
            return None
        offset_s = self._meter[1]
        return 0 if abs(offset_s) <= _AGREES_S else round(offset_s * 1000)

    def stepped_since(self, seen: float) -> int:
        """Return by how much (ms) the calendar was set since `seen` (monotonic s): stamps of then are off by it."""
        return sum(step for at, step in self._steps if at > seen)
