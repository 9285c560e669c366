from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import from_datetime, to_iso
from tests.gateway.clocks import NOON, FakeClock
from web.api.parameters import STEP_S, signal_name, span
from web.problems import Problem

ZONE = "Europe/Paris"


def asked(start=None, end=None, step=None, **how):
    return span(start, end, step, steps=tuple(STEP_S), usual="30m", zone=ZONE, clock=FakeClock(), **how)


def test_nothing_asked_is_the_last_day():
    found = asked()
    assert (to_iso(found.start), to_iso(found.end), found.step) == (
        "2026-06-20T10:00:00.000Z", "2026-06-21T10:00:00.000Z", "30m",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("2026-06-20", "2026-06-19T22:00:00.000Z"),
        ("20260620", "2026-06-19T22:00:00.000Z"),
        ("2026-06-20T08:00", "2026-06-20T06:00:00.000Z"),
        ("2026-06-20 08:00", "2026-06-20T06:00:00.000Z"),
        ("2026-06-20T08:00:00Z", "2026-06-20T08:00:00.000Z"),
        ("2026-06-20T08:00:00+02:00", "2026-06-20T06:00:00.000Z"),
        ("2026-06-20T08:00:00 02:00", "2026-06-20T06:00:00.000Z"),
        ("2026-01-01T00:00:00.250Z", "2026-01-01T00:00:00.250Z"),
    ],
)
def test_a_moment_may_be_written_in_several_ways(raw, moment):
    assert to_iso(asked(raw, None, "1d").start) == moment


def refusal(read, *what):
    """Return what was read and no problem, or nothing and the problem."""
    try:
        return read(*what), None
    except Problem as problem:
        return None, problem


@given(st.text(), st.text(), st.text())
def test_any_text_is_a_stretch_or_a_named_refusal(start, end, step):
    found, problem = refusal(asked, start, end, step)
    if problem is None:
        assert found.start < found.end
    else:
        assert problem.status == 400
        assert problem.parameter in ("from", "to", "step")
        assert problem.mend


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the strategy adds it
    st.timedeltas(timedelta(minutes=1), timedelta(days=20_000)),
    st.sampled_from(list(STEP_S)),
)
def test_a_stretch_is_taken_whole_or_refused_with_a_step_that_is_taken(start, length, step):
    raw = start.isoformat(), (start + length).isoformat()
    found, problem = refusal(asked, *raw, step)
    if problem is None:
        assert (found.start, found.end) == (from_datetime(start), from_datetime(start + length))
    else:
        assert problem.parameter == "step"
        advised = problem.mend.en.partition("step=")[2].partition(",")[0]
        assert not advised or asked(*raw, advised)


@given(st.text())
def test_any_text_is_a_signal_or_a_named_refusal(name):
    found, problem = refusal(signal_name, name)
    assert found == name if problem is None else problem.parameter == "signal"


def test_a_state_may_be_asked_for_over_any_time():
    assert asked("1990-01-01", None, "1m", counted=False).end == NOON
