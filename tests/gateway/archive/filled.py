"""A home that has lived for a while: loaded past, two live hours, accounts, envelopes, settings."""

import contextlib
import sqlite3
from pathlib import Path

from gateway import config as configuration
from gateway.config import Store
from gateway.store.load import load_minutes
from gateway.store.read import Reader
from services.outbox import Envelope, Outbox
from tests.gateway.store.simulated import DAY, HOUR, LINKY, ROOF, START, Box
from web.home_db import HomeDb

MINUTE = 60_000
PHRASE = "sept tasses bleues"
TOML = """[home]
name = "Chez Ève"
language = "fr"

[contract]
option = "hphc"
off_peak = ["22:00-06:00"]

[paths]
state = "state"
run = "run"
"""


def past(first, last):
    """Yield minutes of a home with panels; some are missing."""
    bought = made = sent = 0
    for at in range(first, last, MINUTE):
        minute = at // MINUTE % 1440
        sun = max(0, 3000 - abs(minute - 720) * 6)
        if at // HOUR % 37 != 5:
            yield (
                at,
                {
                    "grid.import.energy": bought,
                    "grid.export.energy": sent,
                    "pv.energy": made,
                    "pv.power": sun,
                    "grid.current.l1": 2.4 + minute % 5,
                    "grid.tariff.period": "hc" if minute < 360 else "hp",
                },
            )
        bought += 6 if sun < 600 else 0
        made += sun // 60
        sent += max(0, sun - 500) // 60


def build(folder: Path, days: int = 40, live_s: int = 600):
    """Return the configuration of a home in `folder`, and its clock at the end of it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "foyer.toml").write_text(TOML, encoding="utf-8")
    state = folder / "state"
    state.mkdir()
    (state / "wizard.toml").write_text("[home]\nlatitude = 45.5\n", encoding="utf-8")
    (state / "jobs.json").write_text("{}", encoding="utf-8")
    box_clock = live(state, days, live_s)
    with contextlib.closing(HomeDb(state / "home.db")) as db:
        db.write("INSERT INTO account (user, password, created, changed) VALUES ('eve', 'scrypt$x', 1, 1)")
        db.write("INSERT INTO app_key (name, key, created) VALUES ('ha', x'00ff', 1)")
    with Outbox(state / "outbox.db") as outbox:
        outbox.put(Envelope("hub", "défi", b'{"kwh": 3}', "challenge/1"), START)
        outbox.refuse(outbox.put(Envelope("hub", "raw", b"\xff\x00", "x/1"), START), "no consent")
    return configuration.load(folder / "foyer.toml"), box_clock


def live(state: Path, days: int, live_s: int):
    from tests.gateway.clocks import FakeClock

    load_minutes(
        state / "measure.db", past(START - days * DAY, START), demo=False, clock=FakeClock(START), settings=Store()
    )
    box = Box(state, start=START)
    try:
        for second in range(0, live_s, 2):
            box.say(
                LINKY, {"grid.import.energy": 900_000 + second // 4, "grid.import.apparent_power": 450 + second % 7}
            )
            if second % 10 == 0:
                box.say(ROOF, {"pv.power": 1500 + second % 9})
            box.wait(2)
        box.say(LINKY, {"grid.tariff.period": "hc"})
        box.commit()
    finally:
        box.close()
    return box.clock


def everything(path: Path, clock, first=None) -> dict:
    """Return all that the read side tells of a store, from `first` on."""
    found = {}
    with Reader(path, clock) as reader:
        info = reader.info()
        found["info"] = info
        first = info.first if first is None else first
        for signal in info.signals:
            for step in ("raw", "1m", "30m", "1d", "1mo"):
                start = max(first, clock.now() - 2 * DAY) if step in ("raw", "1m") else first
                found[signal, step] = reader.history(signal, start, clock.now(), step, limit=None).points
        for step, start in (("30m", clock.now() - 3 * DAY), ("1d", first), ("1mo", first)):
            found["energy", step] = reader.energy(start, clock.now(), step)
    return found


def rows_of(path: Path) -> dict:
    """Return every row of every table of a database."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        names = [
            row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        ]
        return {name: database.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
