from __future__ import annotations

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import web

ROOT = Path(web.__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]


def catalog():
    with (ROOT / "translations/en/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale="en")


def wanted() -> set[str]:
    found = extract_from_dir(ROOT, METHODS, keywords={"_": None, "gettext": None})
    return {message for name, _, message, *_ in found if not name.startswith(("frontend", "static"))}


def test_every_sentence_of_the_pages_has_its_english():
    english = catalog()
    assert {text for text in wanted() if not (english.get(text) and english.get(text).string)} == set()


def test_no_english_sentence_is_a_guess():
    assert [message.id for message in catalog() if message.fuzzy] == []


def test_no_english_sentence_has_lost_its_french():
    assert {message.id for message in catalog() if message.id} - wanted() == set()


def test_translations_keep_the_same_blanks_to_fill():
    for message in catalog():
        names = re.findall(r"%\((\w+)\)s", message.id or "")
        assert sorted(names) == sorted(re.findall(r"%\((\w+)\)s", message.string or "")), message.id
