"""The other direction: core values as the JSON that the exchange answers with.

The sandbox speaks through this module (the account), `encode_exchange`
(markets, events, limits, errors) and `encode_cents` (the form of before March
2026).  Reading back what is written here gives the same value; tests hold both
directions together.

Functions return plain dictionaries in the exchange's field names; `to_json`
writes them.  Exact numbers that the exchange writes as JSON numbers are
`Decimal` in the dictionary, so that no binary float comes near them.  Times
that the exchange keeps in whole seconds are cut toward the past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from trueup.core.errors import FinerThanUnit
from trueup.core.facts import Banked, Filled, OrderReported, Settled, Transferred
from trueup.core.ids import EventTicker, Ticker
from trueup.core.instant import format_instant, to_seconds_floor
from trueup.core.orders import Side
from trueup.core.statements import PositionStated
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Money
from trueup.wire.rest.rows.balances import Balance, SubaccountBalance
from trueup.wire.rest.rows.cash import EVENT_CONTRACTS
from trueup.wire.spelling import (
    Record,
    cents,
    counted,
    dollars,
    floored_cents,
    priced,
    shortest_dollars,
)

_encoder: Final = msgspec.json.Encoder(decimal_format="number")


def to_json(tree: object) -> bytes:
    """JSON text of what this module and `encode_cents` return."""
    return _encoder.encode(tree)


def page(key: str, rows: Iterable[Record], cursor: str = "") -> Record:
    """A listing's answer; the last page has an empty cursor."""
    return {key: list(rows), "cursor": cursor}


def fill(filled: Filled) -> Record:
    """A row of ``fills``.  A fill without a known fee has no ``fee_cost``."""
    record: Record = {
        "fill_id": filled.trade_id,
        "trade_id": filled.trade_id,
        "exchange_index": filled.shard,
        "order_id": filled.order_id,
        "ticker": filled.ticker,
        "market_ticker": filled.ticker,
        **_directions(filled.side),
        "count_fp": counted(filled.count),
        "yes_price_dollars": priced(filled.price),
        "no_price_dollars": priced(filled.price.complement()),
        "is_taker": filled.is_taker,
        "created_time": format_instant(filled.at),
        "ts": to_seconds_floor(filled.at),
        "subaccount_number": filled.subaccount,
    }
    if filled.fee is not None:
        record["fee_cost"] = dollars(filled.fee)
    return record


def settlement(settled: Settled) -> Record:
    """A row of ``settlements``.

    It does not name its subaccount, and revenue and value are cut down to whole
    cents, as on the exchange.
    """
    return {
        "ticker": settled.ticker,
        "exchange_index": settled.shard,
        "event_ticker": settled.event_ticker,
        "market_result": settled.result.value,
        "yes_count_fp": counted(settled.yes_count),
        "yes_total_cost_dollars": dollars(settled.yes_cost),
        "no_count_fp": counted(settled.no_count),
        "no_total_cost_dollars": dollars(settled.no_cost),
        "revenue": floored_cents(settled.revenue),
        "settled_time": format_instant(settled.at),
        "fee_cost": dollars(settled.trade_fees),
        "value": None if settled.value is None else settled.value.units // 100,
    }


def order(reported: OrderReported, *, user_id: str = "") -> Record:
    """An order, also as a row of ``orders``."""
    return {
        "order_id": reported.order_id,
        "user_id": user_id,
        "client_order_id": reported.client_order_id,
        "ticker": reported.ticker,
        **_directions(reported.side),
        "type": "limit",
        "status": reported.status.value,
        "yes_price_dollars": priced(reported.price),
        "no_price_dollars": priced(reported.price.complement()),
        "fill_count_fp": counted(reported.fill_count),
        "remaining_count_fp": counted(reported.remaining_count),
        "initial_count_fp": counted(reported.initial_count),
        "taker_fill_cost_dollars": dollars(reported.taker_fill_cost),
        "maker_fill_cost_dollars": dollars(reported.maker_fill_cost),
        "taker_fees_dollars": dollars(reported.taker_fees),
        "maker_fees_dollars": dollars(reported.maker_fees),
        "expiration_time": None,
        "created_time": format_instant(reported.created_at),
        "last_update_time": format_instant(reported.updated_at),
        "subaccount_number": reported.subaccount,
        "exchange_index": reported.shard,
    }


