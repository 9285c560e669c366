"""The courier: the only door from the home to the Internet.

It decides on each envelope at the moment of sending, by the consent recorded for it. Today the box records no consent
for anyone, so there is nothing that may leave: every envelope is refused, with the reason, and nothing is ever sent.
"""

from __future__ import annotations

import logging
import signal
import sqlite3
import sys
from collections.abc import Callable

from gateway.config import Config
from services.outbox import Envelope, Outbox

log = logging.getLogger("foyer.courier")

LOOK_S = 60.0
_STOP = {signal.SIGTERM, signal.SIGINT}

NO_CONSENT = "no-consent"
UNKNOWN_CONSENT = "unknown-consent"


def refusal(envelope: Envelope) -> str:
    """Return why an envelope may not leave: it names no consent, or one that the home has not recorded."""
    return UNKNOWN_CONSENT if envelope.consent_id else NO_CONSENT


def clear(outbox: Outbox) -> int:
    """Decide on everything that waits; return how many envelopes were refused."""
    waiting = outbox.waiting()
    for number, envelope in waiting:
        reason = refusal(envelope)
        outbox.refuse(number, reason)
        # The recipient is a name of the programme's; what is inside stays out of the log.
        log.warning("envelope refused id=%d recipient=%s reason=%s", number, envelope.recipient, reason)
    return len(waiting)


def watch(outbox: Outbox, stopped: Callable[[float], bool]) -> None:
    """Clear the outbox now and whenever another process has written to it. `stopped` waits that many seconds, or less
    when it is time to stop, and tells whether it is.
    """
    seen = None
    while True:
        try:
            # The number is taken first: what is put while we clear is seen in the next look.
            version = outbox.version()
            if version != seen:
                clear(outbox)
                seen = version
        except sqlite3.OperationalError:
            log.warning("outbox busy, trying again later", exc_info=True)
        if stopped(LOOK_S):
            return


def main(config: Config) -> int:
    """Run until SIGTERM or SIGINT; return the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    # Held back and waited for, never handled: no code runs in the middle of other code, and the wait ends at once.
    held = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
    try:
        config.state.mkdir(parents=True, exist_ok=True)
        with Outbox(config.state / "outbox.db") as outbox:
            log.info("courier started; no service has a consent, nothing may leave")
            watch(outbox, lambda seconds: signal.sigtimedwait(_STOP, seconds) is not None)
        log.info("courier stopped")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    return 0
