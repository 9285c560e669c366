"""The series and tables of the file, as the writer knows them.

Series and tables are made in memory when a signal first comes, and in the file with the next commit: until then, and
after a failed commit, they have no number there. So nothing is lost when a damaged file gives way to a new one.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass, field

from gateway.clock import to_datetime
from gateway.signals import Kind, find
from gateway.store.schema import DAY_MS, WEEK_MS, transaction

MAX_STORED = 2**63 - 1
_A_MONDAY = 4 * DAY_MS  # 1970-01-05


@dataclass(eq=False, slots=True)
class Series:
    """One signal in the file. `id` is None until it is written there."""

    signal: str
    unit: str
    scale: int
    kind: Kind
    source: str
    id: int | None = None

    def to_stored(self, value: float) -> int | None:
        """Return a number as the file keeps it, or None when it is no number that can be kept."""
        if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN differs from itself
            return None
        scaled = round(value * 10**self.scale)
        return scaled if abs(scaled) <= MAX_STORED else None


@dataclass(eq=False, slots=True)
class RawTable:
    """The wide table of a source and week: its columns in the order rows are kept in memory, and those the file has."""

    source: str
    since: int
    name: str
    columns: list[Series] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=dict)
    """The signals that have their column in the file, each with its bit in `estimated`; none: no table yet."""

    def covers(self, start: int, end: int) -> bool:
        """Tell whether rows of [start, end) may stand here."""
        return self.since < end and start < self.since + WEEK_MS

    def column(self, series: Series) -> int:
        """Return the place of a series in this table's rows, making one when it has none."""
        try:
            return self.columns.index(series)
        except ValueError:
            self.columns.append(series)
            return len(self.columns) - 1


def week_of(ts: int) -> int:
    """Return the start of the week of `ts`, Monday in UTC."""
    return ts - (ts - _A_MONDAY) % WEEK_MS


def raw_table_name(source: str, since: int) -> str:
    """Return the table of a source and week: `raw_inverter_roof_20260615` for `inverter:roof`."""
    return "raw_" + re.sub(r"[^a-z0-9]+", "_", source.lower()).strip("_") + to_datetime(since).strftime("_%Y%m%d")


def quoted(name: str) -> str:
    """Return a name as SQL wants it; signal names have dots and an `@`."""
    return '"' + name.replace('"', '""') + '"'


def signal_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """Return the signals of a raw table; the place of each is its bit in `estimated`."""
    names = [row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?) ORDER BY cid", (table,))]
    return names[2:]  # after ts and estimated


class Catalog:
    """Every series and raw table, by name."""

    def __init__(self) -> None:
        self._series: dict[str, Series] = {}
        self._tables: dict[tuple[str, int], RawTable] = {}

    @property
    def tables(self) -> list[RawTable]:
        """The raw tables, those of the file and those to come."""
        return list(self._tables.values())

    @property
    def series(self) -> list[Series]:
        """The series, those of the file and those to come."""
        return list(self._series.values())

    def series_of(self, signal: str, source: str) -> Series | None:
        """Return the series of a signal, new if need be; None when the registry has no such signal."""
        there = self._series.get(signal)
        if there is None and (known := find(signal)) is not None:
            there = self._series[signal] = Series(signal, known.unit, known.scale, known.kind, source)
        return there

    def table_of(self, source: str, ts: int) -> RawTable:
        """Return the raw table of a source at `ts`, new if need be."""
        since = week_of(ts)
        there = self._tables.get((source, since))
        if there is None:
            there = self._tables[source, since] = RawTable(source, since, raw_table_name(source, since))
        return there

    def drop_before(self, connection: sqlite3.Connection, before: int) -> None:
        """Drop the raw tables whose week ended by `before`, each in its own transaction."""
        for table in self.tables:
            if table.written and table.since + WEEK_MS <= before:
                with transaction(connection):
                    connection.execute(f"DROP TABLE {quoted(table.name)}")
                    connection.execute("DELETE FROM raw_table WHERE name = ?", (table.name,))
                del self._tables[table.source, table.since]

    def load(self, connection: sqlite3.Connection) -> None:
        """Take over what the file has; what it has not will be written again with the next commit."""
        for series in self._series.values():
            series.id = None
        for table in self._tables.values():
            table.written = {}
        for number, signal, unit, scale, kind, source in connection.execute(
            "SELECT id, signal, unit, scale, kind, source FROM series"
        ):
            there = self._series.setdefault(signal, Series(signal, unit, scale, Kind(kind), source))
            there.id = number
        for source, since, name in connection.execute("SELECT source, since, name FROM raw_table").fetchall():
            self._load_table(connection, source, since, name)

    def _load_table(self, connection: sqlite3.Connection, source: str, since: int, name: str) -> None:
        table = self._tables.setdefault((source, since), RawTable(source, since, name))
        present = signal_columns(connection, name)
        for signal in present:
            series = self.series_of(signal, source)
            if series is not None:
                table.column(series)
        table.written = {signal: place for place, signal in enumerate(present)}

    def write(self, connection: sqlite3.Connection) -> None:
        """Bring the file up to date inside the caller's transaction; after a rollback call `load`."""
        for series in self._series.values():
            if series.id is None:
                series.id = connection.execute(
                    "INSERT INTO series (signal, unit, scale, kind, source) VALUES (?, ?, ?, ?, ?)",
                    (series.signal, series.unit, series.scale, series.kind.value, series.source),
                ).lastrowid
        for table in self._tables.values():
            if len(table.written) < len(table.columns):
                _extend(connection, table)


def _extend(connection: sqlite3.Connection, table: RawTable) -> None:
    if not table.written:
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {quoted(table.name)} (ts INTEGER PRIMARY KEY, estimated INTEGER)"
        )
        row = (table.name, table.source, table.since)
        connection.execute("INSERT OR IGNORE INTO raw_table (name, source, since) VALUES (?, ?, ?)", row)
    for series in table.columns:
        if series.signal not in table.written:
            connection.execute(f"ALTER TABLE {quoted(table.name)} ADD COLUMN {quoted(series.signal)} INTEGER")
            table.written[series.signal] = len(table.written)
