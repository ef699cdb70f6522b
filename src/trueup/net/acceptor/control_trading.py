"""The words of the control API about money, orders and trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.errors import CallerError
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import PRIMARY, ClientOrderId, OrderId, Shard, Ticker, TradeId
from trueup.core.instant import Instant, format_instant
from trueup.core.orders import Side, TimeInForce
from trueup.core.units import ZERO_COUNT, Count, Money, Price
from trueup.net.acceptor.control_bodies import Deposit, FillBody, OfMember, QuoteBody, TradeBody
from trueup.net.acceptor.control_room import ControlRoom
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.lifecycle import MarketState
from trueup.wire.spelling import Record

_SHARDS: Final = 4


def market_shown(state: MarketState) -> Record:
    """A market as the control API shows it."""
    bid, ask, stage = state.book.best_bid(), state.book.best_ask(), state.stage()
    return {
        "ticker": state.ticker,
        "title": state.market.title,
        "status": state.status.value,
        "result": None if stage.result is None else stage.result.value,
        "pays": None if stage.value is None else str(stage.value),
        "bid": None if bid is None else str(Price(bid.price)),
        "ask": None if ask is None else str(Price(ask.price)),
        "volume": str(Count(state.tape.volume)),
        "closes": None if state.close_at is None else format_instant(state.close_at),
    }


async def deposit(room: ControlRoom, body: Deposit) -> Record:
    """Bring money in."""
    member, amount = room.owner(body.member), Money.parse(str(body.amount))
    if amount.units <= 0:
        raise CallerError("a deposit is more than nothing")
    deposit_id = room.deposit(member, amount, _shard(body.shard))
    return {"deposit_id": deposit_id, **_account(room, member)}


def _account(room: ControlRoom, member: c.Member) -> Record:
    at, account = room.present(), room.floor.exchange.account(member)
    return {
        "member": member,
        "cash": str(account.cash_at(at)),
        "available": str(account.available_at(at)),
        "shards": {
            str(shard): str(account.cash_at(at, shard=shard))
            for shard in sorted({shard for _, shard in account.cash})
        },
        "positions": {
            ticker: str(Count(record.net))
            for (_, ticker), record in account.holdings.items()
            if record.net
        },
    }


async def show_account(room: ControlRoom, body: OfMember) -> Record:
    """What a member has."""
    return _account(room, room.owner(body.member))


async def orders(room: ControlRoom, body: OfMember) -> Record:
    """A member's orders, oldest first."""
    room.present()
    account = room.floor.exchange.account(room.owner(body.member))
    orders = (order.latest() for order in account.orders.values())
    return {"orders": [_order(one) for one in orders if body.ticker in {"", one.ticker}]}


def _order(order: OrderReported) -> Record:
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "ticker": order.ticker,
        "side": order.side.value,
        "price": str(order.price),
        "status": order.status.value,
        "filled": str(order.fill_count),
        "remaining": str(order.remaining_count),
        "created": format_instant(order.created_at),
    }


async def fills(room: ControlRoom, body: OfMember) -> Record:
    """A member's fills, oldest first."""
    room.present()
    account = room.floor.exchange.account(room.owner(body.member))
    return {"fills": [_fill(one) for one in account.fills if body.ticker in {"", one.ticker}]}


def _fill(fill: Filled) -> Record:
    return {
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "ticker": fill.ticker,
        "side": fill.side.value,
        "count": str(fill.count),
        "price": str(fill.price),
        "fee": str(fill.fee),
        "is_taker": fill.is_taker,
        "time": format_instant(fill.at),
    }


async def trade(room: ControlRoom, body: TradeBody) -> Record:
    """One visitor offers, the other takes; whatever rests at better prices trades first."""
    maker, taker = room.visitors()
    at, state, side = room.present(), room.market(body.ticker), _side(body.taker_side)
    price, count = Price.parse(str(body.price)), Count.parse(str(body.count))
    placer = _Placer(room, state.ticker, at)
    rested = placer.place(maker, side.opposite(), price, count=count)
    done = placer.place(
        taker, side, price, count=count, time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL
    )
    # What others took before leaves the maker's offer behind: nobody asked for that.
    room.floor.step(c.CancelOrder(at=at, member=maker, order_id=rested.order_id))
    trades = [event for event in (*rested.events, *done.events) if isinstance(event, e.TradeMade)]
    return {
        "trades": [
            {
                "trade_id": one.trade_id,
                "price": str(one.price),
                "count": str(one.count),
                "taker_side": one.taker_side.value,
            }
            for one in trades
        ]
    }


@dataclass(frozen=True, slots=True)
class _Placed:
    order_id: OrderId
    events: tuple[e.Event, ...]


@dataclass(frozen=True, slots=True)
class _Placer:
    """Places the orders of visitors in one market, now."""

    room: ControlRoom
    ticker: Ticker
    at: Instant

    def place(
        self,
        member: c.Member,
        side: Side,
        price: Price,
        *,
        count: Count,
        time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELED,
    ) -> _Placed:
        """Place one; the exchange may refuse it."""
        order_id = OrderId(self.room.new_id())
        command = c.PlaceOrder(
            at=self.at,
            member=member,
            subaccount=PRIMARY,
            order_id=order_id,
            client_order_id=ClientOrderId(""),
            ticker=self.ticker,
            side=side,
            price=price,
            count=count,
            time_in_force=time_in_force,
        )
        return _Placed(order_id, self.room.do(command))


async def fill_order(room: ControlRoom, body: FillBody) -> Record:
    """Somebody from outside takes a resting order, whatever stands before it."""
    at = room.present()
    for account in room.floor.exchange.books.accounts.values():
        order = account.resting.get(OrderId(body.order_id))
        if order is not None:
            break
    else:
        raise CallerError(f"no order {body.order_id!r} rests")
    count = Count(order.remaining) if body.count == "" else Count.parse(str(body.count))
    if not ZERO_COUNT < count <= Count(order.remaining):
        raise CallerError(f"{count} contracts cannot be taken of {Count(order.remaining)}")
    room.do(
        c.Trade(
            at=at,
            member=account.member,
            order_id=order.terms.order_id,
            trade_id=TradeId(room.new_id()),
            count=count,
            price=order.terms.price,
            is_taker=False,
        )
    )
    return _order(account.order(order.terms.order_id) if account.history else order.latest())


async def quote(room: ControlRoom, body: QuoteBody) -> Record:
    """A visitor's own quote: one order a side, in the place of the last ones."""
    maker, _ = room.visitors()
    at, state = room.present(), room.market(body.ticker)
    placer = _Placer(room, state.ticker, at)
    for order in tuple(room.floor.exchange.account(maker).resting.values()):
        if order.terms.ticker == state.ticker:
            room.do(c.CancelOrder(at=at, member=maker, order_id=order.terms.order_id))
    for side, price, count in (
        (Side.YES, body.bid, body.bid_count),
        (Side.NO, body.ask, body.ask_count),
    ):
        if price != "":
            placer.place(maker, side, Price.parse(str(price)), count=Count.parse(str(count)))
    return market_shown(state)


def _shard(number: int) -> Shard:
    if not 0 <= number < _SHARDS:
        raise CallerError(f"there is no shard {number}: they are 0 to {_SHARDS - 1}")
    return Shard(number)


def _side(text: str) -> Side:
    try:
        return Side(text)
    except ValueError:
        raise CallerError(f"{text!r} is no side: yes or no") from None
