"""Values as rows, and rows as values: the only place that knows both.

A row holds the fields of its value in their order, as integers in their unit,
texts and None.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Final

from trueup.core.facts import (
    Banked,
    BankingStatus,
    Filled,
    Opened,
    OrderReported,
    Settled,
    Transferred,
    TransferStatus,
)
from trueup.core.ids import SHARD_ZERO
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import OrderStatus, Side
from trueup.core.settlement import SettlementFee, SettlementPageReported, SettlementReported
from trueup.core.statements import BalanceStated, MarketStated, PositionStated
from trueup.core.units import Count, Money, Price
from trueup.store.driver import AnyRow

# Looking members and words up on an enum costs as much as the rest of a row.
_SIDES: Final = {side.value: side for side in Side}
_SIDE_WORDS: Final = {side: side.value for side in Side}
_RESULTS: Final = {result.value: result for result in MarketResult}
_RESULT_WORDS: Final = {result: result.value for result in MarketResult}


def _money(units: int | None) -> Money | None:
    return None if units is None else Money(units)


def _count(units: int | None) -> Count | None:
    return None if units is None else Count(units)


def _price(units: int | None) -> Price | None:
    return None if units is None else Price(units)


def filled_row(v: Filled) -> AnyRow:
    """The row of a value."""
    fee = v.fee
    return (
        v.trade_id,
        v.order_id,
        v.ticker,
        _SIDE_WORDS[v.side],
        v.count.units,
        v.price.units,
        None if fee is None else fee.units,
        1 if v.is_taker else 0,
        v.at,
        v.subaccount,
        v.shard if v.shard_named else None,
    )


def filled(r: AnyRow) -> Filled:
    """The value of a row."""
    return Filled(
        trade_id=r[0],
        order_id=r[1],
        ticker=r[2],
        side=_SIDES[r[3]],
        count=Count(r[4]),
        price=Price(r[5]),
        fee=_money(r[6]),
        is_taker=r[7] == 1,
        at=r[8],
        subaccount=r[9],
        shard=r[10] or SHARD_ZERO,
        shard_named=r[10] is not None,
    )


def settled_row(v: Settled) -> AnyRow:
    """The row of a value."""
    return (
        v.ticker,
        v.event_ticker,
        _RESULT_WORDS[v.result],
        v.yes_count.units,
        v.no_count.units,
        v.yes_cost.units,
        v.no_cost.units,
        v.revenue.units,
        v.trade_fees.units,
        None if v.value is None else v.value.units,
        v.at,
        v.subaccount,
        v.shard if v.shard_named else None,
    )


def settled(r: AnyRow) -> Settled:
    """The value of a row."""
    return Settled(
        ticker=r[0],
        event_ticker=r[1],
        result=_RESULTS[r[2]],
        yes_count=Count(r[3]),
        no_count=Count(r[4]),
        yes_cost=Money(r[5]),
        no_cost=Money(r[6]),
        revenue=Money(r[7]),
        trade_fees=Money(r[8]),
        value=_price(r[9]),
        at=r[10],
        subaccount=r[11],
        shard=r[12] or SHARD_ZERO,
        shard_named=r[12] is not None,
    )


def order_row(v: OrderReported) -> AnyRow:
    """The row of a value."""
    return (
        v.order_id,
        v.client_order_id,
        v.ticker,
        v.side.value,
        v.status.value,
        v.price.units,
        v.initial_count.units,
        v.fill_count.units,
        v.remaining_count.units,
        v.taker_fees.units,
        v.maker_fees.units,
        v.taker_fill_cost.units,
        v.maker_fill_cost.units,
        v.created_at,
        v.updated_at,
        v.subaccount,
        v.shard,
    )


def order(r: AnyRow) -> OrderReported:
    """The value of a row."""
    return OrderReported(
        order_id=r[0],
        client_order_id=r[1],
        ticker=r[2],
        side=Side(r[3]),
        status=OrderStatus(r[4]),
        price=Price(r[5]),
        initial_count=Count(r[6]),
        fill_count=Count(r[7]),
        remaining_count=Count(r[8]),
        taker_fees=Money(r[9]),
        maker_fees=Money(r[10]),
        taker_fill_cost=Money(r[11]),
        maker_fill_cost=Money(r[12]),
        created_at=r[13],
        updated_at=r[14],
        subaccount=r[15],
        shard=r[16],
    )


def banked_row(v: Banked) -> AnyRow:
    """The row of a value."""
    return (
        v.banking_id,
        v.amount.units,
        v.fee.units,
        v.status.value,
        v.method,
        v.created_at,
        v.at,
    )


def banked(r: AnyRow) -> Banked:
    """The value of a row."""
    return Banked(
        banking_id=r[0],
        amount=Money(r[1]),
        fee=Money(r[2]),
        status=BankingStatus(r[3]),
        method=r[4],
        created_at=r[5],
        at=r[6],
    )


def transferred_row(v: Transferred) -> AnyRow:
    """The row of a value."""
    return (
        v.transfer_id,
        v.amount.units,
        v.from_subaccount,
        v.to_subaccount,
        v.from_shard,
        v.to_shard,
        v.status.value,
        v.at,
    )


def transferred(r: AnyRow) -> Transferred:
    """The value of a row."""
    return Transferred(
        transfer_id=r[0],
        amount=Money(r[1]),
        from_subaccount=r[2],
        to_subaccount=r[3],
        from_shard=r[4],
        to_shard=r[5],
        status=TransferStatus(r[6]),
        at=r[7],
    )


def opened_row(v: Opened) -> AnyRow:
    """The row of a value."""
    return (v.cash.units, v.at, v.subaccount, v.shard, v.note)


def opened(r: AnyRow) -> Opened:
    """The value of a row."""
    return Opened(cash=Money(r[0]), at=r[1], subaccount=r[2], shard=r[3], note=r[4])


def balance_row(v: BalanceStated) -> AnyRow:
    """The row of a value."""
    value = v.portfolio_value
    return (
        v.low.units,
        v.high.units,
        None if value is None else value.units,
        v.subaccount,
        v.shard,
        v.at,
        v.observed_at,
    )


def balance(r: AnyRow) -> BalanceStated:
    """The value of a row."""
    return BalanceStated(
        low=Money(r[0]),
        high=Money(r[1]),
        portfolio_value=_money(r[2]),
        subaccount=r[3],
        shard=r[4],
        at=r[5],
        observed_at=r[6],
    )


def position_row(v: PositionStated) -> AnyRow:
    """The row of a value."""
    return (
        v.ticker,
        v.net.units,
        v.exposure.units,
        v.realized.units,
        v.fees_paid.units,
        v.total_traded.units,
        v.updated_at,
        v.subaccount,
        v.shard,
    )


def position(r: AnyRow) -> PositionStated:
    """The value of a row."""
    return PositionStated(
        ticker=r[0],
        net=Count(r[1]),
        exposure=Money(r[2]),
        realized=Money(r[3]),
        fees_paid=Money(r[4]),
        total_traded=Money(r[5]),
        updated_at=r[6],
        subaccount=r[7],
        shard=r[8],
    )


def market_row(v: MarketStated) -> AnyRow:
    """The row of a value."""
    value = v.settlement_value
    return (
        v.ticker,
        v.event_ticker,
        v.status.value,
        None if v.result is None else v.result.value,
        None if value is None else value.units,
        v.close_at,
        v.settled_at,
        v.shard,
    )


def market(r: AnyRow) -> MarketStated:
    """The value of a row."""
    return MarketStated(
        ticker=r[0],
        event_ticker=r[1],
        status=MarketStatus(r[2]),
        result=None if r[3] is None else MarketResult(r[3]),
        settlement_value=_price(r[4]),
        close_at=r[5],
        settled_at=r[6],
        shard=r[7],
    )


def settlement_page_row(v: SettlementPageReported) -> AnyRow:
    """The row of a value."""
    return (
        v.session,
        v.ticker,
        v.clearing_date.isoformat(),
        v.report_id,
        v.announced,
        1 if v.is_last else 0,
        _RESULT_WORDS[v.result],
        None if v.value is None else v.value.units,
        v.parties,
        v.at,
        1 if v.is_resent else 0,
    )


def settlement_page(r: AnyRow) -> SettlementPageReported:
    """The value of a row."""
    return SettlementPageReported(
        session=r[0],
        ticker=r[1],
        clearing_date=date.fromisoformat(r[2]),
        report_id=r[3],
        announced=r[4],
        is_last=r[5] == 1,
        result=_RESULTS[r[6]],
        value=_price(r[7]),
        parties=r[8],
        at=r[9],
        is_resent=r[10] == 1,
    )


def settlement_report_row(v: SettlementReported) -> AnyRow:
    """The row of a value: what the exchange said, not whose it is."""
    return (
        v.clearing_date.isoformat(),
        v.ticker,
        v.party,
        _RESULT_WORDS[v.result],
        None if v.value is None else v.value.units,
        None if v.long is None else v.long.units,
        None if v.short is None else v.short.units,
        None if v.payout is None else v.payout.units,
        json.dumps([[fee.kind, fee.amount.units] for fee in v.fees]),
        v.at,
    )


def settlement_report(r: AnyRow) -> SettlementReported:
    """The value of a row, of no subaccount yet."""
    return SettlementReported(
        clearing_date=date.fromisoformat(r[0]),
        ticker=r[1],
        party=r[2],
        subaccount=None,
        result=_RESULTS[r[3]],
        value=_price(r[4]),
        long=_count(r[5]),
        short=_count(r[6]),
        payout=_money(r[7]),
        fees=tuple(SettlementFee(kind, Money(units)) for kind, units in json.loads(r[8])),
        report_id="",
        at=r[9],
    )
