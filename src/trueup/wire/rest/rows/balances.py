"""Balances: ``/portfolio/balance`` and ``/portfolio/subaccounts/balances``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import Instant
from trueup.core.statements import BalanceStated
from trueup.core.units import Money
from trueup.wire import values
from trueup.wire.rest.reading import RecordDecoder, field_names
from trueup.wire.values import Number

KNOWN: Final = field_names("balance balance_dollars portfolio_value updated_ts balance_breakdown")
KNOWN_SUBACCOUNT: Final = field_names("subaccount_number exchange_index balance updated_ts")


@dataclass(frozen=True, slots=True)
class ShardBalance:
    """The part of a balance that one shard holds."""

    shard: Shard
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One answer of the balance endpoint.

    The cash that is available (what resting orders tie up is already taken off)
    lies in [`low`, `high`]; the two are the same where the exchange gave
    ``balance_dollars``.  `portfolio_value` is the exchange's value of the open
    positions, in whole cents and without cash.  `at` is the exchange's time of
    the figure.  `shard` is the one that was asked for, `None` for all together.
    `breakdown` is empty for a key that is locked to one subaccount.
    """

    low: Money
    high: Money
    portfolio_value: Money | None
    at: Instant
    shard: Shard | None
    breakdown: tuple[ShardBalance, ...]

    def statements(
        self, observed_at: Instant, subaccount: Subaccount | None
    ) -> tuple[BalanceStated, ...]:
        """What this answer claims: the total first, then one per shard of the breakdown.

        `subaccount` is the one the answer is about; the exchange does not say.
        """
        total = BalanceStated(
            low=self.low,
            high=self.high,
            portfolio_value=self.portfolio_value,
            subaccount=subaccount,
            shard=self.shard,
            at=self.at,
            observed_at=observed_at,
        )
        parts = (
            BalanceStated(
                low=part.amount,
                high=part.amount,
                portfolio_value=None,
                subaccount=subaccount,
                shard=part.shard,
                at=self.at,
                observed_at=observed_at,
            )
            for part in self.breakdown
            if part.shard != self.shard
        )
        return (total, *parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubaccountBalance:
    """What one subaccount holds on one shard, exact."""

    subaccount: Subaccount
    shard: Shard
    amount: Money
    at: Instant

    def statement(self, observed_at: Instant) -> BalanceStated:
        """The same as a statement."""
        return BalanceStated(
            low=self.amount,
            high=self.amount,
            portfolio_value=None,
            subaccount=self.subaccount,
            shard=self.shard,
            at=self.at,
            observed_at=observed_at,
        )


class _BalanceRecord(msgspec.Struct, gc=False):
    balance: Number
    updated_ts: int
    balance_dollars: Number | None = None
    portfolio_value: Number | None = None
    balance_breakdown: list[msgspec.Raw] | None = None


class _ShardRecord(msgspec.Struct, gc=False):
    exchange_index: int
    balance: Number


class _SubaccountRecord(msgspec.Struct, gc=False):
    subaccount_number: int
    balance: Number
    updated_ts: int
    exchange_index: int | None = None


_decode: Final = RecordDecoder(_BalanceRecord)
_decode_shard: Final = RecordDecoder(_ShardRecord)
_decode_subaccount: Final = RecordDecoder(_SubaccountRecord)


def read_balance(raw: bytes, asked: Shard | None = None) -> Balance:
    """The balance, of the shard `asked` for or of all.

    The integer ``balance`` is cut down to cents and gives an interval;
    ``balance_dollars`` is exact and wins where it is present.
    """
    row = _decode(raw)
    if row.balance_dollars is None:
        low, high = values.floored_cents(row.balance)
    else:
        low = high = values.dollars(row.balance_dollars)
    value = row.portfolio_value
    return Balance(
        low=low,
        high=high,
        portfolio_value=None if value is None else values.exact_cents(value),
        at=values.instant_of_seconds(row.updated_ts),
        shard=asked,
        breakdown=tuple(_shard(bytes(part)) for part in row.balance_breakdown or ()),
    )


def _shard(raw: bytes) -> ShardBalance:
    part = _decode_shard(raw)
    return ShardBalance(Shard(part.exchange_index), values.dollars(part.balance))


def read_subaccount_balance(raw: bytes) -> SubaccountBalance:
    """The balance of one subaccount on one shard."""
    row = _decode_subaccount(raw)
    return SubaccountBalance(
        subaccount=Subaccount(row.subaccount_number),
        shard=Shard(row.exchange_index or 0),
        amount=values.dollars(row.balance),
        at=values.instant_of_seconds(row.updated_ts),
    )
