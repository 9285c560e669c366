"""What the page says in words and figures, in French and in English. Pure: no request, no clock, no translation file.

Say what is, then what it means, then what one may do. An estimate wears "≈", an unknown value is "–", never 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from gateway.errors import Text
from web.flow import NOISE_W, Known, Situation

THIN = "\u202f"
"""The narrow no-break space: before units, and between thousands in French."""
UNKNOWN = "–"
ABOUT = "≈"
AT_LEAST = "≥"
_MINUS = "−"

_KILO = 1000
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_TENS = 10  # seconds beyond a minute are said by tens
_OPENS_AT = 1.3  # times the cut-off power: up to there a meter never cuts
_MACHINE_W = 1000
"""With this much sun to spare a washing machine costs next to nothing."""


def number(value: float, digits: int, language: str) -> str:
    """Return a number with `digits` decimals, as the language writes it."""
    text = f"{abs(value):,.{digits}f}"
    if language != "en":
        text = text.replace(",", THIN).replace(".", ",")
    negative = value < 0 and any(one in text for one in "123456789")
    return _MINUS + text if negative else text


def power(watts: float | None, language: str, *, about: bool = False) -> str:
    """Return a power: whole W below 1 000, then kW with one decimal."""
    return _scaled(watts, "W", language, about=about)


def apparent(va: float | None, language: str) -> str:
    """Return an apparent power, in VA or kVA; it is never said in watts."""
    return _scaled(va, "VA", language, about=False)


def subscription(va: float | None, language: str) -> str:
    """Return a subscribed power as it stands on the bill: "6 kVA"."""
    if va is None:
        return UNKNOWN
    return f"{number(va / _KILO, 0 if va % _KILO == 0 else 1, language)}{THIN}kVA"


def _scaled(value: float | None, unit: str, language: str, *, about: bool) -> str:
    if value is None:
        return UNKNOWN
    whole = round(value)
    text = (
        f"{number(whole, 0, language)}{THIN}{unit}"
        if abs(whole) < _KILO
        else f"{number(whole / _KILO, 1, language)}{THIN}k{unit}"
    )
    return f"{ABOUT}{THIN}{text}" if about else text


def energy(wh: float | None, language: str, *, about: bool = False) -> str:
    """Return an energy in kWh with one decimal."""
    if wh is None:
        return UNKNOWN
    text = f"{number(wh / _KILO, 1, language)}{THIN}kWh"
    return f"{ABOUT}{THIN}{text}" if about else text


def percent(ratio: float | None, language: str) -> str:
    """Return a ratio of 0 to 1 as a percentage without decimals."""
    if ratio is None:
        return UNKNOWN
    space = "" if language == "en" else THIN
    return f"{number(ratio * 100, 0, language)}{space}%"


def plain(value: float | str | None, unit: str, language: str) -> str:
    """Return any measured value in its unit, for the table of details."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    if unit == "%":
        return percent(value / 100, language)
    if unit in ("W", "VA"):
        return _scaled(value, unit, language, about=False)
    if unit == "Wh":
        return energy(value, language)
    digits, unit = (2, "") if unit == "ratio" else (0, unit)
    return f"{number(value, digits, language)}{THIN}{unit}".rstrip(THIN)


def age(seconds: float | None, language: str) -> str:
    """Return how long ago something was, in words; empty when nobody knows."""
    if seconds is None:
        return ""
    s = max(0, round(seconds))
    if s < _MINUTE:
        amount, fr, en = s, "s", "s"
    elif s < _HOUR:
        amount, fr, en = s // _MINUTE, "min", "min"
    elif s < 2 * _DAY:
        amount, fr, en = s // _HOUR, "h", "h"
    else:
        amount, fr, en = s // _DAY, "jours", "days"
    if language == "en":
        return f"{amount}{THIN}{en} ago"
    return f"il y a {amount}{THIN}{fr}"


@dataclass(frozen=True, slots=True)
class Speech:
    """The sentence: `lead` then `strong` (emphasised, in the colour of `tone`), and what it means."""

    lead: str
    strong: str
    tone: str
    meaning: str

    @property
    def sentence(self) -> str:
        """The whole first sentence."""
        return f"{self.lead}{self.strong}."


_BEFORE = re.compile(r"(?<=\S) (?=[:;?»])")
_AFTER = re.compile(r"(?<=«) ")


def typeset(text: str, language: str) -> str:
    """Return a French sentence whose double signs stay with their word at the end of a line."""
    if language == "en":
        return text
    return _AFTER.sub("\u00a0", _BEFORE.sub("\u00a0", text))


def speak(now: Situation, language: str) -> Speech:
    """Return what the page says first."""
    coming = now.cut_s is not None and now.known in (Known.LIVE, Known.NO_INVERTER)
    said = _cut(now, language) if coming else _speak(now, language)
    return replace(said, meaning=typeset(said.meaning, language))


