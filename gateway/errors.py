"""The error family of the box: each error says what happened, and what a person can do about it, in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in the two languages of the product. French is the source, English is complete."""

    fr: str
    en: str

    def pick(self, language: str) -> str:
        """Return the sentence in `language` ("fr", "en", "fr_FR", "en-GB"...); anything unknown gets French."""
        return self.en if language[:2].lower() == "en" else self.fr

    def as_json(self) -> dict[str, str]:
        """Return `{"fr": ..., "en": ...}`, the shape that crosses process borders."""
        return {"fr": self.fr, "en": self.en}


class FoyerError(Exception):
    """Anything the box refuses or cannot do. `what` happened, and how to mend it (`mend`, where a person can)."""

    def __init__(self, what: Text, mend: Text | None = None) -> None:
        super().__init__(what.en)
        self.what = what
        self.mend = mend

    def say(self, language: str) -> str:
        """Return the error, and its mend where there is one, as a line for a person."""
        line = self.what.pick(language)
        return f"{line} {self.mend.pick(language)}" if self.mend else line


class Transient(FoyerError):
    """A fault that may pass by itself (silent device, broken link): the supervisor tries again with back-off."""


class Misconfigured(FoyerError):
    """A fault that only a person can mend (wrong port, no permission): the driver stops, the page says what to do."""


class Unsupported(FoyerError):
    """A device that answers, but not in a way this version can read."""
