"""The registry of everything the box can measure: the only place a signal is defined.

A name is dotted lower case; its unit is fixed for life. Flows are non-negative pairs (import/export, charge/discharge).
With several devices of a kind the device id follows an `@`: `pv.power@roof-east`; the plain name is their sum.
Values are stored as integers: `round(value * 10 ** scale)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from gateway.errors import Text


class Kind(StrEnum):
    """What a signal's values do over time, which decides how they are stored and summed."""

    GAUGE = "gauge"
    COUNTER = "counter"
    STATE = "state"


class Privacy(StrEnum):
    """What a value tells about the people at home."""

    LOAD_CURVE = "load-curve"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Signal:
    """One measurable thing. `unit` is empty for states, whose values are text. Bounds are inclusive, in the unit."""

    name: str
    unit: str
    kind: Kind
    label: Text
    low: float | None = None
    high: float | None = None
    scale: int = 0
    privacy: Privacy = Privacy.LOAD_CURVE
    period_s: float = 5.0
    """Usual time between two values; after three of these a value is shown with its age."""


_MAX_VA = 60_000.0  # 36 kVA is the largest subscription at the low-voltage tariff; room for a short overload
_MAX_WH = 999_999_999.0  # nine digits, the width of a Linky index
_MAX_PV_W = 100_000.0
_MAX_PV_WH = 1e12


def _gauge(
    name: str, unit: str, fr: str, en: str, high: float, *, low: float = 0.0, scale: int = 0, period_s: float = 5.0
) -> Signal:
    return Signal(name, unit, Kind.GAUGE, Text(fr, en), low, high, scale, period_s=period_s)


def _counter(name: str, fr: str, en: str, high: float, *, period_s: float = 5.0) -> Signal:
    return Signal(name, "Wh", Kind.COUNTER, Text(fr, en), 0.0, high, period_s=period_s)


def _state(name: str, fr: str, en: str) -> Signal:
    return Signal(name, "", Kind.STATE, Text(fr, en))


_INVERTER_S = 10.0
_HALF_HOUR_S = 1800.0

_ALL: tuple[Signal, ...] = (
    _counter("grid.import.energy", "Énergie achetée", "Energy bought", _MAX_WH),
    _counter("grid.export.energy", "Énergie injectée", "Energy sent to the grid", _MAX_WH),
    _gauge("grid.import.apparent_power", "VA", "Puissance apparente soutirée", "Apparent power drawn", _MAX_VA),
    _gauge("grid.export.apparent_power", "VA", "Puissance apparente injectée", "Apparent power injected", _MAX_VA),
    _gauge("grid.import.power", "W", "Puissance achetée", "Power bought", _MAX_VA, period_s=40.0),
    _gauge("grid.export.power", "W", "Puissance injectée", "Power sent to the grid", _MAX_VA, period_s=40.0),
    *(
        _gauge(
            f"grid.{way}.power.uncertainty",
            "W",
            f"Puissance {fr}, à tant près",
            f"Power {en}, give or take",
            _MAX_VA,
            period_s=40.0,
        )
        for way, fr, en in (("import", "achetée", "bought"), ("export", "injectée", "sent"))
    ),
    _gauge("grid.power_factor", "ratio", "Facteur de puissance", "Power factor", 1.0, scale=2, period_s=40.0),
    _gauge(
        "grid.import.mean_power",
        "W",
        "Puissance achetée, moyenne du compteur sur la demi-heure",
        "Power bought, the meter’s half-hour mean",
        _MAX_VA,
        period_s=_HALF_HOUR_S,
    ),
    _gauge(
        "grid.export.mean_power",
        "W",
        "Puissance injectée, moyenne du compteur sur la demi-heure",
        "Power sent, the meter’s half-hour mean",
        _MAX_VA,
        period_s=_HALF_HOUR_S,
    ),
    *(
        _gauge(
            f"grid.{way}.mean_power.check.net",
            "W",
            f"Puissance {fr}, moyenne de la boîte moins celle du compteur",
            f"Power {en}, the box’s mean minus the meter’s",
            _MAX_VA,
            low=-_MAX_VA,
            period_s=_HALF_HOUR_S,
        )
        for way, fr, en in (("import", "achetée", "bought"), ("export", "injectée", "sent"))
    ),
    *(
        _gauge(
            f"grid.import.apparent_power.l{n}",
            "VA",
            f"Puissance apparente soutirée, phase {n}",
            f"Apparent power drawn, phase {n}",
            _MAX_VA,
        )
        for n in (1, 2, 3)
    ),
    _gauge("grid.imbalance.current", "A", "Écart entre les phases", "Difference between the phases", 200.0),
    _state("grid.phase.missing", "Phase absente", "Missing phase"),
    *(_gauge(f"grid.voltage.l{n}", "V", f"Tension phase {n}", f"Voltage, phase {n}", 500.0) for n in (1, 2, 3)),
    *(_gauge(f"grid.current.l{n}", "A", f"Intensité phase {n}", f"Current, phase {n}", 200.0) for n in (1, 2, 3)),
    _state("grid.tariff.period", "Période tarifaire", "Tariff period"),
    _state("grid.tariff.today", "Couleur du jour", "Colour of today"),
    _state("grid.tariff.tomorrow", "Couleur de demain", "Colour of tomorrow"),
    _state("grid.tariff.next_change", "Prochain changement de tarif", "Next change of tariff"),
    _state("grid.tariff.next_period", "Période tarifaire suivante", "Next tariff period"),
    _state("grid.tariff.notice", "Préavis de pointe", "Peak notice"),
    _state("grid.tariff.peak.start", "Début de la pointe annoncée", "Start of the announced peak"),
    _state("grid.tariff.peak.end", "Fin de la pointe annoncée", "End of the announced peak"),
    _state("grid.contact", "Contact heures creuses", "Off-peak contact"),
    _state("grid.relays", "Relais fermés", "Closed relays"),
    _state("grid.events", "Événements du compteur", "Meter events"),
    _state("grid.message", "Message du compteur", "Message of the meter"),
    _state("grid.overload", "Dépassement de puissance", "Power above subscription"),
    _gauge("grid.subscribed_power", "VA", "Puissance souscrite", "Subscribed power", _MAX_VA),
    _gauge("grid.cutoff.power", "VA", "Puissance de coupure", "Cut-off power", _MAX_VA),
    _gauge("grid.cutoff.margin", "VA", "Marge avant que le compteur coupe", "Margin before a cut", 2 * _MAX_VA),
    _gauge("grid.cutoff.time", "s", "Temps avant coupure", "Time before a cut", 3600.0),
    _gauge("pv.power", "W", "Puissance des panneaux", "Solar power", _MAX_PV_W, period_s=_INVERTER_S),
    _counter("pv.energy", "Énergie produite", "Energy produced", _MAX_PV_WH, period_s=_INVERTER_S),
    _state("pv.state", "État de l’onduleur", "Inverter state"),
    _gauge("battery.charge.power", "W", "Charge de la batterie", "Battery charging", _MAX_PV_W, period_s=_INVERTER_S),
    _gauge(
        "battery.discharge.power",
        "W",
        "Décharge de la batterie",
        "Battery discharging",
        _MAX_PV_W,
        period_s=_INVERTER_S,
    ),
    _gauge("battery.soc", "%", "Niveau de la batterie", "Battery level", 100.0, scale=1, period_s=_INVERTER_S),
    _gauge("home.power", "W", "Consommation de la maison", "Home use", _MAX_PV_W, period_s=40.0),
    _counter("home.energy", "Énergie consommée", "Energy used at home", _MAX_PV_WH, period_s=40.0),
    _gauge(
        "balance.unexplained.power",
        "W",
        "Écart non expliqué",
        "Unexplained difference",
        _MAX_PV_W,
        low=-_MAX_PV_W,
        period_s=40.0,
    ),
    _gauge("pv.power.forecast", "W", "Puissance solaire prévue", "Expected solar power", _MAX_PV_W, period_s=1800.0),
)

