"""The Linky meter, read on its TIC output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drivers.contract import Driver


def create(settings: Mapping[str, Any]) -> Driver:
    """Return the driver of a `[meter]` table. The serial library is loaded only here, by who really reads a port."""
    from drivers.linky import reader  # noqa: PLC0415 - see above

    return reader.create(settings)
