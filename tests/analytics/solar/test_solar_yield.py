import json
import sys

import pytest

from gateway.cli import main

NANTES = ["--lat", "47.218", "--lon", "-1.553", "--kwp", "3", "--tilt", "35", "--azimuth", "S"]


@pytest.fixture
def foyer(capsys, monkeypatch):
    def run(*arguments, language="fr_FR.UTF-8"):
        monkeypatch.setenv("LC_ALL", language)
        with pytest.raises(SystemExit) as left:
            main(["solar", "yield", *arguments])
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


def _changed(**options):
    arguments = list(NANTES)
    for option, value in options.items():
        arguments[arguments.index(f"--{option}") + 1] = value
    return arguments


def test_json_has_the_agreed_shape(foyer):
    code, out, err = foyer(*NANTES, "--json")
    found = json.loads(out)

    assert (code, err) == (0, "")
    assert list(found) == ["kwh_per_year", "kwh_per_kwp", "months", "weather", "loss"]
    assert list(found["weather"]) == ["kind", "source", "period"]
    assert len(found["months"]) == 12
    assert sum(found["months"]) == pytest.approx(found["kwh_per_year"], abs=0.7)
    assert found["kwh_per_kwp"] == pytest.approx(found["kwh_per_year"] / 3, abs=0.1)
    assert found["weather"] == {"kind": "climate", "source": "Foyer, Nantes", "period": "1981-2010"}
    assert found["loss"] == 0.14
    assert 1090 < found["kwh_per_kwp"] < 1360


def test_words_and_degrees_say_the_same(foyer):
    answers = {foyer(*_changed(azimuth=word), "--json")[1] for word in ("S", "sud", "south", "180")}

    assert len(answers) == 1


def test_a_person_reads_months_a_band_and_where_it_comes_from(foyer):
    code, out, _ = foyer(*NANTES)

    assert code == 0
    assert "juillet" in out
    assert "≈" in out
    assert "± 10 %" in out
    assert "climat de la boîte, estimé" in out


def test_an_english_person_reads_english(foyer):
    _, out, _ = foyer(*NANTES, language="en_GB.UTF-8")

    assert "July" in out
    assert "Over a year: ≈" in out


def test_a_weather_file_is_no_estimate(foyer, tmp_path, station_epw):
    file = tmp_path / "lyon.epw"
    file.write_text(station_epw)
    code, out, err = foyer(*_changed(lat="45.73", lon="4.94"), "--weather", str(file))

    assert (code, err) == (0, "")
    assert "≈" not in out
    assert "± 8 %" in out
    assert "ISD-TMYx, 2004-2018" in out


def test_the_weather_of_a_place_a_little_far_is_said_to_be_so(foyer, tmp_path, station_epw):
    file = tmp_path / "lyon.epw"
    file.write_text(station_epw)
    code, out, err = foyer(*_changed(lat="45.19", lon="5.72"), "--weather", str(file), "--json")

    assert code == 0
    assert json.loads(out)["weather"]["kind"] == "epw"
    assert "km" in err


WRONG = {
    "swapped": (_changed(lat="-1.5", lon="47.2"), "échangées"),
    "no latitude": (_changed(lat="91"), "-90"),
    "no longitude": (_changed(lon="200"), "-180"),
    "watts for kilowatts": (_changed(kwp="3000"), "3 kWc"),
    "no panels": (_changed(kwp="0"), "kWc"),
    "negative panels": (_changed(kwp="-3"), "kWc"),
    "not a number": (_changed(kwp="nan"), "kWc"),
    "an overhang": (_changed(tilt="95"), "de 0 à 90"),
    "an azimuth from south": (_changed(azimuth="-90"), "ajoutez-y 180"),
    "an azimuth that is none": (_changed(azimuth="midi"), "orientation"),
    "a percentage": ([*NANTES, "--loss", "14"], "0.14"),
}


@pytest.mark.parametrize(("arguments", "word"), WRONG.values(), ids=WRONG.keys())
def test_wrong_use_is_a_sentence_and_two(foyer, arguments, word):
    code, out, err = foyer(*arguments)

    assert (code, out) == (2, "")
    assert word in err


def test_the_weather_of_another_region_is_wrong_use(foyer, tmp_path, station_epw):
    file = tmp_path / "lyon.epw"
    file.write_text(station_epw)
    code, _, err = foyer(*NANTES, "--weather", str(file))

    assert code == 2
    assert "km du vôtre" in err


@pytest.mark.parametrize("content", [None, "n’importe quoi", "LOCATION,a,b"])
def test_a_file_that_cannot_be_used_fails_with_a_sentence(foyer, tmp_path, content):
    file = tmp_path / "weather.epw"
    if content is not None:
        file.write_text(content)
    code, out, err = foyer(*NANTES, "--weather", str(file), "--json")

    assert (code, out) == (1, "")
    assert err.startswith("Fichier météo :")
    assert len(err.splitlines()) == 1


def test_a_place_without_a_climate_asks_for_a_file(foyer):
    code, _, err = foyer(*_changed(lat="40.7", lon="-74"))

    assert code == 1
    assert "--weather" in err


def test_a_box_without_pvlib_says_how_to_add_it(foyer, monkeypatch):
    monkeypatch.setitem(sys.modules, "pvlib", None)
    monkeypatch.delitem(sys.modules, "analytics.solar", raising=False)
    monkeypatch.delattr("analytics.solar", raising=False)
    code, _, err = foyer(*NANTES)

    assert code == 1
    assert "foyer[solar]" in err
