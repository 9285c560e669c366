"""Rules for the text of the programme itself: one clock, modules that fit a reader's head."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("gateway", "drivers", "analytics", "web", "services", "hub", "tools")
LINES_AT_MOST = 400

_CLOCKS = {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}


def _modules():
    return [
        path
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if "node_modules" not in path.parts and "tests" not in path.parts
    ]


def clock_reads(source):
    """Return the lines of `source` that read the calendar: `time.time()`, `datetime.now()` and their kin."""
    tree = ast.parse(source)
    aliases = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "datetime")
        for alias in node.names
    } | {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name in ("time", "datetime")
    }
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        first, *rest = ast.unparse(node.func).split(".")
        owner, _, name = ".".join([aliases.get(first, first), *rest]).rpartition(".")
        if first in aliases and name in _CLOCKS.get(owner.rpartition(".")[2], ()):
            found.append(node.lineno)
    return found


def test_the_calendar_is_read_in_one_place():
    reads = {
        str(path.relative_to(ROOT)): lines
        for path in _modules()
        if path != ROOT / "gateway/clock.py" and (lines := clock_reads(path.read_text(encoding="utf-8")))
    }
    assert reads == {}


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "import time as t\nt.time_ns()",
        "from time import time\ntime()",
        "from datetime import datetime\ndatetime.now()",
        "from datetime import datetime as dt\ndt.utcnow()",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "import datetime\ndatetime.date.today()",
    ],
)
def test_a_second_clock_is_found(source):
    assert clock_reads(source) == [2]


@pytest.mark.parametrize(
    "source",
    ["import time\ntime.monotonic()", "clock.now()", "from datetime import datetime\ndatetime.fromtimestamp(0)"],
)
def test_other_uses_of_time_are_let_through(source):
    assert clock_reads(source) == []


def test_no_module_is_longer_than_a_reader_can_hold():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in _modules()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LINES_AT_MOST
    }
    assert long == {}
