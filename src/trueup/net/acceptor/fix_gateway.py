"""The FIX side of the sandbox: sessions over TLS on the same exchange as REST and WebSocket.

The gateway listens to the floor.  Of every step it writes the execution reports and the
settlement reports, and hands each subscriber its own.  A session gets the reports of the
orders that were placed on it; a listener those of the whole account, whoever placed them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from trueup.core.ids import OrderId
from trueup.core.instant import SECOND, Instant
from trueup.net.acceptor.fix_faults import FixLine
from trueup.net.acceptor.fix_market_data import (
    Watched,
    answer_request,
    answer_status_request,
    tell,
)
from trueup.net.acceptor.fix_order_entry import FixOrderEntry
from trueup.net.acceptor.fix_order_groups import answer_group
from trueup.net.acceptor.fix_quotes import FixQuotes
from trueup.net.acceptor.fix_reports import Asked, Reported, Reports, ReportWriter
from trueup.net.acceptor.fix_settlements import SettlementReports
from trueup.net.acceptor.fix_side import FixMaker
from trueup.net.acceptor.fix_terms import FixTerms, Subscriber
from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.gate import Clock
from trueup.net.acceptor.keys import READ, WRITE_TRADE, KeyRing
from trueup.net.fix.acceptor import FixAcceptor, Peer
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.exchange import Exchange
from trueup.sim.faults import FaultName, FaultPlan, RequestFate
from trueup.wire.fix.codec import Received
from trueup.wire.fix.message import Message
from trueup.wire.fix.messages.market_data import MarketDataRequest, SecurityStatusRequest
from trueup.wire.fix.messages.orders import (
    EventResendComplete,
    EventResendReject,
    EventResendRequest,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderGroupRequest,
    OrderMassCancelRequest,
)
from trueup.wire.fix.messages.session import BusinessMessageReject, Header, Logon
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import Disconnect

_UNSIGNED: Final = "signature error"
_CONNECTED: Final = "already exists"
_NOT_ENTITLED: Final = "API usage level is not allowed for FIX"
_NO_SCOPE: Final = "the API key may not do this"
_UNSUPPORTED: Final = "this session does not take such a message"
_RATE_LIMITED: Final = "8"
_NOT_TAKEN: Final = "3"
_REPLAYS_NOT_ENABLED: Final = "5"
_LOGON_FAULTS: Final = {
    FaultName.FIX_NOT_ENTITLED: _NOT_ENTITLED,
    FaultName.FIX_EXISTS: _CONNECTED,
    FaultName.FIX_BUSY: "FIX logon service busy; retry with backoff",
}
_BETWEEN_MASS_CANCELS: Final = SECOND
_TRADING: Final = frozenset({SessionKind.NR, SessionKind.RT, SessionKind.RFQ})

Place = tuple[SessionKind, str]


class FixGateway:
    """All FIX sessions of one sandbox.

    `clock` is the time of the sessions, by which logons are judged; `world_clock` the time
    of the exchange; `plan` has the faults that are switched on and off while it runs.
    """

    def __init__(
        self,
        floor: Floor,
        keys: KeyRing,
        terms: FixTerms,
        *,
        clock: Clock,
        world_clock: Clock,
        new_id: Callable[[], str],
        plan: FaultPlan | None = None,
    ) -> None:
        line = FixLine(terms.faults, plan, world_clock)
        self._plan = plan
        self._hushed: Subscriber | None = None
        self._floor = floor
        self._keys = keys
        self._terms = terms
        self._world_clock = world_clock
        self._new_id = new_id
        self._acceptors = {
            kind: FixAcceptor(kind, self, clock=clock, tls=terms.tls, name=terms.name, line=line)
            for kind in terms.ports
        }
        self._subscribers: dict[Place, Subscriber] = {}
        self._connected: dict[str, Subscriber] = {}
        self._watched: dict[str, Watched] = {}
        self._owners: dict[OrderId, Place] = {}
        self._names: dict[tuple[c.Member, str], OrderId] = {}
        self._mass_canceled_at: dict[Place, Instant] = {}
        self._clock = clock
        self._asked: Asked | None = None
        self._writer = ReportWriter()
        self._reports = Reports()
        self._settlements = SettlementReports(floor, terms)
        self._quotes = FixQuotes(self, new_id)
        self._forget: Callable[[], None] | None = None
        self.ports: dict[SessionKind, int] = {}
        """Where each session listens, once it does."""

    async def open(self, host: str) -> None:
        """Listen on all ports.  Raises `OSError` when one is taken; then none is open."""
        try:
            for kind, acceptor in self._acceptors.items():
                self.ports[kind] = await acceptor.start(host, self._terms.ports[kind])
        except OSError:
            await self.close()
            raise
        self._forget = self._floor.listen(self._hear)

    async def close(self) -> None:
        """Log everybody out and stop listening."""
        if self._forget is not None:
            self._forget()
            self._forget = None
        for acceptor in self._acceptors.values():
            await acceptor.stop()

    def drop(self, key_id: str) -> None:
        """Break a client's connection without a word."""
        for acceptor in self._acceptors.values():
            acceptor.drop(key_id)

    # -- who comes and goes ----------------------------------------------------------------

    def judge(self, header: Header, logon: Logon, text: bytes) -> str:
        """Why a logon is refused; empty to let it in."""
        key = self._keys.find(header.sender)
        if key is None or not key.verifies(logon.signature or "", text):
            return _UNSIGNED
        planned = self._plan and self._plan.logon_refusal(self._world_clock())
        if planned:
            return _LOGON_FAULTS[planned]
        kind = SessionKind(header.target)
        if kind in self._terms.not_entitled:
            return _NOT_ENTITLED
        trades = kind in _TRADING and not logon.is_listener
        if not key.may(READ) or (trades and not key.may(WRITE_TRADE)):
            return _NO_SCOPE
        return _CONNECTED if header.sender in self._connected else ""

    def logged_on(self, peer: Peer) -> None:
        """A client is there."""
        key = self._keys.find(peer.key_id)
        member = self._keys.owner if key is None or key.member is None else key.member
        subscriber = Subscriber(
            peer.kind, peer.key_id, member, None if key is None else key.subaccount, peer.logon
        )
        if peer.kind is SessionKind.MD:
            self._watched[peer.key_id] = Watched()
        self._subscribers[subscriber.place] = self._connected[peer.key_id] = subscriber

    def left(self, peer: Peer, end: Disconnect) -> None:
        """A client is gone; its orders go with it where it asked for that."""
        del end
        subscriber = self._connected.pop(peer.key_id)
        self._watched.pop(peer.key_id, None)
        if subscriber.logon.cancel_orders_on_disconnect:
            self._entry(subscriber, lambda message: self.publish(subscriber, message)).cancel_own()

    # -- what is asked ---------------------------------------------------------------------

    def received(self, peer: Peer, received: Received) -> None:
        """A client sent a message."""
        subscriber, message = self._connected[peer.key_id], received.message
        self._floor.catch_up(self._world_clock())
        entry = self._entry(subscriber, peer.send)
        match self._fate(message):
            case RequestFate.LOST:
                self.drop(peer.key_id)
            case RequestFate.LIMITED:
                peer.send(_refused(received, _RATE_LIMITED, "rate limit exceeded"))
            case RequestFate.UNAVAILABLE if isinstance(message, NewOrderSingle):
                self._hushed = subscriber
                entry.place(message)
                self._hushed = None
                entry.say_unavailable(message)
            case _:
                self._carry_out(peer, subscriber, received)

    def _carry_out(self, peer: Peer, subscriber: Subscriber, received: Received) -> None:
        entry, message = self._entry(subscriber, peer.send), received.message
        match message:
            case NewOrderSingle():
                entry.place(message)
            case OrderCancelReplaceRequest():
                entry.replace(message)
            case OrderCancelRequest():
                entry.cancel(message)
            case OrderMassCancelRequest() if self._may_mass_cancel(subscriber):
                entry.mass_cancel(message)
            case OrderMassCancelRequest():
                peer.send(_refused(received, _RATE_LIMITED, "rate limit exceeded"))
            case OrderGroupRequest():
                peer.send(answer_group(self, subscriber, received, message, new_id=self._new_id))
            case EventResendRequest():
                self._replay(peer, subscriber, received.header, message)
            case _:
                self._inform(peer, subscriber, received)

    def _inform(self, peer: Peer, subscriber: Subscriber, received: Received) -> None:
        """What is asked that is no order: market data, and quotes."""
        message = received.message
        match message:
            case MarketDataRequest():
                watched = self._watched[peer.key_id]
                answer_request(message, watched, self.exchange, send=peer.send)
            case SecurityStatusRequest():
                answer_status_request(message, self._watched[peer.key_id])
            case _:
                if not self._quotes.answer(subscriber, message, peer.send):
                    peer.send(_refused(received, _NOT_TAKEN, _UNSUPPORTED))

    def _fate(self, message: Message) -> RequestFate:
        if self._plan is None or not self._plan.faults:
            return RequestFate.WHOLE
        ticker = str(getattr(message, "symbol", None) or "")
        is_new = isinstance(message, NewOrderSingle)
        return self._plan.request_fate(self._world_clock(), ticker, is_new=is_new)

    def _entry(self, subscriber: Subscriber, send: Callable[[Message], None]) -> FixOrderEntry:
        return FixOrderEntry(self, subscriber, send, new_id=self._new_id)

    def _may_mass_cancel(self, subscriber: Subscriber) -> bool:
        """Once a second."""
        now, last = self._clock(), self._mass_canceled_at.get(subscriber.place)
        if last is not None and now - last < _BETWEEN_MASS_CANCELS:
            return False
        self._mass_canceled_at[subscriber.place] = now
        return True

    def _replay(
        self, peer: Peer, subscriber: Subscriber, header: Header, asked: EventResendRequest
    ) -> None:
        found = (
            self._reports.replay(subscriber, asked.begin_execution_id, asked.end_execution_id)
            if self._terms.replays
            else _REPLAYS_NOT_ENABLED
        )
        if isinstance(found, str):
            peer.send(EventResendReject(request_sequence=header.sequence, reason=found))
            return
        reports = [report for one in found if (report := one.for_subscriber(subscriber))]
        for report in reports:
            peer.send(report)
        peer.send(EventResendComplete(request_sequence=header.sequence, events=len(reports)))

    # -- the desk of the orders ------------------------------------------------------------

    @property
    def exchange(self) -> Exchange:
        """The exchange that stands behind."""
        return self._floor.exchange

    def now(self) -> Instant:
        """The time of a command that is given now."""
        return self._floor.time_for(self._world_clock())

    def step(self, command: c.Command, asked: Asked | None = None) -> tuple[e.Event, ...]:
        """Carry a command out; its reports have been sent when this returns."""
        self._asked = asked
        try:
            return self._floor.step(command)
        finally:
            self._asked = None

    def own(self, subscriber: Subscriber, order_id: OrderId) -> None:
        """Remember on which session an order was placed."""
        self._owners[order_id] = subscriber.place

    def owns(self, subscriber: Subscriber, order_id: OrderId) -> bool:
        """Whether an order was placed on that session."""
        return self._owners.get(order_id) == subscriber.place

    def named(self, subscriber: Subscriber, client_order_id: str) -> OrderId | None:
        """The order that ever had this ClOrdID."""
        known = self._names.get((subscriber.member, client_order_id))
        account = self.exchange.books.accounts.get(subscriber.member)
        if known is not None or account is None:
            return known
        older = account.resting.items()  # From before anybody listened.
        return next(
            (id_ for id_, one in older if one.terms.client_order_id == client_order_id), None
        )

    @property
    def subscribers(self) -> tuple[Subscriber, ...]:
        """Everybody who ever logged on, also who is away."""
        return tuple(self._subscribers.values())

    # -- what is told ----------------------------------------------------------------------

    def _hear(self, events: tuple[e.Event, ...]) -> None:
        members = self._keys.members
        self._quotes.hear(events)
        for reported in self._writer.write(events, members, self._asked):
            terms = reported.updated.terms
            if terms.client_order_id:
                self._names[terms.member, terms.client_order_id] = terms.order_id
            self._reports.keep(reported)
            for subscriber in self.subscribers:
                self._report(subscriber, reported)
        if self._watched:
            tell(self.exchange, events, self._watchers())
        paid = self._settlements.paid(events, members)
        if not paid:
            return
        for subscriber in self.subscribers:
            if subscriber.wants_settlements:
                for page in self._settlements.pages(paid, subscriber):
                    if not self._never_comes(page.symbol):
                        self.publish(subscriber, page)

    def _watchers(self) -> Iterator[tuple[Subscriber, Watched, Callable[[Message], None]]]:
        for key_id, watched in tuple(self._watched.items()):
            subscriber = self._connected[key_id]
            yield subscriber, watched, partial(self.publish, subscriber)

    def _never_comes(self, ticker: str) -> bool:
        """Whether a page is lost for good, so that only its number of all (20106) tells of it."""
        if self._terms.faults.loses_for_good():
            return True
        return self._plan is not None and self._plan.page_is_lost(self._world_clock(), ticker)

    def _report(self, subscriber: Subscriber, reported: Reported) -> None:
        terms = reported.updated.terms
        if subscriber is self._hushed:
            return
        is_told = subscriber.logon.is_listener or self.owns(subscriber, terms.order_id)
        if not is_told or not subscriber.sees(terms.member, terms.subaccount):
            return
        report = reported.for_subscriber(subscriber)
        if report is not None:
            self.publish(subscriber, report)

    def publish(self, subscriber: Subscriber, message: Message) -> None:
        """Send a message to a session; one that sends again keeps it for a client that is away."""
        self._acceptors[subscriber.kind].publish(subscriber.key_id, message)


def fix_side(terms: FixTerms) -> FixMaker:
    """FIX sessions that behave as `terms` say, for the server's `Settings.fix`."""

    def make(
        floor: Floor,
        keys: KeyRing,
        *,
        clock: Clock,
        world_clock: Clock,
        new_id: Callable[[], str],
        plan: FaultPlan | None = None,
    ) -> FixGateway:
        return FixGateway(
            floor, keys, terms, clock=clock, world_clock=world_clock, new_id=new_id, plan=plan
        )

    return make


def _refused(received: Received, reason: str, text: str) -> BusinessMessageReject:
    return BusinessMessageReject(
        refused_sequence=received.header.sequence,
        refused_type=received.message.TYPE,
        reason=reason,
        text=text,
    )
