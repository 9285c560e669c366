"""The output of `foyer tic decode`: frames as JSON objects or as a readable table. Pure."""

from __future__ import annotations

from typing import Any

from drivers.linky.frame import End, Event
from drivers.linky.group import Group, Rejected
from drivers.linky.labels import Mode
from drivers.linky.stream import Stream
from gateway.cli import say
from gateway.clock import UtcMs
from gateway.reading import Value

_NO_TIME = UtcMs(0)  # a capture does not say when it was taken
_LISTED = 200  # refused groups shown of one frame, more than twice what a frame can hold: the summary counts them all
_HELD = 100  # scraps held back at most: what has no mode by then is no meter
_BYTES_PER_S = {Mode.STANDARD: 960, Mode.HISTORIC: 120, None: 960}


class Report:
    """Decodes a stream into the lines of section 4.3 of the design: one a frame, then a summary."""

    def __init__(self, mode: Mode | None, parity: str) -> None:
        self._stream = Stream(mode, parity)
        self._bytes = 0
        self._seconds = 0.0
        self._number = 0
        self._groups: dict[str, Any] = {}
        self._rejected: list[dict[str, str]] = []
        self._readings: dict[str, Value] = {}
        self._waiting: list[dict[str, Any]] = []

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return the frames that the next bytes complete. Time is counted in bytes: a file has no other."""
        self._bytes += len(data)
        self._seconds += len(data) / _BYTES_PER_S[self._stream.mode]
        return self._lines(self._stream.feed(data, self._seconds))

    def finish(self) -> list[dict[str, Any]]:
        """Return the frame that was still open, then the summary."""
        lines = self._lines(self._stream.finish())
        stream = self._stream
        summary = {
            "bytes": self._bytes,
            "frames": stream.frames,
            "partial_frames": stream.partial_frames,
            "groups": stream.groups,
            "rejected": stream.rejected.total(),
            "repaired": stream.repaired,
            "mode": stream.mode,
        }
        waiting, self._waiting = self._waiting, []
        return [*waiting, *lines, {"summary": summary}]

    def _lines(self, events: list[Event]) -> list[dict[str, Any]]:
        lines = []
        for event in events:
            if isinstance(event, Group):
                self._groups[event.label] = _group(event)
            elif isinstance(event, Rejected):
                refused = {"label": event.label, "raw": event.raw, "reason": event.reason.value}
                if len(self._rejected) < _LISTED:
                    self._rejected.append(refused)
            for readings, end in self._stream.readings([event], _NO_TIME):
                for reading in readings:
                    if reading.value is None:
                        self._readings.pop(reading.signal, None)
                    else:
                        self._readings[reading.signal] = reading.value
                if end is not None:
                    lines.append(self._frame(end))
        return self._once_known(lines)

    def _frame(self, end: End) -> dict[str, Any]:
        self._number += 1
        meter = self._stream.interpreter
        line = {
            "frame": self._number,
            "mode": end.mode,
            "complete": end.complete,
            "meter": meter.address,
            "phases": meter.phases,
            "producer": meter.producer,
            "groups": self._groups,
            "rejected": self._rejected,
            "readings": self._readings,
        }
        self._groups, self._rejected, self._readings = {}, [], {}
        return line

    def _once_known(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Hold back the scrap that begins a capture until the stream's mode is known, so as to name it."""
        mode = self._stream.mode
        if mode is None:
            self._waiting += lines
            if len(self._waiting) <= _HELD:
                return []
            unnamed, self._waiting = self._waiting, []
            return unnamed
        ready = [*self._waiting, *lines]
        self._waiting = []
        for line in ready:
            line["mode"] = line["mode"] or mode
        return ready


def _group(group: Group) -> dict[str, Any]:
    shown: dict[str, Any] = {"value": group.value}
    if group.spec.unit:
        shown["unit"] = group.spec.unit
    if group.stamp is not None:
        at = group.stamp.iso
        if at is not None:
            shown["at"] = at
        if group.stamp.degraded:
            shown["degraded"] = True
    if group.repaired:
        shown["repaired"] = True
    return shown


def table(line: dict[str, Any]) -> str:
    """Return a line of the report for a person to read."""
    if "summary" in line:
        one = line["summary"]
        return say(
            f"{one['frames']} trames et {one['partial_frames']} partielles, {one['groups']} groupes, "
            f"{one['rejected']} refusés, {one['repaired']} réparés, mode {one['mode'] or 'inconnu'}.",
            f"{one['frames']} frames and {one['partial_frames']} partial, {one['groups']} groups, "
            f"{one['rejected']} refused, {one['repaired']} repaired, mode {one['mode'] or 'unknown'}.",
        )
    whole = say("complète", "complete") if line["complete"] else say("partielle", "partial")
    rows = [say(f"Trame {line['frame']} ({whole})", f"Frame {line['frame']} ({whole})")]
    for name, group in line["groups"].items():
        notes = " ".join(
            [group.get("unit", ""), group.get("at", ""), say("réparé", "repaired") if group.get("repaired") else ""]
        )
        rows.append(f"  {name:10} {group['value']!s:>12} {notes}".rstrip())
    rows += [f"  {one['label']:10} {say('refusé', 'refused')} : {one['reason']}" for one in line["rejected"]]
    return "\n".join(rows)
