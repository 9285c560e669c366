"""Holds the box still: what replaces or removes its files must not do so under a running gateway."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from gateway.errors import FoyerError, Text

LOCK = "gateway.lock"


@contextlib.contextmanager
def at_rest(state: Path) -> Iterator[None]:
    """Hold the gateway's own lock meanwhile; raise FoyerError when a gateway runs, or the folder cannot be used."""
    try:
        lock = (state / LOCK).open("a")
    except OSError as error:
        raise FoyerError(
            Text(f"Le dossier {state} ne peut pas être utilisé ({error}).", f"{state} cannot be used ({error})."),
            Text("Lancez la commande avec sudo.", "Use sudo."),
        ) from None
    with lock:
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
