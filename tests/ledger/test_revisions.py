from __future__ import annotations

from dataclasses import replace

from trade_script import EVENT, TICKER, at, book, facts, seen

from trueup.core.facts import Source
from trueup.core.ids import SHARD_ZERO, Shard
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.observations import Recorded
from trueup.core.orders import Side
from trueup.core.statements import MarketStated
from trueup.core.units import Count, Money, Price
from trueup.ledger.bare import bare_step
from trueup.ledger.booking import home_shard
from trueup.ledger.breaks import BreakKind
from trueup.ledger.entries import EntryKind, MarketBook

D = Money.parse


def told(found: MarketBook) -> list[tuple[str, int, str]]:
    """Kind, time and cash of each entry."""
    return [(entry.kind, entry.at, str(entry.cash())) for entry in found.entries]


def cash(found: MarketBook) -> Money:
    return sum((entry.cash() for entry in found.entries), Money(0))


def test_completion_takes_the_place_of_the_first_version() -> None:
    (first,) = facts("12:00 buy yes 3 @ .40 fee unknown")
    completed = seen(first, "15:00", fee=D(".06"))

    found = book([first, completed])

    assert told(found) == [(EntryKind.FILL, at("12:00"), "-1.26")]
    assert found.entries[0].version == 2
    assert not found.breaks


def test_version_that_only_lacks_something_takes_nothing_away() -> None:
    (first,) = facts("12:00 buy yes 3 @ .40 fee .06")
    poorer = seen(first, "15:00", fee=None)

    found = book([first, poorer])

    assert told(found) == [(EntryKind.FILL, at("12:00"), "-1.26")]
    assert not found.breaks


def test_finer_time_of_the_same_second_is_kept() -> None:
    (first,) = facts("12:00 buy yes 3 @ .40")
    finer = seen(first, "12:01", at=at("12:00") + 250_000)
    coarse = seen(first, "12:02", version=3)

    found = book([first, finer, coarse])

    assert [entry.at for entry in found.entries] == [at("12:00") + 250_000]


def test_revised_fill_is_taken_back_and_booked_again_when_it_became_known() -> None:
    (first,) = facts("12:00 buy yes 3 @ .40 fee .06")
    revised = seen(first, "15:00", price=Price.parse(".41"))

    found = book([first, revised])

    assert told(found) == [
        (EntryKind.FILL, at("12:00"), "-1.26"),
        (EntryKind.REVERSAL, at("15:00"), "1.26"),
        (EntryKind.FILL, at("15:00"), "-1.29"),
    ]
    assert [each.kind for each in found.breaks] == [BreakKind.REVISED_FILL]
    assert found.position.cost == D("1.23")


def test_what_rested_on_a_revised_fill_is_booked_again_with_it() -> None:
    """The sale's realised gain came from the purchase's price."""
    buy, sell = facts("12:00 buy yes 4 @ .40\n12:10 sell yes 4 @ .50")
    revised = seen(buy, "15:00", price=Price.parse(".45"))

    found = book([buy, sell, revised])

    assert [entry.kind for entry in found.entries] == [
        EntryKind.FILL,
        EntryKind.FILL,
        EntryKind.REVERSAL,
        EntryKind.REVERSAL,
        EntryKind.FILL,
        EntryKind.FILL,
    ]
    assert cash(found) == found.realized == D(".20")


def test_revised_side_changes_the_cash_of_what_came_after() -> None:
    """A purchase that was a sale: the later sale opens instead of closing."""
    buy, sell = facts("12:00 buy yes 4 @ .40\n12:10 sell yes 4 @ .50")
    revised = seen(buy, "15:00", side=Side.NO, price=Price.parse(".60"))

    found = book([buy, sell, revised])

    assert found.position.net == Count.parse("-8")
    assert cash(found) == D("-3.60")


def test_facts_after_the_revision_are_booked_once() -> None:
    buy, late = facts("12:00 buy yes 4 @ .40\n16:00 sell yes 4 @ .50")
    revised = seen(buy, "15:00", price=Price.parse(".45"))

    found = book([buy, late, revised])

    assert [(kind, clock) for kind, clock, _ in told(found)] == [
        (EntryKind.FILL, at("12:00")),
        (EntryKind.REVERSAL, at("15:00")),
        (EntryKind.FILL, at("15:00")),
        (EntryKind.FILL, at("16:00")),
    ]
    assert cash(found) == D(".20")


def test_revised_settlement_moves_the_difference_when_it_became_known() -> None:
    buy, row = facts("12:00 buy yes 4 @ .40\n13:00 row no revenue 0 yes 4 yes_cost 1.6")
    revised = seen(row, "18:00", result=MarketResult.YES, revenue=D("4"))

    found = book([buy, row, revised])

    assert told(found)[1:] == [
        (EntryKind.SETTLEMENT, at("13:00"), "0.00"),
        (EntryKind.REVERSAL, at("18:00"), "0.00"),
        (EntryKind.SETTLEMENT, at("18:00"), "4.00"),
    ]
    assert [each.kind for each in found.breaks] == [BreakKind.REVISED_SETTLEMENT]
    assert found.breaks[0].amount == D("4")
    assert found.realized == D("2.40")


def test_value_that_comes_later_completes_a_row() -> None:
    buy, row = facts("12:00 buy yes 4 @ .40\n13:00 row scalar revenue 1.80 yes 4 yes_cost 1.6")
    completed = seen(row, "18:00", value=Price.parse(".45"))

    found = book([buy, row, completed])

    assert [entry.kind for entry in found.entries] == [EntryKind.FILL, EntryKind.SETTLEMENT]
    assert not found.breaks


