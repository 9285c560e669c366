"""Who answers, who we are, and what each fault is."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Influxdb
from gateway.errors import FoyerError, Misconfigured
from gateway.outputs.influx.faults import Away, Denied, NoDatabase, Rejected, fault_of, read_refusal
from gateway.outputs.influx.server import Api, Connection, api_of, duration_s, read_secret
from gateway.signals import find
from tests.gateway.influx.fake import FakeInflux
from tests.gateway.influx.servers import Influxd, Victoria

LINE = b"meter,device=meter,home=h pv.power=1.5 1782036000000"


@pytest.mark.parametrize(
    ("version", "setting", "api"),
    [
        ("1.6.7~rc0", "auto", Api.V1),
        ("1.7.11", "auto", Api.V1),
        ("1.8.10", "auto", Api.V1_8),
        ("1.12.1", "auto", Api.V1_8),
        ("v2.7.12", "auto", Api.V2),
        ("2.9.0", "auto", Api.V2),
        ("3.10.1", "auto", Api.V3),
        ("", "auto", Api.OTHER),
        ("unknown", "auto", Api.OTHER),
        ("", 1, Api.V1),
        ("1.11.8", 1, Api.V1_8),
        ("v2.7.12", 1, Api.V1),
        ("1.6.7", 2, Api.V2),
        ("", 3, Api.V3),
    ],
)
def test_the_version_says_what_is_spoken_and_the_setting_overrides_it(version, setting, api):
    assert api_of(version, setting) is api


def test_a_secret_that_others_may_read_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "token"
    with pytest.raises(Misconfigured, match="cannot be read"):
        read_secret(file)
    file.write_text("s3cret\n")
    file.chmod(0o640)
    with pytest.raises(Misconfigured) as refused:
        read_secret(file)
    assert "chmod 600" in refused.value.mend.fr
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_secret(file) == "s3cret"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    file.chmod(0o600)
    assert read_secret(file) == "s3cret"


@pytest.mark.parametrize(("text", "seconds"), [("0s", None), ("168h0m0s", 604_800), ("1h0m0s", 3600), ("", None)])
def test_a_duration_of_nothing_is_for_ever(text, seconds):
    assert duration_s(text) == seconds


CONFLICT_1 = (
    '{"error":"partial write: field type conflict: input field \\"v\\" on measurement \\"m\\" is type float, '
    'already exists as type integer dropped=2"}'
)
CONFLICT_3 = (
    '{"error":"partial write of line protocol occurred","data":[{"original_line":"m v=1","line_number":2,'
    '"error_message":"invalid column type for column \'v\', expected iox::column_type::field::integer, '
    'got iox::column_type::field::float"}]}'
)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, '{"code":"unauthorized","message":"unauthorized access"}', Denied),
        (403, "", Denied),
        (404, '{"error":"database not found: \\"foyer\\""}', NoDatabase),
        (400, CONFLICT_1, Rejected),
        (413, '{"error":"Request Entity Too Large"}', Rejected),
        (422, "{}", Rejected),
        (500, '{"error":"retention policy not found: x"}', NoDatabase),
        (500, '{"error":"timeout"}', Away),
        (429, "", Away),
        (503, "<html>", Away),
        (302, "", Away),
    ],
)
def test_each_answer_is_one_fault(status, body, kind):
    assert type(fault_of(status, body)) is kind


def test_a_refusal_is_understood_in_the_words_of_each_version():
    assert read_refusal(CONFLICT_1).conflict == ("m", "v")
    (named,) = read_refusal(CONFLICT_3).lines
    assert (named.number, named.field) == (2, "v")
    beyond = '{"error":"partial write: points beyond retention policy dropped=7"}'
    assert read_refusal(beyond).beyond == 7
    newer = (
        '{"message":"failure writing points: partial write: dropped 3 points outside retention policy of duration 1h"}'
    )
    assert read_refusal(newer).beyond == 3


WORDS = st.text("aé{}[]:\"' ,0", max_size=20)
CONTENT = st.recursive(st.none() | st.integers() | WORDS, lambda one: st.lists(one, max_size=3), max_leaves=5)
KEYS = st.sampled_from(["error", "message", "data"])


@given(WORDS | st.dictionaries(KEYS, CONTENT | st.dictionaries(WORDS, CONTENT, max_size=2)).map(json.dumps))
def test_no_answer_breaks_the_reader(body):
    assert isinstance(fault_of(400, body), FoyerError)


@pytest.mark.parametrize("version", ["1.8", "2", "3"])
def test_the_token_goes_along_and_the_version_is_found(version, tmp_path):
    server = FakeInflux(version, "secret").start()
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text("secret")
    connection = Connection(Influxdb(url=server.url, token_file="token", org="home"), tmp_path)
    try:
        assert connection.open().api is {"1.8": Api.V1_8, "2": Api.V2, "3": Api.V3}[version]
        connection.write(LINE)
        assert server.stored() == {("meter", "pv.power"): {1_782_036_000_000: 1.5}}
    finally:
        connection.close()
        server.stop()


def test_nobody_at_the_address_is_said_with_what_to_look_at():
    connection = Connection(Influxdb(url="http://127.0.0.1:1"), Path())
    with pytest.raises(Away) as away:
        connection.open()
    connection.close()
    assert "http://127.0.0.1:1" in away.value.what.fr
    assert "systemctl restart influxdb" in away.value.mend.fr


@pytest.mark.servers
def test_a_user_of_influxdb_1_writes_with_the_right_password_only(tmp_path):
    influxd = Influxd(tmp_path / "influxd", auth=True).start()
    token = tmp_path / "token"
    token.touch(0o600)
    connection = Connection(Influxdb(url=influxd.url, token_file="token"), tmp_path)
    try:
        influxd.ask("CREATE USER foyer WITH PASSWORD 'mot de passe' WITH ALL PRIVILEGES")
        token.write_text("foyer:faux")
        connection.open()
        with pytest.raises(Denied):
            connection.write(LINE)
        token.write_text("foyer:mot de passe")
        assert connection.open().api is Api.V1
        assert connection.created
        connection.write(LINE)
        (series,) = connection.query('SELECT "pv.power" FROM meter')
        assert series["values"] == [[1_782_036_000_000, 1.5]]
    finally:
        connection.close()
        influxd.kill()


@pytest.mark.servers
def test_a_certificate_of_the_house_is_checked(tmp_path):
    certificate = tmp_path / "influxdb.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    files = ["-keyout", str(certificate), "-out", str(tmp_path / "ca.pem")]
    subprocess.run(["openssl", *words.split(), *files], check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (tmp_path / "ca.pem").read_text())
    influxd = Influxd(tmp_path / "influxd", certificate=certificate).start()
    try:
        stranger = Connection(Influxdb(url=influxd.url), tmp_path)
        with pytest.raises(Away):
            stranger.open()
        stranger.close()
        connection = Connection(Influxdb(url=influxd.url, ca_file="ca.pem"), tmp_path)
        connection.open()
        connection.write(LINE)
        connection.close()
    finally:
        influxd.kill()


@pytest.mark.servers
def test_an_error_inside_an_answer_200_is_an_error_and_an_empty_answer_is_none(tmp_path):
    influxd = Influxd(tmp_path / "influxd").start()
    connection = Connection(Influxdb(url=influxd.url), tmp_path)
    try:
        connection.open(prepare=False)
        with pytest.raises(NoDatabase):
            connection.query("SELECT x FROM y")
        with pytest.raises(Rejected):
            connection.query("SELECT")
        connection.open()
        assert connection.query("SELECT x FROM y") == []
        assert connection.server.retention_s is None
    finally:
        connection.close()
        influxd.kill()


@pytest.mark.servers
def test_what_is_no_influxdb_is_written_to_and_not_read(tmp_path):
    victoria = Victoria(tmp_path / "victoria").start()
    connection = Connection(Influxdb(url=victoria.url), tmp_path)
    try:
        server = connection.open()
        assert (server.api, server.name, server.holds_texts) == (Api.OTHER, "VictoriaMetrics", False)
        connection.write(LINE)
        assert victoria.exported() == {"meter_pv.power": {1_782_036_000_000: 1.5}}
    finally:
        connection.close()
        victoria.kill()


@pytest.mark.servers
def test_the_dashboard_asks_what_this_version_understands(tmp_path):
    """Grafana itself is not run: its questions are, with its variables filled in as it fills them in."""
    dashboard = json.loads((Path(__file__).parents[3] / "docs/influxdb/grafana.json").read_text(encoding="utf-8"))
    influxd = Influxd(tmp_path / "influxd").start()
    connection = Connection(Influxdb(url=influxd.url), tmp_path)
    asked = set()
    try:
        connection.open()
        for n in range(4):
            at = 1_782_036_000_000 + n * 86_400_000
            connection.write(f"linky,device=linky,home=h grid.import.energy={1000 + 500 * n}i {at}".encode())
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                question = target["query"].replace("$__interval", "1m").replace("$home", "h")
                answer = connection.query(
                    question.replace("$timeFilter", "time >= 1782000000000ms AND time < 1782400000000ms")
                )
                if "difference" in question and "import" in question:
                    assert [row[1] for row in answer[0]["values"]] == [500, 500, 500]
                asked.add(question.split('"')[1])
        assert all(find(signal) for signal in asked)
        (homes,) = [one["query"] for one in dashboard["templating"]["list"] if one["name"] == "home"]
        assert connection.query(homes)[0]["values"] == [["home", "h"]]
    finally:
        connection.close()
        influxd.kill()
