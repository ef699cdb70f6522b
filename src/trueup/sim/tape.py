"""The public record of a market: its trades, and its best prices over time.

The tops are kept in columns of bare units: a busy market changes its top many
times a second, and months of it must fit into memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from trueup.core import catalog
from trueup.core.ids import Ticker
from trueup.core.instant import DAY, Instant
from trueup.core.units import Count, Price
from trueup.sim.events import TopChanged, TradeMade
from trueup.sim.history import History
from trueup.sim.matching import OrderBook
from trueup.sim.order import Order


class Tape:
    """Trades and tops of one market's own book; `volume` and the like in bare units."""

    __slots__ = (
        "_asks",
        "_bids",
        "_interests",
        "_lasts",
        "_times",
        "_top",
        "_traded",
        "_volumes",
        "dollar_volume",
        "ticker",
        "trades",
        "volume",
    )

    def __init__(self, ticker: Ticker) -> None:
        self.ticker = ticker
        self.trades: list[TradeMade] = []
        self.volume = 0
        self.dollar_volume = 0
        self._traded = array("q")
        self._top = (0, 0, 0, 0, 0)
        self._times = array("q")
        self._bids = array("h")
        self._asks = array("h")
        self._lasts = array("h")
        self._volumes = array("q")
        self._interests = array("q")

    def trade(self, made: TradeMade) -> None:
        """One more trade."""
        count = made.count_units
        self.trades.append(made)
        self.volume += count
        self.dollar_volume += made.price.units * count
        self._traded.append(self.volume)

    def look(self, at: Instant, book: OrderBook[Order], open_interest: int) -> TopChanged | None:
        """Look at the top of the book; returns what to tell if it changed."""
        bids, asks = book.bids, book.asks
        bid = ask = None
        bid_price = bid_size = ask_price = ask_size = 0
        if bids.ranks:
            bid_price = bids.ranks[-1]
            bid = bids.levels[bid_price]
            bid_size = bid.total
        if asks.ranks:
            ask_price = -asks.ranks[-1]
            ask = asks.levels[ask_price]
            ask_size = ask.total
        top = (bid_price, bid_size, ask_price, ask_size, self.volume)
        before = self._top
        if top == before:
            return None
        self._top = top
        last = self.trades[-1] if self.trades else None
        prices = (bid_price, ask_price, self.volume)
        if prices != (before[0], before[2], before[4]):
            self._remember(at, prices, last.price.units if last else 0, open_interest)
        return TopChanged(
            at=at,
            ticker=self.ticker,
            bid=bid.first.terms.price if bid is not None and bid.first is not None else None,
            bid_size=bid_size,
            ask=ask.first.terms.price if ask is not None and ask.first is not None else None,
            ask_size=ask_size,
            last=last.price if last else None,
            last_size=last.count_units if last else 0,
            volume=self.volume,
            open_interest=open_interest,
            dollar_volume=self.dollar_volume,
        )

    def _remember(
        self, at: Instant, prices: tuple[int, int, int], last: int, open_interest: int
    ) -> None:
        """Keep what a quote tells; of several changes at one instant the last one."""
        if self._times and self._times[-1] == at:
            for column in self._columns():
                column.pop()
        self._times.append(at)
        self._bids.append(prices[0])
        self._asks.append(prices[1])
        self._lasts.append(last)
        self._volumes.append(prices[2])
        self._interests.append(open_interest)

    def _columns(self) -> tuple[array[int], ...]:
        return (
            self._times,
            self._bids,
            self._asks,
            self._lasts,
            self._volumes,
            self._interests,
        )

    def changed_at(self, instant: Instant) -> Instant | None:
        """When the quote that held at `instant` came about."""
        place = bisect_right(self._times, instant)
        return Instant(self._times[place - 1]) if place else None

    def quote_at(self, instant: Instant) -> catalog.Quote | None:
        """The top of the book at `instant`; `None` before the first order."""
        place = bisect_right(self._times, instant) - 1
        if place < 0:
            return None
        return catalog.Quote(
            ticker=self.ticker,
            yes_bid=_price(self._bids[place]),
            yes_ask=_price(self._asks[place]),
            last=_price(self._lasts[place]),
            volume=Count(self._volumes[place]),
            volume_24h=Count(self._volumes[place] - self._volume_at(Instant(instant - DAY))),
            open_interest=Count(self._interests[place]),
        )

    def tops(self, since: Instant, until: Instant) -> Iterator[tuple[Instant, int, int, int]]:
        """When the top changed, with bid, ask (0 for none) and open interest in bare units.

        From the one that held at `since` to the last before `until`.
        """
        first = max(0, bisect_right(self._times, since) - 1)
        for place in range(first, bisect_left(self._times, until)):
            yield (
                Instant(self._times[place]),
                self._bids[place],
                self._asks[place],
                self._interests[place],
            )

    def _volume_at(self, instant: Instant) -> int:
        place = bisect_right(self.trades, instant, key=_time_of)
        if place:
            return self._traded[place - 1]
        return self._traded[0] - self.trades[0].count_units if self.trades else 0

    def forget(self, before: Instant) -> None:
        """Drop the trades before `before`, and the tops that had been replaced by then."""
        traded = bisect_right(self.trades, before, key=_time_of)
        del self.trades[: max(0, traded - 1)], self._traded[: max(0, traded - 1)]
        place = bisect_right(self._times, before) - 1
        if place > 0:
            for column in self._columns():
                del column[:place]


class Quotes:
    """What a market's top was: as its book shows it, or as the rest of the world was stated."""

    __slots__ = ("_stated", "_tape")

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._stated: History[catalog.Quote] = History()

    def record(self, at: Instant, quote: catalog.Quote) -> None:
        """State what the rest of the world bids, asks and last paid."""
        self._stated.record(at, quote)

    def latest(self) -> catalog.Quote | None:
        """The top now; `None` before there was any."""
        return self.at(Instant(2**62))

    def at(self, instant: Instant) -> catalog.Quote | None:
        """The top at `instant`: what was stated, if anything was, else the book's."""
        stated = self._stated.at(instant)
        return self._tape.quote_at(instant) if stated is None else stated

    def tops(self, since: Instant, until: Instant) -> Iterator[tuple[Instant, int, int, int]]:
        """See `Tape.tops`; what was stated, if anything was, else the book's."""
        if not len(self._stated):
            yield from self._tape.tops(since, until)
            return
        for at, quote in self._stated.between(since, until):
            bid = quote.yes_bid.units if quote.yes_bid else 0
            ask = quote.yes_ask.units if quote.yes_ask else 0
            yield at, bid, ask, quote.open_interest.units

    def forget(self, before: Instant) -> None:
        """Drop what had been replaced before `before`."""
        self._stated.forget(before)


def _price(units: int) -> Price | None:
    return Price(units) if units else None


def _time_of(made: TradeMade) -> Instant:
    return made.at
