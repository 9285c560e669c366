"""Stored rows as InfluxDB's line protocol. Pure.

A measurement a source (`linky`, `inverter`, `derive`), tags `home` and `device` alone, a field a signal. The type of a
field is fixed for life by the registry: a float for a gauge, an integer for a counter, a string for a state. InfluxDB
keeps the type of the first value it ever saw, and drops every point that disagrees.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Protocol

from gateway.reading import Value
from gateway.signals import Kind, find

ESTIMATED = "estimated"
"""The one field that is no signal: the names of the row's signals that are estimates, between blanks."""

MINUTE, HALF_HOUR = "minute", "half_hour"
"""Measurements of what is sent again from roll-ups, because its raw rows are gone."""

_INTEGER = 2**63
_LONGEST = 64
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")

Field = tuple[str, str]
"""A measurement and a field of it."""


class Row(Protocol):
    """One stored row; `gateway.store.arrivals.Arrival` is one."""

    @property
    def at(self) -> int:
        """When, UTC ms."""
        ...

    @property
    def source(self) -> str:
        """Who said it, such as `inverter:roof`."""
        ...

    @property
    def values(self) -> Mapping[str, Value]:
        """The values, in their signals' units."""
        ...

    @property
    def estimated(self) -> frozenset[str]:
        """Which of them are estimates."""
        ...


def home_tag(name: str) -> str:
    """Return the name of a home as a tag: `Maison d’été` is `maison-d-ete`."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", name.lower()) if not unicodedata.combining(one))
    return _NOT_PLAIN.sub("-", plain).strip("-")[:_LONGEST] or "home"


def place_of(source: str) -> tuple[str, str]:
    """Return the measurement and the device of a source: `inverter:roof` gives ("inverter", "roof")."""
    measurement, _, device = source.partition(":")
    return measurement, device or measurement


def field_text(signal: str, value: Value, *, texts: bool = True) -> str | None:
    """Return a value as a field of its signal's type, or None for one that has no such field.

    `texts` is False for a server that cannot hold words and would make a zero of each.
    """
    known = find(signal)
    if known is None:
        return None
    if known.kind is Kind.STATE:
        return _quoted(str(value)) if texts else None
    if isinstance(value, str) or not math.isfinite(value):
        return None
    if known.kind is Kind.GAUGE:
        return repr(float(value))
    whole = round(value)
    return f"{whole}i" if -_INTEGER <= whole < _INTEGER else None


def encode(row: Row, home: str, left_out: Collection[Field] = (), *, texts: bool = True) -> str | None:
    """Return a row as one line, precision ms, or None when nothing of it can be told.

    `home` is a `home_tag`; fields `left_out` are not sent.
    """
    measurement, device = place_of(row.source)
    fields = [
        f"{_escaped(signal)}={text}"
        for signal, value in row.values.items()
        if (measurement, signal) not in left_out and (text := field_text(signal, value, texts=texts)) is not None
    ]
    if not fields:
        return None
    if row.estimated and texts and (measurement, ESTIMATED) not in left_out:
        fields.append(f"{ESTIMATED}={_quoted(' '.join(sorted(row.estimated)))}")
    tags = f"device={_escaped(device)},home={_escaped(home)}"
    return f"{_escaped(measurement)},{tags} {','.join(fields)} {row.at}"


def _escaped(name: str) -> str:
    return re.sub(r"([,= ])", r"\\\1", name.replace("\n", " "))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
