"""The whole box at real pace: memory and processor of each process, time from a TIC group to the browser, first page.

use: python benchmarks/box.py [--seconds 60]
Starts a demo of its own (real pty, real Modbus port, real Chromium) and prints one JSON line. The way of a value is
measured from the reading's own stamp, taken as the last byte of its group is read, to the browser's event handler.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


from tests.browser.conftest import ARGS  # noqa: E402 - found through the line above
from tests.whole.demo import RunningDemo  # noqa: E402 - found through the line above

MIB = 1 << 20
_FOLLOWED = ("grid.import.apparent_power", "grid.export.apparent_power", "grid.voltage.l1", "grid.import.energy")
_LISTEN = """([names, seconds]) => new Promise((done) => {
  const ages = [];
  const source = new EventSource('/api/v1/stream');
  source.addEventListener('frame', (event) => {
    const now = Date.now();
    const signals = JSON.parse(event.data).signals;
    for (const name of names) if (signals[name]) ages.push(now - Date.parse(signals[name].at));
  });
  setTimeout(() => { source.close(); done(ages); }, seconds * 1000);
})"""
_PAINT = """() => ({
  paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
  bytes: Object.fromEntries(performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
    .map((one) => [new URL(one.name).pathname, one.transferSize])),
})"""
# A slow phone: the figures of the design's own measurements, 1.6 Mbit/s with 150 ms, processor six times slower.
_SLOW = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
_SLOWER = 6


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def sign_in(browser: Browser, demo: RunningDemo) -> Page:
    page = browser.new_context(viewport={"width": 390, "height": 844}, locale="fr-FR").new_page()
    page.goto(demo.url)
    page.fill("input[name=user]", demo.told["user"])
    page.fill("input[name=password]", demo.told["password"])
    page.keyboard.press("Enter")
    page.wait_for_selector("nav[aria-label]")
    return page


def first_page(browser: Browser, demo: RunningDemo) -> dict[str, object]:
    """Load the first page with an empty cache, on a slow phone."""
    page = sign_in(browser, demo)
    state = page.context.storage_state()
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="fr-FR", storage_state=state)
    page = context.new_page()
    tools = context.new_cdp_session(page)
    tools.send("Network.emulateNetworkConditions", _SLOW)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})
    began = time.monotonic()
    page.goto(demo.url, wait_until="commit")
    page.wait_for_event("response", lambda answer: "/api/v1/stream" in answer.url)
    live = time.monotonic() - began
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    seen = page.evaluate(_PAINT)
    scripts = sum(size for path, size in seen["bytes"].items() if path.endswith(".js"))
    return {
        "first_paint_s": round(seen["paint"] / 1000, 2),
        "live_stream_open_s": round(live, 2),
        "scripts_kb": round(scripts / 1000, 1),
        "all_kb": round(sum(seen["bytes"].values()) / 1000, 1),
    }


def measure(seconds: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as tool:
        demo = RunningDemo(Path(folder) / "home", "--history", "30", "--seed", "1")
        browser = tool.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        try:
            page = sign_in(browser, demo)
            names = ("gateway", "web", "courier")
            watched = {name: family(demo.child(name)) for name in names}
            before = {name: sum(sum(one.cpu_times()[:2]) for one in list_) for name, list_ in watched.items()}
            began = time.monotonic()
            ages = page.evaluate(_LISTEN, [list(_FOLLOWED), seconds])
            took = time.monotonic() - began
            result: dict[str, object] = {}
            for name, processes in watched.items():
                used = sum(sum(one.cpu_times()[:2]) for one in processes) - before[name]
                result[f"{name}_rss_mib"] = round(sum(one.memory_info().rss for one in processes) / MIB, 1)
                result[f"{name}_pss_mib"] = round(sum(one.memory_full_info().pss for one in processes) / MIB, 1)
                result[f"{name}_cpu_percent"] = round(100 * used / took, 2)
            result |= {
                "values_followed": len(ages),
                "group_to_browser_p50_ms": quantile(ages, 0.5),
                "group_to_browser_p99_ms": quantile(ages, 0.99),
            }
            return result | first_page(browser, demo)
        finally:
            browser.close()
            demo.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    print(json.dumps(measure(parser.parse_args().seconds)))


if __name__ == "__main__":
    main()
