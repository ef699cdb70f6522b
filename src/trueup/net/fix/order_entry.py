"""Orders over a FIX session, by the same methods as ``client.orders``.

    orders = FixOrders(fix_client, rest_client, clock=…)
    reading = asyncio.create_task(orders.run(told))
    placed = await orders.create(order)

Every request goes out once, and is never sent again: not by the session (a client fills
over what it sent), not by this class.  A request is answered by the report that carries
its ClOrdID (11).  When the connection breaks first, or messages were lost among which the
answer may be, nobody knows what became of it: `OrderOutcomeUnknown`, and REST is asked.
One that is not answered for `ANSWER_WITHIN` breaks the connection: what the exchange has
not read by then it never will, so that an order cannot come to life after it was found
to be absent.

What does not depend on speed has a second road: an order that this session does not know,
a session that is down, and a cancellation of everything are handed to REST (the last one
also).  The tokens of the rate limit are shared with REST, as the exchange does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Final

from trueup.core.errors import (
    NotSent,
    OutcomeUnknown,
    ProtocolBroken,
    TrueupError,
    Unreachable,
)
from trueup.core.ids import ClientOrderId, OrderId, Subaccount, Ticker, first_name, further_name
from trueup.core.instant import SECOND, Instant
from trueup.core.order_entry import (
    Amendment,
    Cancellation,
    NewOrder,
    OrderAmended,
    OrderCanceled,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderQuestion,
)
from trueup.core.orders import TimeInForce
from trueup.core.units import ZERO_COUNT, Count
from trueup.net.client import AsyncClient
from trueup.net.fix.client import FixClient, FixEvent
from trueup.net.order_roads import OrderUnread, RoadChanged, RoadMissed, Told
from trueup.wire.fix import order_requests as requests
from trueup.wire.fix.errors import Unusable
from trueup.wire.fix.message import Message
from trueup.wire.fix.messages.orders import (
    ExecutionReport,
    OrderCancelReject,
    OrderCancelRequest,
    OrderMassCancelReport,
    OrderMassCancelRequest,
)
from trueup.wire.fix.messages.session import BusinessMessageReject, Reject
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import Deliver, Disconnect, LoggedOn, Missed, Unreadable
from trueup.wire.fix.translate import OrderReports, execution_key, is_pending, read_fill
from trueup.wire.fix.words import ExecType, MassCancelResponse
from trueup.wire.rest import orders as rest_orders

ANSWER_WITHIN: Final = 5 * SECOND
OPEN_WITHIN: Final = 90 * SECOND
"""After an unclean end the exchange counts the old connection for up to a minute."""

ORDERS_MAX: Final = 10_000
"""So many orders that ended are remembered, for reports that come late."""

BETWEEN_MASS_CANCELS: Final = SECOND
"""The exchange takes one mass cancel (q) a second."""


_Answer = ExecutionReport | OrderMassCancelReport


@dataclass(slots=True)
class _Waiting:
    """A request without an answer.  With `to_the_end` only an order's last word is one."""

    future: asyncio.Future[_Answer]
    sequence: int
    to_the_end: bool


@dataclass(slots=True)
class _Order:
    """An order that the session told of.  `tried` is the last name that was asked for."""

    name: ClientOrderId
    tried: ClientOrderId
    last: ExecutionReport
    reports: OrderReports = field(default_factory=OrderReports)
    executions: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])

    @property
    def resting(self) -> Count:
        """How many contracts rest by the last report."""
        return ZERO_COUNT if requests.is_last_word(self.last) else self.last.leaves_quantity


