"""Every test of the whole box may start demos; each is stopped at its end."""

import pytest

from tests.whole.demo import RunningDemo


@pytest.fixture
def start_demo(tmp_path):
    running = []

    def start(*options, home=None):
        demo = RunningDemo(home or tmp_path / "home", *options)
        running.append(demo)
        return demo

    yield start
    for demo in running:
        if demo.process.poll() is None:
            demo.stop()
