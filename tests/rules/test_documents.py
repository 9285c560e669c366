"""The documents promise nothing that is not there: every link leads somewhere, every command exists."""

import re
import tomllib
from pathlib import Path

import click
import pytest

from gateway import config
from gateway.cli import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOR_PEOPLE = [ROOT / "README.md", *sorted(ROOT.glob("docs/users/*.md")), *sorted(ROOT.glob("docs/installers/*.md"))]
EXAMPLE = ROOT / "docs/installers/foyer.example.toml"

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)


def _name(path):
    return str(path.relative_to(ROOT))


def _anchors(text):
    headings = re.findall(r"^#+ (.+)$", _CODE.sub(lambda code: code[0].strip("`"), text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_link_leads_somewhere(document):
    text = document.read_text(encoding="utf-8")
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        if not file.exists() or (anchor and anchor not in _anchors(file.read_text(encoding="utf-8"))):
            lost.append(target)
    assert lost == []


def _commands(document):
    """Yield the words behind `foyer` in each piece of code of a document."""
    for code in _CODE.findall(document.read_text(encoding="utf-8")):
        for line in code.strip("`").splitlines():
            if match := re.match(r"(?:\$ )?(?:sudo (?:-u \S+ )?)?(?:\S*/)?foyer ((?:[a-z]\S* ?)*)", line):
                yield match[1].split()


@pytest.mark.parametrize("document", FOR_PEOPLE, ids=_name)
def test_every_command_exists(document):
    for words in _commands(document):
        group = cli
        context = click.Context(cli)
        for word in words:
            if not isinstance(group, click.Group):
                break
            command = group.get_command(context, word)
            assert command is not None, f"foyer {' '.join(words)}"
            group = command


def test_the_example_of_a_configuration_has_no_problem():
    assert config.check(EXAMPLE)[1] == []


def test_the_example_shows_every_table_that_works_today():
    text = EXAMPLE.read_text(encoding="utf-8")

    assert set(tomllib.loads(text)) == {"home", "store", "meter", "inverter", "solar_array", "contract", "web"}


def test_a_line_that_the_example_offers_can_be_taken_up(tmp_path):
    """A line that starts with `#` and a word at once is an offer: with the sign taken away it must still be right."""
    taken_up = re.sub(r"^#(?=[\w\[])", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    file = tmp_path / "foyer.toml"
    file.write_text(taken_up, encoding="utf-8")

    assert taken_up != EXAMPLE.read_text(encoding="utf-8")
    assert config.check(file)[1] == []
