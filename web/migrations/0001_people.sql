-- People and what lets them in. Times are UTC milliseconds. Secrets are kept as hashes only.

CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    user TEXT NOT NULL UNIQUE,           -- normalised: see web.auth.accounts.normal_user
    password TEXT NOT NULL,              -- scrypt$n$r$p$salt$hash, base64
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL             -- last change of the password
) STRICT;

CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    token BLOB NOT NULL UNIQUE,          -- SHA-256 of the cookie
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    agent TEXT NOT NULL                  -- what the browser calls itself, for the list of sessions
) STRICT;

CREATE TABLE app_key (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    key BLOB NOT NULL UNIQUE,            -- SHA-256 of the key
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE attempt (
    who TEXT PRIMARY KEY,                -- hash of a user name, or an address
    failures INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
