"""The same cases against each server: real ones where there are some, recorded answers for the others."""

import pytest

from gateway.health import State
from gateway.outputs.influx import forwarder
from tests.gateway.influx.conftest import FAKES, REAL
from tests.gateway.store.simulated import DAY

EVERY = [*REAL, *FAKES]
INFLUX = [REAL[0], *FAKES]


@pytest.mark.parametrize("server", EVERY, indirect=True)
def test_every_reading_arrives_with_its_value_and_time(server, home):
    home.minute(rows=100)
    home.box.commit()

    home.forward()

    texts = server.name != "victoria"
    assert server.stored() == home.expected(texts=texts)
    assert len(home.expected()["meter", "grid.import.energy"]) == 100
    assert home.forwarder.check().state is State.OK


@pytest.mark.parametrize("server", EVERY, indirect=True)
def test_a_reading_that_comes_late_arrives_too(server, home):
    home.minute()
    home.box.commit()
    home.forward()
    home.clock.wall -= 3_600_000  # the calendar was an hour ahead
    home.minute(first=200)
    home.box.commit()

    home.forward()

    stored, expected = server.stored(), home.expected(texts=server.name != "victoria")
    assert expected["meter", "grid.import.energy"].items() <= stored["meter", "grid.import.energy"].items()
    assert len(stored["inverter", "pv.power"]) == 60


@pytest.mark.parametrize("server", EVERY, indirect=True)
def test_sending_all_again_changes_nothing(server, home):
    home.minute()
    home.box.commit()
    home.forward()
    before = server.stored()
    home.restart_forwarder()  # before the cursor was committed: a kill does no worse

    home.forward()

    assert server.stored() == before
    assert home.forwarder.status.sent > 0


@pytest.mark.parametrize("server", EVERY, indirect=True)
def test_it_goes_on_from_where_it_was(server, home):
    home.minute()
    home.box.commit()
    home.forward()
    home.box.commit()
    home.restart_forwarder()

    home.forward()
    assert home.forwarder.status.sent == 0
    home.minute(first=30)
    home.box.commit()
    home.forward()

    assert server.stored() == home.expected(texts=server.name != "victoria")
    assert 60 <= home.forwarder.status.sent <= 64


@pytest.mark.parametrize("server", EVERY, indirect=True)
def test_several_batches_go_one_after_the_other(server, home, monkeypatch):
    monkeypatch.setattr(forwarder, "BATCH", 17)
    home.minute(rows=60)
    home.box.commit()

    assert home.forwarder.step() == forwarder.BREATH_S
    assert home.forwarder.status.more
    home.forward()

    assert server.stored() == home.expected(texts=server.name != "victoria")


@pytest.mark.parametrize("server", INFLUX, indirect=True)
def test_a_field_of_another_type_is_left_out_and_the_rest_arrives(server, home):
    if server.name == "influxd":
        server.process.ask("CREATE DATABASE foyer")
        line = f"inverter,device=roof,home=maison-d-essai pv.power=1i {home.clock.now() - 1}"
        assert server.process.write(line) == 204
    else:
        server.types["inverter", "pv.power"] = int
    home.minute()
    home.box.commit()

    home.forward()

    expected, stored = home.expected(), server.stored()
    assert ("inverter", "pv.power") not in stored or len(stored["inverter", "pv.power"]) == 1
    assert stored["inverter", "pv.energy"] == expected["inverter", "pv.energy"]
    assert stored["meter", "grid.import.energy"] == expected["meter", "grid.import.energy"]
    check = home.forwarder.check()
    assert (check.state, check.code) == (State.WARNING, "influxdb-refused")
    assert check.details["fields_left_out"] == ["inverter.pv.power"]
    assert home.forwarder.status.refused == 0
    assert len(home.quarantined()) == 1


@pytest.mark.parametrize("server", INFLUX, indirect=True)
def test_a_line_it_cannot_read_is_set_aside_alone(server, home, monkeypatch):
    from gateway.outputs.influx import delivery

    good = delivery.encode
    bad_at = home.clock.now() + 20_000

    def spoiled(row, *args, **more):
        line = good(row, *args, **more)
        return line.replace("pv.power=", "pv.power=,") if row.at == bad_at and "pv.power" in row.values else line

    monkeypatch.setattr(delivery, "encode", spoiled)
    home.minute()
    home.box.commit()

    home.forward()

    expected = home.expected()
    for signal in ("pv.power", "pv.energy", "battery.soc"):
        assert expected["inverter", signal].pop(bad_at) is not None
    assert server.stored() == expected
    assert home.forwarder.status.refused == 1
    (entry,) = home.quarantined()
    assert "pv.power=," in entry["line"]
    assert entry["reason"]
    assert home.forwarder.check().code == "influxdb-refused"


@pytest.mark.parametrize("server", [REAL[0], "1.8", "2"], indirect=True)
def test_what_is_older_than_it_keeps_is_counted_and_passed_over(server, home):
    home.minute()
    home.box.commit()
    home.clock.pass_s(2 * DAY / 1000)
    home.minute(first=100)
    home.box.commit()
    if server.name == "influxd":
        # the real server goes by its own calendar, where all of this is months old
        server.process.ask("CREATE DATABASE foyer WITH DURATION 1h")
    else:
        server.beyond_ms = home.clock.now() - DAY

    home.forward()

    status, check = home.forwarder.status, home.forwarder.check()
    if server.name == "influxd":
        assert status.server.retention_s == 3600
        assert (status.sent, status.beyond > 120) == (0, True)
    else:
        assert len(server.stored()["meter", "grid.import.energy"]) == 30
        assert status.beyond >= 60
    assert (check.state, check.code) == (State.INFO, "influxdb-beyond")
    assert home.quarantined() == []


@pytest.mark.parametrize("server", INFLUX, indirect=True)
def test_what_was_sent_is_read_back_the_same(server, home):
    home.minute(rows=40)
    home.box.commit()
    home.forward()
    readback = home.readback()
    start, end = home.clock.now() - 3_600_000, home.clock.now()

    for measurement, signal in (("meter", "grid.import.energy"), ("inverter", "battery.soc")):
        points = [point for hour in readback.hours(signal, start, end, "raw") for point in hour]
        assert {at: value for at, value, _ in points} == home.expected()[measurement, signal]
        local = home.box.history(signal, "1m", start, end)
        minutes = [point for hour in readback.hours(signal, start, end, "1m") for point in hour]
        assert minutes == [point for point in local if point[1] is not None]
    assert list(readback.hours("grid.tariff.period", start, end, "raw")) == []
    readback.close()
