"""What can go wrong with an InfluxDB server, each with what the forwarder does about it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import FoyerError, Misconfigured, Text, Transient
from gateway.outputs.influx.lines import Field

TOO_LARGE = 413
_UNREADABLE = (400, TOO_LARGE, 422)
_DENIED = (401, 403)
_MISSING = 404
_BEYOND = re.compile(
    r"points beyond retention policy dropped=(\d+)|dropped (\d+) points? outside retention policy", re.IGNORECASE
)
_CONFLICT = re.compile(r'input field \\?"(?P<field>.+?)\\?" on measurement \\?"(?P<measurement>.+?)\\?" is type')
_COLUMN = re.compile(r"invalid column type for column '(?P<field>[^']+)'")
_NO_POLICY = re.compile(r"retention policy not found", re.IGNORECASE)


class Away(Transient):
    """The server does not answer, or asks for patience: the same batch is sent again later."""

    def __init__(self, what: Text, mend: Text | None = None, after_s: float | None = None) -> None:
        super().__init__(what, mend)
        self.after_s = after_s


class Denied(Misconfigured):
    """The server refuses who we are: a person must act."""


class NoDatabase(Misconfigured):
    """The database or bucket is not there."""


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that the server named: its number in the batch, from 1, and why."""

    number: int
    reason: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the server said of a batch it did not take whole.

    `beyond` counts points older than the server keeps, when that is the one complaint; `conflict` is a field whose type
    differs there; `lines` are those it named (InfluxDB 3 names each).
    """

    reason: str
    beyond: int | None = None
    conflict: Field | None = None
    lines: tuple[RejectedLine, ...] = field(default=())


class Rejected(FoyerError):
    """Some of a batch will never be taken. What the server could take of it, it may have taken."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(
            Text(f"InfluxDB refuse une ligne : {refusal.reason}.", f"InfluxDB refuses a line: {refusal.reason}.")
        )
        self.refusal = refusal


def fault_of(status: int, body: str, after_s: float | None = None) -> FoyerError:
    """Return the fault that an HTTP answer of a write is."""
    reason = reason_of(body) or str(status)
    if status in _DENIED:
        return Denied(
            Text(f"InfluxDB refuse l’accès : {reason}.", f"InfluxDB refuses access: {reason}."),
            Text(
                "Vérifiez le jeton de « store.influxdb.token_file » et ses droits d’écriture.",
                "Check the token in “store.influxdb.token_file” and that it may write.",
            ),
        )
    if status == _MISSING:
        return NoDatabase(
            Text(f"InfluxDB ne connaît pas cette base : {reason}.", f"InfluxDB has no such database: {reason}."),
            Text(
                "Créez-la dans InfluxDB, ou corrigez « database » ou « bucket ».",
                "Create it in InfluxDB, or mend “database” or “bucket”.",
            ),
        )
    if status in _UNREADABLE:
        return Rejected(read_refusal(body))
    if _NO_POLICY.search(reason):
        # a 500 of InfluxDB 1.x that no patience mends
        return no_policy()
    return Away(
        Text(f"InfluxDB ne peut pas écrire ({status}) : {reason}.", f"InfluxDB cannot write ({status}): {reason}."),
        after_s=after_s,
    )


def bare(fault: FoyerError) -> FoyerError:
    """Return a fault without what it was raised from: whoever keeps it must not keep a batch and a connection alive."""
    fault.__cause__ = fault.__context__ = None
    return fault.with_traceback(None)


def no_policy() -> NoDatabase:
    """Return the fault of a database of InfluxDB 1.x without a default retention policy."""
    return NoDatabase(
        Text(
            "La base InfluxDB n’a pas de durée de conservation par défaut.",
            "The InfluxDB database has no default retention policy.",
        ),
        Text(
            "Donnez-lui-en une : ALTER RETENTION POLICY … DEFAULT.",
            "Give it one: ALTER RETENTION POLICY … DEFAULT.",
        ),
    )


def silent(url: str, error: Exception) -> Away:
    """Return the fault of a server that cannot be reached, or does not answer."""
    return Away(
        Text(
            f"InfluxDB ne répond pas à {url} ({type(error).__name__}).", f"InfluxDB does not answer at {url} ({error})."
        ),
        Text(
            "Vérifiez qu’il tourne et que l’adresse est juste. Après une coupure de courant il peut rester bloqué au "
            "démarrage : sudo systemctl restart influxdb",
            "Check that it runs and that the address is right. After a power cut it may hang at its start: "
            "sudo systemctl restart influxdb",
        ),
    )


def reason_of(body: str) -> str:
    """Return the one sentence of an answer, whichever version gave it."""
    parsed = _parsed(body)
    said = parsed.get("error") or parsed.get("message") or body
    return str(said).strip().rstrip(".")[:300]


def read_refusal(body: str) -> Refusal:
    """Return what an answer 400, 413 or 422 says of a batch."""
    reason = reason_of(body)
    lines = _lines(_parsed(body).get("data"))
    if match := _CONFLICT.search(reason):
        return Refusal(reason, conflict=(match["measurement"], match["field"]), lines=lines)
    if match := _BEYOND.search(reason):
        return Refusal(reason, beyond=int(match[1] or match[2]), lines=lines)
    return Refusal(reason, lines=lines)


def _parsed(body: str) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _lines(data: Any) -> tuple[RejectedLine, ...]:
    """Return the lines InfluxDB 3 names: a list of them, or one alone when it took none of the batch."""
    named = []
    for one in data if isinstance(data, list) else [data]:
        if isinstance(one, dict) and isinstance(one.get("line_number"), int):
            said = str(one.get("error_message", ""))[:300]
            column = _COLUMN.search(said)
            named.append(RejectedLine(one["line_number"], said, column["field"] if column else None))
    return tuple(named)
