"""Every option on one and the same history: what each would have cost, on the grid in force and on the one before.

Rankings flip from one grid to the next, so an advice is given only when the same option is the cheapest on both, with
the smaller of the two differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from analytics.bill import Bill
from analytics.billing import Metering, power_notes
from analytics.calendar_tempo import CalendarError
from analytics.tariff import OPTION_NAMES, HeldGrid, Trv, UnknownTariffError, trv
from gateway.errors import FoyerError, Text

OPTIONS = ("base", "hphc", "tempo")
"""The options a household can still choose; EJP is compared only for a home that has it."""

_MATTERS = Decimal("1.00")


@dataclass(frozen=True, slots=True)
class Ranking:
    """The bills of one grid, cheapest first."""

    grid: date
    bills: list[Bill]

    def find(self, option: str) -> Bill | None:
        """Return the bill of an option, None when it could not be made."""
        return next((bill for bill in self.bills if bill.option == option), None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both rankings, the advice (None when it does not hold on both), and why some option or advice is not there."""

    start: date
    end: date
    kva: Decimal
    current: Ranking
    previous: Ranking | None
    advice: Text | None
    notes: list[Text] = field(default_factory=list)


def compare(
    metering: Metering,
    kva: Decimal,
    start: date,
    end: date,
    grid: date,
    option: str | None = None,
    source: Trv | None = None,
) -> Comparison:
    """Return every option over [start, end) at `kva`, on the grid in force on `grid` and on the one before.

    `option` is the household's own, None when not known. Raises FoyerError when no option at all can be computed.
    """
    tariffs = source or trv()
    notes = [*metering.curve.notes, *power_notes(metering.curve, kva, start, end)]
    current = _ranking(metering, kva, start, end, tariffs, grid, option, notes)
    before = [one for one in tariffs.grids if one < current.grid]
    previous = None
    if before:
        try:
            previous = _ranking(metering, kva, start, end, tariffs, before[-1], option, [])
        except UnknownTariffError as error:
            notes.append(error.what)
    seen = {note.fr for note in notes}
    notes += [note for note in current.bills[0].notes if note.fr not in seen]
    advice = _advice(current, previous, option, notes)
    return Comparison(start, end, kva, current, previous, advice, notes)


def _ranking(
    metering: Metering,
    kva: Decimal,
    start: date,
    end: date,
    tariffs: Trv,
    day: date,
    option: str | None,
    notes: list[Text],
) -> Ranking:
    grid = tariffs.grid_of(day)
    bills: list[Bill] = []
    refused: FoyerError | None = None
    for one in (*OPTIONS, *(("ejp",) if option == "ejp" else ())):
        try:
            bills.append(metering.bill(one, kva, HeldGrid(tariffs, day), start, end))
        except FoyerError as error:
            refused = error
            notes.append(_left_out(one, error))
    if not bills:
        assert refused is not None
        raise refused
    return Ranking(grid, sorted(bills, key=lambda bill: (bill.total_ttc, bill.option)))


def _left_out(option: str, error: FoyerError) -> Text:
    name = OPTION_NAMES[option]
    if option == "tempo" and isinstance(error, CalendarError):
        return Text(f"{name.fr} est laissé de côté. {error.what.fr}", f"{name.en} is left out. {error.what.en}")
    return Text(f"{name.fr} : {error.what.fr}", f"{name.en}: {error.what.en}")


def _advice(current: Ranking, previous: Ranking | None, option: str | None, notes: list[Text]) -> Text | None:
    """Return the advice when the same option is cheapest on both grids; else say why there is none."""
    best = current.bills[0]
    if previous is None or len(current.bills) < 2:  # noqa: PLR2004 - one option alone compares with nothing
        notes.append(
            Text(
                "Pas de conseil : il faut deux options et deux grilles pour comparer.",
                "No advice: it takes two options and two grids to compare.",
            )
        )
        return None
    if previous.bills[0].option != best.option:
        was = OPTION_NAMES[previous.bills[0].option]
        name = OPTION_NAMES[best.option]
        notes.append(
            Text(
                f"Pas de conseil : {name.fr} est la moins chère sur la grille du {current.grid:%d/%m/%Y}, "
                f"{was.fr} l’était sur celle du {previous.grid:%d/%m/%Y}.",
                f"No advice: {name.en} is the cheapest on the grid of {current.grid}, "
                f"{was.en} was on that of {previous.grid}.",
            )
        )
        return None
    rival = option if option and option != best.option and current.find(option) else current.bills[1].option
    gains = [_gain(ranking, best.option, rival) for ranking in (current, previous)]
    if any(gain is None for gain in gains):
        return None
    least = min(gain for gain in gains if gain is not None)
    return _sentence(best.option, rival, least, option, current, previous)


def _gain(ranking: Ranking, best: str, rival: str) -> Decimal | None:
    one, other = ranking.find(best), ranking.find(rival)
    return other.total_ttc - one.total_ttc if one and other else None


def _sentence(
    best: str, rival: str, least: Decimal, option: str | None, current: Ranking, previous: Ranking
) -> Text | None:
    days = (current.bills[0].end - current.bills[0].start).days
    one, other = OPTION_NAMES[best], OPTION_NAMES[rival]
    euros = f"{least:.2f}"
    both = Text(
        f"grilles du {current.grid:%d/%m/%Y} et du {previous.grid:%d/%m/%Y}, {days} jours de votre consommation",
        f"grids of {current.grid} and {previous.grid}, {days} days of your own use",
    )
    if least < _MATTERS:
        return Text(
            f"{one.fr} et {other.fr} se valent ({both.fr}).",
            f"{one.en} and {other.en} cost about the same ({both.en}).",
        )
    comma = euros.replace(".", ",")
    if option == best:
        return Text(
            f"Votre option {one.fr} est la moins chère : au moins {comma} € de moins que {other.fr} ({both.fr}).",
            f"Your {one.en} option is the cheapest: at least {euros} € less than {other.en} ({both.en}).",
        )
    return Text(
        f"{one.fr} aurait coûté au moins {comma} € de moins que {other.fr} ({both.fr}).",
        f"{one.en} would have cost at least {euros} € less than {other.en} ({both.en}).",
    )


def default_period(first: date, last: date) -> tuple[date, date]:
    """Return the last whole year of [first, last), or all of it when it is shorter."""
    try:
        year_before = last.replace(year=last.year - 1)
    except ValueError:
        year_before = last - timedelta(days=365)
    return max(first, year_before), last


def as_options(bills: Sequence[Bill]) -> list[dict[str, str]]:
    """Return bills as the `options` of `foyer tariff compare --json`."""
    return [
        {
            "option": bill.option,
            "total_ttc": f"{bill.total_ttc:.2f}",
            "energy_ttc": f"{bill.energy_ttc:.2f}",
            "subscription_ttc": f"{bill.subscription_ttc:.2f}",
        }
        for bill in bills
    ]
