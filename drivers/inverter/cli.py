"""`foyer inverter`: read one inverter, look for inverters, list the families that can be read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click

from drivers.inverter.address import Address, parse
from drivers.inverter.families import AUTO, choose, families
from drivers.inverter.points import STATE_WORDS
from drivers.inverter.sample import Sample, Session
from gateway.cli import FAILED, WRONG_USE, say
from gateway.clock import UtcMs, system_clock, to_iso
from gateway.errors import FoyerError, Misconfigured
from gateway.language import language
from gateway.signals import find

_T = TypeVar("_T")

_JSON = click.option("--json", "as_json", is_flag=True, help=say("Écrire du JSON.", "Write JSON."))


def _attempt(work: Callable[[], _T]) -> _T:
    """Do `work`; end the command with one sentence and the right code when it cannot be done."""
    try:
        return work()
    except Misconfigured as error:
        code, line = WRONG_USE, error.say(language())
    except FoyerError as error:
        code, line = FAILED, error.say(language())
    click.echo(line, err=True)
    raise click.exceptions.Exit(code)


def _run(work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    return _attempt(lambda: asyncio.run(work()))


@click.group(help=say("L’onduleur des panneaux solaires.", "The inverter of the solar panels."))
def inverter() -> None:
    """Gather the commands."""


async def _read_once(address: Address, model: str) -> tuple[Session, Sample]:
    from drivers.inverter.modbus import open_link  # noqa: PLC0415 - the list of families needs no Modbus
    from drivers.inverter.opening import open_inverter  # noqa: PLC0415 - the list of families needs no Modbus

    link = open_link(address)
    try:
        session = await open_inverter(link, address.unit, model)
        return session, await session.poll()
    finally:
        await link.close()


def _device_json(session: Session) -> dict[str, str | None]:
    one = session.device
    return {"manufacturer": one.manufacturer, "model": one.model, "serial": one.serial}


def reading_json(session: Session, sample: Sample, at: UtcMs) -> dict[str, Any]:
    """Return what `foyer inverter read --json` prints."""
    return {
        "model": session.model,
        "device": _device_json(session),
        "at": to_iso(at),
        "readings": dict(sample.values),
        "missing": [{"signal": name, "reason": reason} for name, reason in sample.missing.items()],
    }


def _print_reading(session: Session, sample: Sample) -> None:
    one = session.device
    names = " ".join(part for part in (one.manufacturer, one.model) if part)
    serial = say("n° de série", "serial number")
    click.echo(f"{names or '?'} ({session.model}, {serial} {one.serial or '?'})")
    for name, value in sample.values.items():
        signal = find(name)
        assert signal is not None
        shown = STATE_WORDS[value].pick(language()) if isinstance(value, str) else f"{value} {signal.unit}"
        click.echo(f"  {signal.label.pick(language()):<28} {shown}   [{name}]")
    for name, reason in sample.missing.items():
        click.echo("  " + say(f"non mesuré : {name} ({reason})", f"not measured: {name} ({reason})"))


@inverter.command(help=say("Lire un onduleur une fois.", "Read an inverter once."))
@click.argument("url")
@click.option("--model", default=AUTO, help=say("auto, ou un nom de la liste.", "auto, or a name of the list."))
@_JSON
def read(url: str, model: str, as_json: bool) -> None:
    """Read the inverter at URL once and print what it says."""
    _attempt(lambda: choose(model))
    address = _attempt(lambda: parse(url))
    session, sample = _run(lambda: _read_once(address, model))
    if as_json:
        click.echo(json.dumps(reading_json(session, sample, system_clock().now()), ensure_ascii=False))
    else:
        _print_reading(session, sample)


@inverter.command(
    help=say(
        "Chercher des onduleurs : sur le réseau de cette machine, sur CIDR (privé), ou sur un port série.",
        "Look for inverters: on this machine's network, on CIDR (private), or on a serial port.",
    )
)
@click.argument("where", required=False, metavar="[CIDR|PORT]")
@click.option(
    "--tcp-port",
    "tcp_ports",
    type=click.IntRange(1, 65535),
    multiple=True,
    default=(502, 1502),
    help=say("Port TCP à essayer (plusieurs fois possible).", "TCP port to try (may be repeated)."),
)
@_JSON
def scan(where: str | None, tcp_ports: tuple[int, ...], as_json: bool) -> None:
    """Look for inverters and print the address of each."""
    from drivers.inverter import scan as search  # noqa: PLC0415 - the list of families needs no Modbus

    places = _attempt(lambda: search.places(where, tcp_ports))
    found = _run(lambda: search.search(places))
    if as_json:
        rows = [{"url": one.url, "model": one.session.model, "device": _device_json(one.session)} for one in found]
        click.echo(json.dumps(rows, ensure_ascii=False))
    elif not found:
        click.echo(say("Aucun onduleur ne s’est montré.", "No inverter showed itself."), err=True)
    for one in found if not as_json else []:
        device = one.session.device
        click.echo(f"{one.url}   {device.manufacturer or '?'} {device.model or '?'}")
    if not found:
        raise click.exceptions.Exit(FAILED)


@inverter.command(
    help=say("Les familles d’onduleurs que Foyer sait lire.", "The families of inverters Foyer can read.")
)
@_JSON
def models(as_json: bool) -> None:
    """List the families."""
    if as_json:
        click.echo(json.dumps([family.as_json() for family in families()], ensure_ascii=False))
        return
    for family in families():
        click.echo(f"{family.name}: {family.label.pick(language())}")
        click.echo(f"  {family.note.pick(language())}")
        click.echo(f"  {', '.join(family.signals)}")
        for brand in family.brands:
            note = brand.note.pick(language())
            click.echo(f"  - {brand.name} ({say('port', 'port')} {brand.port}, unit={brand.unit}): {note}")
