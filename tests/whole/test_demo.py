"""The demo from outside: its contract, its faults, its end."""

import contextlib
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from tests.whole.demo import free_port

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]


def wait_for(condition, seconds=30.0):
    """Poll a remote process, which has no event to await."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        threading.Event().wait(0.1)
    pytest.fail("it did not come in time")


def test_the_demo_keeps_its_contract_and_ends_without_a_trace(start_demo):
    demo = start_demo("--history", "3", "--seed", "7")
    assert set(demo.told) == {"url", "user", "password", "app_key", "home", "pid"}
    assert demo.told["pid"] == demo.process.pid

    assert demo.get("/healthz", key=False)[0] == 200
    assert demo.get("/api/v1/live", key=False)[0] == 401

    first = demo.signals()
    for name in ("grid.import.energy", "grid.import.apparent_power", "pv.power", "pv.energy", "home.power"):
        assert set(first[name]) == {"value", "unit", "at", "age_s", "quality", "source"}, name
        assert first[name]["value"] is not None, name
    name = "grid.import.apparent_power"
    wait_for(lambda: demo.signals()[name]["at"] != first[name]["at"])
    moved = demo.signals()
    assert moved["grid.import.energy"]["value"] >= first["grid.import.energy"]["value"]

    now = datetime.now(UTC)
    past = (now - timedelta(days=2)).strftime("%Y-%m-%d")
    energy = demo.json(f"/api/v1/energy?from={past}&to={now:%Y-%m-%d}&step=1d")
    assert energy["buckets"], energy
    day = energy["buckets"][0]
    assert day["consumption"] == pytest.approx(day["import"] + day["production"] - day["export"])
    assert demo.json("/api/v1/health")["state"] in {"ok", "info"}

    code, family = demo.stop()
    assert code == 0
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert not (demo.home / "run" / "live.sock").exists()
    assert not (demo.home / "run" / "tic").exists()


def test_a_killed_gateway_comes_back_by_itself_and_its_store_is_sound(start_demo):
    demo = start_demo("--history", "1")
    before = demo.child("gateway")
    before.kill()
    wait_for(lambda: (now := demo.child("gateway")) and now.pid != before.pid)
    wait_for(lambda: demo.signals().get("home.power", {}).get("quality") in {"derived", "estimated"})
    demo.stop()
    with contextlib.closing(sqlite3.connect(demo.home / "state" / "measure.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_killed_demo_leaves_no_process_behind(start_demo):
    demo = start_demo("--history", "0")
    _, family = demo.stop(signal.SIGKILL)
    assert family
    gone, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert len(gone) == len(family)


def test_a_second_start_goes_on_from_the_first(start_demo, tmp_path):
    demo = start_demo("--history", "2", home=tmp_path / "kept")
    before = demo.signals()["grid.import.energy"]["value"]
    sign_in = demo.told["password"]
    demo.stop()
    demo = start_demo("--history", "2", home=tmp_path / "kept")
    assert demo.told["password"] == sign_in
    assert before <= demo.signals()["grid.import.energy"]["value"] < before + 1000


def test_two_demos_in_one_folder_are_refused_in_a_sentence(start_demo):
    demo = start_demo("--history", "0")
    second = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "demo", "--json", "--home", str(demo.home), "--port", str(free_port())],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert second.returncode == 1
    assert str(demo.home) in second.stderr


def test_a_taken_port_is_a_sentence_with_its_mend():
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run(
            [sys.executable, "-m", "gateway.cli", "demo", "--port", str(port)],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
    assert result.returncode == 1
    assert str(port) in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
