"""Core values as the exchange's JSON: markets and their fees, limits, keys, errors.

The counterpart of `encode` for what does not belong to the account's record.
What core does not know (rules, titles of the sides, sizes at the top of the
book) is filled with the plainest value that the exchange's description allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import Final

from trueup.core.catalog import Event, FeeChange, Market, Quote, Series
from trueup.core.errors import FinerThanUnit
from trueup.core.instant import Instant, format_instant, to_seconds_floor
from trueup.core.statements import MarketStated
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, Price, Ratio
from trueup.wire.rest.account import AccountLimits, BucketSize, EndpointCosts
from trueup.wire.rest.api_keys import ApiKey
from trueup.wire.rest.errors import ErrorBody, ErrorShape
from trueup.wire.rest.exchange import ExchangeStatus
from trueup.wire.rest.historical import Cutoffs
from trueup.wire.rest.table import listed_path
from trueup.wire.spelling import Record, counted, priced

_NOTHING: Final = Price(0)
_RATIO_DIGITS: Final = 28


def market(place: Market, stated: MarketStated, quote: Quote) -> Record:
    """A market, also as a row of ``markets``."""
    bid, ask = quote.yes_bid or _NOTHING, quote.yes_ask or ONE_DOLLAR
    record: Record = {
        "ticker": place.ticker,
        "event_ticker": place.event_ticker,
        "market_type": "binary",
        "title": place.title,
        "yes_sub_title": place.title,
        "no_sub_title": place.title,
        "created_time": _time(place.open_at),
        "updated_time": _time(place.open_at),
        "open_time": _time(place.open_at),
        "close_time": _time(place.close_at),
        "latest_expiration_time": _time(place.close_at),
        "expected_expiration_time": _time(place.expected_expiration_at),
        "fee_waiver_expiration_time": _time(place.fee_waiver_until),
        "settlement_timer_seconds": 3600,
        "status": stated.status.value,
        "result": stated.result.value if stated.result else "",
        "notional_value_dollars": priced(ONE_DOLLAR),
        "yes_bid_dollars": priced(bid),
        "yes_ask_dollars": priced(ask),
        "no_bid_dollars": priced(ask.complement()),
        "no_ask_dollars": priced(bid.complement()),
        "yes_bid_size_fp": counted(ZERO_COUNT),
        "yes_ask_size_fp": counted(ZERO_COUNT),
        "last_price_dollars": priced(quote.last or _NOTHING),
        "previous_yes_bid_dollars": priced(_NOTHING),
        "previous_yes_ask_dollars": priced(_NOTHING),
        "previous_price_dollars": priced(_NOTHING),
        "volume_fp": counted(quote.volume),
        "volume_24h_fp": counted(quote.volume_24h),
        "open_interest_fp": counted(quote.open_interest),
        "can_close_early": True,
        "expiration_value": "",
        "rules_primary": "",
        "rules_secondary": "",
        "price_level_structure": "linear_cent",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
        "settlement_bounds_type": "default",
        "exchange_index": place.shard,
    }
    if stated.settled_at is not None:
        record["settlement_ts"] = format_instant(stated.settled_at)
    if stated.settlement_value is not None:
        record["settlement_value_dollars"] = priced(stated.settlement_value)
    return record


def event(stated: Event) -> Record:
    """An event without its markets."""
    return {
        "event_ticker": stated.ticker,
        "series_ticker": stated.series_ticker,
        "sub_title": "",
        "title": stated.title,
        "collateral_return_type": "",
        "mutually_exclusive": stated.mutually_exclusive,
        "settlement_sources": [],
        "fee_type_override": stated.fee_type_override,
        "fee_multiplier_override": _number(stated.fee_multiplier_override),
    }


def series(stated: Series) -> Record:
    """A series, also as a row of ``series``."""
    return {
        "ticker": stated.ticker,
        "frequency": "custom",
        "title": stated.title,
        "category": stated.category,
        "categories": [stated.category],
        "tags": list(stated.tags) or None,
        "settlement_sources": [],
        "contract_url": "",
        "contract_terms_url": "",
        "fee_type": stated.fee_type,
        "fee_multiplier": _number(stated.fee_multiplier),
        "additional_prohibitions": None,
    }


def series_fee_change(change: FeeChange) -> Record:
    """A row of ``series_fee_change_arr``."""
    return {
        "id": change.change_id,
        "series_ticker": change.series_ticker,
        "fee_type": change.fee_type,
        "fee_multiplier": _number(change.fee_multiplier),
        "scheduled_ts": format_instant(change.effective_at),
    }


def event_fee_change(change: FeeChange) -> Record:
    """A row of ``event_fee_changes``."""
    return {
        "id": change.change_id,
        "event_ticker": change.event_ticker,
        "series_ticker": change.series_ticker,
        "fee_type_override": change.fee_type,
        "fee_multiplier_override": _number(change.fee_multiplier),
        "scheduled_ts": format_instant(change.effective_at),
    }


def exchange_status(stated: ExchangeStatus) -> Record:
    """The status answer, also for 503."""
    record: Record = {
        "exchange_active": stated.exchange_active,
        "trading_active": stated.trading_active,
        "exchange_estimated_resume_time": _time(stated.resumes_at),
    }
    if stated.transfers_active is not None:
        record["intra_exchange_transfers_active"] = stated.transfers_active
    if stated.shards:
        record["exchange_index_statuses"] = [
            {
                "exchange_index": each.shard,
                "description": each.description,
                "exchange_active": each.exchange_active,
                "trading_active": each.trading_active,
                "intra_exchange_transfers_active": each.transfers_active,
            }
            for each in stated.shards
        ]
    return record


def user_data_timestamp(moment: Instant) -> Record:
    """Up to when the account's reads are complete."""
    return {"as_of_time": format_instant(moment)}


