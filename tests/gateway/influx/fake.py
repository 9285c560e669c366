"""A strict InfluxDB in a thread, with the recorded answers of versions that could not be run: 1.8, 2.7 and 3 Core.

It knows no other path, no other header, no other precision than those servers take, parses each line by itself, keeps
one type a field, and answers in their words.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

VERSIONS = {"1.8": "1.8.10", "2": "v2.7.12", "3": "3.10.1"}
_LINE = re.compile(r"(?P<measurement>[^, ]+),(?P<tags>\S+) (?P<fields>.+) (?P<time>\d{13})")
_FIELD = re.compile(r'([^=,]+)=(-?\d+i|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|"(?:[^"\\]|\\.)*")(?:,|$)')
_SELECT = re.compile(
    r'SELECT (?P<fields>"[^"]+"(?:, "[^"]+")*) FROM "(?P<measurement>[^"]+)" '
    r"WHERE \"home\" = '(?P<home>[^']+)' AND time >= (?P<start>\d+)ms AND time < (?P<end>\d+)ms"
)


class Point(NamedTuple):
    measurement: str
    tags: str
    time: int
    fields: dict[str, Any]


def parse(line: str) -> Point:
    """Return the point of a line; raise ValueError for anything that is no line of four parts."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError("invalid line")
    fields, place = {}, 0
    while place < len(match["fields"]):
        found = _FIELD.match(match["fields"], place)
        if found is None:
            raise ValueError("invalid field format")
        fields[found[1]] = _value(found[2])
        place = found.end()
    return Point(match["measurement"], match["tags"], int(match["time"]), fields)


def _value(text: str) -> Any:
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return int(text[:-1]) if text.endswith("i") else float(text)


class FakeInflux:
    """One server. `script` holds answers (status, body, headers) to give before any other to the next writes."""

    def __init__(self, version: str, token: str = "", *, has_database: bool = True) -> None:
        self.version = version
        self.token = token
        self.databases = {"foyer"} if has_database else set()
        self.beyond_ms = 0
        self.script: list[tuple[int, dict, dict]] = []
        self.points: dict[tuple[str, str, int], dict[str, Any]] = {}
        self.types: dict[tuple[str, str], type] = {}
        self.writes = 0
        self.lock = threading.Lock()
        fake = self

        class Handler(_Handler):
            server_of = fake

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def stored(self) -> dict[tuple[str, str], dict[int, Any]]:
        found: dict[tuple[str, str], dict[int, Any]] = {}
        for (measurement, _, time), fields in self.points.items():
            for name, value in fields.items():
                found.setdefault((measurement, name), {})[time] = value
        return found

    # what each version says

    def write(self, lines: list[str]) -> tuple[int, dict]:
        parsed: list[Point | None] = []
        bad: list[tuple[int, str, str]] = []
        for number, line in enumerate(lines, 1):
            try:
                parsed.append(parse(line))
            except ValueError as error:
                parsed.append(None)
                bad.append((number, line, str(error)))
        if bad and self.version == "2":
            return 400, {"code": "invalid", "message": f"unable to parse '{bad[0][1]}': {bad[0][2]}"}
        conflict, dropped, beyond = None, 0, 0
        for number, point in enumerate(parsed, 1):
            if point is None:
                continue
            wrong = self._wrong_type(point)
            if wrong:
                conflict, dropped = conflict or (point.measurement, *wrong), dropped + 1
                bad.append((number, lines[number - 1], _iox(*wrong)))
            elif point.time < self.beyond_ms:
                beyond += 1
            else:
                for name, value in point.fields.items():
                    self.types.setdefault((point.measurement, name), type(value))
                self.points.setdefault(point[:3], {}).update(point.fields)
        return self._said(bad, conflict, dropped, beyond)

    def _wrong_type(self, point: Point) -> tuple[str, str, str] | None:
        for name, value in point.fields.items():
            known = self.types.get((point.measurement, name), type(value))
            if known is not type(value):
                return name, _WORDS[type(value)], _WORDS[known]
        return None

    def _said(self, bad, conflict, dropped, beyond) -> tuple[int, dict]:
        if self.version == "3":
            if not bad:
                return 204, {}
            data = [{"original_line": line, "line_number": n, "error_message": why} for n, line, why in sorted(bad)]
            return 400, {"error": "partial write of line protocol occurred", "data": data}
        words = ""
        if conflict:
            measurement, name, given, known = conflict
            words = (
                f'partial write: field type conflict: input field "{name}" on measurement "{measurement}" '
                f"is type {given}, already exists as type {known} dropped={dropped}"
            )
        elif beyond:
            words = f"partial write: points beyond retention policy dropped={beyond}"
        elif bad:
            words = f"partial write: unable to parse '{bad[0][1]}': {bad[0][2]} dropped=0"
        if not words:
            return 204, {}
        if self.version == "2":
            message = f"failure writing points to database: {words}"
            return 422, {"code": "unprocessable entity", "message": message}
        return 400, {"error": words}

    def query(self, question: str) -> dict:
        if question == "SHOW FIELD KEYS":
            by_measurement: dict[str, list] = {}
            for measurement, name in self.types:
                by_measurement.setdefault(measurement, []).append([name, "float"])
            return _series(
                [{"name": m, "columns": ["fieldKey", "fieldType"], "values": v} for m, v in by_measurement.items()]
            )
        if question.startswith("SHOW RETENTION POLICIES"):
            if "foyer" not in self.databases:
                return {"results": [{"statement_id": 0, "error": "database not found: foyer"}]}
            return _series([{"columns": ["name", "duration", "default"], "values": [["autogen", "0s", True]]}])
        if question.startswith("CREATE DATABASE"):
            self.databases.add("foyer")
            return _series([])
        match = _SELECT.fullmatch(question)
        assert match, question
        names = [name.strip('"') for name in match["fields"].split(", ")]
        rows = [
            [time, *(fields.get(name) for name in names)]
            for (measurement, tags, time), fields in sorted(self.points.items(), key=lambda one: one[0][2])
            if measurement == match["measurement"]
            and f"home={match['home']}" in tags.split(",")
            and int(match["start"]) <= time < int(match["end"])
            and any(name in fields for name in names)
        ]
        return _series([{"name": match["measurement"], "columns": ["time", *names], "values": rows}] if rows else [])


