"""A home whose gateway says what the test puts in its storyboard state; signed in."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from gateway.config import Config, Contract, Home, Inverter, Paths
from web.app import create_app
from web.settings import SESSION_COOKIE, box

_SPEC = importlib.util.spec_from_file_location("storyboard", Path(__file__).with_name("storyboard.py"))
storyboard = importlib.util.module_from_spec(_SPEC)
sys.modules["storyboard"] = storyboard
_SPEC.loader.exec_module(storyboard)


class PlayedFeed:
    """A live feed that always shows the chosen state."""

    def __init__(self) -> None:
        self.state = storyboard.STATES["export"]

    def snapshot(self):
        return self.state.snapshot()


class Visitor:
    """A signed-in browser without scripts."""

    def __init__(self, app, feed: PlayedFeed) -> None:
        self.app, self.feed = app, feed
        self.client = app.test_client()
        with app.app_context():
            accounts = box().accounts
            account = accounts.create("maison", "une courte phrase")
            self.client.set_cookie(SESSION_COOKIE, accounts.begin_session(account, "test"))

    def get(self, path: str, language: str = "fr"):
        return self.client.get(path, headers={"Accept-Language": language})


def home_config(folder: Path, **home) -> Config:
    return Config(
        home=Home(**({"name": "Maison des Tilleuls", "demo": True} | home)),
        inverter=(Inverter(id="roof", url="tcp://127.0.0.1:502"),),
        contract=Contract(option="hphc", off_peak=("22:00-06:00",)),
        paths=Paths(state=".", run="."),
        file=folder / "foyer.toml",
    )


@pytest.fixture
def visit(tmp_path):
    """Return a function that makes a visitor of a home with the given `[home]` keys."""
    made = []

    def _visit(*, clock=None, **home) -> Visitor:
        feed = PlayedFeed()
        app = create_app(home_config(tmp_path, **home), clock=clock, feed=feed)
        made.append(app)
        return Visitor(app, feed)

    yield _visit
    for app in made:
        with app.app_context():
            box().db.close()
