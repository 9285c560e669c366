"""Whether the roof is turned as the set-up says, and the clock right: by the shape of clear days. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

from analytics.performance import SLOT_S, Day, Finding, is_smooth
from gateway.errors import Text

FEWEST_DAYS = 20
_TURN_DEG, _SHIFT_MIN = 15.0, 20.0
_TURNS = range(-90, 91, 10)
_TILTS = range(-30, 31, 10)
_SHIFTS_MIN = range(-90, 91, 5)
_WRONG, _BETTER = 0.03, 0.6
_BETTER_TILT = 0.4  # a slope shows less in a curve than a direction, and models of the sky disagree on it

Curves = Callable[[float, float], Sequence[Sequence[float]]]
"""(degrees more of tilt, degrees more of azimuth) → clear-sky W of every slot of every given day."""


def smooth_days(days: Sequence[Day], peak_w: float) -> list[Day]:
    """Return the last days without a cloud, as many as the judgement wants; fewer when there are not."""
    return [day for day in days if is_smooth(day, peak_w)][-FEWEST_DAYS:]


def wrong_setup(days: Sequence[Day], curves: Curves, *, turns: bool = True) -> list[Finding]:
    """Say when another orientation, or a clock set otherwise, explains cloudless days far better than the set-up does.

    `days` are cloudless ones. `turns` is False for a roof of several slopes, whose orientation one curve cannot tell.
    """
    if len(days) < FEWEST_DAYS:
        return []
    measured = [[slot.measured or 0.0 for slot in day.slots] for day in days]
    as_set = _misfit(measured, curves(0.0, 0.0), 0)
    if as_set < _WRONG:
        return []
    shift = min(_SHIFTS_MIN, key=lambda minutes: _misfit(measured, curves(0.0, 0.0), minutes * 60 // SLOT_S))
    shifted = _misfit(measured, curves(0.0, 0.0), shift * 60 // SLOT_S)
    choices = [(tilt, turn) for turn in _TURNS for tilt in _TILTS] if turns else [(0, 0)]
    fits = {choice: _misfit(measured, curves(*map(float, choice)), 0) for choice in choices}
    tilt, turn = min(fits, key=lambda choice: fits[choice])
    turned = fits[tilt, turn]
    if shifted <= turned and shifted < _BETTER * as_set and abs(shift) > _SHIFT_MIN:
        return [_clock(shift, as_set, shifted, len(days))]
    better = _BETTER if abs(turn) > _TURN_DEG else _BETTER_TILT
    if turned < shifted and turned < better * as_set and max(abs(turn), abs(tilt)) > _TURN_DEG:
        return [_orientation(tilt, turn, as_set, turned, len(days))]
    return []


def _misfit(measured: Sequence[Sequence[float]], curves: Sequence[Sequence[float]], shift: int) -> float:
    """Return how far the days are from a curve moved by some slots and scaled at best: a share of their own size."""
    pairs: list[tuple[float, float]] = []
    for day, curve in zip(measured, curves, strict=True):
        for number, watts in enumerate(day):
            source = number - shift
            pairs.append((watts, curve[source] if 0 <= source < len(curve) else 0.0))
    own, along = sum(m * m for m, _ in pairs), sum(m * c for m, c in pairs)
    sky = sum(c * c for _, c in pairs)
    if own <= 0 or sky <= 0:
        return 1.0
    scale = along / sky
    return sqrt(sum((m - scale * c) ** 2 for m, c in pairs) / own)


def _clock(minutes: int, as_set: float, best: float, days: int) -> Finding:
    late_fr, late_en = ("en retard", "late") if minutes > 0 else ("en avance", "early")
    return Finding(
        "wrong-clock",
        "warning",
        Text(
            f"La courbe des jours clairs est {late_fr} d’environ {abs(minutes)} minutes sur le soleil : l’heure de "
            "l’appareil, ou la longitude, est sans doute fausse.",
            f"The curve of clear days is about {abs(minutes)} minutes {late_en} on the sun: the clock of the device, "
            "or the longitude, is probably wrong.",
        ),
        {"minutes": minutes, "misfit": round(as_set, 3), "misfit_corrected": round(best, 3), "days": days},
    )


def _orientation(tilt: int, turn: int, as_set: float, best: float, days: int) -> Finding:
    side_fr, side_en = ("l’ouest", "west") if turn > 0 else ("l’est", "east")
    about_fr = f"tournés de {abs(turn)}° de plus vers {side_fr}" if turn else f"inclinés de {tilt:+d}°"
    about_en = f"turned {abs(turn)}° more to the {side_en}" if turn else f"tilted by {tilt:+d}°"
    return Finding(
        "wrong-orientation",
        "info",
        Text(
            f"Les jours clairs ressemblent à ceux de panneaux {about_fr} par rapport au réglage : corrigez "
            "[[solar_array]] si c’est le cas.",
            f"Clear days look like those of panels {about_en} than the set-up says: mend [[solar_array]] if so.",
        ),
        {
            "tilt_change": tilt,
            "azimuth_change": turn,
            "misfit": round(as_set, 3),
            "misfit_corrected": round(best, 3),
            "days": days,
        },
    )
