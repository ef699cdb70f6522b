"""Orders, their reports, order groups and the replay of executions.

Prices are YES prices whatever the side; side 2 sells YES, which is buying NO.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price, Ratio
from trueup.wire.fix import fields as f
from trueup.wire.fix import words as w
from trueup.wire.fix.message import Block, Message, Sender


class Party(Block, frozen=True, kw_only=True, gc=False):
    """Whose account a message is about (role 24)."""

    party_id: Annotated[str, f.PartyID]
    role: Annotated[str | None, f.PartyRole] = None


class Fee(Block, frozen=True, kw_only=True, gc=False):
    """A fee in dollars.  On a settlement it is only the settlement fee."""

    amount: Annotated[Money, f.MiscFeeAmt]
    currency: Annotated[str, f.MiscFeeCurr] = "USD"
    kind: Annotated[str, f.MiscFeeType] = "4"
    basis: Annotated[str, f.MiscFeeBasis] = "0"


class CollateralChange(Block, frozen=True, kw_only=True, gc=False):
    """What the account's money changed by, in dollars."""

    amount: Annotated[Money, f.CollateralAmountChange]
    kind: Annotated[w.CollateralType, f.CollateralAmountType]


class NewOrderSingle(Message, frozen=True, kw_only=True, gc=False):
    """Places a limit order."""

    TYPE = "D"
    SENT_BY = Sender.CLIENT

    client_order_id: Annotated[str, f.ClOrdID]
    instructions: Annotated[str | None, f.ExecInst] = None
    quantity: Annotated[Count, f.OrderQty]
    order_type: Annotated[w.OrderType, f.OrdType] = w.OrderType.LIMIT
    price: Annotated[Price, f.Price]
    side: Annotated[Side, f.Side]
    symbol: Annotated[str, f.Symbol]
    time_in_force: Annotated[w.TimeInForce | None, f.TimeInForce] = None
    expire_time: Annotated[Instant | None, f.ExpireTime] = None
    self_trade_prevention: Annotated[w.SelfTradePrevention | None, f.SelfTradePreventionType] = None
    parties: Annotated[tuple[Party, ...], f.NoPartyIDs] = ()
    secondary_client_order_id: Annotated[str | None, f.SecondaryClOrdID] = None
    order_group_id: Annotated[str | None, f.OrderGroupID] = None
    cancel_on_pause: Annotated[bool | None, f.CancelOrderOnPause] = None
    execution_cost_max: Annotated[Money | None, f.MaxExecutionCost] = None
    subaccount: Annotated[int | None, f.AllocAccount] = None
    quote_id: Annotated[str | None, f.QuoteID] = None
    rfq_id: Annotated[str | None, f.RfqId] = None
    shard: Annotated[int | None, f.ExDestination] = None
    transact_time: Annotated[Instant | None, f.TransactTime] = None


class RestingOrderRequest(Message, frozen=True, kw_only=True, gc=False):
    """What every request about a resting order says: which one, and how this request is called."""

    SENT_BY = Sender.CLIENT

    client_order_id: Annotated[str, f.ClOrdID]
    order_id: Annotated[str | None, f.OrderID] = None
    original_client_order_id: Annotated[str, f.OrigClOrdID]
    side: Annotated[Side, f.Side]
    symbol: Annotated[str, f.Symbol]
    parties: Annotated[tuple[Party, ...], f.NoPartyIDs] = ()
    subaccount: Annotated[int | None, f.AllocAccount] = None
    shard: Annotated[int | None, f.ExDestination] = None
    transact_time: Annotated[Instant | None, f.TransactTime] = None


class OrderCancelRequest(RestingOrderRequest, frozen=True, kw_only=True, gc=False):
    """Cancels a resting order."""

    TYPE = "F"


class OrderCancelReplaceRequest(RestingOrderRequest, frozen=True, kw_only=True, gc=False):
    """Changes price or size of a resting order; `quantity` is the new *total*."""

    TYPE = "G"

    quantity: Annotated[Count, f.OrderQty]
    order_type: Annotated[w.OrderType, f.OrdType] = w.OrderType.LIMIT
    price: Annotated[Price | None, f.Price] = None
    order_group_id: Annotated[str | None, f.OrderGroupID] = None
    time_in_force: Annotated[w.TimeInForce | None, f.TimeInForce] = None
    expire_time: Annotated[Instant | None, f.ExpireTime] = None


