"""The two drivers that carry a request over a socket: urllib3 and aiohttp.

Both do the same and no more: connect, send, read a bounded body within a
bounded time, follow no redirect, keep no cookies, and return a `Reply`.  They
raise nothing for what goes wrong on the way; `answer.py` says what it means.
Errors become values inside, so no traceback carries the frames of the HTTP
library with the request's headers in them.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Final, Protocol

import aiohttp
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    IncompleteRead,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as PoolTimeoutError
from yarl import URL

from trueup.core.instant import SECOND, Instant
from trueup.net.request import Failure, FailureKind, Limits, Reply, Request, Response

_CHUNK: Final = 64 * 1024

_UNPACKABLE: Final = "sent an answer that cannot be unpacked"
_NO_ADDRESS: Final = "has no address (the name lookup failed)"
_NO_CONNECTION: Final = "could not be connected to"
_SILENT: Final = "did not answer in time"
_BROKEN_OFF: Final = "broke off before the answer was whole"


class _BrokenOff(aiohttp.ClientError):
    """The connection was lost after it had been made."""


_Failures = tuple[tuple[tuple[type[Exception], ...], FailureKind, str], ...]

_POOL_FAILURES: Final[_Failures] = (
    ((NameResolutionError,), FailureKind.NAME, _NO_ADDRESS),
    ((NewConnectionError, ConnectTimeoutError), FailureKind.CONNECT, _NO_CONNECTION),
    ((PoolTimeoutError,), FailureKind.TIMEOUT, _SILENT),
    ((DecodeError,), FailureKind.GARBLED, _UNPACKABLE),
    ((IncompleteRead, ProtocolError), FailureKind.CUT, _BROKEN_OFF),
)
_CLIENT_FAILURES: Final[_Failures] = (
    ((aiohttp.ClientConnectorDNSError, socket.gaierror), FailureKind.NAME, _NO_ADDRESS),
    (
        (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError),
        FailureKind.CONNECT,
        _NO_CONNECTION,
    ),
    ((TimeoutError,), FailureKind.TIMEOUT, _SILENT),
    (
        (_BrokenOff, aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, OSError),
        FailureKind.CUT,
        _BROKEN_OFF,
    ),
)

_KEPT_HEADERS: Final = ("date", "age", "retry-after", "location", "content-type")


class Transport(Protocol):
    """Carries one attempt and blocks until it ended.  Usable from several threads."""

    def exchange(self, request: Request) -> Reply:
        """Send and read.  Never raises for what happens on the network."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...


class AwaitableTransport(Protocol):
    """Carries one attempt on the running event loop."""

    async def exchange(self, request: Request) -> Reply:
        """Send and read.  Never raises for what happens on the network."""
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...


