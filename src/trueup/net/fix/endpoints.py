"""Where the exchange's FIX is, and which hosts may hear from us.

Hosts and ports as documented in October 2026.  As with REST, nothing is sent to a host
that is not known, unless the user allowed it by name; this machine needs no permission
on the sandbox.  Every connection is TLS 1.2 or newer, also on this machine.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trueup.core.errors import ConfigError
from trueup.net.venues import ALLOW_HOST_VARIABLE, Venue, is_loopback
from trueup.wire.fix.session_kinds import SessionKind

_HOSTS: Final[Mapping[Venue, tuple[str, str]]] = {
    Venue.SANDBOX: ("127.0.0.1", "127.0.0.1"),
    Venue.DEMO: ("fix.demo.kalshi.co", "marketdata.fix.demo.kalshi.co"),
    Venue.PROD: ("mm.fix.elections.kalshi.com", "marketdata.fix.elections.kalshi.com"),
}
"""For orders and reports, and for market data."""

_ADDRESS: Final = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?\Z")
_PORT_MAX: Final = 65_535


@dataclass(frozen=True, slots=True)
class FixEndpoint:
    """A host and port that were checked and may be spoken to."""

    venue: Venue
    kind: SessionKind
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def resolve_fix_endpoint(
    venue: Venue, kind: SessionKind, address: str = "", *, allowed_hosts: Collection[str] = ()
) -> FixEndpoint:
    """The endpoint of a session, or of `address` (``host`` or ``host:port``) when one is given.

    Raises `ConfigError` for a host that trueup must not speak to.
    """
    trading, market_data = _HOSTS[venue]
    own = market_data if kind is SessionKind.MD else trading
    if not address:
        return FixEndpoint(venue, kind, own, kind.terms.port)
    match = _ADDRESS.match(address)
    port = int(match["port"] or kind.terms.port) if match else 0
    if match is None or not 0 < port <= _PORT_MAX:
        raise ConfigError(
            f"{address!r} is not the address of a FIX session",
            remedy="Write host or host:port, without a scheme.",
        )
    host = match["host"].strip("[]").lower().rstrip(".")
    for other, hosts in _HOSTS.items():
        if host in hosts and other is not venue and not is_loopback(host):
            raise ConfigError(
                f"{host} belongs to {other}, but the venue is {venue}",
                remedy=f"Set the venue to {other}, or leave the address out.",
            )
    is_known = host in _HOSTS[venue] or (venue is Venue.SANDBOX and is_loopback(host))
    if not is_known and not {host, f"{host}:{port}"} & set(allowed_hosts):
        raise ConfigError(
            f"{host} is not a known FIX host of {venue}; nothing was signed or sent",
            remedy=f"If you trust it, allow it by name: {ALLOW_HOST_VARIABLE}={host}:{port}",
        )
    return FixEndpoint(venue, kind, host, port)


def client_tls(authority: Path | None = None) -> ssl.SSLContext:
    """What a client demands of the other side: TLS 1.2, a certificate, the right name.

    `authority` is the file with the certificate of a sandbox's own authority.  Raises
    `ConfigError` when it cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=None if authority is None else str(authority))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"the certificate file {authority} cannot be used: {error}",
            remedy="Give the certificate that the sandbox wrote when it started.",
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """The listening side's own certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context
