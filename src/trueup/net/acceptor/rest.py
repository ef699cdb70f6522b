"""The REST side of the sandbox: real HTTP in, the simulated exchange's answers out.

Requests go through the same stations as at the exchange: is there such an
operation, who is asking, can the body be read, is there budget left, is the
query well formed, what is the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Final

import msgspec
from aiohttp import web

from trueup.core.errors import TrueupError
from trueup.core.instant import Instant, to_datetime
from trueup.net.acceptor import replies
from trueup.net.acceptor.billing import Meters, bill
from trueup.net.acceptor.faults import FaultLine
from trueup.net.acceptor.fix_side import FixSide
from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.gate import Caller, Clock, Gate
from trueup.net.acceptor.living import Life
from trueup.net.acceptor.queries import read_query
from trueup.net.acceptor.question import Answers, Question
from trueup.net.acceptor.replies import JSON, Reply
from trueup.net.acceptor.routes import Routes
from trueup.net.acceptor.stream import StreamHub
from trueup.wire.rest.bodies import BodyRefused
from trueup.wire.rest.table import Operation
from trueup.wire.signing import REST_PREFIX, WEBSOCKET_PATH

_V1_ORDERS: Final = "/portfolio/orders"
_BODY_BYTES_MAX: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stations:
    """Everything that a request passes on its way.

    `clock` is the machine's time, for budgets and the ``Date`` header;
    `world_clock` the time at which the world is looked at.  Reads of the account
    show it `lag` microseconds ago.  `floor` is `None` where a recording answers.
    """

    routes: Routes
    gate: Gate
    meters: Meters
    answers: Answers
    faults: FaultLine
    clock: Clock
    world_clock: Clock
    lag: int
    floor: Floor | None
    streams: StreamHub | None
    life: Life | None = None
    fix: FixSide | None = None


def application(stations: Stations) -> web.Application:
    """The server as an aiohttp application."""
    handler = _Handler(stations)
    app = web.Application(client_max_size=_BODY_BYTES_MAX)
    if stations.streams is not None:
        app.router.add_route("GET", WEBSOCKET_PATH, stations.streams.handle)
    if stations.life is not None:
        stations.life.join(app)
    app.router.add_route("*", "/{tail:.*}", handler.handle)
    return app


class _Handler:
    def __init__(self, stations: Stations) -> None:
        self._stations = stations
        self._date = (0, "")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request, whatever it is."""
        faults, at = self._stations.faults, self._stations.world_clock()
        delay = faults.delay(at)
        if delay:
            await asyncio.sleep(delay)
        fate = faults.before(at, is_write=request.method != "GET")
        reply = fate.reply
        if reply is None:
            reply = faults.after(fate, await self._reply(request))
        headers = {"Date": self._dated(self._stations.clock())}
        if reply.content_type:
            headers["Content-Type"] = reply.content_type
        return web.Response(status=reply.status, body=reply.body, headers=headers)

    def _dated(self, now: Instant) -> str:
        second = now // 1_000_000
        if self._date[0] != second:
            shown = format_datetime(to_datetime(now).replace(microsecond=0), usegmt=True)
            self._date = second, shown
        return self._date[1]

    async def _reply(self, request: web.Request) -> Reply:
        stations, path = self._stations, request.raw_path.partition("?")[0]
        if not path.startswith(REST_PREFIX + "/"):
            return replies.NOT_FOUND
        short = request.path.removeprefix(REST_PREFIX)
        found = stations.routes.find(request.method, short)
        if found is None:
            return replies.V1_GONE if _is_v1_order(request.method, short) else replies.NOT_FOUND
        operation, values = found
        caller = stations.gate.admit(operation, request.headers, path=path)
        if isinstance(caller, Reply):
            return caller
        read = await _read(request, needs_body=operation.has_body)
        if isinstance(read, Reply):
            return read
        given = _given(request)
        if not self._is_paid(operation, caller, given, tree=read.tree):
            return replies.TOO_MANY
        return self._answer(operation, values, given, caller=caller, body=read.raw)

    def _is_paid(
        self, operation: Operation, caller: Caller, given: Mapping[str, str], *, tree: object
    ) -> bool:
        """Charge a request.  Those without a key are limited in ways nobody has written down."""
        if not operation.signed:
            return True
        now = self._stations.clock()
        meter = self._stations.meters.of(caller.member, now)
        return meter.passes(bill(operation, given, tree), now)

    def _answer(
        self,
        operation: Operation,
        values: Mapping[str, str],
        given: Mapping[str, str],
        *,
        caller: Caller,
        body: bytes,
    ) -> Reply:
        stations = self._stations
        query = read_query(operation, given, caller)
        if isinstance(query, Reply):
            return query
        at = stations.world_clock()
        question = Question(
            operation=operation.name,
            path=values,
            query=query,
            given=given,
            caller=caller,
            at=at,
            read_at=Instant(at - stations.lag),
            body=body,
        )
        try:
            answer = stations.answers.answer(question)
        except BodyRefused as refused:
            return replies.body_refusal(refused)
        except TrueupError as error:
            return replies.refusal(500, "internal_error", details=str(error))
        if isinstance(answer, Reply):
            return answer
        return stations.faults.alter(operation.name, answer, at).reply()


def _given(request: web.Request) -> dict[str, str]:
    """The query; a parameter that is given several times is a list, however it is written."""
    query = request.query
    given = dict(query)
    if len(given) != len(query):
        given = {name: ",".join(query.getall(name)) for name in given}
    return given


@dataclass(frozen=True, slots=True)
class _Body:
    raw: bytes
    tree: object


async def _read(request: web.Request, *, needs_body: bool) -> _Body | Reply:
    """The body, which must be JSON where one is needed or given; or what is said to another."""
    try:
        raw = await request.read() if request.can_read_body else b""
    except web.HTTPRequestEntityTooLarge:
        return replies.TOO_LARGE
    except ConnectionResetError:
        # Whoever asked is gone, in mid-request: a killed bot is no error of the exchange.
        return replies.flat_refusal(400, "bad_request", "unexpected EOF")
    if not raw and not needs_body:
        return _Body(raw, None)
    if request.content_type != JSON:
        return replies.NOT_JSON_TYPE
    try:
        return _Body(raw, msgspec.json.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return replies.flat_refusal(400, "bad_request", str(error) or "unexpected EOF")


def _is_v1_order(method: str, path: str) -> bool:
    return method in {"POST", "DELETE"} and path.startswith(_V1_ORDERS)
