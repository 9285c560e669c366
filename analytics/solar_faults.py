"""What can be wrong with a roof, as rules over many days: pure functions that return findings, most often none.

No rule speaks from one day, nor from what a cloudy sky gives. Sources: the usual field rules for small roofs; 253 V is
the highest mean voltage of the public grid (EN 50160), above which inverters must cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

from analytics.performance import SLOT_S, Day, Finding, Slot, bright, clear_ratios, clear_slots
from gateway.errors import Text

_HOUR_SLOTS = 3600 // SLOT_S
_NOTHING, _SUNNY = 0.01, 0.30  # of the peak power
_OUTAGE_SLOTS = 30 * 60 // SLOT_S
_HIGH_V = 253.0
_FEWEST_DAYS = 2
_STRING_DAYS, _BEFORE_DAYS = 3, 5
_STRING_LOST, _STRING_LIGHT = 0.3, 0.3
_MARGIN = 0.05
_CLIP_SLOTS, _CLIP_FLAT, _CLIP_RISE, _CLIP_DAYS = 3 * 3, 0.01, 0.03, 3
_CLIP_LEVEL, _CLIP_SAME, _CLIP_LOST_H = 0.5, 0.02, 0.02
_SOIL_DAYS, _SOIL_SPAN, _SOIL_DROP = 8, 21, 0.03
_SOIL_UNWASHED = 0.10
"""The loss to ask for as long as no rain has proved it dirt: models of the sky drift by 7 % with the seasons."""
_SOIL_SLOW, _SOIL_FAST, _WASHED = 0.0005, 0.003, 0.03
_BAND_DEG, _BAND_DAYS, _BAND_BEFORE = 15, 5, 8
_SHADED, _UNTOUCHED, _LOW_SUN_DEG = 0.80, 0.95, 8.0


def all_faults(days: Sequence[Day], peak_w: float) -> list[Finding]:
    """Return every finding of the rules that need the days alone, the gravest first; oldest day first."""
    rules: tuple[Callable[[Sequence[Day], float], list[Finding]], ...] = (
        outage,
        string_down,
        high_voltage,
        new_shading,
        soiling,
        clipping,
    )
    return [finding for rule in rules for finding in rule(days, peak_w)]


def _dead(slot: Slot, peak_w: float) -> bool:
    """Tell whether a slot gives nothing though even a grey sky would give something; an unknown one is not dead."""
    return slot.measured is not None and slot.measured < _NOTHING * peak_w and slot.clear > _SUNNY * peak_w


def _dead_runs(day: Day, peak_w: float) -> Iterator[tuple[list[Slot], bool]]:
    """Yield each run of dead slots, and whether the grid's voltage was too high in it or just before."""
    number = 0
    for dead, group in groupby(day.slots, key=lambda slot: _dead(slot, peak_w)):
        run = list(group)
        if dead:
            around = day.slots[max(0, number - 2) : number + len(run)]
            yield run, any(slot.voltage is not None and slot.voltage > _HIGH_V for slot in around)
        number += len(run)


def outage(days: Sequence[Day], peak_w: float) -> list[Finding]:
    """Find days on which the roof gave nothing for half an hour of daylight, the grid's voltage being fair."""
    hours: dict[str, float] = {}
    for day in days:
        long = [run for run, high in _dead_runs(day, peak_w) if not high and len(run) > _OUTAGE_SLOTS]
        if long:
            hours[day.date] = sum(len(run) for run in long) * SLOT_S / 3600
    if len(hours) < _FEWEST_DAYS:
        return []
    count, total, last = len(hours), sum(hours.values()), max(hours)
    return [
        Finding(
            "outage",
            "warning",
            Text(
                f"Les panneaux n’ont rien donné en plein jour pendant {total:.0f} h, sur {count} jours (le dernier : "
                f"{last}). Regardez l’onduleur et son disjoncteur ; la neige sur le toit fait le même effet.",
                f"The panels gave nothing in daylight for {total:.0f} h, on {count} days (the last: {last}). Look at "
                "the inverter and its breaker; snow on the roof does the same.",
            ),
            {"days": count, "hours": round(total, 1), "last": last},
        )
    ]


