"""What kind of InfluxDB answers, and the requests made of it. The one importer of influxdb_client.

InfluxDB 1.0 to 1.7 know `/write` alone; 1.8 and later, 2.x, 3 Core and VictoriaMetrics also `/api/v2/write`. Which it
is stands in the header of `/ping`; the library's own `ping()` says yes to servers on which nothing else of it works.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.config import Influxdb
from gateway.errors import FoyerError, Misconfigured, Text
from gateway.outputs.influx.faults import Away, Denied, NoDatabase, fault_of, no_policy, silent

CONNECT_S, ANSWER_S, QUERY_S = 3.0, 15.0, 4.0
_DENIED = (401, 403)
_LOCAL = ("localhost", "127.0.0.1", "::1")
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_UNIFIED = 8
"""From 1.8 on, InfluxDB 1.x has the write path of 2.x."""

_UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}


class Api(StrEnum):
    """What a server speaks."""

    V1 = "1.x"
    V1_8 = "1.8+"
    V2 = "2.x"
    V3 = "3"
    OTHER = "other"
    """No InfluxDB, and writes as InfluxDB 2 does: VictoriaMetrics. It holds numbers, and is read in its own way."""


@dataclass(frozen=True, slots=True)
class Server:
    """What answered: its version as it says it, what it speaks, and how long it keeps (s, None when for ever)."""

    version: str
    api: Api
    retention_s: int | None = None

    @property
    def holds_texts(self) -> bool:
        """Whether words can be stored."""
        return self.api is not Api.OTHER

    @property
    def name(self) -> str:
        """A name for people."""
        return f"InfluxDB {self.version}" if self.api is not Api.OTHER else "VictoriaMetrics"


def api_of(version: str, setting: str | int = "auto") -> Api:
    """Return what a server speaks by the version it says, or by the setting that overrides it."""
    match = _VERSION.match(version)
    major, minor = (int(match[1]), int(match[2])) if match else (0, 0)
    if setting != "auto":
        major, minor = int(setting), minor if int(setting) == major else 0
    if major == 1:
        return Api.V1_8 if minor >= _UNIFIED else Api.V1
    return {2: Api.V2, 3: Api.V3}.get(major, Api.OTHER)


def read_secret(file: Path) -> str:
    """Return the secret in a file that nobody but its owner may read; raise Misconfigured."""
    try:
        mode, secret = file.stat().st_mode, file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            Text(f"Le fichier du jeton {file} ne peut pas être lu.", f"The token file {file} cannot be read: {error}."),
            Text(
                "Créez-le, avec le jeton pour seule ligne, et donnez-le à foyer-gateway.",
                "Create it, the token its only line, and give it to foyer-gateway.",
            ),
        ) from error
    # what systemd hands over is guarded by its folder
    if mode & 0o077 and file.parent != Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere")):
        raise Misconfigured(
            Text(f"Le fichier du jeton {file} peut être lu par d’autres.", f"Others may read the token file {file}."),
            Text(f"Fermez-le : chmod 600 {file}", f"Close it: chmod 600 {file}"),
        )
    return secret


def duration_s(text: str) -> int | None:
    """Return a duration of InfluxDB (`168h0m0s`) in seconds; None when it is 0, which means for ever."""
    return sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+)([wdhms])", text)) or None


@contextlib.contextmanager
def _without(*names: str) -> Iterator[None]:
    """Let optional libraries be missing: the client takes along whatever the environment has, megabytes of it."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _library() -> Any:
    try:
        with _without("numpy", "pandas", "aiohttp", "ciso8601"):
            import influxdb_client  # noqa: PLC0415 - fifteen megabytes that a box without InfluxDB must not carry
    except ImportError as error:
        raise Misconfigured(
            Text("La bibliothèque influxdb-client n’est pas installée.", "The library influxdb-client is missing."),
            Text("Installez-la : pip install influxdb-client", "Install it: pip install influxdb-client"),
        ) from error
    return influxdb_client


