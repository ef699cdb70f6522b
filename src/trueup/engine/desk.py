"""A strategy's view of the machine: everything of its own, nothing of the others'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.units import Count, Money, Ratio
from trueup.engine.inflight import OwnOrder
from trueup.engine.market import Listing, PublicTrade, Top
from trueup.engine.state import Running, State

_COVERED_MIN = Ratio(1, 2)
"""Which part of a window must have been seen before its mean is given."""


class MachineDesk:
    """The `Desk` that the machine hands to a strategy for one input."""

    __slots__ = ("_running", "_state", "_trades")

    def __init__(
        self,
        state: State,
        running: Running,
        trades: Mapping[Ticker, Sequence[PublicTrade]] | None = None,
    ) -> None:
        self._state = state
        self._running = running
        self._trades: Mapping[Ticker, Sequence[PublicTrade]] = trades or {}

    @property
    def now(self) -> Instant:
        """The time of the present input."""
        return self._state.now

    @property
    def tickers(self) -> Sequence[Ticker]:
        """The markets of the strategy's universe."""
        return self._running.universe

    @property
    def value(self) -> Money:
        """The strategy's capital and its profit so far."""
        return self._state.value(self._running)

    def listing(self, ticker: Ticker) -> Listing:
        """What a market is.  `KeyError` for an unknown one."""
        return self._state.listings[ticker]

    def top(self, ticker: Ticker) -> Top:
        """The top of its book; empty before anything was seen."""
        top = self._state.tops.get(ticker)
        return Top(ticker=ticker, at=Instant(0)) if top is None else top

    def net(self, ticker: Ticker) -> Count:
        """The strategy's net position, by the fills it has seen."""
        running = self._running
        return self._state.portfolio.net(
            ticker, running.name, subaccount=running.mandate.subaccount
        )

    def average_cost(self, ticker: Ticker) -> Ratio | None:
        """Dollars per contract of the held side; `None` when flat."""
        running = self._running
        held = self._state.portfolio.holding(running.name, running.mandate.subaccount, ticker)
        return held.position.average_cost

    def orders(self, ticker: Ticker) -> Sequence[OwnOrder]:
        """The strategy's living orders in a market."""
        living = self._state.inflight.living(ticker)
        return [each for each in living if each.intent.strategy == self._running.name]

    def trades(self, ticker: Ticker) -> Sequence[PublicTrade]:
        """The public trades of the present batch."""
        return self._trades.get(ticker, ())

    def mean(self, ticker: Ticker, window: int) -> Ratio | None:
        """The time-weighted mean over the window; `None` before half of it was seen."""
        rolling = self._running.means.get((ticker, window))
        if rolling is None or rolling.covered(self.now) < window * _COVERED_MIN:
            return None
        return rolling.mean(self.now)
