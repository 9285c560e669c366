from contextlib import closing

from web.auth import attempts
from web.auth.attempts import FREE, Attempts
from web.home_db import HomeDb

HERE, USER = attempts.address("192.168.1.20"), attempts.account("essai")


def fail(counts, times, *who):
    return [counts.admit(*who) for _ in range(times)]


def test_a_few_mistakes_cost_nothing(box):
    assert fail(box.attempts, FREE, USER, HERE) == [0] * FREE


def test_then_each_mistake_doubles_the_wait(box, clock):
    fail(box.attempts, FREE, HERE)
    waits = []
    for _ in range(12):
        waits.append(box.attempts.admit(HERE))
        clock.pass_s(waits[-1])
        assert box.attempts.admit(HERE) == 0
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_an_attempt_that_must_wait_is_not_counted(box, clock):
    fail(box.attempts, FREE + 1, HERE)
    fail(box.attempts, 50, HERE)
    clock.pass_s(4)
    assert box.attempts.admit(HERE) == 0


def test_whoever_guesses_from_elsewhere_keeps_the_household_waiting_a_minute_at_most(box, clock):
    for number in range(60):
        box.attempts.admit(USER, attempts.address(f"192.168.1.{number}"))
        clock.pass_s(61)
    box.attempts.admit(USER)
    assert box.attempts.admit(USER, HERE) <= 60


def test_a_name_that_does_not_exist_is_counted_like_any_other(box):
    nobody = attempts.account("nobody")
    fail(box.attempts, FREE, nobody)
    assert box.attempts.admit(nobody) > 0


def test_a_sign_in_forgets_the_failures(box):
    fail(box.attempts, FREE, USER, HERE)
    box.attempts.forget(USER, HERE)
    assert box.attempts.admit(USER, HERE) == 0


def test_a_day_without_attempts_forgets_them(box, clock):
    fail(box.attempts, FREE + 3, HERE)
    clock.pass_s(25 * 3600)
    box.attempts.admit(attempts.address("10.0.0.1"))
    assert fail(box.attempts, FREE, HERE) == [0] * FREE


def test_a_restart_forgets_nothing(home, clock):
    for expected in (False, True):
        with closing(HomeDb(home / "home.db")) as db:
            counts = Attempts(db, clock)
            assert (counts.admit(HERE) > 0) is expected
            fail(counts, FREE, HERE)


def test_a_calendar_that_steps_back_does_not_lock_for_years(box, clock):
    fail(box.attempts, FREE, HERE)
    clock.wall -= 10 * 365 * 86_400_000
    assert box.attempts.admit(HERE) == 2
    clock.pass_s(2)
    assert box.attempts.admit(HERE) == 0


def test_the_addresses_of_one_ipv6_host_count_together():
    assert attempts.address("2a01:e0a:1:2:3:4:5:6") == attempts.address("2a01:e0a:1:2::1")
    assert attempts.address("2a01:e0a:1:3::1") != attempts.address("2a01:e0a:1:2::1")
    assert attempts.address("::ffff:192.168.1.20") == HERE
    assert attempts.address("fe80::1%eth0") == attempts.address("fe80::1")


def test_what_is_no_address_counts_as_one_stranger():
    assert attempts.address(None) == attempts.address("") == attempts.address("unix")


def test_a_flood_of_names_does_not_fill_the_card(box, clock, monkeypatch):
    monkeypatch.setattr(attempts, "ROWS", 20)
    for number in range(100):
        box.attempts.admit(attempts.account(f"name{number}"))
        clock.pass_s(1)
    assert box.db.rows("SELECT count(*) FROM attempt")[0][0] <= 21