def _speak(now: Situation, language: str) -> Speech:
    if now.known is Known.LIVE:
        return _live(now, language)
    if now.known is Known.STALE:
        return _stale(now, language)
    if now.known is Known.NO_INVERTER:
        return _no_inverter(now, language)
    if now.known is Known.NO_METER:
        return _no_meter(now, language)
    if now.known is Known.NO_BOX:
        return _say(
            language,
            Text("Les mesures se sont arrêtées", "Measuring has stopped"),
            Text(
                "Ce qui est enregistré est gardé. La liaison reprend d’elle-même ; "
                "si cela dure plus de cinq minutes, redémarrez la boîte.",
                "What is recorded is kept. The link comes back by itself; "
                "if this lasts more than five minutes, restart the box.",
            ),
        )
    return _say(
        language,
        Text("Les premières mesures arrivent", "The first measurements are on their way"),
        Text("Cela prend une minute au plus, le temps d’écouter le compteur.", "This takes a minute at most."),
        tone="",
    )


def _say(language: str, what: Text, meaning: Text, tone: str = "alert") -> Speech:
    return Speech("", what.pick(language), tone, meaning.pick(language))


def _shown(now: Situation, name: str, language: str) -> str:
    return power(now.shown.get(name), language, about=now[name].estimated)


def _live(now: Situation, language: str) -> Speech:
    home = _shown(now, "home", language)
    if not now["home"].flows:
        lead = Text("La maison ne consomme ", "Your home is using ").pick(language)
        strong = Text("presque rien", "next to nothing").pick(language)
        return Speech(lead, strong, "home", _meaning(now, language))
    lead = Text(f"Vous consommez {home}", f"You are using {home}").pick(language)
    origin, tone = _origin(now, language)
    return Speech(f"{lead}, " if origin else lead, origin, tone, _meaning(now, language))


def _origin(now: Situation, language: str) -> tuple[str, str]:
    """Return where the power of the home comes from, in words, and the colour of the words."""
    sun, store, grid = now["pv"].flows, now["discharge"].flows, now["import"].flows
    made, drawn = _shown(now, "pv", language), _shown(now, "discharge", language)
    said: tuple[Text, str] | None = {
        (True, False, False): (Text("entièrement produits par vos panneaux", "all of it from your panels"), "sun"),
        (True, True, False): (
            Text("fournis par vos panneaux et votre batterie", "from your panels and your battery"),
            "sun",
        ),
        (False, True, False): (Text("fournis par votre batterie", "all of it from your battery"), "store"),
        (True, False, True): (Text(f"dont {made} produits par vos panneaux", f"{made} of it from your panels"), "sun"),
        (True, True, True): (
            Text(
                f"dont {made} de vos panneaux et {drawn} de votre batterie",
                f"{made} from your panels and {drawn} from your battery",
            ),
            "sun",
        ),
        (False, True, True): (
            Text(f"dont {drawn} fournis par votre batterie", f"{drawn} of it from your battery"),
            "store",
        ),
    }.get((sun, store, grid))
    if said is None and grid and (now.has_pv or now.has_battery):
        said = Text("achetés au réseau", "bought from the grid"), "grid"
    return (said[0].pick(language), said[1]) if said else ("", "")


def _meaning(now: Situation, language: str) -> str:
    if now.overloaded:
        limit = subscription(now.subscribed_va, language)
        return Text(
            f"C’est plus que votre abonnement de {limit} : le compteur peut couper. Éteignez un gros appareil.",
            f"That is more than your subscription of {limit}: the meter may cut off. Switch off something big.",
        ).pick(language)
    if now["export"].flows or now["charge"].flows:
        return _surplus(now, language)
    if now["import"].flows:
        return _bought(now, language)
    if now["pv"].flows:
        return Text(
            "Votre toit donne juste ce qu’il faut : rien n’est acheté, rien ne part au réseau.",
            "Your roof gives just what you need: nothing is bought, nothing goes to the grid.",
        ).pick(language)
    if now["discharge"].flows:
        return Text("Rien n’est acheté en ce moment.", "Nothing is being bought right now.").pick(language)
    return Text("Rien à signaler.", "Nothing to report.").pick(language)


def _surplus(now: Situation, language: str) -> str:
    sent, charge = _shown(now, "export", language), _shown(now, "charge", language)
    if not now["pv"].flows:
        if now["charge"].flows:
            return Text(
                f"Le réseau charge aussi la batterie, avec {charge}.",
                f"The grid is charging the battery too, with {charge}.",
            ).pick(language)
        return Text(f"{sent} partent au réseau.", f"{sent} goes to the grid.").pick(language)
    if now["charge"].flows and now["export"].flows:
        said = Text(
            f"Le soleil charge aussi la batterie avec {charge}, et {sent} partent au réseau.",
            f"The sun also charges the battery with {charge}, and {sent} goes to the grid.",
        )
    elif now["charge"].flows:
        said = Text(
            f"La batterie se charge aussi, avec {charge}.",
            f"The battery is charging too, with {charge}.",
        )
    else:
        said = Text(
            f"Il reste {sent} de soleil, qui partent au réseau.",
            f"{sent} of sun is left over and goes to the grid.",
        )
    if (now["export"].watts or 0) >= _MACHINE_W:
        more = Text(" C’est un bon moment pour lancer une machine.", " A good time to start a washing machine.")
        return said.pick(language) + more.pick(language)
    return said.pick(language)


