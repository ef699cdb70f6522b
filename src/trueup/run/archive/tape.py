"""What is replayed: markets with their outcomes, and what was told of them, in time order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trueup.core.ids import Ticker, TradeId
from trueup.core.instant import Instant
from trueup.engine.signals import AnchorSignal, Signal
from trueup.run.archive.archived_markets import ArchivedMarket
from trueup.sim.living.mirrored_book import Seen, TradeSeen


@dataclass(frozen=True, slots=True)
class KnownSignal:
    """What the world outside said, and from which moment on a strategy could know it."""

    known_at: Instant
    signal: Signal


@dataclass(frozen=True, kw_only=True)
class Tape:
    """A recording to trade against.

    `news` come in time order and can be gone through once for each call.  `trades`
    are those of markets whose books are not told, in time order: what is bought from
    them is what was traded.  `signals` are what the world outside said, in the order
    in which it became known.  `words` say where it is from.
    """

    markets: Mapping[Ticker, ArchivedMarket]
    trades: tuple[TradeSeen, ...] = ()
    books: Iterable[Seen] = ()
    signals: tuple[KnownSignal, ...] = ()
    is_sampled: bool = False
    """Whether books were looked at now and then, so that nothing is known in between."""
    ends: Instant | None = None
    """Until when it goes at most, where that is known: how far a replay is is measured by it."""
    words: str = ""
    notes: tuple[str, ...] = ()


def known_from(signals: Sequence[KnownSignal], begin: Instant) -> Iterable[KnownSignal]:
    """The signals from the beginning on, and before them each market's last probability.

    A probability holds until the next one; older news and quotes tell nothing any more.
    """
    standing: dict[tuple[str, Ticker], KnownSignal] = {}
    for known in signals:
        if known.known_at < begin and isinstance(known.signal, AnchorSignal):
            standing[known.signal.source, known.signal.ticker] = known
    yield from standing.values()
    yield from (each for each in signals if each.known_at >= begin)


@dataclass
class TradeLog:
    """The trades of a tape by market, and how much of each own orders got."""

    trades: tuple[TradeSeen, ...]
    given: dict[TradeId, int] = field(default_factory=dict[TradeId, int])
    _times: dict[Ticker, list[Instant]] = field(default_factory=dict[Ticker, list[Instant]])
    _by_ticker: dict[Ticker, list[TradeSeen]] = field(default_factory=dict[Ticker, list[TradeSeen]])

    def __post_init__(self) -> None:
        for trade in self.trades:
            self._by_ticker.setdefault(trade.ticker, []).append(trade)
            self._times.setdefault(trade.ticker, []).append(trade.at)

    def between(self, ticker: Ticker, since: Instant, until: Instant) -> Iterator[TradeSeen]:
        """The trades of a market after `since` and until `until`."""
        times = self._times.get(ticker)
        if times is None:
            return
        first, end = bisect_right(times, since), bisect_left(times, until + 1)
        yield from self._by_ticker[ticker][first:end]

    def left(self, trade: TradeSeen) -> int:
        """What of a trade no own order has got."""
        return trade.count - self.given.get(trade.trade_id, 0)

    def give(self, trade: TradeSeen, count: int) -> None:
        """An own order got so much of it."""
        self.given[trade.trade_id] = self.given.get(trade.trade_id, 0) + count
