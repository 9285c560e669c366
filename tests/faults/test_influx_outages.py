"""The server is away, forgets, refuses; the calendar is a test's own."""

import threading
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import from_datetime
from gateway.health import State
from gateway.outputs.influx import forwarder
from gateway.store.read import Reader
from tests.gateway.influx.fake import FakeInflux
from tests.gateway.influx.homes import HomeWithInflux
from tests.gateway.influx.servers import Influxd, free_port
from tests.gateway.store.simulated import DAY, Box

HOUR = 3_600_000


@pytest.fixture
def influxd(tmp_path):
    made = Influxd(tmp_path / "influxd").start()
    yield made
    made.kill()


@pytest.fixture
def home(influxd, tmp_path):
    made = HomeWithInflux(tmp_path, influxd.url)
    yield made
    made.close()


def _counts(influxd, home):
    """Return count and sum of the meter's register over there, and here."""
    there = [influxd.value(f'SELECT {what}("grid.import.energy") FROM meter') for what in ("count", "sum")]
    here = home.expected()["meter", "grid.import.energy"]
    return there, [len(here), sum(here.values())]


def _live(home, hours, first, *, every_s=120):
    for n in range(first, first + hours * 3600 // every_s):
        home.box.say("meter", {"grid.import.energy": 20_000 + n, "grid.import.apparent_power": n % 500})
        home.box.wait(every_s)
    home.box.commit()


@pytest.mark.servers
def test_a_day_away_is_caught_up_with_oldest_first(influxd, home):
    _live(home, 1, 0)
    home.forward()
    influxd.kill()

    rests = []
    for hour in range(24):
        _live(home, 1, 30 * (hour + 1))
        rests.append(home.forwarder.step())
    check = home.forwarder.check()
    assert (check.state, check.code) == (State.WARNING, "influxdb-away")
    assert 22 * 3600 < check.details["lag_s"] < 25 * 3600
    assert rests[0] < 2
    assert 200 < rests[-1] < 400  # five minutes, more or less by chance

    influxd.start()
    home.forward()

    there, here = _counts(influxd, home)
    assert there == here
    assert here[0] == 25 * 30
    assert home.forwarder.check().state is State.OK


@pytest.mark.servers
def test_a_database_that_is_dropped_is_made_again_with_all_the_box_has(influxd, home):
    _live(home, 1, 0)
    home.forward()
    influxd.ask("DROP DATABASE foyer")
    _live(home, 1, 30)

    assert home.forwarder.step() < 2  # it is not there: made, and tried again at once
    home.forward()

    there, here = _counts(influxd, home)
    assert there == here
    assert here[0] == 60


@pytest.mark.servers
def test_a_database_without_a_usual_retention_is_said_and_waited_for(influxd, home):
    influxd.ask("CREATE DATABASE foyer")
    influxd.ask('DROP RETENTION POLICY "autogen" ON "foyer"')
    _live(home, 1, 0)

    assert home.forward() < 2
    home.forward()
    check = home.forwarder.check()
    assert (check.state, check.code) == (State.PROBLEM, "influxdb-no-database")
    assert "DEFAULT" in check.mend.en

    influxd.ask('CREATE RETENTION POLICY "ever" ON "foyer" DURATION INF REPLICATION 1 DEFAULT')
    home.forward()
    there, here = _counts(influxd, home)
    assert there == here


@pytest.mark.servers
def test_after_an_outage_longer_than_raw_rows_last_minutes_stand_for_them(influxd, tmp_path):
    home = HomeWithInflux(tmp_path, influxd.url, raw_days=2, minute_days=35)
    try:
        _live(home, 2, 0, every_s=20)
        home.forward()
        sent_until = home.clock.now()
        influxd.kill()
        for day in range(20):
            _live(home, 24, 10_000 + 1_000 * day, every_s=1800)
            home.box.recorder._retain_at = 0.0  # deletion is due once a day of monotonic time
            home.box.commit()
        influxd.start()

        home.forward()

        check = home.forwarder.check()
        assert (check.state, check.code) == (State.INFO, "influxdb-gap")
        (gap,) = home.forwarder.status.gaps
        there = home.expected()["meter", "grid.import.energy"]
        first_left = min(at for at in there if at > sent_until)
        assert abs(gap.start - sent_until) < 60_000
        assert gap.end == first_left
        minutes = influxd.ask('SELECT "grid.import.energy" FROM minute')[0]["values"]
        with Reader(home.box.path, home.clock) as reader:
            points = reader.history("grid.import.energy", gap.start, gap.end, "1m", limit=None).points
        assert [row[:2] for row in minutes] == [[at, value] for at, value, _ in points if value and at >= gap.start]
        assert len(minutes) > 300
        stored = dict(row[:2] for row in influxd.ask('SELECT "grid.import.energy" FROM meter')[0]["values"])
        assert there.items() <= stored.items()
    finally:
        home.close()


@pytest.mark.servers
def test_a_new_file_of_measurements_is_followed_from_its_beginning(influxd, home):
    _live(home, 1, 0)
    home.forward()
    home.box.commit()
    home.forwarder.step()
    home.box.close()
    home.box.path.unlink()
    home.clock.pass_s(60)
    fresh = Box(home.box.path.parent, start=home.clock.now(), settings=home.box.settings)
    fresh.clock = home.clock
    fresh.recorder.close()
    home.box = Box(home.box.path.parent, start=home.clock.now())
    home.box.recorder._clock = home.clock
    home.box.clock = home.clock
    _live(home, 2, 500)

    home.forward()

    assert influxd.value('SELECT count("grid.import.energy") FROM meter') == 90


@pytest.mark.servers
@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_the_days_when_the_clocks_change_are_the_same_over_there(influxd, tmp_path, day):
    zone = ZoneInfo("Europe/Paris")
    start = from_datetime(datetime(day.year, day.month, day.day, tzinfo=zone)) - HOUR
    (tmp_path / "home").mkdir()
    home = HomeWithInflux(tmp_path / "home", influxd.url)
    home.clock.wall = start
    try:
        _live(home, 28, 0, every_s=300)
        home.forward()

        question = (
            'SELECT count("grid.import.energy"), first("grid.import.energy") FROM meter '
            f"WHERE time >= {start}ms GROUP BY time(1d) fill(none) tz('Europe/Paris')"
        )
        over_there = influxd.ask(question)[0]["values"]
        with Reader(home.box.path, home.clock) as reader:
            here = reader.history("grid.import.energy", start, home.clock.now(), "1d").points
    finally:
        home.close()
    assert [(row[0], row[2]) for row in over_there][1:] == [(at, value) for at, value, _ in here][1:]
    hours = 23 if day.month == 3 else 25
    assert over_there[1][1] == hours * 12


def test_one_who_is_not_let_in_is_told_and_let_in_once_the_token_is_right(tmp_path):
    server = FakeInflux("2", "right").start()
    token = tmp_path / "token"
    token.write_text("wrong\n")
    token.chmod(0o600)
    home = HomeWithInflux(tmp_path, server.url, token_file="token")
    try:
        _live(home, 1, 0)
        assert home.forward() == forwarder.PAUSE_S
        check = home.forwarder.check()
        assert (check.state, check.code) == (State.PROBLEM, "influxdb-denied")
        assert "token_file" in check.mend.fr

        token.write_text("right\n")
        assert home.forward() == forwarder.POLL_S
        assert server.stored() == home.expected()
        assert home.forwarder.check().state is State.OK
    finally:
        home.close()
        server.stop()


@pytest.mark.parametrize(
    ("status", "headers", "least", "most"),
    [(429, {"Retry-After": "90"}, 72, 108), (500, {}, 0.8, 1.2), (503, {"Retry-After": "7200"}, 240, 360)],
)
def test_a_server_that_asks_for_patience_gets_it_and_nothing_is_lost(tmp_path, status, headers, least, most):
    server = FakeInflux("2").start()
    home = HomeWithInflux(tmp_path, server.url)
    server.script = [(status, {"code": "x", "message": "later"}, headers)]
    try:
        _live(home, 1, 0)
        assert least <= home.forward() <= most
        assert home.forwarder.check().code == "influxdb-away"
        home.forward()
        assert server.stored() == home.expected()
    finally:
        home.close()
        server.stop()


@pytest.mark.parametrize("version", ["2"])
def test_a_bucket_that_is_not_there_is_asked_of_a_person(tmp_path, version):
    server = FakeInflux(version, has_database=False).start()
    home = HomeWithInflux(tmp_path, server.url)
    try:
        _live(home, 1, 0)
        assert home.forward() < 2
        assert home.forward() == forwarder.PAUSE_S
        assert home.forwarder.check().code == "influxdb-no-database"
        server.databases.add("foyer")
        home.forward()
        assert server.stored() == home.expected()
    finally:
        home.close()
        server.stop()


def test_a_server_that_takes_the_call_and_says_nothing_does_not_hold_the_gateway_up(tmp_path, monkeypatch):
    """As influxd does after a power cut at the wrong moment, behind a proxy; alone it opens no port at all."""
    import socket

    from gateway.outputs.influx import server

    monkeypatch.setattr(server, "QUERY_S", 0.2)
    with socket.create_server(("127.0.0.1", free_port())) as mute:
        home = HomeWithInflux(tmp_path, f"http://127.0.0.1:{mute.getsockname()[1]}")
        _live(home, 1, 0)
        done = threading.Event()

        def run():
            home.forward()
            done.set()

        thread = threading.Thread(target=run)
        thread.start()
        assert done.wait(20)
        thread.join()
        check = home.forwarder.check()
        assert check.code == "influxdb-away"
        assert "systemctl restart influxdb" in check.mend.en
        home.close()
    assert home.clock.now() - home.forwarder.status.oldest >= DAY // 24


def test_the_library_is_loaded_only_for_those_who_want_it_and_brings_no_numpy_along():
    import subprocess
    import sys

    program = (
        "import sys, gateway.app; from gateway.outputs.influx import server; from gateway.config import Influxdb;"
        "from pathlib import Path; assert 'influxdb_client' not in sys.modules;"
        "server._library(); assert 'influxdb_client' in sys.modules;"
        "print(*{'numpy', 'pandas', 'aiohttp'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
