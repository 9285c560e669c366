"""The meters that `foyer demo` can play."""

import tomllib

import pytest
from click.testing import CliRunner

from gateway.demo import demo
from gateway.demo_meters import contract_table, known


def test_the_help_lists_every_meter_and_every_fault():
    said = CliRunner().invoke(demo, ["--help"])
    assert said.exit_code == 0
    for what in ("meters", "faults"):
        assert known(what)
        assert all(f"  {name} " in said.output for name in known(what))


@pytest.mark.parametrize(("option", "what"), [("--meter", "meters"), ("--tic-fault", "faults")])
def test_a_name_that_is_none_is_answered_with_those_there_are(option, what):
    said = CliRunner().invoke(demo, [option, "moulin"])
    assert said.exit_code == 2
    assert "moulin" in said.output
    assert all(name in said.output for name in known(what))


@pytest.mark.parametrize("meter", known("meters"))
def test_the_contract_of_the_demo_is_that_of_its_meter(meter):
    variant = known("meters")[meter]
    contract = tomllib.loads(contract_table(meter))["contract"]
    assert contract["option"] == variant.option
    assert contract["subscribed_kva"] == variant.subscribed_kva
    assert tuple(contract.get("off_peak", ())) == variant.off_peak


def test_a_meter_that_no_simulator_knows_leaves_the_contract_out():
    assert contract_table("moulin") == ""
