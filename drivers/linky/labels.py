"""Every label of the Linky's TIC output, in both modes: what it means, and exactly what its data may be.

Sources: Enedis-NOI-CPT_54E (Linky), Enedis-NOI-CPT_02E (older meters). The order of each table is the order in which
a meter sends the groups; a group that does not follow it belongs to another frame.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import Text


class Mode(StrEnum):
    """The two dialects of the TIC output."""

    HISTORIC = "historic"
    STANDARD = "standard"


class Nature(StrEnum):
    """How a value may move, which decides what is plausible."""

    IDENTITY = "identity"
    CLOCK = "clock"
    INDEX = "index"
    LIVE = "live"
    SETTING = "setting"


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """One label.

    `size` is the exact number of data characters. `pattern` is None for numbers (digits only, at most `high`).
    `rank` orders the groups of a frame; historic ranks are all below the standard ones. `phases` is 1 or 3 where the
    label exists on such a meter only. `producer` labels exist only where the meter counts injection.
    """

    name: str
    mode: Mode
    rank: int
    size: int
    unit: str
    meaning: Text
    nature: Nature
    horodate: bool
    pattern: re.Pattern[str] | None
    high: int
    phases: int | None
    producer: bool

    @property
    def numeric(self) -> bool:
        """Tell whether the data is a number."""
        return self.pattern is None


FIRST_STANDARD_RANK = 1000
OPENERS = frozenset({"ADSC", "ADCO", "ADIR1", "ADIR2", "ADIR3"})
"""Labels that only ever stand at the head of a frame (ADCO may follow the ADIR of a short frame)."""

MAX_VA = 60_000
MAX_V = 500
MAX_A = 200

_FREE = r"[ -_a-z]*"
"""Free text. The back-quote and what follows `z` are left out: they are a blank or a digit with bit 6 flipped, which
the checksum cannot see."""


class _Table:
    """Gathers the labels of one mode in the order of their emission."""

    def __init__(self, mode: Mode, first: int) -> None:
        self.labels: dict[str, Label] = {}
        self._mode = mode
        self._first = first

    def add(
        self,
        name: str,
        size: int,
        fr: str,
        en: str,
        *,
        unit: str = "",
        nature: Nature = Nature.SETTING,
        horodate: bool = False,
        pattern: str | None = None,
        high: int | None = None,
        phases: int | None = None,
        producer: bool = False,
    ) -> None:
        self.labels[name] = Label(
            name,
            self._mode,
            self._first + len(self.labels),
            size,
            unit,
            Text(fr, en),
            nature,
            horodate,
            re.compile(pattern) if pattern is not None else None,
            10**size - 1 if high is None else high,
            phases,
            producer,
        )

    def index(self, name: str, fr: str, en: str, *, unit: str = "Wh", producer: bool = False) -> None:
        self.add(name, 9, fr, en, unit=unit, nature=Nature.INDEX, producer=producer)

    def live(
        self,
        name: str,
        size: int,
        unit: str,
        high: int,
        fr: str,
        en: str,
        *,
        phases: int | None = None,
        producer: bool = False,
    ) -> None:
        self.add(name, size, fr, en, unit=unit, nature=Nature.LIVE, high=high, phases=phases, producer=producer)

    def stamped(
        self, name: str, size: int, unit: str, fr: str, en: str, *, phases: int | None = None, producer: bool = False
    ) -> None:
        high = {"V": MAX_V, "VA": MAX_VA, "W": MAX_VA}[unit]
        self.add(name, size, fr, en, unit=unit, horodate=True, high=high, phases=phases, producer=producer)


def _identity(table: _Table, name: str, fr: str, en: str, size: int = 12) -> None:
    table.add(name, size, fr, en, nature=Nature.IDENTITY, pattern=rf"\d{{{size}}}")


PTEC_PERIODS = {
    "TH..": "base",
    "HC..": "hc",
    "HP..": "hp",
    "HN..": "ejp_hn",
    "PM..": "ejp_pm",
    "HCJB": "blue_hc",
    "HPJB": "blue_hp",
    "HCJW": "white_hc",
    "HPJW": "white_hp",
    "HCJR": "red_hc",
    "HPJR": "red_hp",
}
"""The current period of historic mode, as the tariff period it stands for (`gateway.signals.TARIFF_INDEXES`)."""

HISTORIC_REGISTERS = {
    "BASE": "base",
    "HCHC": "hc",
    "HCHP": "hp",
    "EJPHN": "ejp_hn",
    "EJPHPM": "ejp_pm",
    "BBRHCJB": "blue_hc",
    "BBRHPJB": "blue_hp",
    "BBRHCJW": "white_hc",
    "BBRHPJW": "white_hp",
    "BBRHCJR": "red_hc",
    "BBRHPJR": "red_hp",
}
"""The registers of historic mode, as the tariff index they stand for."""

_REGISTER_MEANINGS = {
    "BASE": ("Index base", "Base register"),
    "HCHC": ("Index heures creuses", "Off-peak register"),
    "HCHP": ("Index heures pleines", "Peak register"),
    "EJPHN": ("Index EJP, heures normales", "EJP register, normal hours"),
    "EJPHPM": ("Index EJP, pointe mobile", "EJP register, mobile peak"),
    "BBRHCJB": ("Index Tempo, bleu, heures creuses", "Tempo register, blue, off-peak"),
    "BBRHPJB": ("Index Tempo, bleu, heures pleines", "Tempo register, blue, peak"),
    "BBRHCJW": ("Index Tempo, blanc, heures creuses", "Tempo register, white, off-peak"),
    "BBRHPJW": ("Index Tempo, blanc, heures pleines", "Tempo register, white, peak"),
    "BBRHCJR": ("Index Tempo, rouge, heures creuses", "Tempo register, red, off-peak"),
    "BBRHPJR": ("Index Tempo, rouge, heures pleines", "Tempo register, red, peak"),
}


def _historic_head(table: _Table) -> None:
    for n in (1, 2, 3):
        table.live(
            f"ADIR{n}",
            3,
            "A",
            999,
            f"Dépassement d’intensité, phase {n}",
            f"Current above setting, phase {n}",
            phases=3,
        )
    _identity(table, "ADCO", "Adresse du compteur", "Meter address")
    table.add("OPTARIF", 4, "Option tarifaire", "Tariff option", pattern=r"BASE|HC\.\.|EJP\.|BBR[ -_]")
    table.add("ISOUSC", 2, "Intensité souscrite", "Subscribed current", unit="A")
    for name in HISTORIC_REGISTERS:
        table.index(name, *_REGISTER_MEANINGS[name])
    table.add("PEJP", 2, "Préavis EJP", "EJP notice", unit="min")
    periods = "|".join(re.escape(code) for code in PTEC_PERIODS)
    table.add("PTEC", 4, "Période tarifaire en cours", "Current tariff period", pattern=periods)
    table.add("DEMAIN", 4, "Couleur Tempo de demain", "Tempo colour of tomorrow", pattern="----|BLEU|BLAN|ROUG")


def _historic() -> dict[str, Label]:
    table = _Table(Mode.HISTORIC, 0)
    _historic_head(table)
    table.live("IINST", 3, "A", 999, "Intensité instantanée", "Current", phases=1)
    table.live("ADPS", 3, "A", 999, "Dépassement de puissance souscrite", "Above subscribed power", phases=1)
    table.add("IMAX", 3, "Intensité maximale appelée", "Highest current", unit="A", phases=1)
    for n in (1, 2, 3):
        table.live(f"IINST{n}", 3, "A", 999, f"Intensité instantanée, phase {n}", f"Current, phase {n}", phases=3)
    for n in (1, 2, 3):
        table.add(f"IMAX{n}", 3, f"Intensité maximale, phase {n}", f"Highest current, phase {n}", unit="A", phases=3)
    # The specification's unit is W; a Linky sends the apparent power of the day before.
    table.add("PMAX", 5, "Puissance maximale triphasée atteinte", "Highest three-phase power", unit="VA", phases=3)
    table.live("PAPP", 5, "VA", MAX_VA, "Puissance apparente soutirée", "Apparent power drawn")
    table.add("HHPHC", 1, "Groupe horaire", "Time-slot group", pattern=r"[A-Z]")
    table.add("MOTDETAT", 6, "Mot d’état du compteur", "Meter status word", pattern=r"[0-9A-Z]{6}")
    table.add("PPOT", 2, "Présence des potentiels", "Phases present", pattern=r"0[0-9A-F]", phases=3)
    table.add("GAZ", 7, "Index du compteur de gaz", "Gas meter register", unit="dal", nature=Nature.INDEX)
    table.add("AUTRE", 7, "Index d’un autre compteur", "Register of another meter", unit="dal", nature=Nature.INDEX)
    return table.labels


def _standard_energy(table: _Table) -> None:
    table.index("EAST", "Énergie active soutirée totale", "Total active energy drawn")
    for n in range(1, 11):
        table.index(f"EASF{n:02d}", f"Énergie soutirée, index fournisseur {n}", f"Energy drawn, supplier index {n}")
    for n in range(1, 5):
        table.index(f"EASD{n:02d}", f"Énergie soutirée, index distributeur {n}", f"Energy drawn, distributor index {n}")
    table.index("EAIT", "Énergie active injectée totale", "Total active energy injected", producer=True)
    for n in range(1, 5):
        table.index(
            f"ERQ{n}", f"Énergie réactive, quadrant {n}", f"Reactive energy, quadrant {n}", unit="VArh", producer=True
        )


def _standard_power(table: _Table) -> None:
    for n, phases in ((1, None), (2, 3), (3, 3)):
        table.live(f"IRMS{n}", 3, "A", MAX_A, f"Courant efficace, phase {n}", f"Current, phase {n}", phases=phases)
    for n, phases in ((1, None), (2, 3), (3, 3)):
        table.live(f"URMS{n}", 3, "V", MAX_V, f"Tension efficace, phase {n}", f"Voltage, phase {n}", phases=phases)
    table.add("PREF", 2, "Puissance de référence", "Subscribed power", unit="kVA")
    table.add("PCOUP", 2, "Puissance de coupure", "Cut-off power", unit="kVA")
    table.live("SINSTS", 5, "VA", MAX_VA, "Puissance apparente soutirée", "Apparent power drawn")
    for n in (1, 2, 3):
        # SINST1 is what pilot meters (types 67 and 68) call SINSTS, SMAXN what they call SMAXSN.
        table.live(f"SINSTS{n}", 5, "VA", MAX_VA, f"Puissance soutirée, phase {n}", f"Power drawn, phase {n}", phases=3)
    table.live("SINST1", 5, "VA", MAX_VA, "Puissance apparente soutirée", "Apparent power drawn", phases=1)
    today, today_en = "Puissance maximale soutirée aujourd’hui", "Highest power drawn today"
    before, before_en = "Puissance maximale soutirée hier", "Highest power drawn yesterday"
    for names in (("SMAXSN", "SMAXSN-1"), ("SMAXN", "SMAXN-1")):
        for name, fr, en in zip(names, (today, before), (today_en, before_en), strict=True):
            base, _, _ = name.partition("-")
            table.stamped(name, 5, "VA", fr, en)
            if base != "SMAXSN":
                continue
            for n in (1, 2, 3):
                phase = f"SMAXSN{n}{name.removeprefix(base)}"
                table.stamped(phase, 5, "VA", f"{fr}, phase {n}", f"{en}, phase {n}", phases=3)
    table.live("SINSTI", 5, "VA", MAX_VA, "Puissance apparente injectée", "Apparent power injected", producer=True)
    for name, fr, en in (("SMAXIN", "aujourd’hui", "today"), ("SMAXIN-1", "hier", "yesterday")):
        table.stamped(name, 5, "VA", f"Puissance maximale injectée {fr}", f"Highest power injected {en}", producer=True)
    for name, fr, en in (("CCASN", "dernier", "last"), ("CCASN-1", "avant-dernier", "last but one")):
        table.stamped(name, 5, "W", f"Courbe de charge soutirée, {fr} point", f"Load curve drawn, {en} point")
    for name, fr, en in (("CCAIN", "dernier", "last"), ("CCAIN-1", "avant-dernier", "last but one")):
        table.stamped(
            name, 5, "W", f"Courbe de charge injectée, {fr} point", f"Load curve injected, {en} point", producer=True
        )
    for n, phases in ((1, None), (2, 3), (3, 3)):
        table.stamped(f"UMOY{n}", 3, "V", f"Tension moyenne, phase {n}", f"Mean voltage, phase {n}", phases=phases)


_PROFILE = r"(?:\d{4}[0-9A-F]{4}|NONUTILE)(?: (?:\d{4}[0-9A-F]{4}|NONUTILE)){10}"


def _standard_tail(table: _Table) -> None:
    table.add("STGE", 8, "Registre de statuts", "Status word", pattern=r"[0-9A-F]{8}")
    for n in (1, 2, 3):
        table.add(f"DPM{n}", 2, f"Début de pointe mobile {n}", f"Start of mobile peak {n}", horodate=True)
        table.add(f"FPM{n}", 2, f"Fin de pointe mobile {n}", f"End of mobile peak {n}", horodate=True)
    table.add("MSG1", 32, "Message court", "Short message", pattern=_FREE)
    table.add("MSG2", 16, "Message ultra-court", "Ultra-short message", pattern=_FREE)
    _identity(table, "PRM", "Point de livraison", "Delivery point", size=14)
    table.add("RELAIS", 3, "État des relais", "Relay states", high=255)
    table.add("NTARF", 2, "Numéro de l’index en cours", "Number of the current index", high=10)
    table.add("NJOURF", 2, "Profil du jour", "Day profile", high=99)
    table.add("NJOURF+1", 2, "Profil de demain", "Day profile of tomorrow", high=99)
    table.add("PJOURF+1", 98, "Programme de demain", "Schedule of tomorrow", pattern=_PROFILE)
    table.add("PPOINTE", 98, "Programme du prochain jour de pointe", "Schedule of the next peak day", pattern=_PROFILE)


def _standard() -> dict[str, Label]:
    table = _Table(Mode.STANDARD, FIRST_STANDARD_RANK)
    _identity(table, "ADSC", "Adresse du compteur", "Meter address")
    table.add("VTIC", 2, "Version de la TIC", "TIC version", pattern=r"\d\d")
    table.add(
        "DATE",
        0,
        "Date et heure du compteur",
        "Date and time of the meter",
        nature=Nature.CLOCK,
        horodate=True,
        pattern="",
    )
    table.add("NGTF", 16, "Calendrier tarifaire du fournisseur", "Supplier calendar", pattern=_FREE)
    table.add("LTARF", 16, "Libellé du tarif en cours", "Label of the current tariff", pattern=_FREE)
    _standard_energy(table)
    _standard_power(table)
    _standard_tail(table)
    return table.labels


HISTORIC: dict[str, Label] = _historic()
STANDARD: dict[str, Label] = _standard()
