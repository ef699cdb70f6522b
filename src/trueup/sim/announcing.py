"""What the streams of the exchange would tell of an event, and whom.

Openings and closings by the clock are told to nobody.  Fills, orders, positions
and order groups are told to their own member; a change of a book to everybody,
with its order's ids to the member whose order made it.  Requests for quotes are told to
everybody, quotes to their two sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from trueup.core import announcements as a
from trueup.core.grid import PriceGrid
from trueup.core.ids import Subaccount, Ticker
from trueup.core.market import MarketStatus
from trueup.core.orderbook import BookDelta, BookSnapshot, Level
from trueup.core.units import ONE_DOLLAR, Count, Price
from trueup.sim import events as e
from trueup.sim.commands import Member
from trueup.sim.exchange import Exchange
from trueup.sim.lifecycle import MarketState
from trueup.sim.rfq import QuoteStatus, Rfq, RfqStatus
from trueup.sim.rfq_surface import public_name, requester_in_quote, requester_of

COMBO_PREFIX: Final = "KXMVE"
"""How the tickers of multivariate markets begin; they have a lifecycle channel of their own."""

_NOTHING: Final = Price(0)
_DOLLAR: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """An announcement.  `member` is whom it belongs to, or whose order made it;
    `subaccount` where it is about one.
    """

    value: a.Announcement
    member: Member | None = None
    subaccount: Subaccount | None = None


def announcements(exchange: Exchange, event: e.Event, *, clock: int = 0) -> Iterator[Told]:
    """What an event that just happened makes the streams say; nothing, for most.

    `clock` is the exchange's count of actions at the one that it came from.
    """
    match event:
        case e.BookChanged():
            yield _delta(event, clock)
        case e.TopChanged():
            yield Told(_ticker(event))
        case e.TradeMade():
            yield Told(_trade(event))
        case e.OrderUpdated():
            yield _order(event)
        case e.FillMade():
            yield _fill(event)
            terms = event.terms
            yield from _position(exchange, terms.member, terms.subaccount, ticker=terms.ticker)
        case e.SettlementPaid():
            settled = event.settled
            yield from _position(exchange, event.member, settled.subaccount, ticker=settled.ticker)
        case e.OrderGroupUpdated():
            yield _group(event)
        case e.RfqUpdated():
            yield _rfq(event.rfq)
        case e.RfqQuoteUpdated():
            yield from _quote(event)
        case _:
            yield from map(Told, _lifecycle(exchange, event))


def snapshot(state: MarketState, *, clock: int = 0) -> BookSnapshot:
    """The whole book of a market as it is now; `clock` is that of its newest change."""
    book = state.book
    return BookSnapshot(
        ticker=state.ticker,
        bids=tuple(Level(Price(one.price), Count(one.total)) for one in book.bids.from_best()),
        asks=tuple(Level(Price(one.price), Count(one.total)) for one in book.asks.from_best()),
        clock=clock,
    )


def top(exchange: Exchange, state: MarketState) -> a.TickerAnnounced:
    """What the ticker channel says of a market now."""
    bid, ask, tape = state.book.best_bid(), state.book.best_ask(), state.tape
    last = tape.trades[-1] if tape.trades else None
    return a.TickerAnnounced(
        ticker=state.ticker,
        last=last.price if last else _NOTHING,
        yes_bid=Price(bid.price) if bid else _NOTHING,
        yes_ask=Price(ask.price) if ask else ONE_DOLLAR,
        bid_count=Count(bid.total if bid else 0),
        ask_count=Count(ask.total if ask else 0),
        last_count=last.count if last else Count(0),
        volume=Count(tape.volume),
        open_interest=state.open_interest,
        dollar_volume=tape.dollar_volume // _DOLLAR,
        dollar_open_interest=state.open_interest.units // 100,
        at=exchange.now,
    )


# -- the book and its trades -------------------------------------------------------------------


def _delta(event: e.BookChanged, clock: int) -> Told:
    value = BookDelta(
        ticker=event.ticker,
        side=event.side,
        price=event.price,
        change=event.delta,
        at=event.at,
        clock=clock,
        client_order_id=event.terms.client_order_id or None,
        subaccount=event.terms.subaccount,
    )
    return Told(value, event.terms.member)


def _ticker(event: e.TopChanged) -> a.TickerAnnounced:
    return a.TickerAnnounced(
        ticker=event.ticker,
        last=event.last or _NOTHING,
        yes_bid=event.bid or _NOTHING,
        yes_ask=event.ask or ONE_DOLLAR,
        bid_count=Count(event.bid_size),
        ask_count=Count(event.ask_size),
        last_count=Count(event.last_size),
        volume=Count(event.volume),
        open_interest=Count(event.open_interest),
        dollar_volume=event.dollar_volume // _DOLLAR,
        dollar_open_interest=event.open_interest // 100,
        at=event.at,
    )


def _trade(event: e.TradeMade) -> a.TradeAnnounced:
    return a.TradeAnnounced(
        trade_id=event.trade_id,
        ticker=event.ticker,
        price=event.price,
        count=event.count,
        taker_side=event.taker_side,
        is_block=event.is_block,
        at=event.at,
    )


# -- a member's own ----------------------------------------------------------------------------


def _order(event: e.OrderUpdated) -> Told:
    terms = event.terms
    value = a.OrderAnnounced(
        order=event.order,
        reason=event.why.last_update_reason,
        order_group_id=terms.group_id,
        self_trade_prevention=terms.self_trade_prevention.value,
        expires_at=terms.expires_at,
    )
    return Told(value, event.member, terms.subaccount)


def _fill(event: e.FillMade) -> Told:
    value = a.FillAnnounced(
        filled=event.filled,
        position=Count(event.net_units),
        client_order_id=event.terms.client_order_id or None,
    )
    return Told(value, event.member, event.terms.subaccount)


def _position(
    exchange: Exchange, member: Member, subaccount: Subaccount, *, ticker: Ticker
) -> Iterator[Told]:
    record = exchange.account(member).holdings.get((subaccount, ticker))
    held = None if record is None else record.latest()
    if held is None:
        return
    value = a.PositionAnnounced(
        ticker=ticker,
        net=held.position.net,
        cost=held.position.cost,
        realized=held.realized,
        fees_paid=held.fees,
        position_fees=held.fees,
        volume=held.yes_count + held.no_count,
        subaccount=subaccount,
    )
    yield Told(value, member, subaccount)


def _group(event: e.OrderGroupUpdated) -> Told:
    has_limit = event.why in {e.OrderGroupChange.CREATED, e.OrderGroupChange.LIMIT_UPDATED}
    value = a.OrderGroupAnnounced(
        order_group_id=event.group_id,
        change=a.OrderGroupChange(event.why.value),
        contracts_limit=event.contracts_max if has_limit else None,
        at=event.at,
    )
    return Told(value, event.member, event.subaccount)


# -- requests for quotes -----------------------------------------------------------------------


def _rfq(rfq: Rfq) -> Told:
    is_open = rfq.status is RfqStatus.OPEN
    value = a.RfqAnnounced(
        rfq_id=rfq.rfq_id,
        change=a.RfqChange.CREATED if is_open else a.RfqChange.DELETED,
        creator_id=public_name(rfq.member),
        hidden_as=requester_of(rfq, None),
        ticker=rfq.ticker,
        event_ticker=rfq.event_ticker,
        count=rfq.count,
        target_cost=rfq.target_cost,
        at=rfq.updated_at,
    )
    return Told(value, rfq.member)


_QUOTE_CHANGES: Final = {
    QuoteStatus.OPEN: a.QuoteChange.CREATED,
    QuoteStatus.ACCEPTED: a.QuoteChange.ACCEPTED,
    QuoteStatus.EXECUTED: a.QuoteChange.EXECUTED,
}
"""Confirmed and cancelled quotes are not announced: the channel has no message for them."""


def _quote(event: e.RfqQuoteUpdated) -> Iterator[Told]:
    quote, rfq = event.quote, event.rfq
    change = _QUOTE_CHANGES.get(quote.status)
    if change is None:
        return
    is_executed = quote.status is QuoteStatus.EXECUTED
    for side, name in ((quote, quote.order), (rfq, quote.rfq_order)):
        shown = name if is_executed else None
        value = a.QuoteAnnounced(
            quote_id=quote.quote_id,
            rfq_id=quote.rfq_id,
            change=change,
            quote_creator_id=public_name(quote.member),
            rfq_creator_id=requester_in_quote(quote, rfq, side.member),
            ticker=quote.ticker,
            order_id=shown and shown.order_id,
            client_order_id=shown and shown.client_order_id,
            subaccount=side.subaccount or None,
            at=quote.updated_at,
        )
        if not is_executed:
            value = replace(
                value,
                event_ticker=rfq.event_ticker,
                yes_bid=quote.yes_bid,
                no_bid=quote.no_bid,
                yes_count=quote.yes_count,
                no_count=quote.no_count,
                target_cost=rfq.target_cost,
                accepted_side=quote.accepted_side,
                accepted_count=quote.accepted_count or None,
            )
        yield Told(value, side.member, side.subaccount)


# -- markets and events ------------------------------------------------------------------------


def _lifecycle(exchange: Exchange, event: e.Event) -> Iterator[a.Announcement]:
    match event:
        case e.MarketListed():
            yield _created(exchange, event)
        case e.EventListed():
            listed = event.event
            yield a.EventAnnounced(
                event_ticker=listed.ticker,
                series_ticker=listed.series_ticker,
                title=listed.title,
                collateral_return="MECNET" if listed.mutually_exclusive else "",
                is_combo=listed.ticker.startswith(COMBO_PREFIX),
            )
        case e.FeeChangeScheduled():
            change = event.change
            if change.event_ticker is not None:
                yield a.EventFeesAnnounced(
                    event_ticker=change.event_ticker,
                    fee_type=change.fee_type,
                    fee_multiplier=change.fee_multiplier,
                )
        case e.CloseTimeChanged():
            about = _about(event.ticker, a.MarketChange.CLOSE_DATE_UPDATED)
            yield replace(about, close_at=event.close_at)
        case e.PriceGridChanged():
            yield replace(
                _about(event.ticker, a.MarketChange.PRICE_LEVEL_STRUCTURE_UPDATED),
                price_level_structure=event.grid.label,
                price_ranges=_bands(event.grid),
            )
        case e.MarketMoved():
            if not event.silent:
                yield from _moved(event)
        case _:
            return


def _created(exchange: Exchange, event: e.MarketListed) -> a.MarketAnnounced:
    market = event.market
    grid = exchange.books.listings.markets[market.ticker].grid
    return replace(
        _about(market.ticker, a.MarketChange.CREATED),
        open_at=market.open_at,
        close_at=market.close_at,
        shard=market.shard,
        price_level_structure=grid.label,
        price_ranges=_bands(grid),
        details={
            "name": market.title,
            "title": market.title,
            "yes_sub_title": market.title,
            "no_sub_title": market.title,
            "rules_primary": "",
            "rules_secondary": "",
            "can_close_early": True,
            "event_ticker": market.event_ticker,
        },
    )


def _moved(event: e.MarketMoved) -> Iterator[a.MarketAnnounced]:
    ticker = event.ticker
    match event.status:
        case MarketStatus.ACTIVE:
            yield replace(_about(ticker, a.MarketChange.ACTIVATED), is_deactivated=False)
        case MarketStatus.INACTIVE:
            yield replace(_about(ticker, a.MarketChange.DEACTIVATED), is_deactivated=True)
        case MarketStatus.DETERMINED | MarketStatus.AMENDED:
            yield replace(
                _about(ticker, a.MarketChange.DETERMINED),
                result=None if event.result is None else event.result.value,
                settlement_value=event.value,
                determined_at=event.at,
            )
        case MarketStatus.FINALIZED:
            yield replace(_about(ticker, a.MarketChange.SETTLED), settled_at=event.at)
        case _:
            return


def _about(ticker: Ticker, change: a.MarketChange) -> a.MarketAnnounced:
    return a.MarketAnnounced(ticker=ticker, change=change, is_combo=ticker.startswith(COMBO_PREFIX))


def _bands(grid: PriceGrid) -> tuple[a.PriceBand, ...]:
    return tuple(
        a.PriceBand(start=Price(one.start), end=Price(one.end), step=Price(one.step))
        for one in grid.bands
    )
