"""Writes the past of a simulated home into an empty store, marked as demo data: `python -m gateway.demo_history`.

A process of its own, so that the demo that waits for it stays small.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click

from gateway import config as configuration
from gateway.cli import main as command_main
from gateway.clock import UtcMs, system_clock
from gateway.store.load import load_minutes

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_RECENT_MINUTE_DAYS = 35
"""How far back a demo keeps the 1-minute roll-up; the 30-minute one goes all the way."""

Minute = tuple[UtcMs, Mapping[str, float | int | str]]


def simulated_home(seed: int, latitude: float, longitude: float, meter: str) -> Any:
    """Return the simulated home, found by its entry point: the gateway knows no simulator by name."""
    for entry in entry_points(group="foyer.simulators", name="home"):
        return entry.load()(seed=seed, latitude=latitude, longitude=longitude, meter=meter)
    raise LookupError("no simulated home is installed")


def _with_progress(minutes: Iterable[Minute], start: UtcMs, end: UtcMs) -> Iterator[Minute]:
    told = 0
    for minute in minutes:
        tenth = (minute[0] - start) * 10 // (end - start)
        if tenth > told:
            told = tenth
            click.echo(f"  {tenth}0 %", err=True)
        yield minute


@click.command()
@click.argument("config_file", type=click.Path(path_type=Path))
@click.argument("days", type=int)
@click.argument("seed", type=int)
@click.argument("state", type=click.Path(path_type=Path))
@click.argument("meter", default="standard")
def write_history(config_file: Path, days: int, seed: int, state: Path, meter: str) -> int:
    """Write DAYS of past up to this minute, and leave the registers' STATE for the live devices to go on from."""
    config = configuration.load(config_file)
    assert config.home.latitude is not None
    assert config.home.longitude is not None
    clock = system_clock()
    end = UtcMs(clock.now() // _MINUTE_MS * _MINUTE_MS)
    start = UtcMs(end - days * _DAY_MS)
    home = simulated_home(seed, config.home.latitude, config.home.longitude, meter)
    registers = home.registers(start)
    config.state.mkdir(parents=True, exist_ok=True)
    load_minutes(
        config.measure_db,
        _with_progress(home.minutes(registers, start, end), start, end),
        demo=True,
        clock=clock,
        settings=config.store,
        minute_days=_RECENT_MINUTE_DAYS,
    )
    registers.save(state)
    return 0


if __name__ == "__main__":
    command_main(sys.argv[1:], command=write_history)
