"""The life of a market inside the machine: its stages and what is due when.

A market opens and closes by its own times, silently.  A determination starts
the settlement timer; a dispute stops it, an amendment starts it again, and
when it runs out the market is finalized and pays (the exchange's page *Market
lifecycle*).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from heapq import heappop, heappush
from typing import Final

from trueup.core import catalog
from trueup.core.grid import PriceGrid
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.market import MARKET_TRANSITIONS, MarketResult, MarketStatus
from trueup.core.statements import MarketStated
from trueup.core.units import Price
from trueup.sim.commands import Member
from trueup.sim.history import History

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
    """A market with everything that ever changed about it."""

    __slots__ = (
        "close_at",
        "grid",
        "holders",
        "market",
        "quotes",
        "settlement_timer",
        "stages",
    )

    def __init__(self, market: catalog.Market, grid: PriceGrid, settlement_timer: int) -> None:
        self.market = market
        self.grid = grid
        self.settlement_timer = settlement_timer
        self.close_at = market.close_at
        self.stages: History[Stage] = History()
        self.quotes: History[catalog.Quote] = History()
        self.holders: dict[tuple[Member, Subaccount], None] = {}

    @property
    def shard(self) -> Shard:
        """Where its cash and orders live."""
        return self.market.shard

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
            close_at=self.close_at,
            settled_at=stage.settled_at,
            shard=self.market.shard,
        )

    def move(self, at: Instant, stage: Stage) -> bool:
        """Go to `stage` if the lifecycle allows it; returns whether it did."""
        if stage.status not in MARKET_TRANSITIONS[self.stage().status]:
            return False
        self.stages.record(at, stage)
        return True

    def determined(self, result: MarketResult, value: Price, *, amended: bool) -> Stage:
        """The stage that a determination leads to."""
        status = MarketStatus.AMENDED if amended else MarketStatus.DETERMINED
        before = self.stage()
        return Stage(status=status, result=result, value=value, generation=before.generation + 1)

    def with_status(self, status: MarketStatus) -> Stage:
        """The present stage under another status word."""
        return replace(self.stage(), status=status)


class DueKind(Enum):
    """What happens by itself when its time has come."""

    OPEN = auto()
    CLOSE = auto()
    FINALIZE = auto()
    LIST_SETTLEMENTS = auto()


@dataclass(frozen=True, slots=True)
class Due:
    """Something that will happen at `at` unless the market has changed since."""

    at: Instant
    kind: DueKind
    ticker: Ticker
    generation: int = 0


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
