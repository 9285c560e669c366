"""The meters and the line faults that `foyer demo` can play. They are the simulators', found by entry point."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

import click

from gateway.cli import say
from gateway.language import language


@cache
def known(what: str) -> dict[str, Any]:
    """Return the simulators' table called `what` ("meters" or "faults"), by name; empty when none is installed."""
    for entry in entry_points(group="foyer.simulators", name=what):
        table: dict[str, Any] = entry.load()
        return table
    return {}


class OneOf(click.ParamType[str]):
    """A name of one of the simulators' tables."""

    name = "name"

    def __init__(self, what: str) -> None:
        self._what = what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; a wrong one is answered with those that there are."""
        names = known(self._what)
        if value not in names:
            there = ", ".join(names)
            self.fail(
                say(f"« {value} » n’existe pas. Il y a : {there}.", f"“{value}” does not exist. There are: {there}."),
                param,
                ctx,
            )
        return str(value)


class DemoCommand(click.Command):
    """A command whose help ends with the tables."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each name with what it is."""
        del ctx
        titles = {"meters": say("Compteurs", "Meters"), "faults": say("Défauts de ligne", "Line faults")}
        for what, title in titles.items():
            with formatter.section(title):
                rows = [(name, _text(one).pick(language())) for name, one in known(what).items()]
                formatter.write_dl(rows)


def _text(one: Any) -> Any:
    return getattr(one, "text", one)


def contract_table(meter: str) -> str:
    """Return the `[contract]` table of the home that a meter counts, as TOML."""
    variant = known("meters").get(meter)
    if variant is None:
        return ""
    hours = ", ".join(f'"{one}"' for one in variant.off_peak)
    return f'[contract]\noption = "{variant.option}"\nsubscribed_kva = {float(variant.subscribed_kva)}\n' + (
        f"off_peak = [{hours}]\n" if hours else ""
    )