def cutoffs(stated: Cutoffs) -> Record:
    """Where the live tier begins."""
    record: Record = {
        "market_settled_ts": format_instant(stated.market_settled_at),
        "trades_created_ts": format_instant(stated.trades_created_at),
        "orders_updated_ts": format_instant(stated.orders_updated_at),
    }
    if stated.positions_updated_at is not None:
        record["market_positions_last_updated_ts"] = format_instant(stated.positions_updated_at)
    return record


def account_limits(limits: AccountLimits) -> Record:
    """The account's request budget."""
    return {
        "usage_tier": limits.tier,
        "read": _bucket(limits.read),
        "write": _bucket(limits.write),
        "grants": [
            {
                "exchange_instance": each.exchange_instance,
                "level": each.level,
                "source": each.source,
                "expires_ts": (
                    None if each.expires_at is None else to_seconds_floor(each.expires_at)
                ),
            }
            for each in limits.grants
        ],
    }


def endpoint_costs(costs: EndpointCosts) -> Record:
    """What requests cost, with paths as the exchange lists them."""
    return {
        "default_cost": costs.default,
        "endpoint_costs": [
            {"method": each.method, "path": listed_path(each.template), "cost": each.cost}
            for each in costs.listed
        ],
    }


def api_keys(keys: Iterable[ApiKey]) -> Record:
    """The listing of keys."""
    return {
        "api_keys": [
            {
                "api_key_id": key.key_id,
                "name": key.name,
                "scopes": list(key.scopes),
                "subaccount": key.subaccount,
            }
            for key in keys
        ]
    }


def error(body: ErrorBody, shape: ErrorShape = ErrorShape.NESTED) -> Record:
    """An error body in one of the exchange's shapes.  The last two carry only the message."""
    match shape:
        case ErrorShape.PARAMETER:
            return {"msg": body.message}
        case ErrorShape.TEXT:
            return {"error": body.message}
        case ErrorShape.NESTED | ErrorShape.FLAT:
            inner: Record = {"code": body.code, "message": body.message}
            if body.details:
                inner["details"] = body.details
            return {"error": inner} if shape is ErrorShape.NESTED else inner


def _time(moment: Instant | None) -> str | None:
    return None if moment is None else format_instant(moment)


def _bucket(size: BucketSize) -> Record:
    return {"refill_rate": size.refill_per_second, "bucket_capacity": size.capacity}


def _number(ratio: Ratio | None) -> Decimal | None:
    if ratio is None:
        return None
    with localcontext() as context:
        context.prec = _RATIO_DIGITS
        number = Decimal(ratio.numerator) / Decimal(ratio.denominator)
    if Ratio(number) != ratio:
        raise FinerThanUnit(f"{ratio} has no exact decimal form")
    return number
