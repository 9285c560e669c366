"""The counters of the simulated meter and inverter.

Their state is exact: whole millijoules at a whole minute. What they show at an instant is that state, plus the area of
the minute begun, in whole Wh; how the way was cut into steps changes nothing. Each Wh drawn goes to the supplier index
that runs in its minute, so the indexes always add up to the total.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.sim.day import Flow, HomeDay
from drivers.sim.noise import Dice
from drivers.sim.weather import MINUTES
from gateway.clock import UtcMs

if TYPE_CHECKING:
    from drivers.sim.home import SimulatedHome

MINUTE_MS = 60_000
MJ_A_WH = 3_600_000
_SHARES = {"base": (1.0,), "hphc": (0.56, 0.44), "tempo": (0.45, 0.37, 0.06, 0.06, 0.03, 0.03), "ejp": (0.93, 0.07)}
"""The part of each supplier index in what an installation some years old has drawn."""
_YEARS = 2.6  # the installation's age when its story begins


@dataclass(frozen=True, slots=True)
class Counts:
    """What the counters show, in Wh. `indexes` are the supplier's, from 1 on, and add up to `import_wh`."""

    import_wh: int
    indexes: tuple[int, ...]
    export_wh: int
    pv_wh: int


class Registers:
    """The counters of one home, going forward in time. `at` is the whole minute up to which they are settled."""

    def __init__(self, home: SimulatedHome, at: UtcMs, counts: Counts) -> None:
        self._home = home
        self.at = _whole(at)
        self._import_mj = counts.import_wh * MJ_A_WH
        self._indexes = list(counts.indexes)
        self._export_mj = counts.export_wh * MJ_A_WH
        self._pv_mj = counts.pv_wh * MJ_A_WH
        self._seen: UtcMs = self.at
        self._day, _ = home.minute_of(self.at)

    @classmethod
    def first(cls, home: SimulatedHome, at: UtcMs) -> Registers:
        """Return the counters of an installation some years old, by the home's seed."""
        dice = Dice(home.seed, "registers")
        drawn = round(dice.between(10_500_000, 13_500_000))
        parts = [round(drawn * share) for share in _SHARES[home.option][:-1]]
        made = round(home.kwp * 1_200_000 * _YEARS * dice.between(0.95, 1.05))
        return cls(home, at, Counts(drawn, (*parts, drawn - sum(parts)), round(made * 0.58), made))

    def settled(self) -> Counts:
        """Return the counters at the whole minute `at`."""
        return self._counts(self._import_mj, tuple(self._indexes), self._export_mj, self._pv_mj)

    def here(self) -> tuple[HomeDay, int]:
        """Return the solar day, and the number in it, of the minute that begins at `at`."""
        minute = (self.at // 1000 - self._day.start) // 60
        if not 0 <= minute < MINUTES:
            self._day, minute = self._home.minute_of(self.at)
        return self._day, minute

    def step(self) -> Flow:
        """Settle one more minute, and return what passed in it."""
        day, minute = self.here()
        flow = day.flow(minute)
        before = self._import_mj // MJ_A_WH
        self._import_mj += flow.import_mj
        self._indexes[day.index[minute] - 1] += self._import_mj // MJ_A_WH - before
        self._export_mj += flow.export_mj
        self._pv_mj += flow.pv_mj
        self.at = UtcMs(self.at + MINUTE_MS)
        return flow

    def advance(self, to: UtcMs) -> None:
        """Settle every whole minute up to `to`; nothing to do when it is past."""
        while self.at + MINUTE_MS <= to:
            self.step()

    def read(self, at: UtcMs) -> Counts:
        """Return the counters at an instant. They never step back: when the calendar does, they wait for it up to a
        minute, then go on from what they showed.
        """
        if at < self._seen - MINUTE_MS:
            self.step()
            self.at = self._seen = _whole(at)
        self._seen = at = max(at, self._seen)
        self.advance(at)
        day, minute = self.here()
        flow = day.flow(minute, (at - self.at) / 1000)
        drawn = self._import_mj + flow.import_mj
        indexes = list(self._indexes)
        indexes[day.index[minute] - 1] += drawn // MJ_A_WH - self._import_mj // MJ_A_WH
        return self._counts(drawn, tuple(indexes), self._export_mj + flow.export_mj, self._pv_mj + flow.pv_mj)

    @staticmethod
    def _counts(drawn: int, indexes: tuple[int, ...], injected: int, made: int) -> Counts:
        return Counts(drawn // MJ_A_WH, indexes, injected // MJ_A_WH, made // MJ_A_WH)

    def save(self, file: Path) -> None:
        """Write the state as JSON, all or nothing."""
        state = {
            "at": self.at,
            "import_mj": self._import_mj,
            "indexes": self._indexes,
            "export_mj": self._export_mj,
            "pv_mj": self._pv_mj,
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.new")
        fresh.write_text(json.dumps(state), encoding="utf-8")
        os.replace(fresh, file)  # noqa: PTH105 - the same act, said plainly

    @classmethod
    def load(cls, home: SimulatedHome, file: Path) -> Registers:
        """Return the counters as saved. Raise FileNotFoundError, or ValueError when the state does not fit the home."""
        state = json.loads(file.read_text(encoding="utf-8"))
        try:
            numbers = [state[name] for name in ("at", "import_mj", "export_mj", "pv_mj")]
            indexes = [*state["indexes"]]
        except (KeyError, TypeError) as error:
            raise ValueError(f"incomplete state: {error}") from None
        if not all(type(number) is int and number >= 0 for number in (*numbers, *indexes)):
            raise ValueError("a counter is not a whole number")
        if len(indexes) != home.tariff.indexes or sum(indexes) != numbers[1] // MJ_A_WH:
            raise ValueError("the indexes are those of another contract")
        registers = cls(home, UtcMs(numbers[0]), Counts(0, tuple(indexes), 0, 0))
        registers._import_mj, registers._export_mj, registers._pv_mj = numbers[1:]
        return registers


def _whole(at: UtcMs) -> UtcMs:
    return UtcMs(at - at % MINUTE_MS)
