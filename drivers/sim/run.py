"""The simulated devices as one process: `python -m drivers.sim.run --home DIR --seed N`.

A Linky on a real pseudo-terminal (`DIR/run/tic`) and a SunSpec inverter on a real Modbus port, both showing one home at
this process's clock. It prints one line of JSON once both answer, and ends within 2 s of SIGTERM, SIGINT or the end of
its parent, leaving its counters in the state file for the next start.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from drivers.inverter.sim import SunSpecServer
from drivers.linky.simfaults import FAULTS, play
from drivers.linky.simline import TicLine
from drivers.sim.devices import Devices
from drivers.sim.home import SimulatedHome, create
from drivers.sim.meters import METERS
from drivers.sim.registers import Registers
from drivers.sim.tariff import PERIODS
from gateway.cli import main as command_main
from gateway.cli import say
from gateway.clock import Clock, system_clock
from gateway.errors import Misconfigured, Text

_SAVE_S = 60.0
_PARENT_S = 1.0
_SINGLE_PHASE = 101
_LOOPBACK = "127.0.0.1"


class SleeplessServer(SunSpecServer):
    """An inverter that goes on answering in the dark, with nothing made and the state "sleeping"."""

    async def settle(self) -> None:
        """Keep the port open."""
        if not self.server.listening:
            await self.server.start()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run keeps what it needs: the pseudo-terminal's link, the last Modbus port, the counters."""

    link: Path
    port_file: Path
    state: Path


async def serve(home: SimulatedHome, place: Place, night: str, clock: Clock, fault: str = "none") -> None:
    """Play the devices until a signal, or until the parent is gone; `fault` is one of `FAULTS`."""
    place.link.parent.mkdir(parents=True, exist_ok=True)
    registers = resume(home, place.state, clock)
    devices = Devices(home, registers, clock)
    devices.meter()  # the first look at a day takes longest: have it behind us before anybody listens
    inverter = (SleeplessServer if night == "awake" else SunSpecServer)(
        devices.inverter, address=_LOOPBACK, port=preferred_port(place.port_file), inverter_model=_SINGLE_PHASE
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    port = await inverter.start()
    line = TicLine(place.link, devices.meter, home.meter.mode)
    play(line, fault)
    lasting = [
        asyncio.create_task(one)
        for one in (line.run(), _keep(registers, place.state), _watch_parent(), _wait_for(stop))
    ]
    try:
        place.port_file.write_text(f"{port}\n", encoding="ascii")
        print(json.dumps({"tic": str(place.link), "modbus_port": port, "pid": os.getpid()}), flush=True)
        done, _ = await asyncio.wait(lasting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in lasting:
            task.cancel()
        await asyncio.gather(*lasting, return_exceptions=True)
        line.unplug()
        await inverter.stop()
        registers.save(place.state)


def resume(home: SimulatedHome, state: Path, clock: Clock) -> Registers:
    """Return the counters as they were left, brought up to now; those of a first start when there are none."""
    now = clock.now()
    try:
        registers = Registers.load(home, state)
    except FileNotFoundError:
        registers = home.registers(now)
    except (ValueError, OSError) as error:
        say_why = say(f"Compteurs illisibles, ils repartent : {error}.", f"Unreadable counters start afresh: {error}.")
        click.echo(say_why, err=True)
        registers = home.registers(now)
    registers.read(now)
    return registers


def preferred_port(file: Path) -> int:
    """Return the port of the last run when it is still free, so that who reads it need not be told again; else 0."""
    try:
        port = int(file.read_text(encoding="ascii"))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((_LOOPBACK, port))
    except (OSError, ValueError, OverflowError):
        return 0
    return port


async def _keep(registers: Registers, state: Path) -> None:
    while True:
        registers.save(state)
        await asyncio.sleep(_SAVE_S)


async def _watch_parent() -> None:
    """Return when whoever started this process is gone."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - the system tells nobody when it changes
        await asyncio.sleep(_PARENT_S)


async def _wait_for(stop: asyncio.Event) -> None:
    await stop.wait()


@click.command(help=say("Le compteur et l’onduleur simulés.", "The simulated meter and inverter."))
@click.option("--home", "folder", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--latitude", type=click.FloatRange(-90, 90), default=45.764, show_default=True)
@click.option("--longitude", type=click.FloatRange(-180, 180), default=4.835, show_default=True)
@click.option("--kwp", type=click.FloatRange(0.1, 36), default=3.0, show_default=True)
@click.option("--tilt", type=click.FloatRange(0, 90), default=30.0, show_default=True)
@click.option("--azimuth", type=click.FloatRange(0, 360), default=180.0, show_default=True)
@click.option("--timezone", default="Europe/Paris", show_default=True)
@click.option("--option", type=click.Choice(sorted(PERIODS)), help=say("Celle du compteur.", "The meter’s."))
@click.option("--off-peak", multiple=True, help=say("Celles du compteur.", "The meter’s."))
@click.option("--kva", type=click.IntRange(1, 36), help=say("Celle du compteur.", "The meter’s."))
@click.option("--meter", type=click.Choice(list(METERS)), default="standard", show_default=True)
@click.option("--tic-fault", "fault", type=click.Choice(list(FAULTS)), default="none", show_default=True)
@click.option(
    "--night",
    type=click.Choice(["awake", "asleep"]),
    default="awake",
    show_default=True,
    help=say("L’onduleur répond la nuit, ou ferme son port.", "The inverter answers at night, or closes its port."),
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help=say("Où les compteurs sont gardés.", "Where the counters are kept."),
)
def run(
    folder: Path,
    seed: int,
    latitude: float,
    longitude: float,
    kwp: float,
    tilt: float,
    azimuth: float,
    timezone: str,
    option: str | None,
    off_peak: tuple[str, ...],
    kva: int | None,
    meter: str,
    fault: str,
    night: str,
    state: Path | None,
) -> int:
    """Run the simulated devices until they are stopped."""
    try:
        home = create(
            seed=seed,
            latitude=latitude,
            longitude=longitude,
            kwp=kwp,
            tilt_deg=tilt,
            azimuth_deg=azimuth,
            timezone=timezone,
            meter=meter,
            option=option,
            off_peak=off_peak or None,
            subscribed_kva=kva,
        )
    except (ValueError, KeyError) as error:
        raise Misconfigured(
            Text(f"Cette maison ne peut pas être simulée : {error}.", f"This home cannot be simulated: {error}."),
            Text("Corrigez le fuseau ou les heures creuses.", "Mend the time zone or the off-peak hours."),
        ) from None
    running = folder.absolute() / "run"
    place = Place(running / "tic", running / "modbus-port", state or folder.absolute() / "simulator.json")
    asyncio.run(serve(home, place, night, system_clock(), fault))
    return 0


if __name__ == "__main__":
    command_main(sys.argv[1:], command=run)