def high_voltage(days: Sequence[Day], peak_w: float) -> list[Finding]:
    """Find bursts in which the inverter cut because the grid's voltage was above 253 V."""
    bursts: dict[str, int] = {}
    highest = 0.0
    for day in days:
        high = [run for run, is_high in _dead_runs(day, peak_w) if is_high]
        if high:
            bursts[day.date] = len(high)
            highest = max([highest, *(slot.voltage for slot in day.slots if slot.voltage is not None)])
    count = sum(bursts.values())
    if len(bursts) < _FEWEST_DAYS:
        return []
    return [
        Finding(
            "high-voltage",
            "warning",
            Text(
                f"L’onduleur s’est arrêté {count} fois sur {len(bursts)} jours, la tension du réseau étant montée à "
                f"{highest:.0f} V. Signalez-le au gestionnaire du réseau : la limite est de 253 V.",
                f"The inverter stopped {count} times on {len(bursts)} days, the voltage of the grid having risen to "
                f"{highest:.0f} V. Tell the grid operator: the limit is 253 V.",
            ),
            {"bursts": count, "days": len(bursts), "max_voltage": round(highest, 1)},
        )
    ]


def string_down(days: Sequence[Day], peak_w: float) -> list[Finding]:
    """Find a row of panels that stopped and stays so: by its own DC input where there are, else by what is missing."""
    inputs = max((len(slot.strings) for day in days for slot in day.slots), default=0)
    if inputs > 1:
        return [finding for number in range(inputs) for finding in _input_down(days, number)]
    return _share_down(days, peak_w)


def _input_down(days: Sequence[Day], number: int) -> list[Finding]:
    shares: list[tuple[str, float]] = []
    for day in days:
        known = [slot for slot in day.slots if slot.strings and None not in slot.strings]
        total = sum(one for slot in known for one in slot.strings if one is not None)
        # on grey days the shares of inputs that look elsewhere wander
        if known and total >= _STRING_LIGHT * sum(slot.clear for slot in known):
            own = sum(slot.strings[number] or 0.0 for slot in known if len(slot.strings) > number)
            shares.append((day.date, own / total))
    down = 0
    for _, share in reversed(shares):
        if share > _STRING_LOST * median(one for _, one in shares):
            break
        down += 1
    before = shares[: len(shares) - down]
    if down >= len(shares) / 2:
        return []
    usual = median(share for _, share in before)
    if down < _STRING_DAYS or len(before) < _BEFORE_DAYS:
        return []
    now = median(share for _, share in shares[-down:])
    return [
        Finding(
            "string-down",
            "warning",
            Text(
                f"La rangée de panneaux {number + 1} ne donne plus que {now:.0%} de la production, au lieu de "
                f"{usual:.0%}, depuis le {shares[-down][0]}. Faites-la vérifier.".replace("%", " %"),
                f"Row {number + 1} of the panels gives {now:.0%} of the production, instead of {usual:.0%}, since "
                f"{shares[-down][0]}. Have it checked.",
            ),
            {
                "string": number + 1,
                "share_before": round(usual, 3),
                "share_now": round(now, 3),
                "days": down,
                "since": shares[-down][0],
            },
        )
    ]


def _share_down(days: Sequence[Day], peak_w: float) -> list[Finding]:
    ratios = clear_ratios(days, peak_w)
    for rows in (2, 3, 4):
        wanted = (rows - 1) / rows
        for down in range(len(ratios) - _BEFORE_DAYS, _STRING_DAYS - 1, -1):
            before = [ratio for _, ratio in ratios[:-down]][-4 * _BEFORE_DAYS :]
            usual = median(before)
            now = [ratio / usual for _, ratio in ratios[-down:]]
            steady = all(abs(ratio / usual - 1) <= 2 * _MARGIN for ratio in before)
            if steady and all(abs(ratio - wanted) <= _MARGIN for ratio in now):
                since = days[ratios[-down][0]].date
                return [
                    Finding(
                        "string-down",
                        "warning",
                        Text(
                            f"Par ciel clair, les panneaux donnent {100 * median(now):.0f} % de ce qu’ils donnaient, "
                            f"depuis le {since} : une rangée sur {rows} semble arrêtée. Faites-la vérifier.",
                            f"Under a clear sky the panels give {100 * median(now):.0f} % of what they gave, since "
                            f"{since}: one row in {rows} seems off. Have it checked.",
                        ),
                        {"rows": rows, "ratio_now": round(median(now), 3), "days": down, "since": since},
                    )
                ]
    return []


