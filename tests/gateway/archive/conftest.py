import shutil

import pytest

from gateway import config as configuration
from tests.gateway.archive.filled import build
from tests.gateway.clocks import FakeClock


@pytest.fixture(scope="session")
def _model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    _, clock = build(folder)
    return folder, clock.now()


@pytest.fixture
def home(_model, tmp_path):
    """A copy of a home that has lived: its configuration and a clock at its present."""
    folder, now = _model
    shutil.copytree(folder, tmp_path / "home")
    return configuration.load(tmp_path / "home" / "foyer.toml"), FakeClock(now)
