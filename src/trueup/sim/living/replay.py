"""A recorded order-book stream as the market of a sandbox, by the fill rules of paper and backtest.

What was recorded is told to a `Mirror`: one member, the *tape*, holds the recorded
book, and own orders get what `mirrored_book` says that they would have got.  An own
order that rests waits behind everything that rested at its price; what own orders
took of a level stays taken until the level has lost it and got new contracts.

How much traded is known from the recorded ticker messages: a removal at the best
price is a trade as far as the recorded volume still has room for it.  A recording
without tickers has no trades but those with own orders.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from trueup.core import catalog
from trueup.core.grid import PriceGrid
from trueup.core.ids import EventTicker, SeriesTicker, Shard, Ticker, TradeId
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.units import Ratio
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.exchange import Exchange
from trueup.sim.living.mirror import Mirror
from trueup.sim.living.mirrored_book import BookSeen, LevelSeen, TradeSeen
from trueup.sim.living.questions import Outcome
from trueup.sim.living.world import GivenAccount, Listener, nobody, open_account

_DETERMINED_AFTER: Final = 10 * SECOND
_TIMER: Final = 60 * SECOND


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
    messages: Iterable[BookSeen | LevelSeen]


class _Volume:
    """How much of a market's recorded volume has been told as trades."""

    __slots__ = ("first_volume", "seen", "traded")

    def __init__(self, seen: MarketSeen) -> None:
        self.seen = seen
        self.traded = 0
        self.first_volume: int | None = None

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
    """A recording around an exchange; goes on with `advance` as living worlds do.

    `hear` must get every event of the exchange, whoever caused it: register it as a
    listener.  Only where `advance` gets no listener it hears its own events by itself.
    """

    def __init__(
        self,
        exchange: Exchange,
        recorded: Recorded,
        accounts: tuple[GivenAccount, ...] = (GivenAccount(),),
    ) -> None:
        self.exchange = exchange
        self.accounts = accounts
        self._recorded = recorded
        self._messages: Iterator[BookSeen | LevelSeen] = iter(recorded.messages)
        self._next: BookSeen | LevelSeen | None = next(self._messages, None)
        self._volumes: dict[Ticker, _Volume] = {}
        self._endings = sorted(
            (Instant(seen.closes + _DETERMINED_AFTER), seen.ticker)
            for seen in recorded.markets.values()
        )
        self._trades = 0
        self._listen: Listener = nobody
        self.mirror = Mirror(exchange, self._step)
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
            self._step(c.Advance(at=until))

    # -- the beginning ---------------------------------------------------------------------

    def _begin(self, at: Instant) -> None:
        for account in self.accounts:
            for command in open_account(at, account):
                self._step(command)
        self.mirror.open(at)
        for ticker in self._recorded.markets:
            self._list_series(at, ticker)

    def _list_series(self, at: Instant, ticker: Ticker) -> None:
        series = SeriesTicker(ticker.partition("-")[0])
        if series in self.exchange.books.listings.series:
            return
        self._step(
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
            self._step(
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
        self._step(
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

    def _see(self, message: BookSeen | LevelSeen, at: Instant) -> None:
        ticker = message.ticker
        seen = self._recorded.markets[ticker]
        if at >= seen.closes:
            return
        volume = self._volumes.get(ticker)
        if volume is None:
            self._list(at, seen)
            volume = self._volumes[ticker] = _Volume(seen)
        if isinstance(message, LevelSeen):
            self._tell_trade(at, volume, message)
        else:
            # What traded while nobody recorded is not made up for.
            volume.begin_again()
        self.mirror.see(message, at)

    def _tell_trade(self, at: Instant, volume: _Volume, message: LevelSeen) -> None:
        """What a level loses at the best price was traded, as far as the volume rose."""
        if message.change >= 0:
            return
        traded = min(-message.change, volume.room(at))
        if traded <= 0 or not self._is_best(message):
            return
        volume.traded += traded
        self._trades += 1
        trade = TradeSeen(
            message.at,
            message.ticker,
            TradeId(f"tape-trade-{self._trades}"),
            message.price,
            traded,
            taker_is_bid=not message.is_bid,
        )
        self.mirror.see(trade, at)

    def _is_best(self, message: LevelSeen) -> bool:
        """Whether nothing recorded is better on that side."""
        levels = self.mirror.book(message.ticker).levels
        prices = [price for is_bid, price in levels if is_bid is message.is_bid]
        return bool(prices) and message.price == (max if message.is_bid else min)(prices)

    # -- the end ---------------------------------------------------------------------------

    def _determine_until(self, until: Instant) -> None:
        while self._endings and self._endings[0][0] <= until:
            due, ticker = self._endings.pop(0)
            volume, seen = self._volumes.pop(ticker, None), self._recorded.markets[ticker]
            if volume is None or seen.outcome is None:
                continue
            self._step(
                c.DetermineMarket(
                    at=Instant(max(due, self.exchange.now)),
                    ticker=ticker,
                    result=seen.outcome.result,
                    value=seen.outcome.value,
                )
            )

    # -- the exchange ----------------------------------------------------------------------

    def hear(self, events: tuple[e.Event, ...]) -> None:
        """Every event of the exchange, whoever caused it; to be registered as a listener."""
        self.mirror.hear(events)

    def _step(self, command: c.Command) -> tuple[e.Event, ...]:
        events = self.exchange.step(command)
        if self._listen is nobody:
            self.hear(events)
        else:
            self._listen(events)
        return events
