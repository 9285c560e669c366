-- Times are UTC milliseconds; values are integers scaled by 10 ** series.scale.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- One signal of the registry, `@device` included. `source` is who gave its first value.
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    signal TEXT NOT NULL UNIQUE,
    unit TEXT NOT NULL,
    scale INTEGER NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL
);

-- One wide table a source and week, `raw_<source>_<first day>(ts INTEGER PRIMARY KEY, estimated INTEGER, "<signal>"
-- INTEGER, ...)`, is made when the source first speaks in it; a column is added when a signal first comes. Bit n of
-- `estimated` is set where the value of the n-th signal's column is an estimate; NULL where none is. Weeks, because to
-- drop a table costs no writing, and to delete its rows costs as much as it did to record them.
CREATE TABLE raw_table (
    name TEXT PRIMARY KEY, source TEXT NOT NULL, since INTEGER NOT NULL
) WITHOUT ROWID;

-- States, on change only; a NULL value says that the state is unknown from there on.
CREATE TABLE change (
    series INTEGER NOT NULL, ts INTEGER NOT NULL, value TEXT, PRIMARY KEY (series, ts)
) WITHOUT ROWID;

-- Whether the values of a series are measured or derived from `ts` on, on change only. Estimates are marked one by one.
CREATE TABLE quality (
    series INTEGER NOT NULL, ts INTEGER NOT NULL, quality TEXT NOT NULL, PRIMARY KEY (series, ts)
) WITHOUT ROWID;

-- A counter that started anew (meter exchanged): the last value of the old one, the first of the new one.
CREATE TABLE segment (
    series INTEGER NOT NULL, ts INTEGER NOT NULL, before INTEGER NOT NULL, after INTEGER NOT NULL,
    PRIMARY KEY (series, ts)
) WITHOUT ROWID;

-- Buckets of one minute and of thirty. Gauges have n, sum, mn, mx (the mean is sum / n); counters have n, first, last,
-- and the offsets of these two in the bucket. `n` counts values in m1, and seconds with data in m30;
-- `est` is how many of these are estimates.
CREATE TABLE m1 (
    series INTEGER NOT NULL, ts INTEGER NOT NULL, n INTEGER NOT NULL,
    sum INTEGER, mn INTEGER, mx INTEGER,
    first INTEGER, last INTEGER, first_ms INTEGER, last_ms INTEGER, est INTEGER NOT NULL,
    PRIMARY KEY (series, ts)
) WITHOUT ROWID;

CREATE TABLE m30 (
    series INTEGER NOT NULL, ts INTEGER NOT NULL, n INTEGER NOT NULL,
    sum INTEGER, mn INTEGER, mx INTEGER,
    first INTEGER, last INTEGER, first_ms INTEGER, last_ms INTEGER, est INTEGER NOT NULL,
    PRIMARY KEY (series, ts)
) WITHOUT ROWID;

-- Hours already rolled up that got late rows since.
CREATE TABLE dirty (hour INTEGER PRIMARY KEY);
