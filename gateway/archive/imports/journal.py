"""What was imported into this home: `<state>/imports.json`, so that it can be told, and undone."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.clock import UtcMs
from gateway.errors import FoyerError, Text

NAME = "imports.json"


@dataclass(frozen=True, slots=True)
class Part:
    """One series that was imported: [first, until) of a signal. `joined_at` is where its counter meets the box's own.

    `is_new` says that the store knew nothing of the signal before.
    """

    series: str
    signal: str
    first: UtcMs
    until: UtcMs
    count: int
    joined_at: UtcMs | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class Import:
    """One import: its number, where it came from, and its parts."""

    id: int
    at: UtcMs
    source: str
    files: tuple[str, ...]
    parts: tuple[Part, ...]


def read(state: Path) -> list[Import]:
    """Return the imports of a home, oldest first; raise FoyerError when the note of them cannot be read."""
    path = state / NAME
    try:
        return [_import(one) for one in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FoyerError(
            Text(f"Le fichier {path} ne peut pas être lu : {error}.", f"The file {path} cannot be read: {error}."),
            Text("Restaurez une sauvegarde, ou renommez-le.", "Restore a backup, or rename it."),
        ) from None


def write(state: Path, imports: list[Import]) -> None:
    """Replace the note in one step."""
    beside = state / f".{NAME}.new"
    with beside.open("w", encoding="utf-8") as file:
        json.dump([asdict(one) for one in imports], file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(state / NAME)


def _import(found: dict[str, Any]) -> Import:
    parts = tuple(Part(**part) for part in found["parts"])
    return Import(found["id"], found["at"], found["source"], tuple(found["files"]), parts)
