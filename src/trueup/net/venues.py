"""Which exchange is meant, and which hosts may hear from us.

A venue is the sandbox on this machine, the exchange's demo or the real thing.
Nothing is signed and nothing is sent before `resolve_endpoint` has agreed to
the host: an unknown one is refused unless the user allowed it by name, plain
http is for this machine only, and a host of one venue never serves another.

Hosts as the exchange documents them in October 2026: the recommended ones since
2026-05-07, and the shared ones, which still work.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from trueup.core.errors import ConfigError
from trueup.wire.signing import REST_PREFIX as PREFIX
from trueup.wire.signing import WEBSOCKET_PATH

SANDBOX_PORT: Final = 8717
"""Where `trueup sandbox serve` listens unless told otherwise."""

ALLOW_HOST_VARIABLE: Final = "TRUEUP_ALLOW_HOST"
"""Comma-separated hosts (``host`` or ``host:port``) that the user vouches for."""


class Venue(StrEnum):
    """Where orders and money are: nowhere real, play money, real money."""

    SANDBOX = "sandbox"
    DEMO = "demo"
    PROD = "prod"


KNOWN_HOSTS: Final[Mapping[str, Venue]] = {
    "external-api.kalshi.com": Venue.PROD,
    "api.elections.kalshi.com": Venue.PROD,
    "external-api.demo.kalshi.co": Venue.DEMO,
    "demo-api.kalshi.co": Venue.DEMO,
}
"""The exchange's own REST hosts; the first of each venue is the recommended one."""

_STREAM_HOSTS: Final[Mapping[str, str]] = {
    "external-api.kalshi.com": "external-api-ws.kalshi.com",
    "external-api.demo.kalshi.co": "external-api-ws.demo.kalshi.co",
}
"""Where the WebSocket has a host of its own; the shared hosts serve both."""

_ORIGINS: Final[Mapping[Venue, str]] = {
    Venue.SANDBOX: f"http://127.0.0.1:{SANDBOX_PORT}",
    Venue.DEMO: "https://external-api.demo.kalshi.co",
    Venue.PROD: "https://external-api.kalshi.com",
}

_WORDS: Final[Mapping[str, Venue]] = {
    "sandbox": Venue.SANDBOX,
    "local": Venue.SANDBOX,
    "demo": Venue.DEMO,
    "prod": Venue.PROD,
    "production": Venue.PROD,
    "live": Venue.PROD,
}
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"", "0", "false", "no", "off"})

