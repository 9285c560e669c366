"""The questions of the dashboard, asked of ten years of data: the budget is 50 ms each.

use: python benchmarks/store_queries.py [--years 10] [--file FILE]
Makes a file with 12 signals (half-hours for all the years, minutes for 13 months, raw rows for 30 days), keeps it when
it has a name, and prints one JSON line with the median and the worst of nine askings of each question, in ms.
"""

from __future__ import annotations

import argparse
import json
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
from gateway.signals import Kind  # noqa: E402
from gateway.store.catalog import Catalog, week_of  # noqa: E402
from gateway.store.read import Reader  # noqa: E402
from gateway.store.rollup import insert_rows, set_closed_until  # noqa: E402
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
        for table in catalog.tables:
            marks = ", ".join("?" * (len(table.columns) + 2))
            step = 10_000 if table.source.startswith("inverter") else 2_000
            first, last = max(table.since, closed - 30 * DAY_MS), min(table.since + WEEK_MS, NOW)
            connection.executemany(
                f"INSERT INTO {table.name} VALUES ({marks})",
                ((ts, None, *(value_at(one.kind, ts) for one in table.columns)) for ts in range(first, last, step)),
            )
    connection.close()


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
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = chosen.file or Path(folder) / "measure.db"
        if not path.exists():
            make(path, chosen.years)
        with Reader(path, Fixed()) as reader:
            found = {name: ask(question) for name, question in questions(reader, chosen.years).items()}
        size = path.stat().st_size
    within = all(median <= BUDGET_MS for median, _ in found.values())
    report = {name: {"median_ms": median, "worst_ms": worst} for name, (median, worst) in found.items()}
    print(json.dumps({"budget_ms": BUDGET_MS, "within": within, "file_mib": round(size / 2**20), "questions": report}))
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
