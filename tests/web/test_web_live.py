import threading

import pytest

from tests.web.conftest import wait_until
from tests.web.feed_server import HEALTHY, NOON
from web.live import LiveFeed


def test_the_snapshot_of_the_gateway_becomes_ours(feed):
    snapshot = feed.snapshot()

    assert snapshot.connected
    assert {name: sig["value"] for name, sig in snapshot.signals.items()} == NOON
    assert snapshot.health == HEALTHY
    assert snapshot.home["name"] == "Maison d’essai"


def test_each_signal_has_exactly_the_six_keys_of_the_contract(feed):
    for sig in feed.snapshot().signals.values():
        assert list(sig) == ["value", "unit", "at", "age_s", "quality", "source"]


def test_the_age_of_a_value_grows_by_the_clock_that_never_jumps(feed, clock):
    clock.mono += 3
    clock.wall -= 3_600_000

    assert feed.snapshot().signals["pv.power"]["age_s"] == pytest.approx(3.4)


def test_a_value_older_than_three_periods_is_stale_and_keeps_its_value(feed, clock):
    clock.pass_s(15.1)  # the meter speaks each 5 s, the inverter each 10 s
    signals = feed.snapshot().signals

    assert signals["grid.import.energy"]["quality"] == "stale"
    assert signals["grid.import.energy"]["value"] == NOON["grid.import.energy"]
    assert signals["pv.power"]["quality"] == "measured"


def test_a_value_that_becomes_stale_is_a_change_for_the_streams(feed, clock, gateway):
    version = feed.snapshot().version
    clock.pass_s(16)
    gateway.tick()
    wait_until(feed, lambda: feed.changes(version).signals)
    changed = feed.changes(version).signals

    assert changed["grid.import.energy"]["quality"] == "stale"
    assert "pv.power" not in changed


def test_a_frame_changes_only_its_signals(feed, gateway):
    version = feed.snapshot().version
    gateway.set({"pv.power": 2300, "home.power": None})
    wait_until(feed, lambda: feed.changes(version).signals)
    changed = feed.changes(version).signals

    assert {name: sig["value"] for name, sig in changed.items()} == {"pv.power": 2300, "home.power": None}


def test_a_slow_stream_gets_the_last_value_and_no_queue(feed, gateway):
    version = feed.snapshot().version
    for power in range(1, 101):
        gateway.set({"pv.power": power})
    wait_until(feed, lambda: feed.snapshot().signals["pv.power"]["value"] == 100)
    changes = feed.changes(version)

    assert changes.signals["pv.power"]["value"] == 100
    assert feed.changes(changes.version).signals == {}


def test_a_tick_changes_nothing(feed, gateway):
    version = feed.snapshot().version
    gateway.tick()
    gateway.set({"pv.power": 1})
    wait_until(feed, lambda: feed.snapshot().signals["pv.power"]["value"] == 1)

    assert feed.snapshot().version == version + 1


def test_a_change_of_health_is_told_once(feed, gateway):
    version = feed.snapshot().version
    gateway.set_health({"state": "warning", "checks": []})
    wait_until(feed, lambda: feed.snapshot().version > version)
    changes = feed.changes(version)

    assert changes.health == {"state": "warning", "checks": []}
    assert feed.changes(changes.version).health is None


def test_a_lost_gateway_is_a_problem_that_says_what_to_do(feed, gateway):
    gateway.stop()
    wait_until(feed, lambda: not feed.snapshot().connected)
    snapshot = feed.snapshot()

    assert snapshot.health["state"] == "problem"
    assert [check["code"] for check in snapshot.health["checks"]] == ["gateway-lost", "reading"]
    assert snapshot.health["checks"][0]["mend"]["fr"]
    assert snapshot.signals["pv.power"]["value"] == NOON["pv.power"]


def test_a_gateway_that_comes_back_is_followed_again(feed, gateway):
    gateway.stop()
    wait_until(feed, lambda: not feed.snapshot().connected)
    gateway.signals["pv.power"]["value"] = 999
    gateway.start()
    wait_until(feed, lambda: feed.snapshot().connected)

    assert feed.snapshot().signals["pv.power"]["value"] == 999
    assert feed.snapshot().health == HEALTHY


def test_a_signal_that_a_new_gateway_does_not_know_is_gone_and_streams_hear_of_it(feed, gateway):
    version = feed.snapshot().version
    gateway.stop()
    del gateway.signals["pv.power@roof"]
    gateway.start()
    wait_until(feed, lambda: feed.snapshot().connected and "pv.power@roof" not in feed.snapshot().signals)
    told = feed.changes(version).signals["pv.power@roof"]

    assert told["value"] is None
    assert told["quality"] == "stale"


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b"[]\n",
        b'{"type":"frame"}\n',
        b'{"type":"frame","signals":{"pv.power":{"value":1}}}\n',
        b'{"type":"frame","signals":{"pv.power":7}}\n',
        b'{"type":"frame","signals":{"pv.power":{"value":1,"unit":"W","at":null,"age_s":"x","quality":"","source":""}}}\n',
        b'{"type":"health","health":[]}\n',
        b'{"type":"snapshot","signals":{},"health":{"state":"ok","checks":[]}}\n',
        b"\xff\xfe\n",
    ],
)
def test_a_line_outside_the_protocol_drops_the_link_and_it_comes_back(feed, gateway, line):
    before = gateway.accepted
    gateway.send_raw(line)
    gateway.wait_for_clients(before + 1)
    wait_until(feed, lambda: feed.snapshot().connected)

    assert feed.snapshot().signals["pv.power"]["value"] == NOON["pv.power"]


def test_a_kind_of_message_of_a_later_version_is_passed_over(feed, gateway):
    gateway.send_raw(b'{"type":"weather","sun":true}\n')
    gateway.set({"pv.power": 5})
    wait_until(feed, lambda: feed.snapshot().signals["pv.power"]["value"] == 5)

    assert gateway.accepted == 1


def test_a_gateway_that_is_not_there_yet_is_waited_for(config, clock):
    followed = LiveFeed(config.live_socket, clock)
    followed.start()
    snapshot = followed.snapshot()
    followed.close()

    assert not snapshot.connected
    assert snapshot.signals == {}
    assert snapshot.health["checks"][0]["id"] == "gateway"


def test_the_loss_is_logged_once_and_the_return_once(feed, gateway, caplog):
    caplog.set_level("INFO", logger="web.live")
    gateway.stop()
    wait_until(feed, lambda: not feed.snapshot().connected)
    threading.Event().wait(0.5)  # two more tries happen meanwhile
    gateway.start()
    wait_until(feed, lambda: feed.snapshot().connected)

    assert [record.message.split()[0] for record in caplog.records] == ["event=gateway-lost", "event=gateway-back"]


def test_a_waiting_stream_is_woken_when_the_box_stops(feed):
    woken = threading.Event()

    def wait():
        feed.wait_for_change(feed.snapshot().version, 3600)
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    feed.stop_streams()
    thread.join()

    assert woken.is_set()
    assert feed.closing
