"""The rest of the world as it is told, around an exchange at which only own orders are real.

One member, the *tape*, holds what is told to rest as orders of its own, so that
everything an own order may take is in the book, and nothing else.  What own
orders that rest get is counted by `mirrored_book` and stated to the exchange
(`commands.Trade`).  Fees, cash, positions and settlement are the exchange's.

Whoever drives it carries out its commands with `step` and lets every event of
the exchange reach `hear` before that returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, OrderId, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketStatus
from trueup.core.orders import OrderStatus, SelfTradePrevention, Side
from trueup.core.units import Count, Price
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.exchange import Exchange
from trueup.sim.lifecycle import MarketState
from trueup.sim.living.mirrored_book import (
    BookSeen,
    Level,
    LevelSeen,
    MirroredBook,
    Seen,
    TradeSeen,
    given,
)
from trueup.sim.living.world import HOUSE_MONEY, SHARDS
from trueup.sim.order import Order

TAPE: Final = c.Member("tape")
"""Who owns what is told to rest."""

Step = Callable[[c.Command], tuple[e.Event, ...]]
"""Carries a command out; every event has reached `Mirror.hear` when it returns."""

_PLACES: Final = frozenset({e.OrderChange.PLACED, e.OrderChange.AMEND})


class Mirror:
    """Mirrors what is told into an exchange.

    `assumed_ahead` is how much to assume ahead of an order in a market whose book
    is not told; `None`: it is not known, and trades at the order's price give it nothing.
    """

    def __init__(
        self, exchange: Exchange, step: Step, *, assumed_ahead: Count | None = None
    ) -> None:
        self.exchange = exchange
        self.books: dict[Ticker, MirroredBook] = {}
        self._step = step
        self._assumed = None if assumed_ahead is None else assumed_ahead.units
        self._orders = 0

    def open(self, at: Instant) -> None:
        """Admit the tape.  Once, before anything is seen."""
        self._step(c.OpenAccount(at=at, member=TAPE, precision=Precision.DIRECT, history=False))
        for shard in SHARDS:
            self._step(
                c.Credit(
                    at=at,
                    member=TAPE,
                    subaccount=PRIMARY,
                    shard=shard,
                    amount=HOUSE_MONEY,
                    reason="house money",
                )
            )

    def book(self, ticker: Ticker) -> MirroredBook:
        """What is known about a market."""
        book = self.books.get(ticker)
        if book is None:
            book = self.books[ticker] = MirroredBook(ticker, self._assumed)
        return book

    def rejoin(self, order: Order, at: Instant) -> None:
        """An own order rests already: behind everything, once the book is told."""
        terms = order.terms
        level = (terms.side is Side.YES, terms.price.units)
        self.book(terms.ticker).join(terms.order_id, level, at)

    # -- what is told ----------------------------------------------------------------------

    def see(self, seen: Seen, at: Instant) -> None:
        """Take in one piece of news at the exchange's time `at` (its own time, or a bit later).

        News of a market that is not listed count for nothing; while one is not open its
        book is kept, and nothing trades.
        """
        state = self.exchange.books.listings.markets.get(seen.ticker)
        if state is None:
            return
        book = self.book(seen.ticker)
        if isinstance(seen, LevelSeen):
            level = (seen.is_bid, seen.price)
            book.change(level, seen.change, seen.at)
            self._match_level(at, state, level)
        elif isinstance(seen, TradeSeen):
            if state.status is MarketStatus.ACTIVE:
                self._trade(at, book, seen)
        else:
            is_whole = isinstance(seen, BookSeen)
            touched = book.load(seen.bids, seen.asks, seen.at) if is_whole else book.lose()
            # What is gone goes first, so that the book does not cross itself on the way.
            for level in sorted(touched, key=lambda each: (book.left(each) > 0, each)):
                self._match_level(at, state, level)

    def _trade(self, at: Instant, book: MirroredBook, seen: TradeSeen) -> None:
        orders = self._own_orders(book)
        shares = book.shares(seen, lambda name: orders[name].remaining) if orders else []
        for share in shares:
            order = orders[share.order_id]
            self._step(
                c.Trade(
                    at=at,
                    member=order.terms.member,
                    order_id=share.order_id,
                    trade_id=seen.trade_id,
                    count=Count(share.count),
                    price=order.terms.price,
                    is_taker=False,
                )
            )
        left = seen.count - given(shares)
        if left > 0:
            self._step(
                c.ReportTrade(
                    at=at,
                    ticker=seen.ticker,
                    trade_id=seen.trade_id,
                    count=Count(left),
                    price=Price(seen.price),
                    taker_side=Side.YES if seen.taker_is_bid else Side.NO,
                )
            )

    def _own_orders(self, book: MirroredBook) -> dict[OrderId, Order]:
        """The own orders that wait in a market, as they are now."""
        found: dict[OrderId, Order] = {}
        for name in tuple(book.waiting):
            order = self._resting(name)
            if order is None:
                book.leave(name)
            else:
                found[name] = order
        return found

    def _resting(self, name: OrderId) -> Order | None:
        for account in self.exchange.books.accounts.values():
            if account.history and name in account.resting:
                return account.resting[name]
        return None

    def _match_level(self, at: Instant, state: MarketState, level: Level) -> None:
        """Make the tape's orders at a level as many as own orders may take there."""
        is_bid, price = level
        if price not in state.prices or state.status is not MarketStatus.ACTIVE:
            return
        side = state.book.bids if is_bid else state.book.asks
        queue = side.levels.get(price)
        resting = () if queue is None else (one for one in queue if one.terms.member == TAPE)
        own: list[Order] = list(resting)
        missing = self.book(state.ticker).left(level) - sum(order.remaining for order in own)
        if missing > 0:
            self.offer(at, state.ticker, level, missing)
        for order in reversed(own):
            if missing >= 0:
                return
            by = min(order.remaining, -missing)
            missing += by
            name = order.terms.order_id
            self._step(c.DecreaseOrder(at=at, member=TAPE, order_id=name, by=Count(by)))

    def offer(self, at: Instant, ticker: Ticker, level: Level, count: int) -> OrderId:
        """Let the tape place an order; returns its name."""
        self._orders += 1
        name = OrderId(f"tape-{self._orders}")
        self._step(
            c.PlaceOrder(
                at=at,
                member=TAPE,
                subaccount=PRIMARY,
                order_id=name,
                client_order_id=c.NO_CLIENT_ID,
                ticker=ticker,
                side=Side.YES if level[0] else Side.NO,
                price=Price(level[1]),
                count=Count(count),
                # Where what is told crosses itself for a moment, the older side gives way.
                self_trade_prevention=SelfTradePrevention.MAKER,
            )
        )
        return name

    def refresh(self, ticker: Ticker, at: Instant) -> None:
        """Let the tape place everything again: a market that is resumed has an empty book."""
        state = self.exchange.books.listings.markets[ticker]
        for level in sorted(self.book(ticker).levels):
            self._match_level(at, state, level)

    # -- what happens at the exchange ------------------------------------------------------

    def hear(self, events: Iterable[e.Event]) -> None:
        """Take note of what own orders do.  Every event, in order."""
        for event in events:
            if isinstance(event, e.FillMade):
                if event.member == TAPE:
                    terms = event.terms
                    level = (terms.side is Side.YES, terms.price.units)
                    book = self.book(terms.ticker)
                    if book.is_known:
                        book.take(level, event.count_units)
            elif isinstance(event, e.OrderUpdated) and event.member != TAPE:
                self._follow(event)

    def _follow(self, event: e.OrderUpdated) -> None:
        terms = event.terms
        book = self.book(terms.ticker)
        name = terms.order_id
        if event.status is not OrderStatus.RESTING:
            book.leave(name)
            return
        waiting = book.waiting.get(name)
        keeps = waiting is not None and waiting.price == terms.price.units
        if event.why in _PLACES and not (keeps and not self._grew(event)):
            book.join(name, (terms.side is Side.YES, terms.price.units), event.at)

    def _grew(self, event: e.OrderUpdated) -> bool:
        """Whether an amendment made an order larger: it lost its place then."""
        account = self.exchange.books.accounts[event.member]
        before = account.orders[event.terms.order_id].state_at(Instant(event.at - 1))
        return before is None or event.remaining_units > before.remaining_units
