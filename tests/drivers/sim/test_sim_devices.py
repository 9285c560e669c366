"""The two faces of the home: what the meter's frames and the inverter's registers say agrees with the home."""

import pytest

from drivers.inverter.sim import SunSpecServer
from drivers.linky.frame import Decoder
from drivers.linky.group import Group, Rejected
from drivers.linky.sim import historic_frame, standard_frame, with_parity
from drivers.sim.devices import Devices
from drivers.sim.home import create
from gateway.clock import UtcMs

NOON = 1_781_604_000_000  # 2026-06-16T12:00 in Paris
HOUR = 3_600_000


class Hands:
    """A clock moved by hand."""

    def __init__(self, at):
        self.at = at

    def now(self):
        return UtcMs(self.at)

    def monotonic(self):
        return self.at / 1000


def groups(frame):
    events = Decoder().feed(with_parity(frame))
    assert not [event for event in events if isinstance(event, Rejected)]
    return {event.label: event for event in events if isinstance(event, Group)}


def devices(at, **options):
    clock = Hands(at)
    home = create(seed=21, **options)
    return home, Devices(home, home.registers(clock.now()), clock), clock


def test_every_group_of_a_day_of_standard_frames_is_valid():
    home, face, clock = devices(NOON)
    for _ in range(48):
        clock.at += 30 * 60_000 + 1234
        said, powers = groups(standard_frame(face.meter())), home.powers(clock.now())
        assert said["EAST"].value == said["EASF01"].value + said["EASF02"].value
        assert said["SINSTS"].value == round(powers.import_va)
        assert said["SINSTI"].value == round(powers.export_va)
        assert said["SMAXSN"].value >= said["SINSTS"].value - 200
        assert said["NTARF"].value == powers.index
        assert said["LTARF"].value.split()[1] == {"hc": "CREUSE", "hp": "PLEINE"}[powers.period]
        assert said["URMS1"].value == round(powers.voltage_v)
        assert said["CCASN"].stamp != said["CCASN-1"].stamp
        assert {"EAIT", "CCAIN", "CCAIN-1", "SMAXIN", "SMAXIN-1", "SMAXSN-1"} <= said.keys()


@pytest.mark.parametrize(
    ("option", "off_peak", "registers"),
    [("base", (), {"BASE"}), ("hphc", ("22:00-06:00",), {"HCHC", "HCHP"})],
)
def test_historic_frames_carry_the_registers_of_the_contract(option, off_peak, registers):
    _, face, clock = devices(NOON, option=option, off_peak=off_peak)
    state = face.meter()
    said = groups(historic_frame(state))

    assert registers <= said.keys()
    assert sum(said[name].value for name in registers) == state.import_wh
    assert said["PAPP"].value == round(state.import_va, -1)
    assert clock.now() == state.at


def test_the_counters_of_both_faces_are_those_of_one_home():
    home, face, clock = devices(NOON)
    before, made = face.meter(), face.inverter()
    clock.at += 3 * HOUR
    after, later = face.meter(), face.inverter()
    reference = home.registers(UtcMs(NOON))
    reference.read(UtcMs(NOON))
    counts = reference.read(clock.now())

    assert (after.import_wh, after.export_wh, later.energy_wh) == (counts.import_wh, counts.export_wh, counts.pv_wh)
    assert later.energy_wh - made.energy_wh > after.export_wh - before.export_wh > 0


def test_the_inverter_sleeps_in_the_dark_and_its_registers_say_so():
    _, face, clock = devices(NOON)
    noon = face.inverter()
    clock.at += 13 * HOUR
    night = face.inverter()

    assert noon.awake
    assert noon.ac_w > 0
    assert (night.awake, night.ac_w, night.strings) == (False, 0, ((0, 0), (0, 0)))
    assert night.energy_wh > noon.energy_wh
    assert 49.9 < noon.frequency_hz < 50.1
    (words,) = SunSpecServer(face.inverter, inverter_model=101).image().values()
    assert words[:2] == [0x5375, 0x6E53]


def test_the_address_of_the_meter_is_that_of_the_home():
    _, face, _ = devices(NOON)

    assert len(face.meter().address) == 12
    assert face.meter().address == devices(NOON + HOUR)[1].meter().address
