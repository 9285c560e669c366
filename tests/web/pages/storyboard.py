"""The states a home can be in, as the gateway's live feed would tell them: for tests of words, pages and pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.clock import to_iso
from gateway.signals import find
from web.live import Snapshot

AT = 1_750_502_520_000  # 2025-06-21 12:42 in Paris

OK = {"fr": "Tout va bien.", "en": "All is well."}


def check(id_: str, state: str = "ok", code: str = "ok", *, fr: str = "", en: str = "", mend: bool = False) -> dict:
    return {
        "id": id_,
        "state": state,
        "code": code,
        "text": {"fr": fr or OK["fr"], "en": en or OK["en"]},
        "mend": {"fr": "Vérifiez le câble.", "en": "Check the cable."} if mend else None,
        "since": to_iso(AT - 3_600_000),
        "details": {},
    }


def health(*checks: dict) -> dict:
    order = ["ok", "info", "warning", "problem"]
    worst = max((one["state"] for one in checks), key=order.index, default="ok")
    return {"state": worst, "checks": list(checks)}


WELL = health(check("meter", fr="Le compteur parle.", en="The meter speaks."), check("inverter:roof"), check("store"))
ASLEEP = health(
    check("meter", fr="Le compteur parle.", en="The meter speaks."),
    check("inverter:roof", "info", "asleep", fr="L’onduleur dort.", en="The inverter sleeps."),
)
NO_METER = health(
    check(
        "meter",
        "problem",
        "silent",
        fr="Le compteur ne dit plus rien depuis 12 min.",
        en="The meter has said nothing for 12 min.",
        mend=True,
    ),
    check("inverter:roof"),
)
NO_INVERTER = health(
    check("meter"),
    check(
        "inverter:roof",
        "problem",
        "unreachable",
        fr="L’onduleur est introuvable sur le réseau.",
        en="The inverter is not found.",
        mend=True,
    ),
)

_BASE = {
    "grid.import.energy": 4_321_000,
    "grid.export.energy": 870_000,
    "grid.import.energy.f01": 2_000_000,
    "grid.import.energy.f02": 2_321_000,
    "grid.import.apparent_power": 0,
    "grid.export.apparent_power": 0,
    "grid.import.power": 0,
    "grid.export.power": 0,
    "grid.voltage.l1": 234,
    "grid.current.l1": 2,
    "grid.subscribed_power": 6000,
    "grid.tariff.period": "hp",
    "pv.power": 0,
    "pv.energy": 9_870_000,
    "home.power": 0,
    "balance.unexplained.power": 0,
}


def _phases(va: tuple, amps: tuple) -> dict:
    return {
        **{f"grid.import.apparent_power.l{n}": one for n, one in enumerate(va, 1)},
        **{f"grid.current.l{n}": one for n, one in enumerate(amps, 1)},
        **{f"grid.voltage.l{n}": 231 + n for n in (1, 2, 3)},
        "grid.imbalance.current": max(amps) - min(amps),
    }


@dataclass(frozen=True)
class State:
    """One state: values that differ from a quiet home, their ages and qualities, the health, and the first words."""

    say_fr: str
    say_en: str
    values: dict = field(default_factory=dict)
    ages: dict = field(default_factory=dict)
    qualities: dict = field(default_factory=dict)
    health: dict = field(default_factory=lambda: WELL)
    connected: bool = True
    bare: bool = False  # only the values given
    has_pv: bool = True

    @property
    def signals(self) -> dict:
        values = self.values if self.bare else _BASE | self.values
        if not self.has_pv:
            values = {name: value for name, value in values.items() if not name.startswith(("pv.", "grid.export"))}
        return {name: self._sig(name, value) for name, value in values.items()}

    def _sig(self, name: str, value: object) -> dict:
        age = self.ages.get(name, 0.6)
        signal = find(name)
        stale = age > 3 * signal.period_s
        return {
            "value": value,
            "unit": signal.unit,
            "at": to_iso(AT - round(age * 1000)),
            "age_s": age,
            "quality": "stale" if stale else self.qualities.get(name, "measured"),
            "source": "derive:balance"
            if name == "home.power"
            else "linky"
            if name.startswith("grid")
            else "inverter:roof",
        }

    def snapshot(self) -> Snapshot:
        return Snapshot(self.signals, self.health, {"name": "Maison des Tilleuls"}, self.connected, to_iso(AT), 1)


STATES = {
    "export": State(
        "Vous consommez 480\u202fW, entièrement produits par vos panneaux.",
        "You are using 480\u202fW, all of it from your panels.",
        {"pv.power": 2130, "home.power": 480, "grid.export.power": 1650, "grid.export.apparent_power": 1660},
    ),
    "exact": State(
        "Vous consommez 900\u202fW, entièrement produits par vos panneaux.",
        "You are using 900\u202fW, all of it from your panels.",
        {"pv.power": 900, "home.power": 900},
    ),
    "noise": State(
        "Vous consommez 480\u202fW, entièrement produits par vos panneaux.",
        "You are using 480\u202fW, all of it from your panels.",
        {"pv.power": 471, "home.power": 480, "grid.import.power": 9},
    ),
    "partial": State(
        "Vous consommez 1,8\u202fkW, dont 1,2\u202fkW produits par vos panneaux.",
        "You are using 1.8\u202fkW, 1.2\u202fkW of it from your panels.",
        {"pv.power": 1210, "home.power": 1830, "grid.import.power": 620, "grid.import.apparent_power": 690},
    ),
    "night": State(
        "Vous consommez 350\u202fW, achetés au réseau.",
        "You are using 350\u202fW, bought from the grid.",
        {"home.power": 350, "grid.import.power": 350, "grid.import.apparent_power": 390, "grid.tariff.period": "hc"},
        health=ASLEEP,
    ),
    "dark-day": State(
        "Vous consommez 350\u202fW, achetés au réseau.",
        "You are using 350\u202fW, bought from the grid.",
        {"home.power": 350, "grid.import.power": 350, "grid.import.apparent_power": 390},
    ),
    "no-panels": State(
        "Vous consommez 1,4\u202fkW.",
        "You are using 1.4\u202fkW.",
        {"home.power": 1430, "grid.import.power": 1430, "grid.import.apparent_power": 1500},
        has_pv=False,
        health=health(check("meter")),
    ),
    "estimate": State(
        "Vous consommez ≈\u202f720\u202fW, achetés au réseau.",
        "You are using ≈\u202f720\u202fW, bought from the grid.",
        {"home.power": 720, "grid.import.power": 720, "grid.import.apparent_power": 800},
        qualities={"home.power": "estimated", "grid.import.power": "estimated"},
    ),
    "nothing": State(
        "La maison ne consomme presque rien.",
        "Your home is using next to nothing.",
        {"home.power": 4, "grid.import.power": 4},
    ),
    "battery-evening": State(
        "Vous consommez 640\u202fW, fournis par votre batterie.",
        "You are using 640\u202fW, all of it from your battery.",
        {"home.power": 640, "battery.discharge.power": 640, "battery.charge.power": 0, "battery.soc": 72},
        health=ASLEEP,
    ),
    "battery-from-grid": State(
        "Vous consommez 300\u202fW, achetés au réseau.",
        "You are using 300\u202fW, bought from the grid.",
        {
            "home.power": 300,
            "battery.discharge.power": 0,
            "battery.charge.power": 1500,
            "battery.soc": 31,
            "grid.import.power": 1800,
            "grid.import.apparent_power": 1900,
            "grid.tariff.period": "hc",
        },
        health=ASLEEP,
    ),
    "battery-sun": State(
        "Vous consommez 520\u202fW, entièrement produits par vos panneaux.",
        "You are using 520\u202fW, all of it from your panels.",
        {
            "pv.power": 3480,
            "home.power": 520,
            "battery.charge.power": 1900,
            "battery.discharge.power": 0,
            "battery.soc": 58,
            "grid.export.power": 1060,
            "grid.export.apparent_power": 1080,
        },
    ),
    "overload": State(
        "Vous consommez 6,4\u202fkW, achetés au réseau.",
        "You are using 6.4\u202fkW, bought from the grid.",
        {"home.power": 6390, "grid.import.power": 6390, "grid.import.apparent_power": 6600},
        health=ASLEEP,
    ),
    "cut": State(
        "Le compteur va couper dans 48\u202fs.",
        "The meter will cut off in 48\u202fs.",
        {
            "home.power": 9650,
            "grid.import.power": 9650,
            "grid.import.power.uncertainty": 310,
            "grid.import.apparent_power": 9720,
            "grid.overload": "yes",
            "grid.cutoff.power": 6000,
            "grid.cutoff.margin": 0,
            "grid.cutoff.time": 48,
        },
        health=ASLEEP,
    ),
    "cut-three-phases": State(
        "Le compteur va couper dans ≈\u202f2\u202fmin 10\u202fs.",
        "The meter will cut off in ≈\u202f2\u202fmin 10\u202fs.",
        {
            "home.power": 7400,
            "grid.import.power": 7400,
            "grid.import.apparent_power": 7450,
            "grid.subscribed_power": 12000,
            "grid.cutoff.power": 12000,
            "grid.cutoff.margin": 0,
            "grid.cutoff.time": 137,
            **_phases((700, 6500, 250), (3, 28, 1)),
        },
        qualities={"grid.cutoff.time": "estimated"},
        health=ASLEEP,
    ),
    "three-phases": State(
        "Vous consommez 1,1\u202fkW, entièrement produits par vos panneaux.",
        "You are using 1.1\u202fkW, all of it from your panels.",
        {
            "pv.power": 2130,
            "home.power": 1080,
            "grid.export.power": 1050,
            "grid.export.power.uncertainty": 24,
            "grid.export.apparent_power": 1064,
            "grid.subscribed_power": 12000,
            "grid.import.apparent_power": 0,
            **_phases((0, 480, 310), (8, 2, 1)),
        },
    ),
    "tempo-red-tomorrow": State(
        "Vous consommez 640\u202fW, achetés au réseau.",
        "You are using 640\u202fW, bought from the grid.",
        {
            "home.power": 640,
            "grid.import.power": 640,
            "grid.import.power.uncertainty": 18,
            "grid.power_factor": 0.93,
            "grid.import.apparent_power": 690,
            "grid.tariff.period": "white_hp",
            "grid.tariff.today": "white",
            "grid.tariff.tomorrow": "red",
            "grid.tariff.next_change": "2025-06-21T20:00Z",
            "grid.tariff.next_period": "white_hc",
            "grid.import.mean_power": 655,
            "grid.import.mean_power.check.net": -4,
        },
        health=ASLEEP,
    ),
    "ejp-announced": State(
        "Vous consommez 640\u202fW, achetés au réseau.",
        "You are using 640\u202fW, bought from the grid.",
        {
            "home.power": 640,
            "grid.import.power": 640,
            "grid.import.apparent_power": 690,
            "grid.tariff.period": "ejp_hn",
            "grid.tariff.notice": "announced",
            "grid.tariff.peak.start": "2025-06-22T05:00Z",
            "grid.tariff.peak.end": "2025-06-22T23:00Z",
            "grid.contact": "open",
            "grid.relays": "none",
            "grid.message": "POINTE MOBILE DE 7H A 1H",
        },
        health=ASLEEP,
    ),
    "meter-events": State(
        "Vous consommez 640\u202fW, achetés au réseau.",
        "You are using 640\u202fW, bought from the grid.",
        {
            "home.power": 640,
            "grid.import.power": 640,
            "grid.import.apparent_power": 690,
            "grid.events": "clock-degraded cover-open cut-off-overpower overvoltage",
            "grid.phase.missing": "2",
        },
        health=ASLEEP,
    ),
    "36-kva": State(
        "Vous consommez 28,4\u202fkW, dont 6,1\u202fkW produits par vos panneaux.",
        "You are using 28.4\u202fkW, 6.1\u202fkW of it from your panels.",
        {
            "pv.power": 6120,
            "home.power": 28_440,
            "grid.import.power": 22_320,
            "grid.import.apparent_power": 23_500,
            "grid.subscribed_power": 36_000,
        },
    ),
    "gap": State(
        "La maison ne consomme presque rien.",
        "Your home is using next to nothing.",
        {"pv.power": 1200, "home.power": 0, "grid.export.power": 1320, "balance.unexplained.power": 120},
    ),
    "no-inverter": State(
        "Vous achetez 820\u202fW au réseau.",
        "You are buying 820\u202fW from the grid.",
        {
            "pv.power": None,
            "home.power": None,
            "balance.unexplained.power": None,
            "grid.import.power": 820,
            "grid.import.apparent_power": 900,
        },
        health=NO_INVERTER,
    ),
    "no-inverter-export": State(
        "Vous envoyez 410\u202fW au réseau.",
        "You are sending 410\u202fW to the grid.",
        {"pv.power": None, "home.power": None, "grid.export.power": 410},
        health=NO_INVERTER,
    ),
    "no-meter": State(
        "Le compteur ne répond plus.",
        "The meter no longer answers.",
        {
            "pv.power": 1500,
            "home.power": None,
            "grid.import.power": None,
            "grid.export.power": None,
            "balance.unexplained.power": None,
        },
        {name: 720.0 for name in _BASE if name.startswith("grid.")},
        health=NO_METER,
    ),
    "stale": State(
        "Vous consommiez 480\u202fW il y a 2\u202fmin.",
        "You were using 480\u202fW 2\u202fmin ago.",
        {"pv.power": 2130, "home.power": 480, "grid.export.power": 1650},
        {"home.power": 140.0, "grid.export.power": 140.0, "grid.import.power": 140.0},
    ),
    "no-box": State(
        "Les mesures se sont arrêtées.",
        "Measuring has stopped.",
        {"pv.power": 2130, "home.power": 480, "grid.export.power": 1650},
        dict.fromkeys(_BASE, 600.0),
        connected=False,
    ),
    "starting": State(
        "Les premières mesures arrivent.",
        "The first measurements are on their way.",
        bare=True,
        health=health(),
    ),
}
