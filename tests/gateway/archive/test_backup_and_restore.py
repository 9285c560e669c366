"""A home is backed up and put back elsewhere, and nothing of it differs. What is wrong is said, and changes nothing."""

import contextlib
import fcntl
import gzip
import hashlib
import io
import json
import sqlite3
import stat
import subprocess
import tarfile
import threading
import tomllib
from pathlib import Path

import pyrage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import config as configuration
from gateway.archive import crypt, manifest
from gateway.archive.backup import copy_database, make_backup
from gateway.archive.crypt import Damaged, WrongPhrase
from gateway.archive.reading import verify
from gateway.archive.restore import restore, with_own_paths
from gateway.errors import FoyerError
from gateway.store.schema import newest_version
from tests.gateway.archive.filled import PHRASE, everything, rows_of

DATABASES = ("measure.db", "home.db", "outbox.db")


@pytest.fixture(autouse=True)
def _light(monkeypatch):
    monkeypatch.setattr(crypt.Encrypter.__init__, "__defaults__", (4,))


def listing(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if path.name not in ("gateway.lock", "backup.lock")
    }


@pytest.mark.parametrize("phrase", [PHRASE, None])
def test_a_home_put_back_elsewhere_is_the_same_home(home, tmp_path, phrase):
    config, clock = home
    made = make_backup(config, tmp_path / "b.age", phrase, clock)
    new = tmp_path / "new" / "foyer.toml"
    done = restore(tmp_path / "b.age", phrase, new, clock)

    assert done.aside is None
    assert new.read_bytes() == config.file.read_bytes()
    assert (done.state / "wizard.toml").read_bytes() == (config.state / "wizard.toml").read_bytes()
    for name in DATABASES:
        assert rows_of(done.state / name) == rows_of(config.state / name)
    assert everything(done.state / "measure.db", clock) == everything(config.measure_db, clock)
    assert not (done.state / "jobs.json").exists()
    assert {one.name for one in made.files} == {*DATABASES, "foyer.toml", "wizard.toml"}
    assert (made.first, made.last) == (done.manifest.first, done.manifest.last)


def test_a_backup_is_complete_for_the_time_it_was_made_while_everything_writes(home, tmp_path):
    config, _ = home
    stop = threading.Event()

    def write():
        with contextlib.closing(sqlite3.connect(config.measure_db, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE pair (a INTEGER, b INTEGER)")
            n = 0
            while not stop.is_set():
                n += 1
                database.execute("BEGIN")
                database.execute("INSERT INTO pair VALUES (?, ?)", (n, 0))
                database.execute("UPDATE pair SET b = a")
                database.execute("COMMIT")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(3):
            copy_database(config.measure_db, tmp_path / f"{n}.db")
            with contextlib.closing(sqlite3.connect(tmp_path / f"{n}.db")) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert database.execute("SELECT count(*) FROM pair WHERE a <> b").fetchone() == (0,)
            assert [path.name for path in tmp_path.glob(f"{n}.db*")] == [f"{n}.db"]
    finally:
        stop.set()
        writer.join()


def test_the_file_is_private_and_nothing_in_clear_is_left(home, tmp_path):
    config, clock = home
    before = set(config.state.iterdir())
    make_backup(config, tmp_path / "b.age", PHRASE, clock)

    assert stat.S_IMODE((tmp_path / "b.age").stat().st_mode) == 0o600
    assert b"SQLite" not in (tmp_path / "b.age").read_bytes()
    assert set(config.state.iterdir()) - before <= {config.state / "backup.lock"}
    assert [path.name for path in tmp_path.iterdir()] in (["b.age", "home"], ["home", "b.age"])


def test_any_age_and_tar_open_a_backup(home, tmp_path):
    config, clock = home
    make_backup(config, tmp_path / "b.age", PHRASE, clock)
    clear = pyrage.passphrase.decrypt((tmp_path / "b.age").read_bytes(), PHRASE)
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "xz", "-C", tmp_path / "out"], input=clear, check=True)

    assert (tmp_path / "out" / "foyer.toml").read_bytes() == config.file.read_bytes()
    listed = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert listed["home"] == "Chez Ève"
    assert "pv.energy" in listed["signals"]


def test_an_existing_file_is_never_written_over(home, tmp_path):
    config, clock = home
    (tmp_path / "b.age").write_text("mine")
    with pytest.raises(FoyerError, match="exists already"):
        make_backup(config, tmp_path / "b.age", PHRASE, clock)
    assert (tmp_path / "b.age").read_text() == "mine"


