"""Money in, money out, and money moved inside the account."""

from __future__ import annotations

from typing import Final

import msgspec

from trueup.core.errors import NotANumber, ProtocolBroken
from trueup.core.facts import Banked, BankingStatus, Transferred, TransferStatus
from trueup.core.ids import PRIMARY, Shard, Subaccount
from trueup.core.units import Money
from trueup.wire import values
from trueup.wire.rest.reading import RecordDecoder, field_names
from trueup.wire.values import Number

KNOWN_BANKING: Final = field_names("id status type amount_cents fee_cents created_ts finalized_ts")
KNOWN_SUBACCOUNT_TRANSFER: Final = field_names(
    "transfer_id from_subaccount to_subaccount amount_cents created_ts exchange_index"
)
KNOWN_SHARD_TRANSFER: Final = field_names(
    """
    transfer_id client_transfer_id source destination source_exchange_shard
    destination_exchange_shard amount status created_ts
    """
)

BANKING_STATUSES: Final = {status.value: status for status in BankingStatus}
TRANSFER_STATUSES: Final = {status.value: status for status in TransferStatus}

EVENT_CONTRACTS: Final = "event_contract"
"""The exchange instance whose cash these books hold; the other is ``margined``."""


class _BankingRecord(msgspec.Struct, gc=False):
    id: str
    status: str
    amount_cents: Number
    fee_cents: Number
    created_ts: int
    type: str = ""
    finalized_ts: int | None = None


class _SubaccountTransferRecord(msgspec.Struct, gc=False):
    transfer_id: str
    from_subaccount: int
    to_subaccount: int
    amount_cents: Number
    created_ts: int
    exchange_index: int | None = None


class _ShardTransferRecord(msgspec.Struct, gc=False):
    transfer_id: str
    source: str
    destination: str
    source_exchange_shard: int
    destination_exchange_shard: int
    amount: Number
    status: str
    created_ts: int


_decode_banking: Final = RecordDecoder(_BankingRecord)
_decode_subaccount: Final = RecordDecoder(_SubaccountTransferRecord)
_decode_shard: Final = RecordDecoder(_ShardTransferRecord)


def read_deposit(raw: bytes) -> Banked:
    """A deposit: a positive amount."""
    return _banked(raw, 1)


def read_withdrawal(raw: bytes) -> Banked:
    """A withdrawal: a negative amount."""
    return _banked(raw, -1)


def _banked(raw: bytes, sign: int) -> Banked:
    row = _decode_banking(raw)
    created_at = values.instant_of_seconds(row.created_ts)
    finalized = row.finalized_ts
    return Banked(
        banking_id=row.id,
        amount=_unsigned_cents(row.amount_cents, "amount_cents") * sign,
        fee=_unsigned_cents(row.fee_cents, "fee_cents"),
        status=values.word(BANKING_STATUSES, row.status, "status"),
        method=row.type,
        created_at=created_at,
        at=values.instant_of_seconds(finalized) if finalized else created_at,
    )


def read_subaccount_transfer(raw: bytes) -> Transferred:
    """Cash moved between two subaccounts on one shard; it is complete when listed."""
    row = _decode_subaccount(raw)
    shard = Shard(row.exchange_index or 0)
    return Transferred(
        transfer_id=row.transfer_id,
        amount=_unsigned_cents(row.amount_cents, "amount_cents"),
        from_subaccount=Subaccount(row.from_subaccount),
        to_subaccount=Subaccount(row.to_subaccount),
        from_shard=shard,
        to_shard=shard,
        status=TransferStatus.COMPLETE,
        at=values.instant_of_seconds(row.created_ts),
    )


def read_shard_transfer(raw: bytes) -> Transferred:
    """Cash moved between two shards of the primary account.

    The rows name no subaccounts: the exchange takes transfers of numbered
    subaccounts through the primary one.  A transfer to or from the margined
    exchange leaves these books and cannot be said as a move inside them, so it
    is reported as unreadable.
    """
    row = _decode_shard(raw)
    if row.source != EVENT_CONTRACTS or row.destination != EVENT_CONTRACTS:
        raise ProtocolBroken(
            f"a transfer from {row.source!r} to {row.destination!r}: cash that leaves or enters"
            " the event contracts' exchange is not covered by these books"
        )
    amount = values.dollars(row.amount)
    if amount.units < 0:
        raise NotANumber(f"a transfer of {amount} dollars has no direction")
    return Transferred(
        transfer_id=row.transfer_id,
        amount=amount,
        from_subaccount=PRIMARY,
        to_subaccount=PRIMARY,
        from_shard=Shard(row.source_exchange_shard),
        to_shard=Shard(row.destination_exchange_shard),
        status=values.word(TRANSFER_STATUSES, row.status, "status"),
        at=values.instant_of_seconds(row.created_ts),
    )


def _unsigned_cents(value: Number, field: str) -> Money:
    amount = values.exact_cents(value)
    if amount.units < 0:
        raise NotANumber(f"{field} {value} is below zero, where only the kind of record has a sign")
    return amount
