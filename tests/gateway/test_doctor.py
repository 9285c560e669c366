"""`foyer doctor`: the devices tried with their own drivers, while no gateway runs."""

import asyncio
import contextlib

import pytest

from drivers.linky.sim import MeterState
from drivers.linky.simline import TicLine
from gateway import config as configuration
from gateway import doctor
from gateway.clock import SystemClock
from gateway.health import State


def meter(clock):
    return MeterState(
        at=clock.now(),
        address="021961234567",
        import_wh=4_321_000,
        indexes=(3_000_000, 1_321_000),
        export_wh=None,
        voltage_v=(236.0,),
        current_a=(5.0,),
        import_va=1234,
        export_va=0,
        import_w=1200.0,
        export_w=0.0,
        index=2,
        calendar="H PLEINE/CREUSE",
        tariff="HEURE  PLEINE",
        mean_import_w=(950, clock.now()),
    )


@contextlib.asynccontextmanager
async def home(folder, **faults):
    clock = SystemClock()
    line = TicLine(folder / "tic", lambda: meter(clock))
    for name, value in faults.items():
        setattr(line, name, value)
    file = folder / "foyer.toml"
    file.write_text(f'[meter]\nport = "{line.link}"\n[paths]\nstate = "{folder}"\nrun = "{folder}"\n')
    playing = asyncio.create_task(line.run())
    try:
        yield configuration.load(file), clock
    finally:
        playing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await playing
        line.unplug()  # a task that was cancelled before it began has unplugged nothing


@pytest.mark.parametrize(
    ("faults", "code", "state"),
    [
        ({}, "ok", State.OK),
        ({"noise": 0.005}, "weak-signal", State.WARNING),
        ({"silence": True}, "no-signal", State.PROBLEM),
        ({"mode": "historic"}, "historic-mode", State.INFO),
    ],
)
async def test_the_doctor_tells_a_good_line_from_a_weak_a_silent_and_a_historic_one(tmp_path, faults, code, state):
    async with home(tmp_path, **faults) as (config, clock):
        (check,) = await doctor.try_devices(config, clock)
    assert (check.code, check.state) == (code, state)
    assert (check.mend is None) is (code == "ok")


async def test_the_doctor_says_that_the_port_is_not_there(tmp_path):
    async with home(tmp_path) as (config, clock):
        pass
    (check,) = await doctor.try_devices(config, clock)
    assert (check.code, check.state) == ("no-port", State.PROBLEM)
