"""`foyer tic`: decode a capture or a live port, show the dictionary of labels, record a capture. Thin shell."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from drivers.linky.capture import MASKED, mask
from drivers.linky.labels import HISTORIC, STANDARD, Label, Mode
from drivers.linky.report import Report, table
from gateway.cli import say
from gateway.clock import system_clock
from gateway.errors import Misconfigured, Text

_PIECE = 960  # at most a second of the fastest line at once: the gates count time in bytes
_MODE = click.Choice(["auto", "historic", "standard"])


@click.group(help=say("La sortie TIC du compteur Linky.", "The TIC output of the Linky meter."))
def tic() -> None:
    """Gather the commands."""


@tic.command(
    help=say(
        "Décoder un fichier, l’entrée (-), un port, ou un pont réseau (tcp://, rfc2217://).",
        "Decode a file, the input (-), a port, or a network bridge (tcp://, rfc2217://).",
    )
)
@click.argument("source", metavar="[FILE|-]", default="-")
@click.option("--mode", type=_MODE, default="auto", help=say("Le mode de la TIC.", "The mode of the TIC."))
@click.option(
    "--parity",
    type=click.Choice(["auto", "none"]),
    default="auto",
    help=say("none : ne pas vérifier la parité.", "none: do not check the parity."),
)
@click.option("--json", "as_json", is_flag=True, help=say("Une ligne JSON par trame.", "One JSON line a frame."))
def decode(source: str, mode: str, parity: str, as_json: bool) -> None:
    """Print each frame as soon as it ends, then a summary."""
    report = Report(None if mode == "auto" else Mode(mode), parity)
    try:
        for data in _bytes(source):
            _show(report.feed(data), as_json=as_json)
    except KeyboardInterrupt:
        pass  # the way to end a live port
    _show(report.finish(), as_json=as_json)


def _show(lines: list[dict[str, Any]], *, as_json: bool) -> None:
    for line in lines:
        click.echo(json.dumps(line, ensure_ascii=False) if as_json else table(line))
    if lines:
        sys.stdout.flush()


def _bytes(source: str) -> Iterator[bytes]:
    """Yield the bytes of a file, the input, or a serial port, as they come."""
    if source == "-":
        yield from _pieces(sys.stdin.buffer)
        return
    if "://" in source:
        yield from _live(source)
        return
    path = Path(source)
    try:
        if stat.S_ISCHR(path.stat().st_mode):
            yield from _live(source)
            return
        with path.open("rb") as file:
            yield from _pieces(file)
    except FileNotFoundError:
        raise Misconfigured(Text(f"{source} n’existe pas.", f"{source} does not exist.")) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise Misconfigured(
            Text(f"{source} ne peut pas être lu ({reason}).", f"{source} cannot be read ({reason}).")
        ) from None


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    read = getattr(file, "read1", file.read)
    while data := read(_PIECE):
        yield data


def _live(port: str) -> Iterator[bytes]:
    """Yield what a port says, at the speed it speaks, until interrupted."""
    from drivers.linky.live import listen  # noqa: PLC0415 - the serial library is for those who read a port

    try:
        yield from listen(port, system_clock())
    except OSError as error:
        from drivers.linky.reader import why_not  # noqa: PLC0415 - as above

        beat = why_not(error, port)
        raise Misconfigured(beat.text, beat.mend) from None


@tic.command(help=say("Le dictionnaire des étiquettes.", "The dictionary of labels."))
@click.option("--json", "as_json", is_flag=True, help=say("En JSON.", "As JSON."))
def labels(as_json: bool) -> None:
    """Print every label of both modes."""
    known = [*HISTORIC.values(), *STANDARD.values()]
    if as_json:
        click.echo(json.dumps([_label(label) for label in known], ensure_ascii=False, indent=2))
        return
    titles = {
        Mode.HISTORIC: say("Mode historique", "Historic mode"),
        Mode.STANDARD: say("Mode standard", "Standard mode"),
    }
    for mode, title in titles.items():
        click.echo(title)
        for label in known:
            if label.mode is mode:
                meaning = say(label.meaning.fr, label.meaning.en)
                click.echo(f"  {label.name:10} {label.size:3} {label.unit:5} {meaning}")


def _label(label: Label) -> dict[str, Any]:
    return {
        "label": label.name,
        "mode": label.mode.value,
        "size": label.size,
        "unit": label.unit,
        "horodate": label.horodate,
        "numeric": label.numeric,
        "phases": label.phases,
        "producer": label.producer,
        "meaning": label.meaning.as_json(),
    }


@tic.command(help=say("Enregistrer ce que dit un port.", "Record what a port says."))
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--port", required=True, help=say("Le port du compteur.", "The meter’s port."))
@click.option("--seconds", type=click.FloatRange(min=1), default=30.0, show_default=True)
@click.option(
    "--mask/--no-mask",
    "masked",
    default=True,
    help=say(f"Cacher {', '.join(MASKED)}.", f"Hide {', '.join(MASKED)}."),
)
def record(target: Path, port: str, seconds: float, masked: bool) -> None:
    """Write the bytes of a port to a file, the numbers of the meter and of the home hidden."""
    clock = system_clock()
    end = clock.monotonic() + seconds
    said = bytearray()
    try:
        for data in _live(port):
            said += data
            if clock.monotonic() >= end:
                break
    except KeyboardInterrupt:
        pass  # keep what was heard
    kept = mask(bytes(said)) if masked else bytes(said)
    target.write_bytes(kept)
    click.echo(say(f"{len(kept)} octets dans {target}.", f"{len(kept)} bytes in {target}."))
