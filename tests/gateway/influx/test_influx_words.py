"""What is said of InfluxDB on the page, and the small file of what it refused."""

import json

import pytest

from gateway.health import State
from gateway.outputs.influx.delivery import Delivery
from gateway.outputs.influx.faults import Refusal, Rejected, RejectedLine, fault_of, silent
from gateway.outputs.influx.health import Gap, Status, influx_check
from gateway.outputs.influx.minutes import Summary
from gateway.outputs.influx.quarantine import LARGEST, Quarantine
from gateway.outputs.influx.server import Api, Server
from tests.gateway.clocks import FakeClock

SERVER = Server("2.7.12", Api.V2)
CLOCK = FakeClock()
DAY_MS = 86_400_000
AWAY = silent("http://house:8086", OSError("refused"))


@pytest.mark.parametrize(
    ("status", "state", "code", "english"),
    [
        (Status(), State.INFO, "influxdb-starting", "being called"),
        (Status(SERVER), State.OK, "influxdb-ok", "Readings go to InfluxDB 2.7.12."),
        (Status(SERVER, oldest=CLOCK.now() - 60_000), State.OK, "influxdb-ok", "Readings go"),
        (Status(SERVER, oldest=CLOCK.now() - 3 * DAY_MS), State.INFO, "influxdb-catching-up", "3 d behind"),
        (Status(SERVER, oldest=CLOCK.now() - 7_200_000), State.INFO, "influxdb-catching-up", "2 h behind"),
        (Status(SERVER, more=True, oldest=CLOCK.now()), State.INFO, "influxdb-catching-up", "0 s behind"),
        (Status(SERVER, beyond=3), State.INFO, "influxdb-beyond", "3 readings were too old"),
        (Status(SERVER, gaps=(Gap(0, DAY_MS, 1440),)), State.INFO, "influxdb-gap", "from 1970-01-01"),
        (Status(SERVER, refused=2), State.WARNING, "influxdb-refused", "refused 2 lines"),
        (
            Status(SERVER, left_out={("inverter", "pv.power"): "x"}),
            State.WARNING,
            "influxdb-refused",
            "inverter.pv.power",
        ),
        (Status(SERVER, fault=AWAY), State.WARNING, "influxdb-away", "keeps them for 30 days"),
        (
            Status(SERVER, fault=AWAY, oldest=CLOCK.now() - 25 * DAY_MS),
            State.PROBLEM,
            "influxdb-away",
            "Soon only minutes",
        ),
        (Status(SERVER, fault=fault_of(401, "")), State.PROBLEM, "influxdb-denied", "refuses access"),
        (Status(SERVER, fault=fault_of(404, "")), State.PROBLEM, "influxdb-no-database", "no such database"),
    ],
)
def test_each_state_of_things_is_said_in_words(status, state, code, english):
    check = influx_check(status, CLOCK, 30)
    assert (check.state, check.code) == (state, code)
    assert english in check.text.en
    assert check.text.fr != check.text.en
    assert (check.mend is None) == (state < State.WARNING and code != "influxdb-beyond")
    json.dumps(check.as_json())


def test_the_file_of_refused_lines_stays_small_and_private(tmp_path):
    quarantine = Quarantine(tmp_path / "refused.jsonl", CLOCK)
    for n in range(LARGEST // 1000 + 50):
        quarantine.add(f"{n} " + "x" * 1000, "why")
    entries = [json.loads(line) for line in quarantine.file.read_text().splitlines()]
    assert quarantine.file.stat().st_size < LARGEST + 2000
    assert entries[-1]["line"].startswith(str(LARGEST // 1000 + 49))
    assert quarantine.file.stat().st_mode & 0o777 == 0o600


def test_a_disk_that_does_not_let_it_keep_a_line_stops_nothing(tmp_path):
    Quarantine(tmp_path / "nowhere" / "refused.jsonl", CLOCK).add("line", "why")


class Picky:
    """A server that answers with what a test prepared, then takes all."""

    def __init__(self, *refusals):
        self.refusals, self.taken = list(refusals), []

    def write(self, body):
        if self.refusals:
            raise Rejected(self.refusals.pop(0))
        self.taken += body.decode().split("\n")


def _rows(count):
    return [Summary(1_782_036_000_000 + n, "linky", {"grid.import.energy": n}, frozenset()) for n in range(count)]


@pytest.mark.parametrize("number", [0, 99])
def test_a_refusal_that_names_lines_we_never_sent_still_comes_to_an_end(tmp_path, number):
    odd = Refusal("odd", lines=(RejectedLine(number, "odd"),))
    server = Picky(odd, odd, odd)
    delivery = Delivery(server.write, "h", Quarantine(tmp_path / "r", CLOCK))
    delivery.send(_rows(4))
    assert (delivery.sent, delivery.refused) == (3, 1)


def test_a_batch_that_is_too_large_goes_in_halves_and_in_order(tmp_path):
    too_large = Refusal("Request Entity Too Large")
    server = Picky(too_large, too_large)
    delivery = Delivery(server.write, "h", Quarantine(tmp_path / "r", CLOCK))
    delivery.send(_rows(8))
    assert [int(line.rpartition(" ")[2]) % 10 for line in server.taken] == list(range(8))
    assert delivery.refused == 0


def test_a_conflict_of_a_field_that_is_not_ours_is_no_reason_to_turn_in_circles(tmp_path):
    foreign = Refusal("conflict", conflict=("other", "field"))
    server = Picky(foreign, foreign)
    delivery = Delivery(server.write, "h", Quarantine(tmp_path / "r", CLOCK))
    delivery.send(_rows(2))
    assert (delivery.sent, delivery.refused, delivery.left_out) == (1, 1, {})
