"""What the reader says of the meter on the health page: one sentence, and what a person can do. Pure.

The obstacles of the machine (another program, a console) have a file of their own, `drivers.linky.blocked`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drivers.contract import Beat, DeviceState
from drivers.linky.history import Trend
from drivers.linky.labels import Mode
from gateway.errors import Text

USUAL_SPEED = {Mode.STANDARD: 9600, Mode.HISTORIC: 1200}

_LOOK = Text(
    "Vérifiez que l’adaptateur est branché et donnez son chemin dans [meter] port.",
    "Check that the adapter is plugged in, and give its path in [meter] port.",
)
_NO_UART = Text(
    "Ajoutez « enable_uart=1 » à /boot/firmware/config.txt, puis redémarrez le Raspberry Pi.",
    "Add “enable_uart=1” to /boot/firmware/config.txt, then restart the Raspberry Pi.",
)
_SILENT = Text(
    "Vérifiez les deux fils, sur I1 et I2 du Linky et sur l’adaptateur, puis l’alimentation de l’adaptateur. Si tout "
    "est bon, ou si le compteur vient d’être changé, demandez à votre fournisseur si la sortie TIC est active.",
    "Check the two wires, on I1 and I2 of the Linky and on the adapter, then the adapter’s supply. If all is well, or "
    "if the meter was just replaced, ask your supplier whether its TIC output is on.",
)
_WIRING = Text(
    "Éloignez l’adaptateur des disjoncteurs, prenez deux fils torsadés, courts et bien serrés sur I1 et I2, et tournez "
    "la vis de réglage de l’adaptateur s’il en a une. Un montage fait maison pour 1200 bauds a besoin d’une autre "
    "résistance à 9600.",
    "Move the adapter away from the breakers, use two twisted wires, short and firmly held on I1 and I2, and turn the "
    "adapter’s trimmer if it has one. A home-made board for 1200 baud needs another resistor at 9600.",
)
_NOT_TIC = Text(
    "Branchez l’adaptateur sur I1 et I2 du Linky, ou donnez un autre port dans [meter] port : un autre appareil parle "
    "peut-être sur celui-ci.",
    "Connect the adapter to I1 and I2 of the Linky, or give another port in [meter] port: another device may speak on "
    "this one.",
)
_ASK_STANDARD = Text(
    "Demandez à votre fournisseur d’électricité le « mode standard de la TIC » : c’est gratuit, fait à distance, le "
    "plus souvent le lendemain. Foyer suit le changement seul.",
    "Ask your electricity supplier for the “mode standard de la TIC”: it is free, done from afar, usually the next "
    "day. Foyer follows the change by itself.",
)
_SMALL_UART = Text(
    "Ajoutez « dtoverlay=disable-bt » à /boot/firmware/config.txt, redémarrez, et gardez /dev/serial0 comme port.",
    "Add “dtoverlay=disable-bt” to /boot/firmware/config.txt, restart, and keep /dev/serial0 as the port.",
)
_TRENDS = {
    Trend.BETTER: Text("C’est mieux que ces dernières heures.", "It is better than in the last hours."),
    Trend.STEADY: Text("C’est comme ces dernières heures.", "It is as in the last hours."),
    Trend.WORSE: Text("C’est pire que ces dernières heures.", "It is worse than in the last hours."),
}


def searching() -> Beat:
    """Return the beat of a port just opened."""
    return Beat(
        DeviceState.STARTING, "searching", Text("Recherche du signal du compteur.", "Looking for the meter’s signal.")
    )


def no_port(port: str, present: list[str] | None = None, *, uart: bool = False) -> Beat:
    """Return the beat of a port that is not there; `present` are those that are, `uart` that it is the board's own."""
    if port == "auto":
        what = Text("Aucun adaptateur de compteur n’est branché.", "No meter adapter is plugged in.")
    else:
        what = Text(f"Le port {port} n’existe pas.", f"The port {port} does not exist.")
    mend = _NO_UART if uart else _LOOK
    if present:
        listed = ", ".join(present)
        mend = Text(f"{mend.fr} Ports présents : {listed}.", f"{mend.en} Ports present: {listed}.")
    return Beat(DeviceState.LOST, "no-port", what, mend)


