"""`foyer solar`: what panels would give in a year, at a place and on a slope. Thin shell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import click

from analytics.climate import climate_at
from analytics.roof import Plane, azimuth_degrees
from analytics.weather import Weather, kilometres
from analytics.weather_files import read_weather
from gateway.cli import say
from gateway.errors import FoyerError, Misconfigured, Text
from gateway.language import language

_MOST_KWP, _MOST_LOSS = 100.0, 0.5
_FRANCE = (41.0, 52.0, -6.0, 10.0)  # latitudes and longitudes
_NEAR_KM, _TOO_FAR_KM = 50.0, 200.0
_MONTHS = (
    ("janvier", "January"),
    ("février", "February"),
    ("mars", "March"),
    ("avril", "April"),
    ("mai", "May"),
    ("juin", "June"),
    ("juillet", "July"),
    ("août", "August"),
    ("septembre", "September"),
    ("octobre", "October"),
    ("novembre", "November"),
    ("décembre", "December"),
)
_BAR = 24  # characters of the longest bar


class _Answer(NamedTuple):
    """What is printed: kWh, and the band a real year stays in, as a share."""

    months: Sequence[float]
    per_kwp: float
    weather: Weather
    loss: float
    band: float


@click.group(help=say("Le soleil et les panneaux.", "The sun and the panels."))
def solar() -> None:
    """Gather the commands."""


@solar.command("yield", help=say("La production d’une année.", "The production of a year."))
@click.option("--lat", "latitude", type=float, required=True, help=say("Latitude, degrés nord.", "Degrees north."))
@click.option("--lon", "longitude", type=float, required=True, help=say("Longitude, degrés est.", "Degrees east."))
@click.option("--kwp", type=float, required=True, help=say("Puissance crête, kWc.", "Peak power, kWp."))
@click.option(
    "--tilt", type=float, required=True, help=say("Pente : 0 à plat, 90 vertical.", "Slope: 0 flat, 90 upright.")
)
@click.option(
    "--azimuth",
    required=True,
    help=say(
        "Orientation : S, SE, ouest… ou degrés depuis le nord (180 = sud).",
        "Orientation: S, SE, west… or degrees from north (180 = south).",
    ),
)
@click.option(
    "--weather",
    "file",
    type=click.Path(path_type=Path),
    help=say(
        "Fichier météo : EPW, PVGIS, Open-Meteo ; sans lui, le climat de la boîte.",
        "Weather file: EPW, PVGIS, Open-Meteo; without it, the climate in the box.",
    ),
)
@click.option(
    "--loss", type=float, default=0.14, show_default=True, help=say("Part des pertes.", "The share that is lost.")
)
@click.option("--json", "as_json", is_flag=True, help=say("En JSON.", "As JSON."))
def yield_command(
    latitude: float,
    longitude: float,
    kwp: float,
    tilt: float,
    azimuth: str,
    file: Path | None,
    loss: float,
    as_json: bool,
) -> None:
    """Print kWh by month and by year."""
    _check_place(latitude, longitude)
    _check_roof(kwp, tilt, loss)
    try:
        direction = azimuth_degrees(azimuth)
    except FoyerError as error:
        raise click.BadParameter(error.say(language()), param_hint="--azimuth") from None
    plane = Plane(kwp, tilt, direction, loss)
    answer = _compute(latitude, longitude, plane, file)
    click.echo(json.dumps(_document(answer), ensure_ascii=False) if as_json else _table(answer, plane))


def _check_place(latitude: float, longitude: float) -> None:
    south, north, west, east = _FRANCE
    if south <= longitude <= north and west <= latitude <= east:
        raise click.BadParameter(
            say(
                "latitude et longitude semblent échangées : en France, la latitude est entre 41 et 52.",
                "latitude and longitude look swapped: in France the latitude is between 41 and 52.",
            ),
            param_hint="--lat",
        )
    _between("--lat", latitude, -90, 90)
    _between("--lon", longitude, -180, 180)


def _check_roof(kwp: float, tilt: float, loss: float) -> None:
    if not isfinite(kwp) or not 0 < kwp <= _MOST_KWP:
        hint = say(f" ; {kwp:g} W font {kwp / 1000:g} kWc", f"; {kwp:g} W are {kwp / 1000:g} kWp")
        raise click.BadParameter(
            say(f"de 0,1 à {_MOST_KWP:g} kWc", f"0.1 to {_MOST_KWP:g} kWp")
            + (hint if isfinite(kwp) and kwp > _MOST_KWP else "")
            + ".",
            param_hint="--kwp",
        )
    _between("--tilt", tilt, 0, 90)
    if not 0 <= loss <= _MOST_LOSS:
        raise click.BadParameter(
            say("une part de 0 à 0,5 : 0.14 pour 14 %.", "a share from 0 to 0.5: 0.14 for 14 %."), param_hint="--loss"
        )


def _between(option: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise click.BadParameter(
            say(f"de {low:g} à {high:g} degrés, pas {value:g}.", f"{low:g} to {high:g} degrees, not {value:g}."),
            param_hint=option,
        )


def _compute(latitude: float, longitude: float, plane: Plane, file: Path | None) -> _Answer:
    weather = read_weather(file) if file else None
    if weather is not None:
        _check_distance(weather, latitude, longitude)
    climate = climate_at(latitude, longitude) if weather is None else None
    sky = _pvlib()
    if climate is not None:
        weather = sky.climate_weather(climate)
    assert weather is not None
    found = sky.year(weather, latitude, longitude, [plane])
    band = sky.BAND if climate is None else sky.CLIMATE_BAND
    return _Answer(found.months, found.kwh / plane.kwp, weather, plane.loss, band)


def _pvlib() -> ModuleType:
    try:
        from analytics import solar as sky  # noqa: PLC0415 - a second and 130 MB, for those who compute alone
    except ModuleNotFoundError as error:
        raise Misconfigured(
            Text(
                f"Le calcul solaire n’est pas installé ({error.name}).", f"Solar computing is not there ({error.name})."
            ),
            Text("Installez-le : pip install 'foyer[solar]'.", "Install it: pip install 'foyer[solar]'."),
        ) from None
    return sky


def _check_distance(weather: Weather, latitude: float, longitude: float) -> None:
    """Refuse the weather of another region, and say so of one that is only a little far."""
    if weather.latitude is None or weather.longitude is None:
        return
    away = kilometres(latitude, longitude, weather.latitude, weather.longitude)
    there = f"({weather.latitude:g}, {weather.longitude:g})"
    if away > _TOO_FAR_KM:
        raise click.BadParameter(
            say(
                f"ce fichier est celui d’un lieu à {away:.0f} km du vôtre {there}.",
                f"this file is for a place {away:.0f} km from yours {there}.",
            ),
            param_hint="--weather",
        )
    if away > _NEAR_KM:
        click.echo(
            say(
                f"Ce fichier météo est celui d’un lieu à {away:.0f} km : le résultat est approché.",
                f"This weather file is for a place {away:.0f} km away: the result is approximate.",
            ),
            err=True,
        )


def _document(answer: _Answer) -> dict[str, object]:
    return {
        "kwh_per_year": round(sum(answer.months), 1),
        "kwh_per_kwp": round(answer.per_kwp, 1),
        "months": [round(one, 1) for one in answer.months],
        "weather": {
            "kind": answer.weather.kind,
            "source": answer.weather.source,
            "period": answer.weather.period,
        },
        "loss": answer.loss,
    }


def _table(answer: _Answer, plane: Plane) -> str:
    total, most = sum(answer.months), max(answer.months)
    about = "≈ " if answer.weather.kind == "climate" else ""
    low, high = total * (1 - answer.band), total * (1 + answer.band)
    origin = (
        say("climat de la boîte, estimé", "climate in the box, an estimate")
        if answer.weather.kind == "climate"
        else answer.weather.kind
    )
    lines = [
        say(
            f"{plane.kwp:g} kWc, pente {plane.tilt_deg:g}°, vers {plane.azimuth_deg:g}° (180 = sud)",
            f"{plane.kwp:g} kWp, slope {plane.tilt_deg:g}°, towards {plane.azimuth_deg:g}° (180 = south)",
        ),
        "",
    ]
    lines += [
        f"  {say(*names):10} {kwh:8.0f} kWh  {'█' * round(_BAR * kwh / most if most else 0)}".rstrip()
        for names, kwh in zip(_MONTHS, answer.months, strict=True)
    ]
    lines += [
        "",
        say(
            f"Sur une année : {about}{total:.0f} kWh ± {100 * answer.band:.0f} %",
            f"Over a year: {about}{total:.0f} kWh ± {answer.band:.0%}",
        ),
        say(
            f"Soit {about}{answer.per_kwp:.0f} kWh par kWc ; la plupart des années, entre {low:.0f} et {high:.0f} kWh.",
            f"That is {about}{answer.per_kwp:.0f} kWh per kWp; in most years, between {low:.0f} and {high:.0f} kWh.",
        ),
        say(
            f"Météo : {origin} ({answer.weather.source}, {answer.weather.period}). Pertes : {100 * answer.loss:g} %.",
            f"Weather: {origin} ({answer.weather.source}, {answer.weather.period}). Losses: {answer.loss:.0%}.",
        ),
    ]
    return "\n".join(lines)
