"""Paper beside live: which decisions belong together, and where paper was kinder."""

from __future__ import annotations

from trueup.core.facts import OrderReported
from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, OrderId, Ticker
from trueup.core.instant import SECOND, Instant, parse_instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.run.paper.beside import compare, strategy_in

NOON = parse_instant("2026-10-06T12:00:00Z")
UUID = "0a1b2c3d-0000-4000-8000-000000000000"


def order(
    name: str,
    seconds: float,
    filled: int,
    cents: int = 40,
    *,
    strategy: str = "mean-reversion",
    side: Side = Side.YES,
    fee: str = "0.02",
) -> OrderReported:
    at = Instant(NOON + round(seconds * SECOND))
    return OrderReported(
        order_id=OrderId(name),
        client_order_id=ClientOrderId(f"{strategy}-{UUID}"),
        ticker=Ticker("KXA-1"),
        side=side,
        status=OrderStatus.CANCELED,
        price=Price.of_cents(cents),
        initial_count=Count.of_contracts(10),
        fill_count=Count.of_contracts(filled),
        remaining_count=ZERO_COUNT,
        taker_fees=Money.parse(fee),
        maker_fees=ZERO_MONEY,
        taker_fill_cost=Price.of_cents(cents) * Count.of_contracts(filled),
        maker_fill_cost=ZERO_MONEY,
        created_at=at,
        updated_at=at,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )


def test_a_strategy_is_read_from_the_name_that_its_bot_gave() -> None:
    assert strategy_in(ClientOrderId(f"mean-reversion-{UUID}")) == "mean-reversion"
    assert strategy_in(ClientOrderId(UUID)) == ""
    assert strategy_in(ClientOrderId("")) == ""


def test_the_same_decision_is_compared_by_price_share_and_fee() -> None:
    """Paper filled 10 at 40, live 8 at 41: kinder by 2 contracts and a cent."""
    found = compare([order("p", 0, 10, 40)], [order("l", 2, 8, 41)])

    (pair,) = found.pairs
    assert pair.strategy == "mean-reversion"
    assert (pair.paper.share, pair.live.share) == (Ratio(1), Ratio(8, 10))
    assert pair.price_difference == Ratio(-1, 100)
    assert pair.paper.fee_a_contract == Ratio(2, 1000)
    assert (found.kinder, found.filled_more) == (1, Count.of_contracts(2))
    assert found.price_difference == Ratio(-1, 100)


def test_paper_that_got_less_is_not_kinder() -> None:
    found = compare([order("p", 0, 3, 42)], [order("l", 1, 10, 40)])

    assert (found.kinder, found.filled_more) == (0, Count.of_contracts(-7))


def test_other_strategies_sides_and_times_are_other_decisions() -> None:
    live = [order("l", 0, 10)]
    for paper in (
        order("p", 90, 10),
        order("p", 0, 10, strategy="momentum"),
        order("p", 0, 10, side=Side.NO),
    ):
        found = compare([paper], live)
        assert (found.pairs, found.only_paper, found.only_live) == ((), 1, 1)


def test_each_live_order_is_compared_once_with_the_nearest() -> None:
    paper = [order("p1", 0, 1), order("p2", 20, 2)]
    live = [order("l1", 19, 3), order("l2", 1, 4)]

    found = compare(paper, live)

    assert [(each.paper.filled, each.live.filled) for each in found.pairs] == [
        (Count.of_contracts(1), Count.of_contracts(4)),
        (Count.of_contracts(2), Count.of_contracts(3)),
    ]
    assert (found.only_paper, found.only_live) == (0, 0)
