"""What the simulated meter says of the days to come: colours, mobile peaks, day profiles, messages. Pure.

The colour of tomorrow is known from 11:00, a mobile peak from 17:00 the day before. In historic mode a peak is only
announced half an hour ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from drivers.sim.colours import COLOURS, is_ejp, tempo
from drivers.sim.tariff import EJP_START, TEMPO_DAY, Tariff, instant
from gateway.clock import UtcMs

_COLOUR_KNOWN, _PEAK_KNOWN = 11, 17
_NOTICE_MIN = 30


@dataclass(frozen=True, slots=True)
class Announced:
    """What a meter says of its tariff beyond the running index; as the fields of `drivers.linky.sim.MeterState`."""

    tempo_today: str | None = None
    tempo_tomorrow: str | None = None
    notice: int | None = None
    peak: int | None = None
    peaks: tuple[tuple[UtcMs, UtcMs], ...] = ()
    notice_min: int | None = None
    profile: tuple[str, ...] = ()
    peak_profile: tuple[str, ...] = ()
    day: int = 0
    next_day: int = 0
    message: str = ""


def announced(tariff: Tariff, at: UtcMs) -> Announced:
    """Return what the meter of a contract says at an instant."""
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(tariff.zone)
    if tariff.option == "tempo":
        return _tempo(tariff, local)
    if tariff.option == "ejp":
        return _ejp(tariff, local, at // 1000)
    if tariff.option == "hphc":
        return Announced(profile=_windows(tariff, local.date() + timedelta(days=1)))
    return Announced(profile=("0000C001",))


def _tempo(tariff: Tariff, local: datetime) -> Announced:
    """Return the colours: a day has its own from 06:00 on."""
    day = local.date() if local.hour >= TEMPO_DAY else local.date() - timedelta(days=1)
    today, tomorrow = (tempo(tariff.seed, one) for one in (day, day + timedelta(days=1)))
    known = local.date() > day or local.hour >= _COLOUR_KNOWN
    number, after = COLOURS.index(today), COLOURS.index(tomorrow if known else COLOURS[0])
    # 01 in the two highest bits: the contact follows the rule of Tempo
    profile = (f"0000400{2 * number + 1}", f"0600400{2 * after + 2}", f"2200400{2 * after + 1}")
    return Announced(
        tempo_today=today,
        tempo_tomorrow=tomorrow if known else None,
        profile=profile,
        day=number + 1,
        next_day=after + 1,
    )


def _ejp(tariff: Tariff, local: datetime, second: int) -> Announced:
    peaks = [
        tariff.peak(day)
        for day in (local.date() + timedelta(days=n) for n in (-1, 0, 1))
        if is_ejp(tariff.seed, day) and second >= _told_at(tariff, day)
    ]
    coming = [span for span in peaks if span.end > second]
    if not coming:
        return Announced(profile=("00004001",))
    span = coming[0]
    runs = span.start <= second
    return Announced(
        notice=None if runs else 1,
        peak=1 if runs else None,
        peaks=tuple((UtcMs(one.start * 1000), UtcMs(one.end * 1000)) for one in coming),
        notice_min=_NOTICE_MIN if second >= span.start - _NOTICE_MIN * 60 else None,
        profile=("00004001",),
        peak_profile=("01004001", f"{EJP_START:02d}004002"),
        message="" if runs else f"POINTE MOBILE   DE {EJP_START}H A 1H",
    )


def _told_at(tariff: Tariff, day: date) -> int:
    return instant(day - timedelta(days=1), _PEAK_KNOWN, tariff.zone)


def _windows(tariff: Tariff, day: date) -> tuple[str, ...]:
    """Return the profile of a day of off-peak windows: the contact closes with each of them."""
    midnight = instant(day, 0, tariff.zone)
    slots = []
    for since, _, index in tariff.timeline(midnight, instant(day, 24, tariff.zone)):
        wall = datetime.fromtimestamp(since, UTC).astimezone(tariff.zone)
        slots.append(f"{wall:%H%M}{'C' if index == 1 else '8'}00{index}")
    return tuple(slots)