def no_permission(port: str, mend: Text) -> Beat:
    """Return the beat of a port that this user may not read."""
    what = Text(f"Foyer n’a pas le droit de lire {port}.", f"Foyer may not read {port}.")
    return Beat(DeviceState.LOST, "no-permission", what, mend)


def port_fault(port: str) -> Beat:
    """Return the beat of a port that is there, and fails."""
    what = Text(f"Le port {port} ne répond pas.", f"The port {port} does not answer.")
    return Beat(DeviceState.LOST, "port-fault", what, _LOOK)


def no_signal(details: Mapping[str, Any]) -> Beat:
    """Return the beat of a port that gives no byte."""
    what = Text("Le compteur n’envoie rien.", "The meter sends nothing.")
    return Beat(DeviceState.LOST, "no-signal", what, _SILENT, details)


def not_understood(details: Mapping[str, Any], *, meter: bool) -> Beat:
    """Return the beat of a port that gives bytes but no valid group; `meter`: some of it looks like a meter's."""
    if meter:
        what = Text(
            "Un compteur parle, mais tout arrive abîmé : le signal est trop faible.",
            "A meter speaks, but all of it arrives damaged: the signal is too weak.",
        )
        return Beat(DeviceState.LOST, "unreadable-signal", what, _WIRING, details)
    what = Text(
        "Des données arrivent, mais ce n’est pas la sortie TIC d’un Linky.",
        "Data arrives, but it is not the TIC output of a Linky.",
    )
    return Beat(DeviceState.LOST, "not-tic", what, _NOT_TIC, details)


def weak(rate: float, trend: Trend | None, details: Mapping[str, Any]) -> Beat:
    """Return the beat of a meter that is read with many of its groups damaged, by `rate`."""
    part = f"{100 * rate:.1f}"
    what = Text(
        f"Le signal du compteur est faible : {part.replace('.', ',')} % des données arrivent abîmées.",
        f"The meter’s signal is weak: {part} % of the data arrives damaged.",
    )
    if trend is not None:
        what = Text(f"{what.fr} {_TRENDS[trend].fr}", f"{what.en} {_TRENDS[trend].en}")
    return Beat(DeviceState.DEGRADED, "weak-signal", what, _WIRING, details)


def reading(details: Mapping[str, Any], *, speed: int | None = None, small_uart: bool = False) -> Beat:
    """Return the beat of a meter being read well; with an advice as its mend where one can be given.

    `speed` is the line's, None where it has none of its own (a bridge, a pseudo-terminal).
    """
    mode = details.get("mode")
    usual = USUAL_SPEED.get(mode) if mode else None
    if speed is not None and usual is not None and speed != usual:
        what = Text(
            f"Le compteur est lu, à {speed} bauds au lieu de {usual} : l’adaptateur a sa propre vitesse.",
            f"The meter is being read, at {speed} baud instead of {usual}: the adapter has a speed of its own.",
        )
        mend = Text("Il n’y a rien à faire : Foyer s’y adapte.", "There is nothing to do: Foyer adapts to it.")
        return Beat(DeviceState.OK, "unusual-speed", what, mend, details)
    if small_uart:
        what = Text(
            "Le compteur est lu par le petit port série du Raspberry Pi, dont la vitesse suit celle du processeur.",
            "The meter is being read by the small serial port of the Raspberry Pi; its speed follows the processor’s.",
        )
        return Beat(DeviceState.OK, "small-uart", what, _SMALL_UART, details)
    if mode is Mode.HISTORIC:
        what = Text(
            "Le compteur est lu, en mode historique. Le mode standard donne aussi l’injection et la tension.",
            "The meter is being read, in historic mode. The standard mode also gives injection and voltage.",
        )
        return Beat(DeviceState.OK, "historic-mode", what, _ASK_STANDARD, details)
    return Beat(DeviceState.OK, "ok", Text("Le compteur est lu.", "The meter is being read."), None, details)
