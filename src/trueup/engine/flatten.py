"""Positions on their way out: what an operator wanted closed, and how far each has come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.units import Count, Price
from trueup.engine.portfolio import Key

_AT_ONCE: Final = Instant(0)


class ClosingState(StrEnum):
    """Where the closing of one position stands."""

    WAITING = "waiting"
    CLOSING = "closing"
    CLOSED = "closed"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """One position on its way out.  `limit` is the worst YES price; `words` say what hinders."""

    strategy: str
    subaccount: Subaccount
    ticker: Ticker
    begun_with: Count
    state: ClosingState = ClosingState.WAITING
    limit: Price | None = None
    tries: int = 0
    next_at: Instant = _AT_ONCE
    words: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is tried."""
        return self.state in {ClosingState.CLOSED, ClosingState.LEFT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten:
    """What the operator said: who, which strategy (empty: all), how far from the best price."""

    by: str
    strategy: str
    slippage: int
    at: Instant
    begun_at: Instant | None = None
    done_at: Instant | None = None


class Flattener:
    """The present or the last wish to flatten, and what became of each position."""

    def __init__(self) -> None:
        self.wish: Flatten | None = None
        self.closings: dict[Key, Closing] = {}

    @property
    def is_active(self) -> bool:
        """Whether positions are still being closed."""
        return self.wish is not None and self.wish.done_at is None

    def order(self, wish: Flatten) -> None:
        """Begin anew."""
        self.wish = wish
        self.closings = {}

    def stop(self, at: Instant) -> None:
        """Close nothing more: somebody switched trading on again."""
        if self.wish is not None and self.wish.done_at is None:
            self.wish = replace(self.wish, done_at=at)