_WORDS = {int: "integer", float: "float", str: "string"}


def _iox(name: str, given: str, known: str) -> str:
    column = "iox::column_type::field::"
    return f"invalid column type for column '{name}', expected {column}{known}, got {column}{given}"


def _series(series: list) -> dict:
    # an answer without rows has no key for them
    return {"results": [{"statement_id": 0, **({"series": series} if series else {})}]}


class _Handler(BaseHTTPRequestHandler):
    server_of: FakeInflux
    protocol_version = "HTTP/1.1"

    def log_message(self, *args) -> None:
        pass

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _serve(self, body: bytes) -> None:
        fake = self.server_of
        path, asked = urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        with fake.lock:
            self._answer(*self._route(fake, path, asked, body))

    def _route(self, fake: FakeInflux, path: str, asked: dict, body: bytes) -> tuple:
        allowed = not fake.token or self.headers.get("Authorization") == f"Token {fake.token}"
        if path == "/ping" and (allowed or fake.version != "3"):
            return (200, {"version": "3.10.1"}) if fake.version == "3" else (204, {})
        if not allowed:
            return (401, {"code": "unauthorized", "message": "unauthorized access"})
        if path == "/api/v2/write" and self.command == "POST":
            return self._write(fake, asked, body)
        if path == "/query":
            return (200, fake.query(asked["q"])) if asked.get("epoch") == "ms" else (400, {"error": "no epoch"})
        if path == "/api/v2/buckets" and fake.version == "2":
            rules = [{"everySeconds": 0, "type": "expire"}]
            there = [{"name": "foyer", "retentionRules": rules}] if asked["name"] in fake.databases else []
            return 200, {"buckets": there}
        return 404, {"error": "404 page not found"}

    def _write(self, fake: FakeInflux, asked: dict, body: bytes) -> tuple:
        fake.writes += 1
        if fake.script:
            return fake.script.pop(0)
        if asked.get("precision") != "ms" or "org" not in asked:
            return 400, {"code": "invalid", "message": "invalid precision"}
        if asked["bucket"] not in fake.databases:
            if fake.version == "2":
                return 404, {"code": "not found", "message": f'bucket "{asked["bucket"]}" not found'}
            if fake.version == "1.8":
                return 404, {"error": f'database not found: "{asked["bucket"]}"'}
            fake.databases.add(asked["bucket"])
        return fake.write([line for line in body.decode().split("\n") if line])

    def _answer(self, status: int, content: dict, headers: dict | None = None) -> None:
        body = json.dumps(content).encode() if content else b""
        self.send_response(status)
        self.send_header("X-Influxdb-Version", VERSIONS[self.server_of.version])
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)
