"""Answers of Enedis Data Connect: `meter_reading` with `interval_reading`. Bytes in, a `Curve` out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from analytics.curves import Curve, CurveError
from analytics.curves_shapes import Row, from_rows
from gateway.errors import Text


def read(data: bytes, name: str) -> Curve:
    """Return the curve of one answer, or of a list of them; raise CurveError.

    A load curve is in W at stamps that end their slot, daily consumption in Wh at dates; both naive, Paris time.
    """
    try:
        answers = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise CurveError(
            Text(f"Le fichier {name} n’est pas du JSON lisible.", f"The file {name} is not readable JSON."),
            Text("Enregistrez de nouveau la réponse d’Enedis.", "Save the answer of Enedis again."),
        ) from None
    return from_rows(_rows(answers if isinstance(answers, list) else [answers], name), name)


def _rows(answers: list[Any], name: str) -> Iterator[Row]:
    number = 0
    for answer in answers:
        reading = answer.get("meter_reading", answer) if isinstance(answer, dict) else None
        intervals = reading.get("interval_reading") if isinstance(reading, dict) else None
        if not isinstance(intervals, list):
            raise CurveError(
                Text(
                    f"Le fichier {name} n’est pas une réponse de Data Connect.",
                    f"The file {name} is not an answer of Data Connect.",
                ),
                Text(
                    "Il faut « meter_reading » et « interval_reading ».",
                    "It takes “meter_reading” and “interval_reading”.",
                ),
            )
        kind = reading.get("reading_type") if isinstance(reading, dict) else None
        unit = str(kind.get("unit", "")) if isinstance(kind, dict) else ""
        prm = str(reading.get("usage_point_id", "")) if isinstance(reading, dict) else ""
        number += 1
        yield number, ["Horodate", f"Valeur ({unit})", "Pas", "PRM"]
        for one in intervals:
            number += 1
            cells = one if isinstance(one, dict) else {}
            yield number, [str(cells.get(key, "")) for key in ("date", "value", "interval_length")] + [prm]
