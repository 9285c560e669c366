"""The real web process: gunicorn, a real socket, real streams."""

import http.client
import json
import os
import signal
import socket

import psutil
import pytest

from gateway.errors import Misconfigured
from tests.web.feed_server import FeedServer
from tests.web.running import KEY, Running, free_port, write_home
from web.listening import bound_in_time, listen, port_owner

pytestmark = pytest.mark.servers


class Stream:
    """An open stream of a real server, read line by line."""

    def __init__(self, port):
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.link.request("GET", "/api/v1/stream", headers={"Authorization": f"Bearer {KEY}"})
        self.answer = self.link.getresponse()

    def until(self, start):
        while line := self.answer.readline().decode():
            if line.startswith(start):
                return line
        raise AssertionError(f"the stream ended before {start!r}")

    def to_the_end(self):
        try:
            while self.answer.readline():
                pass
        except (OSError, http.client.HTTPException):
            pass  # cut short: it has ended too

    def close(self):
        self.answer.close()
        self.link.close()


def get(port, path, headers=None):
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        link.request("GET", path, headers=headers or {"Authorization": f"Bearer {KEY}"})
        answer = link.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        link.close()


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def gateway(home):
    with FeedServer(home / "run" / "live.sock") as server:
        yield server


@pytest.fixture
def server(home, port, gateway):
    with Running(write_home(home, port), port) as running:
        gateway.wait_for_clients(1)
        yield running


@pytest.fixture
def streams(port, server):
    opened = [Stream(port) for _ in range(24)]
    for stream in opened:
        assert stream.answer.status == 200
        stream.until("event: health")
    yield opened
    for stream in opened:
        stream.close()


def test_twenty_four_browsers_follow_and_pages_answer_meanwhile(port, gateway, streams):
    gateway.set({"pv.power": 2345})
    for stream in streams:
        stream.until("event: frame")
        assert json.loads(stream.until("data: ")[6:])["signals"]["pv.power"]["value"] == 2345
    status, headers, body = get(port, "/api/v1/stream")
    assert status == 503
    assert headers["Retry-After"] == "10"
    assert json.loads(body)["type"] == "urn:foyer:problem:too-many-streams"
    assert get(port, "/api/v1/live")[0] == 200


def test_a_browser_that_leaves_gives_its_place_back(port, gateway, streams):
    streams.pop().close()
    while True:
        gateway.set({"pv.power": 1})  # the loss is seen when something is written
        again = Stream(port)
        streams.append(again)
        if again.answer.status == 200:
            return
        again.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_five_seconds_with_every_stream_open(server, streams, how):
    assert server.stop(timeout=5, how=how) == 0
    for stream in streams:
        stream.to_the_end()
    assert not [line for line in server.said if "Traceback" in line]


def test_a_quiet_stream_is_kept_alive(port, server):
    stream = Stream(port)
    stream.until(": still here")
    stream.close()


def test_a_killed_worker_is_replaced(port, server, gateway):
    worker = psutil.Process(server.pid).children()[0]
    worker.kill()
    gateway.wait_for_clients(2)
    assert get(port, "/api/v1/live")[0] == 200


def test_clients_that_never_finish_their_request_do_not_keep_the_others_out(port, server):
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    for one in slow:
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    assert get(port, "/healthz")[0] == 200
    for one in slow:
        one.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"POST /connexion HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
        b"POST /connexion HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /connexion HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nZZ\r\n",
        b"GET /%ff%fe%00?next=%00 HTTP/1.1\r\nHost: localhost\r\nCookie: foyer_session=\xff\xfe; lang=\xff\r\n\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
    ],
)
def test_hostile_bytes_get_a_refusal_and_harm_nobody(port, server, raw):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as link:
        link.sendall(raw)
        link.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: link.recv(4096), b""))
    assert not answer.startswith(b"HTTP/1.1 2")
    assert b"HTTP/1.1 500" not in answer
    assert get(port, "/healthz")[0] == 200


def test_nothing_is_said_while_all_is_well(port, server):
    get(port, "/api/v1/live")
    server.stop()
    assert [line for line in server.said if "gateway-lost" not in line] == []


def test_it_leaves_nothing_in_the_home_of_its_user(home, port, gateway):
    person = home / "person"
    person.mkdir()
    environment = {**os.environ, "HOME": str(person), "XDG_RUNTIME_DIR": str(person)}
    with Running(write_home(home, port), port, env=environment):
        assert list(person.iterdir()) == []


def test_it_takes_the_socket_that_systemd_hands_over(home, gateway):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        handed = f"import os; os.dup2({listener.fileno()}, 3, inheritable=True)\n"
        handed += "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))"
        config = write_home(home, free_port())
        with Running(config, port, before=handed, pass_fds=[listener.fileno()]) as server:
            assert get(port, "/api/v1/live")[0] == 200
            assert server.stop(timeout=5) == 0


def test_a_port_that_is_taken_is_one_sentence_that_says_by_whom(home, monkeypatch):
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Running(write_home(home, port), port)
        assert server.wait() == 1
        server.stop()
    assert len(server.said) == 1
    assert f"Le port {port} est déjà pris par " in server.said[0]
    assert f"({os.getpid()})" in server.said[0]
    assert "[web]" in server.said[0]


def test_a_store_of_people_that_cannot_be_opened_stops_the_process(home, port):
    config = write_home(home, port, account=False)
    (home / "state").mkdir()
    (home / "state" / "home.db").write_bytes(b"not a database" * 999)
    server = Running(config, port)
    status = server.wait()
    server.stop()
    assert status == 1
    assert len(server.said) == 1
    assert "home.db" in server.said[0]


def test_an_address_of_another_machine_says_what_to_change():
    with pytest.raises(Misconfigured) as refusal:
        listen("192.0.2.1", 0)
    assert "address" in refusal.value.mend.en


def test_an_ipv6_address_hears_both_families():
    with listen("::", 0) as listener:
        port = listener.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()
        socket.create_connection(("::1", port)).close()


def test_a_port_without_listener_has_no_owner():
    assert port_owner(free_port()) is None


def test_connections_inherit_the_time_limits_of_their_listener(monkeypatch):
    monkeypatch.setattr("web.listening.HEARING_S", 1)
    with listen("127.0.0.1", 0) as listener:
        bound_in_time(listener)
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                accepted.setblocking(True)
                with pytest.raises(BlockingIOError):
                    accepted.recv(1)
