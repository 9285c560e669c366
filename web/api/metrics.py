"""The live signals as Prometheus text. What is unknown or stale is left out, never given as zero."""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.signals import Kind, find, split_device
from web.live import Sig, Snapshot
from web.settings import box

metrics_api = Blueprint("metrics", __name__)

MIME = "text/plain; version=0.0.4; charset=utf-8"
_UNITS = {
    "W": "watts",
    "Wh": "watt_hours",
    "VA": "volt_amperes",
    "V": "volts",
    "A": "amperes",
    "%": "percent",
    "s": "seconds",
    "ratio": "ratio",
    "": "info",
}


@metrics_api.get("/metrics")
def metrics() -> Response:
    """Return the text."""
    return Response(text(box().feed.snapshot()), content_type=MIME)


def text(snapshot: Snapshot) -> str:
    """Return the exposition text of a snapshot: a family per signal, the device as a label."""
    families: dict[str, list[str]] = {}
    for name, sig in sorted(snapshot.signals.items()):
        row = _row(name, sig)
        if row is not None:
            head, line = row
            families.setdefault(head, []).append(line)
    up = int(snapshot.connected)
    lines = ["# HELP foyer_gateway_up Whether the gateway is heard.", "# TYPE foyer_gateway_up gauge"]
    lines.append(f"foyer_gateway_up {up}")
    for head, rows in families.items():
        lines += [head, *rows]
    return "\n".join(lines) + "\n"


def _row(name: str, sig: Sig) -> tuple[str, str] | None:
    signal = find(name)
    value = sig["value"]
    if signal is None or value is None or sig["quality"] == "stale":
        return None
    plain, device = split_device(name)
    counter = signal.kind is Kind.COUNTER
    metric = f"foyer_{plain.replace('.', '_')}_{_UNITS[signal.unit]}{'_total' if counter else ''}"
    labels = {"device": device} if device else {}
    if signal.kind is Kind.STATE:
        labels["value"], value = str(value), 1
    elif isinstance(value, str):
        return None
    shown = ",".join(f'{label}="{_escaped(content)}"' for label, content in labels.items())
    head = f"# HELP {metric} {signal.label.en}.\n# TYPE {metric} {'counter' if counter else 'gauge'}"
    return head, f"{metric}{{{shown}}} {value}" if shown else f"{metric} {value}"


def _escaped(content: str) -> str:
    return content.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
