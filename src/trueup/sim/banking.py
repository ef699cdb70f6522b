"""Accounts, deposits, withdrawals and transfers: cash that moves without trading."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from trueup.core.facts import Banked, BankingStatus, Transferred, TransferStatus
from trueup.core.ids import PRIMARY, SHARD_ZERO, Shard, Subaccount
from trueup.core.instant import Instant
from trueup.core.units import ZERO_MONEY, Money
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim import positions
from trueup.sim.account import Account
from trueup.sim.books import Books
from trueup.sim.history import History

_NEXT = {
    BankingStatus.PENDING: frozenset({BankingStatus.APPLIED, BankingStatus.FAILED}),
    BankingStatus.APPLIED: frozenset({BankingStatus.RETURNED}),
    BankingStatus.FAILED: frozenset[BankingStatus](),
    BankingStatus.RETURNED: frozenset[BankingStatus](),
}
"""What may follow which status of a deposit or withdrawal."""


_Transfer = c.TransferSubaccount | c.TransferShard | c.ConcludeTransfer | c.TransferPosition


def carry_out(books: Books, command: c.CashCommand) -> e.Refusal | None:
    """Carry a command out; returns why not, where it cannot be."""
    if isinstance(command, c.OpenAccount):
        return _open_account(books, command)
    account = books.accounts.get(command.member)
    if account is None:
        return e.Refusal.NOT_FOUND
    if isinstance(command, _Transfer):
        return _transfer(books, account, command)
    refusal: e.Refusal | None = None
    match command:
        case c.OpenSubaccount():
            refusal = _open_subaccount(books, account, command)
        case c.Deposit() | c.Withdraw():
            refusal = _announce(books, account, command)
        case c.ConcludeBanking():
            refusal = _conclude(books, account, command)
        case c.Credit():
            _credit(books, account, command)
        case _:
            assert_never(command)
    return refusal


def _transfer(books: Books, account: Account, command: _Transfer) -> e.Refusal | None:
    match command:
        case c.TransferSubaccount():
            return _between_subaccounts(books, account, command)
        case c.TransferShard():
            return _between_shards(books, account, command)
        case c.ConcludeTransfer():
            return _arrive(books, account, command)
        case c.TransferPosition():
            return positions.transfer(books, account, command)
        case _:
            assert_never(command)


def _credit(books: Books, account: Account, command: c.Credit) -> None:
    books.move_cash(
        account,
        command.subaccount,
        command.shard,
        units=(command.amount).units,
        cause=e.Cause.CREDIT,
        at=command.at,
    )


def _open_account(books: Books, command: c.OpenAccount) -> e.Refusal | None:
    if command.member in books.accounts:
        return e.Refusal.ALREADY_EXISTS
    account = Account(
        command.member,
        command.precision,
        command.at,
        history=command.history,
        collateral_return=command.collateral_return,
    )
    account.subaccounts[PRIMARY] = command.at
    books.accounts[command.member] = account
    books.events.append(e.AccountOpened(at=command.at, member=command.member, subaccount=PRIMARY))
    return None


def _open_subaccount(books: Books, account: Account, command: c.OpenSubaccount) -> e.Refusal | None:
    if command.subaccount in account.subaccounts:
        return e.Refusal.ALREADY_EXISTS
    account.subaccounts[command.subaccount] = command.at
    books.events.append(
        e.AccountOpened(at=command.at, member=command.member, subaccount=command.subaccount)
    )
    return None


# -- deposits and withdrawals ------------------------------------------------------------------


def _announce(books: Books, account: Account, command: c.Deposit | c.Withdraw) -> e.Refusal | None:
    if command.banking_id in account.bankings:
        return e.Refusal.ALREADY_EXISTS
    banked = Banked(
        banking_id=command.banking_id,
        amount=command.amount if isinstance(command, c.Deposit) else -command.amount,
        fee=command.fee,
        status=BankingStatus.PENDING,
        method=command.method,
        created_at=command.at,
        at=command.at,
    )
    account.bankings[command.banking_id] = History()
    _report(books, account, banked)
    return None


def _conclude(books: Books, account: Account, command: c.ConcludeBanking) -> e.Refusal | None:
    history = account.bankings.get(command.banking_id)
    before = history.latest() if history else None
    if before is None:
        return e.Refusal.NOT_FOUND
    if command.status not in _NEXT[before.status]:
        return e.Refusal.WRONG_STATE
    at, fee = command.at, before.fee
    available = account.available_at(at, subaccount=PRIMARY, shard=SHARD_ZERO)
    if command.status is BankingStatus.APPLIED and available + before.amount - fee < ZERO_MONEY:
        return e.Refusal.INSUFFICIENT_BALANCE
    _report(books, account, replace(before, status=command.status, at=at))
    sign = {BankingStatus.APPLIED: 1, BankingStatus.RETURNED: -1}.get(command.status, 0)
    cause = e.Cause.DEPOSIT if before.amount > ZERO_MONEY else e.Cause.WITHDRAWAL
    for amount, why in ((before.amount, cause), (-fee, e.Cause.BANKING_FEE)):
        books.move_cash(account, PRIMARY, SHARD_ZERO, units=(amount * sign).units, cause=why, at=at)
    return None


def _report(books: Books, account: Account, banked: Banked) -> None:
    account.bankings[banked.banking_id].record(banked.at, banked)
    books.events.append(e.BankingReported(at=banked.at, member=account.member, banked=banked))


# -- transfers ---------------------------------------------------------------------------------


def _between_subaccounts(
    books: Books, account: Account, command: c.TransferSubaccount
) -> e.Refusal | None:
    ends = {command.from_subaccount, command.to_subaccount}
    if not ends <= account.subaccounts.keys():
        return e.Refusal.NOT_FOUND
    refusal = _transfer_refused(
        account,
        command.transfer_id,
        amount=command.amount,
        at=command.at,
        subaccount=command.from_subaccount,
        shard=command.shard,
    )
    if refusal is not None:
        return refusal
    transferred = Transferred(
        transfer_id=command.transfer_id,
        amount=command.amount,
        from_subaccount=command.from_subaccount,
        to_subaccount=command.to_subaccount,
        from_shard=command.shard,
        to_shard=command.shard,
        status=TransferStatus.COMPLETE,
        at=command.at,
    )
    _note(books, account, transferred)
    _leave(books, account, transferred)
    _reach(books, account, transferred, at=command.at)
    return None


def _between_shards(books: Books, account: Account, command: c.TransferShard) -> e.Refusal | None:
    refusal = _transfer_refused(
        account,
        command.transfer_id,
        amount=command.amount,
        at=command.at,
        subaccount=command.subaccount,
        shard=command.from_shard,
    )
    if refusal is not None:
        return refusal
    transferred = Transferred(
        transfer_id=command.transfer_id,
        amount=command.amount,
        from_subaccount=command.subaccount,
        to_subaccount=command.subaccount,
        from_shard=command.from_shard,
        to_shard=command.to_shard,
        status=TransferStatus.PENDING,
        at=command.at,
    )
    _note(books, account, transferred)
    _leave(books, account, transferred)
    return None


def _arrive(books: Books, account: Account, command: c.ConcludeTransfer) -> e.Refusal | None:
    history = account.transfers.get(command.transfer_id)
    before = history.latest() if history else None
    if history is None or before is None:
        return e.Refusal.NOT_FOUND
    if before.status is not TransferStatus.PENDING:
        return e.Refusal.WRONG_STATE
    # The listing gives one time per transfer, that of its creation.
    after = replace(before, status=TransferStatus.COMPLETE)
    history.record(command.at, after)
    books.events.append(e.TransferReported(at=command.at, member=account.member, transferred=after))
    _reach(books, account, after, at=command.at)
    return None


def _transfer_refused(
    account: Account,
    transfer_id: str,
    *,
    amount: Money,
    at: Instant,
    subaccount: Subaccount,
    shard: Shard,
) -> e.Refusal | None:
    if transfer_id in account.transfers:
        return e.Refusal.ALREADY_EXISTS
    if amount > account.available_at(at, subaccount=subaccount, shard=shard):
        return e.Refusal.INSUFFICIENT_BALANCE
    return None


def _note(books: Books, account: Account, transferred: Transferred) -> None:
    history = account.transfers.setdefault(transferred.transfer_id, History())
    history.record(transferred.at, transferred)
    books.events.append(
        e.TransferReported(at=transferred.at, member=account.member, transferred=transferred)
    )


def _leave(books: Books, account: Account, moved: Transferred) -> None:
    books.move_cash(
        account,
        moved.from_subaccount,
        moved.from_shard,
        units=(-moved.amount).units,
        cause=e.Cause.TRANSFER,
        at=moved.at,
    )


def _reach(books: Books, account: Account, moved: Transferred, *, at: Instant) -> None:
    books.move_cash(
        account,
        moved.to_subaccount,
        moved.to_shard,
        units=(moved.amount).units,
        cause=e.Cause.TRANSFER,
        at=at,
    )
