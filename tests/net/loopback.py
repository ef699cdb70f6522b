"""A scripted exchange on a loopback port, and one face for both clients."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from time import monotonic, sleep
from typing import ClassVar, Protocol, TypeVar

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from trueup.core.instant import MINUTE, SECOND, Instant, parse_instant
from trueup.net.client import AsyncClient, Client, open_async_client, open_client
from trueup.net.request import Limits, Reply
from trueup.net.session import Counts, LimitsLearned, Options, Session, Step
from trueup.net.signer import Signer
from trueup.net.skew import Skew
from trueup.net.venues import Endpoint, Venue, resolve_endpoint
from trueup.wire.rest.call import Call, Page

T = TypeVar("T")

NOON = parse_instant("2026-10-20T12:00:00Z")
PATIENT = Limits(connect=MINUTE, silence=MINUTE, total=2 * MINUTE, body_bytes_max=100_000)
"""Nobody is given up because the machine stalled; a body is still bounded."""

GIVE_UP_SOON = replace(PATIENT, silence=SECOND // 5)
"""For an exchange that hangs: with any other a stall would look like its silence."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request as the exchange got it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Say:
    """One scripted answer.

    `promised` is a Content-Length that differs from the body; `hang` answers
    only when the exchange is closed; `drop` closes the connection instead.
    """

    status: int = 200
    body: bytes = b'{"value":1}'
    headers: dict[str, str] = field(default_factory=dict[str, str])
    promised: int | None = None
    hang: bool = False
    drop: bool = False
    clock_ahead: int = 0


Script = Callable[[Seen], Say]


class Machine:
    """Clock and sleep of a client: time passes only while it sleeps."""

    def __init__(self, at: Instant = NOON) -> None:
        self.at = at
        self.slept: list[int] = []

    def clock(self) -> Instant:
        return self.at

    def sleep(self, microseconds: int) -> None:
        self.slept.append(microseconds)
        self.at = Instant(self.at + microseconds)

    async def sleep_async(self, microseconds: int) -> None:
        self.sleep(microseconds)


class Exchange:
    """What the script saw, and where it listens."""

    def __init__(self, script: Script, port: int) -> None:
        self.script = script
        self.port = port
        self.seen: list[Seen] = []
        self.closing = Event()

    def has_seen(self, requests: int) -> bool:
        """Whether exactly so many requests came; waits for those that are on their way."""
        end = monotonic() + 60
        while len(self.seen) < requests and monotonic() < end:
            sleep(0.005)
        return len(self.seen) == requests

    def endpoint(self, *, allowed_hosts: tuple[str, ...] = ()) -> Endpoint:
        url = f"http://127.0.0.1:{self.port}"
        return resolve_endpoint(Venue.SANDBOX, url, allowed_hosts=allowed_hosts)


