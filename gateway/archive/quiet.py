"""Holds the box still: what replaces or removes its files must not do so under a running gateway."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from gateway.errors import FoyerError, Text

LOCK = "gateway.lock"


def open_lock(path: Path) -> int:
    """Open a file to lock, and return its descriptor. One that is made here is the group's: root may come first."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        made = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o660)
        with contextlib.suppress(PermissionError):  # another has made it meanwhile
            os.fchmod(made, 0o660)
        return made


@contextlib.contextmanager
def at_rest(state: Path) -> Iterator[None]:
    """Hold the gateway's own lock meanwhile; raise FoyerError when a gateway runs, or the folder cannot be used."""
    try:
        lock = open_lock(state / LOCK)
    except OSError as error:
        raise FoyerError(
            Text(f"Le dossier {state} ne peut pas être utilisé ({error}).", f"{state} cannot be used ({error})."),
            Text("Lancez la commande avec sudo.", "Use sudo."),
        ) from None
    with os.fdopen(lock):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FoyerError(
                Text("La boîte tourne : arrêtez-la d’abord.", "The box is running: stop it first."),
                Text(
                    "sudo systemctl stop foyer-gateway foyer-web.socket foyer-web foyer-courier foyer-jobs.timer",
                    "sudo systemctl stop foyer-gateway foyer-web.socket foyer-web foyer-courier foyer-jobs.timer",
                ),
            ) from None
        yield
