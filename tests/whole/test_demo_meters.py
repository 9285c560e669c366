"""The whole box on meters other than the usual one, and on a line with a fault."""

import time
import tomllib

import pytest

from tests.whole.test_demo import wait_for

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]


def values(demo):
    return {name: sig["value"] for name, sig in demo.signals().items()}


def test_a_three_phase_tempo_home_is_read_whole(start_demo):
    demo = start_demo("--history", "2", "--meter", "standard-three-phase-tempo")
    per_phase = {f"{what}.l{n}" for what in ("grid.import.apparent_power", "grid.voltage") for n in (1, 2, 3)}
    wanted = per_phase | {"grid.tariff.today", "grid.tariff.period", "grid.events", "grid.subscribed_power"}
    found = wait_for(lambda: wanted <= (seen := values(demo)).keys() and seen)
    assert found["grid.subscribed_power"] == 12_000
    assert found["grid.tariff.period"].split("_")[0] == found["grid.tariff.today"]
    assert found["grid.events"] == "none"
    for n in (1, 2, 3):
        assert found[f"grid.import.apparent_power.l{n}"] >= 0
        assert 200 < found[f"grid.voltage.l{n}"] < 260
    wait_for(lambda: values(demo).get("grid.import.power.uncertainty") is not None)
    contract = tomllib.loads((demo.home / "foyer.toml").read_text())["contract"]
    assert contract == {"option": "tempo", "subscribed_kva": 12.0, "off_peak": ["22:00-06:00"]}
    past = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 86_400))
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    history = demo.json(f"/api/v1/history?signal=grid.import.energy.f06&from={past}&to={now}&step=1h")
    assert [one for one in history["points"] if one[1] is not None]


def test_a_historic_ejp_home_has_its_registers_by_their_names(start_demo):
    demo = start_demo("--history", "0", "--meter", "historic-ejp", "--tic-fault", "damaged-lf")
    wanted = {"grid.import.energy", "grid.import.energy.ejp_hn", "grid.import.energy.ejp_pm", "grid.tariff.notice"}
    found = wait_for(lambda: wanted <= (seen := values(demo)).keys() and seen)
    assert found["grid.import.energy"] == found["grid.import.energy.ejp_hn"] + found["grid.import.energy.ejp_pm"]
    assert "grid.export.energy" not in found
    assert found["grid.tariff.notice"] in {"none", "announced", "peak"}
    assert tomllib.loads((demo.home / "foyer.toml").read_text())["contract"]["option"] == "ejp"