@contextmanager
def exchange_saying(*answers: Say, script: Script | None = None) -> Generator[Exchange]:
    """An exchange that gives these answers in turn, the last one for ever."""
    left = list(answers)

    def in_turn(seen: Seen) -> Say:
        del seen
        return left.pop(0) if len(left) > 1 else left[0]

    exchange = Exchange(script or in_turn, 0)

    class Handler(_Handler):
        owner = exchange

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    exchange.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield exchange
    finally:
        exchange.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: ClassVar[Exchange]
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = 60

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        seen = Seen(
            method=self.command,
            target=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        self.owner.seen.append(seen)
        say = self.owner.script(seen)
        if say.hang:
            self.owner.closing.wait(60)
        if say.hang or say.drop:
            self.close_connection = True
            return
        theirs = (NOON + say.clock_ahead) // SECOND
        self.send_response_only(say.status)
        headers = {"Date": formatdate(theirs, usegmt=True), "Content-Type": "application/json"}
        for name, value in (headers | say.headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(say.promised or len(say.body)))
        self.end_headers()
        self.wfile.write(say.body)
        self.close_connection = say.promised is not None

    do_GET = do_POST = do_DELETE = do_PUT = _answer  # noqa: N815 (the library's names)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        del format, args


@contextmanager
def self_signed_server() -> Generator[int]:
    """A port that shakes hands with a certificate nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(_self_signed_pem())
        file.flush()
        context.load_cert_chain(file.name)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    continue

    thread = Thread(target=serve)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _self_signed_pem() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, SHA256())
    )
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ) + certificate.public_bytes(Encoding.PEM)


Flow = Callable[[Session], Generator[Step, Reply | None, T]]


class Driver(Protocol):
    """Both clients, as a test sees them."""

    def send(self, call: Call[T]) -> T: ...
    def pages(self, call: Call[Page[T]]) -> list[Page[T]]: ...
    def run(self, flow: Flow[T]) -> T: ...
    def learn_limits(self) -> LimitsLearned: ...
    @property
    def counts(self) -> Counts: ...
    @property
    def skew(self) -> Skew | None: ...
    def close(self) -> None: ...


class SyncDriver:
    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, call: Call[T]) -> T:
        return self._client.send(call)

    def pages(self, call: Call[Page[T]]) -> list[Page[T]]:
        return list(self._client.pages(call))

    def run(self, flow: Flow[T]) -> T:
        return self._client.run(flow)

    def learn_limits(self) -> LimitsLearned:
        return self._client.learn_limits()

    @property
    def counts(self) -> Counts:
        return self._client.counts

    @property
    def skew(self) -> Skew | None:
        return self._client.skew

    def close(self) -> None:
        self._client.close()


class AsyncDriver:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._runner = asyncio.Runner()

    def send(self, call: Call[T]) -> T:
        return self._runner.run(self._client.send(call))

    def pages(self, call: Call[Page[T]]) -> list[Page[T]]:
        async def collect() -> list[Page[T]]:
            return [page async for page in self._client.pages(call)]

        return self._runner.run(collect())

    def run(self, flow: Flow[T]) -> T:
        return self._runner.run(self._client.run(flow))

    def learn_limits(self) -> LimitsLearned:
        return self._runner.run(self._client.learn_limits())

    @property
    def counts(self) -> Counts:
        return self._client.counts

    @property
    def skew(self) -> Skew | None:
        return self._client.skew

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


class OpenDriver(Protocol):
    """Opens the client under test; closed at the end of the test."""

    def __call__(
        self,
        endpoint: Endpoint,
        signer: Signer | None = None,
        *,
        machine: Machine | None = None,
        options: Options | None = None,
    ) -> Driver: ...


def open_driver(
    kind: str, endpoint: Endpoint, signer: Signer | None, *, machine: Machine, options: Options
) -> Driver:
    chance = random.Random(7)  # noqa: S311 (jitter, repeatable)
    if kind == "sync":
        return SyncDriver(
            open_client(
                endpoint,
                signer,
                clock=machine.clock,
                sleep=machine.sleep,
                chance=chance,
                options=options,
            )
        )
    return AsyncDriver(
        open_async_client(
            endpoint,
            signer,
            clock=machine.clock,
            sleep=machine.sleep_async,
            chance=chance,
            options=options,
        )
    )


class Value(msgspec.Struct):
    value: int


def decode_value(body: bytes) -> int:
    return msgspec.json.decode(body, type=Value).value


def a_read(*, signed: bool = False, query: tuple[tuple[str, str], ...] = ()) -> Call[int]:
    """A call that changes nothing."""
    return Call(
        operation="GetBalance",
        method="GET",
        template="/portfolio/balance",
        path="/portfolio/balance",
        decode=decode_value,
        query=query,
        signed=signed,
    )


def a_write(method: str = "POST", *, body: bytes | None = b'{"count":"1.00"}') -> Call[int]:
    """A call that must not happen twice."""
    return Call(
        operation="CreateOrder",
        method=method,
        template="/portfolio/events/orders",
        path="/portfolio/events/orders",
        decode=decode_value,
        body=body,
        signed=False,
        idempotent=False,
    )


class _Rows(msgspec.Struct):
    rows: list[msgspec.Raw]
    cursor: str = ""


def decode_page(body: bytes) -> Page[int]:
    read = msgspec.json.decode(body, type=_Rows)
    raws = tuple(bytes(row) for row in read.rows)
    return Page(
        items=tuple(int(raw) for raw in raws),
        raws=raws,
        cursor=read.cursor,
        unknown_fields=("surprise",) if b"surprise" in body else (),
    )


def a_listing() -> Call[Page[int]]:
    """A call with pages."""
    return Call(
        operation="GetFills",
        method="GET",
        template="/portfolio/fills",
        path="/portfolio/fills",
        decode=decode_page,
        signed=False,
    )


def page(rows: list[int], cursor: str, **more: str) -> Say:
    return Say(body=msgspec.json.encode({"rows": rows, "cursor": cursor, **more}))
