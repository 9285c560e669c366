"""The last gate: what a meter cannot have said, given what it said before. Pure, one `Gate` a stream.

The checksum is six bits wide and blind to bit 6, and two flips may even pass the parity; so an index must move forward
and no faster than the supply allows, the date must go forward, the meter must stay the same meter. In a stream with
much damage, a setting that changes must say so twice. What is refused is not lost for ever: a value that keeps
coming, consistent with itself, becomes the truth (meter replaced, contract changed).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from drivers.linky.group import Group, Reason
from drivers.linky.labels import MAX_VA, Nature

_SLACK_S = 3.0  # a group may have been lost in the frames before
_SLACK_WH = 2.0
_SOON_WH = _SLACK_S * MAX_VA / 3600 + _SLACK_WH  # always within what the supply allows
_DATE_SLACK_S = 10.0
_AGREE = 2  # sightings that make a new identity or setting
_AGREE_INDEX = 3  # sightings that make a new series of an index
_NOISY = 5.0  # refused groups, the older the less they count, from which on a stream is doubted
_FORGET = 0.8  # what a refused group still counts a frame later
_DAMAGE = frozenset({Reason.CHECKSUM, Reason.PARITY, Reason.SIZE, Reason.CHARSET})
_ODD_TEXT = re.compile("[a-z][A-Z]")  # a capital or a sign with bit 6 flipped, more often than a name
_ADDRESSES = ("ADSC", "ADCO")
_MEMORY_FRAMES = 3  # a value not repeated for so long is forgotten as a candidate


@dataclass(slots=True)
class _Candidate:
    """A refused value that may be the truth."""

    group: Group
    time: float
    frame: int
    seen: int = 1


class Gate:
    """Judges the groups of one stream (a `drivers.linky.frame.Judge`).

    `meters_replaced` grows when another meter speaks: its indexes begin a new series.
    """

    def __init__(self) -> None:
        self._last: dict[str, Group] = {}
        self._seen: dict[str, float] = {}
        self._candidates: dict[str, _Candidate] = {}
        self._frame = 0
        self._noise = 0.0
        self._now = 0.0
        self._time = 0.0
        self._all_seen = 0.0
        self.meters_replaced = 0

    def tick(self, now: float) -> None:
        """Learn the time of the bytes to come, in seconds from any origin; the meter's DATE may run ahead of it."""
        self._time += max(0.0, now - self._now)
        self._now = now

    def damaged(self, reason: Reason) -> None:
        """Count the damage: a stream with much of it is doubted."""
        if reason in _DAMAGE:
            self._noise += 1

    def frame_over(self, *, clean: bool) -> None:
        """Count the frames; in a clean one every label was seen."""
        self._frame += 1
        self._noise *= _FORGET
        if clean:
            self._all_seen = self._time

    def accepts(self, group: Group) -> bool:
        """Tell whether the meter can have said this now."""
        name, value, _, spec, _, _ = group
        if type(value) is int and value > spec.high:
            return False
        if spec.nature is Nature.LIVE:
            return True
        last = self._last.get(name)
        sure = self._may_begin(group) if last is None else self._may_follow(last, group)
        if not (sure or self._insists(group)):
            return False
        if self._candidates:
            self._candidates.pop(name, None)
        self._last[name] = group
        self._seen[name] = self._time
        return True

    def _elapsed(self, name: str) -> float:
        """Return the seconds since the label was last seen."""
        return self._time - max(self._seen[name], self._all_seen)

    def _may_begin(self, group: Group) -> bool:
        """Tell whether to believe the first value of a label at once."""
        if group.spec.nature is Nature.IDENTITY and self._noise >= _NOISY:
            return False
        return type(group.value) is int or _ODD_TEXT.search(str(group.value)) is None

    def _may_follow(self, last: Group, group: Group) -> bool:
        nature, value, before = group.spec.nature, group.value, last.value
        if nature is Nature.INDEX and isinstance(value, int) and isinstance(before, int):
            step = value - before
            return 0 <= step <= _SOON_WH or 0 <= step <= _most(self._elapsed(group.label))
        if nature is Nature.CLOCK:
            return self._date_moves(last, group)
        if before == value and last.stamp == group.stamp:
            return True
        return nature is Nature.SETTING and self._noise < _NOISY and not group.repaired

    def _date_moves(self, last: Group, group: Group) -> bool:
        """Tell whether DATE goes forward at about the pace of time, and let it drive the gate's own time."""
        before, now = last.stamp, group.stamp
        if before is None or now is None or before.at is None or now.at is None:
            return True
        moved = (now.at - before.at) / 1000
        elapsed = self._elapsed(group.label)
        if not 0 <= moved <= _most_seconds(elapsed):
            return False
        self._time += max(0.0, moved - elapsed)
        return True

    def _insists(self, group: Group) -> bool:
        """Remember a doubtful value, and tell whether it has now come often enough to be believed."""
        name, nature = group.label, group.spec.nature
        candidate = self._candidates.get(name)
        if (
            candidate is None
            or self._frame - candidate.frame > _MEMORY_FRAMES
            or not _agrees(candidate.group, group, self._time - candidate.time)
        ):
            self._candidates[name] = _Candidate(group, self._time, self._frame)
            return False
        candidate.group, candidate.time, candidate.frame = group, self._time, self._frame
        candidate.seen += 1
        if candidate.seen < (_AGREE_INDEX if nature is Nature.INDEX else _AGREE):
            return False
        if name in _ADDRESSES and name in self._last:
            self.meters_replaced += 1
            self._last.clear()  # nothing the former meter said binds the new one
            self._candidates.clear()
        return True


def _most(elapsed: float) -> float:
    """Return the most Wh that an index can move in so many seconds."""
    return (elapsed + _SLACK_S) * MAX_VA / 3600 + _SLACK_WH


def _most_seconds(elapsed: float) -> float:
    """Return the most that DATE can move in so many seconds of this machine's time."""
    return 1.5 * elapsed + _DATE_SLACK_S


def _agrees(candidate: Group, group: Group, elapsed: float) -> bool:
    """Tell whether two doubtful values of a label speak for each other."""
    if isinstance(group.value, int) and isinstance(candidate.value, int) and group.spec.nature is Nature.INDEX:
        return 0 <= group.value - candidate.value <= _most(elapsed)
    before, now = candidate.stamp, group.stamp
    if group.spec.nature is Nature.CLOCK and before and now and before.at is not None and now.at is not None:
        return 0 <= (now.at - before.at) / 1000 <= _most_seconds(elapsed)
    return candidate.value == group.value and before == now
