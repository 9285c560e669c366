"""Who may import whom. The rooms stay apart because this test says so."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("gateway", "drivers", "analytics", "web", "services", "hub")

# For each room, what it may import of the box. A name allows itself and all below it; the longest name that fits an
# import decides, so a `False` takes a part back out.
ALLOWED = {
    "gateway": {"gateway": True, "drivers.contract": True},
    "drivers": {
        "drivers": True,
        "gateway.signals": True,
        "gateway.reading": True,
        "gateway.clock": True,
        "gateway.errors": True,
        "gateway.cli": True,
        "gateway.language": True,
    },
    "analytics": {"analytics": True, "gateway": True},
    "web": {"web": True, "gateway": True, "gateway.store": False, "gateway.store.read": True},
    # A service's own folder is added in `_may`; the shared parts of the room are open to each.
    "services": {
        "services.consent": True,
        "services.contract": True,
        "services.outbox": True,
        "services.vault": True,
        "analytics": True,
        "gateway": True,
    },
    "hub": {"hub": True},
}

# Libraries that one module alone knows.
ONLY_IN = {
    "influxdb_client": "gateway/outputs/influx/server.py",
    "pymodbus": "drivers/inverter/modbus.py",
    "pvlib": "analytics/solar.py",
}


def imports_of(source, module, *, is_package, modules):
    """Yield the dotted name of every module that `source` imports, wherever in it, for types only or not."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(filter(None, (above, node.module)))
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if whole in modules else base


def _may(module, target):
    room = module.partition(".")[0]
    allowed = dict(ALLOWED[room])
    if room == "services":
        allowed[".".join(module.split(".")[:2])] = True
    parts = target.split(".")
    return next(
        (allowed[name] for n in range(len(parts), 0, -1) if (name := ".".join(parts[:n])) in allowed),
        False,
    )


def violations(files):
    """Return what breaks the rule in `files`: a mapping of path within the repository to source."""
    modules = {
        ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__"): (path, source)
        for path, source in files.items()
    }
    found = []
    for module, (path, source) in modules.items():
        for target in imports_of(source, module, is_package=path.endswith("__init__.py"), modules=modules):
            top = target.partition(".")[0]
            if (top in ROOMS and not _may(module, target)) or ONLY_IN.get(top, path) != path:
                found.append(f"{path} imports {target}")
    return found


def _box():
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if "node_modules" not in path.parts
    }


def test_no_room_reaches_into_another():
    assert violations(_box()) == []


PLANTED = {
    "a driver that stores": ("drivers/linky/reader.py", "from gateway.store.write import Writer"),
    "a driver that reads the configuration": ("drivers/linky/reader.py", "import gateway.config"),
    "a driver that publishes by itself": ("drivers/relay/run.py", "from gateway import bus"),
    "a gateway that knows a driver": ("gateway/app.py", "from drivers.linky import create"),
    "a gateway that knows a driver for its types": (
        "gateway/app.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import drivers.inverter.modbus",
    ),
    "a gateway that knows the page": ("gateway/app.py", "def late():\n    import web.app"),
    "a gateway that computes": ("gateway/derive.py", "from analytics import solar"),
    "a page that writes readings": ("web/api/live.py", "from gateway.store.write import Writer"),
    "a page that takes the whole store": ("web/api/live.py", "import gateway.store"),
    "a page that computes": ("web/pages.py", "import analytics.bill"),
    "a computation that reads a device": ("analytics/solar.py", "from drivers.inverter import registers"),
    "a service that imports another": ("services/coach/page.py", "from services.tariff.page import best"),
    "a service that imports another by a short way": ("services/coach/page.py", "from ..tariff import page"),
    "a hub that knows the box": ("hub/app.py", "from gateway.clock import Clock"),
    "a second Modbus client": ("drivers/inverter/registers.py", "from pymodbus.client import AsyncModbusTcpClient"),
    "a second sun": ("web/pages.py", "import pvlib"),
}


@pytest.mark.parametrize(("path", "source"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_violation_is_found(path, source):
    others = {
        "gateway/__init__.py": "",
        "gateway/bus.py": "",
        "gateway/store/write.py": "",
        "analytics/solar.py": "",
        "drivers/inverter/registers.py": "",
        "services/tariff/page.py": "",
    }

    assert len(violations(others | {path: source})) == 1


FINE = {
    "a driver's own room": ("drivers/linky/reader.py", "from drivers.linky.frame import Group\nfrom . import labels"),
    "what a driver may ask for": ("drivers/linky/cli.py", "from gateway.cli import say\nfrom gateway import clock"),
    "the driver contract": ("gateway/supervisor.py", "from drivers.contract import Beat"),
    "the read side of the store": ("web/api/live.py", "from gateway.store.read import Reader"),
    "the read side by its package": ("web/api/live.py", "from gateway.store import read"),
    "the one Modbus client": ("drivers/inverter/modbus.py", "import pymodbus.client"),
    "a service's own folder": ("services/coach/page.py", "from services.coach import words\nfrom . import words"),
    "the outbox": ("services/coach/page.py", "from services.outbox import Envelope"),
    "libraries": ("web/app.py", "import flask\nfrom collections import abc"),
}


@pytest.mark.parametrize(("path", "source"), FINE.values(), ids=FINE.keys())
def test_what_a_room_may_import_is_let_through(path, source):
    others = {
        "gateway/store/read.py": "",
        "gateway/clock.py": "",
        "drivers/linky/labels.py": "",
        "services/coach/words.py": "",
    }

    assert violations(others | {path: source}) == []
