"""Booking of cash that moves without trading: deposits, transfers, an opening balance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Banked, BankingStatus, Opened, Stream, Transferred, TransferStatus
from trueup.core.ids import PRIMARY, SHARD_ZERO, Shard, Subaccount
from trueup.core.instant import HOUR, Instant
from trueup.core.observations import Recorded
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Money
from trueup.ledger.accounts import Account
from trueup.ledger.entries import Entry, EntryKind, Posting
from trueup.ledger.strategy import UNTAGGED

TRANSIT: Final = HOUR
"""How long cash may be on its way between two shards."""

_GONE: Final = frozenset({BankingStatus.RETURNED, BankingStatus.FAILED})


def book_cash(recorded: Iterable[Recorded]) -> tuple[Entry, ...]:
    """Book deposits, withdrawals, transfers and opening balances, in time order.

    `recorded` holds *all* versions of each of them, in any order.  Deposits and
    withdrawals move the cash of the primary subaccount on shard 0 when applied,
    and back when returned; pending and failed ones move nothing.  Their fee
    takes cash as well.  A transfer leaves one side for `Assets:InTransit` and
    reaches the other when it is complete; a failed one goes back.  When it arrived
    the exchange does not say: it is booked at the earliest time that the reports
    leave open, and `arrives_until` gives the latest.  Of an
    opening balance the operator's latest word counts.

    Raises `InvariantBroken` for any other kind of fact.
    """
    by_identity: dict[tuple[Stream, str], list[Recorded]] = {}
    for each in recorded:
        by_identity.setdefault((cash_stream(each), each.key), []).append(each)
    entries: list[Entry] = []
    for versions in by_identity.values():
        entries.extend(_book_one(sorted(versions, key=lambda each: each.version)))
    entries.sort(
        key=lambda entry: (entry.at, entry.stream, entry.key, entry.version, entry.cash().units)
    )
    return tuple(entries)


def cash_stream(recorded: Recorded) -> Stream:
    """The stream of a cash fact: with its key it tells the fact from all others.

    Where the record does not carry it, the value tells: money that came was
    deposited, money that stayed on its shard moved between subaccounts.
    Raises `InvariantBroken` for any other kind of fact.
    """
    if recorded.stream is not None:
        return recorded.stream
    match recorded.value:
        case Banked() as banked:
            return Stream.DEPOSITS if banked.amount > ZERO_MONEY else Stream.WITHDRAWALS
        case Transferred() as moved:
            within_shard = moved.from_shard == moved.to_shard
            return Stream.TRANSFERS if within_shard else Stream.SHARD_TRANSFERS
        case Opened():
            return Stream.OPENING
        case other:
            message = f"{type(other).__name__} {recorded.key} is no movement of plain cash"
            raise InvariantBroken(message)


def _book_one(versions: Sequence[Recorded]) -> list[Entry]:
    latest = versions[-1]
    match latest.value:
        case Banked():
            return _banked([(each, each.value) for each in versions if type(each.value) is Banked])
        case Transferred():
            return _transferred(
                [(each, each.value) for each in versions if type(each.value) is Transferred]
            )
        case Opened() as opened:
            return [_opened(latest, opened)]
        case other:
            message = f"{type(other).__name__} {latest.key} is no movement of plain cash"
            raise InvariantBroken(message)


def _banked(versions: Sequence[tuple[Recorded, Banked]]) -> list[Entry]:
    """Cash moves once when applied; a later version takes back or corrects."""
    entries: list[Entry] = []
    booked: tuple[Recorded, Banked] | None = None
    for recorded, banked in versions:
        if banked.status is BankingStatus.APPLIED:
            if booked is not None and _amounts(booked[1]) != _amounts(banked):
                known_at = max(banked.at, recorded.observed_at)
                entries.append(_banked_entry(*booked))
                entries.append(_taken_back(entries[-1], known_at))
            booked = (recorded, banked)
        elif banked.status in _GONE and booked is not None:
            entries.append(_banked_entry(*booked))
            entries.append(_taken_back(entries[-1], _returned_at(recorded, banked, booked[0])))
            booked = None
    if booked is not None:
        entries.append(_banked_entry(*booked))
    return entries


def _returned_at(recorded: Recorded, banked: Banked, applied: Recorded) -> Instant:
    """When the money went back.  The one time of a row may still be that of its first
    status: what was applied when it was looked at went back after that, and all
    that is known is when that was seen.
    """
    if banked.at > applied.observed_at:
        return banked.at
    return max(banked.at, recorded.observed_at)


def _amounts(banked: Banked) -> tuple[Money, Money]:
    return banked.amount, banked.fee


def _banked_entry(recorded: Recorded, banked: Banked) -> Entry:
    arrived = banked.amount > ZERO_MONEY
    postings = [
        Posting(Account.CASH, banked.amount - banked.fee, ZERO_COUNT),
        Posting(Account.DEPOSITS, -banked.amount, ZERO_COUNT),
    ]
    if banked.fee:
        postings.append(Posting(Account.BANKING_FEES, banked.fee, ZERO_COUNT))
    return Entry(
        stream=cash_stream(recorded),
        key=recorded.key,
        version=recorded.version,
        kind=EntryKind.DEPOSIT if arrived else EntryKind.WITHDRAWAL,
        at=banked.at,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        ticker=None,
        strategy=UNTAGGED,
        postings=tuple(postings),
        evidence=banked.method,
    )


def _taken_back(entry: Entry, at: Instant) -> Entry:
    postings = tuple(Posting(leg.account, -leg.money, -leg.contracts) for leg in entry.postings)
    evidence = f"takes back version {entry.version}"
    return replace(entry, kind=EntryKind.REVERSAL, at=at, postings=postings, evidence=evidence)


def _transferred(versions: Sequence[tuple[Recorded, Transferred]]) -> list[Entry]:
    """One entry where the cash leaves, one where it arrives or comes back."""
    first_recorded, first = versions[0]
    if first.status is TransferStatus.FAILED:
        return []
    entries = [
        _moved(
            first_recorded,
            first,
            amount=-first.amount,
            at=first.at,
            place=(first.from_subaccount, first.from_shard),
        )
    ]
    pending_seen_at = first.at
    for recorded, transferred in versions:
        match transferred.status:
            case TransferStatus.PENDING:
                pending_seen_at = max(pending_seen_at, recorded.observed_at)
                continue
            case TransferStatus.COMPLETE:
                place = (transferred.to_subaccount, transferred.to_shard)
            case TransferStatus.FAILED:
                place = (transferred.from_subaccount, transferred.from_shard)
        # Its one time may be that of its creation, also when it has arrived.
        at = max(transferred.at, pending_seen_at)
        amount = transferred.amount
        entries.append(_moved(recorded, transferred, amount=amount, at=at, place=place))
        break
    return entries


def arrives_until(latest: Recorded, arrived_at: Instant) -> Instant:
    """As late as when a transfer arrived that is booked at `arrived_at`.

    It was seen to have arrived by the time of `latest`, its newest report.  One that
    was never seen on its way took no longer than transfers take (`TRANSIT`).
    """
    if latest.version > 1:
        return max(arrived_at, latest.observed_at)
    return max(arrived_at, min(latest.observed_at, Instant(arrived_at + TRANSIT)))


def _moved(
    recorded: Recorded,
    transferred: Transferred,
    *,
    amount: Money,
    at: Instant,
    place: tuple[Subaccount, Shard],
) -> Entry:
    return Entry(
        stream=cash_stream(recorded),
        key=recorded.key,
        version=recorded.version,
        kind=EntryKind.TRANSFER,
        at=at,
        subaccount=place[0],
        shard=place[1],
        ticker=None,
        strategy=UNTAGGED,
        postings=(
            Posting(Account.CASH, amount, ZERO_COUNT),
            Posting(Account.IN_TRANSIT, -amount, ZERO_COUNT),
        ),
        evidence=transferred.status,
    )


def _opened(recorded: Recorded, opened: Opened) -> Entry:
    return Entry(
        stream=Stream.OPENING,
        key=recorded.key,
        version=recorded.version,
        kind=EntryKind.OPENING,
        at=opened.at,
        subaccount=opened.subaccount,
        shard=opened.shard,
        ticker=None,
        strategy=UNTAGGED,
        postings=(
            Posting(Account.CASH, opened.cash, ZERO_COUNT),
            Posting(Account.OPENING, -opened.cash, ZERO_COUNT),
        ),
        evidence=opened.note,
    )
