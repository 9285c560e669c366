"""Rows as lines: types fixed by the registry, whatever a value looks like."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outputs.influx.lines import encode, field_text, home_tag, place_of
from gateway.signals import SIGNALS, Kind
from tests.gateway.influx.fake import parse


@dataclass(frozen=True)
class Row:
    at: int
    source: str
    values: dict
    estimated: frozenset = field(default_factory=frozenset)


NUMBERS = st.one_of(st.integers(-(2**70), 2**70), st.floats())
VALUES = {
    Kind.GAUGE: NUMBERS,
    Kind.COUNTER: NUMBERS,
    Kind.STATE: st.text('HPé’"\\\n =,#', max_size=12),
}
ROWS = st.builds(
    Row,
    at=st.integers(1_000_000_000_000, 4_000_000_000_000),
    source=st.sampled_from(["meter", "inverter:roof", "derive"]),
    values=st.lists(st.sampled_from(sorted(SIGNALS)), max_size=6, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: VALUES[SIGNALS[name].kind] for name in names})
    ),
)
TYPES = {Kind.GAUGE: float, Kind.COUNTER: int, Kind.STATE: str}


@given(ROWS)
def test_each_field_has_the_type_of_its_signal_and_the_value_of_the_row(row):
    line = encode(row, "maison")
    if line is None:
        return
    assert "\n" not in line
    point = parse(line.replace("E", "e"))
    measurement, device = place_of(row.source)
    assert (point.measurement, point.time) == (measurement, row.at)
    assert point.tags == f"device={device},home=maison"
    for name, value in point.fields.items():
        kind = SIGNALS[name].kind
        assert type(value) is TYPES[kind]
        given_value = row.values[name]
        if kind is Kind.STATE:
            assert value.lower() == given_value.replace("\n", " ").lower()
        else:
            assert value == (round(given_value) if kind is Kind.COUNTER else float(given_value))


@pytest.mark.parametrize(
    ("signal", "value", "text"),
    [
        ("pv.power", 1234, "1234.0"),
        ("pv.power", 12.5, "12.5"),
        ("pv.energy", 1234.0, "1234i"),
        ("pv.energy", 1234, "1234i"),
        ("grid.tariff.period", 'H"C\\', '"H\\"C\\\\"'),
        ("pv.power@roof", 0, "0.0"),
        ("pv.power", float("nan"), None),
        ("pv.power", "12", None),
        ("pv.energy", 2**63, None),
        ("no.such.signal", 1, None),
    ],
)
def test_a_value_is_a_field_of_one_type(signal, value, text):
    assert field_text(signal, value) == text


def test_a_server_of_numbers_gets_no_words():
    row = Row(1_782_036_000_000, "meter", {"grid.tariff.period": "HC"})
    assert encode(row, "maison", texts=False) is None
    mixed = Row(row.at, "meter", {"grid.tariff.period": "HC", "pv.power": 1}, frozenset({"pv.power"}))
    assert encode(mixed, "maison", texts=False) == "meter,device=meter,home=maison pv.power=1.0 1782036000000"


def test_estimates_are_named_and_fields_left_out_are_not_sent():
    row = Row(1_782_036_000_000, "inverter:roof", {"pv.power": 1, "pv.energy": 2}, frozenset({"pv.power"}))
    assert (
        encode(row, "h") == 'inverter,device=roof,home=h pv.power=1.0,pv.energy=2i,estimated="pv.power" 1782036000000'
    )
    left_out = {("inverter", "pv.power"), ("inverter", "estimated")}
    assert encode(row, "h", left_out) == "inverter,device=roof,home=h pv.energy=2i 1782036000000"


@pytest.mark.parametrize(
    ("name", "tag"), [("Maison d’été", "maison-d-ete"), ("  A  b ", "a-b"), ("家", "home"), ("x" * 100, "x" * 64)]
)
def test_the_name_of_a_home_is_a_plain_tag(name, tag):
    assert home_tag(name) == tag
