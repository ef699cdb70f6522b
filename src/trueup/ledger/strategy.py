"""Whose trade was it?  A pure rule from an order to a strategy tag.

The exchange knows no strategies.  Three things tell them apart, the first that
applies wins: a tag that somebody put on the order, the prefix of its client
order id, and the series of the market.  What no rule names has the empty tag.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from trueup.core.ids import ClientOrderId, OrderId, SeriesTicker, Ticker

UNTAGGED = ""
"""The strategy of what no rule names."""

StrategyOf = Callable[[OrderId, Ticker], str]
"""The strategy of an order on a market, as the booking asks for it."""


def _unknown_series(_: Ticker) -> SeriesTicker | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRule:
    """One rule: where all given conditions hold, the order belongs to `strategy`.

    An empty `client_prefix` or `series` is no condition; a rule without any
    condition names everything that is left.
    """

    strategy: str
    client_prefix: str = ""
    series: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRules:
    """The rules in their order, and explicit tags by order, which go first.

    `series_of` comes from the catalog; a market of unknown series matches no
    rule that asks for a series.
    """

    rules: tuple[StrategyRule, ...] = ()
    tags: Mapping[OrderId, str] = field(default_factory=dict[OrderId, str])
    series_of: Callable[[Ticker], SeriesTicker | None] = _unknown_series

    def strategy_of(
        self, order_id: OrderId, client_order_id: ClientOrderId | None, ticker: Ticker
    ) -> str:
        """The strategy tag of an order; empty when no rule names it."""
        tagged = self.tags.get(order_id)
        if tagged is not None:
            return tagged
        for rule in self.rules:
            if rule.client_prefix and not (client_order_id or "").startswith(rule.client_prefix):
                continue
            if rule.series and self.series_of(ticker) != rule.series:
                continue
            return rule.strategy
        return UNTAGGED

    def for_orders(self, client_order_ids: Mapping[OrderId, ClientOrderId]) -> StrategyOf:
        """The rules bound to what is known about orders: fills carry no client order id."""

        def strategy_of(order_id: OrderId, ticker: Ticker) -> str:
            return self.strategy_of(order_id, client_order_ids.get(order_id), ticker)

        return strategy_of


def no_strategy(_order_id: OrderId, _ticker: Ticker) -> str:
    """Everything belongs to the empty tag."""
    return UNTAGGED
