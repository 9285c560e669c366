"""How a configuration is checked: each table is a dataclass, each key has a rule, and every problem is collected."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from gateway.errors import Misconfigured, Text

_SHOWN = 60  # characters of a wrong value that a message repeats


@dataclass(frozen=True, slots=True)
class Rule:
    """What a key accepts beyond its type. `say` describes it to a person."""

    say: Text
    low: float | None = None
    high: float | None = None
    pattern: str | None = None

    def accepts(self, value: Any) -> bool:
        """Tell whether a value of the right type is acceptable."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
        if isinstance(value, str) and self.pattern is not None:
            return re.fullmatch(self.pattern, value) is not None
        if isinstance(value, tuple):
            return all(self.accepts(one) for one in value)
        return True


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the configuration. `path` is dotted, list items by number: `inverter[1].url`."""

    path: str
    value: str
    accepted: Text
    mend: Text

    def say(self, language: str) -> str:
        """Return the problem as one sentence for a person."""
        if language == "en":
            return f"{self.path} = {self.value}: accepted is {self.accepted.en}. {self.mend.en}"
        return f"{self.path} = {self.value} : on accepte {self.accepted.fr}. {self.mend.fr}"

    def as_json(self) -> dict[str, Any]:
        """Return the problem for `foyer check --json`."""
        return {
            "path": self.path,
            "value": self.value,
            "accepted": self.accepted.as_json(),
            "mend": self.mend.as_json(),
        }


class ConfigError(Misconfigured):
    """The configuration cannot be used; `problems` lists all that is wrong with it."""

    def __init__(self, file: Path, problems: list[Problem]) -> None:
        count = len(problems)
        super().__init__(
            Text(
                f"{file} : {count} problème{'s' if count > 1 else ''}.\n"
                + "\n".join(f"  {problem.say('fr')}" for problem in problems),
                f"{file}: {count} problem{'s' if count > 1 else ''}.\n"
                + "\n".join(f"  {problem.say('en')}" for problem in problems),
            )
        )
        self.problems = problems


_T = TypeVar("_T")
_MISSING = object()


class Checker:
    """Turns the raw TOML tables into dataclasses and collects what is wrong on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def refuse(self, path: str, value: Any, accepted: Text, mend: Text) -> None:
        """Note a problem."""
        shown = "(absent)" if value is _MISSING else _show(value)
        self.problems.append(Problem(path, shown, accepted, mend))

    def table(self, kind: type[_T], raw: Any, path: str) -> _T | None:
        """Return the dataclass `kind` made of a raw table, or None when something in it was refused."""
        if not isinstance(raw, Mapping):
            name = path.partition("[")[0]
            self.refuse(
                path, raw, Text("une table", "a table"), Text(f"Écrivez [{name}] sur une ligne.", f"Write [{name}].")
            )
            return None
        hints = get_type_hints(kind)
        fields = {one.name: one for one in dataclasses.fields(kind) if not one.metadata.get("internal")}  # type: ignore[arg-type]
        before = len(self.problems)
        self._unknown(raw, fields, path)
        values: dict[str, Any] = {}
        for name, spec in fields.items():
            where = f"{path}.{name}" if path else name
            if name in raw:
                value = self._value(hints[name], raw[name], where, spec.metadata.get("rule"))
                if value is not _MISSING:
                    values[name] = value
            elif spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING:
                rule: Rule = spec.metadata["rule"]
                self.refuse(where, _MISSING, rule.say, Text(f"Ajoutez « {name} = … ».", f"Add “{name} = …”."))
        return None if len(self.problems) > before else kind(**values)

    def _unknown(self, raw: Mapping[str, Any], fields: Mapping[str, Any], path: str) -> None:
        for name in raw:
            if name in fields:
                continue
            mend = _did_you_mean(name, fields) or Text("Retirez cette ligne.", "Remove this line.")
            known = ", ".join(fields)
            self.refuse(f"{path}.{name}" if path else name, raw[name], Text(known, known), mend)

    def _value(self, hint: Any, raw: Any, where: str, rule: Rule | None) -> Any:
        options = get_args(hint)
        tables = [one for one in (hint, *options) if dataclasses.is_dataclass(one)]
        if get_origin(hint) is tuple and tables:
            return self._tables(tables[0], raw, where)
        if tables:
            table = self.table(tables[0], raw, where)  # type: ignore[arg-type]
            return _MISSING if table is None else table
        value = tuple(raw) if isinstance(raw, list) else raw
        if isinstance(value, int) and not isinstance(value, bool) and (hint is float or float in options):
            value = float(value)
        assert rule is not None
        if not _has_type(hint, value) or not rule.accepts(value):
            self.refuse(where, raw, rule.say, _mend(hint, raw, where))
            return _MISSING
        return value

    def _tables(self, kind: Any, raw: Any, where: str) -> Any:
        if not isinstance(raw, list):
            self.refuse(
                where,
                raw,
                Text("une liste de tables", "a list of tables"),
                Text(f"Écrivez [[{where}]] avec deux crochets.", f"Write [[{where}]] with two brackets."),
            )
            return _MISSING
        return tuple(
            table for n, one in enumerate(raw) if (table := self.table(kind, one, f"{where}[{n}]")) is not None
        )


def _has_type(hint: Any, value: Any) -> bool:
    if get_origin(hint) is Literal:
        return any(value == one and type(value) is type(one) for one in get_args(hint))
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    options = get_args(hint) or (hint,)
    return any(type(value) is one for one in options)


def _did_you_mean(word: str, known: Iterable[str]) -> Text | None:
    near = difflib.get_close_matches(word, known, n=1)
    return Text(f"Vouliez-vous dire « {near[0]} » ?", f"Did you mean “{near[0]}”?") if near else None


def _mend(hint: Any, raw: Any, where: str) -> Text:
    words = [str(one) for one in get_args(hint)] if get_origin(hint) is Literal else []
    plain = Text(f"Corrigez la ligne de « {where} ».", f"Mend the line of “{where}”.")
    return _did_you_mean(str(raw).strip().lower(), words) or plain


def _show(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
