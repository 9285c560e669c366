"""What the reader says of the meter on the health page: one sentence, and what a person can do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drivers.contract import Beat, DeviceState
from gateway.errors import Text

WEAK_RATE = 0.005
"""Refused groups over all groups: a sound installation has none; above this the line is weak."""

_LOOK = Text(
    "Vérifiez que l’adaptateur est branché et donnez son chemin dans [meter] port.",
    "Check that the adapter is plugged in, and give its path in [meter] port.",
)
_WIRES = Text(
    "Vérifiez les deux fils entre I1 et I2 sur le Linky ; si le compteur vient d’être changé, attendez une journée.",
    "Check the two wires on I1 and I2 of the Linky; if the meter was just replaced, wait a day.",
)


def searching() -> Beat:
    """Return the beat of a port just opened."""
    return Beat(
        DeviceState.STARTING, "searching", Text("Recherche du signal du compteur.", "Looking for the meter’s signal.")
    )


def no_port(port: str) -> Beat:
    """Return the beat of a port that is not there."""
    if port == "auto":
        what = Text("Aucun adaptateur de compteur n’est branché.", "No meter adapter is plugged in.")
    else:
        what = Text(f"Le port {port} n’existe pas.", f"The port {port} does not exist.")
    return Beat(DeviceState.LOST, "no-port", what, _LOOK)


def not_opened(code: str, port: str, permission: Text) -> Beat:
    """Return the beat of a port that cannot be read, by the code of `ports.failure_code`."""
    if code == "no-port":
        return no_port(port)
    if code == "no-permission":
        what = Text(f"Foyer n’a pas le droit de lire {port}.", f"Foyer may not read {port}.")
        return Beat(DeviceState.LOST, code, what, permission)
    if code == "port-busy":
        what = Text(f"Un autre programme utilise {port}.", f"Another program uses {port}.")
        mend = Text(
            "Arrêtez cet autre programme, ou la console série du Raspberry Pi.",
            "Stop that other program, or the serial console of the Raspberry Pi.",
        )
        return Beat(DeviceState.LOST, code, what, mend)
    what = Text(f"Le port {port} ne répond pas.", f"The port {port} does not answer.")
    return Beat(DeviceState.LOST, code, what, _LOOK)


def no_signal(details: Mapping[str, Any]) -> Beat:
    """Return the beat of a port that gives no byte."""
    what = Text("Le compteur n’envoie rien.", "The meter sends nothing.")
    return Beat(DeviceState.LOST, "no-signal", what, _WIRES, details)


def not_understood(details: Mapping[str, Any]) -> Beat:
    """Return the beat of a port that gives bytes, but no valid group."""
    what = Text(
        "Des données arrivent, mais ce n’est pas un compteur Linky lisible.",
        "Data arrives, but it is not a readable Linky meter.",
    )
    return Beat(DeviceState.LOST, "not-understood", what, _WIRES, details)


def reading(rate: float | None, details: Mapping[str, Any]) -> Beat:
    """Return the beat of a meter being read; `rate` is the part of its groups that arrive damaged."""
    if rate is None or rate <= WEAK_RATE:
        return Beat(DeviceState.OK, "ok", Text("Le compteur est lu.", "The meter is being read."), None, details)
    part = f"{100 * rate:.1f}"
    what = Text(
        f"Le signal du compteur est faible : {part.replace('.', ',')} % des données arrivent abîmées.",
        f"The meter’s signal is weak: {part} % of the data arrives damaged.",
    )
    mend = Text(
        "Éloignez l’adaptateur du tableau électrique, raccourcissez le câble, ou changez d’adaptateur.",
        "Move the adapter away from the switchboard, shorten the cable, or change the adapter.",
    )
    return Beat(DeviceState.DEGRADED, "weak-signal", what, mend, details)
