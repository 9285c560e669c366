"""What a backup holds, and says of itself: `manifest.json`, the first file in it. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gateway.archive.crypt import Damaged
from gateway.clock import UtcMs, from_datetime, to_iso
from gateway.errors import FoyerError, Text

NAME = "manifest.json"
FORMAT = 1
CONFIG = "foyer.toml"
MEASURES = "measure.db"

_KEPT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\.(db|toml|json)")
_NOT_KEPT = {"jobs.json", "nightly_backup.json", CONFIG, NAME}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OWNER = re.compile(r"(foyer-[a-z]{1,20})?")
_MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """One file of a backup: its size in bytes, its SHA-256, and the schema version of a database.

    `owner` is the user of the process that writes it, empty where the box runs as one person.
    """

    name: str
    size: int
    sha256: str
    schema: int | None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `first` and `last` are the span of the measurements."""

    foyer: str
    made_at: UtcMs
    home: str
    demo: bool
    files: tuple[Stored, ...]
    signals: tuple[str, ...]
    first: UtcMs | None
    last: UtcMs | None

    def as_json(self) -> dict[str, Any]:
        """Return the manifest as it is written; times are ISO 8601 in UTC."""
        whole = asdict(self)
        times = {name: None if whole[name] is None else to_iso(whole[name]) for name in ("made_at", "first", "last")}
        return {"format": FORMAT, **whole, **times}


def foyer_version() -> str:
    """Return the version of this Foyer."""
    return version("foyer")


def is_kept(name: str) -> bool:
    """Tell whether a file of the state folder belongs into a backup: databases, settings, and what rooms note there."""
    return _KEPT.fullmatch(name) is not None and name not in _NOT_KEPT


def kept_files(state: Path) -> list[Path]:
    """Return the files of the state folder that belong into a backup."""
    if not state.is_dir():
        return []
    return sorted(path for path in state.iterdir() if is_kept(path.name) and path.is_file() and not path.is_symlink())


def _numbers(text: str) -> list[int]:
    return [int(one) for one in re.findall(r"\d+", text)][:3]


def parse(data: bytes) -> Manifest:
    """Return the manifest of these bytes; raise Damaged, or FoyerError when a newer Foyer wrote it."""
    try:
        found = json.loads(data)
        newer = found["format"] > FORMAT or _numbers(found["foyer"]) > _numbers(foyer_version())
        if newer:
            raise FoyerError(
                Text(
                    f"Cette sauvegarde vient d’une version plus récente de Foyer ({found['foyer']}).",
                    f"This backup comes from a newer version of Foyer ({found['foyer']}).",
                ),
                Text("Mettez d’abord Foyer à jour.", "Update Foyer first."),
            )
        manifest = Manifest(
            str(found["foyer"]),
            _time(found["made_at"]),
            str(found["home"]),
            bool(found["demo"]),
            tuple(_stored(one) for one in found["files"]),
            tuple(map(str, found["signals"])),
            None if found["first"] is None else _time(found["first"]),
            None if found["last"] is None else _time(found["last"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise Damaged from None
    names = [one.name for one in manifest.files]
    if len(set(names)) != len(names) or len(names) > _MOST_FILES:
        raise Damaged
    return manifest


def _time(text: str) -> UtcMs:
    return from_datetime(datetime.fromisoformat(text))


def _stored(found: dict[str, Any]) -> Stored:
    one = Stored(found["name"], found["size"], found["sha256"], found["schema"], found.get("owner", ""))
    # a name is one of ours and nothing else: no folder, no `..`, no place of the machine
    if not (one.name == CONFIG or is_kept(one.name)) or not _SHA256.fullmatch(one.sha256):
        raise Damaged
    if not _OWNER.fullmatch(one.owner):
        raise Damaged
    if not isinstance(one.size, int) or one.size < 0 or not isinstance(one.schema, int | None):
        raise Damaged
    return one
