"""What a Linky would say: meter states to TIC frames, byte for byte as the specification lays them out. Pure.

`drivers.linky.simline` plays these frames on a real pseudo-terminal, at the pace of the wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from drivers.linky.group import WITH_PARITY, checksum
from drivers.linky.labels import HISTORIC_REGISTERS, PTEC_PERIODS
from gateway.clock import UtcMs, to_datetime

Stamped = tuple[int, UtcMs]
"""A value and when it was reached."""

_PARIS = ZoneInfo("Europe/Paris")
_TEN_MINUTES_MS = 600_000
_SLOTS = 11  # entries of a day profile
_COLOURS = {None: 0, "blue": 1, "white": 2, "red": 3}
_TOMORROW = {None: "----", "blue": "BLEU", "white": "BLAN", "red": "ROUG"}
_REGISTERS = {
    "base": ("BASE",),
    "hphc": ("HCHC", "HCHP"),
    "ejp": ("EJPHN", "EJPHPM"),
    "tempo": tuple(name for name in HISTORIC_REGISTERS if name.startswith("BBR")),
}
_OPTIONS = {"base": "BASE", "hphc": "HC..", "ejp": "EJP.", "tempo": "BBR("}
_PERIODS = {period: code for code, period in PTEC_PERIODS.items()}
_VOLTS = 200  # the subscription's reference voltage: PREF = 200 V x ISOUSC


@dataclass(frozen=True, slots=True)
class MeterState:
    """Everything a meter shows at one instant. `export_wh` None is a consumer-mode meter; three voltages, three phases.

    `indexes` are the supplier registers 1 to 10 in Wh (shorter is allowed); `index` is the running one. `period` and
    `option` speak for historic mode, `calendar` and `tariff` (free text, 16 characters at most) for standard mode.
    `phase_va` are the apparent powers of three phases, below zero where a phase injects (an even share where it is not
    given). `contact_closed`, `relays` (bit n-1 is relay n), `cut_off` (its code in STGE) and `events` (`cover`,
    `overvoltage`, `clock`) are what STGE and RELAIS say of the meter itself. `notice` and `peak` are the number of a
    mobile peak announced or running, `peaks` the start and end of each announced one, `notice_min` PEJP. `profile`
    holds the entries of PJOURF+1 (`HHMMSSSS`), `peak_profile` those of PPOINTE, `day` and `next_day` NJOURF and
    NJOURF+1.
    A `pilot` meter calls SINSTS and SMAXSN by their former names; `missing` are the phases without voltage.

    The `mean_*_w` are the last points of the load curves, stamped at the end of their half-hour; `mean_voltage_v` is
    that of the last ten minutes (the voltage of now where it is not given).
    """

    at: UtcMs
    address: str
    import_wh: int
    indexes: tuple[int, ...]
    export_wh: int | None
    voltage_v: tuple[float, ...]
    current_a: tuple[float, ...]
    import_va: int
    export_va: int
    import_w: float
    export_w: float
    index: int
    calendar: str
    tariff: str
    option: str = "hphc"
    period: str = "hp"
    subscribed_kva: int = 6
    tempo_today: str | None = None
    tempo_tomorrow: str | None = None
    max_import_va: Stamped | None = None
    max_import_va_yesterday: Stamped | None = None
    max_export_va: Stamped | None = None
    max_export_va_yesterday: Stamped | None = None
    mean_import_w: Stamped | None = None
    mean_import_w_before: Stamped | None = None
    mean_export_w: Stamped | None = None
    mean_export_w_before: Stamped | None = None
    mean_voltage_v: tuple[float, ...] = ()
    phase_va: tuple[float, ...] = ()
    contact_closed: bool = False
    relays: int = 0
    cut_off: int = 0
    events: tuple[str, ...] = ()
    notice: int | None = None
    peak: int | None = None
    peaks: tuple[tuple[UtcMs, UtcMs], ...] = ()
    notice_min: int | None = None
    profile: tuple[str, ...] = ()
    peak_profile: tuple[str, ...] = ()
    day: int = 0
    next_day: int = 0
    message: str = ""
    pilot: bool = False
    missing: tuple[int, ...] = ()


def with_parity(data: bytes) -> bytes:
    """Return seven-bit text as an 8N1 port sees it on the meter's 7E1 line: bit 7 is the even parity."""
    return data.translate(WITH_PARITY)


