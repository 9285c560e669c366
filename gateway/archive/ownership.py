"""Whose a file of the home is, where the box is installed with one user a process."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

_OWNERS = {
    "measure.db": ("foyer-gateway", 0o640),
    "home.db": ("foyer-web", 0o600),
    "outbox.db": ("foyer-courier", 0o660),
    "wizard.toml": ("foyer-web", 0o640),
}


def owner_of(path: Path) -> str:
    """Return the user of the box that a file belongs to; empty when it is no user of the box."""
    try:
        name = path.owner()
    except KeyError:
        return ""
    return name if name.startswith("foyer-") else ""


def give_to_owner(path: Path, owner: str = "") -> None:
    """Give a file to the user of the process that writes it: `owner`, or the usual one of that name."""
    user, mode = _OWNERS.get(path.name, (owner or "root", 0o640))
    if os.geteuid() != 0:
        return
    try:
        number = pwd.getpwnam(user).pw_uid
        group = pwd.getpwnam("foyer-gateway").pw_gid
    except KeyError:
        return
    os.chown(path, number, group)
    path.chmod(mode)
