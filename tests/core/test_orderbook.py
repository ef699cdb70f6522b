"""The order book: snapshots, changes, and what it refuses to say."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.errors import BookUnknown, InvariantBroken, NotANumber
from trueup.core.ids import Ticker
from trueup.core.orderbook import BookDelta, BookSnapshot, BookState, Level, OrderBook
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price, Ratio

FED = Ticker("KXFED-26DEC-T3.75")


def level(price: str, count: str) -> Level:
    return Level(Price.parse(price), Count.parse(count))


def changed(side: Side, price: str, change: str) -> BookDelta:
    return BookDelta(ticker=FED, side=side, price=Price.parse(price), change=Count.parse(change))


def open_book() -> OrderBook:
    book = OrderBook(FED)
    book.load(
        BookSnapshot(
            ticker=FED,
            bids=(level("0.40", "100"), level("0.385", "12.50")),
            asks=(level("0.42", "30"), level("0.45", "70")),
            clock=7,
        )
    )
    return book


def test_a_snapshot_is_held_as_it_was_told() -> None:
    book = open_book()

    assert book.is_valid
    assert book.clock == 7
    assert book.best_bid == Price.parse("0.40")
    assert book.best_ask == Price.parse("0.42")
    assert book.spread == Money.parse("0.02")
    assert book.mid == Ratio(41, 100)
    assert book.snapshot().asks == (level("0.42", "30"), level("0.45", "70"))


def test_changes_are_added_and_an_empty_level_is_gone() -> None:
    book = open_book()

    assert book.apply(changed(Side.YES, "0.40", "-40"))
    assert book.count_at(Side.YES, Price.parse("0.40")) == Count.parse("60")
    assert book.apply(changed(Side.YES, "0.40", "-60"))
    assert book.best_bid == Price.parse("0.385")
    assert book.apply(changed(Side.NO, "0.41", "5"))

    assert book.best_ask == Price.parse("0.41")
    assert book.bids() == (level("0.385", "12.5"),)
    assert book.asks(1) == (level("0.41", "5"),)


def test_a_level_below_zero_means_that_something_was_missed() -> None:
    book = open_book()

    assert not book.apply(changed(Side.NO, "0.42", "-30.01"))

    assert book.state is BookState.INVALID
    with pytest.raises(BookUnknown, match=r"took the ask at 0\.42 down to -0\.01"):
        _ = book.best_bid


def test_an_unknown_book_shows_no_old_price_and_a_snapshot_revives_it() -> None:
    book = open_book()
    book.invalidate("messages 4 to 6 were lost")

    assert not book.apply(changed(Side.YES, "0.40", "1"))
    for ask in (book.snapshot, lambda: book.depth(Side.YES), lambda: book.spread):
        with pytest.raises(BookUnknown, match="messages 4 to 6 were lost"):
            ask()

    book.load(BookSnapshot(ticker=FED))
    assert book.best_bid is None
    assert book.best_ask is None
    assert book.spread is None
    assert book.mid is None


def test_a_book_without_its_first_snapshot_waits_whatever_happens() -> None:
    book = OrderBook(FED)
    book.invalidate("the connection was lost")

    assert book.state is BookState.AWAITING
    with pytest.raises(BookUnknown, match="connection was lost"):
        book.bids()


def test_depth_counts_from_the_best_price_to_the_worst_allowed() -> None:
    book = open_book()

    assert book.depth(Side.YES) == Count.parse("112.50")
    assert book.depth(Side.YES, Price.parse("0.40")) == Count.parse("100")
    assert book.depth(Side.NO, Price.parse("0.44")) == Count.parse("30")


def test_taking_walks_the_levels_and_stops_at_the_end_of_the_book() -> None:
    book = open_book()

    assert book.cost_to_take(Side.YES, Count.parse("40")) == (
        Count.parse("40"),
        Money.parse("17.10"),
    )
    assert book.cost_to_take(Side.NO, Count.parse("1000")) == (
        Count.parse("112.50"),
        Money.parse("44.8125"),
    )
    with pytest.raises(NotANumber):
        book.cost_to_take(Side.YES, Count(0))


def test_the_message_of_another_market_is_refused() -> None:
    book = open_book()
    other = Ticker("KXFED-26DEC-T4.00")

    with pytest.raises(InvariantBroken):
        book.load(BookSnapshot(ticker=other))
    with pytest.raises(InvariantBroken):
        book.apply(BookDelta(ticker=other, side=Side.YES, price=Price.of_cents(1), change=Count(1)))


@pytest.mark.parametrize("levels", [(level("0.4", "0"),), (level("0.4", "1"), level("0.4", "2"))])
def test_a_snapshot_with_an_impossible_level_is_refused(levels: tuple[Level, ...]) -> None:
    with pytest.raises(NotANumber):
        OrderBook(FED).load(BookSnapshot(ticker=FED, bids=levels))


@given(
    changes=st.lists(
        st.tuples(st.booleans(), st.integers(1, 40), st.integers(-300, 400)), max_size=200
    )
)
def test_the_book_is_the_sum_of_its_changes(changes: list[tuple[bool, int, int]]) -> None:
    book = OrderBook(FED)
    book.load(BookSnapshot(ticker=FED))
    sums: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
    for is_bid, price, change in changes:
        sums[is_bid][price] += change
        if sums[is_bid][price] < 0:
            assert not book.apply_units(is_bid, price, change)
            assert not book.is_valid
            return
        assert book.apply_units(is_bid, price, change)
        # Asking in between must not matter: the best price is kept, not only computed.
        bids = [price for price, count in sums[True].items() if count]
        asks = [price for price, count in sums[False].items() if count]
        assert book.best_bid == (Price(max(bids)) if bids else None)
        assert book.best_ask == (Price(min(asks)) if asks else None)

    assert {one.price.units: one.count.units for one in book.bids()} == +sums[True]
    assert [one.price.units for one in book.asks()] == sorted(+sums[False])
