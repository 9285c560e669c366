"""Health: the worst check is the state of the box, and each has words and a mend."""

import json
from collections import Counter

import pytest

from drivers.contract import Beat, DeviceState
from gateway.clock import UtcMs
from gateway.errors import Text
from gateway.health import Check, State, as_json, of_clock, of_device, of_jobs
from gateway.supervisor import Device
from tests.gateway.clocks import FakeClock


def test_the_box_is_as_its_worst_check():
    one = Check("a", State.OK, "fine", Text("a", "a"))
    two = Check("b", State.WARNING, "meh", Text("b", "b"), since=UtcMs(0))
    assert as_json([])["state"] == "ok"
    assert as_json([one, two])["state"] == "warning"
    assert as_json([two])["checks"][0]["since"] == "1970-01-01T00:00:00.000Z"


def test_a_clock_before_this_version_existed_is_a_problem():
    assert of_clock(FakeClock()).state is State.OK
    past = of_clock(FakeClock(now=0))
    assert past.state is State.PROBLEM
    assert past.mend is not None


def test_the_weekly_look_at_the_store_reaches_the_page(tmp_path):
    file = tmp_path / "jobs.json"
    assert of_jobs(file) == []
    file.write_text(json.dumps({"store-check": {"ok": True, "detail": "ok"}}))
    assert of_jobs(file)[0].state is State.OK
    file.write_text(json.dumps({"store-check": {"ok": False, "detail": "row 3 missing from index"}}))
    (damaged,) = of_jobs(file)
    assert damaged.state is State.PROBLEM
    assert damaged.details == {"found": "row 3 missing from index"}


def test_a_missed_backup_is_a_problem_in_the_words_of_the_job(tmp_path):
    file = tmp_path / "jobs.json"
    file.write_text(json.dumps({"backup": {"ok": True, "detail": "Sauvegarde faite."}}))
    assert [check.code for check in of_jobs(file)] == ["backup-well"]
    file.write_text(json.dumps({"backup": {"ok": False, "detail": "Rebranchez la clé."}, "store-check": None}))
    (missed,) = of_jobs(file)
    assert missed.state is State.PROBLEM
    assert missed.mend.fr == "Rebranchez la clé."


@pytest.mark.parametrize("text", ["", "[]", '{"store-check": 3}', '{"store-check": {}}', "{"])
def test_an_unreadable_note_of_the_jobs_says_nothing(tmp_path, text):
    file = tmp_path / "jobs.json"
    file.write_text(text)
    assert of_jobs(file) == []


def test_every_state_of_a_device_has_a_state_of_health():
    from gateway.health import _OF_DEVICE

    assert set(_OF_DEVICE) == set(DeviceState)


@pytest.mark.parametrize(("mend", "state"), [(None, State.OK), (Text("Faites ceci.", "Do this."), State.INFO)])
def test_a_device_that_is_well_and_has_an_advice_is_good_to_know(mend, state):
    beat = Beat(DeviceState.OK, "ok", Text("Lu.", "Read."), mend)
    assert of_device(Device("meter", lambda: None, beat, UtcMs(0), 0.0, Counter())).state is state
