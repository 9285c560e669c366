"""The `foyer` command. Each room brings its own commands by entry point, loaded only when asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NoReturn

import click

from gateway.errors import FoyerError, Text
from gateway.language import language

DONE, FAILED, WRONG_USE = 0, 1, 2

_OWN = {
    "run": "gateway.commands:run",
    "check": "gateway.commands:check",
    "demo": "gateway.demo:demo",
    "doctor": "gateway.doctor:doctor",
    "history": "gateway.commands_history:history",
    "backup": "gateway.commands_archive:backup_command",
    "restore": "gateway.commands_archive:restore_command",
    "export": "gateway.commands_archive:export_command",
    "erase": "gateway.commands_archive:erase_command",
    "import": "gateway.archive.imports.commands:import_command",
}


def say(fr: str, en: str) -> str:
    """Return the sentence in the language of this command's locale."""
    return Text(fr, en).pick(language())


def _commands() -> dict[str, EntryPoint]:
    found = {name: EntryPoint(name, where, "foyer.commands") for name, where in _OWN.items()}
    return found | {one.name: one for one in entry_points(group="foyer.commands")}


class _Lazy(click.Group):
    """A group whose commands are imported when they are named: `foyer history` never imports a Modbus library."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        entry = _commands().get(cmd_name)
        if entry is None:
            return None
        command = entry.load()
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=say("La passerelle d’énergie de la maison.", "The home energy gateway."),
)
@click.version_option(package_name="foyer")
def cli() -> None:
    """Gather the commands."""


def main(arguments: Sequence[str] | None = None, command: click.Command = cli) -> NoReturn:
    """Run one command and exit: 0 done, 1 failed, 2 wrong use; errors are one sentence on stderr."""
    try:
        result: Any = command.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except click.Abort:
        sys.exit(FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except FoyerError as error:
        click.echo(error.say(language()), err=True)
        sys.exit(FAILED)
    except BrokenPipeError:
        # whoever read our output has gone; nothing is left to say to them
        sys.stderr.close()
        sys.exit(FAILED)
    sys.exit(result if isinstance(result, int) else DONE)


def load_process(name: str) -> Any:
    """Return the `main(config) -> int` of one of the four processes."""
    for entry in entry_points(group="foyer.processes", name=name):
        module, _, attribute = entry.value.partition(":")
        return getattr(importlib.import_module(module), attribute)
    raise LookupError(name)


if __name__ == "__main__":
    main()