_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\Z|[0-9a-f:]*:[0-9a-f:.]*\Z")
_DEFAULT_PORTS: Final[Mapping[str, int]] = {"https": 443, "http": 80}
_PORT_MAX: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A host that was checked and may be spoken to.

    `origin` is scheme, host and port without a path.  `allowed_by_name` says
    that the user vouched for the host: only then may a bearer token go there.
    """

    venue: Venue
    origin: str
    host: str
    allowed_by_name: bool = False

    @property
    def base_url(self) -> str:
        """Origin and REST prefix, without a trailing slash."""
        return self.origin + PREFIX


def resolve_endpoint(
    venue: Venue, url: str = "", *, allowed_hosts: Collection[str] = ()
) -> Endpoint:
    """The endpoint of a venue, or of `url` when one is given.

    `url` is ``scheme://host[:port]`` with or without ``/trade-api/v2``.
    Raises `ConfigError` for anything that trueup must not speak to.
    """
    parts = _split(url or _ORIGINS[venue])
    host, port = _host_and_port(parts)
    shown = f"[{host}]" if ":" in host else host
    has_default_port = port == _DEFAULT_PORTS[parts.scheme]
    named = shown if has_default_port else f"{shown}:{port}"
    allowed_by_name = host in allowed_hosts or f"{shown}:{port}" in allowed_hosts
    loopback = is_loopback(host)
    if parts.scheme == "http" and not loopback:
        raise ConfigError(
            f"{named} would be spoken to in plain http; a signed request must not travel unencrypted",
            remedy="Use an https:// address. Plain http is allowed only to this machine (127.0.0.1).",
        )
    home = KNOWN_HOSTS.get(host) if has_default_port and parts.scheme == "https" else None
    if home is not None and home is not venue:
        raise ConfigError(
            f"{host} belongs to {home}, but the venue is {venue}",
            remedy=f"Set the venue to {home}, or leave the address out to get the one of {venue}.",
        )
    is_own_sandbox = loopback and venue is Venue.SANDBOX
    if home is None and not is_own_sandbox and not allowed_by_name:
        raise ConfigError(
            f"{named} is not a known host of {venue}; nothing was signed or sent",
            remedy=f"If you trust it with signed requests, allow it by name: {ALLOW_HOST_VARIABLE}={named}",
        )
    return Endpoint(
        venue=venue,
        origin=f"{parts.scheme}://{named}",
        host=named,
        allowed_by_name=allowed_by_name,
    )


def websocket_url(endpoint: Endpoint) -> str:
    """The address of the stream that belongs to an endpoint.

    Only the exchange's own hosts have another one for it; any other endpoint, the
    sandbox too, serves its stream where it serves everything else.
    """
    scheme, _, rest = endpoint.origin.partition("://")
    host = _STREAM_HOSTS.get(rest, rest)
    return f"{'wss' if scheme == 'https' else 'ws'}://{host}{WEBSOCKET_PATH}"


def parse_allowed_hosts(text: str) -> frozenset[str]:
    """Read `TRUEUP_ALLOW_HOST`: names only, no wildcards, no addresses with a path."""
    hosts: set[str] = set()
    for item in text.split(","):
        host = item.strip().lower().rstrip(".")
        if not host:
            continue
        if not re.fullmatch(
            r"(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*", host
        ):
            raise ConfigError(
                f"{ALLOW_HOST_VARIABLE}: {item.strip()!r} is not a host name",
                remedy="Write host or host:port, without https:// and without wildcards.",
            )
        hosts.add(host)
    return frozenset(hosts)


def venue_from_environment(environment: Mapping[str, str]) -> Venue | None:
    """The venue that KALSHI_ENV, KALSHI_ENVIRONMENT or KALSHI_DEMO ask for; None if none does.

    ``KALSHI_DEMO=0`` asks for nothing: that something is *not* the demo is no
    request for real money.  Raises `ConfigError` when they contradict each other.
    """
    asked: dict[str, Venue] = {}
    for name in ("KALSHI_ENV", "KALSHI_ENVIRONMENT"):
        word = environment.get(name, "").strip().lower()
        if not word:
            continue
        if word not in _WORDS:
            raise ConfigError(
                f"{name}={word!r} names no venue", remedy="Use sandbox, demo or prod."
            )
        asked[name] = _WORDS[word]
    flag = environment.get("KALSHI_DEMO", "").strip().lower()
    if flag not in _YES | _NO:
        raise ConfigError(
            f"KALSHI_DEMO={flag!r} is neither yes nor no",
            remedy="Use KALSHI_DEMO=1 or leave it out.",
        )
    if flag in _YES:
        asked["KALSHI_DEMO"] = Venue.DEMO
    if len(set(asked.values())) > 1:
        said = ", ".join(f"{name} says {venue}" for name, venue in asked.items())
        raise ConfigError(f"the venue is contradictory: {said}", remedy="Keep one of them.")
    is_denied_demo = flag in _NO - {""} and Venue.DEMO in asked.values()
    if is_denied_demo:
        raise ConfigError(
            "the venue is contradictory: KALSHI_DEMO says no, KALSHI_ENV says demo",
            remedy="Keep one of them.",
        )
    return next(iter(asked.values()), None)


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    if any(not character.isprintable() or character in " \\" for character in url):
        raise ConfigError(
            "the address of the exchange contains a space, a backslash or a control character",
            remedy="Write it as https://host/trade-api/v2.",
        )
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS:
        raise ConfigError(
            "the address of the exchange does not start with https://",
            remedy="Write it as https://host/trade-api/v2.",
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            "the address of the exchange contains a user name or a password",
            remedy="Leave out everything before the @; keys are given by environment variables.",
        )
    if parts.query or parts.fragment or parts.path.rstrip("/") not in {"", PREFIX}:
        raise ConfigError(
            f"the address of {parts.hostname} has a path that trueup does not know",
            remedy=f"Only {PREFIX} may follow the host.",
        )
    return parts


def _host_and_port(parts: SplitResult) -> tuple[str, int]:
    host = (parts.hostname or "").rstrip(".")
    try:
        port = _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        port = -1
    if not _HOST.match(host) or not 0 < port <= _PORT_MAX:
        raise ConfigError(
            "the address of the exchange has no valid host or port",
            remedy="Write it as https://host/trade-api/v2.",
        )
    return host, port
