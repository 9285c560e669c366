"""The pages of the household: now, history, devices, and the rest. Each is whole before any script runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time
from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_babel import gettext  # type: ignore[import-untyped]  # Flask-Babel ships no types

from gateway.clock import to_datetime
from gateway.signals import SIGNALS, Kind, Signal, find, split_device
from web import charts, details, flow, periods, speech, words
from web.flow import Situation
from web.live import Sig, Snapshot
from web.margin import margin
from web.periods import STEPS, Period, Slot
from web.phases import three_phases
from web.settings import box, wished_language
from web.tariff import tariff
from web.today import Kept, energy_table, today

pages = Blueprint("pages", __name__)

_KEPT = "foyer.today"


@pages.record_once
def _prepare(state: Any) -> None:
    state.app.extensions[_KEPT] = Kept()


@pages.app_context_processor
def _words() -> dict[str, Any]:
    """Give every template the figures as the language writes them."""
    language = wished_language()
    return {
        "power": lambda watts, about=False: speech.power(watts, language, about=about),
        "energy": lambda wh, about=False: speech.energy(wh, language, about=about),
        "cell": partial(_cell, language),
        "apparent": lambda va: speech.apparent(va, language),
        "subscription": lambda va: speech.subscription(va, language),
        "percent": lambda ratio: speech.percent(ratio, language),
        "ago": lambda seconds: speech.age(seconds, language),
    }


def _cell(language: str, row: charts.Row, name: str, *, unit: bool = False) -> str:
    """Return one energy of a table: "≥" before what is at least that, "≈" before an estimate."""
    wh = row.wh[name]
    if wh is None:
        return speech.UNKNOWN
    sign = speech.AT_LEAST if name in row.least else speech.ABOUT if row.estimated else ""
    text = speech.energy(wh, language) if unit else speech.number(wh / 1000, 1, language)
    return f"{sign}{speech.THIN}{text}" if sign else text


def _locale() -> str:
    """Return the locale of dates and hours: English ones as in Europe, with 24 hours."""
    return "en_GB" if wished_language() == "en" else "fr"


def _zone() -> ZoneInfo:
    return ZoneInfo(box().config.home.timezone)


def _local_now() -> datetime:
    return to_datetime(box().clock.now()).astimezone(_zone())


def _has_pv(snapshot: Snapshot) -> bool:
    return bool(box().config.inverter) or "pv.power" in snapshot.signals


# -- now


@pages.get("/")
def now() -> str:
    """Show what the home is doing."""
    return render_template("now.html", page="now", **_now_values())


@pages.get("/maintenant/fragment")
def fragment() -> str:
    """Return the living parts of the page, which the page's script swaps in."""
    return render_template("now_parts.html", **_now_values())


def _now_values() -> dict[str, Any]:
    language, snapshot, config = wished_language(), box().feed.snapshot(), box().config
    has_pv = _has_pv(snapshot)
    subscribed = config.contract.subscribed_kva * 1000 if config.contract else None
    situation = flow.situation(snapshot, has_pv=has_pv, subscribed_va=subscribed)
    local = _local_now()
    zone = _zone()
    day = today(
        current_app.extensions[_KEPT],
        periods.midnight(local.date(), zone),
        box().clock.now(),
        config.home.timezone,
        has_pv=has_pv,
    )
    return {
        "now": situation,
        "speech": speech.speak(situation, language),
        "streams": flow.streams(situation),
        "today": day.rows[0] if day and day.rows else None,
        "tariff": tariff(snapshot.signals, config.contract, local, language),
        "margin": margin(situation, language),
        "phases": three_phases(snapshot.signals, situation.subscribed_va, language),
        "notices": words.notices(snapshot.signals, language),
        "health": _worst(snapshot, language),
        "details": _details(snapshot, situation, language),
        "fresh": _fresh(snapshot),
        "snapshot": snapshot,
        "wires": flow.WIRES,
    }


def _fresh(snapshot: Snapshot) -> dict[str, Any]:
    return {"alive": snapshot.connected, "at": format_time(_local_now(), "short", locale=_locale())}


def _worst(snapshot: Snapshot, language: str) -> dict[str, Any]:
    """Return the state of the box in one word, and the checks that deserve a look."""
    checks = snapshot.health.get("checks", [])
    return {
        "state": snapshot.health.get("state", "info"),
        # that the gateway is lost is what the first sentence says
        "checks": [
            {
                "id": check.get("id"),
                "text": _pick(check.get("text"), language),
                "mend": _pick(check.get("mend"), language),
            }
            for check in checks
            if check.get("state") in ("warning", "problem") and check.get("id") != "gateway"
        ],
        "known": bool(checks),
    }


