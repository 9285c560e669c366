"""`foyer import`: the past of another program becomes this home's, where it has none of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from gateway import config as configuration
from gateway.archive.imports import emoncms, home_assistant, influxdb, journal
from gateway.archive.imports.mapping import chosen, propose
from gateway.archive.imports.plan import Found, look, steps
from gateway.archive.imports.source import Series
from gateway.archive.imports.writing import undo, write
from gateway.cli import FAILED, say
from gateway.clock import system_clock, to_datetime, to_iso
from gateway.commands import config_option, json_option
from gateway.config import Config
from gateway.store.steps import zone_of

_SHOWN = 40

_map_option = click.option(
    "--map",
    "given",
    multiple=True,
    metavar="SERIES=SIGNAL[:UNIT]",
    help=say(
        "Ce que devient une série ; plusieurs fois si besoin.", "What a series becomes; several times if need be."
    ),
)
_write_option = click.option(
    "--write", "really", is_flag=True, help=say("Écrit vraiment ; sinon montre seulement.", "Write; else only show.")
)
_one_file = click.argument("file_", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
_files = click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)


@click.group(
    "import", help=say("Reprend l’historique d’un autre programme.", "Take over the history of another program.")
)
def import_command() -> None:
    """Gather the sources."""


@import_command.command("home-assistant", help=say("Base home-assistant_v2.db.", "Database home-assistant_v2.db."))
@_one_file
@_map_option
@_write_option
@config_option
@json_option
def from_home_assistant(file_: Path, given: Sequence[str], file: Path | None, *, really: bool, as_json: bool) -> int:
    """Import the long-term statistics of Home Assistant."""
    config = configuration.load(file)
    return _import(config, "home-assistant", [file_], home_assistant.read(file_), given, really=really, as_json=as_json)


@import_command.command(
    "emoncms", help=say("Fichiers .dat et .meta, .MYD ou .csv.", "Files .dat and .meta, .MYD or .csv.")
)
@_files
@_map_option
@_write_option
@config_option
@json_option
def from_emoncms(files: Sequence[Path], given: Sequence[str], file: Path | None, *, really: bool, as_json: bool) -> int:
    """Import the feeds of emoncms."""
    config = configuration.load(file)
    series = emoncms.read(list(files), zone_of(config.home.timezone))
    return _import(config, "emoncms", files, series, given, really=really, as_json=as_json)


@import_command.command("influxdb", help=say("Line protocol, ou CSV.", "Line protocol, or CSV."))
@_files
@_map_option
@_write_option
@config_option
@json_option
def from_influxdb(
    files: Sequence[Path], given: Sequence[str], file: Path | None, *, really: bool, as_json: bool
) -> int:
    """Import what InfluxDB exported."""
    config = configuration.load(file)
    series = influxdb.read(list(files), zone_of(config.home.timezone))
    return _import(config, "influxdb", files, series, given, really=really, as_json=as_json)


@import_command.command("list", help=say("Ce qui a été importé.", "What was imported."))
@config_option
@json_option
def list_imports(file: Path | None, *, as_json: bool) -> None:
    """Print the imports of this home."""
    there = journal.read(configuration.load(file).state)
    if as_json:
        click.echo(json.dumps([_note(one) for one in there], ensure_ascii=False))
        return
    if not there:
        click.echo(say("Rien n’a été importé.", "Nothing was imported."))
    for one in there:
        click.echo(f"{one.id}  {to_iso(one.at)}  {one.source}  {', '.join(one.files)}")
        for part in one.parts:
            click.echo(f"    {part.signal}  {_day(part.first)} – {_day(part.until)}  ({part.series})")


@import_command.command("undo", help=say("Retire un import.", "Take an import out again."))
@click.argument("number", metavar="ID", type=int)
@config_option
@json_option
def undo_import(number: int, file: Path | None, *, as_json: bool) -> None:
    """Take an import out again."""
    gone = undo(configuration.load(file), system_clock(), number)
    if as_json:
        click.echo(json.dumps(_note(gone), ensure_ascii=False))
        return
    signals = ", ".join(part.signal for part in gone.parts)
    click.echo(say(f"Import {number} retiré : {signals}.", f"Import {number} taken out: {signals}."))


def _note(one: journal.Import) -> dict[str, Any]:
    parts = [
        {"series": part.series, "signal": part.signal, "from": to_iso(part.first), "to": to_iso(part.until)}
        for part in one.parts
    ]
    return {"id": one.id, "at": to_iso(one.at), "source": one.source, "files": list(one.files), "parts": parts}


def _day(at: int) -> str:
    return to_datetime(at).date().isoformat()


def _import(
    config: Config,
    source: str,
    files: Sequence[Path],
    series: list[Series],
    given: Sequence[str],
    *,
    really: bool,
    as_json: bool,
) -> int:
    """Show, or write, what the series become; 1 when nothing of them can be imported."""
    targets = chosen(series, given) if given else propose(series)
    clock = system_clock()
    wanted = steps(config, clock, series, targets)
    note = None
    if really:
        note, found = write(config, clock, source, files, wanted)
    else:
        found = [look(step) for step in wanted]
    left = [one for one in series if one.id not in targets]
    if as_json:
        _print_json(found, left, note)
    else:
        _print(found, left, note)
    return 0 if any(one.seen.count for one in found) else FAILED


def _print_json(found: Sequence[Found], left: Sequence[Series], note: journal.Import | None) -> None:
    whole = {
        "written": note is not None,
        "id": note.id if note else None,
        "series": [one.as_json() for one in found],
        "not_taken": [{"series": one.id, "name": one.name, "unit": one.unit} for one in left],
    }
    click.echo(json.dumps(whole, ensure_ascii=False))


def _print(found: Sequence[Found], left: Sequence[Series], note: journal.Import | None) -> None:
    for one in found:
        click.echo(f"{one.step.series.id}  →  {one.step.target.signal}")
        for line in _lines(one):
            click.echo(f"    {line}")
    if left:
        click.echo(say("Séries laissées de côté :", "Series left aside:"))
        for series in left[:_SHOWN]:
            click.echo(f"    {series.id}  {series.unit}".rstrip())
        if len(left) > _SHOWN:
            click.echo(f"    … + {len(left) - _SHOWN}")
    if note is not None:
        click.echo(
            say(
                f"Importé sous le numéro {note.id}. Pour revenir en arrière : foyer import undo {note.id}",
                f"Imported as number {note.id}. To go back: foyer import undo {note.id}",
            )
        )
    elif any(one.seen.count for one in found):
        click.echo(say("Rien n’est écrit. Pour le faire : --write", "Nothing is written. To do it: --write"))
    else:
        click.echo(
            say(
                "Rien à importer : choisissez avec --map SÉRIE=MESURE[:UNITÉ].",
                "Nothing to import: choose with --map SERIES=SIGNAL[:UNIT].",
            )
        )


def _lines(found: Found) -> list[str]:
    seen = found.seen
    if seen.first is None or seen.last is None:
        return [say("rien avant les mesures de la boîte", "nothing before the box’s own readings")]
    energy = found.energy_wh
    lines = [
        say(
            f"du {_day(seen.first)} au {_day(seen.last)}, {seen.count} valeurs",
            f"{_day(seen.first)} to {_day(seen.last)}, {seen.count} values",
        )
    ]
    if energy is not None:
        lines.append(f"{energy / 1000:.1f} kWh")
    told: tuple[tuple[int, Callable[[], str]], ...] = (
        (
            seen.gaps,
            lambda: say(
                f"{seen.gaps} trous, {seen.gap_ms / 3_600_000:.0f} h en tout",
                f"{seen.gaps} gaps, {seen.gap_ms / 3_600_000:.0f} h in all",
            ),
        ),
        (seen.resets, lambda: say(f"{seen.resets} remises à zéro", f"{seen.resets} resets")),
        (
            seen.glitches,
            lambda: say(f"{seen.glitches} valeurs aberrantes laissées", f"{seen.glitches} glitches left out"),
        ),
        (
            seen.refused,
            lambda: say(f"{seen.refused} valeurs impossibles laissées", f"{seen.refused} impossible values left out"),
        ),
    )
    return lines + [line() for count, line in told if count]