class SyncTransport:
    """Blocking, on urllib3.  `trust` replaces the system's certificates."""

    def __init__(
        self,
        *,
        clock: Callable[[], Instant],
        limits: Limits | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._pool = urllib3.PoolManager(
            num_pools=4,
            maxsize=self._limits.connections,
            retries=False,
            timeout=urllib3.Timeout(
                connect=self._limits.connect / SECOND, read=self._limits.silence / SECOND
            ),
            ssl_context=trust,
        )

    def exchange(self, request: Request) -> Reply:
        """Send and read one attempt."""
        sent_at = self._clock()
        received = bytearray()
        try:
            answer = self._pool.request(
                request.method,
                request.url,
                body=request.body,
                headers=request.headers,
                redirect=False,
                preload_content=False,
                decode_content=True,
            )
            is_whole = False
            try:
                too_much = self._read(answer, received, sent_at)
                is_whole = too_much is None
            finally:
                # A connection with an unread rest must not be used again.
                answer.release_conn() if is_whole else answer.close()
        except HTTPError as error:
            return _pool_failure(error, bytes(received))
        except OSError as error:
            return Failure(
                FailureKind.CUT, f"broke the connection ({_name(error)})", bytes(received)
            )
        if too_much is not None:
            return too_much
        return Response(
            status=answer.status,
            headers=_kept(answer.headers.get),
            body=bytes(received),
            sent_at=sent_at,
            received_at=self._clock(),
        )

    def close(self) -> None:
        """Close idle connections."""
        self._pool.clear()

    def _read(
        self, answer: urllib3.BaseHTTPResponse, received: bytearray, sent_at: Instant
    ) -> Failure | None:
        """Read the body into `received`, as long as size and time allow."""
        while chunk := answer.read1(_CHUNK, decode_content=True):
            received += chunk
            if len(received) > self._limits.body_bytes_max:
                return _too_large(self._limits, received)
            if self._clock() - sent_at > self._limits.total:
                return _too_slow(self._limits.total)
        return None


class AsyncTransport:
    """On aiohttp, for the event loop it is first used on."""

    def __init__(
        self,
        *,
        clock: Callable[[], Instant],
        limits: Limits | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None

    async def exchange(self, request: Request) -> Reply:
        """Send and read one attempt."""
        session = self._opened()
        sent_at = self._clock()
        received = bytearray()
        try:
            async with session.request(
                request.method,
                # Already encoded: what is sent must be what was signed.
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
            ) as answer:
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    received += chunk
                    if len(received) > self._limits.body_bytes_max:
                        answer.close()
                        return _too_large(self._limits, received)
                return Response(
                    status=answer.status,
                    headers=_kept(answer.headers.get),
                    body=bytes(received),
                    sent_at=sent_at,
                    received_at=self._clock(),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _client_failure(error, bytes(received))

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            limits = self._limits
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=limits.connections, ssl=True if self._trust is None else self._trust
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=limits.total / SECOND,
                    sock_connect=limits.connect / SECOND,
                    sock_read=limits.silence / SECOND,
                ),
                middlewares=(_only_once,),
                trust_env=False,
            )
        return self._session


async def _only_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a request by itself.

    It would send GET, PUT and DELETE once more after a lost connection: an order
    cancelled twice, with an old signature, and counted by nobody.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _BrokenOff(type(error).__name__) from None


def _kept(get: Callable[[str], str | None]) -> dict[str, str]:
    """The few headers that are looked at, by lower-case name."""
    return {name: value for name in _KEPT_HEADERS if (value := get(name)) is not None}


def _too_large(limits: Limits, received: bytearray) -> Failure:
    says = f"sent more than the allowed {limits.body_bytes_max} bytes"
    return Failure(FailureKind.TOO_LARGE, says, bytes(received[:_CHUNK]))


def _too_slow(microseconds: int) -> Failure:
    return Failure(FailureKind.TIMEOUT, f"needed more than {microseconds // SECOND} s to answer")


def _pool_failure(error: HTTPError, received: bytes) -> Failure:
    if isinstance(error, SSLError):
        return _tls_failure(error.args[0] if error.args else error)
    return _look_up(error, _POOL_FAILURES, received)


def _client_failure(error: aiohttp.ClientError | OSError, received: bytes) -> Failure:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _tls_failure(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return _tls_failure(getattr(error, "os_error", error))
    if isinstance(error, ssl.SSLError):
        return _tls_failure(error)
    if isinstance(error, aiohttp.ClientPayloadError) and "encoding" in str(error):
        return Failure(FailureKind.GARBLED, _UNPACKABLE, received)
    return _look_up(error, _CLIENT_FAILURES, received)


def _look_up(error: Exception, table: _Failures, received: bytes) -> Failure:
    """The first row that fits; the order of the table is from special to general."""
    for kinds, kind, says in table:
        if isinstance(error, kinds):
            return Failure(kind, says, received)
    return Failure(FailureKind.GARBLED, f"could not be talked to ({_name(error)})", received)


def _tls_failure(error: object) -> Failure:
    if isinstance(error, ssl.SSLCertVerificationError):
        says = f"could not be trusted: {error.verify_message or 'its certificate is not valid'}"
        return Failure(FailureKind.CERTIFICATE, says)
    reason = getattr(error, "reason", None) or type(error).__name__
    # Perhaps in the handshake, perhaps later: so it counts as sent.
    return Failure(FailureKind.CUT, f"broke off the encrypted connection ({reason})")


def _name(error: Exception) -> str:
    return type(error).__name__
