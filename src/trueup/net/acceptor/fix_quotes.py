"""Requests for quotes and quotes over FIX: the creator on KalshiRT, the maker on KalshiRFQ.

Every request, wherever it was made, is told to every maker's session; a quote to the session
on which its request was made, and what becomes of it to the session on which it was made.
The order of a requester is reported on its session; that of a maker is not, as the
exchange's page *RFQ Messages* names no execution report for KalshiRFQ.  What is told to a
maker who is away is not sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from trueup.core.ids import PRIMARY, ClientOrderId, OrderId, Subaccount, Ticker
from trueup.core.units import Price
from trueup.net.acceptor.fix_order_entry import Desk, refusal_in
from trueup.net.acceptor.fix_terms import Subscriber
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.rfq import QuoteStatus, Rfq, RfqEnd, RfqQuote, RfqStatus
from trueup.sim.rfq_surface import public_name, requester_of
from trueup.wire.fix import words as w
from trueup.wire.fix.message import Message
from trueup.wire.fix.messages import quotes as q
from trueup.wire.fix.messages.orders import Party
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.words import Verdict

_MANUAL: Final = "1"
_UNKNOWN_SYMBOL, _EXCEEDS_LIMIT, _OTHER = "1", "3", "99"
_POST_ONLY: Final = "6"
_NO_COMBOS: Final = "combos are not simulated: name a market (55)"
_NOT_FOUND: Final = "NOT_FOUND"
_STATUSES: Final = {
    QuoteStatus.OPEN: w.QuoteStatus.PENDING,
    QuoteStatus.ACCEPTED: w.QuoteStatus.ACCEPTED,
    QuoteStatus.CANCELLED: w.QuoteStatus.CANCELED,
}
"""What a maker hears of; a confirmation is answered, an execution shows in the fills."""

Send = Callable[[Message], None]


class RfqDesk(Desk, Protocol):
    """Where RFQs and quotes are carried out, and who listens there."""

    @property
    def subscribers(self) -> tuple[Subscriber, ...]:
        """Everybody who ever logged on."""
        ...

    def publish(self, subscriber: Subscriber, message: Message) -> None:
        """Send a message to a session."""
        ...


@dataclass(slots=True)
class _Made:
    """On which session something was made, and how its client calls it."""

    subscriber: Subscriber
    name: str


@dataclass(slots=True)
class FixQuotes:
    """All RFQs and quotes of the FIX side."""

    desk: RfqDesk
    new_id: Callable[[], str]
    _rfqs: dict[str, _Made] = field(default_factory=dict[str, _Made])
    _quotes: dict[str, _Made] = field(default_factory=dict[str, _Made])
    _named: dict[tuple[c.Member, str], str] = field(default_factory=dict[tuple[c.Member, str], str])

    def answer(self, subscriber: Subscriber, asked: Message, send: Send) -> bool:
        """Carry out what a client asks; returns whether it was something of ours."""
        match asked:
            case q.QuoteRequest():
                self._request(subscriber, asked, send)
            case q.RFQCancel():
                self._cancel_rfq(subscriber, asked, send)
            case q.AcceptQuote():
                self._accept(subscriber, asked, send)
            case q.Quote():
                self._quote(subscriber, asked, send)
            case q.QuoteCancel():
                self._cancel_quote(subscriber, asked, send)
            case q.QuoteConfirm():
                self._confirm(subscriber, asked, send)
            case _:
                return False
        return True

    # -- the requester ---------------------------------------------------------------------

    def _request(self, subscriber: Subscriber, asked: q.QuoteRequest, send: Send) -> None:
        def refused(reason: str, text: str) -> None:
            send(q.QuoteRequestReject(request_id=asked.request_id, reason=reason, text=text))

        key = subscriber.member, asked.request_id
        if asked.symbol is None or asked.legs:
            refused(_OTHER, _NO_COMBOS)
            return
        if key in self._named:
            refused(_OTHER, "the QuoteReqID (131) is used already")
            return
        subaccount = _subaccount(subscriber, asked.subaccount)
        if subaccount is None:
            refused(_OTHER, "PERMISSION_DENIED_FOR_CUSTOMER_ACCOUNT")
            return
        rfq_id = self.new_id()
        self._rfqs[rfq_id] = _Made(subscriber, asked.request_id)
        command = c.CreateRfq(
            at=self.desk.now(),
            member=subscriber.member,
            subaccount=subaccount,
            rfq_id=rfq_id,
            ticker=Ticker(asked.symbol),
            count=asked.quantity,
            target_cost=asked.cash_quantity,
            target_cost_excludes_fees=bool(asked.target_cost_excludes_fees),
            rest_remainder=bool(asked.rest_remainder),
            replace_existing=bool(asked.replace_existing),
            obscure_creator_id=bool(asked.obscure_creator_id),
        )
        no = refusal_in(self.desk.step(command))
        if no is not None:
            del self._rfqs[rfq_id]
            refused(_reason(no), _text(no))
            return
        self._named[key] = rfq_id
        send(
            q.QuoteRequestAck(
                request_id=asked.request_id,
                request_type=_MANUAL,
                rfq_id=rfq_id,
                symbol=asked.symbol,
                shard=self.desk.exchange.books.communications.rfqs[rfq_id].shard,
            )
        )

    def _cancel_rfq(self, subscriber: Subscriber, asked: q.RFQCancel, send: Send) -> None:
        rfq_id = asked.rfq_id or self._named.get((subscriber.member, asked.request_id or ""), "")
        rfq = self.desk.exchange.books.communications.rfqs.get(rfq_id)
        name = asked.request_id or rfq_id
        text = _NOT_FOUND
        if rfq is not None and subscriber.sees(rfq.member, rfq.subaccount):
            command = c.DeleteRfq(at=self.desk.now(), member=subscriber.member, rfq_id=rfq_id)
            no = refusal_in(self.desk.step(command))
            if no is None:
                made = self._rfqs.get(rfq_id)
                if made is None or made.subscriber.place != subscriber.place:
                    # Where it was made its end has been told already.
                    send(_ended(rfq_id, name, Verdict.ACCEPTED))
                return
            text = _text(no)
        send(_ended(rfq_id, name, Verdict.REJECTED, text))

    def _accept(self, subscriber: Subscriber, asked: q.AcceptQuote, send: Send) -> None:
        """Who buys takes the maker's bid for NO, who sells the one for YES."""
        order_id = OrderId(self.new_id())
        self.desk.own(subscriber, order_id)
        found = self._own_rfq_of(subscriber, asked)
        text, accepted = _NOT_FOUND, asked.quote_id
        verdict = Verdict.REJECTED
        if found:
            events = self.desk.step(
                c.AcceptQuote(
                    at=self.desk.now(),
                    member=subscriber.member,
                    quote_id=asked.quote_id,
                    rfq_id=asked.rfq_id,
                    side=asked.side.opposite(),
                    order_id=order_id,
                    client_order_id=ClientOrderId(asked.client_order_id or self.new_id()),
                    count=asked.quantity,
                    prefers_better=bool(asked.prefer_better_quote),
                )
            )
            no = refusal_in(events)
            text = "" if no is None else _text(no)
            verdict = Verdict.ACCEPTED if no is None else Verdict.REJECTED
            accepted = next((one.quote.quote_id for one in _quotes_in(events)), asked.quote_id)
        send(
            q.AcceptQuoteStatus(
                quote_id=asked.quote_id,
                status=verdict,
                accepted_quote_id=accepted if verdict is Verdict.ACCEPTED else None,
                client_order_id=asked.client_order_id,
                text=text or None,
            )
        )

    def _own_rfq_of(self, subscriber: Subscriber, asked: q.AcceptQuote) -> bool:
        communications = self.desk.exchange.books.communications
        quote = communications.quote(asked.quote_id, asked.rfq_id)
        rfq = None if quote is None else communications.rfqs[quote.rfq_id]
        return rfq is not None and subscriber.sees(rfq.member, rfq.subaccount)

    # -- the maker -------------------------------------------------------------------------

    def _quote(self, subscriber: Subscriber, asked: q.Quote, send: Send) -> None:
        subaccount = _subaccount(subscriber, asked.subaccount)
        rfq = self.desk.exchange.books.communications.rfqs.get(asked.request_id)
        text = ""
        if subaccount is None:
            text = "PERMISSION_DENIED_FOR_CUSTOMER_ACCOUNT"
        elif asked.quote_id in self.desk.exchange.books.communications.quotes:
            text = "the QuoteID (117) is used already"
        elif rfq is None or rfq.ticker != asked.symbol:
            text = _NOT_FOUND
        if text or subaccount is None:
            send(_rejected(asked, text))
            return
        self._quotes[asked.quote_id] = _Made(subscriber, asked.quote_id)
        command = c.CreateQuote(
            at=self.desk.now(),
            member=subscriber.member,
            subaccount=subaccount,
            quote_id=asked.quote_id,
            rfq_id=asked.request_id,
            yes_bid=asked.bid or Price(0),
            no_bid=asked.offer or Price(0),
            rest_remainder=bool(asked.rest_remainder),
            post_only=_POST_ONLY in (asked.instructions or "").split(),
        )
        no = refusal_in(self.desk.step(command))
        if no is not None:
            del self._quotes[asked.quote_id]
            send(_rejected(asked, _text(no)))

    def _cancel_quote(self, subscriber: Subscriber, asked: q.QuoteCancel, send: Send) -> None:
        quote = self._own_quote(subscriber, asked)
        text = _NOT_FOUND
        if quote is not None:
            command = c.DeleteQuote(
                at=self.desk.now(), member=subscriber.member, quote_id=quote.quote_id
            )
            no = refusal_in(self.desk.step(command))
            text = "" if no is None else _text(no)
        status = Verdict.REJECTED if text else Verdict.ACCEPTED
        send(q.QuoteCancelStatus(quote_id=asked.quote_id, status=status, text=text or None))

    def _confirm(self, subscriber: Subscriber, asked: q.QuoteConfirm, send: Send) -> None:
        quote = self._own_quote(subscriber, asked)
        text = _NOT_FOUND
        if quote is not None:
            command = c.ConfirmQuote(
                at=self.desk.now(),
                member=subscriber.member,
                quote_id=quote.quote_id,
                order_id=OrderId(self.new_id()),
                client_order_id=ClientOrderId(self.new_id()),
            )
            no = refusal_in(self.desk.step(command))
            text = "" if no is None else _text(no)
        status = Verdict.REJECTED if text else Verdict.ACCEPTED
        send(q.QuoteConfirmStatus(quote_id=asked.quote_id, status=status, text=text or None))

    def _own_quote(self, subscriber: Subscriber, asked: q.QuoteReference) -> RfqQuote | None:
        quote = self.desk.exchange.books.communications.quote(asked.quote_id, asked.rfq_id)
        is_own = quote is not None and subscriber.sees(quote.member, quote.subaccount)
        return quote if is_own else None

    # -- what is told ----------------------------------------------------------------------

    def hear(self, events: tuple[e.Event, ...]) -> None:
        """Tell of what happened to RFQs and quotes."""
        for event in events:
            if isinstance(event, e.RfqUpdated):
                self._tell_rfq(event.rfq)
            elif isinstance(event, e.RfqQuoteUpdated):
                self._tell_quote(event.quote)

    def _tell_rfq(self, rfq: Rfq) -> None:
        is_open = rfq.status is RfqStatus.OPEN
        for subscriber in self.desk.subscribers:
            if subscriber.kind is SessionKind.RFQ:
                shown = _shown_request(rfq, subscriber) if is_open else _withdrawn(rfq)
                self.desk.publish(subscriber, shown)
        made = self._rfqs.get(rfq.rfq_id)
        if made is None or rfq.end in {None, RfqEnd.EXECUTED}:
            return
        if rfq.end in {RfqEnd.DELETED, RfqEnd.REPLACED}:
            ended = _ended(rfq.rfq_id, made.name, Verdict.ACCEPTED)
        else:
            ended = _ended(rfq.rfq_id, made.name, Verdict.EXPIRED, _words(rfq))
        self.desk.publish(made.subscriber, ended)

    def _tell_quote(self, quote: RfqQuote) -> None:
        maker, creator = self._quotes.get(quote.quote_id), self._rfqs.get(quote.rfq_id)
        if maker is not None and quote.status in _STATUSES:
            self.desk.publish(maker.subscriber, _status(quote, _STATUSES[quote.status]))
        if creator is not None and quote.status is QuoteStatus.OPEN:
            self.desk.publish(creator.subscriber, _shown_quote(quote))