def horodate(at: UtcMs, *, season: bool = True) -> str:
    """Return `SAAMMJJhhmmss`, the legal time in France with its season letter, or a blank for it."""
    local = to_datetime(at).astimezone(_PARIS)
    letter = ("E" if local.dst() else "H") if season else " "
    return letter + local.strftime("%y%m%d%H%M%S")


def standard_group(label: str, data: str, stamp: str | None = None) -> bytes:
    """Return one group of standard mode, LF to CR."""
    head = "\t".join((label, data, "") if stamp is None else (label, stamp, data, "")).encode("ascii")
    return b"\n" + head + bytes([checksum(head)]) + b"\r"


def historic_group(label: str, data: str) -> bytes:
    """Return one group of historic mode, LF to CR."""
    head = f"{label} {data}".encode("ascii")
    return b"\n" + head + b" " + bytes([checksum(head)]) + b"\r"


def standard_frame(state: MeterState) -> bytes:
    """Return the frame of standard mode, STX to ETX, in seven bits; groups in the order of the specification."""
    groups = (standard_group(*fields) for fields in _standard(state))
    return b"\x02" + b"".join(groups) + b"\x03"


def historic_frame(state: MeterState) -> bytes:
    """Return the frame of historic mode, STX to ETX, in seven bits. It says nothing of injection nor of voltage."""
    groups = (historic_group(label, data) for label, data in _historic(state))
    return b"\x02" + b"".join(groups) + b"\x03"


def short_frame(state: MeterState) -> bytes:
    """Return the short frame a three-phase meter repeats while a phase is above its setting (historic mode)."""
    setting = phase_setting(state)
    currents = [round(current) for current in state.current_a]
    groups = [historic_group(f"ADIR{n}", f"{amps:03d}") for n, amps in enumerate(currents, 1) if amps > setting]
    groups.append(historic_group("ADCO", state.address))
    groups += [historic_group(f"IINST{n}", f"{amps:03d}") for n, amps in enumerate(currents, 1)]
    return b"\x02" + b"".join(groups) + b"\x03"


def phase_setting(state: MeterState) -> int:
    """Return ISOUSC: the subscribed current of each phase, in A."""
    return state.subscribed_kva * 1000 // _VOLTS // len(state.voltage_v)


def is_over(state: MeterState) -> bool:
    """Tell whether a phase draws more than its setting."""
    return any(round(current) > phase_setting(state) for current in state.current_a)


def status_word(state: MeterState) -> int:
    """Return STGE: secured Euridis, PLC registered and synchronised, standard output, and what the state says."""
    word = 0x00DA0000 | (not state.contact_closed) | state.cut_off << 1
    word |= ("cover" in state.events) << 4 | ("overvoltage" in state.events) << 6 | ("clock" in state.events) << 16
    word |= (state.import_va > state.subscribed_kva * 1000) << 7
    word |= (state.export_wh is not None) << 8
    word |= (state.export_w > state.import_w) << 9
    word |= (state.index - 1) << 10
    word |= (state.notice or 0) << 28 | (state.peak or 0) << 30
    return word | _COLOURS[state.tempo_today] << 24 | _COLOURS[state.tempo_tomorrow] << 26


_Fields = tuple[str, str] | tuple[str, str, str]


def _standard(state: MeterState) -> Iterator[_Fields]:
    yield "ADSC", state.address
    yield "VTIC", "02"
    date = horodate(state.at)
    yield "DATE", "", date.lower() if "clock" in state.events else date
    if state.calendar:
        yield "NGTF", state.calendar.center(16)
    if state.tariff:
        yield "LTARF", state.tariff.center(16)
    yield from _energies(state)
    yield from _powers(state)
    yield from _curves(state)
    ten_minutes = horodate(UtcMs(state.at - state.at % _TEN_MINUTES_MS))
    for n, volts in enumerate(state.mean_voltage_v or state.voltage_v, 1):
        yield f"UMOY{n}", f"{round(volts):03d}", ten_minutes
    yield "STGE", f"{status_word(state):08X}"
    for n, (start, end) in enumerate(state.peaks, 1):
        yield f"DPM{n}", "00", horodate(start, season=False)
        yield f"FPM{n}", "00", horodate(end, season=False)
    yield "MSG1", (state.message or "PAS DE          MESSAGE").ljust(32)
    yield "PRM", "00" + state.address
    yield "RELAIS", f"{state.relays:03d}"
    yield "NTARF", f"{state.index:02d}"
    yield "NJOURF", f"{state.day:02d}"
    yield "NJOURF+1", f"{state.next_day:02d}"
    yield "PJOURF+1", _slots(state.profile or (f"0000400{state.index % 16:X}",))
    if state.peak_profile:
        yield "PPOINTE", _slots(state.peak_profile)


