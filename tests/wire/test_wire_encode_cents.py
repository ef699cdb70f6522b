"""The form of before March 2026: what is written is read back as the same value."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from wire_strategies import (
    AMOUNTS,
    CENT_PRICES,
    FILLS,
    ORDERS,
    POSITIONS,
    SECONDS,
    SETTLEMENTS,
    WHOLE_CENTS,
    WHOLE_COUNTS,
    market_values,
    row,
    single,
)

from trueup.core.catalog import Market, Quote
from trueup.core.errors import CallerError, FinerThanUnit
from trueup.core.facts import (
    Filled,
    OrderReported,
    Settled,
)
from trueup.core.ids import (
    EventTicker,
    Shard,
    Subaccount,
    Ticker,
)
from trueup.core.instant import Instant, from_seconds
from trueup.core.market import MarketResult
from trueup.core.statements import MarketStated, PositionStated
from trueup.core.units import Count, Money, Price
from trueup.wire.rest import (
    encode,
    encode_cents,
    markets,
    portfolio,
)
from trueup.wire.rest.rows.balances import Balance


@given(AMOUNTS, SECONDS)
def test_balance_in_cents_is_read_back_as_an_interval_around_it(amount: Money, at: Instant) -> None:
    stated = Balance(
        low=amount, high=amount, portfolio_value=Money(0), at=at, shard=None, breakdown=()
    )

    read = single(portfolio.balance(), encode_cents.balance(stated))

    assert read.low <= amount <= read.high
    assert read.high.units - read.low.units == 9_999


@given(market_values(counts=WHOLE_COUNTS, prices=CENT_PRICES))
def test_market_in_cents_is_read_back(values: tuple[Market, MarketStated, Quote]) -> None:
    market, stated, quote = values
    detail = row(markets.markets(), "markets", encode_cents.market(market, stated, quote))

    assert detail.market == replace(market, shard=Shard(0))
    assert detail.stated == replace(stated, shard=Shard(0))
    assert detail.quote == quote


@given(FILLS)
def test_fill_in_cents_is_read_back_or_refused(filled: Filled) -> None:
    known = replace(filled, fee=None, shard=Shard(0))
    whole = filled.count.units % 100 == 0 and filled.price.units % 100 == 0
    if not whole:
        with pytest.raises(FinerThanUnit):
            encode_cents.fill(filled)
        known = replace(known, count=Count.of_contracts(3), price=Price.of_cents(47))

    record = encode_cents.fill(known)

    assert row(portfolio.fills(subaccount=known.subaccount), "fills", record) == known


@given(SETTLEMENTS, WHOLE_COUNTS, WHOLE_CENTS)
def test_settlement_in_cents_is_read_back(settled: Settled, count: Count, cost: Money) -> None:
    known = replace(
        settled, yes_count=count, no_count=count, yes_cost=cost, no_cost=cost, shard=Shard(0)
    )
    call = portfolio.settlements(subaccount=known.subaccount)

    assert row(call, "settlements", encode_cents.settlement(known)) == known


@given(ORDERS, WHOLE_COUNTS, WHOLE_CENTS, CENT_PRICES)
def test_order_in_cents_is_read_back(
    reported: OrderReported, count: Count, amount: Money, price: Price
) -> None:
    known = replace(
        reported,
        price=price,
        initial_count=count,
        fill_count=count,
        remaining_count=count,
        taker_fees=amount,
        maker_fees=amount,
        taker_fill_cost=amount,
        maker_fill_cost=amount,
        shard=Shard(0),
    )
    call = portfolio.orders(subaccount=known.subaccount)

    assert row(call, "orders", encode_cents.order(known)) == known


@given(POSITIONS, WHOLE_COUNTS, WHOLE_CENTS)
def test_position_in_cents_is_read_back(stated: PositionStated, net: Count, amount: Money) -> None:
    known = replace(
        stated,
        net=-net,
        exposure=amount,
        realized=-amount,
        fees_paid=amount,
        total_traded=amount,
        shard=Shard(0),
    )
    call = portfolio.positions(subaccount=known.subaccount)

    assert row(call, "market_positions", encode_cents.position(known)) == known


def settled_with(**changes: Any) -> Settled:
    base = Settled(
        ticker=Ticker("KXHIGHNYC-25MAY31-B78"),
        event_ticker=EventTicker("KXHIGHNYC-25MAY31"),
        result=MarketResult.YES,
        yes_count=Count.of_contracts(30),
        no_count=Count.of_contracts(10),
        yes_cost=Money.of_cents(1_500),
        no_cost=Money.of_cents(200),
        revenue=Money.of_cents(2_000),
        trade_fees=Money.parse("0.905"),
        value=None,
        at=from_seconds(1_748_718_000),
        subaccount=Subaccount(0),
        shard=Shard(0),
    )
    return replace(base, **changes)


def test_six_field_settlement_tells_the_net_profit_exactly() -> None:
    body = encode.to_json(encode_cents.minimal_settlement(settled_with()))

    assert json.loads(body, parse_float=str) == {
        "market_ticker": "KXHIGHNYC-25MAY31-B78",
        "settled_price": 100,
        "profit_loss": "12.095000",
        "settled_time": "2025-05-31T19:00:00Z",
        "no_count": 10,
        "yes_count": 30,
    }


def test_six_field_settlement_of_a_scalar_needs_its_value() -> None:
    tie = settled_with(result=MarketResult.SCALAR, value=Price.of_cents(50))

    assert encode_cents.minimal_settlement(tie)["settled_price"] == 50
    with pytest.raises(CallerError):
        encode_cents.minimal_settlement(replace(tie, value=None))


def test_revenue_and_value_are_cut_to_cents_as_on_the_exchange() -> None:
    record = encode.settlement(
        settled_with(revenue=Money.parse("0.063"), value=Price.parse("0.4599"))
    )

    assert (record["revenue"], record["value"]) == (6, 45)
