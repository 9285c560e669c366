"""Cuts the power under a live writer: a disk image is copied while the writer stands still, as a cut would leave it.

What ext4 has not sent to the loop device is not in the image. The order of writes is kept: a card that lies about
having written is not simulated.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from gateway.clock import FastClock, SystemClock, UtcMs
from gateway.store.arrivals import Arrivals
from gateway.store.read import Reader
from gateway.store.schema import open_for_writing
from tests.faults import live_writer

SPEED = 60.0
MINUTE, HOUR = 60_000, 3_600_000
_SETTLED = 6 * MINUTE


def can_mount() -> bool:
    """Tell whether this machine lets us make disks."""
    return os.geteuid() == 0 and Path("/dev/loop-control").exists() and shutil.which("mkfs.ext4") is not None


class Disk:
    """A fresh ext4 of its own, in an image."""

    def __init__(self, scratch: Path, size: str = "64M") -> None:
        self.image, self.folder = scratch / "disk.img", scratch / "disk"
        self.folder.mkdir()
        subprocess.run(["truncate", "-s", size, self.image], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        self.mount()

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop,noatime", self.image, self.folder], check=True)

    def unmount(self) -> None:
        """Take the disk away; what a failed test still holds open goes with its process."""
        subprocess.run(["umount", "-l", self.folder], check=True)


@contextlib.contextmanager
def mounted_copy(disk: Disk, scratch: Path):
    """Yield the folder of a disk as a cut at this moment leaves it."""
    copy, folder = scratch / "cut.img", scratch / "cut"
    folder.mkdir(exist_ok=True)
    subprocess.run(["cp", "--sparse=always", disk.image, copy], check=True)
    subprocess.run(["mount", "-o", "loop,noatime", copy, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        copy.unlink()


class Household:
    """The writer's process, what it said it had put, and a calendar that is shared with it."""

    def __init__(self, path: Path, commit_s: int) -> None:
        self.path, self.commit_s = path, commit_s
        self.origin = SystemClock().now()
        self.clock = FastClock(UtcMs(self.origin), SPEED)
        self.said: dict[int, float] = {}
        self._commits: list[tuple[int, int]] = []
        self._child: subprocess.Popen[bytes] | None = None
        self._rest = b""

    def start(self) -> None:
        first = max(self.said, default=-1) + 1
        script, arguments = live_writer.__file__, (self.path, self.commit_s, first, self.origin, SPEED)
        self._commits.clear()
        self._child = subprocess.Popen([sys.executable, script, *map(str, arguments)], stdout=subprocess.PIPE)
        os.set_blocking(self._child.stdout.fileno(), False)

    def listen(self, seconds: float) -> None:
        """Let the writer go on for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            self._read()
        assert self._child.poll() is None, "the writer ended"

    def hold(self) -> None:
        """Stop the writer where it is."""
        self._child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._child.pid, os.WSTOPPED | os.WNOWAIT)
        self._read()

    def go_on(self) -> None:
        self._child.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()
        self._read()
        self._child.stdout.close()

    @property
    def promised(self) -> int:
        """Return the last round that must be in the file, however late a busy machine commits: what was put before one
        commit was seen to end is in the next one.
        """
        return self._commits[-2][0] if len(self._commits) > 1 else -1

    def lost_s(self, stored: int) -> float:
        """Return how old the oldest round is that is not in a file which has `stored` as its last."""
        missing = [when for n, when in self.said.items() if n > stored]
        return max(self.said.values()) - min(missing) if missing else 0.0

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._rest += self._child.stdout.read() or b""
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            n, when, commit = line.split()
            self.said[int(n)] = float(when)
            if int(commit) and (not self._commits or self._commits[-1][1] != int(commit)):
                self._commits.append((int(n), int(commit)))


@dataclass
class Witness:
    """Reads all the while, and complains of a number that cannot be."""

    path: Path
    clock: FastClock
    start: int
    looks: int = 0
    _past: dict[int, tuple] = field(default_factory=dict)

    def look(self) -> None:
        now = self.clock.now()
        with Reader(self.path, self.clock) as reader:
            info = reader.info()
            if info.last is None:
                return
            points = reader.history("grid.import.energy", now - HOUR // 2, now, "raw").points
            since = max(self.start, now - 3 * HOUR)
            buckets = reader.energy(UtcMs(since), now, "1m")
        registers = [value for _, value, _ in points]
        assert registers == sorted(registers)
        for bucket in buckets:
            for flow in (bucket.import_wh, bucket.production_wh):
                assert flow is None or flow >= 0
            assert bucket.import_wh == bucket.production_wh
            if bucket.coverage == 1 and bucket.end < info.last - _SETTLED:
                found = (bucket.import_wh, bucket.estimated)
                assert self._past.setdefault(bucket.start, found) == found
        self.looks += 1


def check_file(path: Path, clock: FastClock) -> set[int]:
    """Check a file as a cut left it, and return the rounds it has of both devices."""
    if not path.exists():
        return set()
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()
    with Arrivals(path, clock) as arrivals:
        found = arrivals.after(0, 1_000_000)
    assert [one.seq for one in found] == sorted({one.seq for one in found})
    rounds = {}
    for signal_name in ("grid.import.energy", "pv.energy"):
        rounds[signal_name] = {one.values[signal_name] for one in found if signal_name in one.values}
    return rounds["grid.import.energy"] & rounds["pv.energy"]


class Trial:
    """A household on a disk of its own whose power is cut again and again, and what that cost."""

    def __init__(self, scratch: Path, commit_s: int, seed: int = 1) -> None:
        self.scratch, self.disk = scratch, Disk(scratch)
        self.home = Household(self.disk.folder / "measure.db", commit_s)
        self.witness = Witness(self.home.path, self.home.clock, self.home.origin)
        self.lost_s: list[float] = []
        self.killed_lost_s: list[float] = []
        self._chance = random.Random(seed)
        self._excused: set[int] = set()

    def __enter__(self) -> Self:
        self.home.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.home.kill()
        self.disk.unmount()

    @property
    def bound_s(self) -> float:
        """Return how much a cut may cost: the commit interval, the second of the writer's tick, and slow machines."""
        busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        return self.home.commit_s + 1.0 + 2.0 * busy

    def live(self, shortest: float = 0.3, longest: float = 1.5) -> None:
        """Let time pass, with a look at the numbers."""
        self.home.listen(self._chance.uniform(shortest, longest))
        self.witness.look()

    def cut(self) -> None:
        """Look at what a power cut at this moment leaves."""
        self.home.hold()
        try:
            with mounted_copy(self.disk, self.scratch) as folder:
                self.lost_s.append(self._loss(folder / self.home.path.name))
                # and the next gateway goes on with that file
                open_for_writing(folder / self.home.path.name, self.home.clock).close()
        finally:
            self.home.go_on()

    def kill(self) -> None:
        """Kill the writer, look at the file with the witness' eyes, and start another."""
        self.home.kill()
        self.witness.look()
        self.killed_lost_s.append(self._loss(self.home.path))
        stored = check_file(self.home.path, self.home.clock)
        self._excused |= set(self.home.said) - stored
        self.home.start()

    def _loss(self, path: Path) -> float:
        stored = check_file(path, self.home.clock)
        newest = max(stored, default=-1)
        assert {n for n in self.home.said if n <= newest} - stored - self._excused == set()
        assert newest >= self.home.promised, "a round that was committed is gone"
        lost = self.home.lost_s(newest)
        assert lost <= self.bound_s, f"{lost:.1f} s lost"
        return lost
