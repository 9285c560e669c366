"""The socket the page listens on, and a plain sentence when it cannot be had."""

from __future__ import annotations

import errno
import os
import socket
import struct
from pathlib import Path

from gateway.errors import Misconfigured, Text

BACKLOG = 128
HEARING_S, SPEAKING_S = 10, 30
"""How long one read or write of a connection may take: a client that trickles its request gives its thread back."""


def systemd_sockets() -> bool:
    """Tell whether systemd hands this process its socket (the packaged box listens on port 80 that way)."""
    return os.environ.get("LISTEN_PID") == str(os.getpid()) and int(os.environ.get("LISTEN_FDS") or 0) > 0


def listen(address: str, port: int) -> socket.socket:
    """Return a listening socket; raise Misconfigured with the mend when the port or the address cannot be had."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind((address, port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise _refused(error, address, port) from None
    return made


def bound_in_time(listener: socket.socket) -> None:
    """Bound each read and write of the connections accepted later, which inherit it from their listener."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", HEARING_S, 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SPEAKING_S, 0))


def _refused(error: OSError, address: str, port: int) -> Misconfigured:
    change = Text(
        "Changez « port » dans la table [web] de la configuration, ou arrêtez l’autre programme.",
        "Change “port” in the [web] table of the configuration, or stop the other program.",
    )
    if error.errno == errno.EADDRINUSE:
        owner = port_owner(port)
        fr, en = (f" par {owner}", f" by {owner}") if owner else ("", "")
        return Misconfigured(
            Text(f"Le port {port} est déjà pris{fr}.", f"Port {port} is already taken{en}."),
            change,
        )
    if error.errno == errno.EACCES:
        return Misconfigured(
            Text(f"Le port {port} demande les droits de root.", f"Port {port} needs root’s rights."),
            Text(
                "Choisissez « port » à partir de 1024 dans la table [web], comme 8080.",
                "Choose a “port” of 1024 or more in the [web] table, such as 8080.",
            ),
        )
    return Misconfigured(
        Text(
            f"La page ne peut pas écouter sur {address} ({os.strerror(error.errno or 0)}).",
            f"The page cannot listen on {address} ({os.strerror(error.errno or 0)}).",
        ),
        Text(
            "Corrigez « address » dans la table [web] de la configuration : 0.0.0.0 convient presque toujours.",
            "Mend “address” in the [web] table of the configuration: 0.0.0.0 nearly always does.",
        ),
    )


def port_owner(port: int) -> str | None:
    """Return `name (pid)` of the process that listens on a TCP port, when this user may see it."""
    sockets = _listening_inodes(port)
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            targets = {str(entry.readlink()) for entry in (process / "fd").iterdir()}
            if targets & sockets:
                return f"{(process / 'comm').read_text().strip()} ({process.name})"
        except OSError:
            continue  # another user's process, or one that has just ended
    return None


def _listening_inodes(port: int) -> set[str]:
    listening, found = "0A", set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[3] == listening and int(columns[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{columns[9]}]")
    return found
