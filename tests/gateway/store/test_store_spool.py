"""What is spooled reads as it does once it is folded, and what rotted in it is left out."""

import sqlite3
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.reading import Quality
from gateway.store.arrivals import Arrivals
from gateway.store.fold import fold
from gateway.store.runs import FOLDED, number, parse, spans_of
from gateway.store.schema import migrations
from gateway.store.spool import SpooledRow, add_block, read_blocks
from tests.gateway.store.simulated import LINKY, ROOF, START, Box

CELLS = st.dictionaries(
    st.integers(1, 60), st.tuples(st.integers(-(2**63) + 1, 2**63 - 1), st.booleans()), min_size=1, max_size=8
)
ROWS = st.dictionaries(st.integers(START, START + 10**9), CELLS, min_size=1, max_size=20)
SOURCES = st.dictionaries(st.sampled_from([LINKY, ROOF, "derive", "x'\"é"]), ROWS, min_size=1, max_size=3)


def empty_file():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for step in migrations():
        connection.executescript(step.sql)
    connection.execute("PRAGMA user_version=2")
    return connection


@settings(deadline=None)
@given(SOURCES)
def test_a_block_gives_back_what_was_put_in_it(sources):
    rows = {source: [SpooledRow(ts, some[ts]) for ts in sorted(some)] for source, some in sources.items()}
    spans = spans_of((source, row.ts) for source, some in rows.items() for row in some)
    connection = empty_file()
    add_block(connection, 1, spans, rows)
    (block,) = read_blocks(connection, 0, 2**62)
    connection.close()
    assert {frames.source: frames.rows() for frames in block.frames} == rows
    assert block.spans == spans
    for frames in block.frames:
        for series in range(1, 61):
            column = [(row.ts, *row.cells[series]) for row in rows[frames.source] if series in row.cells]
            assert list(frames.column(series)) == column


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", 7]), st.integers(0, 10**6)), max_size=40))
def test_every_row_has_a_number_of_its_own_in_the_order_of_its_source(moments):
    runs = number(1, spans_of(moments))
    assert all(one.until < two.base for one, two in pairwise(runs))
    for who, ts in moments:
        assert any(run.who == who and run.first <= ts <= run.last for run in runs)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_a_block_or_runs_that_rotted_are_left_out(noise):
    connection = empty_file()
    connection.execute("INSERT INTO spool VALUES (1, 5, 9, 0, 4, ?)", (noise,))
    assert [block.frames for block in read_blocks(connection, 0, 10)] == [[]]
    assert parse(1, noise) == []
    connection.close()


def test_reading_is_the_same_before_and_after_the_fold(box):
    for n in range(120):
        box.say(LINKY, {"grid.import.energy": n * 3, "grid.import.apparent_power": 100 + n})
        box.say("derive", {"home.power": n}, Quality.ESTIMATED if n % 7 == 0 else Quality.DERIVED)
        box.wait(1)
    box.commit()

    def look():
        with Arrivals(box.path, box.clock) as arrivals:
            rows = arrivals.after(0, 1000)
        histories = [
            box.history(signal, step)
            for signal in ("grid.import.energy", "grid.import.apparent_power", "home.power")
            for step in ("raw", "1m", "30m", "1h")
        ]
        with box.reader() as reader:
            energies = [reader.energy(START, box.clock.now(), step) for step in ("1m", "1h")]
            return sorted(rows, key=lambda one: one.seq), histories, energies, reader.info()

    before = look()
    box.fold()
    assert look() == before


def test_a_commit_writes_no_raw_table_until_the_hour_is_over(box):
    for n in range(30):
        box.say(LINKY, {"grid.import.energy": n})
        box.wait(2)
    box.commit()
    connection = sqlite3.connect(box.path)
    count = f"SELECT (SELECT count(*) FROM raw_linky_20260615), (SELECT count(*) > 0 FROM spool WHERE seq > {FOLDED})"
    assert connection.execute(count).fetchone() == (0, 1)
    box.wait(3600 + 130)
    assert connection.execute(count).fetchone() == (30, 0)
    connection.close()


def test_a_kill_in_the_middle_of_a_fold_changes_nothing(box):
    for n in range(60):
        box.say(LINKY, {"grid.import.energy": n})
        box.wait(2)
    box.commit()
    before = box.values("grid.import.energy", "raw")
    connection = box.recorder._connected()
    connection.execute("BEGIN IMMEDIATE")
    fold(connection, box.recorder._catalog)
    connection.execute("ROLLBACK")
    box.restart(cleanly=False)
    box.restart(cleanly=False)
    assert box.values("grid.import.energy", "raw") == before == list(range(60))


def test_a_block_that_rotted_costs_its_rows_and_no_others(box):
    for n in range(60):
        box.say(LINKY, {"grid.import.energy": n})
        box.wait(2)
    box.commit()
    box.recorder._connected().execute("UPDATE spool SET frames = x'00112233' WHERE seq = (SELECT min(seq) FROM spool)")
    assert box.values("grid.import.energy", "raw") == list(range(15, 60))
    box.restart(cleanly=False)
    assert box.values("grid.import.energy", "raw") == list(range(15, 60))


@pytest.mark.parametrize("table", ["m30", "spool"])
def test_a_file_that_lacks_a_table_is_set_aside_at_the_start(tmp_path, table):
    box = Box(tmp_path)
    box.say(LINKY, {"grid.import.energy": 1})
    box.close()
    connection = sqlite3.connect(box.path)
    connection.execute(f"DROP TABLE {table}")
    connection.close()
    box = Box(tmp_path, start=box.clock.wall + 60_000)
    box.say(LINKY, {"grid.import.energy": 2})
    box.commit()
    assert box.recorder.damaged is not None
    assert box.values("grid.import.energy", "raw") == [2]
    box.close()


def test_a_raw_table_that_is_listed_and_gone_is_forgotten(box):
    box.say(LINKY, {"grid.import.energy": 1})
    box.wait(2 * 3600)
    box.commit()
    connection = box.recorder._connected()
    connection.execute("DROP TABLE raw_linky_20260615")
    box.restart()
    box.say(LINKY, {"grid.import.energy": 2})
    box.commit()
    assert box.values("grid.import.energy", "raw", START) == [2]
    assert box.values("grid.import.energy", "1h")[0] == 1
