"""What a strategy may wish for.  A wish is not an order: the machine checks it first.

Every wish carries a reason in words and ends in the decision log, sent or
refused.  Prices are YES prices whatever the side, as everywhere; the four
helpers at the end let a strategy speak of buying and selling YES and NO.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from trueup.core.ids import Ticker
from trueup.core.orders import Side
from trueup.core.units import Count, Price


class Style(StrEnum):
    """How an order meets the book."""

    TAKE = "take"
    """Immediate or cancel: what is there now at the limit or better, nothing rests."""
    REST = "rest"
    """Good until cancelled (or expired); it may take first what crosses it."""
    POST = "post"
    """Rest only: an order that would trade at once is refused by the exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Trade up to `count` contracts on `side`, at the YES price `limit` or better.

    `slot` names a resting order of the strategy in this market: a later wish for
    the same slot replaces it (amended where that keeps what it can, cancelled and
    placed again otherwise), so a strategy may state what it wants at every tick.
    `reference` is the price that the decision was made at; slippage is measured
    from there.  `only_reduce` orders never open a position.
    """

    ticker: Ticker
    side: Side
    count: Count
    limit: Price
    reason: str
    style: Style = Style.TAKE
    slot: str = ""
    reference: Price | None = None
    only_reduce: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Take back the strategy's resting orders in a market: one `slot`, or all of them."""

    ticker: Ticker
    reason: str
    slot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Say something to the operator: an alert, and nothing at the exchange."""

    ticker: Ticker
    reason: str


Wish = Order | Withdraw | Tell


def buy_yes(
    ticker: Ticker, count: Count, price: Price, *, reason: str, style: Style = Style.TAKE
) -> Order:
    """Buy YES at `price` or lower."""
    return _decided_at(price, ticker, Side.YES, count=count, reason=reason, style=style)


def buy_no(
    ticker: Ticker, count: Count, price: Price, *, reason: str, style: Style = Style.TAKE
) -> Order:
    """Buy NO at the NO price `price` or lower: the same as selling YES at 1 − price."""
    limit = price.complement()
    return _decided_at(limit, ticker, Side.NO, count=count, reason=reason, style=style)


def sell_yes(
    ticker: Ticker, count: Count, price: Price, *, reason: str, style: Style = Style.TAKE
) -> Order:
    """Sell held YES at `price` or higher.  Never opens a NO position."""
    wish = _decided_at(price, ticker, Side.NO, count=count, reason=reason, style=style)
    return replace(wish, only_reduce=True)


def sell_no(
    ticker: Ticker, count: Count, price: Price, *, reason: str, style: Style = Style.TAKE
) -> Order:
    """Sell held NO at the NO price `price` or higher.  Never opens a YES position."""
    limit = price.complement()
    wish = _decided_at(limit, ticker, Side.YES, count=count, reason=reason, style=style)
    return replace(wish, only_reduce=True)


def _decided_at(
    limit: Price, ticker: Ticker, side: Side, *, count: Count, reason: str, style: Style
) -> Order:
    """An order at the YES price that was decided on; what rests has one slot a side."""
    return Order(
        ticker=ticker,
        side=side,
        count=count,
        limit=limit,
        reason=reason,
        style=style,
        slot="" if style is Style.TAKE else side.value,
        reference=limit,
    )
