"""`foyer demo`: the whole box on a simulated home. The same processes as on a real box, fed by simulated devices.

The demo is a small init: it starts the processes, starts again one that dies, and stops them all within 5 s.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gateway.box import Box
from gateway.cli import say
from gateway.clock import DEMO_CLOCK_VARIABLE, system_clock
from gateway.demo_meters import DemoCommand, OneOf, contract_table
from gateway.errors import FoyerError, Misconfigured, Text
from gateway.processes import check_port, die_with_parent, end

PLACE = {"latitude": 45.764, "longitude": 4.835}  # Lyon
USER = "maison"
_READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line asked for."""

    port: int
    history_days: int
    seed: int
    speed: float
    meter: str
    fault: str
    home: Path
    quiet: bool


@contextlib.contextmanager
def _home_folder(home: Path | None) -> Iterator[Path]:
    """Yield the folder of the demo's home, locked; a temporary one goes when the demo ends."""
    temporary = home is None
    folder = Path(tempfile.mkdtemp(prefix="foyer-demo-")) if home is None else home.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    try:
        with (folder / "demo.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Misconfigured(
                    Text(f"Une démonstration tourne déjà dans {folder}.", f"A demo is already running in {folder}."),
                    Text("Arrêtez-la, ou donnez un autre dossier avec --home.", "Stop it, or give another --home."),
                ) from None
            yield folder
    finally:
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)


class Demo:
    """The running demonstration."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.config = settings.home / "foyer.toml"
        self.environment = dict(os.environ)
        if settings.speed != 1:
            self.environment[DEMO_CLOCK_VARIABLE] = f"{system_clock().now()},{settings.speed}"
        self.box = Box(self.config, self.environment, settings.home)
        self.state = settings.home / "simulator.json"
        self.stop = threading.Event()
        self.simulator: subprocess.Popen[bytes] | None = None

    def tell(self, fr: str, en: str) -> None:
        """Say on stderr how the start goes; stdout stays for the result."""
        if not self.settings.quiet:
            click.echo(say(fr, en), err=True)

    def account(self) -> dict[str, str]:
        """Return the sign-in of this home; it is made once and kept, so that a phone stays signed in."""
        file = self.settings.home / "demo-sign-in.json"
        if file.exists():
            kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
            return kept
        made = {
            "user": USER,
            "password": "-".join(secrets.token_hex(2) for _ in range(3)),
            "app_key": secrets.token_urlsafe(24),
        }
        file.touch(mode=0o600)
        file.write_text(json.dumps(made), encoding="utf-8")
        return made

    def write_config(self, tic: str, modbus_port: int) -> None:
        """Write the home's `foyer.toml`, as a person would for a real one."""
        self.config.write_text(
            "# Une maison simulée : tout ce qui s’y mesure est inventé.\n"
            '[home]\nname = "Maison des Tilleuls"\n'
            f"latitude = {PLACE['latitude']}\nlongitude = {PLACE['longitude']}\n"
            f'postcode = "69003"\nlanguage = "fr"\ndemo = true\n\n'
            f'[meter]\nport = "{tic}"\n\n'
            f'[[inverter]]\nid = "toit"\nurl = "tcp://127.0.0.1:{modbus_port}?unit=1"\nperiod_s = 5.0\n\n'
            '[[solar_array]]\nid = "toit"\ninverter = "toit"\nkwp = 3.0\ntilt_deg = 30.0\nazimuth = "S"\n\n'
            f"{contract_table(self.settings.meter)}\n"
            f"[web]\nport = {self.settings.port}\n\n"
            '[paths]\nstate = "state"\nrun = "run"\n',
            encoding="utf-8",
        )

    def load_history(self) -> None:
        """Write the past of the home, unless it has one; in a process of its own, so that the demo stays small."""
        marker = self.settings.home / "state" / "measure.db"
        if self.settings.history_days <= 0 or marker.exists():
            return
        days, meter = self.settings.history_days, self.settings.meter
        self.tell(f"Écriture de {days} jours de passé simulé…", f"Writing {days} days of simulated past…")
        self._python(
            "gateway.demo_history", str(self.config), str(days), str(self.settings.seed), str(self.state), meter
        )

    def seed_account(self, account: dict[str, str]) -> None:
        """Create the demo's account and app key."""
        if not (self.settings.home / "state" / "home.db").exists():
            self._python("web.auth.seed", "--config", str(self.config), given=json.dumps(account))

    def start_simulator(self) -> None:
        """Start the simulated meter and inverter, and wait until they say where they are."""
        with self._log("simulator").open("ab") as log:
            self.simulator = subprocess.Popen(
                self._simulator_command(),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread yet
            )
        assert self.simulator.stdout is not None
        line = self.simulator.stdout.readline()
        if not line:
            raise FoyerError(
                Text("Les appareils simulés n’ont pas démarré.", "The simulated devices did not start."),
                Text(f"Lisez {self._log('simulator')}.", f"Read {self._log('simulator')}."),
            )
        ready = json.loads(line)
        self.write_config(ready["tic"], ready["modbus_port"])

    def wait_until_live(self, app_key: str) -> None:
        """Return once the page shows a value of the meter; raise when it does not come."""
        url = f"http://127.0.0.1:{self.settings.port}/api/v1/live"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {app_key}"})
        until = time.monotonic() + _READY_S
        while time.monotonic() < until and not self.stop.is_set():
            with contextlib.suppress(OSError, urllib.error.URLError, ValueError):
                with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310 - our own page
                    signals: dict[str, Any] = json.loads(answer.read())["signals"]
                if {"grid.import.energy", "home.power", "pv.energy"} <= signals.keys():
                    return
            self.box.revive()
            self.stop.wait(0.2)
        if not self.stop.is_set():
            raise FoyerError(
                Text("La page n’a pas montré de valeur à temps.", "The page showed no value in time."),
                Text(f"Lisez les journaux dans {self.settings.home}.", f"Read the logs in {self.settings.home}."),
            )

    def close(self) -> None:
        """Stop everything: the box first, so that the gateway closes its devices while they are still there."""
        self.box.close()
        if self.simulator is not None:
            end([self.simulator])
            assert self.simulator.stdout is not None
            self.simulator.stdout.close()

    def _simulator_command(self) -> list[str]:
        settings = self.settings
        return [
            sys.executable, "-m", "drivers.sim.run", "--home", str(settings.home), "--seed", str(settings.seed),
            "--latitude", str(PLACE["latitude"]), "--longitude", str(PLACE["longitude"]), "--meter", settings.meter,
            "--tic-fault", settings.fault, "--state", str(self.state),
        ]  # fmt: skip

    def _log(self, name: str) -> Path:
        return self.settings.home / f"{name}.log"

    def _python(self, module: str, *arguments: str, given: str = "") -> None:
        """Run a module to its end; what it says on the way is shown, unless only the result is wanted."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=self.environment,
            input=given,
            text=True,
            stderr=subprocess.PIPE if self.settings.quiet else None,
            check=False,
            preexec_fn=die_with_parent,
        )
        if done.returncode and not self.stop.is_set():
            last = (done.stderr or "").strip().splitlines()[-1:]
            raise FoyerError(Text(f"Échec de {module} : {last}", f"{module} failed: {last}"))


def _own_address() -> str | None:
    """Return this machine's address on the local network, or None. Nothing is sent: a UDP socket only picks a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") else address


