"""What InfluxDB will never take, kept beside the store in a small file, each line with its reason."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from gateway.clock import Clock, to_iso

log = logging.getLogger(__name__)

LARGEST = 256 * 1024


class Quarantine:
    """A file of one JSON object a line: `at`, `reason`, `line`. The oldest half goes when it is full."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self.file = file
        self._clock = clock

    def add(self, line: str, reason: str) -> None:
        """Keep a line. A disk that does not let us is no reason to stop: the line is still in the store."""
        entry = json.dumps({"at": to_iso(self._clock.now()), "reason": reason, "line": line}, ensure_ascii=False)
        log.warning("influxdb.refused reason=%s", reason)
        try:
            self._make_room()
            handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "a", encoding="utf-8") as file:
                file.write(entry + "\n")
        except OSError as error:
            log.warning("influxdb.quarantine error=%r", error)

    def _make_room(self) -> None:
        try:
            if self.file.stat().st_size < LARGEST:
                return
        except FileNotFoundError:
            return
        lines = self.file.read_text(encoding="utf-8").splitlines(keepends=True)
        self.file.write_text("".join(lines[len(lines) // 2 :]), encoding="utf-8")
