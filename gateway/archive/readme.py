"""The page that goes with an export: what each file and column is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.clock import to_datetime
from gateway.config import Config
from gateway.signals import Kind, find

if TYPE_CHECKING:
    from gateway.archive.export import Exported

_FR = """\
Export de « {home} »
{line}
Du {start} au {end}, au pas {step}.{demo}

csv/       un fichier par mesure : étiquette, deux tirets bas, nom de la mesure.
parquet/   les mêmes, pour les outils de données.{no_parquet}
csv/energy-by-day.csv   l’énergie de chaque jour, en Wh.
home.json  la configuration et les autres données de la maison, sans compte, ni clé, ni mot de passe.

Colonnes
  at_utc    l’instant, en temps universel. Une durée (pas) est nommée par son début.
  at_local  le même instant à l’horloge de la maison ({zone}), avec son décalage.
  value     la valeur, avec un point décimal. Les fichiers sont en UTF-8, séparés par des virgules.
  unit      l’unité, fixe pour chaque mesure. W et VA ne sont pas la même chose.
  quality   measured (mesurée), derived (calculée d’après des mesures), estimated (estimée).
  Parquet : at_utc y est une date (TIMESTAMP WITH TIME ZONE) ; il n’y a pas at_local.

Règles
  Ce qui est inconnu n’a pas de ligne ; ce n’est jamais zéro. Dans un état, une valeur vide dit qu’on ne sait plus.
  Les jours et les mois sont ceux de {zone} : un jour a 23, 24 ou 25 heures.
  Moyenne : la moyenne du pas. Compteur : sa première valeur dans le pas ; l’énergie est la différence de deux valeurs.
  Un compteur qui recule a été remplacé ou remis à zéro ; energy-by-day.csv en tient compte.
  Un relevé « raw » n’est gardé que quelques semaines, un relevé « 1m » environ un an, le reste pour toujours.
  Les indices du compteur Linky viennent du compteur lui-même, la production de l’onduleur ; la consommation est
  produit + acheté - envoyé au réseau.

Mesures
"""
_EN = """\
Export of “{home}”
{line}
From {start} to {end}, in steps of {step}.{demo}

csv/       one file a signal: label, two underscores, name of the signal.
parquet/   the same, for data tools.{no_parquet}
csv/energy-by-day.csv   the energy of each day, in Wh.
home.json  the configuration and the other data of the home, without accounts, keys or passwords.

Columns
  at_utc    the instant, in universal time. A step is named by its start.
  at_local  the same instant on the clock of the home ({zone}), with its offset.
  value     the value, with a decimal point. Files are UTF-8, separated by commas.
  unit      the unit, fixed for each signal. W and VA are not the same thing.
  quality   measured, derived (worked out from measurements), estimated.
  Parquet: at_utc is a time there (TIMESTAMP WITH TIME ZONE); there is no at_local.

Rules
  What is unknown has no row; it is never zero. In a state, an empty value says that it is not known any more.
  Days and months are those of {zone}: a day has 23, 24 or 25 hours.
  Gauge: the mean of the step. Counter: its first value in the step; energy is the difference of two values.
  A counter that steps back was exchanged or set to zero; energy-by-day.csv takes that into account.
  Steps of “raw” are kept for some weeks only, of “1m” about a year, the others for ever.
  The counts of the Linky come from the meter itself, the production from the inverter; consumption is
  produced + bought - sent to the grid.

Signals
"""
_KINDS = {
    Kind.GAUGE: ("moyenne", "gauge"),
    Kind.COUNTER: ("compteur", "counter"),
    Kind.STATE: ("état", "state"),
}


def readme(language: str, config: Config, exported: Exported, demo: bool, names: Mapping[str, str]) -> str:
    """Return the page in one language; `names` gives the file, without its ending, of each signal."""
    french = language == "fr"
    no_parquet, simulated = "", ""
    if not exported.parquet:
        no_parquet = (
            " Absents : DuckDB n’est pas installé (pip install foyer[export])."
            if french
            else " Left out: DuckDB is not installed (pip install foyer[export])."
        )
    if demo:
        simulated = " Maison simulée." if french else " A simulated home."
    head = (_FR if french else _EN).format(
        home=config.home.name,
        line="=" * (len(config.home.name) + 14),
        start=_date(exported.start),
        end=_date(exported.end),
        step=exported.step,
        zone=config.home.timezone,
        no_parquet=no_parquet,
        demo=simulated,
    )
    lines = []
    for signal, rows in exported.rows.items():
        known = find(signal)
        if known is not None:
            kind = _KINDS[known.kind][0 if french else 1]
            count = f"{rows} ligne{'s' if rows > 1 else ''}" if french else f"{rows} row{'s' if rows != 1 else ''}"
            lines.append(f"  {names[signal]}: {known.label.pick(language)}, {known.unit or '–'}, {kind}, {count}")
    return (head + "\n".join(lines) + "\n").replace("\n", "\r\n")


def _date(at: int) -> str:
    return to_datetime(at).strftime("%Y-%m-%d %H:%M UTC")
