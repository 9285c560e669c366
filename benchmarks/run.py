"""Every figure of the budgets in one table: python benchmarks/run.py [--quick]

Runs the other benchmarks one after the other, each in its own process on the otherwise idle machine, and prints what
they measured beside the budget. `--quick` shortens the waits and the store's history. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent


class Row(NamedTuple):
    figure: str
    measured: str
    budget: str
    within: bool


def ask(script: str, *arguments: str) -> Any:
    """Run one benchmark and return the JSON it prints; its exit code only says whether the budget was kept."""
    print(f"… {script}", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments], capture_output=True, text=True, check=False, cwd=HERE.parent
    )
    lines = done.stdout.strip().splitlines()
    if not lines:
        raise SystemExit(f"{script} printed nothing:\n{done.stderr}")
    return json.loads(lines[-1])


def most(figure: str, value: float, unit: str, limit: float) -> Row:
    return Row(figure, f"{value:,} {unit}", f"≤ {limit:,} {unit}", value <= limit)


def least(figure: str, value: float, unit: str, limit: float) -> Row:
    return Row(figure, f"{value:,} {unit}", f"≥ {limit:,} {unit}", value >= limit)


def rows(*, quick: bool) -> list[Row]:
    box = ask("box.py", "--seconds", "20" if quick else "60")
    found = [
        most("gateway, resident memory", box["gateway_rss_mib"], "MiB", 70),
        most("gateway, one core at real pace", box["gateway_cpu_percent"], "%", 2),
        most("TIC group to browser, p50", box["group_to_browser_p50_ms"], "ms", 150),
        most("TIC group to browser, p99", box["group_to_browser_p99_ms"], "ms", 150),
        most("first page, slow phone: first paint", box["first_paint_s"], "s", 1),
        most("first page, slow phone: live stream open", box["live_stream_open_s"], "s", 2),
        most("first page, scripts on the wire", box["scripts_kb"], "kB", 45),
    ]
    streams = ask("web_streams.py", "--seconds", "10" if quick else "20")
    found.append(most("web, 24 live browsers, PSS of both processes", streams["pss_mib"], "MiB", 80))
    written = ask("store_bytes.py", "--hours", "6" if quick else "24")
    found.append(
        most("store, written a day at 24 signals/s", written["mib_per_day"], "MiB", written["budget_mib_per_day"])
    )
    asked = ask("store_queries.py", "--years", "2" if quick else "10")
    slowest = max(asked["questions"].items(), key=lambda one: one[1]["median_ms"])
    found.append(most(f"store, slowest question ({slowest[0]})", slowest[1]["median_ms"], "ms", asked["budget_ms"]))
    year = ask("solar_year.py")
    found += [
        most("a year of sun at 15 min", year["total_s"], "s", 5),
        most("the same, memory", year["rss_mib"], "MiB", 250),
    ]
    for stream in ask("tic_decode.py", "--json", "--frames", "5000" if quick else "10000"):
        name = f"TIC frames/s, {stream['stream']} (plain loop: {stream['plain']:,}, ratio {stream['ratio']})"
        found.append(least(name, stream["guarded_with_parity"], "/s", 30_000))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    table = rows(quick=parser.parse_args().quick)
    width = max(len(row.figure) for row in table)
    for row in table:
        print(f"{row.figure:{width}}  {row.measured:>14}  {row.budget:>14}  {'ok' if row.within else 'over'}")


if __name__ == "__main__":
    main()
