import re
import shutil
import tempfile
import threading
from pathlib import Path

import pytest

from gateway.config import Config, Home, Paths
from tests.gateway.clocks import FakeClock
from tests.web.feed_server import FeedServer
from web.app import create_app
from web.live import LiveFeed
from web.settings import Box

USER, PASSWORD, KEY = "essai", "une phrase assez longue", "foyer_test-key"
ORIGIN = {"Origin": "http://localhost"}


@pytest.fixture
def home():
    """Return a folder with a short name: the path of a UNIX socket has room for 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="foyer-"))
    (folder / "run").mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def config(home):
    return Config(
        home=Home(name="Ma maison", demo=True), paths=Paths(state="state", run="run"), file=home / "foyer.toml"
    )


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def gateway(config):
    with FeedServer(config.live_socket) as server:
        yield server


@pytest.fixture
def feed(config, clock, gateway):
    """Return the live feed of the web process, that has heard the gateway's snapshot."""
    followed = LiveFeed(config.live_socket, clock)
    followed.start()
    wait_until(followed, lambda: followed.snapshot().connected)
    yield followed
    followed.close()


@pytest.fixture
def app(config, clock, feed):
    made = create_app(config, clock, feed)
    made.testing = True
    # an error must come out as the household sees it, not as a traceback in the test
    made.config["PROPAGATE_EXCEPTIONS"] = False
    yield made
    made.extensions["foyer"].db.close()


@pytest.fixture
def box(app) -> Box:
    return app.extensions["foyer"]


@pytest.fixture
def account(box):
    box.accounts.set_key("test", KEY)
    return box.accounts.create(USER, PASSWORD)


@pytest.fixture
def stranger(app, account):
    """Return a browser that is not signed in, at a home that has its account."""
    return app.test_client()


@pytest.fixture
def browser(app, box, account):
    """Return a signed-in browser."""
    client = app.test_client()
    client.set_cookie("foyer_session", box.accounts.begin_session(account, "Firefox"))
    return client


@pytest.fixture
def program(app, account):
    """Return a program with an app key."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {KEY}"
    return client


def wait_until(feed: LiveFeed, true) -> None:
    """Wait for the feed to make something true; the test's own time limit is the only one."""
    version = -1
    while not true():
        if feed.wait_for_change(version, 0.1) == version:
            threading.Event().wait(0.01)
        version = feed.snapshot().version


def form_token(page) -> str:
    return re.search(r'name="csrf_token"\s+value="([0-9a-f]+)"', page.text)[1]


def post_form(client, path, *, origin=ORIGIN, page=None, **fields):
    """Send a form as a browser does: with the token of the page that holds it."""
    token = form_token(client.get(page or path))
    return client.post(path, data={"csrf_token": token, **fields}, headers=origin)
