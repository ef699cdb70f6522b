"""Positions that move between the subaccounts of one member.

The exchange allows it on shard 0 only, at a price that the member names, and
charges no fee (its page *Transfer positions between subaccounts*).
"""

from __future__ import annotations

from trueup.core.ids import SHARD_ZERO
from trueup.core.market import MarketStatus
from trueup.core.orders import Side
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.account import Account
from trueup.sim.books import Books
from trueup.sim.filling import check_trade
from trueup.sim.holding import ONE
from trueup.sim.lifecycle import MarketState
from trueup.sim.returning import return_collateral

_LIVING = frozenset({MarketStatus.ACTIVE, MarketStatus.INACTIVE, MarketStatus.CLOSED})


def transfer(books: Books, account: Account, command: c.TransferPosition) -> e.Refusal | None:
    """Move contracts; returns why not, where it cannot be."""
    state = books.listings.markets.get(command.ticker)
    if state is None:
        return e.Refusal.MARKET_NOT_FOUND
    refusal = _refused(account, command, state)
    if refusal is not None:
        return refusal
    giver = books.record(account, command.from_subaccount, state.market)
    taker = books.record(account, command.to_subaccount, state.market)
    sign = command.side.sign
    own_price = command.price.units if command.side is Side.YES else ONE - command.price.units
    count, open_interest = command.count.units, state.long
    cash = 0
    for record, direction, paid in ((giver, -sign, ONE - own_price), (taker, sign, own_price)):
        before = record.net
        moved = record.trade(direction, count, paid)[0]
        state.hold(before, record.net)
        state.holders[account.member, record.subaccount] = record
        account.holdings[record.subaccount, record.ticker] = record
        record.hold()
        record.note(command.at)
        books.move_cash(
            account,
            record.subaccount,
            record.shard,
            units=moved,
            cause=e.Cause.POSITION_TRANSFER,
            at=command.at,
        )
        cash += moved
    check_trade(books, state, cash, open_interest)
    if giver.returns:
        return_collateral(books, giver, command.at)
        return_collateral(books, taker, command.at)
    books.touched[state] = None
    account.position_transfers[command.transfer_id] = command
    books.events.append(
        e.PositionTransferred(at=command.at, member=account.member, command=command)
    )
    return None


def _refused(account: Account, command: c.TransferPosition, state: MarketState) -> e.Refusal | None:
    ends = {command.from_subaccount, command.to_subaccount}
    if command.transfer_id in account.position_transfers:
        return e.Refusal.ALREADY_EXISTS
    if not ends <= account.subaccounts.keys():
        return e.Refusal.NOT_FOUND
    if len(ends) == 1 or state.shard != SHARD_ZERO or command.price.units not in state.prices:
        return e.Refusal.INVALID_PARAMETERS
    if state.status not in _LIVING:
        return e.Refusal.MARKET_INACTIVE
    held = account.holdings.get((command.from_subaccount, command.ticker))
    if held is None or not 0 < command.count.units <= held.net * command.side.sign:
        return e.Refusal.INVALID_ORDER_SIZE
    book = account.book(command.to_subaccount, state.shard)
    own_price = command.price if command.side is Side.YES else command.price.complement()
    cost = (own_price * command.count).units
    return e.Refusal.INSUFFICIENT_BALANCE if cost > book.units - book.held else None
