"""The questions of the dashboard, asked of ten years of data: the budget is 50 ms each, with the file in memory.

use: python benchmarks/store_queries.py [--years 10] [--file FILE] [--no-peer]
Makes a file with 12 signals (half-hours for all the years, minutes for 13 months, raw rows for 30 days, the hour under
way in the spool), keeps it when it has a name, and prints one JSON line with the median and the worst of nine askings
of each question, in ms. Beside it, in the same run, a file of the shape of Home Assistant's recorder is filled with the
same values (a row a change of a state for ten days, hourly statistics for ever) and asked what it can answer.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gateway.clock import UtcMs, from_datetime  # noqa: E402
from gateway.signals import Kind, find  # noqa: E402
from gateway.store.catalog import Catalog, week_of  # noqa: E402
from gateway.store.read import Reader  # noqa: E402
from gateway.store.rollup import insert_rows, set_closed_until  # noqa: E402
from gateway.store.runs import newest_seq, spans_of  # noqa: E402
from gateway.store.schema import (  # noqa: E402
    DAY_MS,
    HALF_HOUR_MS,
    HOUR_MS,
    MINUTE_MS,
    PAGE_BYTES,
    WEEK_MS,
    migrate,
    migrations,
    transaction,
)
from gateway.store.spool import SpooledRow, add_block  # noqa: E402

BUDGET_MS = 50
NOW = from_datetime(datetime(2026, 6, 21, 13, 41, 7, tzinfo=UTC))
SOURCES = {
    "linky": (
        "grid.import.energy",
        "grid.export.energy",
        "grid.import.apparent_power",
        "grid.export.apparent_power",
        "grid.voltage.l1",
        "grid.current.l1",
        "grid.import.energy.f01",
        "grid.import.energy.f02",
    ),
    "inverter:roof": ("pv.power", "pv.energy"),
    "derive": ("grid.import.power", "home.power"),
}


class Fixed:
    def now(self) -> UtcMs:
        return NOW

    def monotonic(self) -> float:
        return time.monotonic()


def value_at(kind: Kind, at: int) -> int:
    if kind is Kind.COUNTER:
        return (at - 1_400_000_000_000) // 12_000
    return at // MINUTE_MS * 7919 % 3000


def measured(signal: str, at: int) -> int:
    """Return a value as it is measured: a power changes from one second to the next."""
    kind = find(signal).kind
    noise = 0 if kind is Kind.COUNTER else at // 2_000 * 31 % 53
    return value_at(kind, at) + noise


def bucket_rows(number: int, kind: Kind, first: int, width: int, until: int):
    for ts in range(first, until, width):
        value = value_at(kind, ts)
        if kind is Kind.COUNTER:
            last_ms = width - 2000
            yield number, ts, 60, None, None, None, value, value_at(kind, ts + last_ms), 0, last_ms, 0
        else:
            yield number, ts, 60, 60 * value, value, value + 50, None, None, None, None, 0


def make(path: Path, years: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    migrate(connection, path, Fixed(), migrations())
    catalog = Catalog()
    weeks = sorted({week_of(NOW - days * DAY_MS) for days in range(31)})
    for source, signals in SOURCES.items():
        for week in weeks:
            for signal in signals:
                catalog.table_of(source, week).column(catalog.series_of(signal, source))
    closed = NOW - NOW % HOUR_MS
    with transaction(connection):
        catalog.write(connection)
        set_closed_until(connection, closed)
        for table, width, days in (("m30", HALF_HOUR_MS, years * 365.25), ("m1", MINUTE_MS, 396)):
            first = closed - int(days * DAY_MS)
            for series in catalog.series:
                insert_rows(
                    connection, table, bucket_rows(series.id, series.kind, first - first % width, width, closed)
                )
        spool(connection, catalog, closed)
        for table in catalog.tables:
            marks = ", ".join("?" * (len(table.columns) + 2))
            step = 10_000 if table.source.startswith("inverter") else 2_000
            first, last = max(table.since, closed - 30 * DAY_MS), min(table.since + WEEK_MS, closed)
            connection.executemany(
                f"INSERT INTO {table.name} VALUES ({marks})",
                ((ts, None, *(measured(one.signal, ts) for one in table.columns)) for ts in range(first, last, step)),
            )
    connection.close()


def spool(connection: sqlite3.Connection, catalog: Catalog, closed: int) -> None:
    """Write the hour under way as the writer does: one block in thirty seconds."""
    for since in range(closed, NOW, 30_000):
        rows = {
            source: [
                SpooledRow(
                    ts, {catalog.series_of(one, source).id: (value_at(find(one).kind, ts), False) for one in names}
                )
                for ts in range(since, min(since + 30_000, NOW), 10_000 if source.startswith("inverter") else 2_000)
            ]
            for source, names in SOURCES.items()
        }
        spans = spans_of((source, row.ts) for source, some in rows.items() for row in some)
        add_block(connection, newest_seq(connection) + 1, spans, rows)


def local(year: int, month: int, day: int) -> UtcMs:
    return from_datetime(datetime(year, month, day, tzinfo=UTC))


def questions(reader: Reader, years: int):
    today, long_ago = local(2026, 6, 20) + 22 * HOUR_MS, NOW - int(years * 365.25 * DAY_MS)
    month, year = local(2026, 5, 31) + 22 * HOUR_MS, NOW - 365 * DAY_MS
    return {
        "last 15 min, raw": lambda: reader.history("grid.import.apparent_power", NOW - 15 * MINUTE_MS, NOW, "raw"),
        "today, 1m": lambda: reader.history("grid.import.power", today, today + DAY_MS, "1m"),
        "today, energy by 30m": lambda: reader.energy(today, today + DAY_MS, "30m"),
        "today, energy in one": lambda: reader.energy(today, today + DAY_MS, "1d"),
        "a day of last year, 30m": lambda: reader.history("pv.power", year, year + DAY_MS, "30m"),
        "this month, energy by day": lambda: reader.energy(month, NOW, "1d"),
        "30 days, 1h": lambda: reader.history("home.power", NOW - 30 * DAY_MS, NOW, "1h"),
        "12 months, energy by day": lambda: reader.energy(year, NOW, "1d"),
        "12 months, energy by month": lambda: reader.energy(year, NOW, "1mo"),
        "12 months, power by day": lambda: reader.history("pv.power", year, NOW, "1d"),
        "all years, energy by month": lambda: reader.energy(UtcMs(long_ago), NOW, "1mo"),
        "all years, power by month": lambda: reader.history("pv.power", UtcMs(long_ago), NOW, "1mo"),
        "all years, register by day": lambda: reader.history("pv.energy", UtcMs(long_ago), NOW, "1d"),
        "info": reader.info,
    }


PEER = """
CREATE TABLE states_meta (metadata_id INTEGER PRIMARY KEY, entity_id TEXT UNIQUE);
CREATE TABLE states (
    state_id INTEGER PRIMARY KEY, state TEXT, last_updated_ts REAL, last_reported_ts REAL, old_state_id INTEGER,
    attributes_id INTEGER, context_id_bin BLOB, origin_idx INTEGER, metadata_id INTEGER
);
CREATE INDEX ix_states_metadata_id_last_updated_ts ON states (metadata_id, last_updated_ts);
CREATE INDEX ix_states_last_updated_ts ON states (last_updated_ts);
CREATE INDEX ix_states_context_id_bin ON states (context_id_bin);
CREATE INDEX ix_states_attributes_id ON states (attributes_id);
CREATE INDEX ix_states_old_state_id ON states (old_state_id);
CREATE TABLE statistics (
    id INTEGER PRIMARY KEY, created_ts REAL, metadata_id INTEGER, start_ts REAL, mean REAL, min REAL, max REAL,
    last_reset_ts REAL, state REAL, sum REAL
);
CREATE UNIQUE INDEX ix_statistics_statistic_id_start_ts ON statistics (metadata_id, start_ts);
CREATE INDEX ix_statistics_start_ts ON statistics (start_ts);
"""
"""The tables and indexes of a recorder: `states` is a row a change, `statistics` an hour."""


def make_peer(path: Path, years: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.executescript(PEER)
    closed, rng = NOW - NOW % HOUR_MS, random.Random(1)
    with transaction(connection):
        names = [(signal, source) for source, signals in SOURCES.items() for signal in signals]
        for number, (signal, source) in enumerate(names, 1):
            kind = find(signal).kind
            connection.execute("INSERT INTO states_meta VALUES (?, ?)", (number, f"sensor.{signal}"))
            step = 10_000 if source.startswith("inverter") else 2_000
            changes, before = [], None
            for ts in range(NOW - 10 * DAY_MS, NOW, step):
                value = measured(signal, ts)
                if value != before:
                    changes.append((str(value), ts / 1000, None, None, 1, rng.randbytes(16), 0, number))
                before = value
            connection.executemany(
                "INSERT INTO states (state, last_updated_ts, last_reported_ts, old_state_id, attributes_id, "
                "context_id_bin, origin_idx, metadata_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                changes,
            )
            first = closed - int(years * 365.25 * DAY_MS)
            counts = kind is Kind.COUNTER
            connection.executemany(
                "INSERT INTO statistics (created_ts, metadata_id, start_ts, mean, min, max, state, sum) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (ts / 1000, number, ts / 1000, None, None, None, value_at(kind, ts), value_at(kind, ts))
                    if counts
                    else (ts / 1000, number, ts / 1000, value_at(kind, ts), 0, 3000, None, None)
                    for ts in range(first - first % HOUR_MS, closed, HOUR_MS)
                ),
            )
    connection.close()


def peer_questions(connection: sqlite3.Connection, years: int):
    """Return the same questions in the recorder's terms, by the same names; a local day is a fixed offset."""
    number = {name: place for place, name in connection.execute("SELECT * FROM states_meta")}
    day_s = 86_400

    def states(signal: str, since_ms: int):
        query = "SELECT last_updated_ts, state FROM states WHERE metadata_id = ? AND last_updated_ts >= ? ORDER BY 1"
        return connection.execute(query, (number[f"sensor.{signal}"], since_ms / 1000)).fetchall()

    def statistics_of(signal: str, since_ms: int, width_s: int, what: str):
        query = (
            f"SELECT cast((start_ts + 7200) / {width_s} AS INTEGER), {what} FROM statistics "
            "WHERE metadata_id = ? AND start_ts >= ? GROUP BY 1 ORDER BY 1"
        )
        return connection.execute(query, (number[f"sensor.{signal}"], since_ms / 1000)).fetchall()

    def energy(since_ms: int, width_s: int):
        names = ("grid.import.energy", "grid.export.energy", "pv.energy")
        return [statistics_of(name, since_ms, width_s, "max(sum) - min(sum)") for name in names]

    today, long_ago = local(2026, 6, 20) + 22 * HOUR_MS, NOW - int(years * 365.25 * DAY_MS)
    month, year = local(2026, 5, 31) + 22 * HOUR_MS, NOW - 365 * DAY_MS
    return {
        "last 15 min, raw": lambda: states("grid.import.apparent_power", NOW - 15 * MINUTE_MS),
        "today, 1m": lambda: states("grid.import.power", today),
        "this month, energy by day": lambda: energy(month, day_s),
        "30 days, 1h": lambda: statistics_of("home.power", NOW - 30 * DAY_MS, 3600, "avg(mean)"),
        "12 months, energy by day": lambda: energy(year, day_s),
        "12 months, energy by month": lambda: energy(year, 30 * day_s),
        "12 months, power by day": lambda: statistics_of("pv.power", year, day_s, "avg(mean)"),
        "all years, energy by month": lambda: energy(long_ago, 30 * day_s),
        "all years, power by month": lambda: statistics_of("pv.power", long_ago, 30 * day_s, "avg(mean)"),
        "all years, register by day": lambda: statistics_of("pv.energy", long_ago, day_s, "min(state)"),
    }


