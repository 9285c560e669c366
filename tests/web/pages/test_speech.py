from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storyboard import STATES

from web import flow, speech


def words(name: str, language: str):
    state = STATES[name]
    return speech.speak(flow.situation(state.snapshot(), has_pv=state.has_pv), language)


@pytest.mark.parametrize("name", STATES)
def test_each_state_of_a_home_has_its_first_sentence_in_both_languages(name):
    assert words(name, "fr").sentence == STATES[name].say_fr
    assert words(name, "en").sentence == STATES[name].say_en


@pytest.mark.parametrize("name", STATES)
def test_every_state_also_says_what_it_means(name):
    for language in ("fr", "en"):
        meaning = words(name, language).meaning
        assert meaning.endswith(".")
        assert "!" not in meaning


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("export", "Il reste 1,6\u202fkW de soleil"),
        ("partial", "Le reste, 620\u202fW, est acheté au réseau."),
        ("night", "Les panneaux dorment"),
        ("dark-day", "ne produisent rien en ce moment"),
        ("no-panels", "Tout vient du réseau."),
        ("battery-from-grid", "Le réseau charge aussi la batterie, avec 1,5\u202fkW."),
        ("overload", "abonnement de 6\u202fkVA"),
        ("no-meter", "Vos panneaux produisent 1,5\u202fkW"),
        ("no-inverter", "L’onduleur ne répond pas"),
    ],
)
def test_the_second_sentence_says_what_the_first_one_means(name, part):
    assert part in words(name, "fr").meaning


@pytest.mark.parametrize(
    ("watts", "fr", "en"),
    [
        (None, "–", "–"),
        (0, "0\u202fW", "0\u202fW"),
        (999.4, "999\u202fW", "999\u202fW"),
        (999.6, "1,0\u202fkW", "1.0\u202fkW"),
        (28_440, "28,4\u202fkW", "28.4\u202fkW"),
    ],
)
def test_powers_are_watts_then_kilowatts(watts, fr, en):
    assert (speech.power(watts, "fr"), speech.power(watts, "en")) == (fr, en)


def test_energies_are_always_kilowatt_hours_with_the_language_s_own_marks():
    assert speech.energy(1_234_567, "fr") == "1\u202f234,6\u202fkWh"
    assert speech.energy(1_234_567, "en") == "1,234.6\u202fkWh"
    assert speech.energy(None, "fr") == "–"
    assert speech.energy(900, "fr", about=True) == "≈\u202f0,9\u202fkWh"


def test_a_subscription_is_said_as_on_the_bill():
    assert speech.subscription(6000, "fr") == "6\u202fkVA"
    assert speech.subscription(7500, "fr") == "7,5\u202fkVA"


def test_percentages_have_no_decimals():
    assert speech.percent(0.7049, "fr") == "70\u202f%"
    assert speech.percent(0.7049, "en") == "70%"


@pytest.mark.parametrize(
    ("seconds", "fr", "en"),
    [
        (None, "", ""),
        (40, "il y a 40\u202fs", "40\u202fs ago"),
        (140, "il y a 2\u202fmin", "2\u202fmin ago"),
        (7300, "il y a 2\u202fh", "2\u202fh ago"),
        (90_000, "il y a 25\u202fh", "25\u202fh ago"),
        (400_000, "il y a 4\u202fjours", "4\u202fdays ago"),
    ],
)
def test_ages_are_said_in_the_largest_fitting_unit(seconds, fr, en):
    assert (speech.age(seconds, "fr"), speech.age(seconds, "en")) == (fr, en)


def test_apparent_power_is_never_said_in_watts():
    assert speech.plain(1660, "VA", "fr") == "1,7\u202fkVA"


@given(st.floats(-1e9, 1e9), st.integers(0, 3), st.sampled_from(["fr", "en"]))
def test_a_written_number_reads_back_as_itself(value, digits, language):
    text = speech.number(value, digits, language)
    marks = {"−": "-"} | ({"\u202f": "", ",": "."} if language == "fr" else {",": ""})
    for mark, plain in marks.items():
        text = text.replace(mark, plain)
    assert float(text) == pytest.approx(value, abs=0.51 * 10**-digits)
    assert not text.startswith("-") or float(text) < 0


@given(st.none() | st.floats(0, 1e7), st.sampled_from(["fr", "en"]))
def test_an_unknown_value_is_never_a_zero_and_a_known_one_never_a_dash(watts, language):
    assert (speech.power(watts, language) == "–") == (watts is None)
    assert (speech.energy(watts, language) == "–") == (watts is None)


def test_french_double_signs_never_start_a_line():
    assert speech.typeset("Il dort : « oui » ; non ?", "fr") == "Il dort\u00a0: «\u00a0oui\u00a0»\u00a0; non\u00a0?"
    assert speech.typeset("It sleeps : yes", "en") == "It sleeps : yes"
