"""Root puts files into a folder that other users write: each must still be able to use its own."""

import os
import pwd
import stat
from types import SimpleNamespace

import pytest

from gateway.archive.ownership import give_to_owner
from gateway.archive.quiet import at_rest, open_lock


def test_a_lock_that_root_makes_first_is_the_group_s_to_open(tmp_path):
    before = os.umask(0o077)
    try:
        with at_rest(tmp_path):
            pass
        os.close(open_lock(tmp_path / "backup.lock"))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"gateway.lock": 0o660, "backup.lock": 0o660}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize(
    ("name", "user", "mode"),
    [("measure.db", 4001, 0o640), ("home.db", 4002, 0o600), ("foyer.toml", 0, 0o640), ("vault.db", 4003, 0o640)],
)
def test_files_are_given_to_the_user_of_their_process(tmp_path, monkeypatch, name, user, mode):
    users = {"foyer-gateway": 4001, "foyer-web": 4002, "foyer-courier": 4003, "root": 0}
    monkeypatch.setattr(pwd, "getpwnam", lambda one: SimpleNamespace(pw_uid=users[one], pw_gid=4000))
    (tmp_path / name).touch()
    give_to_owner(tmp_path / name, "foyer-courier" if name == "vault.db" else "")
    found = (tmp_path / name).stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (user, 4000, mode)


def test_without_these_users_files_stay_as_they_are(tmp_path):
    (tmp_path / "measure.db").touch(0o600)
    give_to_owner(tmp_path / "measure.db")
    assert (tmp_path / "measure.db").stat().st_uid == os.geteuid()
