import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics import forecast, solar_health
from analytics.jobs import JOBS, main
from analytics.roof import Plane
from analytics.weather_files import parse_weather
from drivers.sim.home import SimulatedHome
from gateway.clock import UtcMs, from_datetime
from gateway.config import Config, Home, Paths, SolarArray, Store
from gateway.store.load import load_minutes
from gateway.store.read import Reader

LATITUDE, LONGITUDE = 45.76, 4.84
PARIS = ZoneInfo("Europe/Paris")
NOON = from_datetime(datetime(2025, 6, 20, 11, 45, tzinfo=UTC))
ROOF = SolarArray(id="toit", kwp=3.0, tilt_deg=30.0, azimuth="S")


@dataclass
class Still:
    at: UtcMs = NOON

    def now(self):
        return self.at

    def monotonic(self):
        return self.at / 1000


@pytest.fixture
def config(tmp_path):
    made = Config(
        file=tmp_path / "foyer.toml",
        paths=Paths(state="state", run="run"),
        home=Home(latitude=LATITUDE, longitude=LONGITUDE),
        solar_array=(ROOF,),
    )
    made.state.mkdir()
    return made


def _expected(config, clock=None):
    assert forecast.run(config, clock or Still())[0]
    return json.loads((config.state / "solar.json").read_text(encoding="utf-8"))


def _open_meteo(clouded, hours=72, start=datetime(2025, 6, 19, tzinfo=UTC)):
    """A forecast as Open-Meteo gives it, with a share of a clear sky's light."""
    times = [start + timedelta(hours=n) for n in range(hours)]
    light = forecast.solar.clear_sky(LATITUDE, LONGITUDE, [at.timestamp() for at in times])
    return json.dumps(
        {
            "latitude": LATITUDE,
            "longitude": LONGITUDE,
            "elevation": 170.0,
            "hourly": {
                "time": [int(at.timestamp()) for at in times],
                "temperature_2m": [20.0] * hours,
                "wind_speed_10m": [7.2] * hours,
                "shortwave_radiation_instant": [float(x) * clouded for x in light.ghi],
                "diffuse_radiation_instant": [float(x) * clouded for x in light.dhi],
                "direct_normal_irradiance_instant": [float(x) * clouded for x in light.dni],
            },
        }
    )


def test_a_clear_day_is_expected_without_a_forecast(config):
    found = _expected(config)

    assert list(found) == ["at", "kind", "source", "now_w", "today_wh", "arrays", "today"]
    assert (found["kind"], found["at"]) == ("clear-sky", "2025-06-20T11:45:00.000Z")
    assert [one["id"] for one in found["arrays"]] == ["toit"]
    assert 1900 < found["now_w"] < 2600
    assert found["now_w"] == pytest.approx(max(watts for _, watts in found["today"]), rel=0.03)
    assert found["today_wh"] == pytest.approx(sum(watts for _, watts in found["today"]) / 4, rel=0.01)
    assert (config.state / "solar.json").stat().st_size < 8000


def test_the_day_is_the_homes_own(config):
    points = _expected(config)["today"]

    assert points[0] == ["2025-06-19T22:00:00Z", 0]
    assert len(points) == 96


@pytest.mark.parametrize(("day", "quarters"), [((2025, 3, 30), 92), ((2025, 10, 26), 100)])
def test_a_day_on_which_the_clocks_change_is_whole(config, day, quarters):
    points = _expected(config, Still(from_datetime(datetime(*day, 12, tzinfo=PARIS))))["today"]

    assert len(points) == quarters


@pytest.mark.parametrize("share", [0.3, 0.8, 1.0])
def test_a_forecast_takes_its_clouds_from_the_clear_sky(config, share):
    clear = _expected(config)["today_wh"]
    (config.state / "forecast.json").write_text(_open_meteo(share))
    found = _expected(config)

    assert (found["kind"], found["source"]) == ("forecast", "Open-Meteo")
    assert found["today_wh"] == pytest.approx(share * clear, rel=0.06)


@pytest.mark.parametrize("content", ["", "{", _open_meteo(0.5, 24), _open_meteo(0.5, 30)])
def test_a_forecast_that_does_not_cover_the_day_is_not_used(config, content):
    (config.state / "forecast.json").write_text(content)

    assert _expected(config)["kind"] == "clear-sky"


