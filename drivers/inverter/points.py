"""What SunSpec models say, point by point. Pure: registers in, numbers and words out.

A block is the registers of one model from its ID on: index 0 is the ID, 1 the length, and offsets are those of the
SunSpec tables. A value and its scale factor always come from the same block, read in one request: scale factors change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drivers.inverter.registers import SIZES, WORD, Type, decode, scale_factor, scaled, text
from gateway.errors import Text

COMMON = 1
INVERTERS_INT = (101, 102, 103)
INVERTERS_FLOAT = (111, 112, 113)
INVERTERS = INVERTERS_INT + INVERTERS_FLOAT
NAMEPLATE = 120
MPPT = 160

NOT_IMPLEMENTED = "not implemented"
NO_SCALE = "scale factor"

_HYBRID_TYPE = 82  # DERTyp of the nameplate: panels and storage behind one inverter
_MPPT_HEAD = 10
_MPPT_SCALES = (2, 3, 4, 5)
_MODULE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Point:
    """Where a number stands in a block. `scale` is the offset of its scale factor, None where it has none."""

    offset: int
    type: Type
    scale: int | None = None
    positive: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A number, or None and the reason why there is none."""

    value: float | int | None
    reason: str = ""


_INT: Mapping[str, Point] = {
    "power": Point(14, Type.INT16, 15),
    "energy": Point(24, Type.ACC32, 26, positive=True),
    "state": Point(38, Type.ENUM16),
    "events": Point(40, Type.BITS32),
}
_FLOAT: Mapping[str, Point] = {
    "power": Point(22, Type.FLOAT32),
    "energy": Point(32, Type.FLOAT32, positive=True),
    "state": Point(48, Type.ENUM16),
    "events": Point(50, Type.BITS32),
}
INVERTER_SIZE: Mapping[int, int] = dict.fromkeys(INVERTERS_INT, 52) | dict.fromkeys(INVERTERS_FLOAT, 62)
"""How many registers of each inverter model are read, the ID and the length included."""


def take(block: Sequence[int], point: Point) -> Found:
    """Return the number at `point`; a block too short for it does not implement it."""
    end = point.offset + SIZES[point.type]
    if end > len(block) or (point.scale is not None and point.scale >= len(block)):
        return Found(None, NOT_IMPLEMENTED)
    raw = decode(point.type, block[point.offset : end], positive=point.positive)
    if raw is None:
        return Found(None, NOT_IMPLEMENTED)
    if point.scale is None:
        return Found(raw)
    value = scaled(raw, scale_factor(block[point.scale]))
    return Found(value, "" if value is not None else NO_SCALE)


@dataclass(frozen=True, slots=True)
class Device:
    """Who the inverter is, as it says itself; None where it does not."""

    manufacturer: str | None
    model: str | None
    serial: str | None


def common(block: Sequence[int]) -> Device:
    """Return the identity in model 1; its last register, a pad, may be missing."""
    return Device(text(block[2:18]), text(block[18:34]), text(block[50:66]))


@dataclass(frozen=True, slots=True)
class Inverter:
    """Models 101-103 and 111-113: AC power in W (negative: drawn), energy ever made in Wh, state, event bits."""

    power: Found
    energy: Found
    state: int | None
    events: tuple[int, ...]


def inverter(block: Sequence[int]) -> Inverter:
    """Return what an inverter block says. An energy of 0 is "not implemented": that is how SunSpec writes it."""
    points = _INT if block[0] in INVERTERS_INT else _FLOAT
    energy = take(block, points["energy"])
    state = take(block, points["state"]).value
    bits = int(take(block, points["events"]).value or 0)
    return Inverter(
        power=take(block, points["power"]),
        energy=energy if energy.value != 0 else Found(None, NOT_IMPLEMENTED),
        state=None if state is None else int(state),
        events=tuple(number for number in EVENTS if bits >> number & 1),
    )


@dataclass(frozen=True, slots=True)
class Nameplate:
    """Model 120: rated AC power in W, and whether a battery stands behind the same inverter."""

    rated_w: float | None
    hybrid: bool


