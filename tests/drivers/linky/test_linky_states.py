"""What is said of the meter: every state its own code, sentence and mend, in both languages."""

import errno

import pytest

from drivers.contract import Beat, DeviceState
from drivers.linky import blocked, reader, states
from drivers.linky.history import ErrorHistory, Trend
from drivers.linky.labels import Mode
from drivers.linky.machine import Console, Holder, Obstacle
from drivers.linky.stream import Stream
from gateway.clock import UtcMs
from gateway.errors import Text
from gateway.health import State, of_device
from gateway.supervisor import Device

MEND = Text("Faites ceci.", "Do this.")
_HOLDER = Holder("cat", 3)
_CONSOLE = Console("console=serial0,115200", "/boot/cmdline.txt")
TROUBLES = [
    states.no_port("auto"),
    states.no_permission("/dev/tic", MEND),
    states.port_fault("/dev/tic"),
    states.no_signal({}),
    states.not_understood({}, meter=True),
    states.not_understood({}, meter=False),
    states.weak(0.02, None, {}),
    blocked.blocked(None, "/dev/tic"),
    blocked.blocked(Obstacle("modem-manager", _HOLDER), "/dev/tic"),
    blocked.blocked(Obstacle("serial-login", unit="serial-getty@ttyS0.service"), "/dev/tic"),
    blocked.blocked(Obstacle("serial-console", console=_CONSOLE), "/dev/tic"),
]
ADVICES = [
    states.reading({"mode": Mode.HISTORIC}, speed=1200),
    states.reading({"mode": Mode.HISTORIC}, speed=9600),
    states.reading({"mode": Mode.STANDARD}, speed=9600, small_uart=True),
]


def check(beat):
    from collections import Counter

    return of_device(Device("meter", lambda: None, beat, UtcMs(0), 0.0, Counter()))


@pytest.mark.parametrize("beat", TROUBLES + ADVICES, ids=lambda beat: beat.code)
def test_every_trouble_and_advice_has_a_sentence_and_a_mend_in_both_languages(beat):
    for text in (beat.text, beat.mend):
        for said in (text.fr, text.en):
            assert said[0].isupper()
            assert said.endswith(".")
            assert "'" not in said.replace("'s/", "").replace("//'", "")
        assert text.fr != text.en


def test_no_two_of_them_have_the_same_code_or_sentence():
    codes = [beat.code for beat in TROUBLES + ADVICES]
    assert codes == [
        "no-port",
        "no-permission",
        "port-fault",
        "no-signal",
        "unreadable-signal",
        "not-tic",
        "weak-signal",
        "port-busy",
        "modem-manager",
        "serial-login",
        "serial-console",
        "historic-mode",
        "unusual-speed",
        "small-uart",
    ]
    assert len({beat.text.fr for beat in TROUBLES + ADVICES}) == len(codes)


def test_an_advice_is_good_to_know_and_a_well_read_meter_is_well():
    assert {check(beat).state for beat in ADVICES} == {State.INFO}
    well = states.reading({"mode": Mode.STANDARD}, speed=9600)
    assert (well.code, check(well).state) == ("ok", State.OK)
    assert check(states.weak(0.02, None, {})).state is State.WARNING
    assert check(states.no_signal({})).state is State.PROBLEM


def test_historic_mode_says_how_to_ask_for_the_standard_one():
    beat = states.reading({"mode": Mode.HISTORIC}, speed=1200)
    assert "mode standard de la TIC" in beat.mend.fr
    assert "gratuit" in beat.mend.fr
    assert "lendemain" in beat.mend.fr
    assert "free" in beat.mend.en


def test_an_unusual_speed_is_said_where_the_line_has_a_speed_and_nowhere_else():
    assert "9600 bauds au lieu de 1200" in states.reading({"mode": Mode.HISTORIC}, speed=9600).text.fr
    assert states.reading({"mode": Mode.STANDARD}, speed=1200).code == "unusual-speed"
    assert states.reading({"mode": Mode.STANDARD}).code == "ok"
    assert states.reading({"mode": None}, speed=1200).code == "ok"


def test_a_weak_signal_says_its_rate_its_trend_and_everything_that_cures_it():
    beat = states.weak(0.0123, Trend.WORSE, {})
    assert "1,2 %" in beat.text.fr
    assert "1.2 %" in beat.text.en
    assert "pire" in beat.text.fr
    for word in ("disjoncteurs", "deux fils", "vis de réglage", "résistance à 9600"):
        assert word in beat.mend.fr
    for word in ("breakers", "two twisted wires", "trimmer", "resistor at 9600"):
        assert word in beat.mend.en
    texts = {states.weak(0.0123, trend, {}).text.fr for trend in (*Trend, None)}
    assert len(texts) == 4


