"""The past: one signal's values, and the energy of each hour, day or month."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from gateway.clock import to_iso
from gateway.outputs.past import complete
from gateway.signals import Kind, find
from gateway.store.read import Reader
from web.api import PREFIX
from web.api.parameters import STEP_S, Span, signal_name, span
from web.settings import box

history_api = Blueprint("history", __name__, url_prefix=PREFIX)

ENERGY_STEPS = tuple(step for step in STEP_S if step != "raw")


def _span(steps: tuple[str, ...], usual: str, *, counted: bool = True) -> Span:
    asked = request.args
    return span(
        asked.get("from"),
        asked.get("to"),
        asked.get("step"),
        steps=steps,
        usual=usual,
        zone=box().config.home.timezone,
        clock=box().clock,
        counted=counted,
    )


def _reader() -> Reader:
    return Reader(box().config.measure_db, box().clock)


@history_api.get("/history")
def history() -> Response:
    """Return one signal's stored values."""
    name = signal_name(request.args.get("signal"))
    signal = find(name)
    # a state is stored as its changes, which are few: any stretch of it is one answer
    asked = _span(tuple(STEP_S), "30m", counted=signal is None or signal.kind is not Kind.STATE)
    zone = box().config.home.timezone
    with _reader() as store:
        found = store.history(name, asked.start, asked.end, asked.step, timezone=zone, limit=None)
        found = complete(found, asked.start, asked.end, box().config, store, box().clock)
    return jsonify(
        signal=found.signal,
        unit=found.unit,
        step=found.step,
        points=[[to_iso(at), value, quality] for at, value, quality in found.points],
    )


@history_api.get("/energy")
def energy() -> Response:
    """Return the energy of each step, in Wh; what is not known is null."""
    asked = _span(ENERGY_STEPS, "1h")
    zone = box().config.home.timezone
    with _reader() as store:
        buckets = store.energy(asked.start, asked.end, asked.step, timezone=zone)
    return jsonify(
        {
            "from": to_iso(asked.start),
            "to": to_iso(asked.end),
            "step": asked.step,
            "timezone": zone,
            "buckets": [
                {
                    "from": to_iso(bucket.start),
                    "to": to_iso(bucket.end),
                    "import": bucket.import_wh,
                    "export": bucket.export_wh,
                    "production": bucket.production_wh,
                    "consumption": bucket.consumption_wh,
                    "self_consumption": bucket.self_consumption_wh,
                    "self_sufficiency": bucket.self_sufficiency,
                    "coverage": bucket.coverage,
                    "estimated": bucket.estimated,
                }
                for bucket in buckets
            ],
        }
    )
