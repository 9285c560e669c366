"""`python -m web.auth.seed --config FILE`: gives a home its account and an app key, as the demo needs.

Reads `{"user": ..., "password": ..., "app_key": ...}` on standard input, so that no secret stands on a command line.
A second run brings an account of the same name up to date, and ends its sessions when the password changes.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from gateway.clock import Clock, system_clock
from gateway.config import load
from gateway.errors import FoyerError, Text
from gateway.language import language
from web.auth.accounts import Accounts
from web.home_db import HomeDb

KEY_NAME = "demo"

_WRONG_INPUT = Text(
    "L’entrée doit être un objet JSON avec user, password et app_key.",
    "The input must be a JSON object with user, password and app_key.",
)


def seed(path: Path, clock: Clock, user: str, password: str, app_key: str) -> None:
    """Bring the account and the key of a `home.db` to these; raise FoyerError when it has another account."""
    with closing(HomeDb(path)) as db:
        accounts = Accounts(db, clock)
        account = accounts.find(user)
        if account is None:
            accounts.create(user, password)
        elif accounts.check(user, password) is None:
            accounts.change_password(account, password)
        accounts.set_key(KEY_NAME, app_key)


def _wanted(raw: str) -> tuple[str, str, str]:
    try:
        read: Any = json.loads(raw)
        found = (read["user"], read["password"], read["app_key"])
    except (ValueError, KeyError, TypeError):
        raise FoyerError(_WRONG_INPUT) from None
    if not all(isinstance(one, str) and one for one in found):
        raise FoyerError(_WRONG_INPUT)
    return found


def main() -> int:
    """Read the command line and standard input; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m web.auth.seed")
    parser.add_argument("--config", type=Path)
    arguments = parser.parse_args()
    try:
        config = load(arguments.config)
        seed(config.home_db, system_clock(), *_wanted(sys.stdin.read()))
    except FoyerError as error:
        print(error.say(language()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
