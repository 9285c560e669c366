"""Health: what the box can say of itself, in words. The same list feeds the page, the API and `foyer doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

from drivers.contract import DeviceState
from gateway.clock import Clock, UtcMs, to_iso
from gateway.errors import Text
from gateway.supervisor import Device


class State(IntEnum):
    """How bad it is; the whole box is as its worst check."""

    OK = 0
    INFO = 1
    WARNING = 2
    PROBLEM = 3

    @property
    def word(self) -> str:
        """The word of the contract."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `code` is stable, for programs; `details` never holds an identity or a place."""

    id: str
    state: State
    code: str
    text: Text
    mend: Text | None = None
    since: UtcMs | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the check as the live feed and the API carry it."""
        return {
            "id": self.id,
            "state": self.state.word,
            "code": self.code,
            "text": self.text.as_json(),
            "mend": self.mend.as_json() if self.mend else None,
            "since": to_iso(self.since) if self.since is not None else None,
            "details": dict(self.details),
        }


def as_json(checks: Iterable[Check]) -> dict[str, Any]:
    """Return `{"state": the worst, "checks": [...]}`."""
    listed = list(checks)
    worst = max((check.state for check in listed), default=State.OK)
    return {"state": worst.word, "checks": [check.as_json() for check in listed]}


_OF_DEVICE = {
    DeviceState.OK: State.OK,
    DeviceState.STARTING: State.INFO,
    DeviceState.ASLEEP: State.INFO,
    DeviceState.DEGRADED: State.WARNING,
    DeviceState.LOST: State.PROBLEM,
}


def of_device(device: Device) -> Check:
    """Return the check of a device from its last beat."""
    beat = device.beat
    state = _OF_DEVICE[beat.state]
    if state is State.OK and beat.mend is not None:
        state = State.INFO  # it works, and there is an advice
    details = dict(beat.details or {})
    if device.refused:
        details["refused"] = dict(device.refused)
    return Check(device.id, state, beat.code, beat.text, beat.mend, device.since, details)


_EARLIEST: UtcMs = UtcMs(1_767_225_600_000)  # 2026-01-01T00:00:00Z, before this version existed


def of_clock(clock: Clock) -> Check:
    """Return the check of the calendar: a box without a battery-backed clock starts in the past."""
    if clock.now() < _EARLIEST:
        return Check(
            "clock",
            State.PROBLEM,
            "clock-in-the-past",
            Text("L’horloge de la boîte est dans le passé.", "The clock of the box is in the past."),
            Text(
                "Branchez la boîte au réseau quelques minutes : elle se met à l’heure seule.",
                "Connect the box to the network for some minutes: it sets itself.",
            ),
        )
    return Check("clock", State.OK, "clock-plausible", Text("L’horloge est plausible.", "The clock is plausible."))


def of_jobs(file: Path) -> list[Check]:
    """Return what the jobs left in their notes: the weekly look at the store's file, and the nightly backup."""
    try:
        notes = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    found: list[Check] = []
    for job, check in (("store-check", _of_store_check), ("backup", _of_backup)):
        try:
            result = notes[job]
            found.append(check(bool(result["ok"]), str(result["detail"])))
        except (KeyError, TypeError):
            continue  # this job has not run yet, or left something that is no note
    return found


def _of_backup(well: bool, detail: str) -> Check:
    said = Text(detail, detail)  # the job wrote it in the home's language
    if well:
        return Check("backup", State.OK, "backup-well", said)
    return Check(
        "backup",
        State.PROBLEM,
        "backup-missing",
        Text("La sauvegarde de la nuit n’a pas été faite.", "The nightly backup was not made."),
        said,
    )


def _of_store_check(sound: bool, detail: str) -> Check:
    if sound:
        text = Text("Le fichier des mesures est sain.", "The file of the readings is sound.")
        return Check("store-file", State.OK, "store-sound", text)
    return Check(
        "store-file",
        State.PROBLEM,
        "store-damaged",
        Text("Le fichier des mesures est abîmé.", "The file of the readings is damaged."),
        Text(
            "Redémarrez la boîte : elle le met de côté et en commence un autre.",
            "Restart the box: it sets the file aside and begins another.",
        ),
        details={"found": detail},
    )