def nameplate(block: Sequence[int]) -> Nameplate:
    """Return what the nameplate block says; a rating of 0 is none."""
    rated = take(block, Point(3, Type.UINT16, 4, positive=True)).value
    kind = take(block, Point(2, Type.UINT16)).value
    return Nameplate(rated or None, hybrid=kind == _HYBRID_TYPE)


@dataclass(frozen=True, slots=True)
class Module:
    """One DC input of model 160, counted from 1; `power` in W, `energy` in Wh. `battery` is no panel."""

    number: int
    power: Found
    energy: Found
    battery: bool


def module_count(block: Sequence[int]) -> int:
    """Return how many inputs the block really holds: some devices announce more than there is room for."""
    announced = block[8] if len(block) > 8 and block[8] != WORD else 0  # noqa: PLR2004 - the offset of N
    return min(announced, max(0, (block[1] - 8) // _MODULE_SIZE))


def modules_end(count: int) -> int:
    """Return how many registers of the block hold its first `count` inputs."""
    return _MPPT_HEAD + _MODULE_SIZE * count


def scales(block: Sequence[int]) -> tuple[int, ...]:
    """Return the scale registers of model 160, to tell whether they changed between two requests."""
    return tuple(block[offset] for offset in _MPPT_SCALES)


def modules(block: Sequence[int]) -> list[Module]:
    """Return the inputs of a model 160 block, those without a measurement included."""
    found = []
    for index in range(min(module_count(block), max(0, (len(block) - _MPPT_HEAD) // _MODULE_SIZE))):
        start = _MPPT_HEAD + _MODULE_SIZE * index
        label = (text(block[start + 1 : start + 9]) or "").lower()
        found.append(
            Module(
                number=index + 1,
                power=take(block, Point(start + 11, Type.UINT16, 4, positive=True)),
                energy=take(block, Point(start + 12, Type.ACC32, 5, positive=True)),
                # hybrids list the battery's two directions among the inputs: "StCha 3", "StDisCha 4"
                battery=label.startswith(("stcha", "stdischa")),
            )
        )
    return found


OFF, SLEEPING, STARTING, PRODUCING, THROTTLED, STOPPING, FAULT, STANDBY = range(1, 9)
RESTING = (OFF, SLEEPING, STANDBY)

STATES: Mapping[int, tuple[str, Text]] = {
    OFF: ("off", Text("à l’arrêt", "off")),
    SLEEPING: ("sleeping", Text("en veille", "sleeping")),
    STARTING: ("starting", Text("démarre", "starting")),
    PRODUCING: ("producing", Text("produit", "producing")),
    THROTTLED: ("throttled", Text("produit, puissance limitée", "producing, power limited")),
    STOPPING: ("stopping", Text("s’arrête", "stopping")),
    FAULT: ("fault", Text("en défaut", "fault")),
    STANDBY: ("standby", Text("en attente", "standby")),
}
"""The operating states of 101-113: the value of `pv.state`, and plain words."""

STATE_WORDS: Mapping[str, Text] = dict(STATES.values())
"""Plain words for each value of `pv.state`."""

EVENTS: Mapping[int, Text] = {
    0: Text("défaut d’isolement des panneaux", "ground fault of the panels"),
    1: Text("tension des panneaux trop haute", "panel voltage too high"),
    2: Text("coupure côté courant alternatif", "AC side disconnected"),
    3: Text("coupure côté panneaux", "panel side disconnected"),
    4: Text("déconnexion du réseau", "disconnected from the grid"),
    5: Text("capot ouvert", "cover open"),
    6: Text("arrêt manuel", "stopped by hand"),
    7: Text("température trop haute", "too hot"),
    8: Text("fréquence du réseau trop haute", "grid frequency too high"),
    9: Text("fréquence du réseau trop basse", "grid frequency too low"),
    10: Text("tension du réseau trop haute", "grid voltage too high"),
    11: Text("tension du réseau trop basse", "grid voltage too low"),
    12: Text("fusible de chaîne fondu", "string fuse blown"),
    13: Text("température trop basse", "too cold"),
    14: Text("perte de mémoire interne", "internal memory loss"),
    15: Text("défaut de matériel", "hardware failure"),
}
"""The event bits of 101-113 in plain words."""
