from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.core.errors import CallerError, ProtocolBroken
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import ClientOrderId, OrderId, Shard, Subaccount, Ticker, TradeId
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.kinds import PriceUnit, read_instant
from trueup.wire.fix.message import Sender
from trueup.wire.fix.messages.orders import ExecutionReport, Fee
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.translate import (
    OrderReports,
    execution_key,
    is_pending,
    read_fill,
    write_report,
    write_trade,
)
from trueup.wire.fix.words import ExecType, OrderState

AT = read_instant("20261016-23:02:24.046")
HEADER = Header(sender="KalshiRT", target="key", sequence=2, sending_time=AT)
FILLS = st.builds(
    Filled,
    trade_id=st.just(TradeId("t-1")),
    order_id=st.just(OrderId("o-1")),
    ticker=st.just(Ticker("KXA-1")),
    side=st.sampled_from(Side),
    count=st.integers(1, 10**6).map(Count),
    price=st.integers(1, 99).map(Price.of_cents),
    fee=st.none() | st.integers(-(10**6), 10**6).map(Money),
    is_taker=st.booleans(),
    at=st.integers(0, 10**6).map(lambda n: Instant(AT + n * 1000)),
    subaccount=st.integers(0, 63).map(Subaccount),
    shard=st.integers(0, 3).map(Shard),
)


def order(filled: str = "0", *, of: str = "10", side: Side = Side.YES, cost: str = "0",
          fees: str = "0", status: OrderStatus = OrderStatus.RESTING) -> OrderReported:  # fmt: skip
    return OrderReported(
        order_id=OrderId("o-1"),
        client_order_id=ClientOrderId("c-1"),
        ticker=Ticker("KXA-1"),
        side=side,
        status=status,
        price=Price.of_cents(49),
        initial_count=Count.parse(of),
        fill_count=Count.parse(filled),
        remaining_count=(
            Count.parse(of) - Count.parse(filled) if status is OrderStatus.RESTING else ZERO_COUNT
        ),
        taker_fees=Money.parse(fees),
        maker_fees=ZERO_MONEY,
        taker_fill_cost=Money.parse(cost),
        maker_fill_cost=ZERO_MONEY,
        created_at=AT,
        updated_at=AT,
        subaccount=Subaccount(0),
        shard=Shard(0),
    )


def fill(count: str, side: Side = Side.YES, *, trade: str = "t-1", at: Instant = AT) -> Filled:
    return Filled(
        trade_id=TradeId(trade), order_id=OrderId("o-1"), ticker=Ticker("KXA-1"), side=side,
        count=Count.parse(count), price=Price.of_cents(49), fee=Money.of_cents(9), is_taker=True,
        at=at, subaccount=Subaccount(0), shard=Shard(0),
    )  # fmt: skip


@settings(deadline=None)
@pytest.mark.parametrize("unit", PriceUnit)
@given(filled=FILLS)
def test_fill_comes_back_through_the_wire(unit: PriceUnit, filled: Filled) -> None:
    report = write_trade(filled, order("10", side=filled.side), execution_id="1;2;0")

    raw = Codec(reads=Sender.CLIENT, unit=unit).encode(HEADER, report)
    received = Codec(unit=unit).decode(raw).message

    assert isinstance(received, ExecutionReport)
    assert read_fill(received) == filled


def test_position_after_a_trade_is_told_side_by_side() -> None:
    report = write_trade(fill("5"), order("5"), execution_id="x", net_after=Count.parse("-3"))

    assert (report.long_quantity, report.short_quantity) == (ZERO_COUNT, Count.parse("3"))


@pytest.mark.parametrize(
    "lacks", ["last_price", "last_quantity", "trade_match_id", "transact_time", "is_aggressor"]
)
def test_trade_that_lacks_something_is_no_fill(lacks: str) -> None:
    report = write_trade(fill("5"), order("5"), execution_id="x")

    with pytest.raises(ProtocolBroken, match="a trade without"):
        read_fill(msgspec.structs.replace(report, **{lacks: None}))