def _announce(demo: Demo, account: dict[str, str], *, as_json: bool) -> None:
    url = f"http://127.0.0.1:{demo.settings.port}/"
    if as_json:
        result = {"url": url, **account, "home": str(demo.settings.home), "pid": os.getpid()}
        click.echo(json.dumps(result))
        return
    phone = _own_address()
    lines = [
        "",
        say(f"La page est ouverte : {url}", f"The page is open: {url}"),
        *(
            [
                say(
                    f"Sur le téléphone : http://{phone}:{demo.settings.port}/",
                    f"On a phone: http://{phone}:{demo.settings.port}/",
                )
            ]
            if phone
            else []
        ),
        say(
            f"Nom : {account['user']}   Mot de passe : {account['password']}",
            f"Name: {account['user']}   Password: {account['password']}",
        ),
        "",
        say(
            f"Tout est simulé : un compteur Linky ({demo.settings.meter}) sur un port série, un onduleur de 3 kWc en "
            "Modbus, le soleil de Lyon et une famille de quatre.",
            f"Everything is simulated: a Linky meter ({demo.settings.meter}) on a serial port, a 3 kWp inverter over "
            "Modbus, the sun of Lyon and a family of four.",
        ),
        say(f"Données : {demo.settings.home}", f"Data: {demo.settings.home}"),
        say("Ctrl-C arrête tout.", "Ctrl-C stops everything."),
    ]
    click.echo("\n".join(lines))


@click.command(
    cls=DemoCommand, help=say("La boîte entière sur une maison simulée.", "The whole box on a simulated home.")
)
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(1, 65535),
    help=say("Port de la page.", "Port of the page."),
)
@click.option(
    "--history",
    default=400,
    show_default=True,
    type=click.IntRange(0, 3660),
    help=say("Jours de passé simulé.", "Days of simulated past."),
)
@click.option(
    "--seed", default=1, show_default=True, help=say("Graine : même graine, même maison.", "Same seed, same home.")
)
@click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    help=say("Vitesse du temps simulé.", "Speed of the simulated time."),
)
@click.option(
    "--meter",
    default="standard",
    show_default=True,
    type=OneOf("meters"),
    help=say("Le compteur simulé (la liste est plus bas).", "The simulated meter (they are listed below)."),
)
@click.option(
    "--tic-fault",
    "fault",
    default="none",
    show_default=True,
    type=OneOf("faults"),
    help=say("Ce qui ne va pas sur sa ligne.", "What is wrong with its line."),
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help=say("Dossier gardé (défaut : temporaire).", "Folder to keep (default: a temporary one)."),
)
@click.option(
    "--json", "as_json", is_flag=True, help=say("Une ligne de JSON une fois prêt.", "One line of JSON once it is up.")
)
def demo(
    port: int, history: int, seed: int, speed: float, meter: str, fault: str, home: Path | None, as_json: bool
) -> int:
    """Run the demo until it is stopped."""
    check_port(port)
    with _home_folder(home) as folder:
        running = Demo(Settings(port, history, seed, speed, meter, fault, folder, as_json))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: running.stop.set())
        try:
            _start(running, as_json=as_json)
            running.box.watch(running.stop)
        finally:
            running.close()
    return 0


def _start(running: Demo, *, as_json: bool) -> None:
    running.write_config("auto", 502)  # the history needs the place and the folders; the devices come after it
    running.load_history()
    account = running.account()
    running.seed_account(account)
    if running.stop.is_set():
        return
    running.tell("Démarrage des appareils simulés et de la boîte…", "Starting the simulated devices and the box…")
    running.start_simulator()
    running.box.start()
    running.wait_until_live(account["app_key"])
    if not running.stop.is_set():
        _announce(running, account, as_json=as_json)
