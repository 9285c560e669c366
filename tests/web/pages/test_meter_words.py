"""What the meter alone knows, in words on the page: a cut to come, three phases, its events, how sure a power is."""

from __future__ import annotations

import re

import pytest
from storyboard import AT, STATES

from gateway.clock import SystemClock
from web import flow, words
from web.margin import margin
from web.phases import three_phases


class StoryClock(SystemClock):
    """The calendar of the storyboard."""

    def now(self):
        return AT


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\u202f", " ")


def situation(name: str):
    return flow.situation(STATES[name].snapshot(), has_pv=True)


@pytest.fixture
def show(visit):
    visitor = visit(clock=StoryClock())

    def _show(name: str, language: str = "fr") -> str:
        visitor.feed.state = STATES[name]
        return text_of(visitor.get("/", language).text)

    return _show


def test_a_cut_that_is_coming_says_when_and_what_to_do(show):
    page = show("cut")
    assert "Le compteur va couper dans 48 s ." in page
    assert "Éteignez tout de suite un gros appareil, au moins 2,0 kVA" in page
    assert "48 s avant que le compteur coupe" in page
    assert "in 48 s" in show("cut", "en")


def test_the_margin_says_what_must_go():
    found = margin(situation("cut"), "fr")
    assert (found.level, found.cut, found.shed, found.share) == ("cut", "48\u202fs", "2,0\u202fkVA", 1.0)
    assert margin(situation("overload"), "fr").level == "over"
    assert margin(situation("night"), "fr").level == ""
    assert margin(flow.situation(STATES["starting"].snapshot(), has_pv=True), "fr") is None


def test_of_three_phases_the_total_tells_nothing_of_what_must_go(show):
    assert margin(situation("cut-three-phases"), "fr").shed == ""
    assert "Une des trois phases est trop chargée." in show("cut-three-phases")


def test_a_phase_that_injects_is_named_and_the_trap_is_told(show):
    page = show("three-phases")
    assert "Phase 1 injecte 8 A · 232 V" in page
    assert "La phase 1 injecte : le compteur l’affiche à 0 et la déduit du total" in page
    assert "Total injecté 1,1 kVA" in page


def test_a_home_of_one_phase_has_no_card_of_phases(show):
    assert "Les trois phases" not in show("export")
    assert three_phases(STATES["export"].signals, 6000, "fr") is None


def test_uneven_phases_are_worth_a_word():
    found = three_phases(STATES["cut-three-phases"].signals, 12000, "en")
    assert "loaded unevenly" in found.sentence
    assert [phase.level for phase in found.phases] == ["", "over", ""]


def test_red_tomorrow_is_a_sentence_of_the_tariff_card(show):
    page = show("tempo-red-tomorrow")
    assert "Demain rouge" in page
    assert "Demain, jour rouge : l’électricité sera très chère" in page
    assert "jusqu’à 22 h, puis jour blanc, heures creuses" in page


def test_a_power_stands_with_how_far_off_it_may_be(show):
    page = show("tempo-red-tomorrow")
    assert "Puissance achetée 640 W ± 18 W" in page
    assert "à tant près" not in page
    assert "Facteur de puissance 0,93" in page


def test_an_announced_peak_is_said_with_its_hours(show):
    assert "Pointe mobile demain à partir de 7 h et jusqu’à 1 h" in show("ejp-announced")
    assert "Mobile peak tomorrow from 07:00, until 01:00" in show("ejp-announced", "en")


def test_what_the_meter_reports_of_itself_is_at_the_top_and_in_the_details(show):
    page = show("meter-events")
    assert "Le compteur mesure une tension trop haute." in page
    assert "Le compteur a coupé le courant de la maison : trop de puissance." in page
    assert "Il manque la phase 2." in page
    assert "horloge du compteur perdue, capot du compteur ouvert, coupé : trop de puissance, surtension" in page


@pytest.mark.parametrize(
    ("name", "value", "fr", "en"),
    [
        ("grid.events", "none", "aucun", "none"),
        ("grid.events", "something-new", "something-new", "something-new"),
        ("grid.contact", "closed", "fermé", "closed"),
        ("grid.relays", "1 3", "1 3", "1 3"),
        ("grid.phase.missing", "none", "aucune", "none"),
        ("grid.tariff.period", "red_hp", "Jour rouge, heures pleines", "Red day, peak"),
        ("grid.overload", "yes", "oui", "yes"),
        ("grid.message", "TRAVAUX", "TRAVAUX", "TRAVAUX"),
    ],
)
def test_coded_states_have_words(name, value, fr, en):
    assert words.word(name, value, "fr", None) == fr
    assert words.word(name, value, "en", None) == en
