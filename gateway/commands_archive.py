"""`foyer backup`, `restore`, `export` and `erase`: the household's data are theirs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from gateway import config as configuration
from gateway.archive.backup import make_backup
from gateway.archive.erase import belongings, erase
from gateway.archive.export import export
from gateway.archive.manifest import CONFIG, Manifest
from gateway.archive.phrase import from_file
from gateway.archive.reading import is_encrypted
from gateway.archive.restore import restore
from gateway.cli import say
from gateway.clock import UtcMs, from_datetime, system_clock, to_datetime
from gateway.commands import config_option, json_option
from gateway.errors import FoyerError, Text
from gateway.language import language
from gateway.store.read import Step
from gateway.store.steps import zone_of

phrase_option = click.option(
    "--phrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say("Fichier dont la première ligne est la phrase.", "File whose first line is the phrase."),
)


@click.command(help=say("Met tout ce que la maison possède dans un fichier.", "Put all the home owns into one file."))
@click.argument("archive", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@phrase_option
@click.option("--plain", is_flag=True, help=say("Laisse le fichier ouvert à qui l’a.", "Leave it open to who has it."))
@config_option
@json_option
def backup_command(archive: Path, phrase_file: Path | None, file: Path | None, *, plain: bool, as_json: bool) -> None:
    """Write a backup, encrypted by a phrase unless `--plain`."""
    config = configuration.load(file)
    phrase = None
    if plain:
        click.echo(
            say(
                "Attention : sans phrase, qui trouve ce fichier lit vos données.",
                "Beware: without a phrase, whoever finds this file reads your data.",
            ),
            err=True,
        )
    else:
        phrase = from_file(phrase_file) if phrase_file else _ask_new_phrase()
    made = make_backup(config, archive, phrase, system_clock())
    if as_json:
        click.echo(json.dumps({"file": str(archive), "encrypted": not plain, **made.as_json()}, ensure_ascii=False))
        return
    size = archive.stat().st_size
    click.echo(
        say(
            f"Sauvegarde faite et relue : {archive} ({_size(size, 'fr')}), {_span(made, 'fr')}.",
            f"Backup made and read back: {archive} ({_size(size, 'en')}), {_span(made, 'en')}.",
        )
    )
    if not plain:
        click.echo(
            say(
                "Sans la phrase, personne ne peut l’ouvrir, vous non plus : notez-la ailleurs.",
                "Without the phrase nobody can open it, nor can you: write it down elsewhere.",
            )
        )


def _ask_new_phrase() -> str:
    phrase: str = click.prompt(
        say("Phrase de la sauvegarde (quatre mots ou plus)", "Phrase of the backup (four words or more)"),
        hide_input=True,
        confirmation_prompt=say("Encore une fois", "Once more"),
        err=True,
    )
    if len(phrase) < 10:  # noqa: PLR2004 - as the sentence says
        raise FoyerError(
            Text(
                "Cette phrase est trop courte : dix signes au moins.",
                "This phrase is too short: ten characters or more.",
            ),
        )
    return phrase


def _size(count: int, tongue: str) -> str:
    unit = "Mo" if tongue == "fr" else "MB"
    number = f"{max(count / 1e6, 0.1):.1f}"
    return f"{number.replace('.', ',') if tongue == 'fr' else number} {unit}"


def _span(made: Manifest, tongue: str) -> str:
    if made.first is None or made.last is None:
        return "aucune mesure encore" if tongue == "fr" else "no reading yet"
    first, last = (to_datetime(at).date().isoformat() for at in (made.first, made.last))
    count = len(made.signals)
    return f"{count} mesures du {first} au {last}" if tongue == "fr" else f"{count} signals from {first} to {last}"


@click.command(
    help=say("Remet une sauvegarde, sur une carte neuve ou non.", "Put a backup back, on a new card or not.")
)
@click.argument("archive", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@phrase_option
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help=say("Remet toute la maison dans ce dossier.", "Put the whole home into this folder."),
)
@config_option
@json_option
def restore_command(
    archive: Path, phrase_file: Path | None, into: Path | None, file: Path | None, *, as_json: bool
) -> None:
    """Put a backup back; what was there is kept aside."""
    phrase = None
    if is_encrypted(archive):
        phrase = from_file(phrase_file) if phrase_file else _ask_phrase()
    target = into / CONFIG if into else configuration.chosen_file(file)
    done = restore(archive, phrase, target, system_clock(), own_paths=into is not None)
    if as_json:
        places = {
            "config": str(done.config),
            "state": str(done.state),
            "aside": str(done.aside) if done.aside else None,
        }
        click.echo(json.dumps({**places, **done.manifest.as_json()}, ensure_ascii=False))
        return
    click.echo(
        say(
            f"Sauvegarde remise : « {done.manifest.home} », {_span(done.manifest, 'fr')}, dans {done.state}.",
            f"Backup put back: “{done.manifest.home}”, {_span(done.manifest, 'en')}, in {done.state}.",
        )
    )
    if done.aside:
        click.echo(
            say(f"Ce qui s’y trouvait est gardé dans {done.aside}.", f"What was there before is kept in {done.aside}.")
        )
    click.echo(
        say(
            f"Les fichiers de mots de passe n’y sont pas : voyez « foyer check --config {done.config} ».",
            f"Files of passwords are not in it: see “foyer check --config {done.config}”.",
        )
    )


def _ask_phrase() -> str:
    phrase: str = click.prompt(say("Phrase de la sauvegarde", "Phrase of the backup"), hide_input=True, err=True)
    return phrase


@click.command(help=say("Exporte toutes les mesures en CSV et Parquet.", "Export every signal as CSV and Parquet."))
@click.argument("archive", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--from", "since", metavar="D", help=say("Début : une date (le premier jour).", "Start: a date (the first).")
)
@click.option("--to", "until", metavar="D", help=say("Fin, non comprise (maintenant).", "End, excluded (now)."))
@click.option("--step", type=click.Choice([one.value for one in Step]), default="30m", help=say("Pas.", "Step."))
@config_option
@json_option
def export_command(
    archive: Path, since: str | None, until: str | None, step: str, file: Path | None, *, as_json: bool
) -> None:
    """Write the zip of everything, in open formats."""
    config = configuration.load(file)
    zone = zone_of(config.home.timezone)
    made = export(
        config,
        archive,
        system_clock(),
        since=_moment(since, zone, "--from"),
        until=_moment(until, zone, "--to"),
        step=step,
        language=language(),
        progress=lambda signal: None if as_json else click.echo(f"  {signal}", err=True),
    )
    if as_json:
        found: dict[str, Any] = {"file": str(archive), "step": made.step, "parquet": made.parquet, "rows": made.rows}
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    rows = sum(made.rows.values())
    click.echo(
        say(
            f"Exporté : {archive}, {len(made.rows)} mesures, {rows} lignes.",
            f"Exported: {archive}, {len(made.rows)} signals, {rows} rows.",
        )
    )
    if not made.parquet:
        click.echo(
            say(
                "CSV seulement : DuckDB n’est pas installé (pip install foyer[export]).",
                "CSV only: DuckDB is not installed (pip install foyer[export]).",
            ),
            err=True,
        )


def _moment(text: str | None, zone: ZoneInfo, option: str) -> UtcMs | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            say(f"« {text} » n’est pas une date comme 2026-03-29.", f"“{text}” is not a date such as 2026-03-29."),
            param_hint=option,
        ) from None
    return from_datetime(at if at.tzinfo else at.replace(tzinfo=zone))


@click.command(
    help=say("Efface tout ce que la maison possède sur cette boîte.", "Remove all the home owns on this box.")
)
@click.option("--yes", is_flag=True, help=say("Sans demander le nom de la maison.", "Without asking the home’s name."))
@config_option
@json_option
def erase_command(file: Path | None, *, yes: bool, as_json: bool) -> None:
    """Remove everything, after the home's name was typed."""
    config = configuration.load(file)
    if not yes:
        for path in belongings(config):
            click.echo(f"  {path}", err=True)
        question = say(
            f"Tout ceci sera effacé pour toujours. Tapez le nom de la maison ({config.home.name})",
            f"All this will be removed for ever. Type the name of the home ({config.home.name})",
        )
        if click.prompt(question, err=True).strip() != config.home.name:
            raise FoyerError(Text("Ce n’est pas ce nom ; rien n’a été effacé.", "Not that name; nothing was removed."))
    removed = erase(config)
    if as_json:
        click.echo(json.dumps({"removed": [str(path) for path in removed]}, ensure_ascii=False))
        return
    for path in removed:
        click.echo(say(f"effacé : {path}", f"removed: {path}"))
    click.echo(
        say(
            "Les sauvegardes faites ailleurs restent : effacez-les vous-même si vous le voulez.",
            "Backups made elsewhere stay: remove them yourself if you wish.",
        )
    )
