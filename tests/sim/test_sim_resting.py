"""What resting orders tie up: kept up change by change, and without looking at all of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.core.collateral import resting_collateral
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, OrderId, Ticker
from trueup.core.orders import Side
from trueup.core.position import Position
from trueup.core.units import Count, Money, Price
from trueup.sim.history import CashBook
from trueup.sim.holding import HoldingRecord, Owner
from trueup.sim.order_commands import Member


class Rested:
    """An order that counts how often somebody looks at it."""

    def __init__(self, number: int, *, is_bid: bool, own_price: int, count: int) -> None:
        self.order_id = OrderId(f"o{number}")
        self.is_bid = is_bid
        self.remaining = count
        self.looks = 0
        self._own_price = own_price

    @property
    def own_price(self) -> int:
        self.looks += 1
        return self._own_price

    @property
    def side(self) -> Side:
        return Side.YES if self.is_bid else Side.NO

    @property
    def price(self) -> Price:
        return Price(self._own_price if self.is_bid else 10_000 - self._own_price)

    @property
    def remaining_count(self) -> Count:
        return Count(self.remaining)


def record() -> HoldingRecord:
    return HoldingRecord(
        owner=Owner(Member("house"), Precision.DIRECT, history=False),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        ticker=Ticker("KXRAIN-26OCT06-NY"),
        event_ticker=EventTicker("KXRAIN-26OCT06"),
        cash=CashBook(history=False),
        returns=False,
    )


def rest(holding: HoldingRecord, orders: list[Rested]) -> None:
    for order in orders:
        holding.rest(order.order_id, order)


def asks(count: int) -> list[Rested]:
    """Offers of ten contracts each at the prices of fifty levels, one after the other."""
    return [
        Rested(number, is_bid=False, own_price=100 * (10 + number % 50), count=1_000)
        for number in range(count)
    ]


def test_a_change_looks_at_the_order_that_changed_and_not_at_the_whole_book() -> None:
    holding, book = record(), asks(500)
    rest(holding, book)
    holding.trade(1, 3_000, 4_000)  # thirty YES are held: they cover the dearest offers
    holding.hold()
    for order in book:
        order.looks = 0
    late = Rested(500, is_bid=False, own_price=2_000, count=1_000)
    assert holding.needed(late) == 2_000 * 1_000
    holding.rest(late.order_id, late)
    holding.lessen(book[0].order_id, book[0], 400)
    book[0].remaining -= 400
    holding.hold()
    holding.unrest(late.order_id, late)
    assert sum(order.looks for order in book[1:]) == 0
    assert book[0].looks == 1


changes = st.lists(
    st.tuples(
        st.sampled_from(["rest", "unrest", "lessen", "buy", "sell"]),
        st.booleans(),
        st.integers(1, 9).map(lambda dimes: dimes * 1_000),
        st.integers(1, 300),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(changes)
def test_what_is_tied_up_is_what_the_collateral_rule_says_after_every_change(
    todo: list[tuple[str, bool, int, int]],
) -> None:
    holding, resting = record(), list[Rested]()
    for number, (what, is_bid, own_price, count) in enumerate(todo):
        order = Rested(number, is_bid=is_bid, own_price=own_price, count=count)
        before = tied_up(holding, resting)
        assert holding.needed(order) == tied_up(holding, [*resting, order]) - before
        if what == "rest":
            resting.append(order)
            holding.rest(order.order_id, order)
        elif what in {"buy", "sell"}:
            holding.trade(1 if what == "buy" else -1, count, own_price)
            holding.hold()
        elif resting:
            _take(holding, resting, what=what, count=count)
        assert holding.held == holding.cash.held == tied_up(holding, resting)


def _take(holding: HoldingRecord, resting: list[Rested], *, what: str, count: int) -> None:
    """Take an order away, or contracts off it; one without any is gone."""
    order = resting[count % len(resting)]
    if what == "unrest":
        resting.remove(order)
        holding.unrest(order.order_id, order)
        return
    by = min(count, order.remaining)
    holding.lessen(order.order_id, order, by)
    order.remaining -= by
    holding.hold()
    if not order.remaining:
        resting.remove(order)


def tied_up(holding: HoldingRecord, resting: list[Rested]) -> int:
    return resting_collateral(Position(Count(holding.net), Money(holding.cost)), resting).units
