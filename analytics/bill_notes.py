"""What a bill says beside its lines: old prices, second-hand sources, holes in the curve, the taxes inside. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from analytics.bill_usage import CENT, Usage, months_between
from analytics.curves import HOUR, MJ_PER_KWH
from analytics.tariff import Figure, Period
from gateway.errors import Text


def notes_of(periods: Sequence[Period], usages: Sequence[Usage]) -> list[Text]:
    """Return the notes of a bill, the gravest first."""
    notes = _gaps(usages)
    notes += _shared(usages)
    notes += _stale(periods)
    notes += _second_hand(figure for period in periods for figure in period.rate.figures)
    notes += _taxes(periods, usages)
    return notes


def _gaps(usages: Sequence[Usage]) -> list[Text]:
    seconds = sum(usage.seconds for usage in usages)
    missing = seconds - sum(usage.covered for usage in usages)
    if not seconds or missing <= 0:
        return []
    share = Decimal(100 * missing) / seconds
    hours, holes = Decimal(missing) / HOUR, sum(usage.holes for usage in usages)
    return [
        Text(
            f"Il manque {decimal(hours, 'fr')} h de mesures ({decimal(share, 'fr')} % de la période, "
            f"en {holes} trou{'s' if holes > 1 else ''}) : rien n’est ajouté à leur place, le total est donc trop bas.",
            f"{decimal(hours, 'en')} h of readings are missing ({decimal(share, 'en')} % of the period, "
            f"in {holes} hole{'s' if holes > 1 else ''}): nothing is put in their place, so the total is too low.",
        )
    ]


def _shared(usages: Sequence[Usage]) -> list[Text]:
    total = sum(sum(usage.mj.values()) for usage in usages)
    shared = sum(usage.shared for usage in usages)
    if not shared or not total:
        return []
    share = Decimal(100 * shared) / total
    return [
        Text(
            f"{decimal(share, 'fr')} % de l’énergie tombe dans un pas à cheval sur deux prix : réparti selon le temps.",
            f"{decimal(share, 'en')} % of the energy falls in a step that two prices share: split by time.",
        )
    ]


def _stale(periods: Sequence[Period]) -> list[Text]:
    """Tell each price used after its last day, once."""
    late: dict[tuple[date, date], None] = {}
    for period in periods:
        last = period.end - timedelta(days=1)
        for figure in period.rate.figures:
            if figure.valid_to and figure.is_stale(last):
                late[figure.valid_from, figure.valid_to] = None
    return [
        Text(
            f"Prix du {start:%d/%m/%Y}, valables jusqu’au {end:%d/%m/%Y} : au-delà, ce sont les derniers connus.",
            f"Prices of {start}, valid until {end}: after that they are the last known ones.",
        )
        for start, end in late
    ]


def _second_hand(figures: Iterable[Figure]) -> list[Text]:
    told = {figure.source.fr: figure.source for figure in figures if figure.kind in ("secondary", "computed")}
    return [Text(f"À vérifier : {source.fr}.", f"To be checked: {source.en}.") for source in told.values()]


def _taxes(periods: Sequence[Period], usages: Sequence[Usage]) -> list[Text]:
    """Tell how much excise and CTA the prices hold, before VAT, when they are known for the whole bill."""
    accise = cta = Decimal(0)
    for period, usage in zip(periods, usages, strict=True):
        if period.rate.accise is None or period.rate.cta_month is None:
            return []
        accise += Decimal(sum(usage.mj.values())) / MJ_PER_KWH * period.rate.accise
        cta += months_between(period.start, period.end) * period.rate.cta_month
    excise, network = (amount.quantize(CENT, ROUND_HALF_UP) for amount in (accise, cta))
    return [
        Text(
            f"Ces prix comprennent, hors TVA, {decimal(excise, 'fr')} € d’accise et {decimal(network, 'fr')} € de CTA.",
            f"These prices include, before VAT, {decimal(excise, 'en')} € of excise duty and "
            f"{decimal(network, 'en')} € of CTA.",
        )
    ]


def decimal(value: Decimal, language: str, places: int | None = None) -> str:
    """Return a number as it is written in a language: a comma in French; one decimal unless it has cents."""
    exponent = value.as_tuple().exponent
    own = -exponent if isinstance(exponent, int) and -exponent == 2 else 1  # noqa: PLR2004 - cents
    shown = f"{value:,.{own if places is None else places}f}"
    return shown.replace(",", "\u202f").replace(".", ",") if language == "fr" else shown
