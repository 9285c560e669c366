"""How many frames a second the TIC decoder reads, beside a plain split-and-sum loop on the same bytes.

Run `python benchmarks/tic_decode.py [--frames N]`. The decoder types every value and applies its four gates: parity,
checksum, label table with size and character set, plausibility. The plain loop only splits and sums: it knows no
damage, no types, no parity. Seconds are the processor's, so that a busy machine changes little. The figures to keep are
the ratios: they do not depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable

from drivers.linky.frame import Decoder
from drivers.linky.plausible import Gate
from drivers.linky.sim import MeterState, historic_frame, standard_frame, with_parity
from gateway.clock import UtcMs

_START = 1_750_503_900_000
_CHUNK = 65_536


def _states(count: int, *, producer: bool, moving: bool) -> list[MeterState]:
    """`moving` changes the load, the voltage and the indexes every second, and the half-hour points now and then."""
    draw = random.Random(42)
    states = []
    import_wh, export_wh = 4_321_000, 765_432
    for n in range(count):
        at = UtcMs(_START + 1000 * n)
        va = draw.randrange(0, 9000) if moving else 1230
        injected = draw.randrange(0, 3000) if moving and producer else 0
        import_wh += va // 3600 + (draw.random() < va % 3600 / 3600) if moving else 0
        export_wh += 1 if injected else 0
        voltage = draw.uniform(228, 242) if moving else 235.0
        half_hour = UtcMs(at - at % 1_800_000)
        states.append(
            MeterState(
                at=at,
                address="021961234567",
                import_wh=import_wh,
                indexes=(import_wh - 1_000_000, 1_000_000),
                export_wh=export_wh if producer else None,
                voltage_v=(voltage,),
                current_a=(va / voltage,),
                import_va=0 if injected else va,
                export_va=injected,
                import_w=float(va),
                export_w=float(injected),
                index=1,
                calendar="H PLEINE/CREUSE",
                tariff="HEURE  CREUSE",
                subscribed_kva=9,
                max_import_va=(6700, UtcMs(_START)),
                max_import_va_yesterday=(7100, UtcMs(_START - 86_400_000)),
                max_export_va=(2900, UtcMs(_START)) if producer else None,
                mean_voltage_v=(235.0,),
                mean_import_w=(950, half_hour),
                mean_import_w_before=(870, UtcMs(half_hour - 1_800_000)),
                mean_export_w=(300, half_hour) if producer else None,
            )
        )
    return states


def plain(data: bytes) -> int:
    """Split and sum, as the simplest decoder would: returns the groups whose checksum is right (7-bit text only)."""
    groups = 0
    for frame in data.split(b"\x02"):
        values = {}
        for line in frame.split(b"\n")[1:]:
            group = line.rstrip(b"\r\x03")
            if group[-2:-1] == b"\t":
                right = (sum(group[:-1]) & 0x3F) + 0x20 == group[-1]
                fields = group[:-2].split(b"\t")
            else:
                right = (sum(group[:-2]) & 0x3F) + 0x20 == group[-1]
                fields = group[:-2].split(b" ", 1)
            if right:
                values[fields[0]] = fields[1:]
        groups += len(values)
    return groups


def guarded(data: bytes) -> int:
    """Decode with every gate: returns the events, which are the groups that pass and one end a frame."""
    decoder = Decoder(judge=Gate())
    return sum(len(decoder.feed(data[start : start + _CHUNK])) for start in range(0, len(data), _CHUNK))


def _best(decode: Callable[[bytes], int], data: bytes, runs: int) -> tuple[float, int]:
    best, groups = float("inf"), 0
    for _ in range(runs):
        before = time.process_time()
        groups = decode(data)
        best = min(best, time.process_time() - before)
    return best, groups


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--frames", type=int, default=10_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    rows = []
    for name, render, producer, moving in (
        ("standard, values at rest", standard_frame, False, False),
        ("standard, values moving", standard_frame, False, True),
        ("standard producer, moving", standard_frame, True, True),
        ("historic, values moving", historic_frame, False, True),
    ):
        text = b"".join(render(state) for state in _states(chosen.frames, producer=producer, moving=moving))
        wire = with_parity(text)
        expected = text.count(b"\r")
        plain_s, plain_groups = _best(plain, text, chosen.runs)
        kept_s, kept_groups = _best(guarded, wire, chosen.runs)
        stripped_s, stripped_groups = _best(guarded, text, chosen.runs)
        assert plain_groups == expected, (name, plain_groups, expected)
        assert kept_groups == stripped_groups == expected + chosen.frames, (
            name,
            kept_groups,
            stripped_groups,
            expected,
        )
        rows.append(
            {
                "stream": name,
                "plain": round(chosen.frames / plain_s),
                "guarded_with_parity": round(chosen.frames / kept_s),
                "guarded_without": round(chosen.frames / stripped_s),
                "ratio": round(plain_s / kept_s, 2),
            }
        )
    if chosen.json:
        print(json.dumps(rows))
        return
    print(f"{'frames a second':28}{'plain loop':>12}{'guarded':>12}{'no parity':>12}{'ratio':>8}")
    for row in rows:
        numbers = f"{row['plain']:12,}{row['guarded_with_parity']:12,}{row['guarded_without']:12,}"
        print(f"{row['stream']:28}{numbers}{row['ratio']:8}")


if __name__ == "__main__":
    main()
