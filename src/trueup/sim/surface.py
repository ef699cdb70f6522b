"""What REST lets a client see of an account at an instant.

The truth is the machine's; here it is cut, paged and split into tiers the way
the exchange shows it.  Where a subaccount is not named, fills, orders and
settlements show all of them, but balance and positions only the primary one.
All answers are core values; the acceptor writes them as JSON.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from trueup.core.facts import Banked, Filled, OrderReported, Settled, Transferred
from trueup.core.ids import (
    PRIMARY,
    EventTicker,
    OrderId,
    Shard,
    Subaccount,
    Ticker,
)
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus
from trueup.core.statements import PositionStated
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money
from trueup.sim.account import Account, Holding
from trueup.sim.commands import Member
from trueup.sim.exchange import Exchange
from trueup.sim.history import Past
from trueup.sim.order import Order
from trueup.sim.order_events import OrderTerms, OrderUpdated
from trueup.sim.paging import Listing, Query, page
from trueup.sim.tiers import Tiers

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceView:
    """Cash available, and what the positions are worth at their last prices."""

    dollars: Money
    portfolio: Money
    updated_at: Instant
    breakdown: tuple[tuple[Shard, Money], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubaccountBalanceView:
    """The cash available in one subaccount on one shard."""

    subaccount: Subaccount
    shard: Shard
    dollars: Money
    updated_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPositionView:
    """All positions of one event, summed up."""

    event_ticker: EventTicker
    total_cost: Money
    total_cost_shares: Count
    exposure: Money
    realized: Money
    fees_paid: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order, and what was asked about its life."""

    order: OrderReported
    terms: OrderTerms


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """How many contracts stand before a resting order."""

    order_id: OrderId
    ticker: Ticker
    subaccount: Subaccount
    ahead: Count


@dataclass(frozen=True, slots=True)
class PositionsView:
    """One page of positions, and their events."""

    markets: Listing[PositionStated]
    events: tuple[EventPositionView, ...]


