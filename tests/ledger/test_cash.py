from __future__ import annotations

from dataclasses import replace

import pytest
from trade_script import at, facts

from trueup.core.errors import InvariantBroken
from trueup.core.facts import (
    Banked,
    BankingStatus,
    CashFact,
    Opened,
    Source,
    Stream,
    Transferred,
    TransferStatus,
)
from trueup.core.ids import PRIMARY, SHARD_ZERO, Shard, Subaccount
from trueup.core.observations import Recorded
from trueup.core.units import Money
from trueup.ledger.accounts import Account
from trueup.ledger.cash import arrives_until, book_cash
from trueup.ledger.entries import Entry, EntryKind

D = Money.parse


def recorded(value: CashFact, clock: str, *, version: int = 1, key: str = "one") -> Recorded:
    return Recorded(version, key, version, value, Source.REST, at(clock))


def banked(amount: str, status: str, clock: str, *, fee: str = "0") -> Banked:
    return Banked(
        banking_id="one",
        amount=D(amount),
        fee=D(fee),
        status=BankingStatus(status),
        method="ach",
        created_at=at("09:00"),
        at=at(clock),
    )


def moved(status: str, clock: str, *, to: int = 1, shard: int = 0) -> Transferred:
    return Transferred(
        transfer_id="one",
        amount=D("25"),
        from_subaccount=PRIMARY,
        to_subaccount=Subaccount(to),
        from_shard=SHARD_ZERO,
        to_shard=Shard(shard),
        status=TransferStatus(status),
        at=at(clock),
    )


def told(entries: tuple[Entry, ...]) -> list[tuple[str, int, int, int, str]]:
    return [(each.kind, each.at, each.subaccount, each.shard, str(each.cash())) for each in entries]


@pytest.mark.parametrize("status", ["pending", "failed", "returned"])
def test_deposit_that_was_never_applied_moves_nothing(status: str) -> None:
    assert book_cash([recorded(banked("100", status, "10:00"), "10:01")]) == ()


def test_applied_deposit_moves_cash_when_applied_less_its_fee() -> None:
    (entry,) = book_cash(
        [
            recorded(banked("100", "pending", "09:00", fee="2"), "09:01"),
            recorded(banked("100", "applied", "10:00", fee="2"), "10:01", version=2),
        ]
    )

    assert told((entry,)) == [(EntryKind.DEPOSIT, at("10:00"), 0, 0, "98.00")]
    assert {leg.account: str(leg.money) for leg in entry.postings} == {
        Account.CASH: "98.00",
        Account.DEPOSITS: "-100.00",
        Account.BANKING_FEES: "2.00",
    }


def test_withdrawal_takes_amount_and_fee() -> None:
    (entry,) = book_cash([recorded(banked("-100", "applied", "10:00", fee="2"), "10:01")])

    assert (entry.kind, entry.stream) == (EntryKind.WITHDRAWAL, Stream.WITHDRAWALS)
    assert entry.cash() == D("-102")


def test_returned_deposit_goes_back() -> None:
    entries = book_cash(
        [
            recorded(banked("100", "returned", "12:00"), "12:01", version=2),
            recorded(banked("100", "applied", "10:00"), "10:01"),
        ]
    )

    assert told(entries) == [
        (EntryKind.DEPOSIT, at("10:00"), 0, 0, "100.00"),
        (EntryKind.REVERSAL, at("12:00"), 0, 0, "-100.00"),
    ]


def test_return_without_a_time_of_its_own_is_booked_when_it_was_seen() -> None:
    """The row keeps the time at which the deposit was applied."""
    entries = book_cash(
        [
            recorded(banked("100", "applied", "10:00"), "10:01"),
            recorded(banked("100", "returned", "10:00"), "12:01", version=2),
        ]
    )

    assert [(each.kind, each.at) for each in entries] == [
        (EntryKind.DEPOSIT, at("10:00")),
        (EntryKind.REVERSAL, at("12:01")),
    ]


