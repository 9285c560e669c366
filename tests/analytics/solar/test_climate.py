from calendar import monthrange
from math import acos, cos, pi, radians, sin, tan
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.climate import climate_at, day_clearness, stations
from gateway.errors import FoyerError


def test_the_file_holds_whole_and_credible_years():
    for one in stations():
        assert len(one.clearness) == len(one.temperature) == 12
        assert all(0.4 <= k <= 1 for k in one.clearness), one.name
        assert all(-5 < t < 30 for t in one.temperature), one.name
        assert one.source
        assert one.seen_on
        assert one.period
        assert one.estimate == (one.sunshine_h is not None), one.name


def _outside(latitude, day):
    """The irradiation above the atmosphere on a day, kWh/m², and the length of that day in hours (Duffie-Beckman)."""
    north, declination = radians(latitude), radians(23.45 * sin(2 * pi * (284 + day) / 365))
    sunset = acos(-tan(north) * tan(declination))
    height = cos(north) * cos(declination) * sin(sunset) + sunset * sin(north) * sin(declination)
    return 24 / pi * 1.361 * (1 + 0.033 * cos(2 * pi * day / 365)) * height, 24 / pi * sunset


def test_the_estimates_follow_from_the_sunshine():
    """Clear-sky irradiation is about three quarters of that outside, a little less in winter: the ratio must fit."""
    first = 1
    for month in range(1, 13):
        days = range(first, first + monthrange(2023, month)[1])
        first = days[-1] + 1
        for one in stations():
            if one.sunshine_h is None:
                continue
            outside, light = (sum(part) for part in zip(*(_outside(one.latitude, day) for day in days), strict=True))
            kept = (0.25 + 0.55 * one.sunshine_h[month - 1] / light) * outside
            clear_share = kept / one.clearness[month - 1] / outside
            assert 0.5 < clear_share < 0.78, (one.name, month)


def test_a_place_is_weighted_from_its_neighbours():
    nantes = next(one for one in stations() if one.name == "Nantes")

    assert climate_at(47.15, -1.61).clearness == nantes.clearness
    between = climate_at(46.7, -1.4)
    assert "Nantes" in between.source
    assert "La Rochelle" in between.source
    assert between.estimate


PLACES = {
    "Dunkerque": (51.03, 2.38),
    "Ouessant": (48.46, -5.09),
    "Hendaye": (43.36, -1.77),
    "Cerbère": (42.44, 3.17),
    "Menton": (43.78, 7.50),
    "Wissembourg": (49.04, 7.95),
    "Bonifacio": (41.39, 9.16),
    "Bourges": (47.08, 2.40),
    "Chamonix": (45.92, 6.87),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_every_corner_of_france_has_a_climate_between_its_stations(place):
    found = climate_at(*place)

    for month in range(12):
        known = [one.clearness[month] for one in stations()]
        assert min(known) <= found.clearness[month] <= max(known)


@pytest.mark.parametrize(("latitude", "longitude"), [(40.7, -74.0), (0, 0), (-21.1, 55.5), (60, 10)])
def test_a_place_elsewhere_is_refused(latitude, longitude):
    with pytest.raises(FoyerError) as refused:
        climate_at(latitude, longitude)

    assert "--weather" in refused.value.say("fr")


@given(st.lists(st.floats(0.1, 1.0), min_size=12, max_size=12))
def test_the_days_of_a_month_have_its_mean(clearness):
    days = day_clearness(clearness)
    first = 0
    for month, wanted in enumerate(clearness, start=1):
        length = monthrange(2023, month)[1]
        assert mean(days[first : first + length]) == pytest.approx(wanted, abs=1e-9)
        first += length
    assert len(days) == 365
    assert all(0 < day <= 1 for day in days)


def test_the_order_of_the_days_never_changes():
    clearness = [0.7] * 12

    assert day_clearness(clearness) == day_clearness(clearness)
    assert day_clearness(clearness)[:12] != sorted(day_clearness(clearness)[:12])
