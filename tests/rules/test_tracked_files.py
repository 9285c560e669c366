"""What must never be in the repository: a secret, or a path of the machine that something was made on."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each pattern is put together here, so that this file does not hold what it looks for.
_START = r"(?<![\w./~$}-])/"
BUILD_PATHS = re.compile(
    _START
    + r"(?:work|builds?|runner|workspace|root)/[\w.]|"
    + _START
    + r"(?:home|Users)/(?!pi\b|foyer\b)\w|[A-Z]:\\"
    + "Users"
)
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE[ ]KEY|"
    r"\b(?:gh[pousr]_|github_pat_)\w{20,}|\bAKIA[0-9A-Z]{16}\b|\bxox[abprs]-\w{10,}|"
    r"\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\."
)


def _tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def _hits(pattern, files):
    found = []
    for path in files:
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    return found


needs_git = pytest.mark.skipif(
    not shutil.which("git") or not (ROOT / ".git").exists(), reason="not a checkout of the repository"
)


@needs_git
def test_no_tracked_file_names_a_path_of_a_build_machine():
    assert _hits(BUILD_PATHS, _tracked()) == []


@needs_git
def test_no_tracked_file_holds_a_secret():
    assert _hits(SECRETS, _tracked()) == []


@pytest.mark.parametrize("path", ["work/project/x", "home/alice/foyer", "Users/bob/x", "root/.cache", "builds/foyer"])
def test_a_path_of_a_machine_is_found(path):
    assert BUILD_PATHS.search(f"see /{path} for it")


@pytest.mark.parametrize(
    "text", ["/var/lib/foyer/measure.db", "docs/work/x", "/dev/serial/by-id", "network/home/x", "/home/pi/x"]
)
def test_a_path_of_the_box_is_let_through(text):
    assert not BUILD_PATHS.search(text)


@pytest.mark.parametrize("secret", ["ghp_" + "a1" * 18, "AKIA" + "ABCD" * 4, "-----BEGIN RSA PRIVATE" + " KEY-----"])
def test_a_secret_is_found(secret):
    assert SECRETS.search(f"token = {secret}")
