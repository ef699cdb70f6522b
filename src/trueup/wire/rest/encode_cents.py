"""Core values as the exchange wrote them before March 2026: cents and whole contracts.

For a sandbox with the personality of that time.  The form cannot say a
fraction of a contract or of a cent: such a value raises `FinerThanUnit`
instead of being cut.  It has no shards, no subaccount numbers and no fees on
fills; reading back gives everything else.  Cash movements between subaccounts
had the present form already, see `encode`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from trueup.core.catalog import Market, Quote
from trueup.core.errors import CallerError, FinerThanUnit
from trueup.core.facts import Filled, OrderReported, Settled
from trueup.core.instant import format_instant, to_seconds_floor
from trueup.core.payoff import yes_value
from trueup.core.statements import MarketStated, PositionStated
from trueup.core.units import ONE_DOLLAR, ZERO_MONEY, Count, Price
from trueup.wire.rest.account import AccountLimits
from trueup.wire.rest.call import DEFAULT_COST
from trueup.wire.rest.rows.balances import Balance
from trueup.wire.spelling import Record, cents, dollars, floored_cents, priced

_NOTHING: Final = Price(0)


def fill(filled: Filled) -> Record:
    """A row of ``fills``.  `side` alone says the direction, and there is no fee."""
    no_price = filled.price.complement()
    return {
        "fill_id": filled.trade_id,
        "trade_id": filled.trade_id,
        "order_id": filled.order_id,
        "ticker": filled.ticker,
        "market_ticker": filled.ticker,
        "side": filled.side.value,
        "action": "buy",
        "count": _contracts(filled.count),
        "price": Decimal(filled.price.units).scaleb(-4),
        "yes_price": _price_cents(filled.price),
        "no_price": _price_cents(no_price),
        "yes_price_fixed": priced(filled.price),
        "no_price_fixed": priced(no_price),
        "is_taker": filled.is_taker,
        "created_time": format_instant(filled.at),
        "ts": to_seconds_floor(filled.at),
    }


def settlement(settled: Settled) -> Record:
    """A row of ``settlements`` with costs in cents."""
    return {
        "ticker": settled.ticker,
        "event_ticker": settled.event_ticker,
        "market_result": settled.result.value,
        "yes_count": _contracts(settled.yes_count),
        "yes_total_cost": cents(settled.yes_cost),
        "no_count": _contracts(settled.no_count),
        "no_total_cost": cents(settled.no_cost),
        "revenue": floored_cents(settled.revenue),
        "settled_time": format_instant(settled.at),
        "fee_cost": dollars(settled.trade_fees),
        "value": None if settled.value is None else settled.value.units // 100,
    }


def minimal_settlement(settled: Settled) -> Record:
    """The settlement row of six fields that some descriptions of that time show.

    ``settled_price`` is the YES value in cents, ``profit_loss`` the net profit
    in dollars after fees.  Costs and fees cannot be read back from it (see
    `trueup.wire.rest.rows.settlements`).  Raises `CallerError` for a scalar
    result of unknown value.
    """
    value = yes_value(settled.result, settled.value)
    if value is None:
        raise CallerError(
            f"{settled.ticker}: the profit of a scalar result of unknown value is unknown",
            remedy="Give the settlement its value.",
        )
    gross = value * settled.yes_count + value.complement() * settled.no_count
    profit = gross - settled.yes_cost - settled.no_cost - settled.trade_fees
    return {
        "market_ticker": settled.ticker,
        "settled_price": _price_cents(value),
        "profit_loss": Decimal(profit.units).scaleb(-6),
        "settled_time": format_instant(settled.at),
        "no_count": _contracts(settled.no_count),
        "yes_count": _contracts(settled.yes_count),
    }


def order(reported: OrderReported, *, user_id: str = "") -> Record:
    """An order; some amounts stood beside their dollar strings already."""
    no_price = reported.price.complement()
    return {
        "order_id": reported.order_id,
        "user_id": user_id,
        "client_order_id": reported.client_order_id,
        "ticker": reported.ticker,
        "side": reported.side.value,
        "action": "buy",
        "type": "limit",
        "status": reported.status.value,
        "yes_price": _price_cents(reported.price),
        "yes_price_dollars": priced(reported.price),
        "no_price": _price_cents(no_price),
        "no_price_dollars": priced(no_price),
        "fill_count": _contracts(reported.fill_count),
        "remaining_count": _contracts(reported.remaining_count),
        "initial_count": _contracts(reported.initial_count),
        "queue_position": 0,
        "taker_fill_cost": cents(reported.taker_fill_cost),
        "maker_fill_cost": cents(reported.maker_fill_cost),
        "taker_fees": cents(reported.taker_fees),
        "maker_fees": cents(reported.maker_fees),
        "order_group_id": None,
        "expiration_time": None,
        "created_time": format_instant(reported.created_at),
        "last_update_time": format_instant(reported.updated_at),
    }


def position(stated: PositionStated) -> Record:
    """A row of ``market_positions``."""
    return {
        "ticker": stated.ticker,
        "position": _contracts(stated.net),
        "market_exposure": cents(stated.exposure),
        "realized_pnl": cents(stated.realized),
        "fees_paid": cents(stated.fees_paid),
        "total_traded": cents(stated.total_traded),
        "resting_orders_count": 0,
        "last_updated_ts": format_instant(stated.updated_at),
    }


def balance(stated: Balance) -> Record:
    """The balance, cut down to cents, and nothing finer."""
    return {
        "balance": floored_cents(stated.low),
        "portfolio_value": floored_cents(stated.portfolio_value or ZERO_MONEY),
        "updated_ts": to_seconds_floor(stated.at),
    }


def market(place: Market, stated: MarketStated, quote: Quote) -> Record:
    """A market with prices in cents and whole counts."""
    bid, ask = quote.yes_bid or _NOTHING, quote.yes_ask or ONE_DOLLAR
    record: Record = {
        "ticker": place.ticker,
        "event_ticker": place.event_ticker,
        "market_type": "binary",
        "title": place.title,
        "subtitle": "",
        "yes_sub_title": place.title,
        "no_sub_title": place.title,
        "status": stated.status.value,
        "result": stated.result.value if stated.result else "",
        "yes_bid": _price_cents(bid),
        "yes_ask": _price_cents(ask),
        "no_bid": _price_cents(ask.complement()),
        "no_ask": _price_cents(bid.complement()),
        "last_price": _price_cents(quote.last or _NOTHING),
        "volume": _contracts(quote.volume),
        "volume_24h": _contracts(quote.volume_24h),
        "open_interest": _contracts(quote.open_interest),
        "notional_value": 100,
        "tick_size": 1,
        "can_close_early": True,
        "expiration_value": "",
        "rules_primary": "",
        "rules_secondary": "",
    }
    for name, moment in (
        ("open_time", place.open_at),
        ("close_time", place.close_at),
        ("expected_expiration_time", place.expected_expiration_at),
        ("fee_waiver_expiration_time", place.fee_waiver_until),
        ("settlement_ts", stated.settled_at),
    ):
        if moment is not None:
            record[name] = format_instant(moment)
    if stated.settlement_value is not None:
        record["settlement_value"] = _price_cents(stated.settlement_value)
    return record


def account_limits(limits: AccountLimits) -> Record:
    """Plain requests per second, as before token buckets."""
    return {
        "usage_tier": limits.tier,
        "read_limit": limits.read.refill_per_second // DEFAULT_COST,
        "write_limit": limits.write.refill_per_second // DEFAULT_COST,
    }


def _contracts(count: Count) -> int:
    whole, rest = divmod(count.units, 100)
    if rest:
        raise FinerThanUnit(f"{count} contracts are not a whole number")
    return whole


def _price_cents(price: Price) -> int:
    return cents(price * Count.of_contracts(1))
