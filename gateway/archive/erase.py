"""Removes everything the home owns on this box."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from gateway.archive.quiet import LOCK, at_rest
from gateway.config import Config
from gateway.errors import FoyerError, Text


def belongings(config: Config) -> list[Path]:
    """Return what would be removed: all that the data folder holds, sockets, secret files, and the configuration."""
    _refuse_shared(config)
    found = sorted(config.state.iterdir()) if config.state.is_dir() else []
    found += [path for path in (config.live_socket, config.command_socket) if path.exists()]
    found += [path for path in secret_files(config) if path.exists()]
    found += [config.file]
    return [path for path in dict.fromkeys(found) if path.name != LOCK or path.parent != config.state]


def _refuse_shared(config: Config) -> None:
    """Raise FoyerError when the data folder is not Foyer's alone: what else is in it is not ours to remove."""
    state = config.state.resolve()
    above = {config.file.resolve().parent, *config.file.resolve().parent.parents, Path.home().resolve(), Path("/")}
    if state in above or state in Path.home().resolve().parents:
        raise FoyerError(
            Text(
                f"Le dossier {state} ne contient pas que les données de Foyer ; rien n’a été effacé.",
                f"The folder {state} does not hold Foyer’s data alone; nothing was removed.",
            ),
            Text(
                "Effacez à la main measure.db, home.db, outbox.db et foyer.toml.",
                "Remove measure.db, home.db, outbox.db and foyer.toml by hand.",
            ),
        )


def secret_files(config: Config) -> list[Path]:
    """Return the files that `*_file` keys of tokens, passwords and phrases name."""
    wanted = ("token_file", "password_file", "phrase_file")
    return [config.file.parent / value for name, value in _keys(config) if name in wanted and value]


def _keys(table: Any) -> Iterator[tuple[str, Any]]:
    for one in fields(table):
        value = getattr(table, one.name)
        yield one.name, value
        for inner in value if isinstance(value, tuple) else (value,):
            if is_dataclass(inner):
                yield from _keys(inner)


def erase(config: Config) -> list[Path]:
    """Remove all of it and return what was removed. Raises FoyerError while a gateway runs, or when a file resists."""
    with at_rest(config.state) if config.state.is_dir() else contextlib.nullcontext():
        found = belongings(config)
        try:
            for path in found:
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        except OSError as error:
            raise FoyerError(
                Text(f"Tout n’a pas pu être effacé : {error}.", f"Not everything could be removed: {error}."),
                Text("Relancez la commande avec sudo.", "Run the command again with sudo."),
            ) from error
        (config.state / LOCK).unlink(missing_ok=True)
    return found
