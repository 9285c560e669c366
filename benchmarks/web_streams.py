"""What the web process weighs with 24 live browsers: gunicorn and its worker together, as proportional set size.

use: python benchmarks/web_streams.py [--streams 24] [--seconds 20] [--limit-mib 80]
Prints one JSON line; exits 1 above the limit.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import sys
import tempfile
import threading
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.web.feed_server import FeedServer  # noqa: E402 - found through the line above
from tests.web.running import KEY, Running, free_port, write_home  # noqa: E402

MIB = 1 << 20


def family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def pss(processes: list[psutil.Process]) -> list[float]:
    return [round(one.memory_full_info().pss / MIB, 1) for one in processes]


def listen(port: int, opened: threading.Semaphore, count: list[int]) -> None:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    link.request("GET", "/api/v1/stream", headers={"Authorization": f"Bearer {KEY}"})
    answer = link.getresponse()
    answer.readline()
    opened.release()
    with contextlib.suppress(OSError, http.client.HTTPException):
        while line := answer.readline():
            count[0] += line.startswith(b"event: frame")
    link.close()


def measure(streams: int, seconds: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), free_port()
        config = write_home(home, port)
        with FeedServer(home / "run" / "live.sock") as gateway, Running(config, port) as server:
            at_rest = pss(family(server.pid))
            opened, frames = threading.Semaphore(0), [0]
            for _ in range(streams):
                threading.Thread(target=listen, args=(port, opened, frames), daemon=True).start()
            for _ in range(streams):
                opened.acquire()
            before = sum(sum(one.cpu_times()[:2]) for one in family(server.pid))
            pause = threading.Event()
            for second in range(int(seconds)):
                gateway.set({"grid.import.apparent_power": second, "home.power": 400 + second, "pv.power": second})
                get_page(port)
                pause.wait(1)
            processes = family(server.pid)
            cpu = sum(sum(one.cpu_times()[:2]) for one in processes) - before
            parts = pss(processes)
        return {
            "streams": streams,
            "frames_heard": frames[0],
            "pss_mib": round(sum(parts), 1),
            "pss_mib_by_process": parts,
            "pss_mib_at_rest": round(sum(at_rest), 1),
            "cpu_share": round(cpu / seconds, 4),
        }


def get_page(port: int) -> None:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    link.request("GET", "/api/v1/live", headers={"Authorization": f"Bearer {KEY}"})
    link.getresponse().read()
    link.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--limit-mib", type=float, default=80)
    arguments = parser.parse_args()
    found = measure(arguments.streams, arguments.seconds)
    print(json.dumps(found))
    return int(found["pss_mib"] > arguments.limit_mib)


if __name__ == "__main__":
    sys.exit(main())
