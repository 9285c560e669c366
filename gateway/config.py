"""The configuration: `foyer.toml` is the person's, `<state>/wizard.toml` the machine's and laid over it.

`load` returns frozen, typed tables or raises `ConfigError` with *every* problem at once: where, what was found, what is
accepted, and the mend. Secrets never stand in these files: a `*_file` key names a file of mode 0600.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.config_rules import Checker, ConfigError, Problem, Rule
from gateway.errors import Misconfigured, Text

DEFAULT_FILE = Path("/etc/foyer/foyer.toml")


def _key(default: Any, fr: str, en: str, **limits: Any) -> Any:
    """Return a dataclass field with its rule; `default` is `...` where the key must be given."""
    rule = Rule(Text(fr, en), **limits)
    if default is ...:
        return field(metadata={"rule": rule})
    return field(default=default, metadata={"rule": rule})


_ID = r"[a-z0-9][a-z0-9-]{0,31}"
_HOURS = r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d"
_WINDS = "N|NNE|NE|ENE|E|ESE|SE|SSE|S|SSW|SW|WSW|W|WNW|NW|NNW|SSO|SO|OSO|O|ONO|NO|NNO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """`[home]`: the household and its place. The place stays in the box."""

    name: str = _key("Ma maison", "un nom de 1 à 60 caractères", "a name of 1 to 60 characters", pattern=r".{1,60}")
    latitude: float | None = _key(None, "des degrés de -90 à 90", "degrees from -90 to 90", low=-90, high=90)
    longitude: float | None = _key(None, "des degrés de -180 à 180", "degrees from -180 to 180", low=-180, high=180)
    postcode: str = _key("", "cinq chiffres entre guillemets", "five digits in quotes", pattern=r"(\d{5})?")
    timezone: str = _key("Europe/Paris", "un nom comme Europe/Paris", "a name such as Europe/Paris")
    language: Literal["fr", "en"] = _key("fr", "fr ou en", "fr or en")
    demo: bool = _key(False, "true seulement dans une démonstration", "true only in a demonstration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Influxdb:
    """`[store.influxdb]`: where the readings are copied to."""

    url: str = _key(
        ...,
        "une adresse comme http://127.0.0.1:8086",
        "an address such as http://127.0.0.1:8086",
        pattern=r"https?://\S+",
    )
    version: Literal["auto", 1, 2, 3] = _key("auto", "auto, 1, 2 ou 3", "auto, 1, 2 or 3")
    database: str = _key("foyer", "un nom de base", "a database name", pattern=r"\S+")
    bucket: str = _key("", "un nom de bucket", "a bucket name")
    org: str = _key("", "un nom d’organisation", "an organisation name")
    token_file: str = _key("", "le chemin d’un fichier de mode 0600", "the path of a file of mode 0600")
    ca_file: str = _key("", "le chemin d’un certificat", "the path of a certificate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """`[store]`: what is kept, and how long."""

    kind: Literal["sqlite", "influxdb"] = _key("sqlite", "sqlite ou influxdb", "sqlite or influxdb")
    commit_s: int = _key(30, "de 10 à 300 secondes", "10 to 300 seconds", low=10, high=300)
    raw_days: int = _key(30, "de 2 à 3650 jours", "2 to 3650 days", low=2, high=3650)
    minute_days: int = _key(396, "de 35 à 7300 jours", "35 to 7300 days", low=35, high=7300)
    influxdb: Influxdb | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """`[meter]`: the Linky's TIC port."""

    driver: str = _key("linky", "linky", "linky", pattern="linky")
    port: str = _key(
        "auto",
        "auto, un chemin /dev/…, ou tcp://hôte:port",
        "auto, a path /dev/…, or tcp://host:port",
        pattern=r"auto|/\S+|(tcp|rfc2217)://\S+:\d+",
    )
    mode: Literal["auto", "historic", "standard"] = _key(
        "auto", "auto, historic ou standard", "auto, historic or standard"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverter:
    """One `[[inverter]]`."""

    id: str = _key(
        ..., "un nom court : minuscules, chiffres, tirets", "a short name: lower case, digits, dashes", pattern=_ID
    )
    url: str = _key(
        ...,
        "tcp://hôte:502?unit=1, rtu:///dev/ttyUSB1?baud=9600 ou https://hôte",
        "tcp://host:502?unit=1, rtu:///dev/ttyUSB1?baud=9600 or https://host",
        pattern=r"(tcp|https?)://[^\s/?]+\S*|rtu:///\S+",
    )
    model: str = _key(
        "auto", "auto ou un nom de « foyer inverter models »", "auto or a name of “foyer inverter models”"
    )
    period_s: float = _key(10.0, "de 1 à 300 secondes", "1 to 300 seconds", low=1, high=300)


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarArray:
    """One `[[solar_array]]`: panels with one slope. `azimuth` is a wind (S, SO…) or degrees from north."""

    id: str = _key(
        ..., "un nom court : minuscules, chiffres, tirets", "a short name: lower case, digits, dashes", pattern=_ID
    )
    inverter: str = _key("", "l’id d’un [[inverter]]", "the id of an [[inverter]]")
    kwp: float = _key(..., "de 0,1 à 100 kWc", "0.1 to 100 kWp", low=0.1, high=100)
    tilt_deg: float = _key(30.0, "de 0 (à plat) à 90 (vertical)", "0 (flat) to 90 (upright)", low=0, high=90)
    azimuth: str | float = _key(
        "S",
        "N, NE, E, SE, S, SO, O, NO ou des degrés depuis le nord",
        "N, NE, E… or degrees from north",
        low=0,
        high=360,
        pattern=_WINDS,
    )
    losses: float = _key(0.14, "de 0 à 0,5", "0 to 0.5", low=0, high=0.5)
    horizon: str = _key("", "le chemin d’un fichier d’horizon", "the path of a horizon file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """`[contract]`: the supply contract."""

    option: Literal["base", "hphc", "tempo", "ejp"] = _key(
        "base", "base, hphc, tempo ou ejp", "base, hphc, tempo or ejp"
    )
    subscribed_kva: float = _key(6.0, "de 1 à 36 kVA", "1 to 36 kVA", low=1, high=36)
    off_peak: tuple[str, ...] = _key((), "des heures comme 22:00-06:00", "hours such as 22:00-06:00", pattern=_HOURS)
    off_peak_summer: tuple[str, ...] = _key(
        (),
        "les heures creuses du 1er avril au 31 octobre, si elles diffèrent",
        "the off-peak hours from 1 April to 31 October, where they differ",
        pattern=_HOURS,
    )
    injects: bool = _key(
        False, "true si le surplus solaire part sur le réseau", "true if surplus solar power goes to the grid"
    )
    supplier: str = _key("", "un nom", "a name")
    prices_file: str = _key("", "le chemin d’un fichier de prix", "the path of a price file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """`[relay]`: the surplus relay."""

    pin: int = _key(..., "un numéro BCM de 2 à 27", "a BCM number from 2 to 27", low=2, high=27)
    load_w: int = _key(2000, "de 50 à 12000 W", "50 to 12000 W", low=50, high=12000)
    mode: Literal["surplus", "off", "on"] = _key("surplus", "surplus, off ou on", "surplus, off or on")
    min_on_s: int = _key(300, "de 10 à 7200 s", "10 to 7200 s", low=10, high=7200)
    min_off_s: int = _key(300, "de 10 à 7200 s", "10 to 7200 s", low=10, high=7200)
    legionella: bool = _key(True, "true ou false", "true or false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mqtt:
    """`[mqtt]`: the broker, off until given."""

    url: str = _key(..., "mqtts://hôte ou mqtt://hôte", "mqtts://host or mqtt://host", pattern=r"mqtts?://\S+")
    discovery: bool = _key(True, "true ou false", "true or false")
    user: str = _key("", "un nom d’utilisateur", "a user name")
    password_file: str = _key("", "le chemin d’un fichier de mode 0600", "the path of a file of mode 0600")
    ca_file: str = _key("", "le chemin d’un certificat", "the path of a certificate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """`[hub]`: the neighbourhood's hub."""

    url: str = _key(..., "une adresse https://…", "an address https://…", pattern=r"https?://\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """`[backup]`: the nightly backup, off until given. A folder under /media or /mnt is written only when mounted."""

    folder: str = _key(
        ..., "un dossier, celui d’une clé USB par exemple", "a folder, on a USB stick say", pattern=r".+"
    )
    keep: int = _key(14, "de 1 à 1000 sauvegardes", "1 to 1000 backups", low=1, high=1000)
    phrase_file: str = _key(
        ..., "le chemin d’un fichier de mode 0600", "the path of a file of mode 0600", pattern=r".+"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """`[web]`: where the page listens, and the names it answers to besides this machine's own."""

    # All interfaces: the household's phone must reach the page; sign-in and Host checks guard it.
    address: str = _key(
        "0.0.0.0",  # noqa: S104
        "une adresse IP de la machine",
        "an IP address of the machine",
        pattern=r"[0-9a-fA-F.:]+",
    )
    port: int = _key(8080, "de 1 à 65535", "1 to 65535", low=1, high=65535)
    hosts: tuple[str, ...] = _key(
        (), "des noms comme maison.local", "names such as house.local", pattern=r"[a-zA-Z0-9.:\[\]-]+"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """`[paths]`: where the box keeps its data and its sockets; relative ones start at the configuration's folder."""

    state: str = _key("/var/lib/foyer", "un dossier", "a folder", pattern=r".+")
    run: str = _key("/run/foyer", "un dossier", "a folder", pattern=r".+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration."""

    home: Home = field(default_factory=Home)
    store: Store = field(default_factory=Store)
    meter: Meter | None = None
    inverter: tuple[Inverter, ...] = ()
    solar_array: tuple[SolarArray, ...] = ()
    contract: Contract | None = None
    relay: Relay | None = None
    mqtt: Mqtt | None = None
    hub: Hub | None = None
    backup: Backup | None = None
    web: Web = field(default_factory=Web)
    paths: Paths = field(default_factory=Paths)
    file: Path = field(default=DEFAULT_FILE, metadata={"internal": True})

    @property
    def state(self) -> Path:
        """The folder that holds the databases."""
        return self.file.parent / self.paths.state

    @property
    def run(self) -> Path:
        """The folder that holds the sockets."""
        return self.file.parent / self.paths.run

    @property
    def measure_db(self) -> Path:
        """The readings; written by the gateway alone."""
        return self.state / "measure.db"

    @property
    def home_db(self) -> Path:
        """People, sessions, settings; written by the web process alone."""
        return self.state / "home.db"

    @property
    def live_socket(self) -> Path:
        """The live feed, gateway to web."""
        return self.run / "live.sock"

    @property
    def command_socket(self) -> Path:
        """The short list of commands, web and CLI to gateway."""
        return self.run / "command.sock"


def _overlay(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        merged[name] = _overlay(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Misconfigured(
            Text(f"La configuration {file} n’existe pas.", f"The configuration {file} does not exist."),
            Text("Créez-la ou donnez son chemin avec --config.", "Create it or give its path with --config."),
        ) from None
    except PermissionError:
        raise Misconfigured(
            Text(f"La configuration {file} ne peut pas être lue.", f"The configuration {file} cannot be read."),
            Text("Lancez la commande avec sudo, ou donnez le droit de lecture.", "Use sudo, or grant read access."),
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(
            Text(f"{file} n’est pas du TOML lisible : {error}.", f"{file} is not readable TOML: {error}."),
            Text("Corrigez la ligne indiquée.", "Mend the line it names."),
        ) from None


def _cross_checks(config: Config, checker: Checker) -> None:
    if config.store.kind == "influxdb" and config.store.influxdb is None:
        checker.refuse(
            "store.influxdb",
            None,
            Text("une table avec url", "a table with url"),
            Text(
                "Ajoutez [store.influxdb] avec son adresse, url = …",
                "Add [store.influxdb] with its address, url = …",
            ),
        )
    seen: set[str] = set()
    for n, inverter in enumerate(config.inverter):
        if inverter.id in seen:
            checker.refuse(
                f"inverter[{n}].id",
                inverter.id,
                Text("un nom par onduleur", "one name per inverter"),
                Text("Changez l’un des deux.", "Change one of the two."),
            )
        seen.add(inverter.id)
    for n, array in enumerate(config.solar_array):
        if array.inverter and array.inverter not in seen:
            known = ", ".join(sorted(seen)) or "–"
            checker.refuse(
                f"solar_array[{n}].inverter",
                array.inverter,
                Text(known, known),
                Text("Nommez un [[inverter]] qui existe.", "Name an [[inverter]] that exists."),
            )
    try:
        ZoneInfo(config.home.timezone)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
        checker.refuse(
            "home.timezone",
            config.home.timezone,
            Text("un nom comme Europe/Paris", "a name such as Europe/Paris"),
            Text("Corrigez « home.timezone ».", "Mend “home.timezone”."),
        )


def check(file: Path) -> tuple[Config | None, list[Problem]]:
    """Return the configuration (None when it cannot be used) and every problem in it; an unreadable file raises."""
    raw = _read(file)
    paths = raw.get("paths")
    state = paths.get("state") if isinstance(paths, dict) else None
    wizard = file.parent / (state if isinstance(state, str) else Paths().state) / "wizard.toml"
    if wizard.exists():
        raw = _overlay(raw, _read(wizard))
    checker = Checker()
    config = checker.table(Config, raw, "")
    if config is not None:
        config = dataclasses.replace(config, file=file.absolute())
        _cross_checks(config, checker)
    return (None if checker.problems else config), checker.problems


def chosen_file(file: Path | None) -> Path:
    """Return `file`, or what `$FOYER_CONFIG` names, or `/etc/foyer/foyer.toml`."""
    return file or Path(os.environ.get("FOYER_CONFIG") or DEFAULT_FILE)


def load(file: Path | None = None) -> Config:
    """Return the configuration of the chosen file; raise Misconfigured."""
    chosen = chosen_file(file)
    config, problems = check(chosen)
    if config is None:
        raise ConfigError(chosen, problems)
    return config
