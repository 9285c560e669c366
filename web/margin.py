"""How far the home is from a cut: the card of the margin. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from web.flow import Situation
from web.speech import shed, wait

_NEAR = 0.8  # from four fifths of the subscription on, the gauge warns


@dataclass(frozen=True, slots=True)
class Margin:
    """What is left of the subscription, VA, and the level of alarm: "", "near", "over" or "cut".

    `cut` is how long before the meter cuts ("40 s"), empty unless it is going to. `shed` is what must at least be
    switched off for it not to, empty when that is not known.
    """

    left: float
    used: float
    whole: float
    level: str
    cut: str = ""
    shed: str = ""

    @property
    def share(self) -> float:
        """The part of the subscription that is used, 1 at most."""
        return min(1.0, self.used / self.whole)


def margin(now: Situation, language: str) -> Margin | None:
    """Return the margin of now; None when it cannot be known."""
    used, whole = now.apparent_va, now.subscribed_va
    if used is None or not whole:
        return None
    if now.cut_s is not None:
        return Margin(max(0.0, whole - used), used, whole, "cut", wait(now, language), shed(now, language))
    level = "over" if used > whole else "near" if used > _NEAR * whole else ""
    return Margin(max(0.0, whole - used), used, whole, level)
