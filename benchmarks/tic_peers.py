"""The TIC decoder beside the packages of PyPI, on the same bytes: groups a second, and how many come out at all.

Run `python benchmarks/tic_peers.py [--frames N] [--venv DIR]`. The peers are installed into a virtual environment of
their own (a temporary one, unless given) and run there, each in its own process. They read historic mode only, seven
bits without parity; Foyer reads the same frames with every gate, with the parity kept. A peer that cannot be had or
does not run is said so and left out. The ratios are the figures to keep: they do not depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from drivers.linky.frame import Decoder
from drivers.linky.group import Group
from drivers.linky.plausible import Gate
from drivers.linky.sim import MeterState, historic_frame, with_parity
from gateway.clock import UtcMs

_CHUNK = 65_536
_START = 1_750_503_900_000
_RUNS = 3

# Each worker gets the file of frames, and sets `decode(data)`, which returns how many groups came out.
_HEAD = """
import io, json, logging, sys, time
logging.disable(logging.CRITICAL)
data = open(sys.argv[1], "rb").read()
class Port(io.BytesIO):
    def readline(self, *_):
        line = super().readline()
        if not line:
            raise EOFError
        return line
"""
_TAIL = """
best, groups = 1e9, 0
for _ in range(int(sys.argv[2])):
    before = time.process_time()
    groups = decode(data)
    best = min(best, time.process_time() - before)
print(json.dumps({"seconds": best, "groups": groups}))
"""
_FRAMES = """
from {module}.teleinfo import Teleinfo
def decode(data):
    one = Teleinfo("none")
    one.reader = Port(data)
    groups = 0
    try:
        while True:
            frame = one.read_frame()
            if hasattr(frame, "send"):
                try:
                    frame.send(None)
                except StopIteration as end:
                    frame = end.value
            groups += len(frame.groups)
    except EOFError:
        return groups
"""
_CHARACTERS = """
from teleinfo.parser import Parser
from teleinfo.base_vendor import BASE_vendor
class End(Exception):
    pass
class Source(BASE_vendor):
    def __init__(self, data):
        self.read_char = iter(data.decode("ascii")).__next__
    def __iter__(self):
        return iter(self.read_char, None)
def decode(data):
    groups = 0
    try:
        parser = Parser(Source(b"\\x02" + data))
        while True:
            groups += len(parser.get_frame())
    except (StopIteration, RuntimeError):
        return groups
"""
_LINES = """
from serial_teleinfo.parser import parse_line
def decode(data):
    groups = 0
    for line in io.BytesIO(data):
        try:
            parse_line(line)
        except Exception:
            continue
        groups += 1
    return groups
"""
PEERS = {
    "python-tic==1.1.1": _FRAMES.format(module="ticpy"),
    "pytictri==2.0.4": _FRAMES.format(module="pytictri"),
    "pyticcom==1.2": _FRAMES.format(module="pyticcom"),
    "serial-teleinfo==1.0.1": _LINES,
    "teleinfo==1.3.1": _CHARACTERS,
}


def frames(count: int) -> bytes:
    """Return historic frames of an off-peak contract whose load and indexes move, in seven bits."""
    return b"".join(
        historic_frame(
            MeterState(
                at=UtcMs(_START + 1500 * n),
                address="021961234567",
                import_wh=4_321_000,
                indexes=(3_000_000, 1_321_000 + 2 * n),
                export_wh=None,
                voltage_v=(235.0,),
                current_a=(n * 7 % 30,),
                import_va=n * 1730 % 9000,
                export_va=0,
                import_w=0.0,
                export_w=0.0,
                index=1,
                calendar="",
                tariff="",
                subscribed_kva=9,
            )
        )
        for n in range(count)
    )


def foyer(data: bytes) -> int:
    """Return how many groups pass every gate."""
    decoder = Decoder(judge=Gate())
    return sum(
        isinstance(event, Group)
        for start in range(0, len(data), _CHUNK)
        for event in decoder.feed(data[start : start + _CHUNK])
    )


def ours(data: bytes) -> dict[str, float]:
    """Return our own best time and groups, with the parity kept."""
    wire, best, groups = with_parity(data), float("inf"), 0
    for _ in range(_RUNS):
        before = time.process_time()
        groups = foyer(wire)
        best = min(best, time.process_time() - before)
    return {"seconds": best, "groups": groups}


def theirs(package: str, worker: str, python: Path, file: Path) -> dict[str, float] | str:
    """Return a peer's best time and groups, or the word why there is none."""
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return "not available"
    command = [python, "-c", _HEAD + worker + _TAIL, file, str(_RUNS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        return f"does not run: {(done.stderr.strip().splitlines() or ['?'])[-1]}"
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--frames", type=int, default=5_000)
    arguments.add_argument("--venv", type=Path, help="an environment to keep and use again")
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    text = frames(chosen.frames)
    sent = text.count(b"\r")
    rows = [{"decoder": "foyer", **ours(text)}]
    with tempfile.TemporaryDirectory() as folder:
        home = chosen.venv or Path(folder) / "peers"
        if not (home / "bin/python").exists():
            venv.create(home, with_pip=True)
        file = Path(folder) / "frames"
        file.write_bytes(text)
        for package, worker in PEERS.items():
            found = theirs(package, worker, home / "bin/python", file)
            if isinstance(found, str):
                print(f"{package}: {found}", file=sys.stderr)
            else:
                rows.append({"decoder": package, **found})
    own = rows[0]["seconds"]
    for row in rows:
        row |= {"sent": sent, "found_part": round(row["groups"] / sent, 4), "ratio": round(row["seconds"] / own, 2)}
    if chosen.json:
        print(json.dumps(rows))
        return
    print(f"{'decoder':26}{'frames a second':>16}{'groups found':>14}{'time, Foyer = 1':>17}")
    for row in rows:
        print(f"{row['decoder']:26}{chosen.frames / row['seconds']:16,.0f}{row['found_part']:14.1%}{row['ratio']:17}")


if __name__ == "__main__":
    main()
