"""The command socket: the short typed list of what other processes may ask of the gateway. One request a connection.

`{"command": "history", "signal": NAME, "from": MS, "to": MS, "step": "raw"|"1m"}` is answered by lines
`{"points": [[MS, VALUE, QUALITY], ...]}`, oldest first, then `{"end": true}`; or `{"error": {"fr": ..., "en": ...}}`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from gateway.errors import FoyerError, Text
from gateway.signals import find
from gateway.store.read import Point

_LONGEST_LINE = 4_096
_LONGEST_MS = 4 * 86_400_000
_PATIENCE_S = 5.0
_STEPS = ("raw", "1m")


class Past(Protocol):
    """Who reads what the box no longer has; `gateway.outputs.influx.readback.ReadBack` does."""

    def hours(self, signal: str, start: int, end: int, step: str) -> Iterator[list[Point]]:
        """Yield points, a piece at a time."""
        ...


class CommandSocket:
    """The socket. Its file is the group's to write, nobody else's."""

    def __init__(self, path: Path, past: Past) -> None:
        self._path = path
        self._past = past
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Semaphore(1)

    async def start(self) -> None:
        """Open the socket; a file left by a killed process is replaced."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=_LONGEST_LINE)
        self._path.chmod(0o660)

    async def stop(self) -> None:
        """Close the socket and end every answer under way."""
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            pass  # who asked went away, or we are stopping
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), _PATIENCE_S)
            signal, start, end, step = _request(line)
            async with self._one_at_a_time:
                pieces = self._past.hours(signal, start, end, step)
                while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                    if piece:
                        await _send(writer, {"points": [[at, value, quality.value] for at, value, quality in piece]})
            await _send(writer, {"end": True})
        except FoyerError as error:
            await _send(writer, {"error": error.what.as_json()})
        except ValueError:  # a line that never ends
            await _send(writer, {"error": _NOT_UNDERSTOOD.as_json()})


_NOT_UNDERSTOOD = Text("Cette demande n’est pas comprise.", "This request is not understood.")


def _request(line: bytes) -> tuple[str, int, int, str]:
    """Return signal, start, end and step of a request; raise FoyerError for anything else than a proper one."""
    try:
        asked = json.loads(line)
        signal, start, end, step = asked["signal"], asked["from"], asked["to"], asked["step"]
        proper = (
            asked["command"] == "history"
            and isinstance(signal, str)
            and find(signal) is not None
            and type(start) is type(end) is int
            and 0 <= start < end <= start + _LONGEST_MS
            and step in _STEPS
        )
    except (ValueError, KeyError, TypeError):
        proper = False
    if not proper:
        raise FoyerError(_NOT_UNDERSTOOD)
    return signal, start, end, step


async def _send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
    await asyncio.wait_for(writer.drain(), _PATIENCE_S)
