"""Who may read and write what in the shared folder, tried with the users and modes that the box really has."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
PYTHON = "/usr/bin/python3"

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("systemd-sysusers", "systemd-tmpfiles", "setpriv", PYTHON))),
    reason="needs root, to become the users of the box",
)


def _fields(file, name):
    return next(line for line in file.read_text().splitlines() if line.startswith(f"{name}:")).split(":")


class Box:
    """The users and folders that our sysusers and tmpfiles make, in a root of their own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "etc").mkdir()
        subprocess.run(["systemd-sysusers", f"--root={root}", SYSTEMD / "sysusers.d/foyer.conf"], check=True)
        subprocess.run(
            ["systemd-tmpfiles", f"--root={root}", "--create", SYSTEMD / "tmpfiles.d/foyer.conf"], check=True
        )
        self.state = root / "var/lib/foyer"
        self.run = root / "run"
        self.run.mkdir(mode=0o750)
        os.chown(self.run, self.uid("gateway"), self.gid)
        (root / "etc").chmod(0o755)

    def uid(self, process: str) -> int:
        return int(_fields(self.root / "etc/passwd", f"foyer-{process}")[2])

    @property
    def gid(self) -> int:
        return int(_fields(self.root / "etc/group", "foyer")[2])

    def become(self, process: str, script: str) -> list[str]:
        unit = (SYSTEMD / f"foyer-{process}.service").read_text()
        umask = unit.partition("UMask=")[2].split()[0]
        who = f"--reuid={self.uid(process)} --regid={self.gid} --clear-groups".split()
        prelude = f"import os, socket, sqlite3, sys; os.umask(0o{umask}); os.chdir({str(self.state)!r})\n"
        return ["setpriv", *who, PYTHON, "-c", prelude + script]

    def says(self, process: str, script: str) -> str:
        done = subprocess.run(self.become(process, script), capture_output=True, text=True, check=False, timeout=30)
        return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@pytest.fixture
def box():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Box(Path(folder))


@pytest.fixture
def gateway(box):
    """The gateway, alive with an open database and a listening socket."""
    script = f"""
db = sqlite3.connect("measure.db", isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("CREATE TABLE frame (t INTEGER)")
db.execute("INSERT INTO frame VALUES (42)")
door = socket.socket(socket.AF_UNIX); door.bind({str(box.run / "live.sock")!r}); door.listen()
print("ready", flush=True)
sys.stdin.read()
db.close()
"""
    process = subprocess.Popen(box.become("gateway", script), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.communicate(timeout=30)


READ = 'print(sqlite3.connect("file:measure.db?mode=ro", uri=True).execute("SELECT t FROM frame").fetchall())'


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize("process", ["web", "jobs"])
def test_another_process_reads_the_readings_while_they_are_written(box, process):
    assert box.says(process, READ) == "[(42,)]"


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize("process", ["web", "jobs", "courier"])
def test_no_other_process_can_change_the_readings(box, process):
    write = 'sqlite3.connect("file:measure.db?mode=rw", uri=True).execute("INSERT INTO frame VALUES (1)")'

    assert "readonly database" in box.says(process, write)


def test_the_readings_can_be_read_when_the_gateway_is_down(box, gateway):
    gateway.communicate(timeout=30)

    assert not (box.state / "measure.db-wal").exists()
    assert box.says("web", READ.replace("mode=ro", "immutable=1")) == "[(42,)]"


@pytest.mark.usefixtures("gateway")
def test_the_page_can_connect_to_the_live_feed(box):
    socket = str(box.run / "live.sock")

    assert box.says("web", f"socket.socket(socket.AF_UNIX).connect({socket!r}); print('in')") == "in"


def test_people_and_sessions_are_for_the_page_alone(box):
    assert box.says("web", 'sqlite3.connect("home.db").execute("CREATE TABLE p (n)"); print("made")') == "made"
    for process in ("gateway", "jobs", "courier"):
        assert "unable to open" in box.says(process, 'sqlite3.connect("home.db").execute("SELECT * FROM p")')


def test_the_outbox_is_written_in_turn_by_those_who_put_and_by_the_courier(box):
    write = """
db = sqlite3.connect("outbox.db", isolation_level=None)
db.execute("PRAGMA journal_mode=TRUNCATE")
db.execute("CREATE TABLE IF NOT EXISTS envelope (n INTEGER)")
db.execute("INSERT INTO envelope VALUES (1)")
print(db.execute("SELECT count(*) FROM envelope").fetchone()[0])
"""
    assert [box.says(process, write) for process in ("jobs", "courier", "web", "courier")] == ["1", "2", "3", "4"]
