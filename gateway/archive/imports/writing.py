"""Writes an import into the store, and takes it out again. The gateway must be stopped: its lock is held meanwhile."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.archive.imports import journal
from gateway.archive.imports.journal import Import, Part
from gateway.archive.imports.own import first_value
from gateway.archive.imports.plan import Found, Step, look
from gateway.archive.imports.shaping import MINUTE_MS, MOST_W, Seen
from gateway.archive.imports.source import HOUR_MS
from gateway.archive.ownership import give_to_owner
from gateway.archive.quiet import at_rest
from gateway.clock import Clock, UtcMs
from gateway.config import Config
from gateway.errors import FoyerError, Text
from gateway.store.load import load_minutes
from gateway.store.read import Reader
from gateway.store.schema import open_for_writing, transaction

_TABLES = ("m1", "m30", "change", "quality")
_REMOVE = "DELETE FROM {} WHERE series = (SELECT id FROM series WHERE signal = ?) AND ts >= ? AND ts < ?"


def write(
    config: Config, clock: Clock, source: str, files: Sequence[Path], steps: Sequence[Step]
) -> tuple[Import, list[Found]]:
    """Import the steps, note them, and return the note and what was found. Raises FoyerError, BadFile.

    Every file is read whole before anything is written; the note comes before the values, so that an import that a
    power cut ended can be undone too.
    """
    with _stopped(config):
        found = [one for one in map(look, steps) if one.seen.count]
        if not found:
            raise FoyerError(
                Text("Il n’y a rien à importer.", "There is nothing to import."),
                Text(
                    "La boîte a déjà ses propres mesures de ces périodes, ou aucune série n’est choisie.",
                    "The box has measured these times itself, or no series is chosen.",
                ),
            )
        is_fresh = not config.measure_db.exists()
        there = journal.read(config.state)
        number = max((one.id for one in there), default=0) + 1
        names = tuple(file.name for file in files)
        note = Import(number, clock.now(), source, names, tuple(map(_part, found)))
        journal.write(config.state, [*there, note])
        for one in found:
            _load(config, clock, one)
        _join(config, clock, found)
        if is_fresh:
            give_to_owner(config.measure_db)
    return note, found


@contextlib.contextmanager
def _stopped(config: Config) -> Iterator[None]:
    config.state.mkdir(parents=True, exist_ok=True)
    with at_rest(config.state):
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise FoyerError(
                Text(f"L’écriture n’a pas abouti : {error}.", f"Writing did not work out: {error}."),
                Text(
                    "Vérifiez la place et le droit d’écrire, puis « foyer import undo ».",
                    "Check the room left and the right to write, then “foyer import undo”.",
                ),
            ) from error


def _part(found: Found) -> Part:
    step, seen = found.step, found.seen
    assert seen.first is not None
    assert seen.last is not None
    end = UtcMs(seen.last + MINUTE_MS)
    return Part(step.series.id, step.target.signal, seen.first, end, seen.count, _joined_at(found), step.is_new)


def _joined_at(found: Found) -> UtcMs | None:
    """Return where the box's own counter starts anew, seen from the imported one; None when it simply goes on."""
    own, seen = found.step.own, found.seen
    if own is None or seen.last is None or not found.step.target.counts:
        return None
    moved = own.value - seen.last_value
    goes_on = 0 <= moved <= MOST_W * (own.at - seen.last) / HOUR_MS
    return None if goes_on else own.at


def _load(config: Config, clock: Clock, found: Found) -> None:
    step = found.step
    signal = step.target.signal
    # a mean of an hour is no measure of its minutes: only the half-hours are kept of it
    coarse = not step.target.counts and step.series.hold_ms > MINUTE_MS
    load_minutes(
        config.measure_db,
        ((at, {signal: value}) for at, value in step.samples(Seen())),
        demo=False,
        clock=clock,
        settings=config.store,
        minute_days=0 if coarse else None,
    )


def _join(config: Config, clock: Clock, found: Sequence[Found]) -> None:
    """Note where one counter ends and the other begins, as the store does when a meter is exchanged."""
    rows = []
    for one in found:
        at, own = _joined_at(one), one.step.own
        if at is not None and own is not None:
            scale = 10**one.step.target.kind.scale
            rows.append((at, round(one.seen.last_value * scale), round(own.value * scale), one.step.target.signal))
    if not rows:
        return
    with _database(config.measure_db, clock) as database, transaction(database):
        database.executemany(
            "INSERT OR REPLACE INTO segment (series, ts, before, after) "
            "SELECT id, ?, ?, ? FROM series WHERE signal = ?",
            rows,
        )


@contextlib.contextmanager
def _database(path: Path, clock: Clock) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(open_for_writing(path, clock)) as database:
        yield database


def undo(config: Config, clock: Clock, number: int) -> Import:
    """Take an import out of the store; what the box measured itself, and other imports, stay. Raises FoyerError."""
    with _stopped(config):
        there = journal.read(config.state)
        wanted = next((one for one in there if one.id == number), None)
        if wanted is None:
            known = ", ".join(str(one.id) for one in there) or "–"
            raise FoyerError(
                Text(f"Il n’y a pas d’import {number}.", f"There is no import {number}."),
                Text(f"Il y a : {known}.", f"There is: {known}."),
            )
        _refuse_while_leaned_on(wanted, there)
        if config.measure_db.exists():
            _remove(config, clock, wanted)
        journal.write(config.state, [one for one in there if one.id != number])
    return wanted


def _refuse_while_leaned_on(wanted: Import, there: Sequence[Import]) -> None:
    """Refuse when a later import goes on before this one: its counter was joined to this one's."""
    signals = {part.signal for part in wanted.parts}
    later = [one.id for one in there if one.id > wanted.id and any(part.signal in signals for part in one.parts)]
    if later:
        raise FoyerError(
            Text(
                f"L’import {max(later)} s’appuie sur celui-ci.",
                f"Import {max(later)} leans on this one.",
            ),
            Text(f"Annulez d’abord l’import {max(later)}.", f"Undo import {max(later)} first."),
        )


def _remove(config: Config, clock: Clock, wanted: Import) -> None:
    with _database(config.measure_db, clock) as database, transaction(database):
        for part in wanted.parts:
            # half-hours stand at their start, which may be before the first value
            bounds = (part.signal, part.first - part.first % HOUR_MS, part.until)
            for table in _TABLES:
                database.execute(_REMOVE.format(table), bounds)
            database.execute(
                "DELETE FROM segment WHERE series = (SELECT id FROM series WHERE signal = ?) AND ts = ?",
                (part.signal, part.joined_at),
            )
    with Reader(config.measure_db, clock) as reader:
        unused = [
            part.signal
            for part in wanted.parts
            if part.is_new and first_value(reader, part.signal, clock.now()) is None
        ]
    # a signal that nothing is known of any more is not one of this home: its balances would wait for it
    with _database(config.measure_db, clock) as database, transaction(database):
        database.executemany("DELETE FROM series WHERE signal = ?", [(signal,) for signal in unused])
