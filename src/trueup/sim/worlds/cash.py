"""Money in, money out and money moved: deposits, a withdrawal, two kinds of transfer."""

from __future__ import annotations

from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, Shard
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant
from trueup.core.units import ZERO_MONEY, Money
from trueup.sim import commands as c
from trueup.sim.chance import identifier
from trueup.sim.worlds.crypto import CRYPTO_SHARD, CRYPTO_SUBACCOUNT, SUBACCOUNT_DAY, shard_day
from trueup.sim.worlds.plan import Plan

_ODD = 417 * 1_000
"""Nothing on an exchange happens on a whole second."""


def cash(plan: Plan) -> None:
    """Add all movements of money."""
    plan.say(c.OpenAccount(at=plan.start, member=plan.member, precision=Precision.DIRECT))
    _deposit(plan, plan.day(0, 1, 12), 500_000, method="ach", took=20 * HOUR)
    _deposit(plan, plan.day(62, 15, 3), 30_000, fee=600, method="debit", took=MINUTE)
    _deposit(
        plan, plan.day(70, 9, 40), 25_000, method="ach", took=3 * DAY, ends=BankingStatus.FAILED
    )
    _withdraw(plan, plan.day(118, 17, 21), 75_000)
    _subaccount(plan)
    _shard(plan)


def _deposit(
    plan: Plan,
    at: Instant,
    cents: int,
    *,
    fee: int = 0,
    method: str,
    took: int,
    ends: BankingStatus = BankingStatus.APPLIED,
) -> None:
    banking_id = identifier(plan.chance)
    plan.say(
        c.Deposit(
            at=Instant(at + _ODD),
            member=plan.member,
            banking_id=banking_id,
            amount=Money.of_cents(cents),
            fee=Money.of_cents(fee),
            method=method,
        )
    )
    _conclude(plan, banking_id, Instant(at + took), status=ends)


def _withdraw(plan: Plan, at: Instant, cents: int) -> None:
    banking_id = identifier(plan.chance)
    plan.say(
        c.Withdraw(
            at=Instant(at + _ODD),
            member=plan.member,
            banking_id=banking_id,
            amount=Money.of_cents(cents),
            fee=ZERO_MONEY,
            method="ach",
        )
    )
    _conclude(plan, banking_id, Instant(at + 5 * HOUR), status=BankingStatus.APPLIED)


def _conclude(plan: Plan, banking_id: str, at: Instant, *, status: BankingStatus) -> None:
    # Listings give the time of a banking status in whole seconds.
    plan.say(
        c.ConcludeBanking(
            at=Instant(at - at % SECOND + SECOND),
            member=plan.member,
            banking_id=banking_id,
            status=status,
        )
    )


def _subaccount(plan: Plan) -> None:
    at = plan.day(SUBACCOUNT_DAY, 13, 5)
    plan.say(c.OpenSubaccount(at=at, member=plan.member, subaccount=CRYPTO_SUBACCOUNT))
    _to_subaccount(plan, Instant(at + 2 * MINUTE), 60_000, shard=SHARD_ZERO)


def _shard(plan: Plan) -> None:
    at = plan.day(shard_day(plan) - 2, 14, 10)
    transfer_id = identifier(plan.chance)
    plan.say(
        c.TransferShard(
            at=at,
            member=plan.member,
            transfer_id=transfer_id,
            amount=Money.of_cents(52_550),
            subaccount=PRIMARY,
            from_shard=SHARD_ZERO,
            to_shard=CRYPTO_SHARD,
        )
    )
    # A transfer between shards takes a moment; its listing tells only the start.
    arrived = Instant(at + 2 * SECOND)
    plan.say(c.ConcludeTransfer(at=arrived, member=plan.member, transfer_id=transfer_id))
    _to_subaccount(plan, Instant(at + 10 * MINUTE), 40_000, shard=CRYPTO_SHARD)


def _to_subaccount(plan: Plan, at: Instant, cents: int, *, shard: Shard) -> None:
    plan.say(
        c.TransferSubaccount(
            at=at,
            member=plan.member,
            transfer_id=identifier(plan.chance),
            amount=Money.of_cents(cents),
            from_subaccount=PRIMARY,
            to_subaccount=CRYPTO_SUBACCOUNT,
            shard=shard,
        )
    )