def _subaccount(subscriber: Subscriber, asked: int | None) -> Subaccount | None:
    """The subaccount that is meant; `None` for one that the key is not for."""
    locked = subscriber.locked
    if asked is None:
        return PRIMARY if locked is None else locked
    return Subaccount(asked) if locked in {None, asked} else None


def _quotes_in(events: tuple[e.Event, ...]) -> Iterator[e.RfqQuoteUpdated]:
    return (event for event in events if isinstance(event, e.RfqQuoteUpdated))


def _text(refused: e.Refused) -> str:
    return refused.detail or refused.reason.value.upper()


def _reason(refused: e.Refused) -> str:
    if refused.reason is e.Refusal.MARKET_NOT_FOUND:
        return _UNKNOWN_SYMBOL
    return _EXCEEDS_LIMIT if "open RFQs" in refused.detail else _OTHER


def _words(rfq: Rfq) -> str:
    return "RFQ_OPEN" if rfq.end is None else f"RFQ_{rfq.end.upper()}"


def _ended(rfq_id: str, name: str, status: Verdict, text: str = "") -> q.RFQCancelStatus:
    return q.RFQCancelStatus(
        request_id=name, status=status, text=text or None, rfq_id=rfq_id or None
    )


def _shown_request(rfq: Rfq, subscriber: Subscriber) -> q.QuoteRequest:
    """An RFQ as makers get it: under the server's id and the requester's public name."""
    return q.QuoteRequest(
        request_id=rfq.rfq_id,
        symbol=rfq.ticker,
        quantity=rfq.count,
        cash_quantity=rfq.target_cost,
        target_cost_excludes_fees=rfq.target_cost_excludes_fees or None,
        rest_remainder=rfq.rest_remainder,
        parties=(Party(party_id=requester_of(rfq, subscriber.member)),),
    )


