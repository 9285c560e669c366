"""What an import would do, found by reading the files whole: signals, period, energy, gaps, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.archive.imports.mapping import Target
from gateway.archive.imports.own import Own, first_value
from gateway.archive.imports.shaping import MINUTE_MS, Seen, kept, minute_means, registers, scaled, until
from gateway.archive.imports.source import HOUR_MS, Sample, Series
from gateway.clock import Clock, UtcMs, to_iso
from gateway.config import Config
from gateway.store.read import Reader
from gateway.store.readonly import ReadOnly
from gateway.store.rollup import closed_until


@dataclass(frozen=True, slots=True)
class Step:
    """One series to import. `end` is where it must stop, None for nowhere; `own` is the store's own first value."""

    series: Series
    target: Target
    end: int | None
    own: Own | None
    is_new: bool

    def samples(self, seen: Seen) -> Iterator[Sample]:
        """Yield what would be stored, noting it in `seen`: registers in Wh, or means of whole minutes."""
        raw = scaled(self.series.read(), self.target.factor)
        shaped = registers(raw, seen) if self.target.counts else minute_means(raw, self.series.hold_ms)
        return kept(until(shaped, self.end), self.target.kind, seen)


@dataclass(frozen=True, slots=True)
class Found:
    """A step and what reading it showed."""

    step: Step
    seen: Seen

    @property
    def energy_wh(self) -> float | None:
        """The energy that goes through the period: by the register, or a power over the minutes that are known."""
        if not self.seen.count:
            return None
        if self.step.target.counts:
            return self.seen.last_value - self.seen.first_value
        return self.seen.total * MINUTE_MS / HOUR_MS if self.step.target.kind.unit == "W" else None

    def as_json(self) -> dict[str, Any]:
        """Return the finding as the command prints it."""
        seen = self.seen
        return {
            "series": self.step.series.id,
            "signal": self.step.target.signal,
            "from": None if seen.first is None else to_iso(seen.first),
            "to": None if seen.last is None else to_iso(seen.last),
            "values": seen.count,
            "energy_wh": None if self.energy_wh is None else round(self.energy_wh),
            "gaps": seen.gaps,
            "gap_hours": round(seen.gap_ms / HOUR_MS, 1),
            "resets": seen.resets,
            "glitches": seen.glitches,
            "refused": seen.refused,
            "stops_at": None if self.step.end is None else to_iso(self.step.end),
        }


def steps(config: Config, clock: Clock, series: Sequence[Series], targets: Mapping[str, Target]) -> list[Step]:
    """Return what would be imported, each up to where the store's own values of that signal begin."""
    made = []
    with Reader(config.measure_db, clock) as reader:
        latest = _latest_end(config, reader)
        known = set(reader.info().signals)
        for one in series:
            target = targets.get(one.id)
            if target is not None:
                own = first_value(reader, target.signal, clock.now())
                ends = [end for end in (latest, None if own is None else own.at - own.at % HOUR_MS) if end is not None]
                made.append(Step(one, target, min(ends, default=None), own, target.signal not in known))
    return made


def look(step: Step) -> Found:
    """Read a series whole, and return what it holds."""
    seen = Seen()
    for _ in step.samples(seen):
        pass
    return Found(step, seen)


def _latest_end(config: Config, reader: Reader) -> UtcMs | None:
    """Return the end of the last hour that the store has closed: what comes later is still to be rolled up."""
    info = reader.info()
    if info.first is None:
        return None
    file = ReadOnly(config.measure_db)
    try:
        closed = file.ask(closed_until, None)
    finally:
        file.close()
    return UtcMs(info.first - info.first % HOUR_MS if closed is None else closed)
