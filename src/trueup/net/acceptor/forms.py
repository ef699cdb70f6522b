"""How records look: the exchange's present form, or the one of 2025.

A personality decides it for all answers at once.  In 2025 there were whole
cents and whole contracts only, and settlement rows of six fields; a world that
is served in that form must be one of that time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from trueup.core.facts import Filled, OrderReported, Settled
from trueup.core.instant import SECOND, format_instant
from trueup.core.statements import PositionStated
from trueup.core.units import Money, Price
from trueup.sim.market_surface import MarketView
from trueup.sim.surface import EventPositionView
from trueup.wire import spelling
from trueup.wire.rest import encode, encode_cents, encode_exchange
from trueup.wire.rest.account import AccountLimits
from trueup.wire.rest.rows.balances import Balance
from trueup.wire.spelling import Record


class Personality(StrEnum):
    """Whose behaviour is shown."""

    PRESENT = "present"
    OLD = "2025"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """One writer per kind of record whose form has changed."""

    fill: Callable[[Filled], Record]
    order: Callable[[OrderReported, str], Record]
    settlement: Callable[[Settled], Record]
    position: Callable[[PositionStated], Record]
    event_position: Callable[[EventPositionView], Record]
    balance: Callable[[Balance, bool], Record]
    market: Callable[[MarketView], Record]
    limits: Callable[[AccountLimits], Record]


def _order(reported: OrderReported, user_id: str) -> Record:
    return {
        **encode.order(reported, user_id=user_id),
        "self_trade_prevention_type": "taker_at_cross",
        "order_group_id": None,
        "cancel_order_on_pause": False,
    }


def _event_position(view: EventPositionView) -> Record:
    return {
        "event_ticker": view.event_ticker,
        "total_cost_dollars": spelling.dollars(view.total_cost),
        "total_cost_shares_fp": spelling.counted(view.total_cost_shares),
        "event_exposure_dollars": spelling.dollars(view.exposure),
        "realized_pnl_dollars": spelling.dollars(view.realized),
        "fees_paid_dollars": spelling.dollars(view.fees_paid),
    }


def _balance(stated: Balance, show_breakdown: bool) -> Record:
    return encode.balance(stated, show_breakdown=show_breakdown)


def _market(view: MarketView) -> Record:
    listed = format_instant(view.listed_at)
    return {
        **encode_exchange.market(view.market, view.stated, view.quote),
        "created_time": listed,
        "updated_time": listed,
        "settlement_timer_seconds": view.settlement_timer // SECOND,
        "price_level_structure": view.grid.label,
        "price_ranges": [
            {
                "start": spelling.priced(Price(band.start)),
                "end": spelling.priced(Price(band.end)),
                "step": spelling.priced(Price(band.step)),
            }
            for band in view.grid.bands
        ],
    }


def _old_order(reported: OrderReported, user_id: str) -> Record:
    return encode_cents.order(reported, user_id=user_id)


def _old_event_position(view: EventPositionView) -> Record:
    return {
        "event_ticker": view.event_ticker,
        "total_cost": spelling.cents(view.total_cost),
        "event_exposure": spelling.floored_cents(view.exposure),
        "realized_pnl": spelling.floored_cents(view.realized),
        "fees_paid": spelling.cents(view.fees_paid),
        "resting_order_count": 0,
    }


def _old_position(stated: PositionStated) -> Record:
    """Average costs cut to cents: what fits in them was all that was shown."""
    cent = Money.of_cents(1)
    return encode_cents.position(
        replace(
            stated,
            exposure=stated.exposure.floor_to(cent),
            realized=stated.realized.floor_to(cent),
        )
    )


def _old_balance(stated: Balance, _show_breakdown: bool) -> Record:
    return encode_cents.balance(stated)


def _old_market(view: MarketView) -> Record:
    return encode_cents.market(view.market, view.stated, view.quote)


FORMS: Final = {
    Personality.PRESENT: Forms(
        fill=encode.fill,
        order=_order,
        settlement=encode.settlement,
        position=encode.position,
        event_position=_event_position,
        balance=_balance,
        market=_market,
        limits=encode_exchange.account_limits,
    ),
    Personality.OLD: Forms(
        fill=encode_cents.fill,
        order=_old_order,
        settlement=encode_cents.minimal_settlement,
        position=_old_position,
        event_position=_old_event_position,
        balance=_old_balance,
        market=_old_market,
        limits=encode_cents.account_limits,
    ),
}
