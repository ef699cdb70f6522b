"""The two lifecycle tables, every cell of them, also the forbidden ones."""

from __future__ import annotations

import itertools

import pytest

from trueup.core.market import (
    MARKET_TRANSITIONS,
    MarketStatus,
    can_follow,
    is_settled,
)
from trueup.core.orders import (
    ORDER_TRANSITIONS,
    OrderStatus,
    Side,
    is_terminal,
    merged_status,
)

ORDER_CELLS = """
              resting    canceled   executed
    resting   resting    canceled   executed
    canceled  canceled   canceled   canceled
    executed  executed   executed   executed
"""

MARKET_CELLS = """
                 initialized inactive active closed determined disputed amended finalized
    initialized  .           x        x      x      .          .        .       .
    inactive     .           .        x      x      .          .        .       .
    active       .           x        .      x      .          .        .       .
    closed       .           .        x      .      x          .        .       .
    determined   .           .        .      .      .          x        x       x
    disputed     .           .        .      .      x          .        x       x
    amended      .           .        .      .      x          x        .       x
    finalized    .           .        .      .      .          .        .       .
"""


def cells(table: str) -> list[tuple[str, str, str]]:
    header, *rows = [line.split() for line in table.strip().splitlines()]
    return [
        (row[0], column, cell) for row in rows for column, cell in zip(header, row[1:], strict=True)
    ]


@pytest.mark.parametrize(("known", "reported", "believed"), cells(ORDER_CELLS))
def test_a_later_order_report_is_merged_by_the_table(
    known: str, reported: str, believed: str
) -> None:
    assert merged_status(OrderStatus(known), OrderStatus(reported)) is OrderStatus(believed)


def test_the_order_table_is_complete() -> None:
    assert set(ORDER_TRANSITIONS) == set(OrderStatus)
    assert len(cells(ORDER_CELLS)) == len(OrderStatus) ** 2
    assert {status for status in OrderStatus if is_terminal(status)} == {
        OrderStatus.CANCELED,
        OrderStatus.EXECUTED,
    }


@pytest.mark.parametrize(("earlier", "later", "cell"), cells(MARKET_CELLS))
def test_a_market_takes_only_the_steps_of_the_table(earlier: str, later: str, cell: str) -> None:
    allowed = MarketStatus(later) in MARKET_TRANSITIONS[MarketStatus(earlier)]

    assert allowed == (cell == "x")


def test_the_market_table_is_complete() -> None:
    assert set(MARKET_TRANSITIONS) == set(MarketStatus)
    assert len(cells(MARKET_CELLS)) == len(MarketStatus) ** 2


@pytest.mark.parametrize(("earlier", "later"), list(itertools.product(MarketStatus, repeat=2)))
def test_a_reader_who_was_away_sees_only_what_steps_can_reach(
    earlier: MarketStatus, later: MarketStatus
) -> None:
    early = {MarketStatus.ACTIVE, MarketStatus.INACTIVE, MarketStatus.CLOSED}
    late = {MarketStatus.DETERMINED, MarketStatus.DISPUTED, MarketStatus.AMENDED}
    if earlier is later:
        expected = True
    elif earlier is MarketStatus.FINALIZED or later is MarketStatus.INITIALIZED:
        expected = False
    else:
        expected = not (earlier in late and later in early)

    assert can_follow(earlier, later) == expected


def test_only_a_finalized_market_has_paid() -> None:
    assert [status for status in MarketStatus if is_settled(status)] == [MarketStatus.FINALIZED]


def test_the_two_sides_are_opposite() -> None:
    assert (Side.YES.sign, Side.NO.sign) == (1, -1)
    assert Side.YES.opposite() is Side.NO
    assert Side.NO.opposite() is Side.YES
