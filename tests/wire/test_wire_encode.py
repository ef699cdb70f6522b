"""What is written is read back as the same value."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_strategies import (
    AMOUNTS,
    COUNTS,
    FILLS,
    INSTANTS,
    MULTIPLIERS,
    NAMES,
    ORDER_PRICES,
    ORDERS,
    POSITIONS,
    SECONDS,
    SETTLEMENTS,
    SHARDS,
    SUBACCOUNTS,
    WHOLE_CENTS,
    market_values,
    row,
    single,
)

from trueup.core.catalog import Event, FeeChange, Market, Quote, Series
from trueup.core.errors import FinerThanUnit
from trueup.core.facts import (
    Banked,
    BankingStatus,
    Filled,
    OrderReported,
    Settled,
    Transferred,
    TransferStatus,
)
from trueup.core.ids import (
    EventTicker,
    OrderId,
    SeriesTicker,
    Shard,
    Subaccount,
    Ticker,
)
from trueup.core.instant import Instant, from_seconds
from trueup.core.statements import MarketStated, PositionStated
from trueup.core.units import Count, Money, Price, Ratio
from trueup.wire import spelling
from trueup.wire.rest import (
    account,
    api_keys,
    cash,
    encode,
    encode_cents,
    encode_exchange,
    events,
    exchange,
    historical,
    markets,
    portfolio,
    series,
)
from trueup.wire.rest.account import AccountLimits, BucketSize, EndpointCost, EndpointCosts, Grant
from trueup.wire.rest.api_keys import ApiKey
from trueup.wire.rest.exchange import ExchangeStatus, ShardStatus
from trueup.wire.rest.historical import Cutoffs
from trueup.wire.rest.rows.balances import Balance, ShardBalance, SubaccountBalance


@given(FILLS)
def test_fill_is_read_back(filled: Filled) -> None:
    assert row(portfolio.fills(), "fills", encode.fill(filled)) == filled


@given(SETTLEMENTS)
def test_settlement_is_read_back(settled: Settled) -> None:
    call = portfolio.settlements(subaccount=settled.subaccount)

    assert row(call, "settlements", encode.settlement(settled)) == settled


@given(ORDERS)
def test_order_is_read_back(reported: OrderReported) -> None:
    assert row(portfolio.orders(), "orders", encode.order(reported)) == reported
    assert single(portfolio.order(OrderId("o")), {"order": encode.order(reported)}) == reported


@given(POSITIONS)
def test_position_is_read_back(stated: PositionStated) -> None:
    call = portfolio.positions(subaccount=stated.subaccount)
    body = encode.to_json(encode.positions_page([stated], event_of=EventTicker))

    page = call.decode(body)

    assert page.items == (stated,)
    (of_event,) = json.loads(body)["event_positions"]
    assert of_event["event_ticker"] == stated.ticker
    assert Money.parse(of_event["realized_pnl_dollars"]) == stated.realized


@given(AMOUNTS, st.none() | WHOLE_CENTS, SECONDS, st.lists(st.tuples(SHARDS, AMOUNTS), max_size=3))
def test_balance_is_read_back(
    amount: Money, value: Money | None, at: Instant, parts: list[tuple[Shard, Money]]
) -> None:
    stated = Balance(
        low=amount,
        high=amount,
        portfolio_value=value or Money(0),
        at=at,
        shard=None,
        breakdown=tuple(ShardBalance(shard, part) for shard, part in parts),
    )

    assert single(portfolio.balance(), encode.balance(stated)) == stated


def test_interval_cannot_be_written_as_an_exact_balance() -> None:
    stated = Balance(
        low=Money(0),
        high=Money(1),
        portfolio_value=None,
        at=Instant(0),
        shard=None,
        breakdown=(),
    )

    with pytest.raises(FinerThanUnit):
        encode.balance(stated)


@given(
    NAMES,
    st.integers(1, 10**9),
    WHOLE_CENTS,
    st.sampled_from(BankingStatus),
    st.tuples(SECONDS, SECONDS),
)
def test_deposit_and_withdrawal_are_read_back(
    name: str, cents: int, fee: Money, status: BankingStatus, times: tuple[Instant, Instant]
) -> None:
    deposit = Banked(
        banking_id=name,
        amount=Money.of_cents(cents),
        fee=fee,
        status=status,
        method="ach",
        created_at=times[0],
        at=times[1],
    )
    withdrawal = replace(deposit, amount=-deposit.amount)

    assert row(cash.deposits(), "deposits", encode.banked(deposit)) == deposit
    assert row(cash.withdrawals(), "withdrawals", encode.banked(withdrawal)) == withdrawal


@given(NAMES, WHOLE_CENTS, st.tuples(SUBACCOUNTS, SUBACCOUNTS), SHARDS, SECONDS)
def test_subaccount_transfer_is_read_back(
    name: str, amount: Money, ends: tuple[Subaccount, Subaccount], shard: Shard, at: Instant
) -> None:
    moved = Transferred(
        transfer_id=name,
        amount=amount,
        from_subaccount=ends[0],
        to_subaccount=ends[1],
        from_shard=shard,
        to_shard=shard,
        status=TransferStatus.COMPLETE,
        at=at,
    )

    assert row(cash.subaccount_transfers(), "transfers", encode.subaccount_transfer(moved)) == moved


@given(NAMES, AMOUNTS, st.tuples(SHARDS, SHARDS), st.sampled_from(TransferStatus), SECONDS)
def test_shard_transfer_is_read_back(
    name: str, amount: Money, ends: tuple[Shard, Shard], status: TransferStatus, at: Instant
) -> None:
    moved = Transferred(
        transfer_id=name,
        amount=amount,
        from_subaccount=Subaccount(0),
        to_subaccount=Subaccount(0),
        from_shard=ends[0],
        to_shard=ends[1],
        status=status,
        at=at,
    )

    assert row(cash.shard_transfers(), "transfers", encode.shard_transfer(moved)) == moved
    assert single(cash.shard_transfer("x"), {"transfer": encode.shard_transfer(moved)}) == moved


@given(SHARDS, SUBACCOUNTS, AMOUNTS, SECONDS)
def test_subaccount_balance_is_read_back(
    shard: Shard, subaccount: Subaccount, amount: Money, at: Instant
) -> None:
    stated = SubaccountBalance(subaccount=subaccount, shard=shard, amount=amount, at=at)
    record = {"subaccount_balances": [encode.subaccount_balance(stated)]}

    assert single(cash.subaccount_balances(), record) == (stated,)


@given(market_values(counts=COUNTS, prices=ORDER_PRICES))
def test_market_is_read_back(values: tuple[Market, MarketStated, Quote]) -> None:
    record = encode_exchange.market(*values)

    detail = row(markets.markets(), "markets", record)

    assert (detail.market, detail.stated, detail.quote) == values
    assert single(historical.market(Ticker("x")), {"market": record}) == detail


@given(
    st.builds(
        Series,
        ticker=NAMES.map(SeriesTicker),
        title=NAMES,
        category=NAMES,
        tags=st.lists(NAMES, max_size=2).map(tuple),
        fee_type=NAMES,
        fee_multiplier=MULTIPLIERS,
    )
)
def test_series_is_read_back(stated: Series) -> None:
    assert row(series.series_list(), "series", encode_exchange.series(stated)) == stated
    record = {"series": encode_exchange.series(stated)}
    assert single(series.series(SeriesTicker("x")), record) == stated


@given(
    st.builds(
        Event,
        ticker=NAMES.map(EventTicker),
        series_ticker=NAMES.map(SeriesTicker),
        title=NAMES,
        mutually_exclusive=st.booleans(),
        fee_type_override=st.none() | NAMES,
        fee_multiplier_override=st.none() | MULTIPLIERS,
    )
)
def test_event_is_read_back(stated: Event) -> None:
    assert row(events.events(), "events", encode_exchange.event(stated)) == stated
    record = {"event": encode_exchange.event(stated), "markets": None}
    assert single(events.event(EventTicker("x")), record) == stated


@given(NAMES, MULTIPLIERS, st.booleans(), INSTANTS)
def test_fee_changes_are_read_back(name: str, multiplier: Ratio, clears: bool, at: Instant) -> None:
    of_series = FeeChange(
        change_id=name,
        series_ticker=SeriesTicker("S"),
        event_ticker=None,
        fee_type="quadratic",
        fee_multiplier=multiplier,
        effective_at=at,
    )
    of_event = FeeChange(
        change_id=name,
        series_ticker=SeriesTicker("S"),
        event_ticker=EventTicker("E"),
        fee_type=None if clears else "flat",
        fee_multiplier=None if clears else multiplier,
        effective_at=at,
    )

    written = encode_exchange.series_fee_change(of_series)
    assert row(series.fee_changes(), "series_fee_change_arr", written) == of_series
    written = encode_exchange.event_fee_change(of_event)
    assert row(events.fee_changes(), "event_fee_changes", written) == of_event


def test_multiplier_without_a_decimal_form_is_refused() -> None:
    stated = Series(
        ticker=SeriesTicker("S"),
        title="",
        category="",
        tags=(),
        fee_type="flat",
        fee_multiplier=Fraction(1, 3),
    )

    with pytest.raises(FinerThanUnit):
        encode_exchange.series(stated)


def test_exchange_answers_are_read_back() -> None:
    status = ExchangeStatus(
        exchange_active=True,
        trading_active=False,
        transfers_active=None,
        resumes_at=from_seconds(1_781_159_348),
        shards=(
            ShardStatus(
                shard=Shard(1),
                description="combos",
                exchange_active=True,
                trading_active=True,
                transfers_active=False,
            ),
        ),
    )
    moment = Instant(1_781_159_348_000_001)
    cutoffs = Cutoffs(
        trades_created_at=moment,
        orders_updated_at=moment,
        market_settled_at=moment,
        positions_updated_at=None,
    )

    assert single(exchange.status(), encode_exchange.exchange_status(status)) == status
    written = encode_exchange.user_data_timestamp(moment)
    assert single(exchange.user_data_timestamp(), written) == moment
    assert single(historical.cutoff(), encode_exchange.cutoffs(cutoffs)) == cutoffs
    dated = replace(cutoffs, positions_updated_at=moment)
    assert single(historical.cutoff(), encode_exchange.cutoffs(dated)) == dated


def test_account_answers_are_read_back() -> None:
    limits = AccountLimits(
        tier="basic",
        read=BucketSize(capacity=600, refill_per_second=200),
        write=BucketSize(capacity=100, refill_per_second=100),
        grants=(
            Grant(
                exchange_instance="event_contract",
                level="expert",
                source="volume",
                expires_at=from_seconds(1_781_159_348),
            ),
        ),
    )
    costs = EndpointCosts(
        default=10,
        listed=(EndpointCost(method="GET", template="/portfolio/orders/{order_id}", cost=2),),
    )
    keys = (
        ApiKey(key_id="k1", name="bot", scopes=("read", "write"), subaccount=None),
        ApiKey(key_id="k2", name="view", scopes=("read",), subaccount=Subaccount(3)),
    )

    assert single(account.limits(), encode_exchange.account_limits(limits)) == limits
    assert single(account.endpoint_costs(), encode_exchange.endpoint_costs(costs)) == costs
    assert single(api_keys.list_keys(), encode_exchange.api_keys(keys)) == keys
    old = single(account.limits(), encode_cents.account_limits(limits))
    assert (old.tier, old.read.refill_per_second, old.write.capacity) == ("basic", 200, 100)


def test_written_numbers_look_as_on_the_exchange() -> None:
    assert spelling.priced(Price(5_600)) == "0.5600"
    assert spelling.counted(Count(-319)) == "-3.19"
    assert spelling.dollars(Money(17_500)) == "0.017500"
    assert spelling.dollars(Money(-1)) == "-0.000001"
    assert spelling.shortest_dollars(Money.parse("98.0186")) == "98.0186"
    assert spelling.shortest_dollars(Money.parse("98.01865")) == "98.018650"
    assert spelling.floored_cents(Money.parse("98.0186")) == 9_801
    assert msgspec.json.decode(encode.to_json({"a": "é"})) == {"a": "é"}
