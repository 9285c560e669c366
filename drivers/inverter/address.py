"""The address of an inverter, as the person writes it.

`tcp://host:502?unit=1[&framer=rtu]`, `rtu:///dev/ttyUSB1?baud=9600&parity=N&unit=1`; `https://envoy.local` is
recognised, and not read by this version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

from gateway.errors import Misconfigured, Text, Unsupported

_PORT = 502
_MAX_UNIT = 247
_BAUDS = (1200, 2400, 4800, 9600, 14400, 19200, 38400, 57600, 115200)

Framer = Literal["auto", "socket", "rtu"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where an inverter is. `unit` is None when the address does not say: the usual ones are then tried.

    Over TCP, `host` and `port`; over a serial line, `device`, `baud` (bits a second), `parity` (N, E or O) and
    `stop_bits`. `framer` "auto" is Modbus TCP, and RTU frames when the port is open but silent.
    """

    transport: Literal["tcp", "rtu"]
    unit: int | None = None
    host: str = ""
    port: int = _PORT
    device: str = ""
    baud: int = 9600
    parity: str = "N"
    stop_bits: int = 1
    framer: Framer = "auto"

    @property
    def where(self) -> str:
        """The end of the line in short, for a person: `192.168.1.20:502` or `/dev/ttyUSB1`."""
        if self.transport == "rtu":
            return self.device
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, unit: int | None = None) -> str:
        """Return the address as a URL again, with `unit` where it was not said."""
        chosen = self.unit or unit
        pairs = [f"unit={chosen}"] if chosen else []
        if self.transport == "rtu":
            return f"rtu://{self.device}?" + "&".join([f"baud={self.baud}", f"parity={self.parity}", *pairs])
        if self.framer == "rtu":
            pairs.append("framer=rtu")
        return f"tcp://{self.where}" + ("?" + "&".join(pairs) if pairs else "")


def _wrong(url: str, part: str, fr: str, en: str) -> Misconfigured:
    return Misconfigured(
        Text(
            f"L’adresse « {url} » a une partie à corriger, {part} : {fr}.",
            f"The address “{url}” has a wrong part, {part}: {en}.",
        ),
        Text(
            "Écrivez par exemple tcp://192.168.1.20:502?unit=1 ou rtu:///dev/ttyUSB1?baud=9600&parity=N&unit=1.",
            "Write for example tcp://192.168.1.20:502?unit=1 or rtu:///dev/ttyUSB1?baud=9600&parity=N&unit=1.",
        ),
    )


def _number(url: str, name: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise _wrong(
            url, name, f"un nombre de {low} à {high} est attendu", f"a number from {low} to {high} is expected"
        )
    return int(text)


def _one_of(url: str, name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        listed = ", ".join(known)
        raise _wrong(url, name, f"on accepte {listed}", f"accepted are {listed}")
    return text


def _query(url: str, parts: SplitResult, known: tuple[str, ...]) -> dict[str, str]:
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    for name, _ in pairs:
        if name not in known:
            raise _wrong(
                url, name or "?", f"on accepte {', '.join(known)} après « ? »", f"accepted are {', '.join(known)}"
            )
    return dict(pairs)


def _unit(url: str, query: dict[str, str]) -> int | None:
    return _number(url, "unit", query["unit"], 0, _MAX_UNIT) if "unit" in query else None


def _tcp(url: str, parts: SplitResult) -> Address:
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _wrong(
            url, "port", "un nombre de 1 à 65535 est attendu", "a number from 1 to 65535 is expected"
        ) from None
    if not host:
        raise _wrong(url, "host", "le nom ou l’adresse manque", "the name or address is missing")
    if port == 0:
        raise _wrong(url, "port", "un nombre de 1 à 65535 est attendu", "a number from 1 to 65535 is expected")
    if parts.path not in ("", "/"):
        raise _wrong(url, parts.path, "rien n’est attendu après le port", "nothing is expected after the port")
    query = _query(url, parts, ("unit", "framer"))
    framer: Framer = "auto"
    if _one_of(url, "framer", query.get("framer", "auto"), ("auto", "socket", "rtu")) != "auto":
        framer = "rtu" if query["framer"] == "rtu" else "socket"
    return Address("tcp", _unit(url, query), host=host, port=port or _PORT, framer=framer)


def _rtu(url: str, parts: SplitResult) -> Address:
    if parts.netloc or not parts.path.startswith("/") or parts.path == "/":
        raise _wrong(
            url,
            "port",
            "un chemin comme rtu:///dev/ttyUSB1 est attendu",
            "a path such as rtu:///dev/ttyUSB1 is expected",
        )
    query = _query(url, parts, ("baud", "parity", "stop", "unit"))
    baud = _one_of(url, "baud", query.get("baud", "9600"), tuple(str(one) for one in _BAUDS))
    return Address(
        "rtu",
        _unit(url, query),
        device=parts.path,
        baud=int(baud),
        parity=_one_of(url, "parity", query.get("parity", "N").upper(), ("N", "E", "O")),
        stop_bits=_number(url, "stop", query.get("stop", "1"), 1, 2),
        framer="rtu",
    )


def parse(url: str) -> Address:
    """Return the address written in `url`.

    Raise `Misconfigured` naming the part that is wrong, or `Unsupported` for an inverter read over HTTPS.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _wrong(url, "host", "le nom ou l’adresse est illisible", "the name or address is unreadable") from None
    if parts.scheme == "tcp":
        return _tcp(url, parts)
    if parts.scheme == "rtu":
        return _rtu(url, parts)
    if parts.scheme in ("http", "https"):
        raise Unsupported(
            Text(
                f"L’adresse « {url} » est celle d’un onduleur lu par son site web : cette version ne sait pas le lire.",
                f"The address “{url}” is that of an inverter read over its web pages: this version cannot read it.",
            ),
            Text(
                "Utilisez son adresse Modbus (tcp://…) s’il en a une.",
                "Use its Modbus address (tcp://…) if it has one.",
            ),
        )
    raise _wrong(url, "scheme", "on accepte tcp, rtu ou https", "accepted are tcp, rtu or https")