class FixOrders:
    """The orders of one session.  Nothing can be asked before `run` has logged on."""

    def __init__(
        self,
        client: FixClient,
        rest: AsyncClient,
        *,
        clock: Callable[[], Instant],
        answer_within: int = ANSWER_WITHIN,
        open_within: int = OPEN_WITHIN,
    ) -> None:
        self._client = client
        self._rest = rest
        self._clock = clock
        self._answer_within = answer_within
        self._open_within = open_within
        self._why_down = "nothing was heard of it"
        self._waiting: dict[str, _Waiting] = {}
        self._orders: dict[OrderId, _Order] = {}
        self._ended: dict[OrderId, None] = {}
        self._up = asyncio.Event()
        self._mass_canceled_at: Instant | None = None

    @property
    def kind(self) -> SessionKind:
        """Which session it is."""
        return self._client.endpoint.kind

    @asynccontextmanager
    async def running(self, told: Told) -> AsyncGenerator[asyncio.Task[None]]:
        """Log on, then read in a task until the block ends.

        Raises why the logon was refused, or `Unreachable` when there is none in time.
        """
        reading = asyncio.create_task(self.run(told))
        up = asyncio.create_task(self._up.wait())
        try:
            await asyncio.wait(
                (reading, up),
                timeout=self._open_within / SECOND,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if reading.done():
                reading.result()
            if not self._up.is_set():
                raise Unreachable(
                    f"{self.kind} could not be opened within {self._open_within // SECOND} s: "
                    f"{self._why_down}"
                )
            yield reading
        finally:
            up.cancel()
            self._client.logout()
            await self._client.close()
            reading.cancel()
            await asyncio.gather(reading, up, return_exceptions=True)

    async def run(self, told: Told) -> None:
        """Read the session over all its connections, until it is closed.

        Raises what `FixClient.events` raises: a refused logon, numbers that do not fit.
        """
        try:
            async with aclosing(self._client.events()) as events:
                async for event in events:
                    self._take(event, told)
        finally:
            self._up.clear()
            self._lose("the FIX session ended")

    # -- what is asked ---------------------------------------------------------------------

    async def create(self, order: NewOrder) -> OrderPlaced:
        """Place one order; like ``client.orders.create``.

        An order that must not rest is answered when it ended, so that the answer says what
        filled.
        """
        await self._rest.take_turn(rest_orders.create(order))
        report = await self._ask(
            requests.new_order_single(order),
            order.client_order_id,
            asked=order,
            to_the_end=order.time_in_force is not TimeInForce.GOOD_TILL_CANCELED,
        )
        return requests.placed(report, name=order.client_order_id, at=self._clock())

    async def amend(self, amendment: Amendment) -> OrderAmended:
        """Change a resting order; like ``client.orders.amend``."""
        known = self._orders.get(amendment.order_id)
        name = None if known is None else further_name(known.tried)
        if known is None or name is None or not self._client.is_established:
            # By now it may have another name than the caller knows.
            return await self._rest.orders.amend(replace(amendment, client_order_id=None))
        await self._rest.take_turn(rest_orders.amend(amendment))
        known.tried = name
        message = requests.replace_request(amendment, name=name, original=known.name)
        return requests.amended(await self._ask(message, name, asked=amendment), at=self._clock())

    async def cancel(self, cancellation: Cancellation) -> OrderCanceled:
        """Take a resting order back; like ``client.orders.cancel``."""
        known = self._orders.get(cancellation.order_id)
        if known is None or not self._client.is_established:
            return await self._rest.orders.cancel(cancellation)
        await self._rest.take_turn(rest_orders.cancel(cancellation))
        name = self._rest.session.new_client_order_id()
        request = OrderCancelRequest(
            client_order_id=name,
            order_id=cancellation.order_id,
            original_client_order_id=known.name,
            side=known.last.side,
            symbol=known.last.symbol,
            subaccount=cancellation.subaccount,
            shard=cancellation.shard,
        )
        resting = known.resting
        report = await self._ask(request, name, asked=cancellation)
        first = first_name(known.name)
        return requests.canceled(report, name=first, resting=resting, at=self._clock())

    async def cancel_all(self, subaccounts: Collection[Subaccount]) -> None:
        """Take everything back: what this session placed by one message, then by REST the rest.

        Raises what REST raises; a session that fails is no reason to stop.
        """
        if self._mass_cancel_is_due(subaccounts):
            with suppress(TrueupError):  # REST is the road that counts.
                await self.mass_cancel()
        for subaccount in subaccounts:
            await self._rest.orders.cancel_all(subaccount=subaccount)

    async def mass_cancel(self) -> None:
        """Take back every order of this session (KalshiNR; once a second).

        Raises `ExchangeRefused`, or `OutcomeUnknown` without an answer.
        """
        self._mass_canceled_at = self._clock()
        name = self._rest.session.new_client_order_id()
        answer = await self._send(OrderMassCancelRequest(client_order_id=name), name)
        if isinstance(answer, OrderMassCancelReport):
            refused = answer.response is MassCancelResponse.REJECTED
            if refused:
                raise requests.mass_cancel_refused(answer)

    def _mass_cancel_is_due(self, subaccounts: Collection[Subaccount]) -> bool:
        """It takes the orders of all subaccounts, so none may be spared."""
        if self.kind is not SessionKind.NR or not self._client.is_established:
            return False
        last = self._mass_canceled_at
        if last is not None and self._clock() - last < BETWEEN_MASS_CANCELS:
            return False
        return all(
            order.last.subaccount in {None, *subaccounts}
            for order in self._orders.values()
            if order.resting
        )

    async def _ask(
        self,
        message: Message,
        name: str,
        *,
        asked: NewOrder | Amendment | Cancellation,
        to_the_end: bool = False,
    ) -> ExecutionReport:
        sent_at = self._clock()
        try:
            answer = await self._send(message, name, to_the_end=to_the_end)
        except NotSent:
            raise
        except OutcomeUnknown as error:
            is_new = isinstance(asked, NewOrder)
            question = OrderQuestion(
                sent_at=sent_at,
                lost_at=self._clock(),
                client_order_id=asked.client_order_id if is_new else None,
                order_id=None if is_new else asked.order_id,
                ticker=asked.ticker,
                subaccount=asked.subaccount,
            )
            raise OrderOutcomeUnknown(str(error), (question,)) from error
        if not isinstance(answer, ExecutionReport):
            raise OutcomeUnknown("the exchange answered an order with a mass cancel")
        return answer

    async def _send(self, message: Message, name: str, *, to_the_end: bool = False) -> _Answer:
        """Send a message, and its answer.

        Raises `NotSent` while the session is down, `ExchangeRefused`, or `OutcomeUnknown`.
        """
        if not self._client.is_established:
            raise NotSent(
                f"{self.kind} is not connected; the message was not sent",
                remedy="The session connects again by itself.",
            )
        future: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        sequence = self._client.put(message)
        self._waiting[name] = _Waiting(future, sequence, to_the_end)
        try:
            async with asyncio.timeout(self._answer_within / SECOND):
                return await future
        except TimeoutError as error:
            self._client.break_off()
            words = f"{self.kind}: no answer within {self._answer_within // SECOND} s"
            raise OutcomeUnknown(words) from error
        finally:
            self._waiting.pop(name, None)

    # -- what is heard ---------------------------------------------------------------------

    def _take(self, event: FixEvent, told: Told) -> None:
        match event:
            case Deliver(received):
                try:
                    self._heard(received.message, told)
                except ProtocolBroken as error:
                    self._not_usable(received.message, error, told)
            case LoggedOn():
                self._up.set()
                told(RoadChanged(is_open=True, words=f"{self.kind} is logged on"))
            case Disconnect(ending, text):
                self._why_down = f"{ending}: {text}"
                if self._up.is_set():  # One that never came up is no news.
                    self._up.clear()
                    words = f"{self.kind}: {self._why_down}"
                    self._lose(words)
                    told(RoadChanged(is_open=False, words=words))
            case Missed(begin, end, reason):
                words = f"{self.kind}: messages {begin} to {end} will not come: {reason}"
                told(RoadMissed(words))
                self._lose(words)
            case Unreadable(error):
                self._lose(f"{self.kind}: a message could not be read: {error}")
                ticker = _symbol_in(error)
                if ticker is not None:
                    told(OrderUnread(ticker, str(error)))
            case _:
                pass

    def _lose(self, words: str) -> None:
        """Whatever has no answer may be anything."""
        for waiting in self._waiting.values():
            if not waiting.future.done():
                waiting.future.set_exception(OutcomeUnknown(words))

    def _not_usable(self, message: Message, error: ProtocolBroken, told: Told) -> None:
        """One report lacks what may not be guessed: its order is in doubt, the session is not."""
        if not isinstance(message, ExecutionReport):
            raise error
        waiting = self._waiting.get(message.client_order_id)
        if waiting is not None and not waiting.future.done():
            waiting.future.set_exception(OutcomeUnknown(f"{self.kind}: {error}"))
        told(OrderUnread(Ticker(message.symbol), str(error)))

    def _heard(self, message: Message, told: Told) -> None:
        match message:
            case ExecutionReport():
                self._reported(message, told)
            case OrderMassCancelReport():
                self._answer(message.client_order_id, message)
            case OrderCancelReject():
                self._refuse(self._waiting.get(message.client_order_id), message)
            case Reject() | BusinessMessageReject():
                number = message.refused_sequence
                found = [each for each in self._waiting.values() if each.sequence == number]
                self._refuse(found[0] if found else None, message)
            case _:
                pass

    def _refuse(self, waiting: _Waiting | None, message: requests.Refusal) -> None:
        if waiting is not None and not waiting.future.done():
            is_open = message.text == requests.UNAVAILABLE
            waiting.future.set_exception(_unavailable() if is_open else requests.refusal(message))

    def _answer(self, name: str, message: _Answer) -> bool:
        """Whether a request still waits for more after this."""
        waiting = self._waiting.get(name)
        if waiting is None or waiting.future.done():
            return False
        is_report = isinstance(message, ExecutionReport)
        if is_report and waiting.to_the_end and not requests.is_last_word(message):
            return True
        waiting.future.set_result(message)
        return False

    def _reported(self, report: ExecutionReport, told: Told) -> None:
        if is_pending(report):
            return
        waiting = self._waiting.get(report.client_order_id)
        if report.execution_type is ExecType.REJECTED and waiting is not None:
            if not waiting.future.done():
                waiting.future.set_exception(_why_rejected(report))
            return
        if report.text == requests.UNAVAILABLE:
            return  # Too late for who asked, and no word about whether the order lives.
        order = self._follow(report)
        if order is None:
            return
        if report.execution_type is ExecType.TRADE:
            told(read_fill(report))
        if self._answer(report.client_order_id, report):
            return  # The answer tells it all, once there is one.
        reported = order.reports.reported()
        if reported is not None:
            told(replace(reported, client_order_id=first_name(reported.client_order_id)))

    def _follow(self, report: ExecutionReport) -> _Order | None:
        """The order with this report added; `None` for one that was added before."""
        order_id = OrderId(report.order_id)
        order = self._orders.get(order_id)
        if order is None:
            is_own_name = report.execution_type in {ExecType.NEW, ExecType.TRADE, ExecType.REPLACED}
            name = report.client_order_id if is_own_name else report.original_client_order_id
            own = ClientOrderId(name or report.client_order_id)
            order = self._orders[order_id] = _Order(own, own, report)
        key = execution_key(report)
        if key in order.executions:
            return None
        order.executions.add(key)
        order.last = report
        order.reports.take(report)
        if report.execution_type is ExecType.REPLACED:
            order.name = ClientOrderId(report.client_order_id)
        if requests.is_last_word(report):
            self._ended[order_id] = None
            if len(self._ended) > ORDERS_MAX:
                oldest = next(iter(self._ended))
                del self._ended[oldest], self._orders[oldest]
        return order


def _why_rejected(report: ExecutionReport) -> TrueupError:
    if report.text == requests.UNAVAILABLE:
        return _unavailable()
    return requests.rejection(report)


def _unavailable() -> OutcomeUnknown:
    return OutcomeUnknown("the exchange is unavailable, and may have done what was asked")


def _symbol_in(error: Unusable) -> Ticker | None:
    """The market of a message that could not be read, where it can be found."""
    for part in error.raw.split(b"\x01"):
        if part.startswith(b"55="):
            return Ticker(part[3:].decode("utf-8", "replace"))
    return None
