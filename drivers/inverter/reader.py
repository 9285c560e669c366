"""The driver: reads one inverter for as long as the box runs, through nights, mornings and faults."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from drivers.contract import Beat, Host
from drivers.inverter import points, words
from drivers.inverter.address import Address
from drivers.inverter.chain import Keeper
from drivers.inverter.families import AUTO
from drivers.inverter.faults import LinkFault, Silent
from drivers.inverter.guard import EnergyGuard
from drivers.inverter.modbus import Link, open_link
from drivers.inverter.opening import open_inverter
from drivers.inverter.pace import DARK_S, LOST_AFTER_S, TWILIGHT_S, Light, back_off, light
from drivers.inverter.sample import Sample, Session
from gateway.reading import Quality, Reading, Value

POWER = "pv.power"
ENERGY = "pv.energy"

_BEAT_S = 10.0
_ROUND_S = 120.0  # the longest look for an inverter: every usual unit, each silent
_STALE_PERIODS = 3
_FEEBLE = 0.05  # of the rated power: an inverter that falls silent from so little has gone to sleep
_FEEBLE_W = 100.0
_LONGEST_NIGHT_S = 16 * 3600.0
_NAP_S = 60.0  # an absence this long is a sleep, a shorter one a hiccup of the network


@dataclass(frozen=True, slots=True)
class Settings:
    """What one `[[inverter]]` table says, and what the box adds.

    `place` is (latitude, longitude) in degrees or None; with `suffix`, signal names carry `@<id>`.
    """

    id: str
    address: Address
    period_s: float = 10.0
    place: tuple[float, float] | None = None
    suffix: bool = False
    model: str = AUTO


class InverterReader:
    """A `drivers.contract.Driver`. `sleep` is replaced by tests that move time."""

    def __init__(self, settings: Settings, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.id = f"inverter:{settings.id}"
        self._settings = settings
        self._sleep = sleep
        self._host: Host
        self._link: Link
        self._keeper = Keeper()
        self._session: Session | None = None
        self._guard = EnergyGuard()
        self._beat = words.STARTING
        self._live: set[str] = set()
        self._last_seen: float | None = None
        self._feeble = False
        self._resting = False
        self._failures = 0
        self._away_since: float | None = None
        self._day_away_since: float | None = None
        self._place_trusted = True
        self._night = False
        self._energy: Value | None = None

    async def run(self, host: Host) -> None:
        """Read until cancelled; see the contract."""
        self._host = host
        self._link = open_link(self._settings.address)
        host.beat(self._beat)
        heart = asyncio.create_task(self._keep_beating())
        try:
            while True:
                await self._rest(await self._round())
        finally:
            heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await heart
            await self._link.close()

    async def _keep_beating(self) -> None:
        """Beat beside the work: a look through every unit takes longer than the box waits for a beat."""
        while True:
            await asyncio.sleep(_BEAT_S)
            self._host.beat(self._beat)

    async def _round(self) -> float:
        """Look at the inverter once; return the seconds until the next look."""
        try:
            async with asyncio.timeout(_ROUND_S):
                sample = await self._poll()
        except LinkFault as fault:
            return self._absent(fault)
        except TimeoutError:
            return self._absent(Silent(self._settings.address.where))
        return self._present(sample)

    async def _poll(self) -> Sample:
        if self._session is None:
            unit, model = self._settings.address.unit, self._settings.model
            self._session = await open_inverter(self._link, unit, model, self._keeper)
        elif self._failures:
            await self._session.resume()
        return await self._session.poll()

    async def _rest(self, seconds: float) -> None:
        """Wait, saying at each beat what stays true, and no longer than the light lasts."""
        before = self._light()
        while seconds > 0:
            step = min(seconds, _BEAT_S)
            await self._sleep(step)
            seconds -= step
            self._host.beat(self._beat)
            if self._light() is not before:
                return
            if self._night and seconds > 0:
                self._host.publish(self._told_by_the_dark(), frame_end=True)
            self._withdraw_stale()

    def _light(self) -> Light:
        return light(self._host.clock.now(), self._settings.place if self._place_trusted else None)

    def _say(self, beat: Beat) -> None:
        self._beat = beat
        self._host.beat(beat)

    def _name(self, signal: str) -> str:
        return f"{signal}@{self._settings.id}" if self._settings.suffix else signal

    def _told_by_the_dark(self) -> list[Reading]:
        """Return what the dark tells by itself: no sun, no power, and a counter that stands still. Inferences, and
        marked as such; without the counter nobody could say what the day has made before the inverter wakes.
        """
        at, source = self._host.clock.now(), f"{self.id}:night"
        told = [Reading(self._name(POWER), 0, at, Quality.ESTIMATED, source)]
        if self._energy is not None:
            told.append(Reading(self._name(ENERGY), self._energy, at, Quality.ESTIMATED, source))
        return told

    def _publish(self, values: dict[str, Value], derived: frozenset[str] = frozenset(), *, night: bool = False) -> None:
        """Publish one round, and withdraw what was published before and is not known any more.

        The energy counter is never withdrawn: it keeps its value while the inverter sleeps.
        """
        at = self._host.clock.now()
        readings = [
            Reading(self._name(name), value, at, Quality.DERIVED if name in derived else Quality.MEASURED, self.id)
            for name, value in values.items()
        ]
        live = set(values) - {ENERGY}
        live_names = {self._name(name) for name in values}
        if night:
            readings += [told for told in self._told_by_the_dark() if told.signal not in live_names]
            live.add(POWER)
        readings += [Reading(self._name(name), None, at, source=self.id) for name in sorted(self._live - live)]
        self._night = night
        self._live = live
        if readings:
            self._host.publish(readings, frame_end=True)

    def _withdraw_stale(self) -> None:
        """Withdraw what an absent inverter last said: one missed look is no loss, three periods are."""
        if not self._failures or self._night or not self._live or self._last_seen is None:
            return
        if self._host.clock.monotonic() - self._last_seen > _STALE_PERIODS * self._settings.period_s:
            self._publish({})

    def _present(self, sample: Sample) -> float:
        seconds = self._host.clock.monotonic()
        values = dict(sample.values)
        if sample.state not in points.RESTING and self._was_asleep(sample, seconds):
            self._guard.woke()
        self._resting = sample.state in points.RESTING
        energy = values.get(ENERGY)
        if isinstance(energy, int | float) and self._guard.judge(energy, seconds, sample.rated_w):
            del values[ENERGY]
        self._energy = values.get(ENERGY, self._energy)
        power = values.get(POWER)
        watts = float(power) if isinstance(power, int | float) else 0.0
        self._feeble = watts <= (_FEEBLE * sample.rated_w if sample.rated_w else _FEEBLE_W)
        self._last_seen = seconds
        self._failures = 0
        self._away_since = self._day_away_since = None
        if watts > _FEEBLE_W and self._light() is Light.DARK:
            self._place_trusted = False  # panels give nothing in the dark: the place or the clock is wrong
        dark = self._light() is Light.DARK
        self._publish(values, sample.derived, night=dark and POWER not in values)
        assert self._session is not None
        self._say(words.present(sample, self._session.model))
        return DARK_S if dark and watts == 0 else self._settings.period_s

    def _was_asleep(self, sample: Sample, seconds: float) -> bool:
        if self._last_seen is None:
            return sample.state == points.STARTING
        return self._resting or (self._away_since is not None and seconds - self._away_since >= _NAP_S)

    def _absent(self, fault: LinkFault) -> float:
        seconds = self._host.clock.monotonic()
        self._failures += 1
        self._away_since = seconds if self._away_since is None else self._away_since
        light_now = self._light()
        wait = back_off(self._failures, random.uniform)
        if fault.absent and light_now in (Light.DARK, Light.TWILIGHT):
            self._day_away_since = None
            self._publish({}, night=light_now is Light.DARK)
            self._say(words.ASLEEP)
            return DARK_S if light_now is Light.DARK else TWILIGHT_S
        if fault.absent and light_now is Light.UNKNOWN and self._went_to_sleep(seconds):
            self._publish({})
            self._say(words.ASLEEP)
            return wait
        self._day_away_since = seconds if self._day_away_since is None else self._day_away_since
        lost = seconds - self._day_away_since >= LOST_AFTER_S
        if (
            self._last_seen is None
            or seconds - self._last_seen > _STALE_PERIODS * self._settings.period_s
            or self._night
        ):
            self._publish({})
        if lost:
            # it may be another device now, or stand elsewhere
            self._session = None
            self._energy = None
        self._say(words.absent(fault, lost=lost))
        return wait

    def _went_to_sleep(self, seconds: float) -> bool:
        """Without a place, an inverter that fell silent from little power is taken to sleep, for one night at most."""
        assert self._away_since is not None
        return self._feeble and seconds - self._away_since < _LONGEST_NIGHT_S
