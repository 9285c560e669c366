import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.roof import Horizon, azimuth_degrees, from_south, parse_horizon, plane_of, read_horizon
from gateway.config import SolarArray
from gateway.errors import FoyerError


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("S", 180),
        ("s", 180),
        ("N", 0),
        ("E", 90),
        ("O", 270),
        ("W", 270),
        ("SE", 135),
        ("SO", 225),
        ("SW", 225),
        ("NNO", 337.5),
        ("WSW", 247.5),
        ("sud", 180),
        ("Sud-Est", 135),
        ("sud est", 135),
        ("ouest", 270),
        ("nord-ouest", 315),
        ("south", 180),
        ("South-West", 225),
        ("southeast", 135),
        ("ouest-sud-ouest", 247.5),
        ("180", 180),
        ("180,5", 180.5),
        ("360", 0),
        (90.0, 90),
    ],
)
def test_an_orientation_is_a_word_or_degrees_from_north(text, degrees):
    assert azimuth_degrees(text) == degrees


@pytest.mark.parametrize("text", ["-90", "-45", -1.0])
def test_degrees_from_south_are_refused_with_the_way_to_convert(text):
    with pytest.raises(FoyerError) as refused:
        azimuth_degrees(text)

    assert "180" in refused.value.say("fr")


@pytest.mark.parametrize("text", ["", "midi", "SS", "NS", "361", "nan", "inf", "S S", "--"])
def test_anything_else_is_refused(text):
    with pytest.raises(FoyerError):
        azimuth_degrees(text)


@given(st.text(max_size=20))
def test_no_word_is_more_than_a_sentence(text):
    with contextlib.suppress(FoyerError):
        assert 0 <= azimuth_degrees(text) < 360


@given(st.floats(-180, 180))
def test_degrees_from_south_become_degrees_from_north(degrees):
    assert 0 <= from_south(degrees) <= 360
    assert [from_south(one) for one in (0, -90, 90, 180)] == [180, 90, 270, 0]


def test_a_skyline_is_straight_between_its_points_and_closes_on_itself():
    horizon = Horizon((0.0, 90.0, 180.0, 270.0), (0.0, 10.0, 20.0, 30.0))

    assert [horizon.at(one) for one in (0, 45, 90, 225, 315, 360)] == [0, 5, 10, 25, 15, 0]


def test_the_same_skyline_is_read_from_every_form():
    heights = [float(n % 7) for n in range(48)]
    columns = "horizon_azimuth,horizon_elevation\n" + "\n".join(
        f"{n * 7.5},{height}" for n, height in enumerate(heights)
    )
    alone = ",".join(str(height) for height in heights)
    south = [((n * 7.5 + 180) % 360 - 180, height) for n, height in enumerate(heights)]
    turned = [(azimuth - 180 if azimuth >= 0 else azimuth + 180, height) for azimuth, height in south]
    printed = "Latitude: 45\n\n A\tH_hor\tA_sun(w)\n" + "\n".join(f"{a}\t\t{h}\t\t0" for a, h in sorted(turned))
    as_json = json.dumps({"outputs": {"horizon_profile": [{"A": a, "H_hor": h} for a, h in turned]}})

    expected = parse_horizon(columns)
    assert len(expected.azimuths) == 48
    assert [parse_horizon(text) for text in (alone, printed, as_json)] == [expected] * 3


@pytest.mark.parametrize(
    "text", ["", "1,2", "a\nb,c", "0,100\n90,0\n180,0\n270,0", '{"outputs": {}}', "{", "1\n2\n3,4\n5", "0,1\n1,x"]
)
def test_a_bad_skyline_is_a_sentence(text):
    with pytest.raises(FoyerError):
        parse_horizon(text)


@given(st.text(alphabet="0123456789.,;-\n A", max_size=60))
def test_no_skyline_is_more_than_a_sentence(text):
    with contextlib.suppress(FoyerError):
        assert 0 <= parse_horizon(text).at(123.0) <= 90


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(FoyerError, match="cannot be read"):
        read_horizon(tmp_path / "none.csv")


def test_a_plane_comes_from_the_configuration(tmp_path):
    (tmp_path / "horizon.csv").write_text("5\n" * 36)
    plane = plane_of(SolarArray(id="toit", kwp=3.0, azimuth="SO", horizon="horizon.csv", inverter="main"), tmp_path)

    assert (plane.id, plane.azimuth_deg, plane.tilt_deg, plane.loss, plane.inverter) == ("toit", 225, 30, 0.14, "main")
    assert plane.horizon.at(12) == 5