def test_what_was_there_is_kept_aside(home, tmp_path):
    config, clock = home
    make_backup(config, tmp_path / "b.age", PHRASE, clock)
    config.file.write_text(config.file.read_text().replace("hphc", "base"))
    with contextlib.closing(sqlite3.connect(config.home_db)) as database, database:
        database.execute("DELETE FROM account")
    done = restore(tmp_path / "b.age", PHRASE, config.file, clock)

    assert "hphc" in config.file.read_text()
    assert "base" in (done.aside / "foyer.toml").read_text()
    assert rows_of(config.home_db)["account"] != []
    assert rows_of(done.aside / "home.db")["account"] == []
    with pytest.raises(FoyerError):  # twice in one second: nothing is lost then either
        restore(tmp_path / "b.age", PHRASE, config.file, clock)
    assert rows_of(config.home_db)["account"] != []


@pytest.mark.parametrize("phrase", ["sept tasses vertes", ""])
def test_a_wrong_phrase_changes_nothing(home, tmp_path, phrase):
    config, clock = home
    make_backup(config, tmp_path / "b.age", PHRASE, clock)
    before = listing(tmp_path)
    with pytest.raises(WrongPhrase):
        restore(tmp_path / "b.age", phrase, config.file, clock)
    assert listing(tmp_path) == before