def _withdrawn(rfq: Rfq) -> q.QuoteRequestReject:
    return q.QuoteRequestReject(request_id=rfq.rfq_id, reason=_OTHER, text=_words(rfq))


def _shown_quote(quote: RfqQuote) -> q.QuoteShown:
    """A quote as the requester gets it; a side that is declined is left out."""
    return q.QuoteShown(
        quote_id=quote.quote_id,
        request_id=quote.rfq_id,
        symbol=quote.ticker,
        bid=quote.yes_bid or None,
        offer=quote.no_bid or None,
        quantity=max(quote.yes_count, quote.no_count),
        bid_size=quote.yes_count or None,
        offer_size=quote.no_count or None,
        parties=(Party(party_id=public_name(quote.member)),),
    )


def _status(quote: RfqQuote, status: w.QuoteStatus) -> q.QuoteStatusReport:
    is_accepted = status is w.QuoteStatus.ACCEPTED
    return q.QuoteStatusReport(
        quote_id=quote.quote_id,
        request_id=quote.rfq_id,
        subaccount=quote.subaccount or None,
        status=status,
        bid=quote.yes_bid or None,
        offer=quote.no_bid or None,
        quantity=quote.accepted_count or max(quote.yes_count, quote.no_count),
        bid_size=quote.yes_count or None,
        offer_size=quote.no_count or None,
        side=quote.accepted_side if is_accepted else None,
        text=quote.reason.upper() or None,
    )


def _rejected(asked: q.Quote, text: str) -> q.QuoteStatusReport:
    return q.QuoteStatusReport(
        quote_id=asked.quote_id,
        request_id=asked.request_id,
        subaccount=asked.subaccount,
        status=w.QuoteStatus.REJECTED,
        text=text,
    )
