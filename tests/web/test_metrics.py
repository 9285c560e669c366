import re

from tests.web.conftest import wait_until
from tests.web.feed_server import sig
from web.api.metrics import text
from web.live import Snapshot

LINE = re.compile(r'foyer_[a-z0-9_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"(,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? -?[0-9.e+-]+')


def told(**signals):
    return text(Snapshot(signals, {}, {}, connected=True, at="", version=1)).splitlines()


def test_the_unit_is_in_the_name_and_the_device_is_a_label(program):
    answer = program.get("/metrics")
    lines = answer.text.splitlines()

    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "foyer_gateway_up 1" in lines
    assert "foyer_pv_power_watts 2120" in lines
    assert 'foyer_pv_power_watts{device="roof"} 2120' in lines
    assert "foyer_grid_import_energy_watt_hours_total 4321000" in lines
    assert "foyer_grid_export_apparent_power_volt_amperes 1660" in lines
    assert 'foyer_grid_tariff_period_info{value="hp"} 1' in lines
    assert "# TYPE foyer_grid_import_energy_watt_hours_total counter" in lines
    assert "# TYPE foyer_pv_power_watts gauge" in lines


def test_each_family_has_one_head_before_its_lines(program):
    lines = program.get("/metrics").text.splitlines()
    heads = [line for line in lines if line.startswith("# TYPE")]

    assert len(heads) == len(set(heads))
    for line in lines:
        assert line.startswith("# ") or LINE.fullmatch(line), line


def test_what_is_stale_or_unknown_is_left_out(program, clock, gateway, feed):
    gateway.set({"home.power": None})
    wait_until(feed, lambda: feed.snapshot().signals["home.power"]["value"] is None)
    clock.pass_s(16)
    body = program.get("/metrics").text

    assert "home_power" not in body
    assert "grid_import_energy" not in body
    assert "foyer_pv_power_watts 2120" in body


def test_a_hostile_state_cannot_forge_a_line():
    lines = told(**{"grid.tariff.period": sig("grid.tariff.period", 'x"} 1\nfoyer_forged 1\\')})

    assert [line for line in lines if line.startswith("foyer_grid")] == [
        'foyer_grid_tariff_period_info{value="x\\"} 1\\nfoyer_forged 1\\\\"} 1'
    ]
    assert not any(line.startswith("foyer_forged") for line in lines)


def test_a_signal_of_a_later_version_and_a_text_for_a_number_are_left_out():
    lines = told(**{"new.thing": sig("new.thing", 1), "pv.power": sig("pv.power", "much")})
    assert lines[-1] == "foyer_gateway_up 1"
