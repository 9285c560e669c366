"""A home whose seconds a test decides, recorded by a real Recorder into a real file."""

from pathlib import Path

from gateway.bus import Batch
from gateway.config import Store
from gateway.reading import Quality, Reading
from gateway.store.fold import fold
from gateway.store.read import Reader
from gateway.store.recorder import Recorder
from gateway.store.schema import transaction
from tests.gateway.clocks import FakeClock

HOUR = 3_600_000
DAY = 86_400_000
# 2026-06-21T10:00:00Z, on the hour
START = 1_782_036_000_000

LINKY = "linky"
ROOF = "inverter:roof"


class Box:
    """A recorder with a clock that moves; `say` is one round of a device."""

    def __init__(self, folder: Path, start: int = START, settings: Store | None = None) -> None:
        self.path = folder / "measure.db"
        self.clock = FakeClock(start)
        self.settings = settings or Store()
        self.recorder = Recorder(self.path, self.clock, self.settings)
        self.recorder.open()

    def say(self, source: str, values: dict, quality: Quality = Quality.MEASURED, *, frame_end: bool = True) -> None:
        readings = tuple(Reading(name, value, self.clock.now(), quality) for name, value in values.items())
        self.recorder.take(self.clock.monotonic(), Batch(source, readings, frame_end))

    def wait(self, seconds: float) -> None:
        self.clock.pass_s(seconds)
        self.recorder.tick()

    def commit(self) -> None:
        self.wait(self.settings.commit_s + 1)

    def fold(self) -> None:
        """Bring what is committed to the raw tables, as the end of an hour does."""
        connection = self.recorder._connected()
        with transaction(connection):
            fold(connection, self.recorder._catalog)

    def restart(self, *, cleanly: bool = True) -> None:
        if cleanly:
            self.recorder.close()
        else:
            self.recorder._disconnect()  # what a kill leaves: the connection goes, nothing is flushed
        self.recorder = Recorder(self.path, self.clock, self.settings)
        self.recorder.open()

    def reader(self) -> Reader:
        return Reader(self.path, self.clock)

    def history(self, signal: str, step: str, start: int = START, end: int | None = None) -> list[tuple]:
        with self.reader() as reader:
            return reader.history(signal, start, self.clock.now() + 1 if end is None else end, step).points

    def values(self, signal: str, step: str, start: int = START, end: int | None = None) -> list:
        return [value for _, value, _ in self.history(signal, step, start, end)]

    def close(self) -> None:
        self.recorder.close()
