"""Hands one batch to the server: what it will never take is left out and counted, the rest arrives.

InfluxDB answers 400 to a whole batch for one bad line in it, often having stored the others. To send a point again is
harmless (same measurement, tags and time: same point), so a refused batch is sent again in halves until the bad line
stands alone; a field whose type differs over there is left out instead, for each row has it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.outputs.influx.faults import Refusal, Rejected
from gateway.outputs.influx.lines import Field, Row, encode, place_of
from gateway.outputs.influx.quarantine import Quarantine

_Line = tuple[Row, str]


class Delivery:
    """Counts what it did since it was made: points `sent`, `refused`, and `beyond` what the server keeps."""

    def __init__(self, write: Callable[[bytes], None], home: str, quarantine: Quarantine) -> None:
        self.sent = self.refused = self.beyond = 0
        self.left_out: dict[Field, str] = {}
        """Fields the server has with another type, with its words."""
        self._write = write
        self._home = home
        self._quarantine = quarantine

    def send(self, rows: Sequence[Row], *, texts: bool = True) -> None:
        """Send rows until the server has all it can take. Raises Away, Denied, NoDatabase: then send them again."""
        waiting = [list(rows)]
        while waiting:
            batch = waiting.pop()
            lines = [(row, line) for row in batch if (line := self._encoded(row, texts=texts)) is not None]
            if not lines:
                continue
            refusal = self._attempt([line for _, line in lines])
            if refusal is not None:
                # the older half on top: points arrive in order
                waiting += reversed(self._after(refusal, lines))

    def _encoded(self, row: Row, *, texts: bool) -> str | None:
        return encode(row, self._home, self.left_out, texts=texts)

    def _attempt(self, lines: list[str]) -> Refusal | None:
        try:
            self._write("\n".join(lines).encode())
        except Rejected as error:
            refusal = error.refusal
            if refusal.beyond is None:
                return refusal
            beyond = min(refusal.beyond, len(lines))
            self.beyond += beyond
            self.sent += len(lines) - beyond
            return None
        self.sent += len(lines)
        return None

    def _after(self, refusal: Refusal, lines: list[_Line]) -> list[list[Row]]:
        """Return what is still to be sent, oldest first, after a batch was refused."""
        rows = [row for row, _ in lines]
        if refusal.conflict and self._leave_out(refusal.conflict, refusal.reason, rows):
            return [rows]
        if refusal.lines:
            return self._after_named(refusal, lines)
        if len(lines) == 1:
            self._refuse(lines[0][1], refusal.reason)
            return []
        middle = len(rows) // 2
        return [rows[:middle], rows[middle:]]

    def _after_named(self, refusal: Refusal, lines: list[_Line]) -> list[list[Row]]:
        gone = set()
        learnt = False
        for named in refusal.lines:
            if not 1 <= named.number <= len(lines):
                continue
            row, line = lines[named.number - 1]
            field = (place_of(row.source)[0], named.field) if named.field else None
            if field and (field in self.left_out or self._leave_out(field, named.reason, [row])):
                learnt = True
                continue
            self._refuse(line, named.reason)
            gone.add(named.number - 1)
        if not gone and not learnt:
            # it named lines we did not send: all that is certain is that it is not content
            middle = len(lines) // 2
            if not middle:
                self._refuse(lines[0][1], refusal.reason)
                return []
            return [[row for row, _ in lines[:middle]], [row for row, _ in lines[middle:]]]
        return [[row for n, (row, _) in enumerate(lines) if n not in gone]]

    def _leave_out(self, field: Field, reason: str, rows: list[Row]) -> bool:
        """Leave a field out from now on; False when that changes nothing of these rows."""
        measurement, name = field
        concerned = any(
            place_of(row.source)[0] == measurement and (name in row.values or row.estimated) for row in rows
        )
        if field in self.left_out or not concerned:
            return False
        self.left_out[field] = reason
        self._quarantine.add(f"{measurement} {name}", reason)
        return True

    def _refuse(self, line: str, reason: str) -> None:
        self.refused += 1
        self._quarantine.add(line, reason)