SIGNALS: dict[str, Signal] = {signal.name: signal for signal in _ALL}
"""Every signal with a fixed name; `find` also knows the families `grid.import.energy.<index>` and `pv.dc.power.<n>`."""

TARIFF_INDEXES: dict[str, Text] = {
    "base": Text("Base", "Base"),
    "hc": Text("Heures creuses", "Off-peak"),
    "hp": Text("Heures pleines", "Peak"),
    "ejp_hn": Text("EJP, heures normales", "EJP, normal hours"),
    "ejp_pm": Text("EJP, pointe mobile", "EJP, mobile peak"),
    "blue_hc": Text("Jour bleu, heures creuses", "Blue day, off-peak"),
    "blue_hp": Text("Jour bleu, heures pleines", "Blue day, peak"),
    "white_hc": Text("Jour blanc, heures creuses", "White day, off-peak"),
    "white_hp": Text("Jour blanc, heures pleines", "White day, peak"),
    "red_hc": Text("Jour rouge, heures creuses", "Red day, off-peak"),
    "red_hp": Text("Jour rouge, heures pleines", "Red day, peak"),
    **{f"f{n:02d}": Text(f"Index fournisseur {n}", f"Supplier index {n}") for n in range(1, 11)},
    **{f"d{n:02d}": Text(f"Index distributeur {n}", f"Distributor index {n}") for n in range(1, 5)},
}
"""The `<index>` of `grid.import.energy.<index>`: historic registers by meaning, standard by number (EASFnn: fnn)."""

_DC = re.compile(r"pv\.dc\.power\.([1-9][0-9]?)")
_DEVICE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def split_device(name: str) -> tuple[str, str]:
    """Return `("pv.power", "roof")` for `pv.power@roof`, and an empty device for a plain name."""
    plain, _, device = name.partition("@")
    return plain, device


@lru_cache(maxsize=512)
def find(name: str) -> Signal | None:
    """Return the signal called `name`, with or without `@device`, or None if there is no such signal."""
    plain, at, device = name.partition("@")
    if at and not _DEVICE.fullmatch(device):
        return None
    if signal := SIGNALS.get(plain):
        return signal
    if match := _DC.fullmatch(plain):
        number = match[1]
        return _gauge(
            plain, "W", f"Panneaux, entrée {number}", f"Panels, input {number}", _MAX_PV_W, period_s=_INVERTER_S
        )
    index = TARIFF_INDEXES.get(plain.removeprefix("grid.import.energy."))
    if index and plain.startswith("grid.import.energy."):
        return _counter(plain, f"Énergie achetée, {index.fr}", f"Energy bought, {index.en}", _MAX_WH)
    return None


def within_bounds(signal: Signal, value: float) -> bool:
    """Tell whether a number is one that the signal can have; NaN and infinities never are."""
    low = signal.low if signal.low is not None else float("-inf")
    high = signal.high if signal.high is not None else float("inf")
    return low <= value <= high and abs(value) != float("inf")