def test_two_roofs_are_told_apart():
    planes = [Plane(2.0, 30, 90, id="est"), Plane(2.0, 30, 270, id="ouest")]
    morning = from_datetime(datetime(2025, 6, 20, 7, tzinfo=UTC))
    found = forecast.expected(planes, LATITUDE, LONGITUDE, PARIS, morning, None)
    east, west = found["arrays"]

    assert east["now_w"] > 2 * west["now_w"]
    assert found["now_w"] == pytest.approx(east["now_w"] + west["now_w"], abs=1)


def test_a_place_without_a_climate_has_a_clear_sky_all_the_same():
    found = forecast.expected([Plane(3.0, 10, 0)], -21.1, 55.5, ZoneInfo("Indian/Reunion"), Still().now(), None)

    assert found["today_wh"] > 8000


def test_a_forecast_file_of_another_kind_is_left(station_epw):
    found = forecast.expected([Plane(3.0, 30, 180)], 45.73, 4.94, PARIS, Still().now(), parse_weather(station_epw))

    assert found["kind"] == "clear-sky"


@pytest.mark.parametrize("home", [Home(), Home(latitude=45.0)])
def test_nothing_is_expected_of_a_home_without_a_place(config, home):
    nowhere = Config(file=config.file, paths=config.paths, home=home, solar_array=(ROOF,))

    assert forecast.run(nowhere, Still()) is None
    assert solar_health.run(nowhere, Still()) is None


def test_nothing_is_expected_without_panels(config):
    bare = Config(file=config.file, paths=config.paths, home=config.home)
    jobs = [job for job in JOBS if job.id.startswith("solar")]

    assert [job.id for job in jobs] == ["solar-expected", "solar-health"]
    assert [job.run(bare) for job in jobs] == [None, None]


def test_the_jobs_process_writes_what_is_expected(config, monkeypatch):
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    jobs = [job for job in JOBS if job.id == "solar-expected"]

    assert main(config, Still(), jobs) == 0
    assert json.loads((config.state / "jobs.json").read_text())["solar-expected"]["ok"] is True
    assert (config.state / "solar.json").exists()


def _live(config, days, broken_from=None):
    """Load the simulated home's last days into a store, its first row of panels dead from a day on."""
    home = SimulatedHome(3, LATITUDE, LONGITUDE, 3.0, 30.0, 180.0, "Europe/Paris")
    start = UtcMs((NOON - days * 86_400_000) // 60_000 * 60_000)

    def rows():
        for at in range(start, NOON, 60_000):
            day, minute = home.minute_of(UtcMs(at))
            dc, ac = day.roof.dc_w[minute], day.roof.ac_w[minute]
            if not day.roof.awake[minute]:
                continue
            one = 0.0 if broken_from is not None and (at - start) / 86_400_000 > broken_from else 0.52 * dc
            kept = (one + 0.48 * dc) / dc if dc else 1.0
            yield (
                UtcMs(at),
                {
                    "pv.power": round(ac * kept),
                    "pv.dc.power.1": round(one),
                    "pv.dc.power.2": round(0.48 * dc),
                    "grid.voltage.l1": 236.0,
                },
            )

    load_minutes(config.measure_db, rows(), demo=True, clock=Still(), settings=Store())


def test_a_row_of_panels_that_died_is_read_in_the_store(config):
    _live(config, 24, broken_from=14)
    outcome = solar_health.run(config, Still())
    found = json.loads((config.state / "solar-health.json").read_text(encoding="utf-8"))

    assert outcome[0]
    assert [one["code"] for one in found["findings"]] == ["string-down"]
    assert found["findings"][0]["evidence"]["string"] == 1
    assert set(found["findings"][0]["text"]) == {"fr", "en"}
    assert found["days"] >= 23


def test_a_healthy_store_gives_a_ratio_and_no_alarm(config):
    _live(config, 20)
    solar_health.run(config, Still())
    found = json.loads((config.state / "solar-health.json").read_text(encoding="utf-8"))

    assert found["findings"] == []
    assert found["clear_days"] >= 3
    assert 0.85 < found["ratio"] < 1.05
    assert len(found["ratios"]) == found["clear_days"]


def test_a_store_of_a_few_days_or_none_is_not_judged(config):
    assert solar_health.run(config, Still()) is None
    _live(config, 4)

    assert solar_health.run(config, Still()) is None


def test_days_begin_at_the_suns_midnight(config):
    _live(config, 9)
    with Reader(config.measure_db, Still()) as reader:
        days = solar_health.read_days(reader, [Plane(3.0, 30, 180)], LATITUDE, LONGITUDE, Still().now())

    for day in days:
        assert day.slots[0].azimuth < 90
        assert day.slots[-1].azimuth > 270
        assert day.slots[0].elevation < 1.5
    assert days[-1].date == "2025-06-19"
