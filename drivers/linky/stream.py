"""One meter's stream from bytes to readings, with the figures of its health. Pure: time and bytes are handed in."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from drivers.linky.frame import Decoder, End, Event
from drivers.linky.group import Group, Reason, Rejected
from drivers.linky.history import ErrorHistory, Trend
from drivers.linky.labels import HISTORIC, STANDARD, Mode
from drivers.linky.plausible import Gate
from drivers.linky.readings import Interpreter
from gateway.clock import UtcMs
from gateway.reading import Reading

_ENOUGH_GROUPS = 100
_WEAK_RATE = 0.005  # a sound installation has none
_CHANCE = 3  # damaged groups that one disturbance may have made: fewer are no weak line
_RECENT_FRAMES = 300  # about five minutes in standard mode: what the error rate speaks of


class Stream:
    """Decoder, plausibility and interpreter of one line, and what they have seen."""

    def __init__(self, mode: Mode | None = None, parity: str = "auto") -> None:
        self._gate = Gate()
        self._decoder = Decoder(mode, parity, self._gate)
        self._meters_replaced = 0
        self._recent: deque[tuple[int, int]] = deque(maxlen=_RECENT_FRAMES)
        self._good = self._bad = 0
        self._seconds = 0.0
        self._history = ErrorHistory()
        self._offset_ms: int | None = None
        self.interpreter = Interpreter()
        self.rejected: Counter[Reason] = Counter()
        self.groups = 0
        self.repaired = 0
        self.damaged_but_named = 0
        """Refused groups that bear the label of a meter: whatever else speaks on a line has none."""
        self.frames = 0
        self.partial_frames = 0

    @property
    def mode(self) -> Mode | None:
        """The mode of the stream, once it is sure."""
        return self._decoder.mode

    def feed(self, data: bytes, seconds: float) -> list[Event]:
        """Return the events that the next bytes complete; `seconds` is the time, from any origin."""
        self._gate.tick(seconds)
        self._seconds = seconds
        return self._count(self._decoder.feed(data))

    def finish(self) -> list[Event]:
        """Return what is left when the stream ends or breaks."""
        return self._count(self._decoder.finish())

    def readings(self, events: list[Event], at: UtcMs) -> Iterator[tuple[list[Reading], End | None]]:
        """Yield the readings of `events`, frame by frame (`Interpreter.take`); `at` is when the bytes came."""
        if self._gate.meters_replaced != self._meters_replaced:
            self._meters_replaced = self._gate.meters_replaced
            self.interpreter = Interpreter()
        yield from self.interpreter.take(events, at)
        date = self.interpreter.date
        self._offset_ms = None if date is None else date - at

    def _count(self, events: list[Event]) -> list[Event]:
        for event in events:
            if isinstance(event, Group):
                self.groups += 1
                self.repaired += event.repaired
                self._good += 1
            elif isinstance(event, Rejected):
                self.rejected[event.reason] += 1
                self._bad += event.reason is not Reason.LABEL
                self.damaged_but_named += event.label in STANDARD or event.label in HISTORIC
            else:
                self.frames += event.complete
                self.partial_frames += not event.complete
                self._recent.append((self._good, self._bad))
                self._history.count(self._bad, self._good + self._bad, self._seconds)
                self._good = self._bad = 0
        return events

    @property
    def error_rate(self) -> float | None:
        """The part of the recent groups that arrived damaged, 0 to 1; None before there are enough to tell."""
        good = sum(frame[0] for frame in self._recent) + self._good
        bad = sum(frame[1] for frame in self._recent) + self._bad
        return bad / (good + bad) if good + bad >= _ENOUGH_GROUPS else None

    @property
    def weak(self) -> bool:
        """Whether so many of the recent groups arrived damaged that the line needs a look."""
        rate = self.error_rate
        return rate is not None and rate > _WEAK_RATE and self._bad + sum(bad for _, bad in self._recent) >= _CHANCE

    @property
    def error_trend(self) -> Trend | None:
        """Whether the line gets better or worse; None before there is enough to tell."""
        return self._history.trend

    def details(self) -> dict[str, Any]:
        """Return the figures of the health page (named in `web.details`); the meter's number is not among them."""
        rate, day = self.error_rate, self._history.rate
        return {
            "mode": self.mode,
            "parity": self._decoder.parity,
            "phases": self.interpreter.phases,
            "producer": self.interpreter.producer,
            "frames": self.frames,
            "partial_frames": self.partial_frames,
            "groups": self.groups,
            "repaired": self.repaired,
            "rejected": {reason.value: count for reason, count in sorted(self.rejected.items())},
            "error_rate": None if rate is None else round(rate, 4),
            "error_rate_day": None if day is None else round(day, 5),
            "error_trend": self.error_trend,
            "errors_by_hour": self._history.by_hour,
            "meters_replaced": self._meters_replaced,
            "clock_offset_s": None if self._offset_ms is None else round(self._offset_ms / 1000),
        }