class ExecutionReport(Message, frozen=True, kw_only=True, gc=False):
    """What happened to an order.

    `execution_id` is unique within one shard only, and ``-1;-1`` on every pending
    report.  On a trade `long_quantity` and `short_quantity` are the net position after
    it, `fees` the fee of this fill.  By default the New report is folded into a first
    Trade of the same matching cycle.
    """

    TYPE = "8"
    SENT_BY = Sender.EXCHANGE

    order_id: Annotated[str, f.OrderID]
    client_order_id: Annotated[str, f.ClOrdID]
    execution_id: Annotated[str, f.ExecID]
    execution_type: Annotated[w.ExecType, f.ExecType]
    order_status: Annotated[w.OrderState, f.OrdStatus]
    side: Annotated[Side, f.Side]
    symbol: Annotated[str, f.Symbol]
    leaves_quantity: Annotated[Count, f.LeavesQty]
    cumulative_quantity: Annotated[Count, f.CumQty]
    average_price: Annotated[Ratio, f.AvgPx]
    order_quantity: Annotated[Count, f.OrderQty]
    last_price: Annotated[Price | None, f.LastPx] = None
    last_quantity: Annotated[Count | None, f.LastQty] = None
    reject_reason: Annotated[str | None, f.OrdRejReason] = None
    original_client_order_id: Annotated[str | None, f.OrigClOrdID] = None
    price: Annotated[Price | None, f.Price] = None
    transact_time: Annotated[Instant | None, f.TransactTime] = None
    text: Annotated[str | None, f.Text] = None
    time_in_force: Annotated[w.TimeInForce | None, f.TimeInForce] = None
    expire_time: Annotated[Instant | None, f.ExpireTime] = None
    restatement_reason: Annotated[str | None, f.ExecRestatementReason] = None
    fees: Annotated[tuple[Fee, ...], f.NoMiscFees] = ()
    parties: Annotated[tuple[Party, ...], f.NoPartyIDs] = ()
    subaccount: Annotated[int | None, f.AllocAccount] = None
    long_quantity: Annotated[Count | None, f.LongQty] = None
    short_quantity: Annotated[Count | None, f.ShortQty] = None
    collateral_changes: Annotated[tuple[CollateralChange, ...], f.NoCollateralAmountChanges] = ()
    trade_match_id: Annotated[str | None, f.TrdMatchID] = None
    is_aggressor: Annotated[bool | None, f.AggressorIndicator] = None
    self_trade_prevention: Annotated[w.SelfTradePrevention | None, f.SelfTradePreventionType] = None
    last_shard: Annotated[int | None, f.LastMkt] = None
    clearing_date: Annotated[date | None, f.ClearingBusinessDate] = None
    single_market_collateral_return: Annotated[Money | None, f.SingleMarketCollateralReturn] = None
    ranged_market_collateral_return: Annotated[Money | None, f.RangedMarketCollateralReturn] = None
    secondary_client_order_id: Annotated[str | None, f.SecondaryClOrdID] = None
    quote_id: Annotated[str | None, f.QuoteID] = None
    rfq_id: Annotated[str | None, f.RfqId] = None


class OrderCancelReject(Message, frozen=True, kw_only=True, gc=False):
    """A cancel or replace request was refused; the order is as `order_status` says."""

    TYPE = "9"
    SENT_BY = Sender.EXCHANGE

    order_id: Annotated[str, f.OrderID]
    client_order_id: Annotated[str, f.ClOrdID]
    original_client_order_id: Annotated[str | None, f.OrigClOrdID] = None
    order_status: Annotated[w.OrderState, f.OrdStatus]
    response_to: Annotated[w.CancelRejectResponse, f.CxlRejResponseTo]
    reason: Annotated[str | None, f.CxlRejReason] = None
    text: Annotated[str | None, f.Text] = None
    subaccount: Annotated[int | None, f.AllocAccount] = None


class OrderMassCancelRequest(Message, frozen=True, kw_only=True, gc=False):
    """Cancels every order of the session (KalshiNR only; once a second)."""

    TYPE = "q"
    SENT_BY = Sender.CLIENT

    client_order_id: Annotated[str, f.ClOrdID]
    request: Annotated[w.MassCancelRequest, f.MassCancelRequestType] = w.MassCancelRequest.SESSION


class OrderMassCancelReport(Message, frozen=True, kw_only=True, gc=False):
    """Whether a mass cancel was accepted; one execution report for each order follows."""

    TYPE = "r"
    SENT_BY = Sender.EXCHANGE

    client_order_id: Annotated[str, f.ClOrdID]
    order_id: Annotated[str, f.OrderID]
    response: Annotated[w.MassCancelResponse, f.MassCancelResponse]
    reject_reason: Annotated[str | None, f.MassCancelRejectReason] = None
    text: Annotated[str | None, f.Text] = None


class OrderGroupRequest(Message, frozen=True, kw_only=True, gc=False):
    """Creates or steers an order group.

    `limit` (contracts, 1 to 1,000,000) goes with create and update, `order_group_id`
    with everything but create.
    """

    TYPE = "UOG"
    SENT_BY = Sender.CLIENT

    action: Annotated[w.OrderGroupAction, f.OrderGroupAction]
    limit: Annotated[int | None, f.OrderGroupContractsLimit] = None
    order_group_id: Annotated[str | None, f.OrderGroupID] = None
    subaccount: Annotated[int | None, f.AllocAccount] = None
    shard: Annotated[int | None, f.ExDestination] = None


class OrderGroupResponse(Message, frozen=True, kw_only=True, gc=False):
    """An order group request was carried out."""

    TYPE = "UOH"
    SENT_BY = Sender.EXCHANGE

    order_group_id: Annotated[str, f.OrderGroupID]
    limit: Annotated[int | None, f.OrderGroupContractsLimit] = None
    subaccount: Annotated[int | None, f.AllocAccount] = None


class EventResendRequest(Message, frozen=True, kw_only=True, gc=False):
    """Asks for execution reports again by execution id (three hours back, one shard).

    They come with *new* sequence numbers, followed by `EventResendComplete`.
    """

    TYPE = "U1"
    SENT_BY = Sender.CLIENT

    begin_execution_id: Annotated[str, f.BeginExecID]
    end_execution_id: Annotated[str | None, f.EndExecID] = None


class EventResendComplete(Message, frozen=True, kw_only=True, gc=False):
    """All reports of an `EventResendRequest` were sent."""

    TYPE = "U2"
    SENT_BY = Sender.EXCHANGE

    request_sequence: Annotated[int, f.RefSeqNum]
    events: Annotated[int, f.ResendEventCount]


class EventResendReject(Message, frozen=True, kw_only=True, gc=False):
    """An `EventResendRequest` was refused."""

    TYPE = "U3"
    SENT_BY = Sender.EXCHANGE

    request_sequence: Annotated[int, f.RefSeqNum]
    reason: Annotated[str, f.EventResendRejectReason]
