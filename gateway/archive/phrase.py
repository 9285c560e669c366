"""The phrase of backups, from a file."""

from __future__ import annotations

from pathlib import Path

from gateway.errors import Misconfigured, Text

_LONGEST = 1000


def from_file(path: Path) -> str:
    """Return the first line of a file; raise Misconfigured when it cannot be read, is empty, or open to others."""
    try:
        with path.open(encoding="utf-8") as file:
            phrase = file.readline(_LONGEST).rstrip("\r\n")
        open_to_all = path.stat().st_mode & 0o007
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            Text(
                f"La phrase de {path} ne peut pas être lue : {error}.", f"The phrase in {path} cannot be read: {error}."
            ),
            Text("Vérifiez ce fichier et le droit de le lire.", "Check this file and the right to read it."),
        ) from None
    if not phrase.strip():
        raise Misconfigured(
            Text(f"Le fichier {path} est vide.", f"The file {path} is empty."),
            Text("Écrivez-y la phrase sur la première ligne.", "Write the phrase on its first line."),
        )
    if open_to_all:
        raise Misconfigured(
            Text(f"Tout le monde peut lire {path}.", f"Everybody can read {path}."),
            Text(f"chmod 600 {path}", f"chmod 600 {path}"),
        )
    return phrase