def ask_peer(path: Path, years: int) -> tuple[dict[str, tuple[float, float]], int]:
    make_peer(path, years)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = {name: ask(question) for name, question in peer_questions(connection, years).items()}
    return found, path.stat().st_size


def resident_mib() -> float:
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def ask(question) -> tuple[float, float]:
    times = []
    for _ in range(9):
        start = time.perf_counter()
        question()
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times), 1), round(max(times), 1)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--years", type=int, default=10)
    options.add_argument("--file", type=Path)
    options.add_argument("--no-peer", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = chosen.file or Path(folder) / "measure.db"
        if not path.exists():
            make(path, chosen.years)
        before = resident_mib()
        with Reader(path, Fixed()) as reader:
            found = {name: ask(question) for name, question in questions(reader, chosen.years).items()}
            memory = resident_mib() - before
        size = path.stat().st_size
        peer, peer_size = ({}, 0) if chosen.no_peer else ask_peer(Path(folder) / "peer.db", chosen.years)
    within = all(median <= BUDGET_MS for median, _ in found.values())
    report: dict[str, dict[str, float]] = {}
    for name, (median, worst) in found.items():
        report[name] = {"median_ms": median, "worst_ms": worst}
        if name in peer:
            report[name] |= {"peer_ms": peer[name][0], "ratio": round(median / max(peer[name][0], 0.05), 2)}
    sizes = {"file_mib": round(size / 2**20), "peer_mib": round(peer_size / 2**20), "reader_mib": round(memory, 1)}
    print(json.dumps({"budget_ms": BUDGET_MS, "within": within, **sizes, "questions": report}))
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