def test_a_running_gateway_is_left_alone(home, tmp_path):
    config, clock = home
    make_backup(config, tmp_path / "b.age", PHRASE, clock)
    with (config.state / "gateway.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = listing(tmp_path)
        with pytest.raises(FoyerError, match="running"):
            restore(tmp_path / "b.age", PHRASE, config.file, clock)
    assert listing(tmp_path) == before


def packed(path, files, head=None, schema=None):
    """Write an open backup of our own making."""
    listed = [
        {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "schema": schema}
        for name, data in files
    ]
    whole = {
        "format": 1,
        "foyer": manifest.foyer_version(),
        "made_at": "2026-06-21T10:00:00Z",
        "home": "x",
        "demo": False,
        "files": listed,
        "signals": [],
        "first": None,
        "last": None,
    } | (head or {})
    with gzip.open(path, "wb") as out, tarfile.open(fileobj=out, mode="w|") as tar:
        for name, data in [("manifest.json", json.dumps(whole).encode()), *files]:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


GOOD = ("foyer.toml", b'[paths]\nstate = "state"\n')


@pytest.mark.parametrize(
    "name",
    ["../evil.db", "/tmp/evil.db", "a/b.db", "..", "evil.sh", "gateway.lock", "jobs.json", "MEASURE.DB", "x.db\n", ""],
)
def test_a_name_that_is_not_ours_is_refused(tmp_path, name):
    packed(tmp_path / "b", [GOOD, (name, b"x")])
    before = listing(tmp_path)
    with pytest.raises(Damaged):
        restore(tmp_path / "b", None, tmp_path / "new" / "foyer.toml", None)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_a_link_in_place_of_a_file_is_refused(tmp_path, kind):
    packed(tmp_path / "good", [GOOD])
    with gzip.open(tmp_path / "good") as source, tarfile.open(fileobj=source, mode="r|") as tar:
        head = tar.extractfile(tar.next()).read()
    with gzip.open(tmp_path / "b", "wb") as out, tarfile.open(fileobj=out, mode="w|") as tar:
        member = tarfile.TarInfo("manifest.json")
        member.size = len(head)
        tar.addfile(member, io.BytesIO(head))
        link = tarfile.TarInfo("foyer.toml")
        link.type, link.linkname = kind, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(Damaged):
        restore(tmp_path / "b", None, tmp_path / "new" / "foyer.toml", None)


@pytest.mark.parametrize("head", [{"format": 2}, {"foyer": "99.0"}])
def test_a_backup_of_a_newer_foyer_is_refused(tmp_path, head):
    packed(tmp_path / "b", [GOOD], head)
    with pytest.raises(FoyerError, match="newer version"):
        restore(tmp_path / "b", None, tmp_path / "new" / "foyer.toml", None)
    assert not (tmp_path / "new").exists()


def test_a_newer_file_of_measurements_is_refused(home, tmp_path):
    config, clock = home
    with contextlib.closing(sqlite3.connect(config.measure_db)) as database:
        database.execute(f"PRAGMA user_version={newest_version() + 1}")
        database.execute("PRAGMA journal_mode=DELETE")
    data = config.measure_db.read_bytes()
    packed(tmp_path / "b", [GOOD, ("measure.db", data)], schema=newest_version() + 1)
    with pytest.raises(FoyerError, match="newer version"):
        restore(tmp_path / "b", None, tmp_path / "new" / "foyer.toml", clock)
    assert not (tmp_path / "new" / "foyer.toml").exists()
    assert not (tmp_path / "new" / "state" / "measure.db").exists()


def test_an_older_store_is_brought_to_this_version(home, tmp_path):
    """The stored file of version 1 stands for any older one."""
    config, clock = home
    config.measure_db.unlink()
    script = Path(__file__).parents[2] / "data" / "store" / "v1.sql"
    with contextlib.closing(sqlite3.connect(config.measure_db)) as database:
        database.executescript(script.read_text())
        database.execute("PRAGMA user_version=1")
    make_backup(config, tmp_path / "b", None, clock)
    done = restore(tmp_path / "b", None, tmp_path / "new" / "foyer.toml", clock)
    with contextlib.closing(sqlite3.connect(done.state / "measure.db")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (newest_version(),)
    assert everything(done.state / "measure.db", clock)["info"].signals != []


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small backup, open and encrypted, as bytes."""
    folder = tmp_path_factory.mktemp("small")
    packed(folder / "b", [GOOD, ("wizard.toml", b"x" * 3000)])
    out = io.BytesIO()
    with crypt.Encrypter(out, PHRASE, 4) as target:
        target.write((folder / "b").read_bytes())
    return (folder / "b").read_bytes(), out.getvalue()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_goes_unseen(small, tmp_path, data):
    encrypted = data.draw(st.booleans())
    good = small[encrypted]
    place = data.draw(st.integers(0, len(good) - 1))
    cut = data.draw(st.booleans())
    bad = (
        good[:place]
        if cut
        else good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]) + good[place + 1 :]
    )
    (tmp_path / "bad").write_bytes(bad)
    try:
        found = verify(tmp_path / "bad", PHRASE)
    except FoyerError:
        return
    # all is sealed when encrypted; a gzip has bits that nothing depends on: a name, a time, its last byte's filling
    assert not encrypted
    assert not cut
    assert gzip.decompress(bad) == gzip.decompress(good)
    assert found.home == "x"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda one: (
            st.lists(one)
            | st.dictionaries(
                st.sampled_from(
                    ["format", "foyer", "files", "name", "size", "made_at", "home", "demo", "signals", "first", "last"]
                ),
                one,
            )
        ),
        max_leaves=20,
    )
)
def test_any_manifest_is_taken_or_refused_in_one_sentence(data):
    with contextlib.suppress(FoyerError):
        manifest.parse(json.dumps(data).encode())


def test_a_home_put_into_a_folder_has_its_data_there(home, tmp_path):
    config, clock = home
    config.file.write_text(config.file.read_text().replace('"state"', '"/var/lib/foyer"'))
    config.state.rename(tmp_path / "elsewhere")
    config.file.write_text(config.file.read_text().replace("/var/lib/foyer", str(tmp_path / "elsewhere")))
    config = configuration.load(config.file)
    make_backup(config, tmp_path / "b", None, clock)
    done = restore(tmp_path / "b", None, tmp_path / "into" / "foyer.toml", clock, own_paths=True)
    assert done.state == tmp_path / "into" / "state"
    again = configuration.load(tmp_path / "into" / "foyer.toml")
    assert again.state == done.state
    assert again.contract == config.contract


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[home]\nname='x'\n",
        "[paths]\nstate='/a' # here\nrun = '/b'\n[home]\nname='x'\n",
        "[home]\n[ paths ]\nstate='q'",
    ],
)
def test_paths_are_made_a_home_s_own(text):
    made = tomllib.loads(with_own_paths(text))
    assert made.pop("paths") == {"state": "state", "run": "run"}
    before = tomllib.loads(text)
    before.pop("paths", None)
    assert made == before
    assert with_own_paths(with_own_paths(text)) == with_own_paths(text)


def test_paths_written_otherwise_are_refused():
    with pytest.raises(FoyerError):
        with_own_paths("paths.state = 'x'\n")
