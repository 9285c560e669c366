from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storyboard import STATES

from web import flow
from web.flow import SOURCES, WIRES, Known

WATTS = st.integers(0, 40_000)


def seen(name: str):
    state = STATES[name]
    return flow.situation(state.snapshot(), has_pv=state.has_pv)


def running(name: str) -> set[str]:
    return {stream.wire.name for stream in flow.streams(seen(name))}


@pytest.mark.parametrize(
    ("name", "wires"),
    [
        ("export", {"sun-home", "sun-grid"}),
        ("exact", {"sun-home"}),
        ("noise", {"sun-home"}),
        ("partial", {"sun-home", "grid-home"}),
        ("night", {"grid-home"}),
        ("battery-evening", {"store-home"}),
        ("battery-from-grid", {"grid-home", "grid-store"}),
        ("battery-sun", {"sun-home", "sun-store", "sun-grid"}),
        ("no-inverter", {"grid-home"}),
        ("no-meter", set()),
        ("stale", set()),
        ("no-box", set()),
        ("starting", set()),
    ],
)
def test_only_what_is_known_to_flow_moves(name, wires):
    assert running(name) == wires


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("export", Known.LIVE),
        ("no-meter", Known.NO_METER),
        ("no-inverter", Known.NO_INVERTER),
        ("stale", Known.STALE),
        ("no-box", Known.NO_BOX),
        ("starting", Known.STARTING),
    ],
)
def test_the_page_knows_how_much_it_knows(name, known):
    assert seen(name).known is known


@given(pv=WATTS, home=WATTS, charge=WATTS, discharge=WATTS)
def test_what_is_shown_of_a_balanced_home_adds_up_to_what_the_digits_allow(pv, home, charge, discharge):
    net = home + charge - pv - discharge
    watts = {
        "pv": pv,
        "home": home,
        "charge": charge,
        "discharge": discharge,
        "import": max(0, net),
        "export": max(0, -net),
    }
    shown, gap = flow.shown_watts(watts)
    difference = sum(value if name in SOURCES else -value for name, value in shown.items())
    assert gap == 0
    assert abs(difference) <= 50
    for name, value in shown.items():
        assert abs(value - watts[name]) < 100
        assert value == watts[name] or (value % 100 == 0 and value >= 1000)


@given(pv=WATTS, home=WATTS, bought=WATTS, sent=WATTS)
def test_what_does_not_add_up_is_shown_as_the_gap(pv, home, bought, sent):
    shown, gap = flow.shown_watts({"pv": pv, "home": home, "import": bought, "export": sent})
    assert gap == home + sent - pv - bought
    assert abs(shown["pv"] + shown["import"] + gap - shown["home"] - shown["export"]) <= 50


@given(pv=WATTS, home=WATTS)
def test_streams_carry_all_the_power_of_a_balanced_home(pv, home):
    state = STATES["export"].values | {
        "pv.power": pv,
        "home.power": home,
        "grid.import.power": max(0, home - pv),
        "grid.export.power": max(0, pv - home),
    }
    situation = flow.situation(type(STATES["export"])("", "", state).snapshot(), has_pv=True)
    moved = sum(stream.watts for stream in flow.streams(situation))
    assert moved == pytest.approx(max(pv, home), abs=2 * flow.NOISE_W)


def test_the_dots_follow_the_very_curves_that_are_drawn():
    style = (Path(flow.__file__).parent / "frontend/src/now.css").read_text(encoding="utf-8")
    drawn = dict(re.findall(r'\.dot\.([a-z-]+) \{ offset-path: path\("([^"]+)"\)', style))
    assert drawn == {name: wire.curve for name, wire in WIRES.items()}
