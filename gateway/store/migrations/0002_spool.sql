-- Small words the gateway keeps beside the measurements: how far each sink has got.
CREATE TABLE memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- In which order rows arrived, late and restamped ones included. `runs` is JSON, compressed by zlib when it is a blob:
-- [[who, first, last], ...]. Each run says that every row of source `who` (or, when `who` is a number, every change of
-- that series) between `first` and `last` (UTC ms) arrived then. The first run begins at number `seq`, the row of `ts` has
-- the number of its run + ts - first, and the next run begins after that of `last`. `until` is the last number of all.
CREATE TABLE arrival (seq INTEGER PRIMARY KEY, until INTEGER NOT NULL, runs NOT NULL);

-- Rows that are recorded but not yet in their raw table: one block a commit, folded into the raw tables each hour. Once
-- arrival has its numbers a block is folded, and its slot is used again: a slot is a page of its own, and a commit
-- that rewrites one page is the smallest there is; hence also the zeros that `frames` is filled up with. `frames` is JSON
-- compressed by zlib: [runs, [[source, times, {series: values}, {series: estimated}], ...]]; times and values are
-- differences from the one before (the first from 0), `estimated` holds places of rows. `since` and `last` are the oldest
-- and newest time in it.
CREATE TABLE spool (
    slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL, until INTEGER NOT NULL,
    since INTEGER NOT NULL, last INTEGER NOT NULL, frames BLOB NOT NULL
);

-- What an older file has, in the order of its weeks.
INSERT INTO arrival (seq, until, runs)
SELECT seq, seq + 604799999, json_array(json_array(source, since, since + 604799999)) FROM (
    SELECT source, since, 1 + 604800000 * (row_number() OVER (ORDER BY since, source) - 1) AS seq FROM raw_table
);

-- Rows that came while nobody could tell the time: they get theirs, and go to the spool, when somebody can.
CREATE TABLE undated (
    id INTEGER PRIMARY KEY, boot TEXT NOT NULL, mono_ms INTEGER NOT NULL, at INTEGER NOT NULL,
    source TEXT NOT NULL, payload TEXT NOT NULL
);
