"""What a strategy is: market data, own fills, time and signals in; wishes out.

    class Cheap(Strategy):
        name = "cheap"

        def on_markets(self, desk, moved):
            for ticker in moved:
                top = desk.top(ticker)
                if top.ask is not None and top.ask < Price.of_cents(40) and not desk.net(ticker):
                    yield buy_yes(ticker, Count.of_contracts(5), top.ask, reason="cheap")

A strategy sees the world through its `Desk` and never touches an order: it
says what it wants, with a reason, and may say so again at every tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from trueup.core.facts import Filled
from trueup.core.ids import PRIMARY, SeriesTicker, Subaccount, Ticker
from trueup.core.instant import MINUTE, Instant
from trueup.core.market import MarketStatus
from trueup.core.units import ZERO_COUNT, Count, Money, Price, Ratio
from trueup.engine.inflight import OwnOrder
from trueup.engine.limits import Limits
from trueup.engine.market import Listing, PublicTrade, Top
from trueup.engine.signals import Signal
from trueup.engine.wishes import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """Which markets a strategy is shown.  Empty fields are no condition.

    `busiest` keeps the N markets with the highest 24-hour volume among those
    that fit (the case study watched 22).  Markets in which the strategy holds
    something are always shown.
    """

    tickers: frozenset[Ticker] = frozenset()
    series: frozenset[SeriesTicker] = frozenset()
    categories: frozenset[str] = frozenset()
    volume_min: Count = ZERO_COUNT
    busiest: int | None = None

    def fits(self, listing: Listing, top: Top | None) -> bool:
        """Whether a market belongs, apart from `busiest`."""
        if listing.status is not MarketStatus.ACTIVE:
            return False
        if self.tickers and listing.ticker not in self.tickers:
            return False
        if self.series and listing.event.series_ticker not in self.series:
            return False
        if self.categories and listing.category not in self.categories:
            return False
        return not self.volume_min or (top is not None and top.volume_24h >= self.volume_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class FairValue:
    """What somebody thinks that a YES contract is worth: `value` in dollars, as of `as_of`.

    `source` is whose figure it is, in a few words ("FedWatch", "mean of 7 days").
    """

    value: Ratio
    as_of: Instant
    source: str = ""


class Desk(Protocol):
    """What a strategy can look at.  All of it is its own: other strategies are not seen."""

    @property
    def now(self) -> Instant:
        """The time of the present input."""
        ...

    @property
    def tickers(self) -> Sequence[Ticker]:
        """The markets of the strategy's universe."""
        ...

    @property
    def value(self) -> Money:
        """What the strategy is worth: its capital and its profit so far."""
        ...

    def listing(self, ticker: Ticker) -> Listing:
        """What a market is."""
        ...

    def top(self, ticker: Ticker) -> Top:
        """The top of its book; empty prices before anything was seen."""
        ...

    def net(self, ticker: Ticker) -> Count:
        """The strategy's net position (+ YES, − NO), by the fills it has seen."""
        ...

    def average_cost(self, ticker: Ticker) -> Ratio | None:
        """Dollars per contract of the held side; `None` when flat."""
        ...

    def orders(self, ticker: Ticker) -> Sequence[OwnOrder]:
        """The strategy's living orders in a market."""
        ...

    def trades(self, ticker: Ticker) -> Sequence[PublicTrade]:
        """The public trades of the present batch."""
        ...

    def mean(self, ticker: Ticker, window: int) -> Ratio | None:
        """The time-weighted mean of the price over the last `window` microseconds.

        `None` until at least half of the window has been seen (warm-up counts).
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """What a strategy is given: money, limits, a subaccount, a life for its orders.

    `order_life` (microseconds) is after how long a resting order expires by itself
    if nobody renews it: the protection that works when we do not.
    """

    capital: Money
    limits: Limits = field(default_factory=Limits)
    subaccount: Subaccount = PRIMARY
    order_life: int | None = 15 * MINUTE
    order_group: str = ""


_PLAIN: Final = (str, int, Price, Count, Money, Ratio)
_KNOWN: Final = frozenset({"name", "universe", "windows"})


class Strategy:
    """Base class: override what is needed.  Every method yields wishes."""

    name: str = ""
    """The tag of its orders and of its profit; short, lower case, unique in a bot."""
    universe: Universe = Universe()
    every: int | None = None
    """Microseconds between two calls of `on_timer`; `None` for none."""
    windows: Sequence[int] = ()
    """The windows (microseconds) that `desk.mean` will be asked for."""

    def parameters(self) -> Mapping[str, str]:
        """The settings that its trades are stored with, as text: every public attribute that is
        a plain value, unless overridden.
        """
        own: dict[str, object] = {}
        for each in reversed(type(self).__mro__):
            if each not in Strategy.__mro__:
                own |= vars(each)
        own |= vars(self)
        return {
            name: str(value)
            for name, value in own.items()
            if isinstance(value, _PLAIN) and not name.startswith("_") and name not in _KNOWN
        }

    def fair(self, desk: Desk, ticker: Ticker) -> FairValue | None:
        """What the strategy thinks that YES is worth now; `None` where it has no opinion.

        Only shown, never traded on by the machine: it may be asked at any time between two
        inputs, and must change nothing.
        """
        del desk, ticker
        return None

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        """Markets of the universe moved."""
        del desk, moved
        return ()

    def on_fill(self, desk: Desk, fill: Filled) -> Iterable[Wish]:
        """One of the strategy's own orders traded."""
        del desk, fill
        return ()

    def on_timer(self, desk: Desk) -> Iterable[Wish]:
        """Time has passed."""
        del desk
        return ()

    def on_signal(self, desk: Desk, signal: Signal) -> Iterable[Wish]:
        """The world outside said something."""
        del desk, signal
        return ()
