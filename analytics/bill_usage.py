"""What a bill multiplies: energy by register and months of subscription. Pure."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Usage:
    """Energy of one period (mJ by register), how much of it was shared out by time, and how much time it covers (s)."""

    mj: dict[str, int]
    shared: int = 0
    covered: int = 0
    seconds: int = 0
    holes: int = 0


def months_between(start: date, end: date) -> Decimal:
    """Return the months of [start, end): whole calendar months count one, a part its share of that month's days."""
    whole, part = 0, Decimal(0)
    day = start
    while day < end:
        length = calendar.monthrange(day.year, day.month)[1]
        following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        days = (min(following, end) - day).days
        if days == length:
            whole += 1
        else:
            part += Decimal(days) / length
        day = following
    return whole + part
