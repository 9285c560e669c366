"""What the driver says of an inverter, to a person and to programs. Pure."""

from __future__ import annotations

from drivers.contract import Beat, DeviceState
from drivers.inverter import points
from drivers.inverter.faults import LinkFault
from drivers.inverter.sample import NEGATIVE, Sample
from gateway.errors import Text

_GRID_TOO_HIGH = 10
_ASK = Text("Si cela dure, prévenez votre installateur.", "If it lasts, tell your installer.")
_ASK_ENEDIS = Text(
    "C’est fréquent en bout de ligne. Si cela dure, prévenez votre installateur, qui saisira Enedis.",
    "This is common at the end of a line. If it lasts, tell your installer, who will turn to Enedis.",
)

STARTING = Beat(
    DeviceState.STARTING,
    "starting",
    Text("Foyer cherche l’onduleur.", "Foyer is looking for the inverter."),
)
ASLEEP = Beat(
    DeviceState.ASLEEP,
    "asleep",
    Text("L’onduleur dort, faute de soleil.", "The inverter sleeps, for want of sun."),
)


def absent(fault: LinkFault, *, lost: bool) -> Beat:
    """Return the beat for an inverter that gives nothing while it should."""
    return Beat(DeviceState.LOST if lost else DeviceState.DEGRADED, fault.code, fault.what, fault.mend)


def present(sample: Sample, model: str) -> Beat:
    """Return the beat for an inverter that was just read."""
    details = {"model": model, "state": sample.values.get("pv.state"), "missing": dict(sample.missing)}
    if sample.state in points.RESTING:
        return Beat(DeviceState.ASLEEP, "resting", _stands(sample.state), details=details)
    if sample.events:
        listed = [points.EVENTS[number] for number in sample.events]
        text = Text(
            f"L’onduleur signale : {', '.join(one.fr for one in listed)}.",
            f"The inverter reports: {', '.join(one.en for one in listed)}.",
        )
        mend = _ASK_ENEDIS if _GRID_TOO_HIGH in sample.events else _ASK
        return Beat(DeviceState.DEGRADED, "event", text, mend, details | {"events": list(sample.events)})
    if sample.state == points.FAULT:
        return Beat(DeviceState.DEGRADED, "fault", _stands(points.FAULT), _ASK, details)
    if sample.missing.get("pv.power", NEGATIVE) != NEGATIVE:
        text = Text("L’onduleur répond, sans donner sa puissance.", "The inverter answers, without its power.")
        return Beat(DeviceState.DEGRADED, "no-power", text, _ASK, details)
    return Beat(DeviceState.OK, "ok", Text("L’onduleur répond.", "The inverter answers."), details=details)


def _stands(state: int | None) -> Text:
    words = points.STATES[state or points.OFF][1]
    return Text(f"État de l’onduleur : {words.fr}.", f"State of the inverter: {words.en}.")