def clipping(days: Sequence[Day], peak_w: float) -> list[Finding]:
    """Find the level at which the inverter cuts the top off clear days, and about how much that costs.

    A level is a limit only if no day passes it: clouds can make a flat top too, but never the same one each time.
    """
    tops = [max((slot.measured for slot in day.slots if slot.measured is not None), default=0.0) for day in days]
    flat = [top for day, top in zip(days, tops, strict=True) if top >= _CLIP_LEVEL * peak_w and _has_flat_top(day, top)]
    if len(flat) < _CLIP_DAYS:
        return []
    level = median(flat)
    same = [top for top in flat if abs(top / level - 1) <= _CLIP_SAME]
    lost = _cut_wh(days, level, peak_w) / 1000
    if len(same) < _CLIP_DAYS or max(tops) > (1 + _CLIP_SAME) * level or lost < _CLIP_LOST_H * peak_w / 1000:
        return []
    return [
        Finding(
            "clipping",
            "info",
            Text(
                f"L’onduleur plafonne à {level:.0f} W les jours de grand soleil ({len(same)} jours) : environ "
                f"{lost:.1f} kWh n’ont pas été produits. C’est souvent voulu.",
                f"The inverter stops at {level:.0f} W on sunny days ({len(same)} days): about {lost:.1f} kWh were not "
                "produced. This is often by design.",
            ),
            {"limit_w": round(level), "days": len(same), "lost_kwh": round(lost, 2)},
        )
    ]


def _cut_wh(days: Sequence[Day], level: float, peak_w: float) -> float:
    """Return what the slots at the limit would have given more, had they followed the clear moments beside them."""
    free = [
        _measured_ratio(day.slots[n])
        for day in days
        for n in clear_slots(day, peak_w)
        if _measured(day.slots[n]) < (1 - _CLIP_RISE) * level
    ]
    scale = median(free) if free else 1.0
    return sum(
        max(0.0, scale * slot.clear - level) * SLOT_S / 3600
        for day in days
        for slot in day.slots
        if slot.measured is not None and slot.measured >= (1 - _CLIP_FLAT) * level
    )


def _has_flat_top(day: Day, top: float) -> bool:
    """Tell whether the day stays at its top while the sky would have given visibly more and less: a cut, no summit."""
    for is_top, group in groupby(
        day.slots, key=lambda slot: slot.measured is not None and slot.measured >= (1 - _CLIP_FLAT) * top
    ):
        skies = [slot.clear for slot in group]
        if is_top and len(skies) >= _CLIP_SLOTS and max(skies) > (1 + _CLIP_RISE) * min(skies):
            return True
    return False


def soiling(days: Sequence[Day], peak_w: float) -> list[Finding]:
    """Find a slow loss over weeks, as dust and leaves make it; a sudden one is of another kind."""
    stretches = _stretches(clear_ratios(days, peak_w))
    for number in reversed(range(len(stretches))):
        stretch = stretches[number]
        span = stretch[-1][0] - stretch[0][0]
        if len(stretch) < _SOIL_DAYS or span < _SOIL_SPAN:
            continue
        level = median(ratio for _, ratio in stretch)
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(stretch) for b in stretch[i + 1 :]]
        slope = median(slopes) / level
        enough = _SOIL_DROP if number + 1 < len(stretches) else _SOIL_UNWASHED
        if _SOIL_SLOW <= -slope <= _SOIL_FAST and -slope * span >= enough and _is_slow(stretch):
            lost = -slope * span
            return [
                Finding(
                    "soiling",
                    "info",
                    Text(
                        f"Par ciel clair, les panneaux ont perdu {100 * lost:.0f} % en {span} jours, peu à peu : ils "
                        "sont sans doute sales. Une bonne pluie suffit souvent.",
                        f"Under a clear sky the panels have lost {100 * lost:.0f} % in {span} days, little by little: "
                        "they are probably dirty. Good rain is often enough.",
                    ),
                    {"lost_percent": round(100 * lost, 1), "percent_a_day": round(100 * slope, 3), "days": span},
                )
            ]
    return []


