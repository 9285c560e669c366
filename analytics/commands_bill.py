"""`foyer bill` and `foyer tariff compare`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from analytics import bill_text
from analytics.bill_contract import hours_of, load_contract, power_of, tariffs_of
from analytics.bill_registers import Hours
from analytics.billing import Metering
from analytics.calendar_tempo import Colours, colours_of_store, load_calendar
from analytics.compare import as_options, compare, default_period
from analytics.curves import PARIS, load_curve
from analytics.curves_store import store_curve
from gateway import config as configuration
from gateway.cli import say
from gateway.clock import Clock, system_clock, to_datetime
from gateway.commands import config_option, json_option
from gateway.config import Contract
from gateway.errors import Text
from gateway.language import language
from gateway.store.read import Reader
from gateway.store.steps import zone_of

_ASSUMED_HOURS = ("22:00-06:00",)
_ASSUMED_KVA = Decimal(6)

_path = click.Path(path_type=Path, dir_okay=False)
curve_option = click.option(
    "--curve",
    type=_path,
    metavar="FILE",
    help=say("Courbe de charge (export Enedis).", "Load curve (Enedis export)."),
)
store_option = click.option(
    "--store", "from_store", is_flag=True, help=say("Les mesures de la boîte.", "The readings of the box.")
)
contract_option = click.option(
    "--contract",
    type=_path,
    metavar="FILE",
    help=say("Table [contract] ; défaut : celle de la boîte.", "[contract] table; the box's own by default."),
)
tempo_option = click.option(
    "--tempo", type=_path, metavar="FILE", help=say("Couleurs : date,BLUE|WHITE|RED.", "Colours: date,BLUE|WHITE|RED.")
)
from_option = click.option("--from", "since", metavar="D", help=say("Premier jour.", "First day."))
to_option = click.option("--to", "until", metavar="D", help=say("Fin, non comprise.", "End, excluded."))


def _read(
    curve: Path | None,
    from_store: bool,
    tempo: Path | None,
    since: str | None,
    until: str | None,
    file: Path | None,
    contract: Contract | None,
) -> tuple[Metering, date, date]:
    """Return the metering and the period asked for: by default the last whole year that the curve holds."""
    if (curve is None) == (not from_store):
        raise click.UsageError(say("Donnez --curve FILE ou --store.", "Give --curve FILE or --store."))
    start, end = _day(since, "--from"), _day(until, "--to")
    if start and end and end <= start:
        raise click.BadParameter(
            say("la fin doit venir après le début.", "the end must come after the start."), param_hint="--to"
        )
    hours = hours_of(contract) if contract else Hours(())
    colours: Colours | None = load_calendar(tempo) if tempo else None
    if curve is not None:
        found = load_curve(curve)
        first, last = default_period(*found.days()) if start is None or end is None else (start, end)
        return Metering(found, hours, colours), start or first, end or last
    with ExitStack() as stack:
        clock = system_clock()
        config = configuration.load(file)
        reader = stack.enter_context(Reader(config.measure_db, clock))
        zone = zone_of(config.home.timezone)
        first, last = _stored(reader, zone, clock)
        start, end = start or first, end or last
        found = store_curve(reader, start, end, zone, contract.option if contract else "")
        if colours is None:
            colours = colours_of_store(reader, start - timedelta(days=1), end, zone, clock)
        return Metering(found, hours, colours), start, end


def _stored(reader: Reader, zone: ZoneInfo, clock: Clock) -> tuple[date, date]:
    """Return the whole days that the store holds, a year of them at most."""
    info = reader.info()
    today = to_datetime(clock.now()).astimezone(zone).date()
    if info.first is None or info.last is None:
        return today - timedelta(days=1), today
    first = to_datetime(info.first).astimezone(zone).date() + timedelta(days=1)
    last = to_datetime(info.last).astimezone(zone).date()
    return default_period(min(first, last - timedelta(days=1)), last)


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            say(f"« {text} » n’est pas une date comme 2026-02-01.", f"“{text}” is not a date such as 2026-02-01."),
            param_hint=option,
        ) from None


def _contract(contract: Path | None, file: Path | None, *, needed: bool) -> Contract | None:
    """Return the contract of the file given, else that of the box where it has one."""
    if contract is not None:
        return load_contract(contract)
    if needed or file is not None:
        return configuration.load(file).contract
    return None


@click.command(help=say("La facture, ligne par ligne.", "The bill, line by line."))
@curve_option
@store_option
@contract_option
@tempo_option
@from_option
@to_option
@config_option
@json_option
def bill(
    curve: Path | None,
    from_store: bool,
    contract: Path | None,
    tempo: Path | None,
    since: str | None,
    until: str | None,
    file: Path | None,
    as_json: bool,
) -> None:
    """Print the bill of a contract over some days."""
    terms = _contract(contract, file, needed=True)
    if terms is None:
        raise click.UsageError(
            say("Donnez --contract FILE : la boîte n’a pas de [contract].", "Give --contract FILE: the box has none.")
        )
    metering, start, end = _read(curve, from_store, tempo, since, until, file, terms)
    made = metering.bill(terms.option, power_of(terms), tariffs_of(terms), start, end, injects=terms.injects)
    if as_json:
        click.echo(json.dumps(bill_text.as_json(made, language()), ensure_ascii=False))
    else:
        click.echo(bill_text.table(made, language()))


@click.group(help=say("Les tarifs de l’électricité.", "The prices of electricity."))
def tariff() -> None:
    """Gather the commands about prices."""


@tariff.command("compare", help=say("Chaque option sur la même consommation.", "Every option on the same use."))
@curve_option
@store_option
@contract_option
@tempo_option
@click.option("--kva", type=click.FloatRange(1, 36), help=say("Puissance souscrite.", "Subscribed power."))
@click.option("--grid", metavar="D", help=say("Grille de ce jour-là (aujourd’hui).", "The grid of that day (today)."))
@from_option
@to_option
@config_option
@json_option
def compare_command(
    curve: Path | None,
    from_store: bool,
    contract: Path | None,
    tempo: Path | None,
    kva: float | None,
    grid: str | None,
    since: str | None,
    until: str | None,
    file: Path | None,
    as_json: bool,
) -> None:
    """Print what each option would have cost."""
    terms = _contract(contract, file, needed=from_store)
    metering, start, end = _read(curve, from_store, tempo, since, until, file, terms)
    metering, assumed = _with_hours(metering)
    power = Decimal(str(kva)) if kva else power_of(terms) if terms else _ASSUMED_KVA
    if kva is None and terms is None:
        assumed.append(Text("Puissance non donnée : 6 kVA.", "Power not given: 6 kVA."))
    today = to_datetime(system_clock().now()).astimezone(PARIS).date()
    found = compare(metering, power, start, end, _day(grid, "--grid") or today, terms.option if terms else None)
    found.notes[:0] = assumed
    tongue = language()
    if not as_json:
        click.echo(bill_text.comparison_table(found, tongue))
        return
    document: dict[str, Any] = {
        "grid": found.current.grid.isoformat(),
        "options": as_options(found.current.bills),
        "advice": found.advice.pick(tongue) if found.advice else None,
        "previous": {"grid": found.previous.grid.isoformat(), "options": as_options(found.previous.bills)}
        if found.previous
        else None,
        "from": start.isoformat(),
        "to": end.isoformat(),
        "kva": bill_text.plain_number(power),
        "notes": [note.pick(tongue) for note in found.notes],
    }
    click.echo(json.dumps(document, ensure_ascii=False))


def _with_hours(metering: Metering) -> tuple[Metering, list[Text]]:
    if metering.hours.windows:
        return metering, []
    note = Text(
        "Heures creuses non données : comptées de 22 h à 6 h.", "Off-peak hours not given: taken from 22:00 to 06:00."
    )
    return Metering(metering.curve, Hours(_ASSUMED_HOURS), metering.colours), [note]
