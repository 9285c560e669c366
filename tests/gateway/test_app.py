"""How the gateway's parts are wired."""

import dataclasses

import pytest

from drivers.contract import Beat, DeviceState
from gateway import app
from gateway.config import Config, Home
from gateway.errors import Text
from tests.gateway.clocks import FakeClock


@pytest.fixture
def config(tmp_path):
    return dataclasses.replace(Config(), file=tmp_path / "foyer.toml")


def test_a_demo_believes_its_calendar_and_a_real_box_asks_for_proof(config, monkeypatch):
    monkeypatch.setattr(app, "is_calendar_set", lambda: False)
    clock = FakeClock()
    assert app._writer(dataclasses.replace(config, home=Home(demo=True)), clock)._trust.shift_ms == 0
    real = app._writer(config, clock)
    assert real._trust.shift_ms is None
    real.meter_clock(3.0)
    assert real._trust.shift_ms == 0
    real.meter_clock(7200.0)
    assert real._trust.shift_ms == 7_200_000


async def test_the_store_hears_the_meters_clock(config, monkeypatch):
    monkeypatch.setattr(app, "is_calendar_set", lambda: False)
    gateway = app.Gateway(config, FakeClock())
    gateway._supervisor.add("meter", "linky", {"port": "/nowhere", "mode": "auto"})
    device = gateway._supervisor.devices["meter"]
    said = {"clock_offset_s": -5400}
    gateway._supervisor.heard(device, Beat(DeviceState.OK, "ok", Text("Lu.", "Read."), details=said))
    assert gateway._writer._trust.shift_ms == -5_400_000
    await gateway._supervisor.stop()
