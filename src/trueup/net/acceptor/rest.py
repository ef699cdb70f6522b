"""The REST side of the sandbox: real HTTP in, the simulated exchange's answers out.

Requests go through the same stations as at the exchange: is there such an
operation, who is asking, is there budget left, is the query well formed, what
is the answer.  Routes come from the table of operations.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Final

import msgspec
from aiohttp import web

from trueup.core.errors import TrueupError
from trueup.core.instant import to_datetime
from trueup.net.acceptor import replies
from trueup.net.acceptor.answers import Answers, Question
from trueup.net.acceptor.faults import FaultLine
from trueup.net.acceptor.gate import Caller, Clock, Gate
from trueup.net.acceptor.house import Meter
from trueup.net.acceptor.queries import read_query
from trueup.net.acceptor.replies import JSON, Reply
from trueup.wire.rest.table import Operation, route
from trueup.wire.signing import REST_PREFIX

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_V1_ORDERS: Final = "/portfolio/orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stations:
    """Everything that a request passes on its way.

    `clock` is the machine's time, for budgets and the ``Date`` header;
    `world_clock` the time at which the world is looked at.
    """

    gate: Gate
    meter: Meter
    answers: Answers
    faults: FaultLine
    clock: Clock
    world_clock: Clock


def application(stations: Stations) -> web.Application:
    """The server as an aiohttp application."""
    handler = _Handler(stations)
    app = web.Application(client_max_size=1 << 20)
    app.router.add_route("*", "/{tail:.*}", handler.handle)
    return app


class _Handler:
    def __init__(self, stations: Stations) -> None:
        self._stations = stations

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request, whatever it is."""
        faults = self._stations.faults
        if faults.faults.slow:
            await asyncio.sleep(faults.faults.slow)
        reply = faults.before()
        if reply is None:
            reply = faults.after(await self._reply(request))
        now = to_datetime(self._stations.clock()).replace(microsecond=0)
        return web.Response(
            status=reply.status,
            body=reply.body,
            headers={"Content-Type": reply.content_type, "Date": format_datetime(now, usegmt=True)},
        )

    async def _reply(self, request: web.Request) -> Reply:
        path = request.raw_path.partition("?")[0]
        if request.method in _WITH_BODY:
            refused = _body_refused(request.content_type, await request.read())
            if refused is not None:
                return refused
        if not path.startswith(REST_PREFIX + "/"):
            return replies.NOT_FOUND
        short = request.path.removeprefix(REST_PREFIX)
        found = route(request.method, short)
        if found is None:
            return replies.V1_GONE if _is_v1_order(request.method, short) else replies.NOT_FOUND
        operation, values = found
        caller = self._stations.gate.admit(operation, request.headers, path=path)
        if isinstance(caller, Reply):
            return caller
        return self._answer(request, operation, values, caller=caller)

    def _answer(
        self, request: web.Request, operation: Operation, values: dict[str, str], *, caller: Caller
    ) -> Reply:
        stations = self._stations
        # Requests without a key are limited per address, in ways nobody has written down.
        if operation.signed and not stations.meter.passes(operation, stations.clock()):
            return replies.TOO_MANY
        given, at = dict(request.query), stations.world_clock()
        query = read_query(operation, given, caller)
        if isinstance(query, Reply):
            return query
        question = Question(
            operation=operation.name,
            path=values,
            query=query,
            given=given,
            caller=caller,
            at=at,
        )
        try:
            answer = stations.answers.answer(question)
        except TrueupError as error:
            return replies.refusal(500, "internal_error", details=str(error))
        if isinstance(answer, Reply):
            return answer
        return stations.faults.alter(operation.name, answer, at).reply()


def _body_refused(content_type: str, body: bytes) -> Reply | None:
    """What the exchange says to a body that it cannot read."""
    if content_type != JSON:
        return replies.NOT_JSON_TYPE
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        return replies.flat_refusal(400, "bad_request", str(error))
    return None


def _is_v1_order(method: str, path: str) -> bool:
    return method in {"POST", "DELETE"} and path.startswith(_V1_ORDERS)
