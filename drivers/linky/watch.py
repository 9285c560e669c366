"""What follows from several groups of one meter: the breaker's countdown, the phases, the tariff's times. Pure.

`drivers.linky.readings` shows each group to a `Watch`, which answers with what that group newly tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from drivers.linky import codes
from drivers.linky.calendar import Calendar, Change, Peaks
from drivers.linky.cutoff import Breaker
from drivers.linky.group import Group
from gateway.clock import UtcMs, to_iso
from gateway.reading import Quality, Value

_VA_PER_KVA = 1000
_VOLTS = 200  # the subscription's reference: PREF(VA) = 200 V x ISOUSC, per phase
_NOMINAL_V = 230  # historic mode gives currents but no voltage
_GONE_V = 100  # a phase below this feeds nothing
_THREE = 3
_MINUTE_MS = 60_000

CUTOFF = "linky:cutoff"
CALENDAR = "linky:calendar"
_MEANS = {"CCASN": "grid.import.mean_power", "CCAIN": "grid.export.mean_power"}


class Said(NamedTuple):
    """One value to publish; `at` is when it was reached, None for now."""

    signal: str
    value: Value | None
    quality: Quality = Quality.MEASURED
    source: str = "linky"
    at: UtcMs | None = None


class Watch:
    """One meter's breaker, phases and calendar."""

    def __init__(self) -> None:
        self._breaker = Breaker()
        self._by_setting = False
        self._calendar = Calendar()
        self._peaks = Peaks()
        self._phases: dict[str, int] = {}
        self._means: dict[str, tuple[int, str]] = {}
        self._told: dict[str, int | str] = {}
        self._minute = -1
        self._change: Change | None = None

    def see(self, group: Group, now: UtcMs, phases: int | None, clock: UtcMs) -> Iterator[Said]:
        """Yield what a group tells; `now` is this machine's time, `clock` the meter's where it can be trusted."""
        label, value = group.label, group.value
        if isinstance(value, str):
            yield from self._words(group, clock)
        elif label in ("PCOUP", "ISOUSC"):
            yield from self._cut_off_power(label, value, phases or 1)
        elif label in ("SINSTS", "SINST1", "PAPP"):
            if phases != _THREE:
                yield from self._load(1, value, now, last=True)
        elif label[:-1] in ("SINSTS", "IINST"):
            # of three phases each has its own breaker; historic mode knows their currents alone
            va = value if label.startswith("S") else value * _NOMINAL_V
            yield from self._load(int(label[-1]), va, now, last=label.endswith("3"))
            yield from self._imbalance("IINST", label, value)
        elif label.startswith("IRMS"):
            yield from self._imbalance("IRMS", label, value)
        elif label.startswith("URMS"):
            yield from self._voltage(label, value, phases)
        elif label in _MEANS:
            yield from self._mean(group, value, now)
        elif label in ("NJOURF", "NJOURF+1"):
            self._calendar.day_profile(label, value)
            self._look_again(label, value)
        elif label[:-1] in ("DPM", "FPM") and group.stamp is not None:
            self._peaks.edge(label, group.stamp.text)

    def frame_over(self, labels: set[str]) -> None:
        """Take the labels of a complete and clean frame."""
        self._peaks.keep(labels)

    def period(self, period: str | None, clock: UtcMs, index: int | None = None, *, tempo: bool = False) -> list[Said]:
        """Take the tariff period of now, and return the next change."""
        if tempo:
            self._calendar.names = dict(enumerate(codes.TEMPO_INDEXES, 1))
        changed = self._calendar.period(period, clock, index)
        minute = clock // _MINUTE_MS
        if minute != self._minute or changed:
            self._minute = minute
            self._change = self._calendar.next_change(clock, index, period)
        change = self._change
        quality = Quality.DERIVED if change is None or change.said else Quality.ESTIMATED
        at = None if change is None else _minute_iso(change.at)
        return [
            Said("grid.tariff.next_change", at, quality, CALENDAR),
            Said("grid.tariff.next_period", None if change is None else change.period, quality, CALENDAR),
        ]

    def notice(self, clock: UtcMs, *, announced: bool, runs: bool) -> list[Said]:
        """Take what the meter says of mobile peaks, and return the notice with the times it gives."""
        start, end = self._peaks.next(clock)
        announced = announced or (start is not None and start > clock)
        return [
            Said("grid.tariff.notice", "peak" if runs else "announced" if announced else "none"),
            Said("grid.tariff.peak.start", None if start is None else _minute_iso(start)),
            Said("grid.tariff.peak.end", None if end is None else _minute_iso(end)),
        ]

    def _words(self, group: Group, clock: UtcMs) -> Iterator[Said]:
        label, value = group.label, str(group.value)
        if label == "PJOURF+1":
            self._calendar.tomorrow(value, clock)
            self._look_again(label, value)
        elif label == "MSG1":
            text = codes.normalise(value)
            yield Said("grid.message", None if text in ("", "PAS DE MESSAGE") else " ".join(value.split()))
        elif label == "PPOT":
            bits = int(value, 16)
            yield Said("grid.phase.missing", _numbers([n for n in (1, 2, 3) if bits >> n & 1]))

    def _look_again(self, label: str, value: int | str) -> None:
        """Have the next change worked out anew when the calendar has learnt something."""
        if self._told.get(label) != value:
            self._told[label] = value
            self._minute = -1

    def _cut_off_power(self, label: str, value: int, phases: int) -> Iterator[Said]:
        self._by_setting = label == "ISOUSC"
        per_phase = value * _VOLTS if self._by_setting else value * _VA_PER_KVA / phases
        self._breaker.power_va = per_phase
        quality = Quality.ESTIMATED if self._by_setting else Quality.MEASURED
        yield Said("grid.cutoff.power", round(per_phase * phases), quality)

    def _load(self, phase: int, va: int, now: UtcMs, *, last: bool) -> Iterator[Said]:
        self._breaker.see(phase, va, now / 1000)
        if not last:
            return
        left, margin = self._breaker.time_s(), self._breaker.margin_va()
        of_load = Quality.ESTIMATED if self._by_setting else Quality.DERIVED
        if margin is not None:
            yield Said("grid.cutoff.margin", round(margin), of_load, CUTOFF)
        quality = of_load if self._breaker.sure else Quality.ESTIMATED
        yield Said("grid.cutoff.time", None if left is None else round(left), quality, CUTOFF)

    def _imbalance(self, kind: str, label: str, value: int) -> Iterator[Said]:
        if not label.startswith(kind):
            return
        self._phases[label] = value
        currents = [self._phases.get(f"{kind}{n}") for n in (1, 2, 3)]
        known = [one for one in currents if one is not None]
        if label.endswith("3") and len(known) == _THREE:
            yield Said("grid.imbalance.current", max(known) - min(known), Quality.DERIVED, "linky:phases")

    def _voltage(self, label: str, value: int, phases: int | None) -> Iterator[Said]:
        self._phases[label] = value
        if label != "URMS3" or phases != _THREE:
            return
        volts = [self._phases.get(f"URMS{n}", _NOMINAL_V) for n in (1, 2, 3)]
        yield Said("grid.phase.missing", _numbers([n for n, one in enumerate(volts, 1) if one < _GONE_V]))

    def _mean(self, group: Group, watts: int, now: UtcMs) -> Iterator[Said]:
        """Yield a new point of the load curve, stamped at the end of its half-hour, as the meter gives it."""
        stamp = group.stamp
        if stamp is None or self._means.get(group.label) == (watts, stamp.text):
            return
        self._means[group.label] = watts, stamp.text
        reached = now if stamp.at is None or stamp.degraded else UtcMs(min(stamp.at, now))
        yield Said(_MEANS[group.label], watts, at=reached)


def _minute_iso(at: UtcMs) -> str:
    return to_iso(at)[:16] + "Z"


def _numbers(found: list[int]) -> str:
    return " ".join(map(str, found)) or "none"
