"""What the box no longer keeps, read back over the command socket: for the page, the command, and if nobody answers."""

import asyncio
import json
import threading
from datetime import UTC, datetime

import pytest

from gateway.errors import FoyerError, Text
from gateway.outputs.commands import CommandSocket
from gateway.outputs.past import ask, complete
from gateway.reading import Quality
from gateway.store.read import Reader
from tests.gateway.clocks import FakeClock
from tests.gateway.influx.homes import HomeWithInflux
from tests.gateway.influx.servers import Influxd
from tests.gateway.store.simulated import DAY, START

SIGNAL = "pv.power"


class CannedPast:
    """Reads back what it was given."""

    def __init__(self, pieces=(), fault=None):
        self.pieces, self.fault, self.asked = pieces, fault, []

    def hours(self, signal, start, end, step):
        self.asked.append((signal, start, end, step))
        yield from self.pieces
        if self.fault:
            raise self.fault


class Running:
    """A command socket in a loop of its own."""

    def __init__(self, path, past):
        self.loop = asyncio.new_event_loop()
        self.socket = CommandSocket(path, past)
        self.thread = threading.Thread(target=self.loop.run_forever)

    def __enter__(self):
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.socket.start(), self.loop).result(5)
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.socket.stop(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


def test_points_come_piece_by_piece_and_in_order(tmp_path):
    pieces = [[(1, 2.5, Quality.MEASURED)], [], [(2, 7, Quality.ESTIMATED)]]
    past = CannedPast(pieces)
    with Running(tmp_path / "command.sock", past):
        assert (tmp_path / "command.sock").stat().st_mode & 0o777 == 0o660
        points = ask(tmp_path / "command.sock", SIGNAL, 0, 10, "raw", FakeClock(), 5)
    assert points == [*pieces[0], *pieces[2]]
    assert past.asked == [(SIGNAL, 0, 10, "raw")]


def test_a_long_past_is_asked_a_day_at_a_time(tmp_path):
    past = CannedPast()
    with Running(tmp_path / "command.sock", past):
        ask(tmp_path / "command.sock", SIGNAL, 0, 2 * DAY + 5, "1m", FakeClock(), 5)
    assert sorted(past.asked) == [
        (SIGNAL, 0, 5, "1m"),
        (SIGNAL, 5, DAY + 5, "1m"),
        (SIGNAL, DAY + 5, 2 * DAY + 5, "1m"),
    ]


PROPER = {"command": "history", "signal": SIGNAL, "from": 0, "to": 10, "step": "raw"}
WRONG = [
    b"",
    b"nothing\n",
    b"[]\n",
    b"x" * 10_000,
    *(
        json.dumps(PROPER | change).encode() + b"\n"
        for change in (
            {"command": "relay"},
            {"signal": "no.such"},
            {"signal": 3},
            {"from": "0"},
            {"from": True},
            {"to": 0},
            {"to": 10**12},
            {"step": "1d"},
        )
    ),
]


@pytest.mark.parametrize("line", WRONG, ids=lambda line: line[:60].decode())
async def test_anything_but_a_proper_request_is_refused_in_words(tmp_path, line):
    past = CannedPast()
    server = CommandSocket(tmp_path / "command.sock", past)
    await server.start()
    reader, writer = await asyncio.open_unix_connection(tmp_path / "command.sock")
    writer.write(line)
    writer.write_eof()
    answer = json.loads(await reader.readline())
    writer.close()
    await server.stop()
    assert set(answer["error"]) == {"fr", "en"}
    assert past.asked == []


def _local(tmp_path, url="http://127.0.0.1:1"):
    home = HomeWithInflux(tmp_path, url)
    home.minute(rows=60)
    home.box.commit()
    return home


@pytest.mark.parametrize(
    "past",
    [None, CannedPast(fault=FoyerError(Text("absent", "away"))), CannedPast([[]])],
    ids=["dead", "away", "empty"],
)
def test_the_history_is_the_boxs_own_when_nobody_answers(tmp_path, past):
    home = _local(tmp_path)
    start, end = START - DAY // 2, home.clock.now()
    with Reader(home.box.path, home.clock) as reader:
        found = reader.history(SIGNAL, start, end, "raw")
        if past is None:
            assert complete(found, start, end, home.config, reader, home.clock) == found
        else:
            with Running(home.config.command_socket, past):
                assert complete(found, start, end, home.config, reader, home.clock) == found
    home.close()


def test_nothing_is_asked_where_the_box_has_it_all_or_a_step_is_kept_for_ever(tmp_path):
    home, past = _local(tmp_path), CannedPast()
    with Running(home.config.command_socket, past), Reader(home.box.path, home.clock) as reader:
        for signal, step, start in (
            (SIGNAL, "raw", START),
            (SIGNAL, "1h", START - DAY),
            ("grid.tariff.period", "raw", 0),
        ):
            found = reader.history(signal, start, home.clock.now(), step)
            assert complete(found, start, home.clock.now(), home.config, reader, home.clock) is found
    assert past.asked == []
    home.close()


@pytest.mark.servers
@pytest.mark.parametrize("step", ["raw", "1m"])
def test_a_box_that_lost_its_file_shows_the_past_as_it_was(tmp_path, step):
    influxd = Influxd(tmp_path / "influxd").start()
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = _local(tmp_path / "old", influxd.url)
    old.box.say("inverter:roof", {SIGNAL: 17}, Quality.ESTIMATED)
    old.box.commit()
    old.forward()
    start, end = START, old.clock.now()
    before = [point for point in old.box.history(SIGNAL, step, start, end) if point[1] is not None]
    old.close()

    home = HomeWithInflux(tmp_path / "new", influxd.url)
    home.clock.pass_s(3600)
    home.minute(first=500)
    home.box.commit()
    readback = home.readback()
    try:
        with Running(home.config.command_socket, readback), Reader(home.box.path, home.clock) as reader:
            until = home.clock.now()
            found = reader.history(SIGNAL, start, until, step)
            whole = complete(found, start, until, home.config, reader, home.clock)
    finally:
        readback.close()
        home.close()
        influxd.kill()
    known = [point for point in whole.points if point[1] is not None]
    assert known[: len(before)] == before
    assert known[len(before) :] == [point for point in found.points if point[1] is not None]
    assert datetime.fromtimestamp(known[0][0] / 1000, UTC).hour == 10
    if step == "1m":
        assert [point[0] for point in whole.points] == [point[0] for point in found.points]


@pytest.mark.servers
def test_a_server_that_is_away_is_left_alone_for_a_while(tmp_path):
    influxd = Influxd(tmp_path / "influxd").start()
    home = _local(tmp_path, influxd.url)
    home.forward()
    readback = home.readback()
    try:
        influxd.kill()
        for _ in range(2):
            with pytest.raises(FoyerError, match="does not answer"):
                list(readback.hours(SIGNAL, START, START + 1000, "raw"))
        influxd.start()
        with pytest.raises(FoyerError, match="does not answer"):
            list(readback.hours(SIGNAL, START, START + 1000, "raw"))
        home.clock.pass_s(31)
        assert list(readback.hours(SIGNAL, START, START + 1000, "raw")) == [[(START, 0.0, Quality.MEASURED)]]
    finally:
        readback.close()
        home.close()
        influxd.kill()
