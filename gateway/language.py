"""Which of the two languages a command speaks, by the locale of whoever runs it."""

from __future__ import annotations

import os


def language() -> str:
    """Return "en" when the locale is English, else "fr": the product is French first."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "")
        if value:
            return "en" if value.lower().startswith("en") else "fr"
    return "fr"