class TestWhyNot:
    def test_a_port_that_is_not_there_names_those_that_are(self, tmp_path):
        (tmp_path / "dev/serial/by-id").mkdir(parents=True)
        (tmp_path / "dev/ttyUSB0").touch()
        (tmp_path / "dev/serial/by-id/usb-TINFO-1").symlink_to(tmp_path / "dev/ttyUSB0")
        beat = reader.why_not(OSError(errno.ENOENT, "x"), str(tmp_path / "dev/ttyUSB7"), tmp_path)
        assert beat.code == "no-port"
        assert str(tmp_path / "dev/serial/by-id/usb-TINFO-1") in beat.mend.fr

    def test_the_header_of_a_raspberry_pi_that_is_switched_off_says_how_to_switch_it_on(self, tmp_path):
        (tmp_path / "dev").mkdir()
        (tmp_path / "proc/device-tree").mkdir(parents=True)
        (tmp_path / "proc/device-tree/model").write_text("Raspberry Pi 3")
        beat = reader.why_not(OSError(errno.ENOENT, "x"), str(tmp_path / "dev/serial0"), tmp_path)
        assert "enable_uart=1" in beat.mend.fr
        assert "enable_uart=1" in beat.mend.en

    def test_a_refusal_on_a_line_with_a_login_is_the_login(self, tmp_path):
        (tmp_path / "dev").mkdir()
        (tmp_path / "dev/ttyAMA0").touch()
        port = str(tmp_path / "dev/ttyAMA0")
        refused = PermissionError(errno.EACCES, "x")
        assert reader.why_not(refused, port, tmp_path).code == "no-permission"
        unit = r"sys/fs/cgroup/system.slice/system-serial\x2dgetty.slice/serial-getty@ttyAMA0.service"
        (tmp_path / unit).mkdir(parents=True)
        assert reader.why_not(refused, port, tmp_path).code == "serial-login"

    def test_a_bridge_is_never_looked_for_among_the_files(self):
        assert reader.why_not(ConnectionRefusedError(), "tcp://nowhere:1").code == "port-fault"


class TestHistory:
    def test_the_day_is_a_ring_of_hours(self):
        history = ErrorHistory()
        assert (history.rate, history.trend, history.by_hour) == (None, None, None)
        for hour in range(30):
            history.count(hour, 100_000, hour * 3600.0)
        assert history.rate == pytest.approx(sum(range(6, 30)) / 2_400_000)
        assert history.by_hour == " ".join(str(hour) for hour in range(6, 30))

    def test_an_hour_without_data_is_shown_as_such_and_none_at_all_is_nothing(self):
        history = ErrorHistory()
        history.count(0, 100, 0.0)
        assert history.by_hour is None
        history.count(2, 100, 3600.0 * 3)
        assert history.by_hour == "0 – – 2"

    @pytest.mark.parametrize(
        ("now", "trend"), [(1000, Trend.WORSE), (110, Trend.STEADY), (95, Trend.STEADY), (10, Trend.BETTER)]
    )
    def test_the_trend_is_the_last_hour_beside_those_before(self, now, trend):
        history = ErrorHistory()
        for hour in range(5):
            history.count(100, 100_000, hour * 3600.0)
            assert history.trend in (None, Trend.STEADY)
        history.count(now, 100_000, 5 * 3600.0)
        assert history.trend is trend

    def test_a_single_error_in_a_sound_installation_is_no_trend(self):
        history = ErrorHistory()
        history.count(0, 100_000, 0.0)
        history.count(1, 100_000, 3600.0)
        assert history.trend is Trend.STEADY

    def test_too_little_to_compare_is_no_trend(self):
        history = ErrorHistory()
        history.count(0, 100_000, 0.0)
        history.count(10, 100, 3600.0)
        assert history.trend is None

    def test_a_calendar_set_back_begins_another_day(self):
        history = ErrorHistory()
        history.count(5, 1000, 3600.0 * 50)
        history.count(1, 1000, 3600.0 * 2)
        assert history.by_hour == "1"


def test_the_stream_says_its_rate_of_the_day_and_what_was_refused_why():
    from tic_examples import S1_PRODUCER

    stream = Stream()
    bad = S1_PRODUCER.replace(b"URMS1\t238\tG", b"URMS1\t239\tG")
    for n in range(400):
        stream.feed(bad if n % 4 == 0 else S1_PRODUCER, n * 10.0)
    details = stream.details()
    assert details["error_rate_day"] == round(100 / 4400, 5)
    assert details["errors_by_hour"] == "90 10"
    assert details["rejected"] == {"checksum": 100}
    assert stream.damaged_but_named == 100


@pytest.mark.parametrize(("bad", "frames", "weak"), [(2, 10, False), (3, 10, True), (3, 60, False), (9, 100, True)])
def test_a_line_is_weak_above_one_in_two_hundred_and_never_by_one_disturbance(bad, frames, weak):
    from tic_examples import S1_PRODUCER

    stream = Stream()
    damaged = S1_PRODUCER.replace(b"URMS1\t238\tG", b"URMS1\t239\tG")
    stream.feed(S1_PRODUCER * (frames - bad) + damaged * bad, 1.0)
    assert stream.weak is weak


def test_a_well_read_meter_is_a_beat_without_a_mend():
    assert states.reading({"mode": Mode.STANDARD}) == Beat(
        DeviceState.OK, "ok", Text("Le compteur est lu.", "The meter is being read."), None, {"mode": Mode.STANDARD}
    )
