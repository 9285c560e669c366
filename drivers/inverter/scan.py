"""Looks for inverters where the person asks: on a private network, or on a serial port. Never anywhere else."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace

from drivers.inverter.address import Address
from drivers.inverter.chain import UNITS
from drivers.inverter.faults import LinkFault, NoPort, PortBusy, Refused, Unreachable
from drivers.inverter.modbus import Link, open_link
from drivers.inverter.sample import Session
from drivers.inverter.sunspec import open_session
from gateway.errors import Misconfigured, Text

_MOST_HOSTS = 1024
_AT_ONCE = 48
_TIMEOUT_S = 1.0
_BAUDS = (9600, 19200)
_NOWHERE = (Refused, Unreachable, NoPort, PortBusy)
_TEST_NET = "192.0.2.1"  # an address that exists nowhere: asking for the way there sends nothing


@dataclass(frozen=True, slots=True)
class Discovery:
    """One inverter that showed itself, and the address to write in the configuration."""

    url: str
    session: Session


def own_network() -> str:
    """Return this machine's own network as a /24, or raise `Misconfigured` when it has none that is private."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_TEST_NET, 9))
            own = probe.getsockname()[0]
        except OSError:
            own = "0.0.0.0"  # noqa: S104 - not listened on: "no address"
    if own == "0.0.0.0":  # noqa: S104 - as above
        raise Misconfigured(
            Text("Cette machine n’a pas de réseau.", "This machine has no network."),
            Text("Donnez un réseau comme 192.168.1.0/24.", "Give a network such as 192.168.1.0/24."),
        )
    return f"{own}/24"


def places(where: str | None, tcp_ports: Sequence[int]) -> list[Address]:
    """Return the addresses to look at for `where`: a private network (CIDR), a serial port, or None for the own one."""
    if where and where.startswith("/"):
        return [Address("rtu", device=where, baud=baud, framer="rtu") for baud in _BAUDS]
    text = where or own_network()
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Misconfigured(
            Text(
                f"« {text} » n’est ni un réseau ni un port série.", f"“{text}” is neither a network nor a serial port."
            ),
            Text("Écrivez par exemple 192.168.1.0/24 ou /dev/ttyUSB1.", "Write 192.168.1.0/24 or /dev/ttyUSB1."),
        ) from None
    if not network.is_private:
        raise Misconfigured(
            Text(f"Le réseau {network} n’est pas privé.", f"The network {network} is not private."),
            Text("Foyer ne cherche que chez vous.", "Foyer looks only in your own home."),
        )
    if network.num_addresses > _MOST_HOSTS:
        raise Misconfigured(
            Text(f"Le réseau {network} est trop grand.", f"The network {network} is too large."),
            Text("Donnez un réseau de 1024 adresses au plus (/22).", "Give a network of 1024 addresses at most (/22)."),
        )
    hosts = list(network.hosts()) or [network.network_address]
    return [Address("tcp", host=str(host), port=port, framer="socket") for host in hosts for port in tcp_ports]


async def _look(address: Address) -> list[Discovery]:
    """Try every usual unit behind one address. The line stays open, so that one connection serves them all."""
    link: Link = open_link(address, timeout_s=_TIMEOUT_S, retries=0)
    found = []
    try:
        for unit in UNITS:
            try:
                session = await open_session(link, unit, patient=False)
            except _NOWHERE:
                break
            except LinkFault:
                continue
            found.append(Discovery(replace(address, framer="auto").url(unit), session))
    finally:
        await link.close()
    return found


async def search(addresses: Sequence[Address]) -> list[Discovery]:
    """Return the inverters behind `addresses`, in their order. Serial ones are tried one after the other."""
    gate = asyncio.Semaphore(1 if any(one.transport == "rtu" for one in addresses) else _AT_ONCE)

    async def one(address: Address) -> list[Discovery]:
        async with gate:
            return await _look(address)

    return [found for some in await asyncio.gather(*map(one, addresses)) for found in some]
