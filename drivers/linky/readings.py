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
from drivers.linky.watch import Said, Watch
from gateway.clock import UtcMs
from gateway.reading import Reading

SOURCE = "linky"

_PLAIN = {
    "EAST": "grid.import.energy",
    "EAIT": "grid.export.energy",
    "SINSTS": "grid.import.apparent_power",
    "SINST1": "grid.import.apparent_power",
    "PAPP": "grid.import.apparent_power",
    **{f"SINSTS{n}": f"grid.import.apparent_power.l{n}" for n in (1, 2, 3)},
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
_SHORTEST = {"ADCO", "IINST1", "IINST2", "IINST3"}
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
        self._ejp = False
        self._watch = Watch()
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
                batch += [_reading(said, at) for said in self.read(event, at)]
            elif isinstance(event, End):
                batch += [_reading(said, at) for said in self.end(event)]
                yield batch, event
                batch = []
        if batch:
            yield batch, None

    def read(self, group: Group, at: UtcMs) -> Iterator[Said]:
        """Yield the signals that a group, come at `at`, gives."""
        self._frame.add(group.label)
        self._learn(group)
        clock = at if self.date is None else UtcMs(self.date)
        for said in (*self._signals(group, clock), *self._watch.see(group, at, self.phases, clock)):
            if said.value is not None:
                self._made_by[said.signal] = group.label
            elif self._made_by.pop(said.signal, None) is None:
                continue  # that nothing is known of what never was known says nothing
            yield said

    def end(self, end: End) -> Iterator[Said]:
        """Yield what the end of a frame withdraws: the signals whose labels the meter no longer sends."""
        labels, self._frame = self._frame, set()
        if not end.clean:
            return
        # in the minute after an overload the short frames go on, without ADIR
        short = not labels.isdisjoint(_SHORT) or labels <= _SHORTEST
        after_short, self._short_before = self._short_before, short
        if short or after_short:
            # While a phase is above its setting, each run of short frames is followed by one long frame without ADIR.
            return
        self._settle_phases(labels)
        self._watch.frame_over(labels)
        self._texts_settled = True
        for text in [label for label in self._texts if label not in labels]:
            del self._texts[text]
        for register in [label for label in self._registers if label not in labels]:
            del self._registers[register]
        for name, label in list(self._made_by.items()):
            if label not in labels:
                del self._made_by[name]
                if label not in _SAYS_OVERLOAD:
                    yield Said(name, None)
        if end.mode is Mode.HISTORIC and "grid.overload" not in self._made_by:
            yield Said("grid.overload", "no")

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

    def _signals(self, group: Group, clock: UtcMs) -> Iterator[Said]:
        label, value = group.label, group.value
        if (plain := _PLAIN.get(label)) is not None:
            yield Said(plain, value)
        elif isinstance(value, str):
            yield from self._words(label, value, clock)
        elif label in HISTORIC_REGISTERS:
            yield from self._register(label, value)
        elif label in _SAYS_OVERLOAD:
            yield Said("grid.overload", "yes")
        elif label == "PREF":
            yield Said("grid.subscribed_power", value * _VA_PER_KVA)
        elif label == "ISOUSC" and self.phases is not None:
            yield Said("grid.subscribed_power", value * _VOLTS * self.phases)
        elif label == "RELAIS":
            yield Said("grid.relays", codes.closed_relays(value))
        elif label == "NTARF":
            yield from self._index(value or None, clock)

    def _index(self, index: int | None, clock: UtcMs) -> Iterator[Said]:
        texts = self._texts
        if not (texts or self._texts_settled or self._tempo):
            return  # the texts have not come yet, and may say more than the bare number
        period = codes.period(index, texts.get("NGTF", ""), texts.get("LTARF", ""), tempo=self._tempo)
        yield Said("grid.tariff.period", period)
        tempo = self._tempo or codes.is_tempo(texts.get("NGTF", ""))
        yield from self._watch.period(period, clock, index, tempo=tempo)

    def _register(self, label: str, value: int) -> Iterator[Said]:
        """Yield a historic register, and the total once every register of the option is known."""
        option = _OPTION_OF[label]
        if not self._registers.keys() <= set(option):
            self._registers.clear()  # the contract changed: the former registers are not part of this total
        self._registers[label] = value
        yield Said(f"grid.import.energy.{HISTORIC_REGISTERS[label]}", value)
        if label == option[-1] and len(self._registers) == len(option):
            yield Said("grid.import.energy", sum(self._registers.values()))

    def _words(self, label: str, value: str, clock: UtcMs) -> Iterator[Said]:
        if label == "STGE":
            yield from self._status(codes.status(value), clock)
        elif label == "OPTARIF":
            self._ejp = value.startswith("EJP")
        elif label == "PTEC":
            period = PTEC_PERIODS[value]
            yield Said("grid.tariff.period", period)
            colour = period.partition("_")[0]
            if colour in codes.COLOURS:
                yield Said("grid.tariff.today", colour)
            if self._ejp:
                yield from self._watch.notice(clock, announced="PEJP" in self._frame, runs=period == "ejp_pm")
            yield from self._watch.period(period, clock)
        elif label == "DEMAIN":
            yield Said("grid.tariff.tomorrow", _TOMORROW[value])

    def _status(self, status: codes.Status, clock: UtcMs) -> Iterator[Said]:
        self.producer = status.producer
        self._tempo = status.today is not None
        yield Said("grid.overload", "yes" if status.overload else "no")
        yield Said("grid.contact", "closed" if status.contact_closed else "open")
        yield Said("grid.events", codes.events(status))
        yield Said("grid.tariff.today", status.today)
        yield Said("grid.tariff.tomorrow", status.tomorrow)
        yield from self._watch.notice(clock, announced=status.notice is not None, runs=status.peak is not None)


def _reading(said: Said, at: UtcMs) -> Reading:
    return Reading(said.signal, said.value, said.at or at, said.quality, said.source)
