from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.orders import Side
from trueup.core.position import FLAT, Change, Position, trade
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio

sides = st.sampled_from(Side)
counts = st.integers(min_value=1, max_value=100_000).map(Count)
prices = st.integers(min_value=1, max_value=9_999).map(Price)
trades = st.tuples(sides, counts, prices)
histories = st.lists(trades, max_size=30)


def replayed(history: list[tuple[Side, Count, Price]]) -> list[Change]:
    changes: list[Change] = []
    position = FLAT
    for side, count, price in history:
        changes.append(trade(position, side, count, price))
        position = changes[-1].after
    return changes


@given(histories)
def test_cash_is_always_cost_out_plus_realized_less_cost_in(
    history: list[tuple[Side, Count, Price]],
) -> None:
    for change in replayed(history):
        assert change.cash == change.cost_out + change.realized - change.cost_in


@given(histories)
def test_closed_and_opened_add_up_to_the_trade(history: list[tuple[Side, Count, Price]]) -> None:
    for change, (_, count, _) in zip(replayed(history), history, strict=True):
        assert change.closed + change.opened == count
        assert change.closed >= ZERO_COUNT
        assert change.opened >= ZERO_COUNT


@given(histories)
def test_the_net_position_is_the_sum_of_the_signed_trades(
    history: list[tuple[Side, Count, Price]],
) -> None:
    changes = replayed(history)

    after = changes[-1].after if changes else FLAT
    assert after.net.units == sum(side.sign * count.units for side, count, _ in history)


@given(histories)
def test_cost_goes_in_and_out_and_never_vanishes(
    history: list[tuple[Side, Count, Price]],
) -> None:
    changes = replayed(history)

    held = ZERO_MONEY
    for change in changes:
        held = held + change.cost_in - change.cost_out
        assert change.after.cost == held
        assert held >= ZERO_MONEY
        assert bool(change.after.net) or not held


@given(histories, prices)
def test_closing_everything_leaves_no_cost(
    history: list[tuple[Side, Count, Price]], price: Price
) -> None:
    changes = replayed(history)
    position = changes[-1].after if changes else FLAT
    if position.side is None:
        assert position.cost == ZERO_MONEY
        return

    closing = trade(position, position.side.opposite(), abs(position.net), price)

    assert closing.after == FLAT
    assert closing.opened == ZERO_COUNT
    all_cash = sum((change.cash for change in [*changes, closing]), ZERO_MONEY)
    assert all_cash == sum((change.realized for change in [*changes, closing]), ZERO_MONEY)


@given(counts, counts, prices, prices)
def test_buying_no_while_long_yes_is_selling_yes(
    held: Count, sold: Count, bought_at: Price, sold_at: Price
) -> None:
    """A fill names the YES price; the NO bought at 1 − p brings p per YES given up."""
    sold = min(held, sold)
    long = trade(FLAT, Side.YES, held, bought_at).after

    change = trade(long, Side.NO, sold, sold_at)

    assert change.cash == sold_at * sold
    assert change.closed == sold
    assert change.after.net == held - sold


@given(histories)
def test_the_other_side_of_the_book_mirrors_everything(
    history: list[tuple[Side, Count, Price]],
) -> None:
    mirrored = [(side.opposite(), count, price.complement()) for side, count, price in history]

    for change, mirror in zip(replayed(history), replayed(mirrored), strict=True):
        assert mirror.after == Position(-change.after.net, change.after.cost)
        assert mirror.cash == change.cash
        assert mirror.realized == change.realized


@given(histories)
def test_how_a_trade_is_read_moves_cash_by_whole_dollars_per_contract(
    history: list[tuple[Side, Count, Price]],
) -> None:
    """Opening reads −own price, closing reads 1 − own price: $1 × closed apart."""
    for change, (side, count, price) in zip(replayed(history), history, strict=True):
        own_price = price if side is Side.YES else price.complement()
        assert change.cash == ONE_DOLLAR * change.closed - own_price * count


def test_ten_bought_at_60_and_sold_at_65_gain_half_a_dollar() -> None:
    ten = Count.of_contracts(10)
    bought = trade(FLAT, Side.YES, ten, Price.of_cents(60))

    sold = trade(bought.after, Side.NO, ten, Price.of_cents(65))

    assert bought.cash == Money.of_cents(-600)
    assert bought.after.average_cost == Ratio(60, 100)
    assert sold.cash == Money.of_cents(650)
    assert sold.cost_out == Money.of_cents(600)
    assert sold.realized == Money.of_cents(50)
    assert sold.after == FLAT


def test_a_trade_through_zero_closes_then_opens_the_other_side() -> None:
    bought = trade(FLAT, Side.YES, Count.of_contracts(4), Price.of_cents(60))

    turned = trade(bought.after, Side.NO, Count.of_contracts(10), Price.of_cents(70))

    assert turned.closed == Count.of_contracts(4)
    assert turned.opened == Count.of_contracts(6)
    assert turned.realized == Money.of_cents(40)
    assert turned.after == Position(Count.of_contracts(-6), Money.of_cents(180))
    assert turned.after.side is Side.NO


@pytest.mark.parametrize(
    ("net", "side"), [(Count(1), Side.YES), (Count(-1), Side.NO), (Count(0), None)]
)
def test_the_sign_of_the_net_position_is_its_side(net: Count, side: Side | None) -> None:
    assert Position(net).side is side
    assert (Position(net).average_cost is None) == (side is None)