def _details(snapshot: Snapshot, situation: Situation, language: str) -> list[dict[str, Any]]:
    """Return every live value with its name, source and age, in the order of the registry."""
    shown = {
        "pv.power": "pv",
        "grid.import.power": "import",
        "grid.export.power": "export",
        "home.power": "home",
        "battery.charge.power": "charge",
        "battery.discharge.power": "discharge",
    }
    rows, sources = [], _sources()
    for name, sig in sorted(snapshot.signals.items(), key=_in_order):
        signal = find(name)
        if signal is None or name.endswith(_BESIDE):
            continue
        _, device = split_device(name)
        seen = situation.shown.get(shown.get(name, ""))
        value = sig["value"] if seen is None else seen
        rows.append(
            {
                "name": signal.label.pick(language) + (f" ({device})" if device else ""),
                "technical": name,
                "value": _said(signal, value, language) + _give_or_take(snapshot, name, value, language),
                "estimated": sig["quality"] == "estimated",
                "age_s": sig["age_s"],
                "stale": sig["quality"] == "stale",
                "source": _source(sig["source"], sources) + _stamp(name, sig, language),
            }
        )
    return rows


_BESIDE = ".uncertainty"  # shown beside the value that it is about


def _said(signal: Signal, value: float | str | None, language: str) -> str:
    if isinstance(value, str) and signal.kind is Kind.STATE:
        return words.word(signal.name, value, language, _zone())
    return speech.plain(value, signal.unit, language)


def _give_or_take(snapshot: Snapshot, name: str, value: float | str | None, language: str) -> str:
    """Return how far off a power may be, to stand behind it."""
    half = snapshot.signals.get(f"{name}{_BESIDE}")
    watts = half["value"] if half and value is not None else None
    return f" ± {speech.power(watts, language)}" if isinstance(watts, int | float) else ""


def _stamp(name: str, sig: Sig, language: str) -> str:
    """Return the end of the half-hour that a mean is of."""
    at = words.instant(sig["at"], _zone()) if name.endswith(".mean_power") and sig["at"] else None
    return f" · {gettext('jusqu’à %(hour)s', hour=words.hour(at, language))}" if at else ""


def _in_order(item: tuple[str, Sig]) -> tuple[int, str]:
    plain, _ = split_device(item[0])
    names = list(SIGNALS)
    return (names.index(plain) if plain in SIGNALS else len(names), item[0])


def _sources() -> dict[str, str]:
    return {
        "linky": gettext("compteur Linky"),
        "inverter": gettext("onduleur"),
        "derive": gettext("calculé par la boîte"),
    }


def _source(source: str, known: Mapping[str, str]) -> str:
    kind, _, rest = source.partition(":")
    if kind == "linky" and rest:
        kind = "derive"  # worked out by the driver from what the meter says
    name = known.get(kind, source)
    return f"{name} {rest}" if kind == "inverter" and rest else name


# -- history


@pages.get("/historique")
def history() -> str:
    """Show the energy of a day, a week, a month or a year."""
    found = _asked()
    return render_template("history.html", page="history", views=_views(), **found)


def _views() -> list[tuple[str, str]]:
    return [
        (periods.View.DAY.value, gettext("Jour")),
        (periods.View.WEEK.value, gettext("Semaine")),
        (periods.View.MONTH.value, gettext("Mois")),
        (periods.View.YEAR.value, gettext("Année")),
    ]


def _asked() -> dict[str, Any]:
    zone, clock, snapshot = _zone(), box().clock, box().feed.snapshot()
    this_day = periods.local_day(clock.now(), zone)
    period = periods.period(request.args.get("vue"), request.args.get("le"), this_day, zone)
    slots = period.slots(_locale())
    past = [slot for slot in slots if slot.start <= clock.now()]
    has_pv = _has_pv(snapshot)
    table = energy_table(past, STEPS[period.view], box().config.home.timezone, has_pv=has_pv)
    return {
        "period": period,
        "title": period.title(_locale()),
        "following": period.following if period.end <= clock.now() else None,
        "slots": past,
        "coming": slots[len(past) :],
        "table": table,
        "columns": [one for one in charts.COLUMNS if has_pv or one == "used"],
        "headings": _headings(),
        "has_pv": has_pv,
        "today": this_day,
        "from_iso": periods.iso_local(period.start, zone),
        "to_iso": periods.iso_local(period.end, zone),
        "timezone": box().config.home.timezone,
        "history_api": url_for("history.history") if "history.history" in current_app.view_functions else "",
        "printed_at": format_datetime(_local_now(), "d MMMM y, HH:mm", locale=_locale()),
    }


