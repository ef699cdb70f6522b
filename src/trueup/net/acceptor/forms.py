"""How records look: in the exchange's present form, or in one of three older ones.

A personality decides it for all answers at once.

- ``present``: October 2026.
- ``2026-06``: before shards.  Errors name the service that refused, and both
  order APIs work.
- ``2026-03``: right after the change to dollar strings.  One order API, the
  first; directions in the words ``side`` and ``action`` only.
- ``2025``: whole cents and whole contracts only, and settlement rows of six
  fields; a world that is served in that form must be one of that time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from trueup.core.catalog import Event
from trueup.core.facts import Filled, Settled
from trueup.core.instant import SECOND, format_instant
from trueup.core.orders import Side
from trueup.core.statements import PositionStated
from trueup.core.units import Money, Price
from trueup.sim.market_surface import MarketView
from trueup.sim.surface import EventPositionView, OrderView
from trueup.wire import spelling
from trueup.wire.rest import encode, encode_cents, encode_exchange
from trueup.wire.rest.account import AccountLimits
from trueup.wire.rest.exchange import ExchangeStatus
from trueup.wire.rest.rows.balances import Balance
from trueup.wire.spelling import Record


class Personality(StrEnum):
    """Whose behaviour is shown."""

    PRESENT = "present"
    JUNE_2026 = "2026-06"
    MARCH_2026 = "2026-03"
    OLD = "2025"


@dataclass(frozen=True, slots=True)
class Words:
    """How the member said what it wants: the old ``side`` and ``action``.

    `names_prevention` is false for an order that did not say what shall happen
    when it meets one of its own member.
    """

    side: str
    action: str
    names_prevention: bool = True


def words_of(side: Side) -> Words:
    """The words for an order that was given as a bid or an ask.

    The book is in terms of YES, so an ask reads as a sale of YES, also where
    it opens a NO position (told by another client's author).
    """
    return Words("yes", "buy" if side is Side.YES else "sell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """One writer per kind of record whose form has changed.

    `names_service` errors say who refused; `names_canceled` answers to a
    cancellation repeat the client's name of the order.
    """

    fill: Callable[[Filled, Words], Record]
    order: Callable[[OrderView, str, Words], Record]
    settlement: Callable[[Settled], Record]
    position: Callable[[PositionStated], Record]
    event_position: Callable[[EventPositionView], Record]
    balance: Callable[[Balance, bool], Record]
    market: Callable[[MarketView], Record]
    limits: Callable[[AccountLimits], Record]
    event: Callable[[Event], Record] = encode_exchange.event
    status: Callable[[ExchangeStatus], Record] = encode_exchange.exchange_status
    names_service: bool = False
    names_canceled: bool = True


def _without(record: Record, *names: str) -> Record:
    return {name: value for name, value in record.items() if name not in names}


def _filled(filled: Filled, words: Words) -> Record:
    return {**encode.fill(filled), "side": words.side, "action": words.action}


def _order(view: OrderView, user_id: str, words: Words) -> Record:
    """What an order does not have is left out (recorded June 2026)."""
    record = encode.order(view.order, user_id=user_id)
    record |= {"side": words.side, "action": words.action}
    terms = view.terms
    if words.names_prevention:
        record["self_trade_prevention_type"] = terms.self_trade_prevention.value
    if terms.expires_at is None:
        record.pop("expiration_time", None)
    else:
        record["expiration_time"] = format_instant(terms.expires_at)
    if terms.group_id is not None:
        record["order_group_id"] = terms.group_id
    if terms.cancel_on_pause:
        record["cancel_order_on_pause"] = True
    return record


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
    known = encode_exchange.market(view.market, view.stated, view.quote)
    return {
        **{name: value for name, value in known.items() if value is not None},
        "yes_bid_size_fp": spelling.counted(view.bid_count),
        "yes_ask_size_fp": spelling.counted(view.ask_count),
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


# -- June 2026 ---------------------------------------------------------------------------------


def _june_market(view: MarketView) -> Record:
    record = _without(_market(view), "exchange_index", "settlement_bounds_type")
    return {
        **record,
        "expiration_time": record.get("latest_expiration_time"),
        "fractional_trading_enabled": True,
        "liquidity_dollars": "0.0000",
        "response_price_units": "usd_cent",
    }


def _june_position(stated: PositionStated) -> Record:
    return {**_without(encode.position(stated), "exchange_index"), "resting_orders_count": 0}


def _june_status(status: ExchangeStatus) -> Record:
    return {"exchange_active": status.exchange_active, "trading_active": status.trading_active}


# -- March 2026 --------------------------------------------------------------------------------

_SINCE_MAY: Final = ("outcome_side", "book_side", "exchange_index")


def _march_market(view: MarketView) -> Record:
    return {**_june_market(view), "tick_size": 1}


def _march_balance(stated: Balance, _show_breakdown: bool) -> Record:
    return encode_cents.balance(stated)


# -- 2025 --------------------------------------------------------------------------------------


def _old_fill(filled: Filled, words: Words) -> Record:
    return {**encode_cents.fill(filled), "side": words.side, "action": words.action}


def _old_order(view: OrderView, user_id: str, words: Words) -> Record:
    record = encode_cents.order(view.order, user_id=user_id)
    for name in ("taker_fill_cost", "maker_fill_cost"):
        record[f"{name}_dollars"] = _of_cents(record[name])
    return {**record, "side": words.side, "action": words.action}


def _old_event_position(view: EventPositionView) -> Record:
    record: Record = {
        "total_cost": spelling.cents(view.total_cost),
        "event_exposure": spelling.floored_cents(view.exposure),
        "realized_pnl": spelling.floored_cents(view.realized),
        "fees_paid": spelling.cents(view.fees_paid),
    }
    return {
        "event_ticker": view.event_ticker,
        "total_cost_shares": view.total_cost_shares.units // 100,
        "resting_order_count": 0,
        **_in_both(record),
    }


def _old_position(stated: PositionStated) -> Record:
    """Average costs cut to cents: what fits in them was all that was shown."""
    cent = Money.of_cents(1)
    record = encode_cents.position(
        replace(
            stated,
            exposure=stated.exposure.floor_to(cent),
            realized=stated.realized.floor_to(cent),
        )
    )
    amounts = ("total_traded", "market_exposure", "realized_pnl", "fees_paid")
    return record | _in_both({name: record[name] for name in amounts})


def _old_market(view: MarketView) -> Record:
    """In cents, with everything in dollars beside it (recorded January 2026)."""
    whole = encode_cents.market(view.market, view.stated, view.quote)
    known = _june_market(view)
    dollars = {
        name: value
        for name, value in known.items()
        if name.endswith("_dollars") or name in _OF_MARKETS_IN_2025
    }
    amounts = {
        "previous_yes_bid": 0,
        "previous_yes_ask": 0,
        "previous_price": 0,
        "liquidity": 0,
        "risk_limit_cents": 0,
        "category": "",
    }
    return {**dollars, **amounts, **whole}


_OF_MARKETS_IN_2025: Final = frozenset(
    {
        "created_time",
        "expiration_time",
        "latest_expiration_time",
        "settlement_timer_seconds",
        "response_price_units",
        "price_level_structure",
        "price_ranges",
    }
)


def _old_event(event: Event) -> Record:
    return encode_exchange.event(event) | {"category": "", "available_on_brokers": False}


def _in_both(amounts: Mapping[str, object]) -> Record:
    """Amounts in cents, and the same in dollars beside them."""
    return {**amounts, **{f"{name}_dollars": _of_cents(cents) for name, cents in amounts.items()}}


def _of_cents(cents: object) -> str:
    return spelling.shortest_dollars(Money.of_cents(int(str(cents))))


FORMS: Final = {
    Personality.PRESENT: Forms(
        fill=_filled,
        order=_order,
        settlement=encode.settlement,
        position=encode.position,
        event_position=_event_position,
        balance=_balance,
        market=_market,
        limits=encode_exchange.account_limits,
    ),
    Personality.JUNE_2026: Forms(
        fill=lambda filled, words: _without(_filled(filled, words), "exchange_index"),
        order=lambda view, user_id, words: _without(_order(view, user_id, words), "exchange_index"),
        settlement=lambda settled: _without(encode.settlement(settled), "exchange_index"),
        position=_june_position,
        event_position=_event_position,
        balance=_balance,
        market=_june_market,
        limits=encode_exchange.account_limits,
        status=_june_status,
        names_service=True,
        names_canceled=False,
    ),
    Personality.MARCH_2026: Forms(
        fill=lambda filled, words: _without(_filled(filled, words), *_SINCE_MAY),
        order=lambda view, user_id, words: _without(_order(view, user_id, words), *_SINCE_MAY),
        settlement=lambda settled: _without(encode.settlement(settled), "exchange_index"),
        position=_june_position,
        event_position=_event_position,
        balance=_march_balance,
        market=_march_market,
        limits=encode_cents.account_limits,
        status=_june_status,
        names_service=True,
    ),
    Personality.OLD: Forms(
        fill=_old_fill,
        order=_old_order,
        settlement=encode_cents.minimal_settlement,
        position=_old_position,
        event_position=_old_event_position,
        balance=_march_balance,
        market=_old_market,
        event=_old_event,
        limits=encode_cents.account_limits,
        status=_june_status,
        names_service=True,
    ),
}
"""One form for each personality."""
