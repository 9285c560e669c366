"""The commands of the box itself: `run` and `check`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway import config as configuration
from gateway.cli import FAILED, load_process, say
from gateway.config_rules import ConfigError
from gateway.errors import Misconfigured
from gateway.language import language

PROCESSES = ("gateway", "web", "jobs", "courier")

config_option = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help=say(
        "Fichier de configuration (défaut : /etc/foyer/foyer.toml).", "Configuration file (/etc/foyer/foyer.toml)."
    ),
)
json_option = click.option("--json", "as_json", is_flag=True, help=say("Sortie en JSON.", "Print JSON."))


@click.command(help=say("Lance un des quatre programmes de la boîte.", "Run one of the box's four processes."))
@click.argument("process", type=click.Choice(PROCESSES))
@config_option
def run(process: str, file: Path | None) -> int:
    """Run one process until it is stopped."""
    result = load_process(process)(configuration.load(file))
    assert isinstance(result, int)
    return result


@click.command(help=say("Dit tout ce qui ne va pas dans la configuration.", "Tell every problem of the configuration."))
@config_option
@json_option
def check(file: Path | None, as_json: bool) -> int:
    """Print every problem; exit 0 when there is none, 1 otherwise."""
    chosen = configuration.chosen_file(file)
    try:
        _, problems = configuration.check(chosen)
    except Misconfigured as error:
        if not as_json:
            raise
        click.echo(json.dumps({"ok": False, "problems": [], "error": error.what.as_json()}, ensure_ascii=False))
        return FAILED
    if as_json:
        found = [problem.as_json() for problem in problems]
        click.echo(json.dumps({"ok": not problems, "problems": found}, ensure_ascii=False))
    elif problems:
        click.echo(ConfigError(chosen, problems).say(language()), err=True)
    else:
        click.echo(say(f"{chosen} : tout est bon.", f"{chosen}: all is well."))
    return FAILED if problems else 0
