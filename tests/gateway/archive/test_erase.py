"""Erasing leaves nothing of the home on the box, and touches nothing that is not the home's."""

import fcntl

import pytest

from gateway import config as configuration
from gateway.archive.erase import belongings, erase
from gateway.errors import FoyerError


def test_nothing_of_the_home_is_left(home, tmp_path):
    config, _ = home
    secret = tmp_path / "home" / "secret"
    secret.write_text("x")
    config.file.write_text(config.file.read_text() + f'[mqtt]\nurl = "mqtt://x"\npassword_file = "{secret}"\n')
    (config.state / "before-restore-x").mkdir()
    (config.state / "before-restore-x" / "measure.db").write_text("x")
    config = configuration.load(config.file)
    (tmp_path / "home" / "holiday.jpg").write_text("mine")
    told = belongings(config)
    removed = erase(config)

    assert removed == told
    assert config.measure_db in removed
    assert sorted(path.name for path in (tmp_path / "home").rglob("*")) == ["holiday.jpg", "state"]


def test_a_running_box_is_not_erased(home):
    config, _ = home
    with (config.state / "gateway.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(FoyerError, match="running"):
            erase(config)
    assert config.measure_db.exists()


@pytest.mark.parametrize("state", [".", "..", "/"])
def test_a_folder_that_is_not_foyers_alone_is_refused(tmp_path, state):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "foyer.toml").write_text(f'[paths]\nstate = "{state}"\nrun = "run"\n')
    config = configuration.load(folder / "foyer.toml")
    with pytest.raises(FoyerError, match="alone"):
        belongings(config)
