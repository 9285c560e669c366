"""What is said of InfluxDB on the page of the devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.clock import Clock, UtcMs, to_iso
from gateway.errors import FoyerError, Text
from gateway.health import Check, State
from gateway.outputs.influx.faults import Away, Denied, NoDatabase
from gateway.outputs.influx.server import Server

_DAY_S = 86_400
_DAYS_LEFT = 0.8
"""Past this part of what raw rows are kept for, an outage is about to cost detail."""

_UNHURRIED_S = 120


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch whose raw rows were gone before they could be sent: minutes stand for them. Times are UTC ms."""

    start: int
    end: int
    points: int


@dataclass(frozen=True, slots=True)
class Status:
    """How the forwarder is doing. Counts are since the start; `oldest` is when the oldest waiting row was measured."""

    server: Server | None = None
    fault: FoyerError | None = None
    since: UtcMs | None = None
    sent: int = 0
    refused: int = 0
    beyond: int = 0
    left_out: Mapping[tuple[str, str], str] = field(default_factory=dict)
    waiting: int = 0
    more: bool = False
    oldest: int | None = None
    gaps: tuple[Gap, ...] = ()


def influx_check(status: Status, clock: Clock, raw_days: int) -> Check:
    """Return the health check: how far behind, what was refused, and what to do."""
    lag_s = max(0, clock.now() - status.oldest) // 1000 if status.oldest is not None else 0
    details = {
        "server": status.server.name if status.server else None,
        "lag_s": lag_s,
        "waiting_rows": status.waiting,
        "more_than_that": status.more,
        "sent": status.sent,
        "refused": status.refused,
        "beyond_retention": status.beyond,
        "fields_left_out": sorted(".".join(field) for field in status.left_out),
        "gaps": [{"from": to_iso(one.start), "to": to_iso(one.end), "points": one.points} for one in status.gaps],
    }
    state, code, text, mend = _words(status, lag_s, raw_days)
    return Check("influxdb", state, code, text, mend, status.since, details)


def _words(status: Status, lag_s: int, raw_days: int) -> tuple[State, str, Text, Text | None]:
    if status.fault is not None:
        return _of_fault(status.fault, lag_s, raw_days)
    if status.server is None:
        return State.INFO, "influxdb-starting", Text("InfluxDB est appelé.", "InfluxDB is being called."), None
    name = status.server.name
    if status.left_out or status.refused:
        return _of_refusal(status, name)
    if status.more or lag_s > _UNHURRIED_S:
        text = Text(
            f"{name} rattrape son retard : {_long_fr(lag_s)}.", f"{name} is catching up: {_long_en(lag_s)} behind."
        )
        return State.INFO, "influxdb-catching-up", text, None
    if status.gaps or status.beyond:
        return _of_loss(status, name)
    return State.OK, "influxdb-ok", Text(f"Les mesures vont dans {name}.", f"Readings go to {name}."), None


def _of_fault(fault: FoyerError, lag_s: int, raw_days: int) -> tuple[State, str, Text, Text | None]:
    codes = {Away: "influxdb-away", Denied: "influxdb-denied", NoDatabase: "influxdb-no-database"}
    code = codes.get(type(fault), "influxdb-misconfigured")
    late = lag_s > _DAYS_LEFT * raw_days * _DAY_S
    kept = Text(
        f" Les mesures attendent dans la boîte, gardées {raw_days} jours."
        if not late
        else " Bientôt, des mesures qui attendent il ne restera que les minutes.",
        f" Readings wait in the box, which keeps them for {raw_days} days."
        if not late
        else " Soon only minutes will be left of the readings that wait.",
    )
    state = State.WARNING if isinstance(fault, Away) and not late else State.PROBLEM
    return state, code, Text(fault.what.fr + kept.fr, fault.what.en + kept.en), fault.mend


def _of_refusal(status: Status, name: str) -> tuple[State, str, Text, Text | None]:
    fields = ", ".join(sorted(".".join(field) for field in status.left_out))
    if fields:
        text = Text(
            f"{name} a déjà ces mesures avec un autre type, elles n’y vont plus : {fields}.",
            f"{name} already has these signals with another type, they are left out: {fields}.",
        )
        mend = Text(
            "Donnez à Foyer une base à lui : changez « store.influxdb.database ».",
            "Give Foyer a database of its own: change “store.influxdb.database”.",
        )
    else:
        text = Text(f"{name} a refusé {status.refused} lignes.", f"{name} refused {status.refused} lines.")
        mend = Text(
            "Elles sont dans influxdb-refused.jsonl, avec leur raison.",
            "They are in influxdb-refused.jsonl, with the reason.",
        )
    return State.WARNING, "influxdb-refused", text, mend


def _of_loss(status: Status, name: str) -> tuple[State, str, Text, Text | None]:
    if status.gaps:
        start, end = (to_iso(at) for at in (status.gaps[-1].start, status.gaps[-1].end))
        text = Text(
            f"{name} a les minutes, et non chaque mesure, de {start} à {end} : l’arrêt a été trop long.",
            f"{name} has minutes, not each reading, from {start} to {end}: the outage was too long.",
        )
        return State.INFO, "influxdb-gap", text, None
    text = Text(
        f"{name} garde moins longtemps que la boîte : {status.beyond} mesures trop anciennes n’y sont pas.",
        f"{name} keeps less than the box: {status.beyond} readings were too old for it.",
    )
    mend = Text("Allongez la conservation de la base dans InfluxDB.", "Lengthen the retention in InfluxDB.")
    return State.INFO, "influxdb-beyond", text, mend


def _long_fr(seconds: int) -> str:
    return _long(seconds, "j")


def _long_en(seconds: int) -> str:
    return _long(seconds, "d")


def _long(seconds: int, day: str) -> str:
    for length, unit in ((_DAY_S, day), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
