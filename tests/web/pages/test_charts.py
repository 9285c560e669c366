from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web import charts


@dataclass(frozen=True)
class Bucket:
    import_wh: float | None
    export_wh: float | None
    production_wh: float | None
    self_consumption_wh: float | None
    coverage: float = 1.0
    estimated: bool = False


def bucket(own, bought, sent):
    made = None if own is None or sent is None else own + sent
    return Bucket(bought, sent, made, own)


WH = st.none() | st.floats(0, 50_000)
BUCKETS = st.lists(st.none() | st.builds(bucket, WH, WH, WH), max_size=31)


@given(BUCKETS)
def test_every_column_adds_up_to_its_total(buckets):
    table = charts.table(buckets, has_pv=True)
    for name in charts.COLUMNS:
        known = [row.wh[name] for row in table.rows if row.wh[name] is not None]
        assert table.total.wh[name] == (sum(known) if known else None)


@given(BUCKETS)
def test_every_row_adds_up_to_its_wholes(buckets):
    table = charts.table(buckets, has_pv=True)
    for row in [*table.rows, table.total]:
        for whole, parts in charts.WHOLES.items():
            if row.wh[whole] is not None and row is not table.total:
                assert row.wh[whole] == sum(row.wh[part] or 0 for part in parts)
            missing = any(row.wh[part] is None for part in parts)
            assert not missing or row.wh[whole] is None or whole in row.least


@given(BUCKETS)
def test_what_is_shown_is_within_a_tenth_of_what_was_measured(buckets):
    table = charts.table(buckets, has_pv=True)
    for row, one in zip(table.rows, buckets, strict=True):
        exact = charts.parts(one, has_pv=True) if one else dict.fromkeys(charts.PARTS)
        for name in charts.PARTS:
            assert (row.wh[name] is None) == (exact[name] is None)
            if exact[name] is not None:
                assert abs(row.wh[name] - exact[name]) <= 100.001
    for name in charts.PARTS:
        known = [charts.parts(one, has_pv=True)[name] for one in buckets if one]
        known = [value for value in known if value is not None]
        if known:
            assert abs(table.total.wh[name] - sum(known)) <= 50.001


def test_a_home_without_panels_buys_all_it_uses():
    table = charts.table([Bucket(1234.0, None, None, None)], has_pv=False)
    assert table.rows[0].wh["used"] == table.rows[0].wh["bought"] == 1200
    assert table.whole


def test_what_is_partly_measured_is_at_least_that():
    table = charts.table([bucket(100.0, 900.0, 0.0), bucket(None, 500.0, None)], has_pv=True)
    assert table.rows[1].least == {"used"}
    assert table.rows[1].wh["made"] is None
    assert "used" in table.total.least
    assert table.total.self_share is None
    assert not table.whole


def test_the_time_before_the_first_measurement_is_not_a_hole():
    table = charts.table([None, None, bucket(100.0, 900.0, 300.0)], has_pv=True)
    assert (table.lead, table.whole) == (2, True)
    assert table.total.self_share == pytest.approx(0.1)


def test_a_hole_in_between_stays_a_hole():
    table = charts.table([bucket(100.0, 900.0, 300.0), None, bucket(100.0, 900.0, 300.0)], has_pv=True)
    assert not table.rows[1].known
    assert not table.whole
