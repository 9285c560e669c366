"""Which register counts when, and how much energy falls in each. Pure.

Off-peak hours are wall-clock windows, several a day if need be, across midnight or not, and others in summer (1 April
to 31 October) where the contract has them. A Tempo day runs from 06:00 to 06:00, its off-peak hours from 22:00. An EJP
peak runs from 07:00 to 01:00, between 1 November and 31 March.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from analytics.calendar_tempo import Colours, missing_colours
from analytics.curves import HOUR, PARIS, CurveError, Slot, midnight
from gateway.errors import Misconfigured, Text

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_DAY = timedelta(days=1)
_SUMMER = (4, 10)
_WINTER = (11, 12, 1, 2, 3)
TEMPO_DAY, TEMPO_NIGHT = 6, 22
EJP_START, EJP_END = 7, 25


class Span(NamedTuple):
    """Time in which one register counts: [start, end), UTC seconds."""

    start: int
    end: int
    register: str


@dataclass(frozen=True, slots=True)
class Hours:
    """Off-peak windows as the contract writes them, in summer others where `summer` is not empty."""

    windows: tuple[str, ...]
    summer: tuple[str, ...] = ()

    def of(self, day: date) -> tuple[str, ...]:
        """Return the windows that begin on a day."""
        return self.summer if self.summer and _SUMMER[0] <= day.month <= _SUMMER[1] else self.windows


@dataclass(frozen=True, slots=True)
class Split:
    """Energy of one period by register (mJ); `shared` is what fell in slots that two registers divide, by time."""

    mj: dict[str, int]
    shared: int
    covered: int
    holes: int


def at_hour(day: date, hours: float, zone: ZoneInfo = PARIS) -> int:
    """Return when the wall clock shows `hours` after the midnight that opens `day` (24 and more: the next day)."""
    wall = datetime.combine(day, time()) + timedelta(hours=hours)
    return round(wall.replace(tzinfo=zone).timestamp())


def spans_of(option: str, hours: Hours, colours: Colours | None, start: date, end: date) -> list[Span]:
    """Return the spans that fill [start, end) without a hole; raise FoyerError for missing hours or colours."""
    if option == "base":
        return [Span(midnight(start), midnight(end), "base")]
    if option == "hphc":
        return _filled(_off_peak(hours, start, end), "hp", start, end)
    return _tempo(colours or {}, start, end) if option == "tempo" else _ejp(colours, start, end)


def _off_peak(hours: Hours, start: date, end: date) -> list[Span]:
    if not hours.windows:
        raise Misconfigured(
            Text(
                "L’option Heures creuses demande les heures creuses.",
                "The off-peak option needs the off-peak hours.",
            ),
            Text(
                'Ajoutez par exemple off_peak = ["22:00-06:00"] dans [contract].',
                'Add for example off_peak = ["22:00-06:00"] in [contract].',
            ),
        )
    found = []
    day = start - _DAY
    while day < end:
        for window in hours.of(day):
            match = _WINDOW.fullmatch(window)
            if match is None:
                raise Misconfigured(
                    Text(f"« {window} » n’est pas une plage d’heures.", f"“{window}” is not a window of hours."),
                    Text("Écrivez par exemple 22:00-06:00.", "Write for example 22:00-06:00."),
                )
            opens, closes = int(match[1]) + int(match[2]) / 60, int(match[3]) + int(match[4]) / 60
            closes += 24 if closes <= opens else 0
            found.append(Span(at_hour(day, opens), at_hour(day, closes), "hc"))
        day += _DAY
    return sorted(found)


def _filled(marked: Sequence[Span], rest: str, start: date, end: date) -> list[Span]:
    """Return [start, end) with the marked spans, and `rest` between them; overlapping windows count once."""
    spans: list[Span] = []
    reached, last = midnight(start), midnight(end)
    for one in marked:
        opens, closes = max(one.start, reached), min(one.end, last)
        if closes <= opens:
            continue
        if opens > reached:
            spans.append(Span(reached, opens, rest))
        spans.append(Span(opens, closes, one.register))
        reached = closes
    if reached < last:
        spans.append(Span(reached, last, rest))
    return spans


def _tempo(colours: Colours, start: date, end: date) -> list[Span]:
    days = [start + timedelta(days=n) for n in range(-1, (end - start).days)]
    missing = [day for day in days if day not in colours]
    if missing:
        raise missing_colours(missing)
    marked = []
    for day in days:
        colour = colours[day]
        dawn, night, next_dawn = (at_hour(day, hour) for hour in (TEMPO_DAY, TEMPO_NIGHT, 24 + TEMPO_DAY))
        marked += [Span(dawn, night, f"{colour}_hp"), Span(night, next_dawn, f"{colour}_hc")]
    return _filled(marked, "", start, end)


def _ejp(colours: Colours | None, start: date, end: date) -> list[Span]:
    days = [start + timedelta(days=n) for n in range(-1, (end - start).days)]
    known = colours or {}
    missing = [day for day in days if day.month in _WINTER and day not in known]
    if missing:
        raise missing_colours(missing)
    peaks = [day for day in days if known.get(day) == "ejp"]
    return _filled(
        [Span(at_hour(day, EJP_START), at_hour(day, EJP_END), "ejp_pm") for day in peaks], "ejp_hn", start, end
    )


def split(slots: Sequence[Slot], spans: Sequence[Span], cuts: Sequence[tuple[int, int]]) -> list[Split]:
    """Return the energy of each period of `cuts` (UTC seconds, one after another) by register; no millijoule is lost.

    A slot that two registers share is divided by time when it lasts an hour at most, else CurveError: a day's energy
    tells nothing of its hours.
    """
    totals: list[dict[str, int]] = [{} for _ in cuts]
    shared, covered, holes = [0] * len(cuts), [0] * len(cuts), [0] * len(cuts)
    pieces = _pieces(spans, cuts)
    reached = [first for first, _ in cuts]
    at = 0
    for slot in slots:
        while at < len(pieces) and pieces[at][1] <= slot.start:
            at += 1
        left, here, moment = slot.mj, at, slot.start
        while here < len(pieces) and pieces[here][0] < slot.end:
            opens, closes, period, register = pieces[here]
            opens, closes = max(opens, moment), min(closes, slot.end)
            whole = slot.end - slot.start
            left -= slot.mj * (opens - moment) // whole  # what fell before the first period
            # what is left goes to the last piece, so that rounding loses nothing
            part = left if closes == slot.end else slot.mj * (closes - opens) // whole
            if closes - opens < whole:
                _check_fine(slot, pieces, here, period)
                shared[period] += part
            left -= part
            totals[period][register] = totals[period].get(register, 0) + part
            covered[period] += closes - opens
            holes[period] += opens > reached[period]
            reached[period] = moment = closes
            here += 1
    return [Split(totals[n], shared[n], covered[n], holes[n] + (reached[n] < cuts[n][1])) for n in range(len(cuts))]


Piece = tuple[int, int, int, str]


def _pieces(spans: Sequence[Span], cuts: Sequence[tuple[int, int]]) -> list[Piece]:
    """Return (start, end, period, register): the spans cut where a period ends, one register's joined."""
    found: list[Piece] = []
    at = 0
    for period, (first, last) in enumerate(cuts):
        while at and spans[at - 1].end > first:
            at -= 1
        for place in range(at, len(spans)):
            span = spans[place]
            if span.start >= last:
                break
            opens, closes = max(span.start, first), min(span.end, last)
            if closes <= opens:
                continue
            at = place
            if found and found[-1][1:] == (opens, period, span.register):
                found[-1] = (found[-1][0], closes, period, span.register)
            else:
                found.append((opens, closes, period, span.register))
    return found


def _check_fine(slot: Slot, pieces: Sequence[Piece], here: int, period: int) -> None:
    """Refuse to divide a long slot between two registers; a period's own edge may cut one (it is told as shared)."""
    if slot.end - slot.start <= HOUR:
        return
    around = [pieces[n] for n in (here - 1, here + 1) if 0 <= n < len(pieces)]
    if any(
        one[2] == period and one[3] != pieces[here][3] and one[0] < slot.end and one[1] > slot.start for one in around
    ):
        raise CurveError(
            Text(
                "Cette courbe donne une valeur par jour : elle ne dit pas la part des heures creuses.",
                "This curve gives one value a day: it does not tell the share of off-peak hours.",
            ),
            Text(
                "Exportez la courbe de charge à la demi-heure, ou le fichier des index.",
                "Export the half-hourly load curve, or the file of indexes.",
            ),
        )
