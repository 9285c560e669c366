"""The writer's thread: nobody who publishes waits for it, and a stop leaves one whole file."""

import threading

from gateway.bus import Batch
from gateway.clock import SystemClock
from gateway.config import Store
from gateway.reading import Reading
from gateway.store.read import Reader
from gateway.store.write import Writer


def batch(n, clock):
    return Batch(f"inverter:i{n % 50}", (Reading("pv.power", n, clock.now()),), frame_end=True)


def test_a_stop_commits_what_waits_and_leaves_one_file(tmp_path):
    clock = SystemClock()
    writer = Writer(tmp_path / "measure.db", clock, Store())
    writer.start()
    start = clock.now()
    threads = [
        threading.Thread(target=lambda k=k: [writer.put(batch(n, clock)) for n in range(k, 50, 5)]) for k in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.stop()
    assert [file.name for file in tmp_path.iterdir()] == ["measure.db"]
    with Reader(tmp_path / "measure.db", clock) as reader:
        points = reader.history("pv.power", start - 1000, clock.now() + 1, "raw").points
    assert sorted(value for _, value, _ in points) == list(range(50))
    status = writer.status()
    assert (status.state, status.code, status.pending_rows, status.dropped_rows) == ("ok", "store.ok", 0, 0)
    assert status.last_commit is not None
    assert status.file_bytes > 0


def test_a_queue_that_nobody_empties_drops_the_oldest_and_counts_them(tmp_path):
    clock = SystemClock()
    writer = Writer(tmp_path / "measure.db", clock, Store())
    for n in range(20_050):
        writer.put(batch(n, clock))
    assert writer.status().dropped_rows == 50
    writer.stop()


def test_the_status_names_a_fault_its_mend_and_since_when(tmp_path):
    (tmp_path / "state").write_text("in the way")
    writer = Writer(tmp_path / "state" / "measure.db", SystemClock(), Store())
    writer.start()
    status = writer.status()
    writer.stop()
    assert status.state == "problem"
    assert status.since is not None
    assert "en mémoire" in status.text.fr
    assert status.mend is not None


def test_a_thread_that_died_is_not_passed_over_in_silence(tmp_path, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    writer = Writer(tmp_path / "measure.db", SystemClock(), Store())
    writer.start()
    writer.put("not a batch")
    writer._thread.join()
    assert writer.status().code == "store.stopped"
    writer._recorder.close()
