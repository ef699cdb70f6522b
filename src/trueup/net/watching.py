"""The part of an `AsyncClient` that watches: typed and named, in front of `Streams`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import cast

from trueup.core import announcements as a
from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.orderbook import BookDelta, BookSnapshot
from trueup.net.private_watch import FillWatch, OrderWatch
from trueup.net.streams import Communication, Lifecycle, Streams
from trueup.net.watch import LiveBook, Watch
from trueup.wire.ws.channels import Channel
from trueup.wire.ws.client_subscription import ChannelOptions


class Watching(ABC):
    """What a client can watch.  Everything needs a key, also what is public."""

    @property
    @abstractmethod
    def streams(self) -> Streams:
        """The connection and everything watched over it."""

    async def watch_book(self, ticker: Ticker) -> LiveBook:
        """The order book of a market, kept up to date.

        Returns once it is valid for the first time; bound the wait with
        `asyncio.timeout`.  Raises `ExchangeRefused` for a market that the exchange
        does not stream, `NotAuthorized` for a key that it does not accept.
        """
        return await self.streams.book(ticker)

    def watch_book_changes(self, tickers: Iterable[Ticker]) -> Watch[BookSnapshot | BookDelta]:
        """Every snapshot and change of these books, as they are applied: for recorders.

        Needs a client that was told `stream_with(StreamOptions(line=LineOptions(tells_books=True)))`.
        After a gap a market begins again with a snapshot.
        """
        watch = self.streams.watch(Channel.ORDERBOOK, tickers)
        return cast("Watch[BookSnapshot | BookDelta]", watch)

    def watch_trades(self, tickers: Iterable[Ticker] | None = None) -> Watch[a.TradeAnnounced]:
        """Public trades of these markets, or of all.  A slow reader misses the oldest."""
        return cast("Watch[a.TradeAnnounced]", self.streams.watch(Channel.TRADE, tickers))

    def watch_ticker(
        self, tickers: Iterable[Ticker] | None = None, *, with_first: bool = True
    ) -> Watch[a.TickerAnnounced]:
        """The top of these markets, or of all.  A slow reader sees the latest of each.

        `with_first` begins with the present state of every market that is named.
        """
        options = ChannelOptions(is_with_first=with_first and tickers is not None)
        watch = self.streams.watch(Channel.TICKER, tickers, latest_by=_ticker, options=options)
        return cast("Watch[a.TickerAnnounced]", watch)

    def watch_lifecycle(self, *, combos: bool = False) -> Watch[Lifecycle]:
        """What happens to all markets and events, or to all combinations.

        The exchange does not announce what happens by the clock alone: that a market
        opens or closes at the time that was set.
        """
        channel = Channel.COMBO_LIFECYCLE if combos else Channel.LIFECYCLE
        return cast("Watch[Lifecycle]", self.streams.watch(channel))

    def watch_fills(
        self, tickers: Iterable[Ticker] | None = None, *, since: Instant | None = None
    ) -> FillWatch:
        """Our fills from `since` (or from now) on, each exactly once, backed by REST.

        They come about in the order of time; one that was missed comes late.
        """
        return self.streams.fills(tickers, since)

    def watch_orders(
        self, tickers: Iterable[Ticker] | None = None, *, since: Instant | None = None
    ) -> OrderWatch:
        """Our orders whenever something about one is new, backed by REST.

        It begins with everything that rests.  A slow reader sees the latest state of each.
        """
        return self.streams.orders(tickers, since)

    def watch_positions(
        self, tickers: Iterable[Ticker] | None = None
    ) -> Watch[a.PositionAnnounced]:
        """Our positions when they change.  A hint, not a record: books are made of fills."""
        watch = self.streams.watch(Channel.POSITIONS, tickers, latest_by=_position)
        return cast("Watch[a.PositionAnnounced]", watch)

    def watch_order_groups(self) -> Watch[a.OrderGroupAnnounced]:
        """What happens to our order groups."""
        return cast("Watch[a.OrderGroupAnnounced]", self.streams.watch(Channel.ORDER_GROUPS))

    def watch_communications(self, *, only_own_rfqs: bool = False) -> Watch[Communication]:
        """Requests for quotes, and quotes that concern us."""
        options = ChannelOptions(only_own_rfqs=only_own_rfqs)
        watch = self.streams.watch(Channel.COMMUNICATIONS, options=options)
        return cast("Watch[Communication]", watch)

    def watch_index(
        self, names: Iterable[str], *, channel: Channel = Channel.CF_BENCHMARKS_5HZ
    ) -> Watch[a.IndexAnnounced]:
        """Reference values (CF Benchmarks, Pyth) by their own ids."""
        watch = self.streams.watch(channel, list(names), latest_by=_index)
        return cast("Watch[a.IndexAnnounced]", watch)


def _ticker(value: a.TickerAnnounced) -> object:
    return value.ticker


def _position(value: a.PositionAnnounced) -> object:
    return (value.ticker, value.subaccount)


def _index(value: a.IndexAnnounced) -> object:
    return value.index_id