def test_two_revisions_of_one_fact_are_both_taken_back() -> None:
    (first,) = facts("12:00 buy yes 3 @ .40")
    second = seen(first, "15:00", price=Price.parse(".41"))
    third = seen(first, "16:00", version=3, price=Price.parse(".42"))

    found = book([first, second, third])

    assert [str(entry.cash()) for entry in found.entries] == [
        "-1.20",
        "1.20",
        "-1.23",
        "1.23",
        "-1.26",
    ]
    assert len(found.breaks) == 2


def test_row_told_again_with_another_time_does_not_move_the_cash() -> None:
    buy, row = facts("12:00 buy yes 4 @ .40\n13:00 row yes revenue 4 yes 4 yes_cost 1.6")
    retold = seen(row, "18:00", at=at("15:00"))

    found = book([buy, row, retold])

    assert told(found)[1:] == [(EntryKind.SETTLEMENT, at("13:00"), "4.00")]
    assert "2026-06-01T15:00" in found.entries[1].evidence
    assert not found.breaks


def test_fill_told_again_with_another_time_does_not_move() -> None:
    (first,) = facts("12:00 buy yes 3 @ .40")

    found = book([first, seen(first, "15:00", at=at("14:00"))])

    assert told(found) == [(EntryKind.FILL, at("12:00"), "-1.20")]


def test_shard_that_becomes_known_is_no_revision() -> None:
    (first,) = facts("12:00 buy yes 3 @ .40")
    unnamed = seen(first, "12:01", version=1, shard_named=False)
    named = seen(first, "15:00", shard=Shard(2))

    found = book([unnamed, named])

    assert [(each.kind, each.shard) for each in found.entries] == [(EntryKind.FILL, 2)]
    assert not found.breaks


def test_shard_told_otherwise_moves_the_cash_when_it_became_known() -> None:
    (first,) = facts("12:00 buy yes 3 @ .40")

    found = book([first, seen(first, "15:00", shard=Shard(2))])

    assert [(each.at, each.shard, str(each.cash())) for each in found.entries] == [
        (at("12:00"), 0, "-1.20"),
        (at("15:00"), 0, "1.20"),
        (at("15:00"), 2, "-1.20"),
    ]


def outcome(clock: str, result: MarketResult, *, version: int) -> Recorded:
    final = MarketStated(
        ticker=TICKER,
        event_ticker=EVENT,
        status=MarketStatus.FINALIZED,
        result=result,
        settlement_value=None,
        close_at=at("12:30"),
        settled_at=at("13:00"),
        shard=SHARD_ZERO,
    )
    return Recorded(90 + version, TICKER, version, final, Source.REST, at(clock))


def test_corrected_result_is_taken_back_when_it_became_known() -> None:
    (buy,) = facts("12:00 buy yes 4 @ .40")
    first = outcome("13:01", MarketResult.YES, version=1)
    second = outcome("18:00", MarketResult.NO, version=2)

    found = book([buy, second, first])

    assert told(found)[1:] == [
        (EntryKind.SETTLEMENT, at("13:00"), "4.00"),
        (EntryKind.REVERSAL, at("18:00"), "-4.00"),
        (EntryKind.SETTLEMENT, at("18:00"), "0.00"),
    ]
    assert [(each.kind, each.amount) for each in found.breaks] == [
        (BreakKind.REVISED_SETTLEMENT, D("-4"))
    ]
    assert found.realized == D("-1.60")


def test_same_result_with_another_time_pays_at_the_first() -> None:
    (buy,) = facts("12:00 buy yes 4 @ .40")
    first = outcome("13:01", MarketResult.YES, version=1)
    second = seen(first, "18:00", settled_at=at("17:00"))

    found = book([buy, first, second], market=second.value)  # pyright: ignore[reportArgumentType]

    assert told(found)[1:] == [(EntryKind.SETTLEMENT, at("13:00"), "4.00")]
    assert not found.breaks


def test_corrected_result_pays_nothing_where_a_row_did() -> None:
    buy, row = facts("12:00 buy yes 4 @ .40\n13:00 row yes revenue 4 yes 4 yes_cost 1.6")
    first = outcome("13:01", MarketResult.YES, version=1)
    second = outcome("18:00", MarketResult.NO, version=2)

    found = book([buy, row, first, second])

    assert cash(found) == D("2.40")
    assert len(found.entries) == 2


def test_home_is_what_the_row_says_then_the_market_then_the_newest_fill() -> None:
    old, new, row = facts(
        "12:00 buy yes 1 @ .40\n12:10 buy yes 1 @ .40\n13:00 row yes revenue 2 yes 2 yes_cost .8"
    )
    fills = [seen(old, "12:01", shard=Shard(1)), seen(new, "12:11", shard=Shard(2))]
    market = outcome("13:01", MarketResult.YES, version=1).value
    assert isinstance(market, MarketStated)
    unnamed = seen(row, "13:01", shard_named=False)

    def home(recorded: list[Recorded], told: MarketStated | None) -> Shard:
        return home_shard(map(bare_step, recorded), told)

    assert home([*fills, seen(row, "13:01", shard=Shard(4))], market) == 4
    assert home([*fills, unnamed], replace(market, shard=Shard(3))) == 3
    assert home([*fills, unnamed], market) == 2
    assert home([unnamed], None) == SHARD_ZERO
