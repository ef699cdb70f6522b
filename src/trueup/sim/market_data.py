"""What REST lets anybody see of trading: order books, trades and candlesticks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from typing import Final

from trueup.core.ids import EventTicker, Ticker, TradeId
from trueup.core.instant import Instant
from trueup.core.market import MarketStatus
from trueup.core.orderbook import BookSnapshot
from trueup.core.units import ONE_DOLLAR, Count, Price
from trueup.sim.announcing import snapshot
from trueup.sim.candles import (
    Candle,
    Print,
    Top,
    candles,
    carried_forward,
    period_begin,
    period_end,
)
from trueup.sim.events import TradeMade
from trueup.sim.exchange import Exchange
from trueup.sim.lifecycle import MarketState
from trueup.sim.paging import Listing, Query, page
from trueup.sim.tiers import Tiers

_TRADING: Final = frozenset({MarketStatus.ACTIVE, MarketStatus.INACTIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleQuery:
    """Which candles are asked for: those that end from `start` to `end`, both included."""

    start: Instant
    end: Instant
    minutes: int
    with_latest_before: bool = False


class MarketData:
    """Books, trades and candles."""

    def __init__(self, exchange: Exchange, tiers: Tiers) -> None:
        self._exchange = exchange
        self._tiers = tiers
        self._everything = _AllTrades(exchange)

    # -- order books -----------------------------------------------------------------------

    def book(self, ticker: Ticker, *, depth: int = 0) -> BookSnapshot | None:
        """The book of a market, its best `depth` levels of each side (0: all)."""
        state = self._exchange.books.listings.markets.get(ticker)
        if state is None:
            return None
        if state.status not in _TRADING:
            return BookSnapshot(ticker=ticker)
        whole = snapshot(state)
        if not depth:
            return whole
        return replace(whole, bids=whole.bids[:depth], asks=whole.asks[:depth])

    # -- trades ----------------------------------------------------------------------------

    def trades(self, at: Instant, query: Query, *, of_blocks: bool | None) -> Listing[TradeMade]:
        """Trades of the live tier, newest first."""
        since = self._tiers.live(at).trades_created
        return self._trades(
            query, since=since, until=Instant(at + 1), listing="trades", of_blocks=of_blocks
        )

    def historical_trades(
        self, at: Instant, query: Query, *, of_blocks: bool | None
    ) -> Listing[TradeMade]:
        """Trades of the historical tier, newest first."""
        until = self._tiers.cutoffs(at).trades_created
        return self._trades(
            query,
            since=Instant(0),
            until=until,
            listing="historical_trades",
            of_blocks=of_blocks,
        )

    def _trades(
        self,
        query: Query,
        *,
        since: Instant,
        until: Instant,
        listing: str,
        of_blocks: bool | None,
    ) -> Listing[TradeMade]:
        rows = self._rows(query)
        named = ",".join(sorted(query.tickers))
        return page(
            rows,
            query,
            listing=f"{listing} {named}",
            wanted=lambda one: (
                query.covers(one.at)
                and query.concerns(one.ticker)
                and of_blocks in {None, one.is_block}
            ),
            lowest=bisect_left(rows, since, key=_time_of),
            highest=bisect_left(rows, until, key=_time_of),
        )

    def _rows(self, query: Query) -> Sequence[TradeMade]:
        if len(query.tickers) != 1:
            return self._everything.rows()
        (ticker,) = query.tickers
        state = self._exchange.books.listings.markets.get(ticker)
        return () if state is None else state.tape.trades

    # -- candlesticks ----------------------------------------------------------------------

    def candles(self, at: Instant, ticker: Ticker, query: CandleQuery) -> list[Candle] | None:
        """The candles of a market of the live tier; `None` for a market that is not there."""
        state = self._live(at, ticker)
        return None if state is None else self._candles(state, query, at=at)

    def historical_candles(
        self, at: Instant, ticker: Ticker, query: CandleQuery
    ) -> list[Candle] | None:
        """The candles of an archived market."""
        state = self._exchange.books.listings.markets.get(ticker)
        stated = None if state is None else state.stated(at)
        until = self._tiers.cutoffs(at).market_settled
        if state is None or stated is None or stated.settled_at is None:
            return None
        return self._candles(state, query, at=at) if stated.settled_at < until else None

    def event_candles(
        self, at: Instant, ticker: EventTicker, query: CandleQuery
    ) -> list[tuple[Ticker, list[Candle]]]:
        """The candles of every market of an event."""
        found: list[tuple[Ticker, list[Candle]]] = []
        for one in self._exchange.books.listings.markets_of.get(ticker, ()):
            drawn = self.candles(at, one, query)
            if drawn is not None:
                found.append((one, drawn))
        return found

    def _live(self, at: Instant, ticker: Ticker) -> MarketState | None:
        state = self._exchange.books.listings.markets.get(ticker)
        stated = None if state is None else state.stated(at)
        if stated is None:
            return None
        since = self._tiers.live(at).market_settled
        return state if stated.settled_at is None or stated.settled_at >= since else None

    def _candles(self, state: MarketState, query: CandleQuery, *, at: Instant) -> list[Candle]:
        trades, minutes = state.tape.trades, query.minutes
        begin = period_begin(period_end(query.start, minutes), minutes)
        end = Instant(min(query.end, at))
        # One trade more than the candles hold: the price before them.
        first = max(0, bisect_right(trades, begin, key=_time_of) - 1)
        last = bisect_right(trades, end, key=_time_of)
        prints = [Print(one.at, one.price, one.count) for one in trades[first:last]]
        tops = [
            Top(since, Price(bid), Price(ask) if ask else ONE_DOLLAR, Count(interest))
            for since, bid, ask, interest in state.quotes.tops(begin, Instant(end + 1))
        ]
        drawn = list(candles(prints, tops, start=query.start, end=end, minutes=minutes))
        if not query.with_latest_before:
            return drawn
        carried = carried_forward(prints, tops, start=query.start, minutes=minutes)
        return drawn if carried is None else [carried, *drawn]


class _AllTrades:
    """The trades of all markets in one sequence that only ever grows at its end.

    New trades are later than all that were there before, so only they have to be
    put in order.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._rows: list[TradeMade] = []
        self._last: dict[Ticker, TradeId] = {}

    def rows(self) -> Sequence[TradeMade]:
        """Everything until now."""
        fresh = [
            reversed(new)
            for state in self._exchange.books.listings.markets.values()
            if (new := list(self._new_of(state)))
        ]
        self._rows.extend(merge(*fresh, key=_time_of))
        return self._rows

    def _new_of(self, state: MarketState) -> Iterator[TradeMade]:
        """The trades since the last look, newest first."""
        known = self._last.get(state.ticker)
        trades = state.tape.trades
        if not trades or trades[-1].trade_id == known:
            return
        self._last[state.ticker] = trades[-1].trade_id
        for made in reversed(trades):
            if made.trade_id == known:
                return
            yield made


def _time_of(made: TradeMade) -> Instant:
    return made.at
