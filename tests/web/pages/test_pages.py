from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from storyboard import STATES

PAGES = ("/", "/historique", "/historique?vue=annee&le=2025-06-21", "/appareils", "/plus")
VOID = {"meta", "link", "input", "br", "hr", "img"}


class Nesting(HTMLParser):
    """Fails on a tag that is closed out of order, and collects what the page carries."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.inline_scripts = 0

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "script" and not dict(attrs).get("src"):
            self.inline_scripts += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(text: str) -> Nesting:
    page = Nesting()
    page.feed(text)
    page.close()
    assert not page.open
    return page


@pytest.fixture
def visitor(visit):
    return visit()


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", STATES)
def test_every_page_is_whole_in_every_state_and_language(visitor, name, language):
    visitor.feed.state = STATES[name]
    for path in (*PAGES, "/maintenant/fragment"):
        response = visitor.get(path, language)
        assert response.status_code == 200
        page = parsed(response.text)
        assert page.inline_scripts == 0
        assert not [one for one in page.attributes if one[1] == "style" or one[1].startswith("on")]
        assert not [one for one in page.attributes if one[1] in ("href", "src", "action") and one[2].startswith("http")]


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state.has_pv])
def test_the_page_carries_its_sentence_before_any_script(visitor, name):
    visitor.feed.state = STATES[name]
    text = re.sub(r"<[^>]+>", "", re.search(r'<h1 class="say">(.*?)</h1>', visitor.get("/").text, re.DOTALL)[1])
    assert text == STATES[name].say_fr


def test_the_fragment_is_the_living_part_of_the_page(visitor):
    page, fragment = visitor.get("/").text, visitor.get("/maintenant/fragment").text
    assert '<div class="fresh" data-live="fresh">' in fragment
    inner = fragment[fragment.index('<div data-live="main">') :].strip()
    assert inner in page


def test_a_missing_value_is_a_dash_with_its_reason(visitor):
    visitor.feed.state = STATES["no-inverter"]
    text = visitor.get("/").text
    assert "onduleur muet" in text
    assert "L’onduleur est introuvable sur le réseau." in text


def test_a_stale_value_shows_its_age(visitor):
    visitor.feed.state = STATES["stale"]
    assert "il y a 2\u202fmin" in visitor.get("/").text


def test_what_does_not_add_up_is_named(visitor):
    visitor.feed.state = STATES["gap"]
    assert "Écart non expliqué\u00a0: 120\u202fW" in visitor.get("/").text


def test_a_hostile_name_is_only_text(visit):
    name = "<script>alert(1)</script>\"'><b>"
    visitor = visit(name=name)
    visitor.feed.state = type(STATES["export"])("", "", {"grid.tariff.period": "<img src=x onerror=alert(2)>"})
    for path in PAGES:
        text = visitor.get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text


def test_devices_say_what_is_wrong_and_what_to_do(visitor):
    visitor.feed.state = STATES["no-meter"]
    text = visitor.get("/appareils").text
    assert "Le compteur ne dit plus rien depuis 12 min." in text
    assert "Vérifiez le câble." in text
    assert text.index("Compteur Linky") < text.index("Onduleur")


def test_the_worst_device_comes_first(visitor):
    visitor.feed.state = STATES["no-inverter"]
    text = visitor.get("/appareils").text
    assert text.index("Onduleur") < text.index("Compteur Linky")


def test_a_history_without_a_store_says_so_kindly(visitor):
    assert "ne peut pas être lu pour le moment" in visitor.get("/historique").text


def test_the_csv_has_its_heading_even_when_nothing_is_stored(visitor):
    response = visitor.get("/historique.csv")
    assert response.mimetype == "text/csv"
    assert response.text.splitlines()[0] == (
        "\ufeffDébut;Fin;Consommé (kWh);du toit (kWh);acheté (kWh);Produit (kWh);envoyé (kWh);Mesuré (%);Estimé"
    )


def test_the_chosen_theme_is_on_the_page(visitor):
    assert 'data-theme="dark"' in visitor.get("/plus?theme=dark").text
    assert 'data-theme="dark"' in visitor.get("/").text


def test_the_language_is_chosen_by_the_page_not_only_by_the_browser(visitor):
    assert '<html lang="en"' in visitor.get("/plus?lang=en").text
    assert "You are using" in visitor.get("/", "fr").text


def test_the_door_holds_nothing_of_the_home(visit):
    visitor = visit(name="Maison des Tilleuls")
    text = visitor.app.test_client().get("/connexion").text
    assert "Tilleuls" not in text
    assert parsed(text).inline_scripts == 0
