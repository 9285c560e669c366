"""Failed sign-ins: a delay that grows, per account name and per address, kept in `home.db` so that a restart forgets
nothing. An attempt is counted before the password is looked at: a burst of requests at once gains nothing.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass

from gateway.clock import Clock
from web.auth.accounts import DAY_MS, normal_user
from web.home_db import HomeDb

FREE = 5  # wrong passwords that anyone may type without waiting
ACCOUNT_CAP_S = 60  # whoever guesses from elsewhere must not lock the household out for long
ADDRESS_CAP_S = 15 * 60
ROWS = 1000
_SUBNET = 64  # one IPv6 host has this many bits of addresses to itself


@dataclass(frozen=True, slots=True)
class Who:
    """One thing that attempts are counted against, and the longest delay it can earn, in seconds."""

    name: str
    cap_s: int


def account(user: str) -> Who:
    """Return the count of a user name, whether it exists or not."""
    return Who(f"user:{hashlib.sha256(normal_user(user).encode()).hexdigest()[:32]}", ACCOUNT_CAP_S)


def address(remote: str | None) -> Who:
    """Return the count of where a request comes from."""
    try:
        ip = ipaddress.ip_address((remote or "").partition("%")[0])
    except ValueError:
        return Who("address:unknown", ADDRESS_CAP_S)
    mapped = getattr(ip, "ipv4_mapped", None)
    plain = mapped or ip
    if plain.version == 6:  # noqa: PLR2004 - the Internet Protocol's own number
        plain = ipaddress.ip_network((plain, _SUBNET), strict=False).network_address
    return Who(f"address:{plain}", ADDRESS_CAP_S)


class Attempts:
    """The counts."""

    def __init__(self, db: HomeDb, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def admit(self, *people: Who) -> float:
        """Count one attempt as failed and return 0, or return the seconds to wait and count nothing."""
        now = self._clock.now()
        with self._db.transaction() as connection:
            counted: list[tuple[str, int]] = []
            wait = 0.0
            for who in people:
                row = connection.execute("SELECT failures, last FROM attempt WHERE who = ?", (who.name,)).fetchone()
                failures, last = row or (0, now)
                if last > now:  # the calendar stepped back: the delay starts again, it does not last for years
                    connection.execute("UPDATE attempt SET last = ? WHERE who = ?", (now, who.name))
                    last = now
                if failures >= FREE:
                    delay = min(who.cap_s, 2 ** min(failures - FREE + 1, 20))
                    wait = max(wait, delay - (now - last) / 1000)
                counted.append((who.name, failures + 1))
            if wait > 0:
                return wait
            connection.execute("DELETE FROM attempt WHERE last < ?", (now - DAY_MS,))
            connection.execute(
                "DELETE FROM attempt WHERE who IN (SELECT who FROM attempt ORDER BY last DESC LIMIT -1 OFFSET ?)",
                (ROWS,),
            )
            connection.executemany(
                "INSERT INTO attempt (who, failures, last) VALUES (?, ?, ?)"
                " ON CONFLICT (who) DO UPDATE SET failures = excluded.failures, last = excluded.last",
                [(name, failures, now) for name, failures in counted],
            )
        return 0.0

    def forget(self, *people: Who) -> None:
        """Forget the failures of those who have just signed in."""
        with self._db.transaction() as connection:
            connection.executemany("DELETE FROM attempt WHERE who = ?", [(who.name,) for who in people])
