"""What can go wrong with the file, in words for a person."""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import dataclass

from gateway.errors import Text

_PRIMARY = 0xFF  # the low byte of an extended SQLite result code


@dataclass(frozen=True, slots=True)
class Fault:
    """A reason why readings are not being written. `code` is stable; `damaged` asks for a new file."""

    code: str
    text: Text
    mend: Text
    damaged: bool = False


_FULL = Fault(
    "store.full",
    Text(
        "Il n’y a plus de place sur la carte : les mesures ne sont plus enregistrées.",
        "There is no room left on the card: readings are no longer being saved.",
    ),
    Text(
        "Libérez de la place ou mettez une carte plus grande ; l’enregistrement reprendra de lui-même.",
        "Free some room or use a larger card; saving will resume by itself.",
    ),
)
_READ_ONLY = Fault(
    "store.read-only",
    Text(
        "Le disque n’accepte plus d’écriture : les mesures ne sont plus enregistrées.",
        "The disk no longer accepts writing: readings are no longer being saved.",
    ),
    Text(
        "Redémarrez le boîtier ; si cela revient, la carte est usée : remplacez-la.",
        "Restart the box; if this comes back, the card is worn out: replace it.",
    ),
)
_UNWRITABLE = Fault(
    "store.unwritable",
    Text(
        "Le fichier des mesures ne peut pas être ouvert : les mesures ne sont pas enregistrées.",
        "The measurements file cannot be opened: readings are not being saved.",
    ),
    Text(
        "Vérifiez que le dossier des données existe et appartient à Foyer.",
        "Check that the data folder exists and belongs to Foyer.",
    ),
)
_IO = Fault(
    "store.io",
    Text(
        "Le disque répond par des erreurs : les mesures ne sont plus enregistrées.",
        "The disk answers with errors: readings are no longer being saved.",
    ),
    Text(
        "Faites une sauvegarde dès que possible et remplacez la carte.",
        "Make a backup as soon as possible and replace the card.",
    ),
)
_BUSY = Fault(
    "store.busy",
    Text(
        "Un autre programme occupe le fichier des mesures.",
        "Another program is holding the measurements file.",
    ),
    Text(
        "Fermez ce programme ; l’enregistrement reprendra de lui-même.",
        "Close that program; saving will resume by itself.",
    ),
)
_BROKEN = Fault(
    "store.damaged",
    Text("Le fichier des mesures est abîmé.", "The measurements file is damaged."),
    Text("Un fichier neuf va prendre la suite.", "A new file is about to take over."),
    damaged=True,
)

_BY_RESULT = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: _UNWRITABLE,
    sqlite3.SQLITE_AUTH: _UNWRITABLE,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_CORRUPT: _BROKEN,
    sqlite3.SQLITE_NOTADB: _BROKEN,
}
_BY_ERRNO = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _UNWRITABLE,
    errno.EPERM: _UNWRITABLE,
    errno.ENOENT: _UNWRITABLE,
    errno.ENOTDIR: _UNWRITABLE,
}


def diagnose(error: sqlite3.Error | OSError) -> Fault:
    """Return the fault behind an error of SQLite or of the system."""
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, _IO)
    return _BY_RESULT.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY, _IO)
