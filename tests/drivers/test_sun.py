"""The sun's place, against an independent library."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.sun import elevation_azimuth, is_dark
from gateway.clock import from_datetime

MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2049, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def apart(one, other):
    return abs((one - other + 180) % 360 - 180)


@pytest.mark.parametrize(
    "place", [(48.85, 2.35), (43.3, 5.4), (51.05, 2.38), (-21.1, 55.5), (16.25, -61.55), (46.78, -56.2)]
)
def test_the_sun_stands_where_an_independent_library_sees_it(place):
    solarposition = pytest.importorskip("pvlib.solarposition")
    import pandas as pd

    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(hours=hours) for hours in range(0, 8760, 7)]
    theirs = solarposition.get_solarposition(pd.DatetimeIndex(moments), *place)
    for moment, elevation, azimuth in zip(moments, theirs["elevation"], theirs["azimuth"], strict=True):
        ours = elevation_azimuth(from_datetime(moment), *place)
        assert ours[0] == pytest.approx(elevation, abs=0.05)
        if elevation < 85:  # near the zenith an azimuth says little
            assert apart(ours[1], azimuth) < 0.4


@given(MOMENTS, st.floats(-90, 90), st.floats(-180, 180))
@settings(max_examples=300)
def test_everywhere_and_always_the_angles_are_angles(moment, latitude, longitude):
    elevation, azimuth = elevation_azimuth(from_datetime(moment), latitude, longitude)
    assert -90 <= elevation <= 90
    assert 0 <= azimuth < 360


def test_paris_is_dark_at_midnight_and_light_at_noon():
    assert is_dark(from_datetime(datetime(2026, 6, 21, 0, tzinfo=UTC)), 48.85, 2.35)
    assert not is_dark(from_datetime(datetime(2026, 12, 21, 12, tzinfo=UTC)), 48.85, 2.35)
