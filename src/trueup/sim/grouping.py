"""What members ask about order groups."""

from __future__ import annotations

from typing import Final, assert_never

from trueup.core.units import Count
from trueup.sim import commands as c
from trueup.sim.account import Account
from trueup.sim.books import Books
from trueup.sim.crossing import end_group, say_group, trigger
from trueup.sim.events import Denial, OrderGroupChange, Refusal
from trueup.sim.groups import OrderGroup

CONTRACTS_MAX: Final = Count.of_contracts(1_000_000)
GROUPS_MAX: Final = 100_000


def carry_out(books: Books, account: Account, command: c.GroupCommand) -> Denial | None:
    """Carry a command out; returns why not, where it cannot be."""
    if isinstance(command, c.CreateOrderGroup):
        return _create(books, account, command)
    group = account.groups.get(command.group_id)
    if group is None:
        return Denial(Refusal.ORDER_GROUP_NOT_FOUND)
    at = command.at
    match command:
        case c.LimitOrderGroup():
            if not _is_limit(command.contracts_max):
                return Denial(Refusal.INVALID_PARAMETERS, "the limit is 1 to 1,000,000 contracts")
            group.contracts_max = command.contracts_max
            say_group(books, account, group, at=at, why=OrderGroupChange.LIMIT_UPDATED)
            if not group.is_triggered and group.is_exhausted(at):
                trigger(books, account, group, at=at)
        case c.ResetOrderGroup():
            group.reset()
            say_group(books, account, group, at=at, why=OrderGroupChange.RESET)
        case c.TriggerOrderGroup():
            if not group.is_triggered:
                trigger(books, account, group, at=at)
        case c.DeleteOrderGroup():
            end_group(books, group, at=at)
            del account.groups[command.group_id]
            say_group(books, account, group, at=at, why=OrderGroupChange.DELETED)
        case _:
            assert_never(command)
    return None


def _create(books: Books, account: Account, command: c.CreateOrderGroup) -> Denial | None:
    if command.group_id in account.groups:
        return Denial(Refusal.ALREADY_EXISTS)
    if command.subaccount not in account.subaccounts:
        return Denial(Refusal.NOT_FOUND)
    if not _is_limit(command.contracts_max):
        return Denial(Refusal.INVALID_PARAMETERS, "the limit is 1 to 1,000,000 contracts")
    if len(account.groups) >= GROUPS_MAX:
        return Denial(Refusal.INVALID_PARAMETERS, "there are 100,000 order groups already")
    group = account.groups[command.group_id] = OrderGroup(
        command.group_id,
        subaccount=command.subaccount,
        shard=command.shard,
        contracts_max=command.contracts_max,
    )
    say_group(books, account, group, at=command.at, why=OrderGroupChange.CREATED)
    return None


def _is_limit(contracts: Count) -> bool:
    return Count.of_contracts(1) <= contracts <= CONTRACTS_MAX
