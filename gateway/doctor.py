"""`foyer doctor`: what works and what does not, each with its mend.

While the gateway runs, its own health is shown. Otherwise the devices are tried here, with the drivers themselves.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from pathlib import Path
from typing import Any

import click

from drivers.contract import DeviceState
from gateway import config as configuration
from gateway.bus import Bus
from gateway.cli import FAILED, say
from gateway.clock import Clock, system_clock
from gateway.commands import config_option, json_option
from gateway.config import Config
from gateway.devices import add_devices
from gateway.errors import Text
from gateway.health import Check, State, as_json, of_clock, of_device
from gateway.language import language
from gateway.supervisor import Supervisor

TRY_DEVICES_S = 15.0
_LISTEN_S = 4.0  # how long a device that works is listened to: a weak line shows after a while only
_FEED_TIMEOUT_S = 3.0
_LITTLE_BYTES = 500_000_000
_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
_MARKS = {"ok": "✓", "info": "·", "warning": "!", "problem": "✗"}


def running_health(path: Path) -> dict[str, Any] | None:
    """Return the health that a running gateway tells, or None when none runs."""
    with socket.socket(socket.AF_UNIX) as feed:
        feed.settimeout(_FEED_TIMEOUT_S)
        try:
            feed.connect(str(path))
            with feed.makefile("rb") as lines:
                snapshot = json.loads(lines.readline())
        except (OSError, ValueError):
            return None
    health: dict[str, Any] = snapshot["health"]
    return health


async def try_devices(config: Config, clock: Clock, patience_s: float = TRY_DEVICES_S) -> list[Check]:
    """Run the drivers until each has said how its device is and was heard a while, or for `patience_s`."""
    settled = asyncio.Event()

    def look() -> None:
        states = [device.beat.state for device in supervisor.devices.values()]
        if states and DeviceState.STARTING not in states:
            settled.set()

    supervisor = Supervisor(Bus(clock), clock, on_change=look)
    add_devices(supervisor, config)
    try:
        await asyncio.wait_for(settled.wait(), patience_s if supervisor.devices else 0)
        if any(device.beat.state is DeviceState.OK for device in supervisor.devices.values()):
            await asyncio.sleep(_LISTEN_S)
    except TimeoutError:
        pass
    finally:
        await supervisor.stop()
    return [of_device(device) for device in supervisor.devices.values()]


def check_meter_is_named(config: Config) -> list[Check]:
    """Return a hint when no meter is configured."""
    if config.meter is not None:
        return []
    return [
        Check(
            "meter",
            State.WARNING,
            "no-meter",
            Text("Aucun compteur n’est configuré.", "No meter is configured."),
            Text('Ajoutez [meter] avec port = "auto".', 'Add [meter] with port = "auto".'),
        )
    ]


def check_disk(config: Config) -> Check:
    """Return the check of the room left where the readings are kept."""
    folder = config.state
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_BYTES:
        return Check(
            "disk",
            State.WARNING,
            "disk-nearly-full",
            Text(f"Il reste {free // 1_000_000} Mo sur le disque.", f"{free // 1_000_000} MB are left on the disk."),
            Text("Libérez de la place.", "Make room."),
        )
    return Check(
        "disk",
        State.OK,
        "disk-has-room",
        Text(
            f"Il reste {free // 1_000_000_000} Go sur le disque.", f"{free // 1_000_000_000} GB are left on the disk."
        ),
    )


def check_time(clock: Clock) -> Check:
    """Return the check of the calendar and of its synchronisation."""
    plausible = of_clock(clock)
    if plausible.state is not State.OK or _SYNCHRONISED.exists():
        return plausible
    return Check(
        "clock",
        State.INFO,
        "clock-not-known-synchronised",
        Text(
            "L’horloge est plausible ; rien ne dit qu’elle est réglée par le réseau.",
            "The clock is plausible; nothing tells that the network sets it.",
        ),
        Text("Activez-la : sudo timedatectl set-ntp true", "Switch it on: sudo timedatectl set-ntp true"),
    )


def examine(config: Config, clock: Clock) -> dict[str, Any]:
    """Return `{"state", "checks"}` of the whole box."""
    own = [*check_meter_is_named(config), check_disk(config), check_time(clock)]
    running = running_health(config.live_socket)
    if running is None:
        service = Check(
            "gateway",
            State.INFO,
            "gateway-not-running",
            Text(
                "La passerelle ne tourne pas ; appareils essayés ici.",
                "The gateway is not running; devices tried here.",
            ),
        )
        return as_json([service, *asyncio.run(try_devices(config, clock)), *own])
    named = {check["id"] for check in running["checks"]} - {"clock"}
    checks = [check for check in running["checks"] if check["id"] in named]
    checks += [check.as_json() for check in own if check.id not in named]
    worst = max((State[check["state"].upper()] for check in checks), default=State.OK)
    return {"state": worst.word, "checks": checks}


@click.command(
    help=say("Examine la boîte : chaque panne avec son remède.", "Examine the box: each fault with its mend.")
)
@config_option
@json_option
def doctor(file: Path | None, as_json: bool) -> int:
    """Print each check; exit 1 when there is a problem."""
    result = examine(configuration.load(file), system_clock())
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        spoken = language()
        for check in result["checks"]:
            click.echo(f"{_MARKS[check['state']]} {check['id']}: {check['text'][spoken]}")
            if check["mend"]:
                click.echo(f"  → {check['mend'][spoken]}")
    return FAILED if result["state"] == State.PROBLEM.word else 0
