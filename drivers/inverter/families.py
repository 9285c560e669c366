"""The families of inverters, one TOML file each in `models/`; `foyer inverter models` lists them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gateway.errors import Misconfigured, Text

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Brand:
    """How one make of the family is usually reached: TCP port, unit number, and what to know of it."""

    name: str
    port: int
    unit: int
    note: Text


@dataclass(frozen=True, slots=True)
class Family:
    """One family: inverters that are read in the same way. `signals` may hold the pattern `pv.dc.power.<n>`.

    `map` is the table of its registers (see `regmap.read_map`), None for a family that describes itself.
    """

    name: str
    label: Text
    protocol: str
    transports: tuple[str, ...]
    port: int
    unit: int
    signals: tuple[str, ...]
    note: Text
    brands: tuple[Brand, ...]
    map: Mapping[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        """Return the family for `foyer inverter models --json`."""
        return {
            "name": self.name,
            "label": self.label.as_json(),
            "protocol": self.protocol,
            "transports": list(self.transports),
            "port": self.port,
            "unit": self.unit,
            "signals": list(self.signals),
            "note": self.note.as_json(),
            "brands": [
                {"name": one.name, "port": one.port, "unit": one.unit, "note": one.note.as_json()}
                for one in self.brands
            ],
        }


def _text(table: dict[str, str]) -> Text:
    return Text(table["fr"], table["en"])


def read(name: str, source: str) -> Family:
    """Return the family written in the TOML text `source`; a missing key raises KeyError."""
    raw = tomllib.loads(source)
    return Family(
        name=name,
        label=_text(raw["label"]),
        protocol=raw["protocol"],
        transports=tuple(raw["transports"]),
        port=raw["port"],
        unit=raw["unit"],
        signals=tuple(raw["signals"]),
        note=_text(raw["note"]),
        brands=tuple(Brand(one["name"], one["port"], one["unit"], _text(one["note"])) for one in raw.get("brand", ())),
        map=raw.get("map"),
    )


@lru_cache(maxsize=1)
def families() -> tuple[Family, ...]:
    """Return every family of this version, by name."""
    folder = files("drivers.inverter.models")
    found = [one for one in folder.iterdir() if one.name.endswith(".toml")]
    return tuple(read(one.name.removesuffix(".toml"), one.read_text("utf-8")) for one in sorted(found, key=str))


def choose(model: str) -> Family:
    """Return the family called `model`; "auto" is the one that describes itself, SunSpec. Raise `Misconfigured`."""
    known = {family.name: family for family in families()}
    wanted = "sunspec" if model == AUTO else model
    if wanted not in known:
        names = ", ".join([AUTO, *known])
        raise Misconfigured(
            Text(f"Le modèle d’onduleur « {model} » n’existe pas.", f"There is no inverter model “{model}”."),
            Text(f"On accepte : {names}.", f"Accepted are: {names}."),
        )
    return known[wanted]
