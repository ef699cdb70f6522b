"""Paper beside live: the same decisions, what each of them got, and where paper was kinder.

A decision is an order.  Two are the same when one strategy sent both, for the same
side of the same market, within a moment of each other; each is compared once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from trueup.core.facts import OrderReported
from trueup.core.ids import ClientOrderId, Ticker
from trueup.core.instant import MINUTE, Instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, Count, Money, Ratio

APART_MAX: Final = MINUTE
"""How far apart the same decision may have been made here and there."""

_UUID: Final = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """What an order got: its share, its mean price of its own side, its fees."""

    at: Instant
    wanted: Count
    filled: Count
    cost: Money
    fees: Money

    @property
    def share(self) -> Ratio:
        """Filled as a part of wanted."""
        return Ratio(self.filled.units, self.wanted.units) if self.wanted else Ratio(0)

    @property
    def price(self) -> Ratio | None:
        """Dollars a contract of its own side; `None` where nothing filled."""
        return Ratio(self.cost.units, self.filled.units * 10_000) if self.filled else None

    @property
    def fee_a_contract(self) -> Ratio | None:
        """Dollars a contract."""
        return Ratio(self.fees.units, self.filled.units * 10_000) if self.filled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One decision, on paper and live."""

    strategy: str
    ticker: Ticker
    side: Side
    paper: Got
    live: Got

    @property
    def price_difference(self) -> Ratio | None:
        """Dollars a contract that paper paid more; negative where it was kinder."""
        if self.paper.price is None or self.live.price is None:
            return None
        return self.paper.price - self.live.price

    @property
    def is_kinder(self) -> bool:
        """Whether paper gave more, or for less."""
        cheaper = self.price_difference is not None and self.price_difference < 0
        return cheaper or self.paper.share > self.live.share


@dataclass(frozen=True, slots=True)
class Comparison:
    """All pairs, and the decisions that only one side made."""

    pairs: tuple[Pair, ...]
    only_paper: int
    only_live: int

    @property
    def kinder(self) -> int:
        """In how many pairs paper was kinder."""
        return sum(each.is_kinder for each in self.pairs)

    @property
    def filled_more(self) -> Count:
        """Contracts that paper filled more than live did, over all pairs; may be negative."""
        more = sum((each.paper.filled for each in self.pairs), ZERO_COUNT)
        return more - sum((each.live.filled for each in self.pairs), ZERO_COUNT)

    @property
    def price_difference(self) -> Ratio | None:
        """The mean of what paper paid more a contract, where both filled."""
        known = [each.price_difference for each in self.pairs]
        given = [each for each in known if each is not None]
        return sum(given, Ratio(0)) / len(given) if given else None


def compare(
    paper: Iterable[OrderReported], live: Iterable[OrderReported], *, apart_max: int = APART_MAX
) -> Comparison:
    """Set paper's orders beside the live ones; the nearest in time belong together."""
    waiting: defaultdict[tuple[str, Ticker, Side], list[OrderReported]] = defaultdict(list)
    total = 0
    for order in live:
        waiting[_decision(order)].append(order)
        total += 1
    pairs: list[Pair] = []
    alone = 0
    for order in sorted(paper, key=lambda each: each.created_at):
        candidates = waiting[_decision(order)]
        nearest = _nearest(order, candidates, apart_max)
        if nearest is None:
            alone += 1
            continue
        candidates.remove(nearest)
        strategy, ticker, side = _decision(order)
        pairs.append(
            Pair(strategy=strategy, ticker=ticker, side=side, paper=_got(order), live=_got(nearest))
        )
    return Comparison(tuple(pairs), alone, total - len(pairs))


def strategy_in(client_order_id: ClientOrderId) -> str:
    """The strategy in the name of a bot's order; empty for what no bot named."""
    name = str(client_order_id)
    return name[: -_UUID - 1] if len(name) > _UUID + 1 and name[-_UUID - 1] == "-" else ""


def _decision(order: OrderReported) -> tuple[str, Ticker, Side]:
    return strategy_in(order.client_order_id), order.ticker, order.side


def _nearest(
    order: OrderReported, candidates: Sequence[OrderReported], apart_max: int
) -> OrderReported | None:
    near = [each for each in candidates if abs(each.created_at - order.created_at) <= apart_max]
    return min(near, key=lambda each: abs(each.created_at - order.created_at), default=None)


def _got(order: OrderReported) -> Got:
    return Got(
        at=order.created_at,
        wanted=order.initial_count,
        filled=order.fill_count,
        cost=order.taker_fill_cost + order.maker_fill_cost,
        fees=order.taker_fees + order.maker_fees,
    )
