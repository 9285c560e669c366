"""`foyer history`: the stored values of one signal."""

from __future__ import annotations

import csv
import json
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.cli import say
from gateway.clock import UtcMs, from_datetime, system_clock, to_datetime, to_iso
from gateway.config import load
from gateway.outputs.past import complete
from gateway.store.read import History, Reader, Step
from gateway.store.steps import zone_of

_PATIENCE_S = 60.0
_ROWS = 1_000_000  # a command may take its time; only the memory of the machine sets a bound


@click.command(help=say("Les valeurs enregistrées d’une mesure.", "The stored values of a signal."))
@click.argument("signal")
@click.option(
    "--from",
    "since",
    metavar="T",
    help=say("Début : date ou date et heure (aujourd’hui).", "Start: a date, or date and time (today)."),
)
@click.option(
    "--to", "until", metavar="T", help=say("Fin, non comprise (fin de la journée).", "End, excluded (end of the day).")
)
@click.option(
    "--step",
    type=click.Choice([one.value for one in Step]),
    help=say("Pas ; par défaut selon la durée.", "Step; by default from the length of time."),
)
@click.option(
    "--format", "shape", type=click.Choice(["text", "json", "csv"]), default="text", help=say("Format.", "Format.")
)
@click.option("--json", "as_json", is_flag=True, help=say("Comme --format json.", "Same as --format json."))
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help=say("La configuration du boîtier.", "The configuration of the box."),
)
def history(
    signal: str,
    since: str | None,
    until: str | None,
    step: str | None,
    shape: str,
    as_json: bool,
    file: Path | None,
) -> None:
    """Print the stored values of SIGNAL."""
    config = load(file)
    zone = zone_of(config.home.timezone)
    clock = system_clock()
    start, end = _range(since, until, zone, to_datetime(clock.now()).astimezone(zone).date())
    with Reader(config.measure_db, clock) as reader:
        found = reader.history(signal, start, end, step or _usual_step(end - start), zone.key, limit=_ROWS)
        found = complete(found, start, end, config, reader, clock, _PATIENCE_S)
        if not reader.exists:
            click.echo(say("Aucune mesure n’est encore enregistrée.", "No reading has been stored yet."), err=True)
    _print(found, "json" if as_json else shape, zone)


def _range(since: str | None, until: str | None, zone: ZoneInfo, today: date) -> tuple[UtcMs, UtcMs]:
    """Return the range asked for; what is left out is today, or a day."""
    day = timedelta(days=1)
    if since is None and until is not None:
        end = _moment(until, zone, "--to")
        before = to_datetime(end - 1).astimezone(zone)
        return _midnight(before.date(), zone), end
    start = _midnight(today, zone) if since is None else _moment(since, zone, "--from")
    if until is not None:
        end = _moment(until, zone, "--to")
        if end <= start:
            raise click.BadParameter(
                say("la fin doit venir après le début.", "the end must come after the start."), param_hint="--to"
            )
        return start, end
    last = max(today, to_datetime(start).astimezone(zone).date())
    return start, _midnight(last + day, zone)


def _moment(text: str, zone: ZoneInfo, option: str) -> UtcMs:
    """Return an ISO date or time; one without an offset is the home's own."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            say(
                f"« {text} » n’est pas une date comme 2026-03-29 ou 2026-03-29T14:30.",
                f"“{text}” is not a date such as 2026-03-29 or 2026-03-29T14:30.",
            ),
            param_hint=option,
        ) from None
    return from_datetime(at if at.tzinfo else at.replace(tzinfo=zone))


def _midnight(day: date, zone: ZoneInfo) -> UtcMs:
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=zone))


def _usual_step(length: int) -> str:
    """Return the step that gives a few hundred points."""
    days = length / 86_400_000
    if days <= 1.1:  # noqa: PLR2004 - a day, the long one of October too
        return Step.HALF_HOUR
    return Step.HOUR if days <= 31 else Step.DAY  # noqa: PLR2004 - a month


def _print(found: History, shape: str, zone: ZoneInfo) -> None:
    if shape == "json":
        points = [[to_iso(at), value, quality.value] for at, value, quality in found.points]
        click.echo(json.dumps({"signal": found.signal, "unit": found.unit, "step": found.step, "points": points}))
    elif shape == "csv":
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(["at", "value", "unit", "quality"])
        rows.writerows(
            [to_iso(at), "" if value is None else value, found.unit, quality.value]
            for at, value, quality in found.points
        )
    else:
        for at, value, _ in found.points:
            local = to_datetime(at).astimezone(zone).isoformat(sep=" ", timespec="seconds")
            click.echo(f"{local}  {'–' if value is None else value} {found.unit}".rstrip())