def _headings() -> dict[str, str]:
    return {
        "used": gettext("Consommé"),
        "self": gettext("du toit"),
        "bought": gettext("acheté"),
        "made": gettext("Produit"),
        "sent": gettext("envoyé"),
    }


@pages.get("/historique.csv")
def history_csv() -> Response:
    """Return the same table as a CSV file: semicolons and commas in French, as the spreadsheets there expect."""
    language = wished_language()
    found = _asked()
    period, table = found["period"], found["table"]
    text = io.StringIO()
    writer = csv.writer(text, delimiter="," if language == "en" else ";", lineterminator="\r\n")
    names = found["headings"]
    heads = [f"{names[one]} (kWh)" for one in found["columns"]]
    writer.writerow([gettext("Début"), gettext("Fin"), *heads, gettext("Mesuré (%)"), gettext("Estimé")])
    if table is not None:
        for slot, row in zip(found["slots"], table.rows, strict=True):
            writer.writerow(_csv_row(period, slot, row, found["columns"], language))
    response = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="foyer-{period.view.value}-{period.first}.csv"'
    return response


def _csv_row(period: Period, slot: Slot, row: charts.Row, columns: list[str], language: str) -> list[str]:
    def figure(wh: int | None) -> str:
        if wh is None:
            return ""
        text = f"{wh / 1000:.1f}"
        return text if language == "en" else text.replace(".", ",")

    return [
        periods.iso_local(slot.start, period.zone),
        periods.iso_local(slot.end, period.zone),
        *(figure(row.wh[name]) for name in columns),
        str(round(row.coverage * 100)),
        gettext("oui") if row.estimated else gettext("non"),
    ]


# -- devices and the rest


@pages.get("/appareils")
def devices() -> str:
    """Show how the meter, the inverters and the box itself are doing."""
    language, snapshot = wished_language(), box().feed.snapshot()
    checks = [_check(check, language) for check in snapshot.health.get("checks", [])]
    return render_template("devices.html", page="devices", checks=checks, fresh=_fresh(snapshot))


_STATES = ("ok", "info", "warning", "problem")
_ICONS = {
    "meter": "meter",
    "inverter": "inverter",
    "store": "memory",
    "store-file": "memory",
    "backup": "memory",
    "influxdb": "memory",
    "disk": "memory",
    "clock": "clock",
    "gateway": "home",
}


def _check(check: Mapping[str, Any], language: str) -> dict[str, Any]:
    kind, _, device = str(check.get("id", "")).partition(":")
    names = {
        "meter": gettext("Compteur Linky"),
        "inverter": gettext("Onduleur"),
        "store": gettext("Enregistrement des mesures"),
        "store-file": gettext("Fichier des mesures"),
        "backup": gettext("Sauvegarde de la nuit"),
        "influxdb": gettext("Copie vers InfluxDB"),
        "disk": gettext("Place sur la carte"),
        "clock": gettext("Horloge"),
        "gateway": gettext("Programme de mesure"),
    }
    states = {
        "ok": gettext("Tout va bien"),
        "info": gettext("Bon à savoir"),
        "warning": gettext("À surveiller"),
        "problem": gettext("À réparer"),
    }
    name = names.get(kind, kind)
    state = str(check.get("state", "info"))
    chips = {"ok": "home", "info": "", "warning": "sun", "problem": "alert"}
    return {
        "name": f"{name} « {device} »" if device and language != "en" else f"{name} “{device}”" if device else name,
        "rank": -_STATES.index(state) if state in _STATES else 0,
        "icon": _ICONS.get(kind, "devices"),
        "state": state,
        "word": states.get(state, state),
        "chip": chips.get(state, ""),
        "text": _pick(check.get("text"), language),
        "mend": _pick(check.get("mend"), language),
        "code": str(check.get("code", "")),
        "since": _when(check.get("since")),
        "details": list(details.rows(check.get("details") or {}, language)),
    }


def _pick(text: Any, language: str) -> str:
    said = str(text.get(language) or text.get("fr") or "") if isinstance(text, Mapping) else ""
    return speech.typeset(said, language)


def _when(stamp: Any) -> str:
    try:
        at = datetime.fromisoformat(str(stamp))
    except ValueError:
        return ""
    return format_datetime(at.astimezone(_zone()), "medium", locale=_locale()) if at.tzinfo else ""


@pages.get("/plus")
def more() -> str:
    """Show the language, the theme, the way out, and what this box is."""
    snapshot, config = box().feed.snapshot(), box().config
    return render_template("more.html", page="more", config=config, fresh=_fresh(snapshot))
