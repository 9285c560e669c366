"""A year of solar production at 15 minutes, in a process of its own: seconds and memory, beside the budget.

python benchmarks/solar_year.py
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS, MIB = 5.0, 250.0


def measure():
    start = time.perf_counter()
    sys.path.insert(0, str(ROOT))
    from analytics import solar
    from analytics.climate import climate_at
    from analytics.roof import Plane

    loaded = time.perf_counter()
    planes = [Plane(3.0, 30, 135), Plane(3.0, 30, 225)]
    found = solar.year(solar.climate_weather(climate_at(47.218, -1.553)), 47.218, -1.553, planes)
    end = time.perf_counter()
    return {
        "rows": 35_040,
        "kwh": round(found.kwh),
        "import_s": round(loaded - start, 2),
        "year_s": round(end - loaded, 2),
        "total_s": round(end - start, 2),
        "rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def main():
    if "--child" in sys.argv:
        print(json.dumps(measure()))
        return 0
    done = subprocess.run([sys.executable, __file__, "--child"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    within = found["total_s"] <= SECONDS and found["rss_mib"] <= MIB
    print(json.dumps(found | {"budget_s": SECONDS, "budget_mib": MIB, "within": within}))
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
