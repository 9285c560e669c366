"""Real servers for tests, each on a free port with its data in a folder of its own: InfluxDB 1.x, VictoriaMetrics."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import subprocess
import threading
import urllib.parse
from pathlib import Path
from typing import Any, Self

PATIENCE_S = 30.0
_INFLUXD = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  auth-enabled = {auth}
  https-enabled = {https}
  https-certificate = "{certificate}"
[continuous_queries]
  enabled = false
"""

has_influxd = shutil.which("influxd") is not None
has_victoria = shutil.which("victoria-metrics") is not None


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Process:
    """A server that a test starts, kills and starts again on the same port and data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> Self:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        waiting = threading.Event()
        for _ in range(round(PATIENCE_S / 0.05)):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return self
            except OSError:
                assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
                waiting.wait(0.05)
        self.kill()
        raise AssertionError("the server never opened its port: " + (self.folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    stop = kill


class Influxd(Process):
    """InfluxDB 1.x of Debian."""

    def __init__(self, folder: Path, *, auth: bool = False, certificate: Path | None = None) -> None:
        super().__init__(folder)
        self.auth = auth
        self.certificate = certificate
        self.rpc = free_port()

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:") if self.certificate else super().url

    def command(self) -> list[str]:
        file = self.folder / "influxdb.conf"
        file.write_text(
            _INFLUXD.format(
                folder=self.folder,
                port=self.port,
                rpc=self.rpc,
                auth=str(self.auth).lower(),
                https=str(self.certificate is not None).lower(),
                certificate=self.certificate or "",
            )
        )
        return ["influxd", "-config", str(file)]

    def ask(self, question: str, database: str = "foyer", **more: str) -> list[dict[str, Any]]:
        """Return the series of a question, by a client that is not the one under test."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            body = urllib.parse.urlencode({"q": question, "db": database, "epoch": "ms", **more})
            line.request("POST", "/query", body, {"Content-Type": "application/x-www-form-urlencoded"})
            answer = json.loads(line.getresponse().read())
        finally:
            line.close()
        result = answer["results"][0]
        assert "error" not in result, result
        return result.get("series", [])

    def value(self, question: str, database: str = "foyer") -> Any:
        """Return the one value of a question, None for an empty answer."""
        series = self.ask(question, database)
        return series[0]["values"][0][1] if series else None

    def write(self, lines: str, database: str = "foyer") -> int:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            line.request("POST", f"/write?db={database}&precision=ms", lines.encode())
            answer = line.getresponse()
            answer.read()
            return answer.status
        finally:
            line.close()


class Victoria(Process):
    """VictoriaMetrics of Debian: writes as InfluxDB 2 does."""

    def command(self) -> list[str]:
        return [
            "victoria-metrics",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-storageDataPath={self.folder}/data",
            "-retentionPeriod=100y",
        ]

    def exported(self) -> dict[str, dict[int, float]]:
        """Return every value, by metric and time (UTC ms)."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            line.request("GET", "/internal/force_flush")
            line.getresponse().read()
            line.request("GET", "/api/v1/export?match={__name__!=''}".replace("'", "%22"))
            lines = line.getresponse().read().splitlines()
        finally:
            line.close()
        found: dict[str, dict[int, float]] = {}
        for one in map(json.loads, lines):
            found.setdefault(one["metric"]["__name__"], {}).update(zip(one["timestamps"], one["values"], strict=True))
        return found
