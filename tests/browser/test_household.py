"""The household's pages in a real Chromium, served by the real web process."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PAGES = ("", "historique", "historique?vue=semaine", "historique?vue=mois", "historique?vue=annee", "appareils", "plus")
AXE = Path(__file__).resolve().parents[2] / "web/frontend/node_modules/axe-core/axe.min.js"
STATES_TO_CHECK = ("export", "no-meter", "no-inverter", "battery-sun", "overload")


def sideways(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_values_change_by_themselves_and_the_sentence_with_them(visits, home):
    page = visits.open()
    expect(page.locator(".say")).to_have_text("Vous consommez 480\u202fW, entièrement produits par vos panneaux.")
    home.show("partial")
    expect(page.locator(".say")).to_have_text("Vous consommez 1,8\u202fkW, dont 1,2\u202fkW produits par vos panneaux.")
    expect(page.locator("[data-key=node-home] text").first).to_have_text("1,8\u202fkW")
    expect(page.locator("[data-key=stream-grid-home]")).to_have_count(1)


def test_what_the_person_opened_stays_open_while_values_change(visits, home):
    page = visits.open()
    page.click("details[data-key=details] summary")
    home.show("partial")
    expect(page.locator(".say")).to_contain_text("1,8")
    assert page.locator("details[data-key=details]").get_attribute("open") is not None
    expect(page.locator("[data-key='home.power'] dd")).to_contain_text("1,8\u202fkW")


def test_a_lost_gateway_is_said_and_its_return_too(visits, home):
    page = visits.open()
    home.gateway.stop()
    try:
        expect(page.locator(".say")).to_have_text("Les mesures se sont arrêtées.", timeout=20_000)
        expect(page.locator(".fresh")).to_contain_text("mesures arrêtées")
    finally:
        home.gateway.start()
    expect(page.locator(".say")).to_contain_text("Vous consommez", timeout=20_000)


def test_a_lost_box_is_said_and_its_return_too(browser, visits):
    page = visits.open()
    page.context.set_offline(True)
    expect(page.locator("#lost")).to_be_visible(timeout=20_000)
    expect(page.locator("#lost")).to_contain_text("La boîte ne répond plus.")
    page.context.set_offline(False)
    expect(page.locator("#lost")).to_be_hidden(timeout=20_000)
    visits.wrong.clear()  # the browser itself notes on the console that it was offline


def test_only_one_stream_is_open_and_none_in_a_hidden_tab(visits):
    page = visits.open()
    streams = []
    page.on("request", lambda asked: asked.url.endswith("/stream") and streams.append(asked.url))
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("document.documentElement.classList.contains('hidden-tab')")
    page.evaluate("Object.defineProperty(document, 'hidden', {value: false, configurable: true})")
    with page.expect_request("**/api/v1/stream"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert len(streams) == 1


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_page_scrolls_sideways(visits, home, width, language):
    page = visits.open(width=width, language=language)
    for path in PAGES:
        page.goto(home.url + path)
        assert sideways(page) <= 0, path
    for state in STATES_TO_CHECK:
        home.show(state)
        page.goto(home.url)
        assert sideways(page) <= 0, state


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_nothing_stands_in_the_way_of_anyone(visits, home, theme, language):
    page = visits.open(theme=theme, language=language)
    found = []

    def look(where: str) -> None:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found.extend(
            f"{where}: {one['id']} {[node['target'] for node in one['nodes']]}"
            for one in result["violations"]
            if one["impact"] in ("serious", "critical", "moderate")
        )

    for path in PAGES:
        page.goto(home.url + path)
        look(path or "now")
    for state in STATES_TO_CHECK:
        home.show(state)
        page.goto(home.url)
        page.click("details[data-key=details] summary")
        look(state)
    page.context.clear_cookies()
    page.goto(home.url)
    look("door")
    assert found == []


def test_the_keyboard_reaches_everything_and_shows_where_it_is(visits):
    page = visits.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    seen = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(e => [e.textContent.trim(), getComputedStyle(e).outlineStyle])(document.activeElement)"
        )
        seen.add(focused[0])
        assert focused[1] != "none" or focused[0] == "" or page.evaluate("document.activeElement === document.body")
    assert {"Toutes les mesures", "Voir les appareils"} <= seen


def test_targets_are_large_enough_for_a_thumb(visits, home):
    page = visits.open()
    for path in PAGES:
        page.goto(home.url + path)
        small = page.evaluate(
            """[...document.querySelectorAll('nav a, button, summary, .btn, .views a')]
               .filter(e => e.offsetParent && e.getBoundingClientRect().height < 44)
               .map(e => e.outerHTML.slice(0, 90))"""
        )
        assert small == [], path


def test_the_pages_say_everything_without_scripts(visits, home):
    page = visits.open(java_script_enabled=False)
    expect(page.locator(".say")).to_contain_text("Vous consommez 480\u202fW")
    expect(page.locator("noscript a")).to_have_text("Actualiser")
    page.click("nav >> text=Historique")
    expect(page.locator("#energy tfoot")).to_contain_text("Total")
    page.click("nav >> text=Plus")
    page.check("input[value=en]", force=True)
    page.click("text=Appliquer")
    expect(page.locator("h1")).to_have_text("More")
    page.click("text=Sign out")
    expect(page.locator("#password")).to_be_visible()


def test_history_draws_the_table_and_offers_it_as_a_file(visits, home):
    page = visits.open("historique?vue=semaine", width=1280)
    expect(page.locator(".chart canvas")).to_have_count(2)
    with page.expect_download() as download:
        page.click("text=Télécharger")
    assert download.value.suggested_filename.startswith("foyer-semaine-")
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("Début;Fin;Consommé")


def test_the_day_shows_its_power_and_walks_to_the_day_before(visits):
    page = visits.open("historique", width=1280)
    today = page.locator("h1").inner_text()
    page.click("a[aria-label=Avant]")
    assert page.locator("h1").inner_text() != today
    expect(page.locator("[data-lines] canvas")).to_have_count(1)
    page.click("a[aria-label=Après]")
    expect(page.locator("h1")).to_have_text(today, ignore_case=True)


def test_a_long_name_stays_in_its_place(browser, visits, home):
    home.gateway.home["name"] = "La maison de la grand-mère au bout du chemin des tilleuls argentés"
    home.gateway.stop()
    home.gateway.start()
    try:
        page = visits.open(width=320)
        expect(page.locator(".who b")).to_contain_text("grand-mère", timeout=20_000)
        assert sideways(page) <= 0
    finally:
        home.gateway.home["name"] = "Maison des Tilleuls"


def test_motion_stops_for_those_who_asked_for_none(visits):
    page = visits.open(reduced_motion="reduce")
    assert page.locator(".arrow").count() == 2
    assert page.evaluate("getComputedStyle(document.querySelector('.dot')).animationName") == "none"
