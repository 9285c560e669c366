"""The first sign-in: `foyer pair`, typed on the box, makes a one-time code; whoever has it makes the home's account.

Only the hash of the code is kept, in `pair.json`, with its end and the tries left. No password exists before.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
import threading
from pathlib import Path
from typing import Any

import click

from gateway.cli import say
from gateway.clock import Clock, UtcMs, system_clock, to_iso
from gateway.config import load
from gateway.errors import FoyerError, Text
from web.auth import passwords
from web.home_db import account_exists

FILE = "pair.json"
HOME_DB = "home.db"
DIGITS = 8
LIFE_MS = 15 * 60 * 1000
TRIES = 5


class Pairing:
    """The code of a home's state folder."""

    def __init__(self, state: Path, clock: Clock) -> None:
        self._path = state / FILE
        self._clock = clock
        self._lock = threading.Lock()

    def make(self) -> tuple[str, UtcMs]:
        """Make a new code in place of any other; return its digits and when it ends."""
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        expires = UtcMs(self._clock.now() + LIFE_MS)
        self._write({"code": passwords.hashed(code), "expires": expires, "tries": TRIES})
        return code, expires

    def check(self, code: str) -> bool:
        """Tell whether this is the code. Each answer costs one of its five tries, the right one included."""
        with self._lock:
            kept = self._read()
            if kept is None:
                return False
            kept["tries"] -= 1
            self._write(kept)
            return passwords.matches("".join(code.split()), kept["code"])

    def close(self) -> None:
        """Forget the code: it has served."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any] | None:
        try:
            kept: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            left, tries = kept["expires"] - self._clock.now(), kept["tries"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        # more time left than a code ever has: the calendar stepped back, and would keep it alive
        return kept if 0 < left <= LIFE_MS and tries > 0 else None

    def _write(self, content: dict[str, Any]) -> None:
        folder = self._path.parent
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".pair-")  # made with mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file)
            if os.geteuid() == 0:  # `sudo foyer pair`: the code is for the web process, which owns home.db
                home_db = folder / HOME_DB
                owner = (home_db if home_db.exists() else folder).stat()
                os.chown(name, owner.st_uid, owner.st_gid)
                if not home_db.exists():
                    # the web process has not started yet and only its group is known: let the group read the hash
                    Path(name).chmod(0o640)
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@click.command(help=say("Donner le code de la première connexion.", "Give the one-time code for the first sign-in."))
@click.option("--config", "config_file", type=click.Path(path_type=Path), help=say("La configuration.", "Its file."))
@click.option("--json", "as_json", is_flag=True, help=say("Répondre en JSON.", "Answer in JSON."))
def pair(config_file: Path | None, *, as_json: bool) -> None:
    """Print a new code."""
    config = load(config_file)
    if account_exists(config.home_db):
        raise FoyerError(
            Text("Cette maison a déjà un compte : aucun code n’est nécessaire.", "This home already has an account."),
            Text("Connectez-vous avec son mot de passe.", "Sign in with its password."),
        )
    try:
        code, expires = Pairing(config.state, system_clock()).make()
    except OSError as error:
        raise FoyerError(
            Text(f"Le dossier {config.state} n’est pas accessible ({error}).", f"{config.state} is out of reach."),
            Text("Lancez « sudo foyer pair ».", "Run “sudo foyer pair”."),
        ) from None
    address = f"http://{socket.gethostname().partition('.')[0]}.local:{config.web.port}/bienvenue"
    if as_json:
        click.echo(json.dumps({"code": code, "expires": to_iso(expires), "url": address}))
        return
    shown = f"{code[: DIGITS // 2]} {code[DIGITS // 2 :]}"
    click.echo(
        say(
            f"Code : {shown}\nIl est valable 15 minutes, pour 5 essais. Ouvrez {address} et entrez-le.",
            f"Code: {shown}\nIt lasts 15 minutes, for 5 tries. Open {address} and type it there.",
        )
    )
