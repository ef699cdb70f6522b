"""What the machine knows at a moment; its parts read and change it together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from trueup.core.ids import ClientOrderId, EventTicker, Shard, Subaccount, Ticker
from trueup.core.instant import MINUTE, Instant
from trueup.core.market import MarketStatus
from trueup.core.units import Money, Price
from trueup.engine.effects import Effect, WakeAt
from trueup.engine.flatten import Flattener
from trueup.engine.halts import Breaker, Difference, Halts, Losses
from trueup.engine.hours import ExchangeHours, Window
from trueup.engine.inflight import Inflight
from trueup.engine.limits import FirstHours, Limits
from trueup.engine.market import Listing, Top
from trueup.engine.portfolio import DIRECT_STEP, Portfolio
from trueup.engine.risk import Scope
from trueup.engine.rolling import RollingMean
from trueup.engine.strategy import Mandate, Strategy
from trueup.engine.sweeping import Sweeper

IdSource = Callable[[str], ClientOrderId]
"""Gives a client order id that was never used, for a strategy's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the whole machine behaves.

    `maintenance` are closings beyond those of the exchange's schedule, and before each
    closing nothing is sent for `maintenance_lead` (microseconds).  `break_max` is the break in the books above which nothing new is sent;
    `balance_step` is how finely the member's balance moves; `breaker_resumes` lets the breaker's halt lift by itself.
    """

    limits: Limits = field(default_factory=Limits)
    breaker_threshold: int = 3
    breaker_resumes: bool = True
    break_max: Money = field(default_factory=lambda: Money.of_cents(100))
    maintenance: Sequence[Window] = ()
    maintenance_lead: int = 2 * MINUTE
    balance_step: Money = DIRECT_STEP
    first_hours: FirstHours | None = None


@dataclass(slots=True)
class Running:
    """A strategy at work.  `paused` says why it is paused; empty when it is not."""

    strategy: Strategy
    mandate: Mandate
    sent: deque[Instant] = field(default_factory=deque[Instant])
    universe: tuple[Ticker, ...] = ()
    member: frozenset[Ticker] = frozenset()
    paused: str = ""
    timer_at: Instant | None = None
    means: dict[tuple[Ticker, int], RollingMean] = field(
        default_factory=dict[tuple[Ticker, int], RollingMean]
    )

    @property
    def name(self) -> str:
        """Its tag."""
        return self.strategy.name


class State:
    """Everything the machine remembers."""

    def __init__(self, running: Sequence[Running], settings: Settings, ids: IdSource) -> None:
        self.settings = settings
        self.ids = ids
        self.now = Instant(0)
        self.running = {each.name: each for each in running}
        self.portfolio = Portfolio(settings.balance_step)
        self.inflight = Inflight()
        self.listings: dict[Ticker, Listing] = {}
        self.unsettled: dict[Ticker, Listing] = {}
        """Those of the listings that may still trade: years of settled markets slow nothing."""
        self.shards: set[Shard] = set()
        """Where the listed markets live, or lived."""
        self.events: dict[EventTicker, dict[Ticker, None]] = {}
        self.tops: dict[Ticker, Top] = {}
        self.halts = Halts()
        self.breaker = Breaker(settings.breaker_threshold)
        self.losses = Losses()
        self.sweeper = Sweeper()
        self.flattener = Flattener()
        self.sent: deque[Instant] = deque()
        self.unreadable: dict[Ticker, str] = {}
        self.differences: dict[tuple[Subaccount, Ticker], Difference] = {}
        self.hours = ExchangeHours(settings.maintenance_lead, settings.maintenance)
        self.subaccounts = {each.mandate.subaccount for each in running}
        """Where we trade: what happens on others is no concern of this machine."""
        self.consulting = ""
        """The strategy that is being asked just now: a watchdog wants to know who hangs."""
        self._alarms: list[Instant] = []

    def list(self, listing: Listing) -> None:
        """Remember what a market is."""
        self.listings[listing.ticker] = listing
        if listing.status is MarketStatus.FINALIZED:
            self.unsettled.pop(listing.ticker, None)
        else:
            self.unsettled[listing.ticker] = listing
        self.shards.add(listing.market.shard)
        self.events.setdefault(listing.event_ticker, {})[listing.ticker] = None

    def siblings(self, listing: Listing) -> list[Listing]:
        """The known markets of the same event."""
        return [self.listings[each] for each in self.events[listing.event_ticker]]

    def mark(self, ticker: Ticker) -> Price | None:
        """What a position in the market is valued at; `None` when nothing was seen."""
        top = self.tops.get(ticker)
        return None if top is None else top.mark

    def marks(self) -> dict[Ticker, Price | None]:
        """The marks of every market in which somebody holds something."""
        return {ticker: self.mark(ticker) for _, ticker, _ in self.portfolio.held()}

    def value(self, running: Running) -> Money:
        """A strategy's capital and its profit so far."""
        return running.mandate.capital + self.portfolio.profit(self.marks(), running.name)

    def scopes(self, running: Running) -> tuple[Scope, Scope]:
        """The strategy's point of view and the account's."""
        for times in (running.sent, self.sent):
            while times and self.now - times[0] >= MINUTE:
                times.popleft()
        mine = Scope(
            name="strategy",
            strategy=running.name,
            limits=running.mandate.limits,
            sent=running.sent,
            capital=running.mandate.capital,
        )
        everybody = Scope(
            name="account",
            strategy=None,
            limits=self.settings.limits,
            sent=self.sent,
            first_hours=self.settings.first_hours,
        )
        return mine, everybody

    def alarm(self, at: Instant, out: list[Effect]) -> None:
        """Ask to be woken at `at`, once however often it is asked."""
        if at not in self._alarms:
            heappush(self._alarms, at)
            out.append(WakeAt(at=at))

    def alarms_due(self) -> None:
        """Forget the alarms that have gone off."""
        while self._alarms and self._alarms[0] <= self.now:
            heappop(self._alarms)
