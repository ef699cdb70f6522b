from __future__ import annotations

from trade_script import at, book, facts, seen

from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
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
