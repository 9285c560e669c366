"""What the simulated home's meter and inverter show now: one home, one set of registers, one clock, two faces."""

from __future__ import annotations

from drivers.inverter.sim import InverterState
from drivers.linky.sim import MeterState
from drivers.sim.announce import announced
from drivers.sim.home import SimulatedHome
from drivers.sim.noise import draw, wave
from drivers.sim.peaks import HALF_HOUR_MS, Memory
from drivers.sim.registers import Registers
from gateway.clock import Clock, UtcMs

_MAKER_YEAR = "0422"  # a Linky made in 2022
_TYPES = {(1, False): "61", (3, False): "63", (1, True): "67"}
_CALENDARS = {"base": "BASE", "hphc": "H PLEINE/CREUSE", "tempo": "TEMPO", "ejp": "EJP"}
_TARIFFS = {
    "base": "BASE",
    "hc": "HEURE  CREUSE",
    "hp": "HEURE  PLEINE",
    "blue_hc": "HC  BLEU",
    "blue_hp": "HP  BLEU",
    "white_hc": "HC BLANC",
    "white_hp": "HP BLANC",
    "red_hc": "HC ROUGE",
    "red_hp": "HP ROUGE",
    "ejp_hn": "HEURES NORMALES",
    "ejp_pm": "POINTE MOBILE",
}
_EVENTS = ("overvoltage", "cover", "clock")
_MESSAGE = "TRAVAUX LE 12   DE 9H A 11H"
_CHEAP = ("hc", "blue_hc", "white_hc", "red_hc")
_HZ, _HZ_SWING, _HZ_S = 50.0, 0.06, 45


class Devices:
    """The faces of one home. Call them from one thread."""

    def __init__(self, home: SimulatedHome, registers: Registers, clock: Clock) -> None:
        self._home = home
        self._registers = registers
        self._clock = clock
        self._memory = Memory(home)
        kind = _TYPES[home.meter.phases, home.meter.pilot]
        self._address = f"{_MAKER_YEAR}{kind}{int(draw(home.seed, 'serial') * 1_000_000):06d}"

    def meter(self) -> MeterState:
        """Return the meter of the home."""
        at = self._clock.now()
        powers = self._home.powers(at)
        counts = self._registers.read(at)
        today, yesterday = self._memory.peaks(at)
        imported, exported = self._memory.half_hour(at)
        imported_before, exported_before = self._memory.half_hour(UtcMs(at - HALF_HOUR_MS))
        meter, phases = self._home.meter, powers.phases
        said = announced(self._home.tariff, at)
        events = {"events": _EVENTS, "message": _MESSAGE} if meter.events else {"message": said.message}
        return MeterState(
            at=at,
            address=self._address,
            import_wh=counts.import_wh,
            indexes=counts.indexes,
            export_wh=counts.export_wh if meter.producer else None,
            voltage_v=phases.voltage_v,
            current_a=phases.current_a,
            phase_va=phases.va if meter.phases > 1 else (),
            import_va=round(powers.import_va),
            export_va=round(powers.export_va),
            import_w=powers.import_w,
            export_w=powers.export_w,
            index=powers.index,
            calendar=_CALENDARS[self._home.option],
            tariff=_TARIFFS[powers.period],
            option=self._home.option,
            period=powers.period,
            subscribed_kva=self._home.subscribed_kva,
            max_import_va=today.imported,
            max_import_va_yesterday=yesterday.imported,
            max_export_va=today.exported,
            max_export_va_yesterday=yesterday.exported,
            mean_import_w=imported,
            mean_import_w_before=imported_before,
            mean_export_w=exported,
            mean_export_w_before=exported_before,
            contact_closed=powers.period in _CHEAP,
            relays=int(powers.period in _CHEAP),
            pilot=meter.pilot,
            tempo_today=said.tempo_today,
            tempo_tomorrow=said.tempo_tomorrow,
            notice=said.notice,
            peak=said.peak,
            peaks=said.peaks,
            notice_min=said.notice_min,
            profile=said.profile,
            peak_profile=said.peak_profile,
            day=said.day,
            next_day=said.next_day,
            **events,
        )

    def inverter(self) -> InverterState:
        """Return the inverter; in the dark it makes nothing and says that it sleeps."""
        at = self._clock.now()
        powers = self._home.powers(at)
        return InverterState(
            at=at,
            ac_w=powers.pv_w,
            energy_wh=self._registers.read(at).pv_wh,
            voltage_v=(powers.voltage_v,),
            frequency_hz=_HZ + _HZ_SWING * (wave(at // 1000, _HZ_S, self._home.seed, "hertz") - 0.5),
            strings=powers.strings,
            temperature_c=powers.inverter_c,
            awake=powers.awake,
        )