class Connection:
    """Requests to one server, from any thread. They raise the faults of `faults`, or Misconfigured."""

    def __init__(self, settings: Influxdb, folder: Path) -> None:
        """`folder` is where relative paths of the settings start."""
        self._settings = settings
        self._folder = folder
        self._client: Any = None
        self._writer: Any = None
        self._auth: dict[str, str] = {}
        self.server: Server | None = None
        self.created = False
        """Whether the last `open` had to create the database: whatever it held before is gone."""

    @property
    def database(self) -> str:
        """The database, or the bucket where one is named."""
        return self._settings.bucket or self._settings.database

    @property
    def is_local(self) -> bool:
        """Whether the server runs on this machine."""
        return urlsplit(self._settings.url).hostname in _LOCAL

    def open(self, *, prepare: bool = True) -> Server:
        """Find out who answers, make sure of the database where that is ours to do, and return who it is.

        Without `prepare` the database is left as it is: for those who only read.
        """
        self.close()
        library = _library()
        secret = self._secret(self._settings.token_file)
        authority = self._folder / self._settings.ca_file if self._settings.ca_file else None
        self._client = library.InfluxDBClient(
            url=self._settings.url,
            token=None,
            org=self._settings.org or "-",
            timeout=(round(CONNECT_S * 1000), round(ANSWER_S * 1000)),
            ssl_ca_cert=str(authority) if authority else None,
            retries=False,
        )
        version = self._ping(secret)
        api = api_of(version, self._settings.version)
        self._auth = _header(api, secret)
        if api is not Api.V1:
            for name, value in self._auth.items():
                self._client.api_client.set_default_header(name, value)
            self._writer = self._client.write_api(
                write_options=library.client.write_api.WriteOptions(
                    write_type=library.client.write_api.WriteType.synchronous
                )
            )
        self.server = Server(version or "?", api, self._prepare(api) if prepare else None)
        return self.server

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            # the library leaves them to the garbage collector
            pools = self._client.api_client.rest_client.pool_manager.pools
            for key in pools.keys():  # noqa: SIM118 - no mapping: it cannot be iterated
                pools[key].close()
            self._client.close()
        self._client = self._writer = self.server = None
        self.created = False

    def write(self, lines: bytes) -> None:
        """Store lines, or raise: Away, Denied, NoDatabase, Rejected."""
        if self._writer is None:
            self._call(
                "POST",
                "/write",
                [("db", self.database), ("precision", "ms")],
                {"Content-Type": "text/plain; charset=utf-8"},
                lines,
            )
            return
        with self._faults():
            self._writer.write(self.database, self._settings.org or "-", lines, write_precision="ms")

    def query(self, question: str, *, post: bool = False, database: bool = True) -> list[dict[str, Any]]:
        """Return the series of one InfluxQL question, times in UTC ms; none for an empty answer.

        An error inside an answer 200 raises as one outside does.
        """
        parameters = [("q", question), ("epoch", "ms")] + ([("db", self.database)] if database else [])
        answer = self._call("POST" if post else "GET", "/query", parameters, timeout_s=QUERY_S)
        results = answer.get("results", []) if isinstance(answer, dict) else []
        for result in results:
            if error := result.get("error"):
                if "not found" in error:
                    raise fault_of(404, json.dumps({"error": error}))
                raise FoyerError(Text(f"InfluxDB répond : {error}.", f"InfluxDB answers: {error}."))
        return [series for result in results for series in result.get("series", [])]

    def _secret(self, file: str) -> str:
        return read_secret(self._folder / file) if file else ""

    def _ping(self, secret: str) -> str:
        """Return the version a server says. Some want to know first who asks, and each in its own way."""
        tries = [{}, _header(Api.V2, secret), _header(Api.V1, secret)] if secret else [{}]
        for auth in tries[:-1]:
            with contextlib.suppress(Denied):
                return self._version(auth)
        return self._version(tries[-1])

    def _version(self, auth: dict[str, str]) -> str:
        headers: Any = {}
        # a proxy or a path of its own (VictoriaMetrics) may have no such page
        with contextlib.suppress(NoDatabase), self._faults():
            _, _, headers = self._client.api_client.call_api(
                "/ping",
                "GET",
                header_params=dict(auth),
                auth_settings=[],
                _request_timeout=(round(CONNECT_S * 1000), round(QUERY_S * 1000)),
            )
        return str(headers.get("X-Influxdb-Version", ""))

    def _prepare(self, api: Api) -> int | None:
        """Create the database where the server lets us, and return how long it keeps (s)."""
        if api in (Api.V1, Api.V1_8):
            return self._prepare_database()
        if api is Api.V2:
            return self._look_at_bucket()
        return None

    def _prepare_database(self) -> int | None:
        name = self.database.replace('"', "")
        ask = f'SHOW RETENTION POLICIES ON "{name}"'
        try:
            policies = self.query(ask, database=False)
        except NoDatabase:
            self.query(f'CREATE DATABASE "{name}"', post=True, database=False)
            self.created = True
            policies = self.query(ask, database=False)
        except (Denied, FoyerError) as error:
            if isinstance(error, Away):
                raise
            return None  # a user who may only write: the first write tells
        rows = [dict(zip(one["columns"], row, strict=True)) for one in policies for row in one.get("values", [])]
        usual = next((row for row in rows if row.get("default")), None)
        if usual is None:
            raise no_policy()
        return duration_s(str(usual["duration"]))

    def _look_at_bucket(self) -> int | None:
        with contextlib.suppress(Denied, NoDatabase):
            found = self._call("GET", "/api/v2/buckets", [("name", self.database), ("org", self._settings.org)])
            for bucket in found.get("buckets", []) if isinstance(found, dict) else []:
                rules = bucket.get("retentionRules") or [{}]
                return int(rules[0].get("everySeconds", 0)) or None
        return None  # a token that may only write sees no bucket: the first write tells

    def _call(
        self,
        method: str,
        path: str,
        parameters: list[tuple[str, str]],
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float = ANSWER_S,
    ) -> Any:
        with self._faults():
            data, _, _ = self._client.api_client.call_api(
                path,
                method,
                query_params=parameters,
                header_params={**self._auth, **(headers or {})},
                body=body,
                response_type="object",
                auth_settings=[],
                _request_timeout=(round(CONNECT_S * 1000), round(timeout_s * 1000)),
            )
        return data

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn what the library and the network raise into our faults."""
        from influxdb_client.rest import ApiException  # noqa: PLC0415 - see _library
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - comes with it

        try:
            yield
        except ApiException as error:
            if not error.status:
                raise silent(self._settings.url, error) from error
            body = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body or "")
            raise fault_of(error.status, body, _seconds(error.retry_after)) from error
        except (HTTPError, OSError, UnicodeError) as error:
            raise silent(self._settings.url, error) from error


def _seconds(text: Any) -> float | None:
    try:
        return max(0.0, float(text))
    except (TypeError, ValueError):
        return None


def _header(api: Api, secret: str) -> dict[str, str]:
    """Return the header that says who we are. A `user:password` of InfluxDB 1.x stands in the token file as such."""
    if not secret:
        return {}
    if api is Api.V1 or (api is Api.OTHER and ":" in secret):
        return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
    return {"Authorization": f"Token {secret}"}
