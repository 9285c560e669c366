"""What the page says when something on this machine stands between the driver and the port. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drivers.contract import Beat, DeviceState
from drivers.linky.machine import Console, Obstacle
from gateway.errors import Text

_MODEM = Text(
    "Lancez « sudo systemctl disable --now ModemManager », ou « sudo systemd/install », qui lui interdit ces ports.",
    "Run “sudo systemctl disable --now ModemManager”, or “sudo systemd/install”, which keeps it from these ports.",
)


def blocked(
    obstacle: Obstacle | None,
    port: str,
    state: DeviceState = DeviceState.LOST,
    details: Mapping[str, Any] | None = None,
) -> Beat:
    """Return the beat of a port that something else holds; without an `obstacle`, by whom is not known."""
    if obstacle is None:
        what = Text(f"Un autre programme utilise {port}.", f"Another program uses {port}.")
        mend = Text(
            f"Trouvez-le avec « sudo fuser -v {port} », puis arrêtez-le.",
            f"Find it with “sudo fuser -v {port}”, then stop it.",
        )
        return Beat(state, "port-busy", what, mend, details)
    if obstacle.code == "serial-login":
        what = Text(
            f"Le Raspberry Pi attend une connexion de console sur {port} et prend les données du compteur.",
            f"The Raspberry Pi waits for a console login on {port} and takes the meter’s data.",
        )
        command = f"sudo systemctl mask --now {obstacle.unit}"
        if obstacle.console is None:
            mend = Text(f"Lancez « {command} ».", f"Run “{command}”.")
        else:
            command = f"{command} && {_without(obstacle.console)}"
            mend = Text(f"Lancez « {command} », puis redémarrez.", f"Run “{command}”, then restart.")
        return Beat(state, obstacle.code, what, mend, details)
    if obstacle.console is not None:
        what = Text(
            f"La console du système est sur {port}, celui du compteur.",
            f"The console of the system is on {port}, the meter’s.",
        )
        command = _without(obstacle.console)
        mend = Text(f"Lancez « {command} », puis redémarrez.", f"Run “{command}”, then restart.")
        return Beat(state, obstacle.code, what, mend, details)
    return _held(obstacle, port, state, details)


def _held(obstacle: Obstacle, port: str, state: DeviceState, details: Mapping[str, Any] | None) -> Beat:
    assert obstacle.holder is not None
    name, pid = obstacle.holder
    shown = {**(details or {}), "holder": name, "pid": pid}
    if obstacle.code == "modem-manager":
        what = Text(
            f"ModemManager, qui cherche des modems, tient {port}.",
            f"ModemManager, which looks for modems, holds {port}.",
        )
        return Beat(state, obstacle.code, what, _MODEM, shown)
    what = Text(
        f"Le programme « {name} » (numéro {pid}) utilise {port}.", f"The program “{name}” (number {pid}) uses {port}."
    )
    mend = Text(
        f"Arrêtez « {name} » : un seul programme peut lire le compteur.",
        f"Stop “{name}”: only one program can read the meter.",
    )
    return Beat(state, obstacle.code, what, mend, shown)


def _without(console: Console) -> str:
    """Return the command that takes the console off the serial line; the kernel's own copy cannot be edited."""
    file = "/boot/firmware/cmdline.txt" if console.file == "/proc/cmdline" else console.file
    word = "console=serial0,115200" if console.file == "/proc/cmdline" else console.word
    return f"sudo sed -i 's/{word} *//' {file}"