def position(stated: PositionStated) -> Record:
    """A row of ``market_positions``."""
    return {
        "ticker": stated.ticker,
        "exchange_index": stated.shard,
        "total_traded_dollars": dollars(stated.total_traded),
        "position_fp": counted(stated.net),
        "market_exposure_dollars": dollars(stated.exposure),
        "realized_pnl_dollars": dollars(stated.realized),
        "fees_paid_dollars": dollars(stated.fees_paid),
        "last_updated_ts": format_instant(stated.updated_at),
    }


def positions_page(
    stated: Sequence[PositionStated],
    cursor: str = "",
    *,
    event_of: Callable[[Ticker], EventTicker],
) -> Record:
    """The answer of the positions listing: rows per market, and their sums per event."""
    by_event: dict[EventTicker, list[PositionStated]] = {}
    for each in stated:
        by_event.setdefault(event_of(each.ticker), []).append(each)
    return {
        "market_positions": [position(each) for each in stated],
        "event_positions": [
            {
                "event_ticker": event_ticker,
                "total_cost_dollars": dollars(_total(each.total_traded for each in rows)),
                "total_cost_shares_fp": counted(sum((abs(each.net) for each in rows), ZERO_COUNT)),
                "event_exposure_dollars": dollars(_total(each.exposure for each in rows)),
                "realized_pnl_dollars": dollars(_total(each.realized for each in rows)),
                "fees_paid_dollars": dollars(_total(each.fees_paid for each in rows)),
            }
            for event_ticker, rows in by_event.items()
        ],
        "cursor": cursor,
    }


def balance(stated: Balance, *, show_breakdown: bool = True) -> Record:
    """The balance answer.  The integer ``balance`` is cut down to cents.

    `show_breakdown` is false for a key that is locked to a subaccount.
    Raises `FinerThanUnit` for a balance that is an interval.
    """
    if stated.low != stated.high:
        raise FinerThanUnit("an interval cannot be written as balance_dollars")
    record: Record = {
        "balance": floored_cents(stated.low),
        "balance_dollars": shortest_dollars(stated.low),
        "portfolio_value": floored_cents(stated.portfolio_value or ZERO_MONEY),
        "updated_ts": to_seconds_floor(stated.at),
    }
    if show_breakdown:
        record["balance_breakdown"] = [
            {"exchange_index": part.shard, "balance": shortest_dollars(part.amount)}
            for part in stated.breakdown
        ]
    return record


def subaccount_balance(stated: SubaccountBalance) -> Record:
    """A row of ``subaccount_balances``."""
    return {
        "subaccount_number": stated.subaccount,
        "exchange_index": stated.shard,
        "balance": shortest_dollars(stated.amount),
        "updated_ts": to_seconds_floor(stated.at),
    }


def banked(movement: Banked) -> Record:
    """A row of ``deposits`` or ``withdrawals``: the record itself has no sign."""
    at, created = to_seconds_floor(movement.at), to_seconds_floor(movement.created_at)
    return {
        "id": movement.banking_id,
        "status": movement.status.value,
        "type": movement.method,
        "amount_cents": cents(abs(movement.amount)),
        "fee_cents": cents(movement.fee),
        "created_ts": created,
        "finalized_ts": None if at == created else at,
    }


def subaccount_transfer(moved: Transferred) -> Record:
    """A row of the transfers between subaccounts."""
    return {
        "transfer_id": moved.transfer_id,
        "from_subaccount": moved.from_subaccount,
        "to_subaccount": moved.to_subaccount,
        "amount_cents": cents(moved.amount),
        "created_ts": to_seconds_floor(moved.at),
        "exchange_index": moved.from_shard,
    }


def shard_transfer(moved: Transferred) -> Record:
    """A row of the transfers between shards."""
    return {
        "transfer_id": moved.transfer_id,
        "source": EVENT_CONTRACTS,
        "destination": EVENT_CONTRACTS,
        "source_exchange_shard": moved.from_shard,
        "destination_exchange_shard": moved.to_shard,
        "amount": shortest_dollars(moved.amount),
        "status": moved.status.value,
        "created_ts": to_seconds_floor(moved.at),
    }


def _directions(side: Side) -> Mapping[str, str]:
    return {
        "side": side.value,
        "action": "buy",
        "outcome_side": side.value,
        "book_side": "bid" if side is Side.YES else "ask",
    }


def _total(amounts: Iterable[Money]) -> Money:
    return sum(amounts, ZERO_MONEY)