def test_other_reports_and_foreign_fees_are_no_fills() -> None:
    report = write_trade(fill("5"), order("5"), execution_id="x")

    with pytest.raises(ProtocolBroken, match="no fill"):
        read_fill(write_report(order(), ExecType.NEW, execution_id="x"))
    euros = msgspec.structs.replace(report, fees=(Fee(amount=Money(1), currency="EUR"),))
    with pytest.raises(ProtocolBroken, match="EUR"):
        read_fill(euros)
    with pytest.raises(CallerError, match="not one of order"):
        write_trade(fill("5", Side.NO), order("5"), execution_id="x")


@pytest.mark.parametrize(
    ("execution_id", "last_shard", "shard", "is_named"),
    [
        ("1;2;3", None, 3, True),
        ("1;2", 2, 2, True),
        ("1;2", None, 0, False),
        ("1;2;x", None, 0, False),
    ],
)
def test_shard_is_named_by_the_report_or_by_its_id(
    execution_id: str, last_shard: int | None, shard: int, is_named: bool
) -> None:
    report = msgspec.structs.replace(
        write_trade(fill("5"), order("5"), execution_id=execution_id), last_shard=last_shard
    )

    filled = read_fill(report)

    assert (filled.shard, filled.shard_named) == (shard, is_named)
    assert execution_key(report) == (shard, execution_id)


@pytest.mark.parametrize("side", Side)
def test_order_is_the_sum_of_its_reports(side: Side) -> None:
    cost = "2.45" if side is Side.YES else "2.55"
    full = "4.90" if side is Side.YES else "5.10"
    reports = OrderReports()
    states = [
        write_report(order(side=side), ExecType.PENDING_NEW, execution_id="-1;-1"),
        write_report(order(side=side), ExecType.NEW, execution_id="1;1"),
        write_trade(fill("5", side), order("5", side=side, cost=cost), execution_id="1;2"),
        write_trade(
            fill("5", side, trade="t-2", at=Instant(AT + SECOND)),
            order("10", side=side, cost=full, status=OrderStatus.EXECUTED),
            execution_id="1;3",
        ),
    ]
    assert is_pending(states[0])
    assert states[2].average_price == Fraction(49, 100)
    assert states[2].order_status is OrderState.PARTIALLY_FILLED

    for state in states:
        reports.take(state)

    reported = reports.reported()
    assert reported is not None
    assert reported.status is OrderStatus.EXECUTED
    assert reported.fill_count == Count.parse("10")
    assert reported.taker_fill_cost == Money.parse(full)
    assert reported.taker_fees == Money.parse("0.18")
    assert (reported.created_at, reported.updated_at) == (AT, AT + SECOND)


def test_order_without_one_of_its_trades_says_nothing() -> None:
    reports = OrderReports()
    reports.take(write_report(order(), ExecType.NEW, execution_id="1;1"))
    reports.take(write_trade(fill("5"), order("10"), execution_id="1;3"))

    assert reports.reported() is None
    assert reports.missing == Count.parse("5")


def test_trade_may_be_the_first_word_about_an_order() -> None:
    reports = OrderReports()
    reports.take(write_trade(fill("10"), order("10", cost="4.90"), execution_id="1;1"))

    reported = reports.reported()

    assert reported is not None
    assert reported.fill_count == Count.parse("10")


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (ExecType.CANCELED, OrderState.CANCELED),
        (ExecType.EXPIRED, OrderState.EXPIRED),
        (ExecType.REJECTED, OrderState.REJECTED),
    ],
)
def test_dead_order_has_nothing_left(kind: ExecType, state: OrderState) -> None:
    report = write_report(order(status=OrderStatus.CANCELED), kind, execution_id="1;2")
    reports = OrderReports()
    reports.take(report)

    assert report.order_status is state
    reported = reports.reported()
    assert reported is not None
    assert reported.status is OrderStatus.CANCELED
    assert reported.remaining_count == ZERO_COUNT


def test_reports_of_two_orders_do_not_add_up() -> None:
    reports = OrderReports()
    reports.take(write_report(order(), ExecType.NEW, execution_id="1;1"))
    other = msgspec.structs.replace(
        write_report(order(), ExecType.NEW, execution_id="1;1"), order_id="o-2"
    )

    with pytest.raises(ProtocolBroken, match="o-2"):
        reports.take(other)
