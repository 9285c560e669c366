"""How many groups survive a bad line, and how many wrong ones are believed.

Run `python benchmarks/tic_accuracy.py [--groups N]`. Streams of simulated meters are damaged as the field damages them:
each bit flipped with a given chance, from a random start, with the parity kept or stripped by the adapter. A group is
*found* when it was sent and is handed out, *false* when it is handed out and was never sent. `sound` counts the groups
that no damage touched: `found` may be above it, by repair and by frames that lost their LF.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Iterator

from drivers.linky.frame import Decoder
from drivers.linky.group import Group
from drivers.linky.plausible import Gate
from drivers.linky.sim import MeterState, historic_frame, standard_frame, with_parity
from gateway.clock import UtcMs

_START = 1_750_503_900_000
_CHUNK = 64
_STANDARD_S, _HISTORIC_S = 960, 120


def meter(at: UtcMs, n: int, draw: random.Random, **changes: object) -> MeterState:
    """Return a meter some seconds later, with a load that moves."""
    va = draw.randrange(0, 9000)
    basis: dict[str, object] = {
        "at": at,
        "address": "021961234567",
        "import_wh": 4_321_000 + 2 * n,
        "indexes": (3_000_000 + n, 1_321_000 + n),
        "export_wh": None,
        "voltage_v": (draw.uniform(228, 242),),
        "current_a": (va / 235,),
        "import_va": va,
        "export_va": 0,
        "import_w": float(va),
        "export_w": 0.0,
        "index": 1,
        "calendar": "H PLEINE/CREUSE",
        "tariff": "HEURE  CREUSE",
        "subscribed_kva": 9,
        "max_import_va": (6700, UtcMs(_START)),
        "max_import_va_yesterday": (7100, UtcMs(_START - 86_400_000)),
        "max_export_va_yesterday": (2800, UtcMs(_START - 86_400_000)),
        "mean_voltage_v": (235.0,),
        "mean_import_w": (950, UtcMs(at - at % 1_800_000)),
        "mean_import_w_before": (870, UtcMs(at - at % 1_800_000 - 1_800_000)),
    }
    return MeterState(**(basis | changes))  # type: ignore[arg-type]


_PRODUCER = {"export_wh": 765_432, "export_va": 1660, "max_export_va": (2900, UtcMs(_START))}
_THREE = {
    "address": "021963234567",
    "voltage_v": (230.0, 231.0, 232.0),
    "current_a": (1.0, 2.0, 30.0),
    "mean_voltage_v": (235.0, 236.0, 234.0),
}
_TEMPO = {
    "option": "tempo",
    "period": "blue_hp",
    "tempo_today": "blue",
    "tempo_tomorrow": "white",
    "indexes": (1_000_000, 2_000_000, 300_000, 400_000, 50_000, 60_000),
}
STREAMS: dict[str, tuple[bool, dict[str, object]]] = {
    "standard, one phase": (True, {}),
    "standard, producer": (True, _PRODUCER),
    "standard, three phases": (True, _THREE | _PRODUCER),
    "historic, off-peak": (False, {}),
    "historic, Tempo": (False, _TEMPO),
    "historic, three phases": (False, _THREE),
}


def stream(standard: bool, changes: dict[str, object], frames: int, seed: int) -> bytes:
    """Return so many frames in seven bits."""
    draw = random.Random(seed)
    render, seconds = (standard_frame, 1) if standard else (historic_frame, 2)
    return b"".join(
        render(meter(UtcMs(_START + 1000 * seconds * n), seconds * n, draw, **changes)) for n in range(frames)
    )


def flipped(data: bytes, chance: float, draw: random.Random, bits: int) -> tuple[bytes, set[int]]:
    """Return `data` with each bit flipped with that chance, and the places of the damaged bytes."""
    damaged = bytearray(data)
    places = set()
    at = -1
    while chance:
        at += 1 + int(math.log(1 - draw.random()) / math.log(1 - chance))
        if at >= len(data) * bits:
            break
        damaged[at // bits] ^= 1 << at % bits
        places.add(at // bits)
    return bytes(damaged), places


def decoded(data: bytes, per_second: int) -> Iterator[Group]:
    """Decode at the pace of the wire."""
    gate = Gate()
    decoder = Decoder(judge=gate)
    for start in range(0, len(data), _CHUNK):
        gate.tick(start / per_second)
        yield from (event for event in decoder.feed(data[start : start + _CHUNK]) if isinstance(event, Group))


def sound(data: bytes, places: set[int]) -> int:
    """Return how many groups no damage touched, LF and CR apart."""
    groups, at = 0, 0
    while (end := data.find(b"\r", at)) >= 0:
        begins = data.find(b"\n", at, end)
        groups += begins >= 0 and not places.intersection(range(begins + 1, end))
        at = end + 1
    return groups


def measure(name: str, chance: float, kept: bool, wanted: int, frames: int, seed: int = 1) -> dict[str, object]:
    """Damage runs of `frames` frames until `wanted` groups were sent; return the counts."""
    standard, changes = STREAMS[name]
    rate = _STANDARD_S if standard else _HISTORIC_S
    draw = random.Random(seed)
    possible = untouched = found = repaired = 0
    wrong: Counter[str] = Counter()
    while possible < wanted:
        text = stream(standard, changes, frames, draw.randrange(1 << 30))
        text = text[draw.randrange(len(text) // frames) :]
        sent = Counter(part[part.rfind(b"\n") + 1 :].decode() for part in text.split(b"\r")[:-1])
        read, places = flipped(with_parity(text) if kept else text, chance, draw, 8 if kept else 7)
        got: Counter[str] = Counter()
        for group in decoded(read, rate):
            got[group.raw] += 1
            repaired += group.repaired
        possible += sent.total()
        untouched += sound(text, places)
        found += (got & sent).total()
        wrong += Counter({raw: count for raw, count in got.items() if raw not in sent})
    return {
        "stream": name,
        "parity": "kept" if kept else "stripped",
        "chance": chance,
        "frames": frames,
        "possible": possible,
        "sound": untouched,
        "found": found,
        "found_part": round(found / possible, 5),
        "repaired": repaired,
        "false": wrong.total(),
        "examples": [raw for raw, _ in wrong.most_common(6)],
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--groups", type=int, default=20_000, help="groups sent per row")
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--examples", action="store_true", help="show what was wrongly believed")
    chosen = arguments.parse_args()
    if not chosen.json:
        print(f"{'stream':26}{'parity':10}{'chance':>8}{'frames':>8}{'sent':>9}{'sound':>9}{'found':>9}{'false':>7}")
    for kept in (True, False):
        for chance in (1e-4, 1e-3):
            for frames in (5, 60):
                for name in STREAMS:
                    row = measure(name, chance, kept, chosen.groups, frames)
                    if chosen.json:
                        print(json.dumps(row))
                        continue
                    print(
                        f"{name:26}{row['parity']:10}{chance:8}{frames:8}{row['possible']:9,}{row['sound']:9,}"
                        f"{row['found']:9,}{row['false']:7}",
                        row["examples"] if chosen.examples and row["examples"] else "",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