class AccountSurface:
    """One member's account as REST shows it."""

    def __init__(self, exchange: Exchange, member: Member, tiers: Tiers) -> None:
        self._exchange = exchange
        self._member = member
        self._tiers = tiers

    @property
    def _account(self) -> Account:
        return self._exchange.account(self._member)

    # -- money -----------------------------------------------------------------------------

    def balance(self, at: Instant, query: Query) -> BalanceView:
        """The balance of one subaccount (the primary one by default)."""
        subaccount = PRIMARY if query.subaccount is None else query.subaccount
        account = self._account
        shards = sorted({place for owner, place in account.cash if owner == subaccount} | {0})
        breakdown = tuple(
            (Shard(shard), account.available_at(at, subaccount=subaccount, shard=Shard(shard)))
            for shard in shards
        )
        asked = [money for shard, money in breakdown if query.shard in {None, shard}]
        dollars = sum(asked, ZERO_MONEY)
        return BalanceView(
            dollars=dollars,
            portfolio=self._portfolio_value(at, subaccount, query.shard),
            updated_at=at,
            breakdown=breakdown,
        )

    def _portfolio_value(self, at: Instant, subaccount: Subaccount, shard: Shard | None) -> Money:
        value = ZERO_MONEY
        for holding in self._holdings(at):
            if holding.subaccount != subaccount or shard not in {None, holding.shard}:
                continue
            state = self._exchange.books.listings.markets[holding.ticker]
            quote, net = state.quotes.at(at), holding.position.net
            if net and quote is not None and quote.last is not None:
                mark = quote.last if net > ZERO_COUNT else quote.last.complement()
                value += mark * abs(net)
        return value

    def subaccount_balances(self, at: Instant) -> tuple[SubaccountBalanceView, ...]:
        """The cash of every subaccount on every shard where it ever had some."""
        account = self._account
        return tuple(
            SubaccountBalanceView(
                subaccount=subaccount,
                shard=shard,
                dollars=account.available_at(at, subaccount=subaccount, shard=shard),
                updated_at=at,
            )
            for subaccount, shard in sorted(account.cash)
        )

    def deposits(self, at: Instant, query: Query) -> Listing[Banked]:
        """Deposits, newest first."""
        return self._banked(at, query, listing="deposits")

    def withdrawals(self, at: Instant, query: Query) -> Listing[Banked]:
        """Withdrawals, newest first.  Their amounts are negative."""
        return self._banked(at, query, listing="withdrawals")

    def _banked(self, at: Instant, query: Query, *, listing: str) -> Listing[Banked]:
        sign = 1 if listing == "deposits" else -1
        rows = _at(self._account.bankings.values(), at)
        return page(rows, query, listing=listing, wanted=lambda one: one.amount.units * sign > 0)

    def subaccount_transfers(self, at: Instant, query: Query) -> Listing[Transferred]:
        """Transfers between subaccounts, newest first."""
        rows = _at(self._account.transfers.values(), at)
        return page(
            rows,
            query,
            listing="subaccount_transfers",
            wanted=lambda one: one.from_subaccount != one.to_subaccount,
        )

    def shard_transfers(self, at: Instant, query: Query) -> Listing[Transferred]:
        """Transfers between shards, newest first."""
        rows = _at(self._account.transfers.values(), at)
        return page(
            rows,
            query,
            listing="shard_transfers",
            wanted=lambda one: one.from_shard != one.to_shard,
        )

    # -- fills and orders ------------------------------------------------------------------

    def fills(self, at: Instant, query: Query) -> Listing[Filled]:
        """Fills of the live tier, newest first; all subaccounts by default."""
        since = self._tiers.live(at).trades_created
        return self._fills(query, since=since, until=Instant(at + 1), listing="fills")

    def historical_fills(self, at: Instant, query: Query) -> Listing[Filled]:
        """Fills of the historical tier, newest first; all subaccounts by default."""
        until = self._tiers.cutoffs(at).trades_created
        return self._fills(query, since=Instant(0), until=until, listing="historical_fills")

    def _fills(
        self, query: Query, *, since: Instant, until: Instant, listing: str
    ) -> Listing[Filled]:
        rows = self._account.fills
        return page(
            rows,
            query,
            listing=listing,
            wanted=lambda one: (
                query.covers(one.at)
                and query.concerns(one.ticker)
                and query.reaches(one.subaccount, one.shard)
                and query.order_id in {None, one.order_id}
            ),
            lowest=bisect_left(rows, since, key=_time_of),
            highest=bisect_left(rows, until, key=_time_of),
        )

    def orders(self, at: Instant, query: Query) -> Listing[OrderView]:
        """Orders of the live tier, newest first; all subaccounts by default.

        Resting orders are always here, however old.
        """
        since = self._tiers.live(at).orders_updated
        return self._orders(
            at,
            query,
            listing="orders",
            tier=lambda one: one.status is OrderStatus.RESTING or one.at >= since,
        )

    def historical_orders(self, at: Instant, query: Query) -> Listing[OrderView]:
        """Orders that ended before the cutoff, newest first."""
        until = self._tiers.cutoffs(at).orders_updated
        return self._orders(
            at,
            query,
            listing="historical_orders",
            tier=lambda one: one.status is not OrderStatus.RESTING and one.at < until,
        )

    def order(self, at: Instant, order_id: OrderId) -> OrderView | None:
        """One order of the live tier."""
        order = self._account.orders.get(order_id)
        state = order.state_at(at) if order else None
        if state is None:
            return None
        if state.status is not OrderStatus.RESTING:
            horizon = self._tiers.live(at).orders_updated
            return _order_view(state) if state.at >= horizon else None
        return _order_view(state)

    def _orders(
        self, at: Instant, query: Query, *, listing: str, tier: Callable[[OrderUpdated], bool]
    ) -> Listing[OrderView]:
        markets = self._exchange.books.listings.markets

        def wanted(order: Order) -> bool:
            state = order.state_at(at)
            if state is None or not tier(state):
                return False
            terms = state.terms
            return (
                query.covers(terms.at)
                and query.concerns(terms.ticker)
                and query.choice in {"", state.status}
                and query.reaches(terms.subaccount, state.shard)
                and (
                    not query.event_tickers
                    or markets[terms.ticker].market.event_ticker in query.event_tickers
                )
            )

        rows = tuple(self._account.orders.values())
        found = page(rows, query, listing=f"{listing} {query.choice}", wanted=wanted)
        states = (order.state_at(at) for order in found.items)
        views = tuple(_order_view(state) for state in states if state is not None)
        return Listing(views, found.cursor)

    def queue_positions(
        self, query: Query, *, subaccount: Subaccount | None = None
    ) -> tuple[QueuePosition, ...]:
        """How much must trade before each resting order does; in no tier, and now."""
        places: list[QueuePosition] = []
        markets = self._exchange.books.listings.markets
        for order in self._account.resting.values():
            terms, state = order.terms, markets[order.terms.ticker]
            if subaccount not in {None, terms.subaccount} or not query.concerns(terms.ticker):
                continue
            if query.event_tickers and state.market.event_ticker not in query.event_tickers:
                continue
            ahead = Count(state.book.ahead_of(order))
            places.append(QueuePosition(terms.order_id, terms.ticker, terms.subaccount, ahead))
        return tuple(places)

    # -- positions and settlements ---------------------------------------------------------

    def positions(self, at: Instant, query: Query) -> PositionsView:
        """Positions of the live tier: the primary subaccount's unsettled ones by default.

        `query.choice` is ``unsettled``, ``settled`` or ``all``; a cursor is good
        for the same choice only.
        """
        horizon = self._tiers.live(at).positions_updated
        archived = self._archived_events(at, horizon)
        choice = query.choice or "unsettled"

        def wanted(one: Holding) -> bool:
            if choice != "all" and (one.settled_at is not None) != (choice == "settled"):
                return False
            return one.event_ticker not in archived

        return self._positions(at, replace(query, choice=choice), "positions", wanted=wanted)

    def historical_positions(self, at: Instant, query: Query) -> PositionsView:
        """Settled positions of archived events; of the primary subaccount by default."""
        archived = self._archived_events(at, self._tiers.cutoffs(at).positions_updated)
        return self._positions(
            at,
            query,
            "historical_positions",
            wanted=lambda one: one.event_ticker in archived,
        )

    def _positions(
        self, at: Instant, query: Query, listing: str, *, wanted: Callable[[Holding], bool]
    ) -> PositionsView:
        subaccount = PRIMARY if query.subaccount is None else query.subaccount
        asked = replace(query, subaccount=subaccount)
        found = page(
            _at(self._account.holdings.values(), at),
            asked,
            listing=f"{listing} {query.choice}",
            wanted=lambda one: (
                wanted(one)
                and asked.concerns(one.ticker)
                and (not asked.event_tickers or one.event_ticker in asked.event_tickers)
                and asked.reaches(one.subaccount, one.shard)
                and _is_nonzero(one, asked.nonzero)
            ),
        )
        stated = tuple(self._position(one, at) for one in found.items)
        return PositionsView(Listing(stated, found.cursor), _by_event(found.items))

    def _position(self, held: Holding, at: Instant) -> PositionStated:
        history = self._account.holdings[held.subaccount, held.ticker]
        return PositionStated(
            ticker=held.ticker,
            net=held.position.net,
            exposure=held.position.cost,
            realized=held.realized,
            fees_paid=held.fees,
            total_traded=held.total_traded,
            updated_at=history.since(at) or at,
            subaccount=held.subaccount,
            shard=held.shard,
        )

    def _holdings(self, at: Instant) -> list[Holding]:
        return _at(self._account.holdings.values(), at)

    def _archived_events(self, at: Instant, horizon: Instant) -> set[EventTicker]:
        """Events whose positions have all been settled before `horizon`."""
        archived: set[EventTicker] = set()
        alive: set[EventTicker] = set()
        for held in self._holdings(at):
            old = held.settled_at is not None and held.settled_at < horizon
            (archived if old else alive).add(held.event_ticker)
        return archived - alive

    def settlements(self, at: Instant, query: Query) -> Listing[Settled]:
        """Settlement rows, newest first; all subaccounts by default.

        A row appears some time after the settlement and is gone after its
        retention: there is no archive.
        """
        rows = self._account.settlements_at(at, since=self._tiers.settlements_since(at))
        found = page(
            rows,
            query,
            listing="settlements",
            wanted=lambda one: (
                query.covers(one.settled.at)
                and query.concerns(one.settled.ticker)
                and (not query.event_tickers or one.settled.event_ticker in query.event_tickers)
                and query.subaccount in {None, one.settled.subaccount}
            ),
        )
        return Listing(tuple(one.settled for one in found.items), found.cursor)


