"""Solar inverters over Modbus. What is heavy is imported when an inverter is configured, not before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drivers.contract import Driver


def create(settings: Mapping[str, Any]) -> Driver:
    """Return the driver for one `[[inverter]]` table; raise `Misconfigured` or `Unsupported`. Touches no device.

    Keys: `id`, `url`, `model` ("auto"), `period_s` (10), and from the box `latitude`, `longitude` (degrees, may be
    None) and `suffix` (False): True names the signals `pv.power@<id>`, as a home with several inverters needs.
    """
    from drivers.inverter.address import parse  # noqa: PLC0415 - see above
    from drivers.inverter.families import choose  # noqa: PLC0415 - see above
    from drivers.inverter.reader import InverterReader, Settings  # noqa: PLC0415 - see above

    model = choose(settings.get("model", "auto")).name
    latitude, longitude = settings.get("latitude"), settings.get("longitude")
    place = None if latitude is None or longitude is None else (float(latitude), float(longitude))
    return InverterReader(
        Settings(
            id=settings["id"],
            address=parse(settings["url"]),
            period_s=float(settings.get("period_s", 10.0)),
            place=place,
            suffix=bool(settings.get("suffix", False)),
            model=model,
        )
    )
