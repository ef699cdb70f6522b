from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.collateral import guaranteed_payout, resting_collateral
from trueup.core.orders import Side
from trueup.core.position import FLAT, Position, trade
from trueup.core.units import ZERO_MONEY, Count, Money, Price


@dataclass(frozen=True)
class Resting:
    side: Side
    price: Price
    remaining_count: Count


def order(text: str) -> Resting:
    """``"yes 10 @ 0.40"``: the price is the YES price, as everywhere."""
    side, count, _, price = text.split()
    return Resting(Side(side), Price.parse(price), Count.parse(count))


def held(text: str) -> Position:
    return Position(Count.parse(text), ZERO_MONEY)


@pytest.mark.parametrize(
    ("net", "orders", "tied_up"),
    [
        ("0", [], "0"),
        ("0", ["yes 10 @ 0.40"], "4.00"),
        ("0", ["no 10 @ 0.40"], "6.00"),
        ("0", ["yes 10 @ 0.40", "no 10 @ 0.60"], "8.00"),
        ("5", ["yes 10 @ 0.40"], "4.00"),
        ("10", ["no 10 @ 0.60"], "0"),
        ("-10", ["yes 10 @ 0.60"], "0"),
        ("4", ["no 10 @ 0.60"], "2.40"),
        # Held contracts cover the order that fills first: the lowest ask, the highest bid.
        ("10", ["no 10 @ 0.60", "no 10 @ 0.70"], "3.00"),
        ("10", ["no 10 @ 0.70", "no 10 @ 0.60"], "3.00"),
        ("-10", ["yes 10 @ 0.30", "yes 10 @ 0.20"], "2.00"),
        ("12.50", ["no 10 @ 0.60", "no 10 @ 0.70"], "2.25"),
        ("0", ["yes 0.03 @ 0.3301"], "0.009903"),
    ],
)
def test_only_the_opening_part_of_resting_orders_ties_up_cash(
    net: str, orders: list[str], tied_up: str
) -> None:
    position = held(net)

    assert resting_collateral(position, [order(one) for one in orders]) == Money.parse(tied_up)


orders_of_a_market = st.lists(
    st.builds(
        Resting,
        side=st.sampled_from(Side),
        price=st.integers(min_value=1, max_value=9_999).map(Price),
        remaining_count=st.integers(min_value=1, max_value=5_000).map(Count),
    ),
    max_size=6,
)
positions = st.integers(min_value=-10_000, max_value=10_000).map(lambda net: Position(Count(net)))


def own_price(one: Resting) -> Price:
    return one.price if one.side is Side.YES else one.price.complement()


@given(positions, orders_of_a_market)
def test_a_position_never_makes_orders_dearer(position: Position, orders: list[Resting]) -> None:
    assert ZERO_MONEY <= resting_collateral(position, orders) <= resting_collateral(FLAT, orders)


@given(positions, orders_of_a_market)
def test_the_sequence_of_the_orders_does_not_matter(
    position: Position, orders: list[Resting]
) -> None:
    assert resting_collateral(position, orders) == resting_collateral(position, orders[::-1])


@given(positions, orders_of_a_market.filter(bool), st.data())
def test_a_fill_of_the_first_order_in_the_book_never_lowers_what_is_available(
    position: Position, orders: list[Resting], data: st.DataObject
) -> None:
    """Available is cash less what is tied up: a fill was paid for when the order came to rest."""
    side = data.draw(st.sampled_from(sorted({one.side for one in orders})))
    first = max((one for one in orders if one.side is side), key=own_price)
    filled = Count(data.draw(st.integers(1, first.remaining_count.units)))
    others = list(orders)
    others.remove(first)
    left = Resting(side, first.price, first.remaining_count - filled)

    change = trade(position, side, filled, first.price)
    before = resting_collateral(position, orders)
    after = resting_collateral(change.after, [*others, left])

    assert change.cash - after >= -before


@pytest.mark.parametrize(
    ("nets", "paid"),
    [
        ([], "0"),
        (["-1"], "0"),
        (["-1", "-1"], "1"),
        (["-1", "-1", "-1"], "2"),
        (["-3", "-1"], "1"),
        (["-3", "-1", "5"], "1"),
        (["3", "5"], "0"),
    ],
)
def test_no_contracts_of_a_mutually_exclusive_event_guarantee_a_payout(
    nets: list[str], paid: str
) -> None:
    assert guaranteed_payout(Count.parse(net) for net in nets) == Money.parse(paid)


@given(st.lists(st.integers(0, 1_000), max_size=6), st.integers(-1, 5))
def test_the_guaranteed_payout_is_paid_by_every_outcome(against: list[int], winner: int) -> None:
    paid = sum(count for place, count in enumerate(against) if place != winner)

    assert guaranteed_payout(Count(-count) for count in against) <= Price(10_000) * Count(paid)
