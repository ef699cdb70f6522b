from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.orders import (
    ORDER_TRANSITIONS,
    Action,
    OrderStatus,
    Side,
    is_terminal,
    merged_status,
    quoted,
)
from trueup.core.units import Price

PRICES = st.integers(1, 9_999).map(Price)


@pytest.mark.parametrize(
    ("action", "outcome", "price", "side", "yes_price"),
    [
        ("buy", "yes", "0.56", Side.YES, "0.56"),
        ("sell", "yes", "0.56", Side.NO, "0.56"),
        ("buy", "no", "0.30", Side.NO, "0.70"),
        ("sell", "no", "0.30", Side.YES, "0.70"),
    ],
)
def test_words_of_a_trader_become_one_side_and_one_price(
    action: str, outcome: str, price: str, side: Side, yes_price: str
) -> None:
    result = quoted(Action(action), Side(outcome), Price.parse(price))

    assert result == (side, Price.parse(yes_price))


@given(st.sampled_from(Action), st.sampled_from(Side), PRICES)
def test_buying_one_outcome_is_selling_the_other(action: Action, side: Side, price: Price) -> None:
    other = Action.SELL if action is Action.BUY else Action.BUY

    assert quoted(action, side, price) == quoted(other, side.opposite(), price.complement())


@pytest.mark.parametrize("known", OrderStatus)
@pytest.mark.parametrize("reported", OrderStatus)
def test_a_finished_order_never_comes_back(known: OrderStatus, reported: OrderStatus) -> None:
    merged = merged_status(known, reported)

    assert merged == (reported if known is OrderStatus.RESTING else known)
    assert is_terminal(known) == (ORDER_TRANSITIONS[known] == {known})
