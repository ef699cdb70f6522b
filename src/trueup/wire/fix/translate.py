"""Execution reports to core's facts and back.

A trade report *is* a fill.  An order's state needs more than one report: fees and costs
stand only on its trades, so `OrderReports` adds them up and says nothing about an order
of which a trade is missing.  Pending reports say nothing that a fact could hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec

from trueup.core.errors import CallerError, ProtocolBroken
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import ClientOrderId, OrderId, Shard, Subaccount, Ticker, TradeId
from trueup.core.instant import Instant, eastern_day
from trueup.core.orders import OrderStatus, Side, is_terminal
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.wire.fix.messages.orders import ExecutionReport, Fee
from trueup.wire.fix.words import ExecType, OrderState

_PENDING: Final = frozenset(
    {ExecType.PENDING_NEW, ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE}
)
_STATUSES: Final[Mapping[OrderState, OrderStatus]] = {
    OrderState.NEW: OrderStatus.RESTING,
    OrderState.PARTIALLY_FILLED: OrderStatus.RESTING,
    OrderState.REPLACED: OrderStatus.RESTING,
    OrderState.PENDING_NEW: OrderStatus.RESTING,
    OrderState.PENDING_CANCEL: OrderStatus.RESTING,
    OrderState.PENDING_REPLACE: OrderStatus.RESTING,
    OrderState.FILLED: OrderStatus.EXECUTED,
    OrderState.CANCELED: OrderStatus.CANCELED,
    OrderState.EXPIRED: OrderStatus.CANCELED,
    OrderState.REJECTED: OrderStatus.CANCELED,
}
_SHARD_PLACE: Final = 2


def is_pending(report: ExecutionReport) -> bool:
    """Whether a report only says that a request arrived (its execution id is not unique)."""
    return report.execution_type in _PENDING


def execution_key(report: ExecutionReport) -> tuple[Shard, str]:
    """What tells one execution from all others: execution ids are unique within a shard only."""
    return _shard(report)[0], report.execution_id


def read_fill(report: ExecutionReport) -> Filled:
    """The fill that a trade report is.

    Raises `ProtocolBroken` for a report of another kind, or a trade that lacks its price,
    count, id, time or the side that took: nothing of that may be guessed.
    """
    if report.execution_type is not ExecType.TRADE:
        raise ProtocolBroken(f"a report of {report.execution_type} is no fill")
    price, count = report.last_price, report.last_quantity
    trade_id, at, took = report.trade_match_id, report.transact_time, report.is_aggressor
    if price is None or count is None or trade_id is None or at is None or took is None:
        raise ProtocolBroken(
            "a trade without LastPx (31), LastQty (32), TrdMatchID (880), TransactTime (60) "
            "or AggressorIndicator (1057)",
            evidence=f"order {report.order_id}, execution {report.execution_id}",
        )
    shard, is_named = _shard(report)
    return Filled(
        trade_id=TradeId(trade_id),
        order_id=OrderId(report.order_id),
        ticker=Ticker(report.symbol),
        side=report.side,
        count=count,
        price=price,
        fee=_fee(report),
        is_taker=took,
        at=at,
        subaccount=Subaccount(report.subaccount or 0),
        shard=shard,
        shard_named=is_named,
    )


def _fee(report: ExecutionReport) -> Money | None:
    if not report.fees:
        return None
    for fee in report.fees:
        if fee.currency != "USD":
            raise ProtocolBroken(f"a trading fee in {fee.currency}, not USD")
    return sum((fee.amount for fee in report.fees), ZERO_MONEY)


def _shard(report: ExecutionReport) -> tuple[Shard, bool]:
    """LastMkt (30), else the third part of the execution id; (0, not named) when neither is there."""
    if report.last_shard is not None:
        return Shard(report.last_shard), True
    parts = report.execution_id.split(";")
    if len(parts) > _SHARD_PLACE and re.fullmatch(r"[0-9]{1,4}", parts[_SHARD_PLACE]):
        return Shard(int(parts[_SHARD_PLACE])), True
    return Shard(0), False


@dataclass(slots=True)
class OrderReports:
    """Adds up the reports of one order, in the order in which they came."""

    last: ExecutionReport | None = None
    created_at: Instant | None = None
    taker_fees: Money = ZERO_MONEY
    maker_fees: Money = ZERO_MONEY
    taker_cost: Money = ZERO_MONEY
    maker_cost: Money = ZERO_MONEY
    seen: Count = ZERO_COUNT
    price: Price | None = None
    first_id: str = ""

    def take(self, report: ExecutionReport) -> None:
        """One more report.  Raises `ProtocolBroken` for one of another order."""
        if is_pending(report):
            return
        if self.last is not None and self.last.order_id != report.order_id:
            raise ProtocolBroken(
                f"a report of order {report.order_id} among those of {self.last.order_id}"
            )
        if report.execution_type is ExecType.TRADE:
            self._add(read_fill(report))
        self.created_at = self.created_at or report.transact_time
        self.first_id = self.first_id or report.original_client_order_id or report.client_order_id
        self.price = report.price or self.price
        self.last = report

    def _add(self, filled: Filled) -> None:
        own = filled.price if filled.side is Side.YES else filled.price.complement()
        fee, cost = filled.fee or ZERO_MONEY, own * filled.count
        if filled.is_taker:
            self.taker_fees, self.taker_cost = self.taker_fees + fee, self.taker_cost + cost
        else:
            self.maker_fees, self.maker_cost = self.maker_fees + fee, self.maker_cost + cost
        self.seen += filled.count

    @property
    def missing(self) -> Count:
        """Contracts that the order filled and no report told of."""
        return ZERO_COUNT if self.last is None else self.last.cumulative_quantity - self.seen

    def reported(self) -> OrderReported | None:
        """The order's state; `None` before the first report, without its price or time, or
        while a trade is missing (then its costs and fees would be wrong).
        """
        last = self.last
        if last is None or self.price is None or self.created_at is None or self.missing:
            return None
        status = _STATUSES[last.order_status]
        return OrderReported(
            order_id=OrderId(last.order_id),
            client_order_id=ClientOrderId(self.first_id),
            ticker=Ticker(last.symbol),
            side=last.side,
            status=status,
            price=self.price,
            initial_count=last.order_quantity,
            fill_count=last.cumulative_quantity,
            remaining_count=ZERO_COUNT if is_terminal(status) else last.leaves_quantity,
            taker_fees=self.taker_fees,
            maker_fees=self.maker_fees,
            taker_fill_cost=self.taker_cost,
            maker_fill_cost=self.maker_cost,
            created_at=self.created_at,
            updated_at=last.transact_time or self.created_at,
            subaccount=Subaccount(last.subaccount or 0),
            shard=_shard(last)[0],
        )


def write_report(
    order: OrderReported,
    kind: ExecType,
    *,
    execution_id: str,
    client_order_id: str = "",
    original_client_order_id: str = "",
    text: str = "",
) -> ExecutionReport:
    """The report of something that happened to an order other than a trade.

    `order` is its state afterwards.  A replaced order goes by the new client's id.
    """
    return ExecutionReport(
        order_id=order.order_id,
        client_order_id=client_order_id or order.client_order_id,
        execution_id=execution_id,
        execution_type=kind,
        order_status=_STATES.get(kind) or _state_of(order),
        side=order.side,
        symbol=order.ticker,
        leaves_quantity=ZERO_COUNT if is_terminal(order.status) else order.remaining_count,
        cumulative_quantity=order.fill_count,
        average_price=_average(order),
        order_quantity=order.initial_count,
        original_client_order_id=original_client_order_id or None,
        price=order.price,
        transact_time=order.updated_at,
        text=text or None,
        subaccount=order.subaccount or None,
        last_shard=order.shard,
    )


def write_trade(
    filled: Filled, order: OrderReported, *, execution_id: str, net_after: Count | None = None
) -> ExecutionReport:
    """The report of one fill; `order` is the order's state after it.

    `net_after` is the account's net position in the market after the trade.  Raises
    `CallerError` for a fill of another order.
    """
    own = (order.order_id, order.ticker, order.side)
    if (filled.order_id, filled.ticker, filled.side) != own:
        raise CallerError(f"fill {filled.trade_id} is not one of order {order.order_id}")
    return msgspec.structs.replace(
        write_report(order, ExecType.TRADE, execution_id=execution_id),
        last_price=filled.price,
        last_quantity=filled.count,
        transact_time=filled.at,
        fees=() if filled.fee is None else (Fee(amount=filled.fee),),
        long_quantity=None if net_after is None else max(net_after, ZERO_COUNT),
        short_quantity=None if net_after is None else max(-net_after, ZERO_COUNT),
        trade_match_id=filled.trade_id,
        is_aggressor=filled.is_taker,
        subaccount=filled.subaccount or None,
        last_shard=filled.shard if filled.shard_named else None,
        clearing_date=date.fromisoformat(eastern_day(filled.at)),
    )


def _state_of(order: OrderReported) -> OrderState:
    if order.status is OrderStatus.EXECUTED:
        return OrderState.FILLED
    if order.status is OrderStatus.CANCELED:
        return OrderState.CANCELED
    return OrderState.PARTIALLY_FILLED if order.fill_count else OrderState.NEW


def _average(order: OrderReported) -> Ratio:
    """The average YES price of what filled; 0 when nothing did."""
    if not order.fill_count:
        return Ratio(0)
    cost = order.taker_fill_cost + order.maker_fill_cost
    own = Ratio(cost.units, order.fill_count.units * ONE_DOLLAR.units)
    return own if order.side is Side.YES else 1 - own


_STATES: Final[Mapping[ExecType, OrderState]] = {
    ExecType.PENDING_NEW: OrderState.PENDING_NEW,
    ExecType.PENDING_CANCEL: OrderState.PENDING_CANCEL,
    ExecType.PENDING_REPLACE: OrderState.PENDING_REPLACE,
    ExecType.REPLACED: OrderState.REPLACED,
    ExecType.REJECTED: OrderState.REJECTED,
    ExecType.EXPIRED: OrderState.EXPIRED,
}
"""The states that follow from the report itself, whatever the order's own."""
