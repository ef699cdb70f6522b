"""The order book of one market, kept up to date from a snapshot and its changes.

Kalshi runs one book per market.  Bids buy YES; asks sell YES, which is the
same as buying NO at 1 − p.  Here every level has its *YES price*, on both
sides: the best bid is the highest, the best ask the lowest.

A book is told a whole snapshot once and then *changes*: signed counts that are
added to a level (a level that reaches zero is gone).  Additions only work on
exactly the state they were made for, so a book that missed one is worth
nothing.  `OrderBook` knows whether it can be believed:

    AWAITING ──load──▶ VALID ──invalidate, or a level below zero──▶ INVALID
                         ▲                                             │
                         └───────────────────load──────────────────────┘

Only a valid book answers; the others raise `BookUnknown` instead of showing old
prices.  Changes that reach a book which is not valid are ignored: the next
snapshot holds them already.

Inside, prices and counts are bare integers of `Price` and `Count` units: a busy
market changes thousands of times a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from trueup.core.errors import BookUnknown, InvariantBroken, NotANumber
from trueup.core.ids import ClientOrderId, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio

__all__ = ["BookDelta", "BookSnapshot", "BookState", "Level", "OrderBook"]

_NO_BID: Final = -1
_NO_ASK: Final = 10_001
_BID_UNKNOWN: Final = 20_000
_ASK_UNKNOWN: Final = -2
# The markers lie beyond every price on the side where no price can beat them.
_PRICE_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Level:
    """All resting contracts at one YES price."""

    price: Price
    count: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSnapshot:
    """A whole book.  `bids` from the highest price down, `asks` from the lowest up.

    `clock` is the exchange's clock of the newest change that is in it, the same
    on every connection; 0 where it was not told.
    """

    ticker: Ticker
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    clock: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BookDelta:
    """One change of one level: `change` contracts more (or, below zero, fewer).

    `side` is `Side.YES` for bids and `Side.NO` for asks; `price` is the YES price
    on both.  Where one of our own orders made the change, `client_order_id` and
    `subaccount` say which.
    """

    ticker: Ticker
    side: Side
    price: Price
    change: Count
    at: Instant | None = None
    clock: int = 0
    client_order_id: ClientOrderId | None = None
    subaccount: Subaccount | None = None


class BookState(StrEnum):
    """Whether a book can be believed."""

    AWAITING = "awaiting its snapshot"
    VALID = "valid"
    INVALID = "invalid"


_VALID: Final = BookState.VALID
"""Looking a member up in its enumeration costs as much as the rest of a change."""


class OrderBook:
    """The book of one market.  Feed it `load` and `apply`; ask it while it `is_valid`."""

    __slots__ = ("_asks", "_best_ask", "_best_bid", "_bids", "clock", "reason", "state", "ticker")

    def __init__(self, ticker: Ticker) -> None:
        self.ticker: Final = ticker
        self.state = BookState.AWAITING
        self.reason = "its first snapshot has not come yet"
        self.clock = 0
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self._best_bid = _NO_BID
        self._best_ask = _NO_ASK

    # -- what changes it -------------------------------------------------------

    def load(self, snapshot: BookSnapshot) -> None:
        """Forget everything and hold this snapshot.  The book is valid afterwards."""
        if snapshot.ticker != self.ticker:
            raise InvariantBroken(f"a snapshot of {snapshot.ticker} for the book of {self.ticker}")
        self.load_units(_units_of(snapshot.bids), _units_of(snapshot.asks), clock=snapshot.clock)

    def load_units(self, bids: dict[int, int], asks: dict[int, int], *, clock: int = 0) -> None:
        """`load` for levels as price units → count units.  The dictionaries become the book's."""
        self._bids, self._asks = bids, asks
        self._best_bid, self._best_ask = _BID_UNKNOWN, _ASK_UNKNOWN
        self.clock = clock
        self.state, self.reason = BookState.VALID, ""

    def apply(self, delta: BookDelta) -> bool:
        """Add one change; says whether the book is valid afterwards."""
        if delta.ticker != self.ticker:
            raise InvariantBroken(f"a change of {delta.ticker} for the book of {self.ticker}")
        if delta.clock:
            self.clock = delta.clock
        return self.apply_units(delta.side is Side.YES, delta.price.units, delta.change.units)

    def apply_units(self, is_bid: bool, price: int, change: int) -> bool:
        """`apply` for units, for streams."""
        if self.state is not _VALID:
            return False
        if is_bid:
            levels = self._bids
            count = levels.get(price, 0) + change
            if count > 0:
                levels[price] = count
                if price > self._best_bid:  # noqa: PLR1730  # max() takes three times as long
                    self._best_bid = price
                return True
            if price == self._best_bid:
                self._best_bid = _BID_UNKNOWN
        else:
            levels = self._asks
            count = levels.get(price, 0) + change
            if count > 0:
                levels[price] = count
                if price < self._best_ask:  # noqa: PLR1730
                    self._best_ask = price
                return True
            if price == self._best_ask:
                self._best_ask = _ASK_UNKNOWN
        if count == 0:
            levels.pop(price, None)
            return True
        side = "bid" if is_bid else "ask"
        self.invalidate(f"a change took the {side} at {Price(price)} down to {Count(count)}")
        return False

    def invalidate(self, reason: str) -> None:
        """Stop answering until the next snapshot.  `reason` completes "… because"."""
        if self.state is not BookState.AWAITING:
            self.state = BookState.INVALID
        self.reason = reason

    # -- what it answers -------------------------------------------------------

    @property
    def is_valid(self) -> bool:
        """Whether the book answers, and is right as of the last message."""
        return self.state is BookState.VALID

    @property
    def best_bid(self) -> Price | None:
        """The highest price somebody buys YES at; `None` when nobody does."""
        best = self._best_bid_units()
        return None if best == _NO_BID else Price(best)

    @property
    def best_ask(self) -> Price | None:
        """The lowest price somebody sells YES at; `None` when nobody does."""
        best = self._best_ask_units()
        return None if best == _NO_ASK else Price(best)

    @property
    def spread(self) -> Money | None:
        """Dollars a contract between best ask and best bid; `None` when a side is empty."""
        bid, ask = self._best_bid_units(), self._best_ask_units()
        return None if bid == _NO_BID or ask == _NO_ASK else Money((ask - bid) * 100)

    @property
    def mid(self) -> Ratio | None:
        """The middle between best bid and best ask in dollars, exactly."""
        bid, ask = self._best_bid_units(), self._best_ask_units()
        return None if bid == _NO_BID or ask == _NO_ASK else Ratio(bid + ask, 2 * _PRICE_MAX)

    def bids(self, levels_max: int | None = None) -> tuple[Level, ...]:
        """Bids from the best down, all or the first `levels_max`."""
        self._check()
        return _levels(sorted(self._bids.items(), reverse=True), levels_max)

    def asks(self, levels_max: int | None = None) -> tuple[Level, ...]:
        """Asks from the best up, all or the first `levels_max`."""
        self._check()
        return _levels(sorted(self._asks.items()), levels_max)

    def count_at(self, side: Side, price: Price) -> Count:
        """Contracts resting at a YES price on one side; zero when there are none."""
        self._check()
        levels = self._bids if side is Side.YES else self._asks
        return Count(levels.get(price.units, 0))

    def depth(self, side: Side, worst: Price | None = None) -> Count:
        """Contracts resting on one side, at `worst` or better."""
        self._check()
        if side is Side.YES:
            floor = 0 if worst is None else worst.units
            return Count(sum(count for price, count in self._bids.items() if price >= floor))
        ceiling = _PRICE_MAX if worst is None else worst.units
        return Count(sum(count for price, count in self._asks.items() if price <= ceiling))

    def cost_to_take(self, side: Side, count: Count) -> tuple[Count, Money]:
        """What an order of `side` would trade at once: how many contracts, at what YES value.

        A `Side.YES` order takes asks, a `Side.NO` order takes bids.  Fees are not in it.
        """
        if count.units <= 0:
            raise NotANumber(f"an order of {count} contracts takes nothing")
        taken, value = ZERO_COUNT, ZERO_MONEY
        for level in self.asks() if side is Side.YES else self.bids():
            part = min(level.count, count - taken)
            taken, value = taken + part, value + level.price * part
            if taken == count:
                break
        return taken, value

    def snapshot(self) -> BookSnapshot:
        """The whole book as a frozen value."""
        return BookSnapshot(
            ticker=self.ticker, bids=self.bids(), asks=self.asks(), clock=self.clock
        )

    def __repr__(self) -> str:
        if not self.is_valid:
            return f"OrderBook({self.ticker}, {self.state})"
        return f"OrderBook({self.ticker}, {self.best_bid} / {self.best_ask})"

    def _best_bid_units(self) -> int:
        self._check()
        if self._best_bid == _BID_UNKNOWN:
            self._best_bid = max(self._bids, default=_NO_BID)
        return self._best_bid

    def _best_ask_units(self) -> int:
        self._check()
        if self._best_ask == _ASK_UNKNOWN:
            self._best_ask = min(self._asks, default=_NO_ASK)
        return self._best_ask

    def _check(self) -> None:
        if self.state is not BookState.VALID:
            raise BookUnknown(f"the book of {self.ticker} is not known: {self.reason}")


def _units_of(levels: Iterable[Level]) -> dict[int, int]:
    units: dict[int, int] = {}
    for level in levels:
        if level.count.units <= 0 or level.price.units in units:
            raise NotANumber(f"a level of {level.count} contracts at {level.price}, or one twice")
        units[level.price.units] = level.count.units
    return units


def _levels(items: Iterable[tuple[int, int]], levels_max: int | None) -> tuple[Level, ...]:
    chosen = list(items)[:levels_max]
    return tuple(Level(Price(price), Count(count)) for price, count in chosen)