def _slots(entries: tuple[str, ...]) -> str:
    return " ".join((*entries, *["NONUTILE"] * (_SLOTS - len(entries))))


def _energies(state: MeterState) -> Iterator[_Fields]:
    yield "EAST", f"{state.import_wh:09d}"
    for n in range(10):
        yield f"EASF{n + 1:02d}", f"{state.indexes[n] if n < len(state.indexes) else 0:09d}"
    for n in range(4):
        yield f"EASD{n + 1:02d}", f"{0 if n else state.import_wh:09d}"
    if state.export_wh is not None:
        yield "EAIT", f"{state.export_wh:09d}"
        for n in range(1, 5):
            yield f"ERQ{n}", "000000000"


def _powers(state: MeterState) -> Iterator[_Fields]:
    phases = range(1, len(state.voltage_v) + 1)
    for n in phases:
        yield f"IRMS{n}", f"{round(state.current_a[n - 1]):03d}"
    for n in phases:
        yield f"URMS{n}", f"{round(state.voltage_v[n - 1]):03d}"
    yield "PREF", f"{state.subscribed_kva:02d}"
    yield "PCOUP", f"{state.subscribed_kva:02d}"
    yield "SINST1" if state.pilot else "SINSTS", f"{state.import_va:05d}"
    drawn = state.phase_va or [state.import_va // len(phases)] * len(phases)
    if len(phases) > 1:
        # a phase that injects shows 0, while the total counts it as negative
        for n in phases:
            yield f"SINSTS{n}", f"{max(0, round(drawn[n - 1])):05d}"
    name = "SMAXN" if state.pilot else "SMAXSN"
    for day, reached in (("", state.max_import_va), ("-1", state.max_import_va_yesterday)):
        value, at = reached or (0, state.at)
        yield f"{name}{day}", f"{value:05d}", horodate(at)
        if len(phases) > 1:
            for n in phases:
                yield f"{name}{n}{day}", f"{value // len(phases):05d}", horodate(at)
    if state.export_wh is not None:
        yield "SINSTI", f"{state.export_va:05d}"
        for day, reached in (("", state.max_export_va), ("-1", state.max_export_va_yesterday)):
            value, at = reached or (0, state.at)
            yield f"SMAXIN{day}", f"{value:05d}", horodate(at)


def _curves(state: MeterState) -> Iterator[_Fields]:
    points = [("CCASN", state.mean_import_w), ("CCASN-1", state.mean_import_w_before)]
    if state.export_wh is not None:
        points += [("CCAIN", state.mean_export_w), ("CCAIN-1", state.mean_export_w_before)]
    for label, point in points:
        if point is not None:
            yield label, f"{point[0]:05d}", horodate(point[1])


def _historic(state: MeterState) -> Iterator[tuple[str, str]]:
    three = len(state.voltage_v) > 1
    setting = phase_setting(state)
    currents = [round(current) for current in state.current_a]
    yield "ADCO", state.address
    yield "OPTARIF", _OPTIONS[state.option]
    yield "ISOUSC", f"{setting:02d}"
    registers = (state.import_wh,) if state.option == "base" else state.indexes
    for n, name in enumerate(_REGISTERS[state.option]):
        yield name, f"{registers[n] if n < len(registers) else 0:09d}"
    if state.notice_min is not None:
        yield "PEJP", f"{state.notice_min:02d}"
    yield "PTEC", _PERIODS[state.period]
    if state.option == "tempo":
        yield "DEMAIN", _TOMORROW[state.tempo_tomorrow]
    if three:
        yield from ((f"IINST{n}", f"{amps:03d}") for n, amps in enumerate(currents, 1))
        yield from ((f"IMAX{n}", "060") for n in (1, 2, 3))
        yield "PMAX", f"{(state.max_import_va_yesterday or (0, state.at))[0]:05d}"
    else:
        yield "IINST", f"{currents[0]:03d}"
        if currents[0] > setting:
            yield "ADPS", f"{currents[0]:03d}"
        yield "IMAX", "090"
    yield "PAPP", f"{round(state.import_va, -1):05d}"
    yield "HHPHC", "A"
    yield "MOTDETAT", "000000"
    if three:
        yield "PPOT", f"0{sum(1 << n for n in state.missing):X}"
