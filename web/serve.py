"""The web process: gunicorn with one worker of 32 threads, each live browser holding one.

The application's modules are imported before the worker is forked, so that both processes share their memory; the
application itself (threads, database) is made in the worker, because neither survives a fork.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from gunicorn.app.base import BaseApplication

from gateway.config import Config
from gateway.errors import FoyerError
from gateway.language import language
from web.app import create_app
from web.assets import Site
from web.home_db import HomeDb
from web.listening import bound_in_time, listen, systemd_sockets
from web.settings import THREADS, box

GRACE_S = 3
KEEP_ALIVE_S = 5
REQUEST_LINE_BYTES, HEADERS, HEADER_BYTES = 4094, 64, 8190
_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - gunicorn makes its sign of life there, with a private name


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn, set by our configuration alone: no file, no environment, no command line."""

    def __init__(self, config: Config, bind: list[str]) -> None:
        self._config = config
        self._bind = bind
        self._site: Site | None = None
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        options: dict[str, Any] = {
            "bind": self._bind,
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": GRACE_S,
            "keepalive": KEEP_ALIVE_S,
            "limit_request_line": REQUEST_LINE_BYTES,
            "limit_request_fields": HEADERS,
            "limit_request_field_size": HEADER_BYTES,
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "proc_name": "foyer-web",
            "when_ready": _when_ready,
            "post_worker_init": self._ready,
            "worker_int": self._leave,
            "worker_exit": lambda _arbiter, worker: self._leave(worker),
        }
        if os.access(_MEMORY_FOLDER, os.W_OK):
            options["worker_tmp_dir"] = str(_MEMORY_FOLDER)  # a sign of life each second would wear the card
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Site:
        """Make the application, in the worker."""
        self._site = create_app(self._config)
        return self._site

    def _ready(self, worker: Any) -> None:
        """End the streams as soon as the worker is asked to stop: they would hold it for the whole grace time."""
        usual = signal.getsignal(signal.SIGTERM)

        def stop(number: int, frame: FrameType | None) -> None:
            self._leave(worker)
            if callable(usual):
                usual(number, frame)

        signal.signal(signal.SIGTERM, stop)

    def _leave(self, _worker: Any) -> None:
        if self._site is not None:
            with self._site.app_context():
                box().feed.stop_streams()


def _when_ready(arbiter: Any) -> None:
    for listener in arbiter.LISTENERS:
        bound_in_time(listener.sock)
    gc.collect()
    gc.freeze()  # what is alive now is shared with the worker: a collection must not copy its pages


def main(config: Config) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
    try:
        HomeDb(config.home_db).close()  # made and migrated here, where a failure is still a sentence
        if systemd_sockets():
            bind = []
        else:
            listener = listen(config.web.address, config.web.port)
            bind = [f"fd://{listener.detach()}"]
    except FoyerError as error:
        print(error.say(language()), file=sys.stderr)
        return 1
    try:
        Server(config, bind).run()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    return 0