def test_deposit_and_withdrawal_of_one_id_are_two_facts() -> None:
    deposit = recorded(banked("100", "applied", "10:00"), "10:01")
    withdrawal = recorded(banked("-30", "applied", "11:00"), "11:01")

    entries = book_cash(
        [
            replace(deposit, stream=Stream.DEPOSITS),
            replace(withdrawal, stream=Stream.WITHDRAWALS),
        ]
    )

    assert [(each.stream, str(each.cash())) for each in entries] == [
        (Stream.DEPOSITS, "100.00"),
        (Stream.WITHDRAWALS, "-30.00"),
    ]


def test_corrected_amount_is_taken_back_and_booked_again() -> None:
    entries = book_cash(
        [
            recorded(banked("100", "applied", "10:00"), "10:01"),
            recorded(banked("90", "applied", "10:00"), "15:00", version=2),
        ]
    )

    assert sorted(str(each.cash()) for each in entries) == ["-100.00", "100.00", "90.00"]


def test_later_time_of_the_same_deposit_is_taken_over() -> None:
    entries = book_cash(
        [
            recorded(banked("100", "applied", "09:00"), "10:01"),
            recorded(banked("100", "applied", "10:00"), "11:00", version=2),
        ]
    )

    assert told(entries) == [(EntryKind.DEPOSIT, at("10:00"), 0, 0, "100.00")]


def test_transfer_passes_through_in_transit() -> None:
    entries = book_cash([recorded(moved("complete", "10:00"), "10:01")])

    assert told(entries) == [
        (EntryKind.TRANSFER, at("10:00"), 0, 0, "-25.00"),
        (EntryKind.TRANSFER, at("10:00"), 1, 0, "25.00"),
    ]
    transit = [leg.money.units for each in entries for leg in each.postings]
    assert sum(transit) == 0


def test_pending_transfer_has_left_and_not_arrived() -> None:
    entries = book_cash([recorded(moved("pending", "10:00", shard=2), "10:01")])

    assert told(entries) == [(EntryKind.TRANSFER, at("10:00"), 0, 0, "-25.00")]
    assert entries[0].stream is Stream.SHARD_TRANSFERS


def test_transfer_seen_pending_arrived_after_that_and_before_it_was_seen_complete() -> None:
    complete = recorded(moved("complete", "10:00"), "10:31", version=2)

    entries = book_cash([recorded(moved("pending", "10:00"), "10:01"), complete])

    assert [each.at for each in entries] == [at("10:00"), at("10:01")]
    assert arrives_until(complete, entries[1].at) == at("10:31")


@pytest.mark.parametrize(("seen", "until"), [("10:20", "10:20"), ("18:00", "11:00")])
def test_transfer_never_seen_on_its_way_took_an_hour_at_most(seen: str, until: str) -> None:
    complete = recorded(moved("complete", "10:00"), seen)

    entries = book_cash([complete])

    assert arrives_until(complete, entries[1].at) == at(until)


def test_failed_transfer_comes_back() -> None:
    entries = book_cash(
        [
            recorded(moved("pending", "10:00"), "10:01"),
            recorded(moved("failed", "10:05"), "10:31", version=2),
        ]
    )

    assert told(entries) == [
        (EntryKind.TRANSFER, at("10:00"), 0, 0, "-25.00"),
        (EntryKind.TRANSFER, at("10:05"), 0, 0, "25.00"),
    ]


def test_transfer_that_failed_at_once_moves_nothing() -> None:
    assert book_cash([recorded(moved("failed", "10:00"), "10:01")]) == ()


def test_latest_word_on_the_opening_balance_counts() -> None:
    opened = Opened(
        cash=D("25.73"), at=at("00:00"), subaccount=PRIMARY, shard=SHARD_ZERO, note="by hand"
    )

    entries = book_cash(
        [
            recorded(opened, "09:00"),
            recorded(replace(opened, cash=D("25.74")), "10:00", version=2),
        ]
    )

    assert told(entries) == [(EntryKind.OPENING, at("00:00"), 0, 0, "25.74")]


def test_fill_is_no_plain_cash() -> None:
    with pytest.raises(InvariantBroken, match="no movement of plain cash"):
        book_cash(facts("12:00 buy yes 1 @ .5"))
