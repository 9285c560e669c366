"""The stream, read event by event from the application itself."""

import json
import threading

import pytest

from tests.web.conftest import wait_until
from web.api import live
from web.api.live import Places
from web.settings import STREAMS


class Events:
    """An open stream; `next()` gives the next (event, data), or ("", text) for a comment or a retry."""

    def __init__(self, client):
        self.answer = client.get("/api/v1/stream", buffered=False)
        self._blocks = iter(self.answer.iter_encoded()) if self.answer.status_code == 200 else None

    def next(self):
        lines = next(self._blocks).decode().strip().split("\n")
        if len(lines) == 1:
            return "", lines[0]
        return lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))

    def close(self):
        self.answer.close()


@pytest.fixture
def events(program):
    opened = Events(program)
    yield opened
    opened.close()


def skip_the_beginning(events):
    return [events.next() for _ in range(3)]


def test_a_stream_begins_with_a_snapshot_and_the_health(events, program):
    retry, snapshot, health = skip_the_beginning(events)

    assert events.answer.mimetype == "text/event-stream"
    assert retry == ("", "retry: 3000")
    assert snapshot[0] == "snapshot"
    assert list(snapshot[1]) == ["at", "signals"]
    assert snapshot[1]["signals"] == program.get("/api/v1/live").json["signals"]
    assert health == ("health", program.get("/api/v1/health").json)


def test_then_come_frames_with_what_changed(events, gateway):
    skip_the_beginning(events)
    gateway.set({"pv.power": 2300})
    name, frame = events.next()

    assert name == "frame"
    assert list(frame) == ["at", "signals"]
    assert list(frame["signals"]) == ["pv.power"]
    assert list(frame["signals"]["pv.power"]) == ["value", "unit", "at", "age_s", "quality", "source"]
    assert frame["signals"]["pv.power"]["value"] == 2300


def test_a_slow_browser_gets_the_last_value_in_one_frame(events, gateway, feed):
    skip_the_beginning(events)
    for power in range(50):
        gateway.set({"pv.power": power, "home.power": power})
    wait_until(feed, lambda: feed.snapshot().signals["pv.power"]["value"] == 49)
    _, frame = events.next()

    assert {name: sig["value"] for name, sig in frame["signals"].items()} == {"pv.power": 49, "home.power": 49}


def test_a_change_of_health_is_an_event_of_its_own(events, gateway):
    skip_the_beginning(events)
    gateway.set_health({"state": "warning", "checks": []})
    assert events.next() == ("health", {"state": "warning", "checks": []})


def test_a_lost_gateway_is_told_as_health(events, gateway):
    skip_the_beginning(events)
    gateway.stop()
    name, health = events.next()
    assert (name, health["checks"][0]["code"]) == ("health", "gateway-lost")


def test_a_comment_keeps_a_quiet_stream_alive(program, monkeypatch):
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.01)
    events = Events(program)
    skip_the_beginning(events)
    assert events.next() == ("", ": still here")
    events.close()


def test_the_heartbeat_is_the_one_of_the_contract():
    assert live.HEARTBEAT_S == 15
    assert STREAMS == 24


def iter_to_end(events):
    while True:
        try:
            yield events.next()
        except StopIteration:
            return


@pytest.mark.parametrize("way", ["session", "key"])
def test_a_stream_ends_when_what_opened_it_is_withdrawn(way, browser, program, box, account, monkeypatch):
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.01)
    events = Events(browser if way == "session" else program)
    skip_the_beginning(events)
    if way == "session":
        box.accounts.end_session(account, box.accounts.sessions(account)[0].id)
    else:
        box.accounts.end_key(box.accounts.app_keys()[0].id)
    assert [data for _, data in iter_to_end(events)][-1:] in ([], [": still here"])
    events.close()


def test_a_stream_ends_when_the_box_stops(events, feed):
    skip_the_beginning(events)
    threading.Timer(0.05, feed.stop_streams).start()
    with pytest.raises(StopIteration):
        events.next()


def test_the_twenty_fifth_stream_is_told_to_come_back_and_a_place_is_given_back(program):
    streams = [Events(program) for _ in range(24)]
    refused = program.get("/api/v1/stream")

    assert refused.status_code == 503
    assert refused.json["type"] == "urn:foyer:problem:too-many-streams"
    assert refused.headers["Retry-After"] == "10"
    streams.pop().close()
    again = Events(program)
    assert again.answer.status_code == 200
    for stream in [*streams, again]:
        stream.close()


def test_asking_for_the_head_of_a_stream_keeps_no_place(program):
    for _ in range(30):
        answer = program.head("/api/v1/stream")
        assert answer.status_code == 200
        answer.close()


def test_a_place_given_back_twice_counts_once():
    places = Places(1)
    give_back = places.take()
    assert places.take() is None
    give_back()
    give_back()
    assert places.take()
    assert places.take() is None