def _bought(now: Situation, language: str) -> str:
    bought = _shown(now, "import", language)
    if now["pv"].flows or now["discharge"].flows:
        return Text(f"Le reste, {bought}, est acheté au réseau.", f"The rest, {bought}, is bought from the grid.").pick(
            language
        )
    if now.asleep:
        return Text(
            "Les panneaux dorment : ils reprendront avec le soleil.", "The panels are asleep until the sun is back."
        ).pick(language)
    if now.has_pv:
        return Text(
            "Vos panneaux ne produisent rien en ce moment.", "Your panels are producing nothing right now."
        ).pick(language)
    return Text("Tout vient du réseau.", "All of it comes from the grid.").pick(language)


def _stale(now: Situation, language: str) -> Speech:
    home, ago = _shown(now, "home", language), age(now["home"].age_s, language)
    return Speech(
        Text(f"Vous consommiez {home} ", f"You were using {home} ").pick(language),
        ago,
        "alert",
        Text(
            "Rien de neuf depuis. La boîte continue d’écouter ; ce qui est enregistré est gardé.",
            "Nothing new since. The box goes on listening; what is recorded is kept.",
        ).pick(language),
    )


def _no_inverter(now: Situation, language: str) -> Speech:
    bought, sent = _shown(now, "import", language), _shown(now, "export", language)
    if now["export"].flows and (now["export"].watts or 0) > (now["import"].watts or 0):
        lead = Text(f"Vous envoyez {sent} ", f"You are sending {sent} ")
        strong = Text("au réseau", "to the grid")
    elif (now["import"].watts or 0) < NOISE_W:
        lead, strong = Text("Vous n’achetez ", "You are buying "), Text("rien au réseau", "nothing from the grid")
    else:
        lead, strong = Text(f"Vous achetez {bought} ", f"You are buying {bought} "), Text("au réseau", "from the grid")
    return Speech(
        lead.pick(language),
        strong.pick(language),
        "grid",
        Text(
            "L’onduleur ne répond pas : on ne sait pas ce que donnent les panneaux, "
            "ni ce que la maison consomme en tout.",
            "The inverter does not answer: what the panels give, and what the home uses in all, is not known.",
        ).pick(language),
    )


def _no_meter(now: Situation, language: str) -> Speech:
    made = _shown(now, "pv", language)
    known = (
        Text(
            f"Vos panneaux produisent {made}, mais on ne sait pas ce que la maison consomme. ",
            f"Your panels produce {made}, but what the home uses is not known. ",
        ).pick(language)
        if now["pv"].flows and not now["pv"].stale
        else ""
    )
    kept = Text("Ce qui est enregistré est gardé.", "What is recorded is kept.").pick(language)
    words = Text("Le compteur ne répond plus", "The meter no longer answers")
    return Speech("", words.pick(language), "alert", f"{known}{kept}")


def wait(now: Situation, language: str) -> str:
    """Return how long before the cut, in words."""
    seconds = round(now.cut_s or 0)
    if seconds < 1:
        return Text("un instant", "a moment").pick(language)
    about = f"{ABOUT}{THIN}" if now.cut_about else ""
    if seconds < _MINUTE:
        return f"{about}{seconds}{THIN}s"
    minutes, rest = divmod(seconds // _TENS * _TENS, _MINUTE)
    return f"{about}{minutes}{THIN}min" + (f" {rest}{THIN}s" if rest else "")


def shed(now: Situation, language: str) -> str:
    """Return what must be switched off at least, in VA, rounded up; empty for three phases, where one alone decides."""
    if now.apparent_va is None or now.cutoff_va is None or now.phases > 1:
        return ""
    over = now.apparent_va - _OPENS_AT * now.cutoff_va
    if over <= 0:
        return ""
    return apparent(-(-over // 100) * 100, language)


def _cut(now: Situation, language: str) -> Speech:
    lead = Text("Le compteur va couper ", "The meter will cut off ").pick(language)
    strong = Text(f"dans {wait(now, language)}", f"in {wait(now, language)}").pick(language)
    used = apparent(now.apparent_va, language)
    least = shed(now, language)
    goal = Text(f", au moins {least}", f", at least {least}").pick(language) if least else ""
    where = ""
    if now.phases > 1:
        where = Text(" Une des trois phases est trop chargée.", " One of the three phases is overloaded.").pick(
            language
        )
    doing = Text(
        f"Éteignez tout de suite un gros appareil{goal} : four, plaques, bouilloire, radiateur ou chauffe-eau. "
        f"La maison appelle {used}.{where}",
        f"Switch off something big now{goal}: oven, hob, kettle, heater or water heater. "
        f"Your home draws {used}.{where}",
    )
    return Speech(lead, strong, "alert", doing.pick(language))