def _order_view(state: OrderUpdated) -> OrderView:
    return OrderView(order=state.order, terms=state.terms)


def _at(histories: Iterable[Past[T]], at: Instant) -> list[T]:
    """What each of the histories says at `at`, where it says anything."""
    return [value for value in (history.at(at) for history in histories) if value is not None]


def _time_of(fill: Filled) -> Instant:
    return fill.at


def _is_nonzero(held: Holding, fields: frozenset[str]) -> bool:
    """The exchange's ``count_filter``: which figures must not be zero."""
    return all(
        bool(held.position.net) if field == "position" else bool(held.total_traded)
        for field in fields
    )


def _by_event(holdings: Iterable[Holding]) -> tuple[EventPositionView, ...]:
    found: dict[EventTicker, list[Holding]] = {}
    for held in holdings:
        found.setdefault(held.event_ticker, []).append(held)
    return tuple(
        EventPositionView(
            event_ticker=event,
            total_cost=sum((one.total_traded for one in held), ZERO_MONEY),
            total_cost_shares=sum((one.yes_count + one.no_count for one in held), ZERO_COUNT),
            exposure=sum((one.position.cost for one in held), ZERO_MONEY),
            realized=sum((one.realized for one in held), ZERO_MONEY),
            fees_paid=sum((one.fees for one in held), ZERO_MONEY),
        )
        for event, held in found.items()
    )
