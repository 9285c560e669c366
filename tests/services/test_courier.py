import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import UtcMs
from gateway.errors import Misconfigured
from services.courier import NO_CONSENT, UNKNOWN_CONSENT, clear, refusal, watch
from services.outbox import Envelope, Outbox, State

NOW = UtcMs(1_780_000_000_000)
LETTER = Envelope("collective", "sharing-key", b'{"wh": 1200}', "collective/1")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path):
    with Outbox(path) as one:
        yield one


def _rows(path):
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT state, sent_at, answer FROM envelope ORDER BY id").fetchall()


def test_an_envelope_without_a_consent_is_refused_with_the_reason(outbox, path):
    number = outbox.put(LETTER, NOW)

    assert clear(outbox) == 1

    assert outbox.state(number) == (State.REFUSED, NO_CONSENT)
    assert _rows(path) == [("refused", None, "no-consent")]


def test_an_envelope_that_names_a_consent_nobody_recorded_is_refused(outbox):
    number = outbox.put(Envelope("collective", "key", b"", "x/1", consent_id="42"), NOW)

    clear(outbox)

    assert outbox.state(number) == (State.REFUSED, UNKNOWN_CONSENT)


@given(st.builds(Envelope, st.text(), st.text(), st.binary(), st.text(), st.none() | st.text()))
def test_no_envelope_whatever_may_leave(envelope):
    assert refusal(envelope) in (NO_CONSENT, UNKNOWN_CONSENT)


def test_what_was_refused_stays_refused_and_keeps_its_reason(outbox):
    number = outbox.put(LETTER, NOW)
    clear(outbox)

    outbox.refuse(number, "another reason")

    assert clear(outbox) == 0
    assert outbox.state(number) == (State.REFUSED, NO_CONSENT)


def test_an_envelope_waits_with_the_exact_bytes_it_was_given(outbox):
    envelope = Envelope("collective", "key", bytes(range(256)), "x/1", "7")

    number = outbox.put(envelope, NOW)

    assert outbox.waiting() == [(number, envelope)]


def test_the_courier_looks_again_only_when_another_process_has_written(outbox, path):
    looks = []

    class Counted:
        version = outbox.version

        @staticmethod
        def waiting():
            looks.append(1)
            return outbox.waiting()

        refuse = outbox.refuse

    turns = iter(["nothing new", "a letter", "nothing new", "stop"])

    def stopped(seconds):
        assert seconds == 60
        turn = next(turns)
        if turn == "a letter":
            with Outbox(path) as service:
                service.put(LETTER, NOW)
        return turn == "stop"

    watch(Counted, stopped)

    assert len(looks) == 2
    assert _rows(path) == [("refused", None, "no-consent")]


def test_a_busy_outbox_is_tried_again(outbox, path, caplog):
    class Busy:
        tries = 0

        def version(self):
            self.tries += 1
            if self.tries == 1:
                raise sqlite3.OperationalError("database is locked")
            return outbox.version()

        waiting = outbox.waiting
        refuse = outbox.refuse

    outbox.put(LETTER, NOW)
    answers = iter([False, True])

    watch(Busy(), lambda _seconds: next(answers))

    assert _rows(path)[0][0] == "refused"
    assert "outbox busy" in caplog.text


def test_nothing_of_what_an_envelope_holds_reaches_the_log(outbox, caplog):
    outbox.put(Envelope("collective", "key", b"very private", "x/1"), NOW)

    with caplog.at_level("DEBUG"):
        clear(outbox)

    assert "private" not in caplog.text
    assert "recipient=collective" in caplog.text


def test_an_outbox_opened_again_keeps_what_it_held(path):
    with Outbox(path) as outbox:
        number = outbox.put(LETTER, NOW)

    with Outbox(path) as outbox:
        assert outbox.waiting() == [(number, LETTER)]


def test_an_outbox_of_a_newer_version_is_left_alone(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")

    with pytest.raises(Misconfigured, match="newer version"):
        Outbox(path)

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_an_unknown_envelope_is_an_error(outbox):
    with pytest.raises(KeyError):
        outbox.state(1)


def test_two_processes_can_write_in_turn(outbox, path):
    with Outbox(path) as service:
        first = service.put(LETTER, NOW)
        second = outbox.put(LETTER, NOW)
        outbox.refuse(first, NO_CONSENT)

        assert [number for number, _ in service.waiting()] == [second]


def test_the_group_of_the_box_may_write_the_outbox(path):
    before = os.umask(0o007)
    try:
        Outbox(path).close()
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o660


@pytest.mark.servers
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_refuses_what_waits_and_stops_when_asked(tmp_path, number):
    (tmp_path / "foyer.toml").write_text('[paths]\nstate = "state"\nrun = "run"\n')
    (tmp_path / "state").mkdir()
    with Outbox(tmp_path / "state/outbox.db") as outbox:
        outbox.put(LETTER, NOW)
    command = "from gateway.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "run", "courier", "--config", tmp_path / "foyer.toml"],
        stderr=subprocess.PIPE,
        text=True,
    )
    with process.stderr:
        said = process.stderr.readline() + process.stderr.readline()
        process.send_signal(number)
        said += process.stderr.read()

    assert process.wait(timeout=10) == 0
    assert "courier started" in said
    assert "envelope refused" in said
    assert "courier stopped" in said
    assert _rows(tmp_path / "state/outbox.db") == [("refused", None, "no-consent")]
