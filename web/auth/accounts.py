"""The household's account, its sessions and its app keys. Tokens and keys are random, and kept as SHA-256 only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import unicodedata
from dataclasses import dataclass

from gateway.clock import Clock, UtcMs
from gateway.errors import FoyerError, Text
from web.auth import passwords
from web.home_db import HomeDb

HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS
IDLE_MS, LIFE_MS = 30 * DAY_MS, 90 * DAY_MS
LONGEST_USER = 60
_AGENT = 200  # characters kept of what a browser calls itself


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the household."""

    id: int
    user: str


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. Times are UTC ms; `agent` is what the browser calls itself."""

    id: int
    account: Account
    created: UtcMs
    seen: UtcMs
    agent: str


@dataclass(frozen=True, slots=True)
class Key:
    """One app key, without its secret."""

    id: int
    name: str
    created: UtcMs


def normal_user(user: str) -> str:
    """Return a user name as it is compared: without outer blanks, capitals or look-alike forms."""
    return unicodedata.normalize("NFKC", user).strip().casefold()[:LONGEST_USER]


class Accounts:
    """Accounts, sessions and keys in `home.db`."""

    def __init__(self, db: HomeDb, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    # -- accounts

    def exist(self) -> bool:
        """Tell whether the home has an account: until then only the first sign-in answers."""
        return bool(self._db.rows("SELECT 1 FROM account LIMIT 1"))

    def create(self, user: str, password: str) -> Account:
        """Make the account of the home; raise FoyerError when there is one, or when the name is empty."""
        name = normal_user(user)
        if not name:
            raise FoyerError(Text("Donnez un nom d’utilisateur.", "Give a user name."))
        kept, now = passwords.hashed(password), self._clock.now()
        with self._db.transaction() as connection:
            # checked inside the transaction: two people may finish the first sign-in at once
            if connection.execute("SELECT 1 FROM account LIMIT 1").fetchone():
                raise FoyerError(Text("Cette maison a déjà un compte.", "This home already has an account."))
            cursor = connection.execute(
                "INSERT INTO account (user, password, created, changed) VALUES (?, ?, ?, ?)", (name, kept, now, now)
            )
            assert cursor.lastrowid is not None
            return Account(cursor.lastrowid, name)

    def check(self, user: str, password: str) -> Account | None:
        """Return the account if the password is its own; a wrong name takes as long as a wrong password."""
        rows = self._db.rows("SELECT id, user, password FROM account WHERE user = ?", normal_user(user))
        if passwords.matches(password, rows[0][2] if rows else None):
            return Account(rows[0][0], rows[0][1])
        return None

    def find(self, user: str) -> Account | None:
        """Return the account of this name."""
        rows = self._db.rows("SELECT id, user FROM account WHERE user = ?", normal_user(user))
        return Account(*rows[0]) if rows else None

    def change_password(self, account: Account, password: str, keep: Session | None = None) -> None:
        """Change a password and end every session of the account but `keep`."""
        kept = passwords.hashed(password)
        with self._db.transaction() as connection:
            connection.execute(
                "UPDATE account SET password = ?, changed = ? WHERE id = ?", (kept, self._clock.now(), account.id)
            )
            connection.execute(
                "DELETE FROM session WHERE account = ? AND id IS NOT ?", (account.id, keep.id if keep else None)
            )

    # -- sessions

    def begin_session(self, account: Account, agent: str) -> str:
        """Sign a browser in and return its token, which is kept nowhere else than in its cookie."""
        token, now = secrets.token_urlsafe(32), self._clock.now()
        with self._db.transaction() as connection:
            connection.execute("DELETE FROM session WHERE seen < ? OR created < ?", (now - IDLE_MS, now - LIFE_MS))
            connection.execute(
                "INSERT INTO session (token, account, created, seen, agent) VALUES (?, ?, ?, ?, ?)",
                (_digest(token), account.id, now, now, agent[:_AGENT]),
            )
        return token

    def session(self, token: str) -> Session | None:
        """Return the session of a cookie, or None when it is unknown, ended or too old; mark it as seen."""
        digest = _digest(token)
        rows = self._db.rows(
            "SELECT session.id, token, account.id, user, session.created, seen, agent FROM session"
            " JOIN account ON account.id = session.account WHERE token = ?",
            digest,
        )
        if not rows or not hmac.compare_digest(rows[0][1], digest):
            return None
        number, _, account, user, created, seen, agent = rows[0]
        now = self._clock.now()
        if now - seen > IDLE_MS or now - created > LIFE_MS:
            self._db.write("DELETE FROM session WHERE id = ?", number)
            return None
        if abs(now - seen) > HOUR_MS:  # an hourly mark is enough, and spares the card
            self._db.write("UPDATE session SET seen = ? WHERE id = ?", now, number)
        return Session(number, Account(account, user), created, seen, agent)

    def sessions(self, account: Account) -> list[Session]:
        """Return the sessions of an account, the last seen first."""
        rows = self._db.rows(
            "SELECT id, created, seen, agent FROM session WHERE account = ? ORDER BY seen DESC, id DESC", account.id
        )
        return [Session(number, account, created, seen, agent) for number, created, seen, agent in rows]

    def end_session(self, account: Account, number: int) -> bool:
        """End one session of an account; tell whether there was one."""
        with self._db.transaction() as connection:
            cursor = connection.execute("DELETE FROM session WHERE id = ? AND account = ?", (number, account.id))
            return cursor.rowcount > 0

    # -- app keys

    def create_key(self, name: str) -> str:
        """Make a key for a program and return it, the only time it is seen; raise FoyerError if the name is used."""
        key = f"foyer_{secrets.token_urlsafe(32)}"
        try:
            self._insert_key(name, key)
        except sqlite3.IntegrityError:
            raise FoyerError(
                Text(f"Une clé s’appelle déjà « {name} ».", f"A key is already called “{name}”."),
                Text("Choisissez un autre nom.", "Choose another name."),
            ) from None
        return key

    def set_key(self, name: str, key: str) -> None:
        """Let a key made elsewhere in, in place of any of the same name (the demo makes its own)."""
        self._db.write("DELETE FROM app_key WHERE name = ?", name)
        self._insert_key(name, key)

    def key(self, key: str) -> Key | None:
        """Return what is known of a key, or None if it opens nothing."""
        digest = _digest(key)
        rows = self._db.rows("SELECT id, name, created, key FROM app_key WHERE key = ?", digest)
        if not rows or not hmac.compare_digest(rows[0][3], digest):
            return None
        return Key(*rows[0][:3])

    def app_keys(self) -> list[Key]:
        """Return every key, the oldest first."""
        return [Key(*row) for row in self._db.rows("SELECT id, name, created FROM app_key ORDER BY id")]

    def end_key(self, number: int) -> bool:
        """Withdraw a key; tell whether there was one."""
        with self._db.transaction() as connection:
            return connection.execute("DELETE FROM app_key WHERE id = ?", (number,)).rowcount > 0

    def _insert_key(self, name: str, key: str) -> None:
        self._db.write(
            "INSERT INTO app_key (name, key, created) VALUES (?, ?, ?)", name, _digest(key), self._clock.now()
        )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
