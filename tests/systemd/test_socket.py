"""The page on the socket that systemd hands it, in a namespace without a network: the way the packaged box runs it."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, ("systemd-socket-activate", "unshare"))),
        reason="needs root, and systemd's own tools",
    ),
]


@pytest.fixture
def door(tmp_path):
    """Return the port on which the page answers, handed over as systemd does; the process has no network itself."""
    (tmp_path / "foyer.toml").write_text('[paths]\nstate = "state"\nrun = "run"\n')
    (tmp_path / "state").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    run_web = "from gateway.cli import main; main()"
    command = [sys.executable, "-c", run_web, "run", "web", "--config", str(tmp_path / "foyer.toml")]
    process = subprocess.Popen(
        ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", "unshare", "--net", *command],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "Listening on" in process.stderr.readline()
    yield port
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


def test_the_page_answers_on_a_port_it_did_not_open(door):
    page = http.client.HTTPConnection("127.0.0.1", door, timeout=60)
    try:
        page.request("GET", "/healthz")
        answer = page.getresponse()
        assert answer.status in (200, 503)
        assert answer.read()
    finally:
        page.close()
