"""Groups to readings: what the meter says, in the names and units of `gateway.signals`. Pure, one per stream.

A reading is made as soon as its group is valid. A value is withdrawn only when a complete and clean frame no longer
has its label: a frame with a hole proves nothing, and a short frame (three-phase overload) holds little by design.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drivers.linky import codes
from drivers.linky.frame import End, Event
from drivers.linky.group import Group
from drivers.linky.labels import HISTORIC, HISTORIC_REGISTERS, PTEC_PERIODS, STANDARD, Mode
from gateway.clock import UtcMs
from gateway.reading import Quality, Reading, Value

SOURCE = "linky"

_PLAIN = {
    "EAST": "grid.import.energy",
    "EAIT": "grid.export.energy",
    "SINSTS": "grid.import.apparent_power",
    "SINST1": "grid.import.apparent_power",
    "PAPP": "grid.import.apparent_power",
    "SINSTI": "grid.export.apparent_power",
    "IINST": "grid.current.l1",
    **{f"IINST{n}": f"grid.current.l{n}" for n in (1, 2, 3)},
    **{f"IRMS{n}": f"grid.current.l{n}" for n in (1, 2, 3)},
    **{f"URMS{n}": f"grid.voltage.l{n}" for n in (1, 2, 3)},
    **{f"EASF{n:02d}": f"grid.import.energy.f{n:02d}" for n in range(1, 11)},
    **{f"EASD{n:02d}": f"grid.import.energy.d{n:02d}" for n in range(1, 5)},
}
_OPTIONS = (
    ("BASE",),
    ("HCHC", "HCHP"),
    ("EJPHN", "EJPHPM"),
    tuple(name for name in HISTORIC_REGISTERS if name.startswith("BBR")),
)
_OPTION_OF = {name: option for option in _OPTIONS for name in option}
_TOMORROW = {"BLEU": "blue", "BLAN": "white", "ROUG": "red", "----": None}
_SHORT = ("ADIR1", "ADIR2", "ADIR3")
_VA_PER_KVA = 1000
_VOLTS = 200  # the subscription's reference: PREF(VA) = 200 V x ISOUSC, per phase
_THREE = 3
_THREE_PHASE_LABELS = {label.name for label in (*HISTORIC.values(), *STANDARD.values()) if label.phases == _THREE}
_ONE_PHASE_AGAIN = 20  # clean frames without a three-phase label that undo a latched three

_SAYS_OVERLOAD = ("ADPS", *_SHORT)


class Interpreter:
    """Makes the readings of one meter's stream, and knows what kind of meter speaks.

    `phases` is 1 or 3, `producer` whether it counts injection, `address` its number, `date` its clock (UTC ms; None
    when degraded): each None as long as nothing tells.
    """

    def __init__(self) -> None:
        self.phases: int | None = None
        self.producer: bool | None = None
        self.address: str | None = None
        self.date: int | None = None
        self._registers: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self._texts_settled = False
        self._tempo = False
        self._frame: set[str] = set()
        self._made_by: dict[str, str] = {}
        self._one_phase_frames = 0
        self._short_before = False

    def take(self, events: Sequence[Event], at: UtcMs) -> Iterator[tuple[list[Reading], End | None]]:
        """Yield the readings of each frame that ends in `events`, with its end; last, those of the frame still open.

        `at` is when the bytes came, by this machine's clock: the meter's own may be degraded.
        """
        batch: list[Reading] = []
        for event in events:
            if isinstance(event, Group):
                batch += [Reading(name, value, at, Quality.MEASURED, SOURCE) for name, value in self.read(event)]
            elif isinstance(event, End):
                batch += [Reading(name, value, at, Quality.MEASURED, SOURCE) for name, value in self.end(event)]
                yield batch, event
                batch = []
        if batch:
            yield batch, None

    def read(self, group: Group) -> Iterator[tuple[str, Value | None]]:
        """Yield the signals that a group gives, with their values."""
        self._frame.add(group.label)
        self._learn(group)
        for name, value in self._signals(group):
            self._made_by[name] = group.label
            yield name, value

    def end(self, end: End) -> Iterator[tuple[str, Value | None]]:
        """Yield what the end of a frame withdraws: the signals whose labels the meter no longer sends."""
        labels, self._frame = self._frame, set()
        if not end.clean:
            return
        short = not labels.isdisjoint(_SHORT)
        after_short, self._short_before = self._short_before, short
        if short or after_short:
            # While a phase is above its setting, each run of short frames is followed by one long frame without ADIR.
            return
        self._settle_phases(labels)
        self._texts_settled = True
        for text in [label for label in self._texts if label not in labels]:
            del self._texts[text]
        for register in [label for label in self._registers if label not in labels]:
            del self._registers[register]
        for name, label in list(self._made_by.items()):
            if label not in labels:
                del self._made_by[name]
                if label not in _SAYS_OVERLOAD:
                    yield name, None
        if end.mode is Mode.HISTORIC and "grid.overload" not in self._made_by:
            yield "grid.overload", "no"

    def _learn(self, group: Group) -> None:
        label, spec = group.label, group.spec
        if spec.phases == _THREE and not group.repaired:
            self.phases = _THREE
            self._one_phase_frames = 0
        elif self.phases is None:
            self.phases = spec.phases
        if spec.producer:
            self.producer = True
        if label in ("ADSC", "ADCO"):
            self.address = str(group.value)
            self.phases = self.phases or codes.phases_of(self.address)
        elif label in ("NGTF", "LTARF"):
            self._texts[label] = str(group.value)
        elif label == "DATE" and group.stamp is not None:
            self.date = None if group.stamp.degraded else group.stamp.at

    def _settle_phases(self, labels: set[str]) -> None:
        """Go back from three phases to one, but only after many clean frames that speak of one phase alone."""
        if self.phases != _THREE or not labels.isdisjoint(_THREE_PHASE_LABELS):
            self._one_phase_frames = 0
            return
        self._one_phase_frames += 1
        if self._one_phase_frames >= _ONE_PHASE_AGAIN:
            self.phases = 1

    def _signals(self, group: Group) -> Iterator[tuple[str, Value | None]]:
        label, value = group.label, group.value
        if (plain := _PLAIN.get(label)) is not None:
            yield plain, value
        elif isinstance(value, str):
            yield from self._words(label, value)
        elif label in HISTORIC_REGISTERS:
            yield from self._register(label, value)
        elif label in _SAYS_OVERLOAD:
            yield "grid.overload", "yes"
        elif label == "PREF":
            yield "grid.subscribed_power", value * _VA_PER_KVA
        elif label == "ISOUSC" and self.phases is not None:
            yield "grid.subscribed_power", value * _VOLTS * self.phases
        elif label == "NTARF":
            texts = self._texts
            if not (texts or self._texts_settled or self._tempo):
                return  # the texts have not come yet, and may say more than the bare number
            period = codes.period(value or None, texts.get("NGTF", ""), texts.get("LTARF", ""), tempo=self._tempo)
            if period is not None or "grid.tariff.period" in self._made_by:
                yield "grid.tariff.period", period

    def _register(self, label: str, value: int) -> Iterator[tuple[str, Value | None]]:
        """Yield a historic register, and the total once every register of the option is known."""
        option = _OPTION_OF[label]
        if not self._registers.keys() <= set(option):
            self._registers.clear()  # the contract changed: the former registers are not part of this total
        self._registers[label] = value
        yield f"grid.import.energy.{HISTORIC_REGISTERS[label]}", value
        if label == option[-1] and len(self._registers) == len(option):
            yield "grid.import.energy", sum(self._registers.values())

    def _words(self, label: str, value: str) -> Iterator[tuple[str, Value | None]]:
        if label == "STGE":
            status = codes.status(value)
            self.producer = status.producer
            self._tempo = status.today is not None
            yield "grid.overload", "yes" if status.overload else "no"
            yield from self._colour("grid.tariff.today", status.today)
            yield from self._colour("grid.tariff.tomorrow", status.tomorrow)
        elif label == "PTEC":
            period = PTEC_PERIODS[value]
            yield "grid.tariff.period", period
            colour = period.partition("_")[0]
            if colour in codes.COLOURS:
                yield "grid.tariff.today", colour
        elif label == "DEMAIN":
            yield from self._colour("grid.tariff.tomorrow", _TOMORROW[value])

    def _colour(self, name: str, colour: str | None) -> Iterator[tuple[str, Value | None]]:
        """Yield a Tempo colour; none is worth saying only where there was one."""
        if colour is not None or name in self._made_by:
            yield name, colour
