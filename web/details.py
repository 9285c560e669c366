"""What the figures of a health check are called, and how they are written, on the page. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.errors import Text
from web import speech

LABELS: dict[str, Text] = {
    "speed": Text("Vitesse de la liaison (bauds)", "Speed of the line (baud)"),
    "mode": Text("Mode de la sortie TIC", "Mode of the TIC output"),
    "parity": Text("Parité reçue", "Parity received"),
    "phases": Text("Nombre de phases", "Number of phases"),
    "producer": Text("Compte l’injection", "Counts what is injected"),
    "frames": Text("Messages complets", "Complete messages"),
    "partial_frames": Text("Messages coupés", "Cut messages"),
    "groups": Text("Valeurs lues", "Values read"),
    "repaired": Text("Valeurs réparées", "Values repaired"),
    "rejected": Text("Valeurs refusées", "Values refused"),
    "error_rate": Text("Part abîmée, 5 dernières minutes", "Part damaged, last 5 minutes"),
    "error_rate_day": Text("Part abîmée, 24 dernières heures", "Part damaged, last 24 hours"),
    "error_trend": Text("Tendance des erreurs", "Trend of the errors"),
    "errors_by_hour": Text("Valeurs abîmées heure par heure", "Values damaged, hour by hour"),
    "meters_replaced": Text("Compteurs remplacés", "Meters replaced"),
    "clock_offset_s": Text("Écart de l’horloge du compteur (s)", "Difference of the meter’s clock (s)"),
    "holder": Text("Programme qui tient le port", "Program that holds the port"),
    "pid": Text("Numéro de ce programme", "Number of that program"),
    "model": Text("Famille de l’onduleur", "Family of the inverter"),
    "state": Text("État de l’onduleur", "State of the inverter"),
    "missing": Text("Non donné", "Not given"),
    "events": Text("Évènements", "Events"),
    "refused": Text("Valeurs impossibles, non gardées", "Impossible values, not kept"),
    "pending_rows": Text("Lignes en attente d’écriture", "Rows waiting to be written"),
    "dropped_rows": Text("Lignes perdues", "Rows lost"),
    "bytes": Text("Taille du fichier", "Size of the file"),
    "found": Text("Ce qui a été trouvé", "What was found"),
}
_WORDS: dict[str, Text] = {
    "standard": Text("standard", "standard"),
    "historic": Text("historique", "historic"),
    "better": Text("en baisse", "falling"),
    "steady": Text("stable", "steady"),
    "worse": Text("en hausse", "rising"),
    "checksum": Text("somme de contrôle fausse", "wrong checksum"),
    "parity": Text("bit abîmé (parité)", "damaged bit (parity)"),
    "label": Text("étiquette inconnue", "unknown label"),
    "size": Text("longueur fausse", "wrong length"),
    "charset": Text("caractères impossibles", "impossible characters"),
    "implausible": Text("valeur impossible", "impossible value"),
    "unknown signal": Text("mesure inconnue", "unknown signal"),
    "out of bounds": Text("hors limites", "out of bounds"),
    "off": Text("éteint", "off"),
    "sleeping": Text("en veille", "sleeping"),
    "starting": Text("démarrage", "starting"),
    "producing": Text("production", "producing"),
    "throttled": Text("bridé", "throttled"),
    "stopping": Text("arrêt", "stopping"),
    "fault": Text("en panne", "fault"),
    "standby": Text("en attente", "standby"),
}
_RATES = frozenset({"error_rate", "error_rate_day"})
_MEGABYTE = 1_000_000


def rows(details: Mapping[str, Any], language: str) -> Iterator[tuple[str, str]]:
    """Yield (what it is called, what it says) for each known figure; by its technical name where it has no other."""
    for key, value in details.items():
        label = LABELS[key].pick(language) if key in LABELS else key
        if isinstance(value, Mapping):
            for part, count in value.items():
                yield f"{label} : {_word(part, language)}", _say(key, count, language)
        elif value is not None:
            yield label, _say(key, value, language)


def _say(key: str, value: Any, language: str) -> str:
    if isinstance(value, bool):
        return Text("oui" if value else "non", "yes" if value else "no").pick(language)
    if key in _RATES and isinstance(value, int | float):
        return f"{speech.number(100 * value, 2, language)}{speech.THIN}%"
    if key == "bytes" and isinstance(value, int | float):
        return f"{speech.number(value / _MEGABYTE, 1, language)}{speech.THIN}{Text('Mo', 'MB').pick(language)}"
    if isinstance(value, int | float):
        return speech.number(value, 0 if float(value).is_integer() else 1, language)
    if isinstance(value, list | tuple):
        return ", ".join(_word(one, language) for one in value)
    return _word(value, language)


def _word(value: Any, language: str) -> str:
    known = _WORDS.get(str(value))
    return known.pick(language) if known else str(value)
