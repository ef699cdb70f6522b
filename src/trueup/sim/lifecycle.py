"""The life of a market inside the machine: its stages and what is due when.

A market opens and closes by its own times, silently.  A determination starts
the settlement timer; a dispute stops it, an amendment starts it again, and
when it runs out the market is finalized and pays (the exchange's page *Market
lifecycle*).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import lru_cache
from heapq import heappop, heappush
from typing import Final

from trueup.core import catalog
from trueup.core.grid import PriceGrid
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.market import MARKET_TRANSITIONS, MarketResult, MarketStatus
from trueup.core.statements import MarketStated
from trueup.core.units import Count, Price
from trueup.sim.charging import FeeRule
from trueup.sim.commands import Member
from trueup.sim.history import History
from trueup.sim.holding import ONE, HoldingRecord
from trueup.sim.matching import OrderBook
from trueup.sim.order import Order
from trueup.sim.tape import Quotes, Tape

CLOSE_CANCEL_DELAY: Final = SECOND
"""From the close to the moment its resting orders are cancelled; "shortly after"."""

ROW_DELAY: Final = 20 * SECOND
"""From settlement to the moment its row can be read; "some seconds" on the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a market stands.  `generation` counts determinations."""

    status: MarketStatus
    result: MarketResult | None = None
    value: Price | None = None
    settled_at: Instant | None = None
    generation: int = 0


class MarketState:
    """A market with everything that ever changed about it.

    `holders` are those who ever traded in it, `outside` stands for the rest of
    the world.  `long` and `short` are the contracts held on each side, always
    equal between two commands.
    """

    __slots__ = (
        "_first_grid",
        "book",
        "close_at",
        "close_times",
        "fee_rule",
        "grid",
        "grids",
        "holders",
        "long",
        "market",
        "outside",
        "prices",
        "quotes",
        "settlement_timer",
        "short",
        "stages",
        "status",
        "tape",
    )

    def __init__(self, market: catalog.Market, grid: PriceGrid, settlement_timer: int) -> None:
        self.market = market
        self.grid = grid
        self.prices = allowed_prices(grid)
        self.grids: History[PriceGrid] = History()
        self._first_grid = grid
        self.settlement_timer = settlement_timer
        self.close_at = market.close_at
        self.close_times: History[Instant] = History()
        self.stages: History[Stage] = History()
        self.status = MarketStatus.INITIALIZED
        self.tape = Tape(market.ticker)
        self.quotes = Quotes(self.tape)
        self.book: OrderBook[Order] = OrderBook()
        self.holders: dict[tuple[Member, Subaccount], HoldingRecord] = {}
        self.outside: HoldingRecord | None = None
        self.long = 0
        self.short = 0
        self.fee_rule: FeeRule | None = None

    @property
    def ticker(self) -> Ticker:
        """The market's name."""
        return self.market.ticker

    @property
    def shard(self) -> Shard:
        """Where its cash and orders live."""
        return self.market.shard

    @property
    def open_interest(self) -> Count:
        """The contracts that are open: as many YES as NO."""
        return Count(self.long)

    def stage(self) -> Stage:
        """Where the market stands now."""
        stage = self.stages.latest()
        return Stage(status=MarketStatus.INITIALIZED) if stage is None else stage

    def stated(self, at: Instant) -> MarketStated | None:
        """What the exchange says about the market at `at`; `None` before it was listed."""
        stage = self.stages.at(at)
        if stage is None:
            return None
        return MarketStated(
            ticker=self.market.ticker,
            event_ticker=self.market.event_ticker,
            status=stage.status,
            result=stage.result,
            settlement_value=stage.value,
            close_at=self.close_times.at(at) or self.market.close_at,
            settled_at=stage.settled_at,
            shard=self.market.shard,
        )

    def move(self, at: Instant, stage: Stage) -> bool:
        """Go to `stage` if the lifecycle allows it; returns whether it did."""
        if stage.status not in MARKET_TRANSITIONS[self.stage().status]:
            return False
        self.enter(at, stage)
        return True

    def enter(self, at: Instant, stage: Stage) -> None:
        """Be at `stage`, whatever the lifecycle says."""
        self.stages.record(at, stage)
        self.status = stage.status

    def closes(self, at: Instant, close_at: Instant) -> None:
        """Be told at `at` that the market closes at `close_at`."""
        self.close_at = close_at
        self.close_times.record(at, close_at)

    def change_grid(self, at: Instant, grid: PriceGrid) -> None:
        """Have another price structure from `at` on."""
        self.grids.record(at, grid)
        self.grid = grid
        self.prices = allowed_prices(grid)

    def grid_at(self, at: Instant) -> PriceGrid:
        """The price structure at `at`."""
        return self.grids.at(at) or self._first_grid

    def forget(self, before: Instant) -> None:
        """Drop trades and quotes from before `before`, but for the last of each."""
        self.tape.forget(before)
        self.quotes.forget(before)

    def revised(self, result: MarketResult, value: Price) -> Stage:
        """The stage of a settled market whose result is corrected."""
        before = self.stage()
        return replace(before, result=result, value=value, generation=before.generation + 1)

    def determined(self, result: MarketResult, value: Price, *, amended: bool) -> Stage:
        """The stage that a determination leads to."""
        status = MarketStatus.AMENDED if amended else MarketStatus.DETERMINED
        before = self.stage()
        return Stage(status=status, result=result, value=value, generation=before.generation + 1)

    def with_status(self, status: MarketStatus) -> Stage:
        """The present stage under another status word."""
        return replace(self.stage(), status=status)

    def hold(self, before: int, after: int) -> int:
        """Take note that somebody's net position changed; returns the change of the YES side."""
        long = (max(0, after)) - (max(0, before))
        self.long += long
        self.short += long - after + before
        return long


@lru_cache(maxsize=32)
def allowed_prices(grid: PriceGrid) -> frozenset[int]:
    """The `Price` units that orders may have on a grid."""
    return frozenset(units for units in range(1, ONE) if grid.allows(Price(units)))


class DueKind(Enum):
    """What happens by itself when its time has come."""

    OPEN = auto()
    CLOSE = auto()
    CANCEL_RESTING = auto()
    EXPIRE = auto()
    FINALIZE = auto()
    LIST_SETTLEMENTS = auto()
    EXPIRE_RFQ = auto()
    EXECUTE_QUOTE = auto()


@dataclass(frozen=True, slots=True)
class Due:
    """Something that will happen at `at` unless the market has changed since."""

    at: Instant
    kind: DueKind
    ticker: Ticker
    generation: int = 0
    order: Order | None = None
    """Which order expires."""
    subject: str = ""
    """Which RFQ expires, or which quote is executed."""


class Agenda:
    """What is due, earliest first; equal times in the order they were noted."""

    __slots__ = ("_heap", "_noted")

    def __init__(self) -> None:
        self._heap: list[tuple[Instant, int, Due]] = []
        self._noted = 0

    def note(self, due: Due) -> None:
        """Remember something for later."""
        self._noted += 1
        heappush(self._heap, (due.at, self._noted, due))

    def next_until(self, at: Instant) -> Due | None:
        """Take out the earliest thing due at or before `at`."""
        if self._heap and self._heap[0][0] <= at:
            return heappop(self._heap)[2]
        return None

    def is_due(self, at: Instant) -> bool:
        """Whether anything is due at or before `at`."""
        return bool(self._heap) and self._heap[0][0] <= at

    def next_at(self) -> Instant | None:
        """When the earliest thing is due; `None` when nothing is."""
        return self._heap[0][0] if self._heap else None
