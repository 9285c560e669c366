"""Every simulated meter: its contract, its frames, and what the box's own decoder makes of them."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from drivers.linky import simfaults
from drivers.linky.frame import Decoder, Rejected
from drivers.linky.group import Group
from drivers.linky.sim import historic_frame, is_over, short_frame, standard_frame, with_parity
from drivers.linky.simline import TicLine
from drivers.linky.stream import Stream
from drivers.sim import peaks
from drivers.sim.announce import announced
from drivers.sim.colours import is_ejp, tempo
from drivers.sim.devices import Devices
from drivers.sim.home import create
from drivers.sim.meters import METERS
from drivers.sim.tariff import PERIODS
from gateway.clock import UtcMs, from_datetime
from gateway.signals import TARIFF_INDEXES, find

PARIS = ZoneInfo("Europe/Paris")
WINTER = from_datetime(datetime(2026, 1, 14, 18, 30, tzinfo=PARIS))


@pytest.fixture(autouse=True)
def _seldom_seen_peaks(monkeypatch):
    """The highest powers of the day are no part of these tests, and take the most time."""
    monkeypatch.setattr(peaks, "_LOOK_MS", 3_600_000)


class Hands:
    def __init__(self, at):
        self.at = at

    def now(self):
        return UtcMs(self.at)


def face(meter, at=WINTER, seed=3):
    home, clock = create(seed=seed, meter=meter), Hands(at)
    return home, Devices(home, home.registers(UtcMs(at - 600_000)), clock), clock


def listen(meter, frames=3, at=WINTER, seed=3):
    """Return the last value of each signal, and how many groups were refused."""
    home, devices, clock = face(meter, at, seed)
    stream, heard = Stream(), {}
    render = standard_frame if home.meter.mode == "standard" else historic_frame
    for n in range(frames):
        clock.at += 2000
        state = devices.meter()
        short = render is historic_frame and len(state.voltage_v) > 1 and is_over(state) and n > 0
        events = stream.feed(with_parity(short_frame(state) if short else render(state)), n * 2.0)
        for batch, _ in stream.readings(events, clock.now()):
            heard.update({one.signal: one.value for one in batch})
    return heard, stream.rejected


@pytest.mark.parametrize("meter", METERS)
def test_every_meter_is_understood_whole_by_the_boxs_own_decoder(meter):
    heard, rejected = listen(meter)
    assert rejected == Counter()
    assert heard["grid.import.energy"] == sum(
        value for name, value in heard.items() if name.startswith("grid.import.energy.") and name[-3] != "d"
    )
    assert heard["grid.tariff.period"] in PERIODS[METERS[meter].option]
    assert ("grid.export.energy" in heard) is METERS[meter].counts_export
    assert ("grid.current.l3" in heard) is (METERS[meter].phases == 3)
    assert heard["grid.subscribed_power"] == METERS[meter].subscribed_kva * 1000


@pytest.mark.parametrize("meter", METERS)
def test_the_past_has_the_names_that_the_live_meter_has(meter):
    home = create(seed=3, meter=meter)
    registers = home.registers(WINTER)
    _, values = next(iter(home.minutes(registers, WINTER, UtcMs(WINTER + 60_000))))
    heard, _ = listen(meter)
    past = {name for name in values if name.startswith("grid.import.energy.")}
    assert len(past) == home.tariff.indexes
    assert past <= heard.keys()
    assert all(find(name) for name in values)
    assert ("grid.export.energy" in values) is home.meter.counts_export


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_a_tempo_season_has_its_reds_and_whites_within_the_rules(seed):
    days = [date(2025, 9, 1) + timedelta(days=n) for n in range(365)]
    colours = Counter(tempo(seed, day) for day in days)
    assert (colours["red"], colours["white"], colours["blue"]) == (22, 43, 300)
    reds = [day for day in days if tempo(seed, day) == "red"]
    assert all(day.weekday() < 5 and day.month in (11, 12, 1, 2, 3) for day in reds)
    assert all(day.weekday() != 6 for day in days if tempo(seed, day) == "white")
    assert sum(is_ejp(seed, day) for day in days) == 22


def a_day_before(kind, seed=3):
    """Return a winter day whose morrow is red, or an EJP day, and that is none itself."""
    for n in range(150):
        day = date(2025, 11, 2) + timedelta(days=n)
        now, then = (
            (tempo(seed, one) == "red") if kind == "red" else is_ejp(seed, one) for one in (day, day + timedelta(1))
        )
        if then and not now:
            return day
    raise LookupError(kind)


def moment(day, hour, minute=0):
    return from_datetime(datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS))


def test_a_red_day_is_announced_and_comes_at_six():
    day = a_day_before("red")
    assert "grid.tariff.tomorrow" not in listen("standard-tempo", at=moment(day, 8))[0]
    heard, _ = listen("standard-tempo", at=moment(day, 14))
    assert heard["grid.tariff.tomorrow"] == "red"
    night, _ = listen("historic-tempo", at=moment(day + timedelta(1), 5))
    assert (night["grid.tariff.tomorrow"], night["grid.tariff.period"][-3:]) == ("red", "_hc")
    morning, _ = listen("historic-tempo", at=moment(day + timedelta(1), 6, 1))
    assert morning["grid.tariff.period"] == "red_hp"


def test_a_mobile_peak_is_announced_runs_and_ends():
    day = a_day_before("ejp")
    before, _ = listen("standard-ejp", at=moment(day, 16))
    assert before["grid.tariff.notice"] == "none"
    heard, _ = listen("standard-ejp", at=moment(day, 18))
    assert heard["grid.tariff.notice"] == "announced"
    assert heard["grid.tariff.peak.start"] == f"{day + timedelta(1)}T06:00Z"
    assert "POINTE MOBILE" in heard["grid.message"]
    running, _ = listen("standard-ejp", at=moment(day + timedelta(1), 9))
    assert (running["grid.tariff.notice"], running["grid.tariff.period"]) == ("peak", "ejp_pm")
    soon, _ = listen("historic-ejp", at=moment(day + timedelta(1), 6, 40))
    assert soon["grid.tariff.notice"] == "announced"
    assert listen("historic-ejp", at=moment(day, 18))[0]["grid.tariff.notice"] == "none"


def test_the_profile_of_the_meter_tells_the_next_change():
    heard, _ = listen("standard")
    assert heard["grid.tariff.next_change"] == "2026-01-14T21:00Z"
    assert announced(create(meter="standard").tariff, WINTER).profile == ("0000C001", "06008002", "2200C001")


def test_the_indexes_add_up_over_a_day_of_every_contract():
    for meter in ("standard-tempo", "standard-ejp"):
        day = a_day_before("red" if "tempo" in meter else "ejp")
        home = create(seed=3, meter=meter)
        registers = home.registers(moment(day, 0))
        begun = registers.settled()
        registers.advance(moment(day + timedelta(days=2), 0))
        ended = registers.settled()
        moved = [after - before for before, after in zip(begun.indexes, ended.indexes, strict=True)]
        assert sum(moved) == ended.import_wh - begun.import_wh
        assert moved[-1] > 0


def test_each_phase_has_its_own_load_and_an_injecting_one_shows_nothing():
    noon = from_datetime(datetime(2026, 6, 16, 13, 0, tzinfo=PARIS))
    home, devices, _ = face("standard-three-phase", noon)
    powers, state = home.powers(noon), devices.meter()
    assert powers.phases.va[0] < 0
    groups = {one.label: one.value for one in Decoder().feed(standard_frame(state)) if isinstance(one, Group)}
    assert groups["SINSTS1"] == 0
    assert groups["SINSTS2"] == round(powers.phases.va[1])
    assert groups["SINSTS"] + groups["SINSTI"] == round(abs(sum(powers.phases.va)))
    assert groups["SINSTI"] < abs(powers.phases.va[0])


@pytest.mark.parametrize("meter", [name for name in METERS if METERS[name].overload])
def test_a_workshop_overloads_the_meter_without_a_cut(meter):
    burst = WINTER - WINTER % 300_000 + 300_000
    heard, _ = listen(meter, frames=20, at=UtcMs(burst))
    assert heard["grid.overload"] == "yes"
    assert 20 < heard["grid.cutoff.time"] < 250
    _, devices, clock = face(meter, UtcMs(burst))
    assert is_over(devices.meter())
    clock.at += 150_000
    assert not is_over(devices.meter())


def test_what_the_meter_has_to_say_of_itself_is_said():
    heard, _ = listen("standard-events")
    assert heard["grid.events"] == "clock-degraded cover-open overvoltage"
    assert heard["grid.message"].startswith("TRAVAUX")


def test_every_meter_has_a_sentence_and_periods_that_the_registry_knows():
    assert all(one.text.fr and one.text.en for one in METERS.values())
    assert all(period in TARIFF_INDEXES for periods in PERIODS.values() for period in periods)


@pytest.mark.parametrize("fault", simfaults.FAULTS)
def test_every_fault_leaves_a_line_that_is_still_understood(fault, tmp_path):
    _, devices, clock = face("standard")
    line = TicLine(tmp_path / "tic", devices.meter)
    simfaults.play(line, fault)
    stream, heard, meters = Stream(), 0, set()
    try:
        for n in range(90):
            clock.at += 1000
            data = line._damaged(line._frame())
            if line.silence:
                continue
            for batch, _ in stream.readings(stream.feed(data, float(n)), clock.now()):
                heard += any(one.signal == "grid.import.energy" and one.value is not None for one in batch)
            meters.add(stream.interpreter.address)
    finally:
        line.unplug()
    assert heard > 35
    assert bool(stream.rejected) is (fault in ("noise", "meter-change", "lost-bytes"))
    assert len(meters - {None}) == (2 if fault == "meter-change" else 1)


def test_the_new_meter_begins_at_nothing_and_its_registers_add_up():
    _, devices, clock = face("standard")
    other = simfaults.AnotherMeter(devices.meter)
    first = other()
    clock.at += 3_600_000
    later = other()
    assert (first.import_wh, first.export_wh) == (0, 0)
    assert later.import_wh == sum(later.indexes) > 0
    assert replace(first, address="") != first
    assert not [one for one in Decoder().feed(standard_frame(later)) if isinstance(one, Rejected)]
