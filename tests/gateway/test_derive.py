"""Active power from index steps, and the balance of the home."""

import hypothesis
from hypothesis import strategies as st

from gateway.bus import Latest
from gateway.clock import UtcMs
from gateway.derive import Derivation, Flows, balance
from gateway.power import Power
from gateway.reading import Quality, Reading

START = 1_782_036_000_000


watts = st.one_of(st.none(), st.floats(0, 12_000).map(lambda w: Power(w, Quality.DERIVED, "m")))


@hypothesis.given(watts, watts, watts, watts, watts, st.booleans(), st.booleans(), st.booleans(), st.floats(0, 60))
def test_sources_and_what_is_unexplained_equal_uses(
    imp, exp, pv, charge, discharge, has_pv, has_export, has_battery, skew
):
    flows = Flows(imp, exp, pv, charge, discharge, has_pv, has_export, has_battery, skew)
    made = balance(flows)
    needed = [
        imp,
        *([exp] if has_export else []),
        *([pv] if has_pv else []),
        *([charge, discharge] if has_battery else []),
    ]
    if any(one is None for one in needed):
        assert made is None
        return
    sources = round(imp.watts) + (round(pv.watts) if has_pv else 0) + (round(discharge.watts) if has_battery else 0)
    uses = (round(exp.watts) if has_export else 0) + (round(charge.watts) if has_battery else 0)
    assert made.home.watts >= 0
    assert made.unexplained_w >= 0
    assert sources + made.unexplained_w == uses + made.home.watts
    if skew > 15:
        assert made.home.quality is Quality.ESTIMATED


def latest(mono: float, **values):
    readings = {
        "imp": "grid.import.energy", "exp": "grid.export.energy", "va": "grid.import.apparent_power",
        "eva": "grid.export.apparent_power", "pv": "pv.power", "pvwh": "pv.energy",
        "east": "pv.power@east", "west": "pv.power@west", "eastwh": "pv.energy@east", "westwh": "pv.energy@west",
    }  # fmt: skip
    found = {}
    for name, given in values.items():
        value, quality = given if isinstance(given, tuple) else (given, Quality.MEASURED)
        reading = Reading(readings[name], value, UtcMs(START), quality)
        found[reading.signal] = Latest(reading, mono)
    return found


def derive(derivation, known, mono=0.0):
    for one in known.values():
        derivation.take(one.reading)
    return {one.signal: one for one in derivation.derived(known, UtcMs(START), mono)}


def test_home_use_with_panels_is_import_plus_production_minus_export():
    made = derive(Derivation(["roof"]), latest(0, imp=1000, exp=500, va=0, eva=1111, pv=1480, pvwh=2000))
    assert made["grid.import.power"].value == 0
    assert made["grid.export.power"].value == 1000
    assert made["home.power"].value == 480
    assert made["balance.unexplained.power"].value == 0
    assert made["home.energy"].value == 2500
    assert "skew" in made["home.power"].source


def test_a_sleeping_inverter_makes_home_use_unknown_not_zero():
    made = derive(Derivation(["roof"]), latest(0, imp=1000, exp=500, va=300, eva=0, pv=None))
    assert made["home.power"].value is None
    assert made["balance.unexplained.power"].value is None
    assert made["grid.import.power"].value == 270


def test_a_night_value_by_inference_makes_home_use_an_estimate():
    made = derive(Derivation(["roof"]), latest(0, imp=1000, va=300, pv=(0, Quality.ESTIMATED)))
    assert made["home.power"].value == 270
    assert made["home.power"].quality is Quality.ESTIMATED


def test_a_silent_meter_withdraws_what_is_made_of_it():
    derivation = Derivation(["roof"])
    known = latest(0, imp=1000, exp=5, va=300, eva=0, pv=100)
    made = derive(derivation, known, mono=16.0)
    assert made["grid.import.power"].value is None
    assert made["home.power"].value is None


def test_without_panels_home_use_is_what_is_bought():
    made = derive(Derivation(), latest(0, imp=1000, va=0))
    assert made["home.power"].value == 0
    assert made["home.energy"].value == 1000
    assert "grid.export.power" not in made


def test_export_beyond_production_is_shown_as_unexplained():
    made = derive(Derivation(["roof"]), latest(0, imp=1000, exp=500, va=0, eva=1000, pv=700, pvwh=1))
    assert made["home.power"].value == 0
    assert made["balance.unexplained.power"].value == 200


def test_two_inverters_are_summed_only_when_both_are_known():
    derivation = Derivation(["east", "west"])
    made = derive(derivation, latest(0, imp=1, va=0, east=400, west=600, eastwh=10, westwh=5))
    assert made["pv.power"].value == 1000
    assert made["pv.energy"].value == 15
    assert made["home.power"].value == 1000
    made = derive(derivation, latest(0, imp=1, va=0, east=400, west=None))
    assert made["pv.power"].value is None
    assert made["home.power"].value is None


def test_home_energy_holds_while_registers_are_read_apart():
    derivation = Derivation(["roof"])
    first = derive(derivation, latest(0, imp=1000, exp=500, va=0, eva=10, pv=700, pvwh=2000))
    later = derive(derivation, latest(0, imp=1000, exp=502, va=0, eva=10, pv=700, pvwh=2000))
    assert later["home.energy"].value == first["home.energy"].value
    meter_changed = derive(derivation, latest(0, imp=1, exp=0, va=0, eva=10, pv=700, pvwh=2000))
    assert meter_changed["home.energy"].value == 2001
