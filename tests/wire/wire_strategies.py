"""Values of core as hypothesis makes them, and how an answer with them is read."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeVar

from hypothesis import strategies as st

from trueup.core.catalog import Market, Quote
from trueup.core.facts import (
    Filled,
    OrderReported,
    Settled,
)
from trueup.core.ids import (
    ClientOrderId,
    EventTicker,
    OrderId,
    Shard,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import SECOND, Instant, from_seconds
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import OrderStatus, Side
from trueup.core.statements import MarketStated, PositionStated
from trueup.core.units import Count, Money, Price
from trueup.wire.rest import (
    encode,
)
from trueup.wire.rest.call import Call, Page

TEXT = st.characters(exclude_characters="\0", exclude_categories=("Cs",))
NAMES = st.text(TEXT, min_size=1, max_size=12)
INSTANTS = st.integers(1_500_000_000 * SECOND, 2_000_000_000 * SECOND).map(Instant)
SECONDS = st.integers(1_500_000_000, 2_000_000_000).map(from_seconds)
MONEY = st.integers(-(10**14), 10**14).map(Money)
AMOUNTS = st.integers(0, 10**14).map(Money)
WHOLE_CENTS = st.integers(0, 10**9).map(Money.of_cents)
COUNTS = st.integers(0, 10**9).map(Count)
SOME = st.integers(1, 10**9).map(Count)
WHOLE_COUNTS = st.integers(0, 10**7).map(Count.of_contracts)
PRICES = st.integers(0, 10_000).map(Price)
ORDER_PRICES = st.integers(1, 9_999).map(Price)
CENT_PRICES = st.integers(1, 99).map(Price.of_cents)
SUBACCOUNTS = st.integers(0, 63).map(Subaccount)
SHARDS = st.integers(0, 3).map(Shard)
MULTIPLIERS = st.integers(0, 10**6).map(lambda millionths: Fraction(millionths, 10**6))

FILLS = st.builds(
    Filled,
    trade_id=NAMES.map(TradeId),
    order_id=NAMES.map(OrderId),
    ticker=NAMES.map(Ticker),
    side=st.sampled_from(Side),
    count=SOME,
    price=ORDER_PRICES,
    fee=st.none() | MONEY,
    is_taker=st.booleans(),
    at=INSTANTS,
    subaccount=SUBACCOUNTS,
    shard=SHARDS,
)
SETTLEMENTS = st.builds(
    Settled,
    ticker=NAMES.map(Ticker),
    event_ticker=NAMES.map(EventTicker),
    result=st.sampled_from(MarketResult),
    yes_count=COUNTS,
    no_count=COUNTS,
    yes_cost=AMOUNTS,
    no_cost=AMOUNTS,
    revenue=WHOLE_CENTS,
    trade_fees=AMOUNTS,
    value=st.none() | st.integers(0, 100).map(Price.of_cents),
    at=INSTANTS,
    subaccount=SUBACCOUNTS,
    shard=SHARDS,
)
ORDERS = st.builds(
    OrderReported,
    order_id=NAMES.map(OrderId),
    client_order_id=st.text(TEXT, max_size=9).map(ClientOrderId),
    ticker=NAMES.map(Ticker),
    side=st.sampled_from(Side),
    status=st.sampled_from(OrderStatus),
    price=ORDER_PRICES,
    initial_count=COUNTS,
    fill_count=COUNTS,
    remaining_count=COUNTS,
    taker_fees=MONEY,
    maker_fees=MONEY,
    taker_fill_cost=AMOUNTS,
    maker_fill_cost=AMOUNTS,
    created_at=INSTANTS,
    updated_at=INSTANTS,
    subaccount=SUBACCOUNTS,
    shard=SHARDS,
)
POSITIONS = st.builds(
    PositionStated,
    ticker=NAMES.map(Ticker),
    net=st.integers(-(10**9), 10**9).map(Count),
    exposure=AMOUNTS,
    realized=MONEY,
    fees_paid=AMOUNTS,
    total_traded=AMOUNTS,
    updated_at=INSTANTS,
    subaccount=SUBACCOUNTS,
    shard=SHARDS,
)


@st.composite
def market_values(
    draw: st.DrawFn, *, counts: st.SearchStrategy[Count], prices: st.SearchStrategy[Price]
) -> tuple[Market, MarketStated, Quote]:
    ticker, event_ticker = Ticker(draw(NAMES)), EventTicker(draw(NAMES))
    close_at, shard = draw(st.none() | INSTANTS), draw(SHARDS)
    market = Market(
        ticker=ticker,
        event_ticker=event_ticker,
        title=draw(NAMES),
        open_at=draw(st.none() | INSTANTS),
        close_at=close_at,
        expected_expiration_at=draw(st.none() | INSTANTS),
        fee_waiver_until=draw(st.none() | INSTANTS),
        shard=shard,
    )
    stated = MarketStated(
        ticker=ticker,
        event_ticker=event_ticker,
        status=draw(st.sampled_from(MarketStatus)),
        result=draw(st.none() | st.sampled_from(MarketResult)),
        settlement_value=draw(st.none() | prices),
        close_at=close_at,
        settled_at=draw(st.none() | INSTANTS),
        shard=shard,
    )
    quote = Quote(
        ticker=ticker,
        yes_bid=draw(st.none() | prices),
        yes_ask=draw(st.none() | prices),
        last=draw(st.none() | prices),
        volume=draw(counts),
        volume_24h=draw(counts),
        open_interest=draw(counts),
    )
    return market, stated, quote


T = TypeVar("T")


def row(call: Call[Page[T]], key: str, record: encode.Record) -> T:
    page = call.decode(encode.to_json(encode.page(key, [record], "next")))
    assert page.unreadable == ()
    assert page.unknown_fields == ()
    assert page.cursor == "next"
    return page.items[0]


def single(call: Call[T], record: object) -> T:
    body = encode.to_json(record)
    assert call.unknown_fields(body) == ()
    return call.decode(body)
