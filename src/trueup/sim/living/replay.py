"""A recorded order-book stream as the market: what was seen then rests here as real orders.

One member, the *tape*, holds the recorded book as resting orders, level by level.
Each recorded change of a level is made on its orders: more contracts are placed
behind those that rest, fewer are decreased from the back, or, where the
recording says that something traded, taken by a second member.  Others trade in
the same books: an order that rests in the recorded queue is filled when the
tape's taker gets to it, and what others take of the tape's orders is put back
with the next change of that level.

How much traded is known from the recorded ticker messages: a removal at the best
price is a trade as far as the recorded volume still has room for it.  A recording
without tickers has no trades but those that others make.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from trueup.core import catalog
from trueup.core.fees import Precision
from trueup.core.grid import PriceGrid
from trueup.core.ids import PRIMARY, EventTicker, OrderId, SeriesTicker, Shard, Ticker
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.core.orders import SelfTradePrevention, Side, TimeInForce
from trueup.core.units import Count, Price, Ratio
from trueup.sim import commands as c
from trueup.sim.exchange import Exchange
from trueup.sim.lifecycle import MarketState
from trueup.sim.living.questions import Outcome
from trueup.sim.living.world import (
    HOUSE_MONEY,
    SHARDS,
    GivenAccount,
    Listener,
    nobody,
    open_account,
)
from trueup.sim.order import Order

TAPE: Final = c.Member("tape")
TAKER: Final = c.Member("tape-taker")

_DETERMINED_AFTER: Final = 10 * SECOND
_TIMER: Final = 60 * SECOND


class BookSeen(Struct, frozen=True, gc=False):
    """A whole recorded book: counts by YES price, in bare units."""

    at: Instant
    ticker: Ticker
    bids: dict[int, int]
    asks: dict[int, int]


class LevelSeen(Struct, frozen=True, gc=False):
    """A recorded change of one level; `price` is the YES price on both sides."""

    at: Instant
    ticker: Ticker
    is_bid: bool
    price: int
    change: int


Seen = BookSeen | LevelSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSeen:
    """What is known about a recorded market.

    `volume_times` and `volumes` are the traded contracts as tickers told them, in
    bare units.  Without an `outcome` it closes and is never determined.
    """

    ticker: Ticker
    closes: Instant
    outcome: Outcome | None = None
    volume_times: tuple[Instant, ...] = ()
    volumes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recording in the order in which it was received."""

    start: Instant
    grid: PriceGrid
    markets: Mapping[Ticker, MarketSeen]
    messages: Iterable[Seen]


class _Book:
    """The recorded book of one market, and how much of its volume has been traded here."""

    __slots__ = ("asks", "bids", "first_volume", "seen", "traded")

    def __init__(self, seen: MarketSeen) -> None:
        self.seen = seen
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.traded = 0
        self.first_volume: int | None = None

    def side(self, *, is_bid: bool) -> dict[int, int]:
        """Recorded counts by YES price."""
        return self.bids if is_bid else self.asks

    def is_best(self, price: int, *, is_bid: bool) -> bool:
        """Whether nothing recorded is better on that side."""
        levels = self.side(is_bid=is_bid)
        return bool(levels) and price == (max(levels) if is_bid else min(levels))

    def begin_again(self) -> None:
        """Count the traded volume from here."""
        self.traded, self.first_volume = 0, None

    def room(self, at: Instant) -> int:
        """How much may still trade until the next recorded ticker."""
        times, volumes = self.seen.volume_times, self.seen.volumes
        place = bisect_right(times, at)
        if self.first_volume is None:
            self.first_volume = volumes[max(0, place - 1)] if volumes else 0
        if place >= len(volumes):
            return 0
        return max(0, volumes[place] - self.first_volume - self.traded)


