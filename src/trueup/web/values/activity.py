"""Fills, orders and settlements as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from trueup.core.facts import Filled, OrderReported, Stream
from trueup.core.ids import OrderId, TradeId
from trueup.core.market import MarketResult
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import Price
from trueup.store.listing import ListedFill, SettledMarket
from trueup.web.values import shown
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone


def record_href(prefix: str, stream: Stream, key: str) -> str:
    """The page of one record: its versions, its raw payload, its entries."""
    return f"{prefix}/record?{urlencode({'stream': stream.value, 'key': key})}"


def fill_key(trade_id: TradeId, order_id: OrderId) -> str:
    """A fill's name in the journal."""
    return f"{trade_id}/{order_id}"


def outcome(side: Side) -> Shown:
    """Bought YES or bought NO."""
    return shown.side(side.value)


def paid_price(side: Side, price: Price) -> Price:
    """The price of the contracts of `side`."""
    return price if side is Side.YES else price.complement()


def fill_row(listed: ListedFill, *, prefix: str = "") -> TableRow:
    """A fill."""
    fill: Filled = listed.fill
    key = fill_key(fill.trade_id, fill.order_id)
    return TableRow(
        key=key,
        href=record_href(prefix, Stream.FILLS, key),
        cells={
            "at": shown.moment(fill.at),
            "ticker": Shown(fill.ticker, href=f"{prefix}/position/{fill.subaccount}/{fill.ticker}"),
            "side": outcome(fill.side),
            "count": shown.count(fill.count),
            "price": shown.price(paid_price(fill.side, fill.price)),
            "cost": shown.money(paid_price(fill.side, fill.price) * fill.count),
            "fee": shown.money(fill.fee),
            "liquidity": shown.words("taker" if fill.is_taker else "maker"),
            "order": shown.words(
                listed.client_order_id or fill.order_id, tone=Tone.MUTED, title=fill.order_id
            ),
        },
    )


_STATUS_TONES: Mapping[OrderStatus, Tone] = {
    OrderStatus.EXECUTED: Tone.GOOD,
    OrderStatus.CANCELED: Tone.MUTED,
}


def order_row(order: OrderReported, *, prefix: str = "", may_cancel: bool = False) -> TableRow:
    """An order."""
    is_resting = order.status is OrderStatus.RESTING
    return TableRow(
        key=order.order_id,
        href=record_href(prefix, Stream.ORDERS, order.order_id),
        actions=("cancel",) if is_resting and may_cancel else (),
        cells={
            "at": shown.moment(order.updated_at),
            "ticker": Shown(
                order.ticker, href=f"{prefix}/position/{order.subaccount}/{order.ticker}"
            ),
            "side": outcome(order.side),
            "price": shown.price(paid_price(order.side, order.price)),
            "count": shown.count(order.initial_count),
            "filled": shown.count(order.fill_count),
            "left": shown.count(order.remaining_count),
            "status": shown.words(
                order.status.value, tone=_STATUS_TONES.get(order.status, Tone.PLAIN)
            ),
            "fees": shown.money(order.taker_fees + order.maker_fees),
            "name": shown.words(order.client_order_id, tone=Tone.MUTED, title=order.order_id),
        },
    )


def settlement_row(settled: SettledMarket, *, prefix: str = "") -> TableRow:
    """A market that has paid out."""
    profit = settled.realized - settled.fees
    return TableRow(
        key=f"{settled.subaccount}/{settled.ticker}",
        href=f"{prefix}/position/{settled.subaccount}/{settled.ticker}",
        cells={
            "at": shown.moment(settled.at),
            "ticker": Shown(
                settled.ticker, href=f"{prefix}/position/{settled.subaccount}/{settled.ticker}"
            ),
            "result": result(settled.result, settled.value),
            "held": shown.count(settled.net, signed=True),
            "payout": shown.money(settled.payout),
            "fees": shown.money(settled.fees),
            "profit": shown.money(profit, signed=True),
            "evidence": shown.words(settled.evidence, tone=Tone.MUTED),
        },
    )


def result(found: MarketResult | None, value: Price | None) -> Shown:
    """How a market ended; what a YES contract paid is in the title."""
    if found is None:
        return shown.NOTHING
    title = "" if value is None else f"one YES contract paid ${value}"
    if found.value in {"yes", "no"}:
        return replace(shown.side(found.value), title=title)
    return Shown(found.value if value is None else f"{found.value} ${value}", title=title)
