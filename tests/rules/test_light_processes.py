"""The processes that always run stay light: none of the heavy libraries is in them, however far down."""

import subprocess
import sys

import pytest

HEAVY = ("pandas", "numpy", "scipy", "pvlib", "influxdb_client", "openfisca_core", "duckdb")

IMPORT_ALL = """
import importlib, pkgutil, sys
for room in sys.argv[1].split(","):
    package = importlib.import_module(room)
    for found in pkgutil.walk_packages(package.__path__, f"{room}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
print(*sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[2].split(","))))
"""


def _heavy_in(*rooms):
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, ",".join(rooms), ",".join(HEAVY)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("rooms", [("gateway", "drivers"), ("web",), ("services",)])
def test_a_process_that_always_runs_imports_nothing_heavy(rooms):
    assert _heavy_in(*rooms) == []


def test_the_jobs_import_nothing_heavy_until_a_job_needs_it():
    done = subprocess.run(
        [sys.executable, "-c", "import sys, analytics.jobs; print(*set(sys.argv[1:]) & set(sys.modules))", *HEAVY],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


def test_a_heavy_library_would_be_seen(tmp_path, monkeypatch):
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "__init__.py").write_text("")
    (tmp_path / "room" / "page.py").write_text("def draw(): pass\nimport pandas.core")
    (tmp_path / "pandas").mkdir()
    (tmp_path / "pandas" / "__init__.py").write_text("")
    (tmp_path / "pandas" / "core.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    assert _heavy_in("room") == ["pandas"]
