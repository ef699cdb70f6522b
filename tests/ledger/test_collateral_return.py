"""Mutually exclusive events release early what their NO contracts pay for certain."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from trade_script import at

from trueup.core.facts import Filled
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, OrderId, Ticker, TradeId
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.ledger.collateral_return import ExclusiveEvent, collateral_returns

MIDNIGHT = Instant(0)


def bought(clock: str, ticker: str, side: Side, contracts: int) -> Filled:
    return Filled(
        trade_id=TradeId(f"{clock} {ticker}"),
        order_id=OrderId("o"),
        ticker=Ticker(ticker),
        side=side,
        count=Count.of_contracts(contracts),
        price=Price.parse("0.50"),
        fee=Money(0),
        is_taker=True,
        at=at(clock),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )


def told(
    *fills: Filled, paid: str | None = None, since: Instant = MIDNIGHT
) -> list[tuple[Instant, str]]:
    markets = sorted({each.ticker for each in fills})
    event = ExclusiveEvent(
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        ticker=EventTicker("E"),
        markets=[(ticker, None if paid is None else at(paid)) for ticker in markets],
    )
    found = collateral_returns(
        [event], lambda ticker: [each for each in fills if each.ticker == ticker], since=since
    )
    return [(each.at, str(each.amount)) for each in found]


def test_second_no_position_releases_the_smaller_of_the_two() -> None:
    fills = [bought("10:00", "A", Side.NO, 10), bought("11:00", "B", Side.NO, 4)]

    assert told(*fills) == [(at("11:00"), "4.00")]
    assert told(*fills, paid="12:00") == [(at("11:00"), "4.00"), (at("12:00"), "-4.00")]


def test_position_that_is_sold_again_takes_its_release_back() -> None:
    fills = [
        bought("10:00", "A", Side.NO, 10),
        bought("11:00", "B", Side.NO, 4),
        bought("11:30", "B", Side.YES, 4),
    ]

    assert told(*fills) == [(at("11:00"), "4.00"), (at("11:30"), "-4.00")]


def test_yes_contracts_release_nothing() -> None:
    assert told(bought("10:00", "A", Side.YES, 10), bought("11:00", "B", Side.NO, 4)) == []


def test_what_was_held_when_it_was_switched_on_is_released_then() -> None:
    fills = [bought("10:00", "A", Side.NO, 10), bought("11:00", "B", Side.NO, 4)]

    assert told(*fills, since=at("11:30")) == [(at("11:30"), "4.00")]


@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.sampled_from(list(Side)), st.integers(1, 9)),
        min_size=1,
        max_size=12,
    )
)
def test_nothing_stays_released_once_all_markets_have_paid(
    trades: list[tuple[str, Side, int]],
) -> None:
    fills = [
        bought(f"10:{minute:02}", ticker, side, contracts)
        for minute, (ticker, side, contracts) in enumerate(trades)
    ]

    moved = [Money.parse(amount).units for _, amount in told(*fills, paid="12:00")]

    assert sum(moved) == 0
