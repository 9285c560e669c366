"""What a Linky remembers of the simulated home: the highest apparent powers of today and yesterday, the mean powers of
the last half-hour. Worked out from the home itself, so a meter that just started remembers as well as an old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from drivers.sim.registers import MINUTE_MS
from drivers.sim.tariff import instant, local_date
from gateway.clock import UtcMs

if TYPE_CHECKING:
    from drivers.sim.home import SimulatedHome

HALF_HOUR_MS = 30 * MINUTE_MS
_LOOK_MS = 20_000
_MJ_A_WATT_HALF_HOUR = 1_800_000

Peak = tuple[int, UtcMs]
"""The value, and when it was reached (a maximum) or when its half-hour ended (a mean)."""


@dataclass(slots=True)
class DayPeaks:
    """The highest apparent powers of one local day, seen every 20 s up to `settled`."""

    day: date
    settled: UtcMs
    imported: Peak | None = None
    exported: Peak | None = None

    def see(self, home: SimulatedHome, until: UtcMs) -> None:
        """Look at the home up to an instant (excluded)."""
        while self.settled < until:
            powers = home.powers(self.settled)
            self._raise(round(powers.import_va), round(powers.export_va))
            self.settled = UtcMs(self.settled + _LOOK_MS)

    def _raise(self, imported: int, exported: int) -> None:
        if imported and (self.imported is None or imported > self.imported[0]):
            self.imported = imported, self.settled
        if exported and (self.exported is None or exported > self.exported[0]):
            self.exported = exported, self.settled


class Memory:
    """The peaks and the half-hours of one home, asked for at instants that go forward."""

    def __init__(self, home: SimulatedHome) -> None:
        self._home = home
        self._today: DayPeaks | None = None
        self._yesterday: DayPeaks | None = None
        self._halves: dict[UtcMs, tuple[int, int]] = {}

    def peaks(self, at: UtcMs) -> tuple[DayPeaks, DayPeaks]:
        """Return the peaks of the local day that holds `at`, so far, and of the day before."""
        day = local_date(at // 1000, self._home.tariff.zone)
        if self._today is None or self._yesterday is None or self._today.day != day:
            before = day - timedelta(days=1)
            self._yesterday = self._today if self._today and self._today.day == before else self._open(before)
            self._today = self._open(day)
            self._yesterday.see(self._home, self._today.settled)
        self._today.see(self._home, at)
        return self._today, self._yesterday

    def _open(self, day: date) -> DayPeaks:
        return DayPeaks(day, UtcMs(instant(day, 0, self._home.tariff.zone) * 1000))

    def half_hour(self, at: UtcMs) -> tuple[Peak, Peak]:
        """Return the mean power drawn and injected, in W, over the last half-hour that ended, with its end."""
        end = UtcMs(at - at % HALF_HOUR_MS)
        if end not in self._halves:
            self._halves = {known: mean for known, mean in self._halves.items() if abs(end - known) <= 2 * HALF_HOUR_MS}
            self._halves[end] = self._means(end)
        imported, exported = self._halves[end]
        return (imported, end), (exported, end)

    def _means(self, end: UtcMs) -> tuple[int, int]:
        imported = exported = 0
        for start in range(end - HALF_HOUR_MS, end, MINUTE_MS):
            day, minute = self._home.minute_of(UtcMs(start))
            flow = day.flow(minute)
            imported += flow.import_mj
            exported += flow.export_mj
        return imported // _MJ_A_WATT_HALF_HOUR, exported // _MJ_A_WATT_HALF_HOUR
