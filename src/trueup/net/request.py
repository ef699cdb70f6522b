"""One attempt as a value: what goes out and what comes back.

The two drivers in `http.py` turn a `Request` into a `Reply` and know nothing
else: not what is signed, not what an answer means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from trueup.core.errors import CallerError, ConfigError
from trueup.core.instant import SECOND, Instant
from trueup.core.version import VERSION
from trueup.net.signer import Signer
from trueup.net.venues import ALLOW_HOST_VARIABLE, Endpoint
from trueup.wire.rest.call import Call
from trueup.wire.signing import REST_PREFIX

T = TypeVar("T")

USER_AGENT: Final = f"trueup/{VERSION}"

_PATH: Final = re.compile(
    r"(?:/(?!\.{1,2}(?:/|\Z))(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%(?!2E)[0-9A-F]{2})+)+\Z"
)
"""Only what no HTTP library rewrites: the path is signed as it is sent."""

_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one attempt.  Times in microseconds; `connections` are kept open for reuse."""

    connect: int = 10 * SECOND
    silence: int = 30 * SECOND
    total: int = 120 * SECOND
    body_bytes_max: int = 64 * 1024 * 1024
    connections: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One attempt, ready to send.  The headers hold the signature and are not shown."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer that arrived whole.  `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    sent_at: Instant
    received_at: Instant


class FailureKind(StrEnum):
    """Why no whole answer arrived."""

    NAME = "name"
    CONNECT = "connect"
    CERTIFICATE = "certificate"
    TIMEOUT = "timeout"
    CUT = "cut"
    TOO_LARGE = "too large"
    GARBLED = "garbled"


_BEFORE_SENDING: Final = frozenset({FailureKind.NAME, FailureKind.CONNECT, FailureKind.CERTIFICATE})


@dataclass(frozen=True, slots=True)
class Failure:
    """No whole answer.  `says` completes the sentence "the exchange …"."""

    kind: FailureKind
    says: str
    evidence: bytes = field(default=b"", repr=False)

    @property
    def was_sent(self) -> bool:
        """Whether the request may have reached the exchange."""
        return self.kind not in _BEFORE_SENDING


Reply = Response | Failure


def check_signer(endpoint: Endpoint, signer: Signer | None) -> None:
    """Refuse to let a bearer token out to a host that the user did not name."""
    if signer is not None and signer.only_named_hosts and not endpoint.allowed_by_name:
        raise ConfigError(
            f"a bearer token goes only to a host that is allowed by name, and {endpoint.host} is not",
            remedy=f"If this token is meant for that host: {ALLOW_HOST_VARIABLE}={endpoint.host}. For "
            "the exchange itself give KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH instead.",
        )


def build_request(
    call: Call[T], endpoint: Endpoint, *, signer: Signer | None, at: Instant
) -> Request:
    """One attempt of `call`, signed at `at`.

    Raises `ConfigError` when a signed call has nobody to sign it, `CallerError`
    for a path that could not be sent as it is signed.
    """
    check_signer(endpoint, signer)
    if not _PATH.match(call.path):
        raise CallerError(
            f"{call.operation}: {call.path!r} is not a path that can be signed and sent unchanged",
            remedy="Tickers and ids hold letters, digits, dots and dashes only.",
        )
    path = REST_PREFIX + call.path
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": USER_AGENT,
    }
    body = call.body
    if body is None and call.method in _METHODS_WITH_BODY:
        body = b"{}"
    if body is not None:
        # Without it the exchange answers invalid_content_type, also to an empty object.
        headers["Content-Type"] = "application/json"
    if call.signed:
        if signer is None:
            raise ConfigError(
                f"{call.operation} needs an API key, and none was given",
                remedy="Set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH.",
            )
        headers |= signer.headers(call.method, path, at)
    query = f"?{urlencode(call.query, quote_via=quote, safe=',')}" if call.query else ""
    return Request(
        method=call.method, url=f"{endpoint.origin}{path}{query}", headers=headers, body=body
    )
