"""The built files under `/static`: their names carry a hash of their content, so browsers may keep them for ever."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Flask, url_for

MANIFEST = "manifest.json"
_FOR_EVER_S = 365 * 24 * 3600


class Assets:
    """Resolves `app.js` to `app-3f2a91.js` by the manifest of the build; reads it again when a build changed it."""

    def __init__(self, folder: Path) -> None:
        self._manifest = folder / MANIFEST
        self._stamp = -1
        self._names: dict[str, str] = {}

    def name(self, plain: str) -> str:
        """Return the built name of a file, or the plain one when the build did not hash it."""
        return self._read().get(plain, plain)

    def max_age(self, built: str | None) -> int | None:
        """Return how long a browser may keep a file, in seconds; None means that it must ask each time."""
        return _FOR_EVER_S if built in self._read().values() else None

    def _read(self) -> dict[str, str]:
        try:
            stamp = self._manifest.stat().st_mtime_ns
            if stamp != self._stamp:
                names = json.loads(self._manifest.read_text(encoding="utf-8"))
                self._names = {str(plain): str(built) for plain, built in names.items() if plain != built}
                self._stamp = stamp
        except FileNotFoundError:
            self._names, self._stamp = {}, -1
        return self._names


class Site(Flask):
    """Flask, with our rule for how long static files are kept."""

    def __init__(self, import_name: str) -> None:
        super().__init__(import_name, static_folder="static", static_url_path="/static")
        assert self.static_folder is not None
        self.assets = Assets(Path(self.static_folder))

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """Return the age of a static file: for ever when its name carries its hash."""
        return self.assets.max_age(filename)


def asset(app: Site, name: str) -> str:
    """Return the address of a built file."""
    return url_for("static", filename=app.assets.name(name))
