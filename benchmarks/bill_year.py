"""A year of half-hours: read the file, bill it, and bill every option on two grids. Budget: 2 s for all the options.

use: python benchmarks/bill_year.py [--repeat 5]
Prints one JSON line: the least, median and most seconds of each step, and the resident memory at the end.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from analytics.bill_registers import Hours  # noqa: E402 - found through the line above
from analytics.billing import Metering  # noqa: E402 - found through the line above
from analytics.compare import compare  # noqa: E402 - found through the line above
from analytics.curves import read_curve  # noqa: E402 - found through the line above
from analytics.tariff import trv  # noqa: E402 - found through the line above
from tests.analytics.bill import made  # noqa: E402 - found through the line above

NINE = Decimal(9)


def seconds(work: Callable[[], object], repeat: int) -> dict[str, float]:
    taken = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return {name: round(of(taken), 3) for name, of in (("least", min), ("median", statistics.median), ("most", max))}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    start, end = made.YEAR
    data = made.customer_space(made.half_hours(start, end))
    home = Metering(read_curve(data), Hours(("22:24-06:24",)), made.colours(start, end, red=(date(2026, 1, 8),)))
    told = {
        "half_hours": len(home.curve.slots),
        "read": seconds(lambda: read_curve(data), repeat),
        "one_bill": seconds(lambda: home.bill("tempo", NINE, trv(), start, end), repeat),
        "every_option_two_grids": seconds(lambda: compare(home, NINE, start, end, date(2026, 8, 1)), repeat),
        "rss_mib": round(psutil.Process().memory_info().rss / 2**20, 1),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