def _stretches(ratios: Sequence[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    """Return the clear days between two washings: a rise of 3 % that stays for the next clear days."""
    if not ratios:
        return []
    level = median(ratio for _, ratio in ratios)
    found: list[list[tuple[int, float]]] = [[ratios[0]]]
    for number, (one, two) in enumerate(pairwise(ratios), start=1):
        after = median(ratio for _, ratio in ratios[number : number + 3])
        before = median(ratio for _, ratio in ratios[max(0, number - 3) : number])
        if two[1] - one[1] >= _WASHED * level and after - before >= _WASHED * level:
            found.append([])
        found[-1].append(two)
    return found


def _is_slow(stretch: Sequence[tuple[int, float]]) -> bool:
    """Tell whether a straight line fits better than one step down: dirt comes slowly, faults at once."""
    count = len(stretch)
    mean_x, mean_y = sum(x for x, _ in stretch) / count, sum(y for _, y in stretch) / count
    slope = sum((x - mean_x) * (y - mean_y) for x, y in stretch) / sum((x - mean_x) ** 2 for x, _ in stretch)
    line = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in stretch)

    def spread(part: Sequence[tuple[int, float]]) -> float:
        middle = sum(y for _, y in part) / len(part)
        return sum((y - middle) ** 2 for _, y in part)

    return line < min(spread(stretch[:n]) + spread(stretch[n:]) for n in range(2, count - 1))


def new_shading(days: Sequence[Day], peak_w: float) -> list[Finding]:
    """Find a direction of the sun in which the panels now give much less than before, all others being as they were."""
    clear = clear_ratios(days, peak_w)
    bands = [_bands(days[n], ratio, peak_w) for n, ratio in clear]
    found: list[Finding] = []
    for recent in range(_BAND_DAYS, len(clear) - _BAND_BEFORE + 1):
        before, now = _upper(bands[:-recent]), _upper(bands[-recent:])
        changes = {band: now[band] / before[band] for band in sorted(now) if before.get(band)}
        dark = [band for band, change in changes.items() if change < _SHADED]
        others = [change for band, change in changes.items() if change >= _SHADED]
        beside = all(two - one == _BAND_DEG for one, two in pairwise(dark))
        if dark and beside and len(others) > len(dark) and abs(median(others) - 1) <= 1 - _UNTOUCHED:
            found.append(_shaded(dark, min(changes[band] for band in dark), days[clear[-recent][0]].date, recent))
    # the split that darkens most tells when it began
    return sorted(found, key=lambda one: float(one.evidence["change"]))[:1]


def _bands(day: Day, level: float, peak_w: float) -> dict[int, float]:
    """Return, by band of the sun's azimuth, a day's ratio there over the whole day's."""
    own: dict[int, list[float]] = {}
    for number in bright(day, peak_w):
        slot = day.slots[number]
        if slot.measured is not None and slot.elevation > _LOW_SUN_DEG:
            own.setdefault(int(slot.azimuth // _BAND_DEG) * _BAND_DEG, []).append(_measured_ratio(slot) / level)
    return {band: median(ratios) for band, ratios in own.items() if len(ratios) >= _HOUR_SLOTS / 4}


def _upper(bands: Sequence[dict[int, float]]) -> dict[int, float]:
    """Return the upper quartile of the days in each band: a shadow takes from every day, a cloud only from some."""
    by_band: dict[int, list[float]] = {}
    for one in bands:
        for band, ratio in one.items():
            by_band.setdefault(band, []).append(ratio)
    return {
        band: sorted(values)[(3 * len(values)) // 4] for band, values in by_band.items() if len(values) >= _STRING_DAYS
    }


def _shaded(dark: Sequence[int], change: float, since: str, count: int) -> Finding:
    first, last = dark[0], dark[-1] + _BAND_DEG
    return Finding(
        "new-shading",
        "info",
        Text(
            f"Depuis le {since}, les panneaux donnent {100 * (1 - change):.0f} % de moins quand le soleil est entre "
            f"{first}° et {last}° (180° = sud) : une ombre nouvelle, un arbre peut-être.",
            f"Since {since} the panels give {100 * (1 - change):.0f} % less when the sun is between {first}° and "
            f"{last}° (180° = south): a new shadow, a tree perhaps.",
        ),
        {"from_deg": first, "to_deg": last, "change": round(change, 3), "days": count, "since": since},
    )


def _measured(slot: Slot) -> float:
    assert slot.measured is not None
    return slot.measured


def _measured_ratio(slot: Slot) -> float:
    return _measured(slot) / slot.clear