class Replay:
    """A recording around an exchange; goes on with `advance` as living worlds do."""

    def __init__(
        self,
        exchange: Exchange,
        recorded: Recorded,
        accounts: tuple[GivenAccount, ...] = (GivenAccount(),),
    ) -> None:
        self.exchange = exchange
        self.accounts = accounts
        self._recorded = recorded
        self._messages: Iterator[Seen] = iter(recorded.messages)
        self._next: Seen | None = next(self._messages, None)
        self._books: dict[Ticker, _Book] = {}
        self._endings = sorted(
            (Instant(seen.closes + _DETERMINED_AFTER), seen.ticker)
            for seen in recorded.markets.values()
        )
        self._orders = 0
        self._listen: Listener = nobody
        self._begin(recorded.start)

    @property
    def member(self) -> c.Member:
        """Whose account the sandbox shows."""
        return self.accounts[0].member

    def advance(self, until: Instant, listen: Listener = nobody) -> None:
        """Let everything happen that was recorded until then."""
        self._listen = listen
        while self._next is not None and self._next.at <= until:
            message = self._next
            self._determine_until(message.at)
            self._see(message, Instant(max(message.at, self.exchange.now)))
            self._next = next(self._messages, None)
        self._determine_until(until)
        if until > self.exchange.now:
            self._do(c.Advance(at=until))

    # -- the beginning ---------------------------------------------------------------------

    def _begin(self, at: Instant) -> None:
        for account in self.accounts:
            for command in open_account(at, account):
                self._do(command)
        for member in (TAPE, TAKER):
            self._do(c.OpenAccount(at=at, member=member, precision=Precision.DIRECT, history=False))
            for shard in SHARDS:
                self._do(
                    c.Credit(
                        at=at,
                        member=member,
                        subaccount=PRIMARY,
                        shard=shard,
                        amount=HOUSE_MONEY,
                        reason="house money",
                    )
                )
        for ticker in self._recorded.markets:
            self._list_series(at, ticker)

    def _list_series(self, at: Instant, ticker: Ticker) -> None:
        series = SeriesTicker(ticker.partition("-")[0])
        if series in self.exchange.books.listings.series:
            return
        self._do(
            c.ListSeries(
                at=at,
                series=catalog.Series(
                    ticker=series,
                    title=f"Recorded {series}",
                    category="Recorded",
                    tags=(),
                    fee_type="quadratic",
                    fee_multiplier=Ratio(1),
                ),
            )
        )

    def _list(self, at: Instant, seen: MarketSeen) -> None:
        ticker = seen.ticker
        event = EventTicker(ticker.rpartition("-")[0] or ticker)
        if event not in self.exchange.books.listings.events:
            self._do(
                c.ListEvent(
                    at=at,
                    event=catalog.Event(
                        ticker=event,
                        series_ticker=SeriesTicker(ticker.partition("-")[0]),
                        title=f"Recorded {event}",
                        mutually_exclusive=False,
                        fee_type_override=None,
                        fee_multiplier_override=None,
                    ),
                )
            )
        self._do(
            c.ListMarket(
                at=at,
                market=catalog.Market(
                    ticker=ticker,
                    event_ticker=event,
                    title=f"Recorded {ticker}",
                    open_at=at,
                    close_at=seen.closes,
                    expected_expiration_at=Instant(seen.closes + HOUR),
                    fee_waiver_until=None,
                    shard=Shard(0),
                ),
                grid=self._recorded.grid,
                settlement_timer=_TIMER,
            )
        )

    # -- what was recorded -----------------------------------------------------------------

    def _see(self, message: Seen, at: Instant) -> None:
        ticker = message.ticker
        seen = self._recorded.markets[ticker]
        if at >= seen.closes:
            return
        book = self._books.get(ticker)
        if book is None:
            self._list(at, seen)
            book = self._books[ticker] = _Book(seen)
        state = self.exchange.books.listings.markets[ticker]
        if state.status is not MarketStatus.ACTIVE:
            return
        if isinstance(message, LevelSeen):
            self._change(at, state, book, message)
            return
        # What traded while nobody recorded is not made up for.
        book.begin_again()
        for is_bid, wanted in ((True, message.bids), (False, message.asks)):
            levels = book.side(is_bid=is_bid)
            gone = [price for price in levels if price not in wanted]
            levels.clear()
            levels.update(wanted)
            for price in (*gone, *wanted):
                self._match_level(at, state, levels.get(price, 0), is_bid=is_bid, price=price)

    def _change(self, at: Instant, state: MarketState, book: _Book, message: LevelSeen) -> None:
        is_bid, price = message.is_bid, message.price
        levels = book.side(is_bid=is_bid)
        if message.change < 0 and book.is_best(price, is_bid=is_bid):
            taken = min(-message.change, book.room(at))
            if taken > 0:
                book.traded += taken
                self._place(
                    at, state, TAKER, is_bid=not is_bid, price=price, count=taken, takes=True
                )
        count = levels.get(price, 0) + message.change
        if count > 0:
            levels[price] = count
        else:
            levels.pop(price, None)
        self._match_level(at, state, max(0, count), is_bid=is_bid, price=price)

    def _match_level(
        self, at: Instant, state: MarketState, wanted: int, *, is_bid: bool, price: int
    ) -> None:
        """Make the tape's orders at a price as many as were recorded."""
        side = state.book.bids if is_bid else state.book.asks
        level = side.levels.get(price)
        own: list[Order] = (
            [] if level is None else [one for one in level if one.terms.member == TAPE]
        )
        missing = wanted - sum(order.remaining for order in own)
        if missing > 0:
            self._place(at, state, TAPE, is_bid=is_bid, price=price, count=missing)
        for order in reversed(own):
            if missing >= 0:
                return
            by = min(order.remaining, -missing)
            missing += by
            self._do(
                c.DecreaseOrder(at=at, member=TAPE, order_id=order.terms.order_id, by=Count(by))
            )

    def _place(
        self,
        at: Instant,
        state: MarketState,
        member: c.Member,
        *,
        is_bid: bool,
        price: int,
        count: int,
        takes: bool = False,
    ) -> None:
        self._orders += 1
        self._do(
            c.PlaceOrder(
                at=at,
                member=member,
                subaccount=PRIMARY,
                order_id=OrderId(f"tape-{self._orders}"),
                client_order_id=c.NO_CLIENT_ID,
                ticker=state.ticker,
                side=Side.YES if is_bid else Side.NO,
                price=Price(price),
                count=Count(count),
                time_in_force=(
                    TimeInForce.IMMEDIATE_OR_CANCEL if takes else TimeInForce.GOOD_TILL_CANCELED
                ),
                # Where the recording crosses itself for a moment, the older side gives way.
                self_trade_prevention=SelfTradePrevention.MAKER,
            )
        )

    # -- the end ---------------------------------------------------------------------------

    def _determine_until(self, until: Instant) -> None:
        while self._endings and self._endings[0][0] <= until:
            due, ticker = self._endings.pop(0)
            book, seen = self._books.pop(ticker, None), self._recorded.markets[ticker]
            if book is None or seen.outcome is None:
                continue
            self._do(
                c.DetermineMarket(
                    at=Instant(max(due, self.exchange.now)),
                    ticker=ticker,
                    result=seen.outcome.result,
                    value=seen.outcome.value,
                )
            )

    def _do(self, command: c.Command) -> None:
        self._listen(self.exchange.step(command))
