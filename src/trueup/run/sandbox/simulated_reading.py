"""What a member reads about an account and the exchange, as the machine's inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trueup.core.facts import OrderReported
from trueup.core.ids import SHARD_ZERO, OrderId, Subaccount
from trueup.core.instant import MINUTE, Instant
from trueup.core.orders import OrderStatus
from trueup.core.statements import BalanceStated, PositionStated
from trueup.engine import inputs as i
from trueup.engine.hours import OPEN, Activity
from trueup.sim import events as e
from trueup.sim.account import Account
from trueup.sim.exchange import Exchange

_STAYS: Final = MINUTE
"""How long an order that has ended is still looked at: a later read may lag behind further."""


class ChangingOrders:
    """The orders of an account that rest, or changed not long ago: a poll reads no others.

    `note` must be told of every change of an order.
    """

    def __init__(self) -> None:
        self._names: dict[OrderId, None] = {}

    def note(self, order_id: OrderId) -> None:
        """An order changed."""
        self._names[order_id] = None

    def begin(self, account: Account) -> None:
        """Look at every order once, as a process does that starts."""
        self._names = dict.fromkeys(account.orders)

    def read(self, account: Account, as_of: Instant, since: Instant) -> list[OrderReported]:
        """The orders that rested at `as_of` or had changed since `since`, the oldest first."""
        found: list[OrderReported] = []
        for name in tuple(self._names):
            order = account.orders.get(name)
            if order is None:
                del self._names[name]
                continue
            state = order.state_at(as_of)
            if state is not None and (state.at >= since or state.status is OrderStatus.RESTING):
                found.append(state.order)
            last = order.state()
            if last.status is not OrderStatus.RESTING and last.at < since - _STAYS:
                del self._names[name]
        return found


def balances_read(account: Account, as_of: Instant, now: Instant) -> Iterator[i.BalanceRead]:
    """The cash available in every pot, as of `as_of`."""
    for subaccount, shard in sorted(account.cash):
        available = account.available_at(as_of, subaccount=subaccount, shard=shard)
        stated = BalanceStated(
            low=available,
            high=available,
            portfolio_value=None,
            subaccount=subaccount,
            shard=shard,
            at=as_of,
            observed_at=now,
        )
        yield i.BalanceRead(at=now, balance=stated)


def positions_read(
    account: Account, as_of: Instant, now: Instant, *, at_start: bool
) -> Iterator[i.PositionsRead]:
    """The open positions of every subaccount, as of `as_of`."""
    read: dict[Subaccount, list[PositionStated]] = {
        subaccount: [] for subaccount, _ in sorted(account.cash)
    }
    for (subaccount, ticker), record in account.holdings.items():
        # Of thousands that have settled nothing needs to be looked up.
        holding = None if record.is_flat_since(as_of) else record.at(as_of)
        if holding is None or not holding.position.net:
            continue
        stated = PositionStated(
            ticker=ticker,
            net=holding.position.net,
            exposure=holding.position.cost,
            realized=holding.realized,
            fees_paid=holding.fees,
            total_traded=holding.total_traded,
            updated_at=as_of,
            subaccount=subaccount,
            shard=holding.shard,
        )
        read[subaccount].append(stated)
    for subaccount, positions in read.items():
        yield i.PositionsRead(
            at=now, subaccount=subaccount, positions=tuple(positions), at_start=at_start
        )


def status_read(exchange: Exchange, now: Instant) -> i.ExchangeStated:
    """Whether the exchange works, shard by shard."""
    shards = {
        shard: Activity(exchange_active=word is not e.Refusal.EXCHANGE_PAUSED, trading_active=False)
        for shard, word in exchange.books.paused.items()
    }
    return i.ExchangeStated(at=now, activity=shards.get(SHARD_ZERO, OPEN), shards=shards)
