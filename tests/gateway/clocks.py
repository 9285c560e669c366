"""A clock that a test moves."""

from gateway.clock import UtcMs

NOON = UtcMs(1_782_036_000_000)  # 2026-06-21T10:00:00Z


class FakeClock:
    def __init__(self, now: int = NOON) -> None:
        self.wall = now
        self.mono = 1000.0

    def now(self) -> UtcMs:
        return UtcMs(self.wall)

    def monotonic(self) -> float:
        return self.mono

    def pass_s(self, seconds: float) -> None:
        self.wall += round(seconds * 1000)
        self.mono += seconds
