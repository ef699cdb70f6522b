"""Money is conserved whatever is asked of the machine, and known by two roads."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from small_exchange import CLOSES, MEMBER, RAIN, SNOW, SmallExchange, small_exchange

from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import ZERO_MONEY, Count, Money, Price
from trueup.sim import commands as c
from trueup.sim import events as e

ONE = Subaccount(1)

tickers = st.sampled_from([RAIN, SNOW])
sides = st.sampled_from(Side)
subaccounts = st.sampled_from([PRIMARY, ONE])
prices = st.integers(1, 999).map(lambda tenth_cents: Price(tenth_cents * 10))
counts = st.integers(1, 3_000).map(Count)

orders = st.tuples(
    st.just("order"),
    tickers,
    sides,
    prices,
    counts,
    st.integers(0, 100),
    st.booleans(),
    subaccounts,
)
cancels = st.tuples(st.just("cancel"), st.integers(1, 20))
transfers = st.tuples(st.just("transfer"), st.integers(1, 400_00), st.booleans())
moves = st.tuples(st.just("shard"), st.integers(1, 400_00))
scripts = st.lists(st.one_of(orders, orders, cancels, transfers, moves), max_size=30)
values = st.integers(0, 10_000).map(Price)


def play(small: SmallExchange, action: tuple[object, ...], number: int) -> None:
    at = Instant(small.now + SECOND)
    match action:
        case ("order", str() as ticker, Side() as side, Price() as price, Count() as count, *rest):
            percent, taker, subaccount = rest
            assert isinstance(percent, int)
            assert isinstance(subaccount, int)
            filled = Count(count.units * percent // 100)
            small.buy(
                Ticker(ticker),
                side,
                str(count),
                at=str(price),
                filled=str(filled),
                taker=bool(taker),
                subaccount=Subaccount(subaccount),
            )
        case ("cancel", int() as which):
            small.step(c.CancelOrder(at=at, member=MEMBER, order_id=OrderId(f"order-{which}")))
        case ("transfer", int() as cents, bool() as back):
            small.step(
                c.TransferSubaccount(
                    at=at,
                    member=MEMBER,
                    transfer_id=f"transfer-{number}",
                    amount=Money.of_cents(cents),
                    from_subaccount=ONE if back else PRIMARY,
                    to_subaccount=PRIMARY if back else ONE,
                    shard=SHARD_ZERO,
                )
            )
        case ("shard", int() as cents):
            small.step(
                c.TransferShard(
                    at=at,
                    member=MEMBER,
                    transfer_id=f"shard-{number}",
                    amount=Money.of_cents(cents),
                    subaccount=PRIMARY,
                    from_shard=SHARD_ZERO,
                    to_shard=Shard(2),
                )
            )
            small.step(c.ConcludeTransfer(at=at, member=MEMBER, transfer_id=f"shard-{number}"))
        case _:
            raise AssertionError(action)


def played(script: list[tuple[object, ...]], precision: Precision, value: Price) -> SmallExchange:
    small = small_exchange(precision=precision)
    small.step(c.OpenSubaccount(at=small.now, member=MEMBER, subaccount=ONE))
    for number, action in enumerate(script):
        play(small, action, number)
    small.advance(CLOSES)
    for ticker in (RAIN, SNOW):
        small.step(
            c.DetermineMarket(at=small.now, ticker=ticker, result=MarketResult.SCALAR, value=value)
        )
    small.advance(Instant(small.now + 2 * HOUR))
    return small


@settings(max_examples=200, deadline=None)
@given(scripts, st.sampled_from(Precision), values)
def test_cash_is_the_sum_of_its_movements_per_subaccount_and_shard(
    script: list[tuple[object, ...]], precision: Precision, value: Price
) -> None:
    small = played(script, precision, value)

    moved: Counter[tuple[Subaccount, Shard]] = Counter()
    for event in small.events:
        if isinstance(event, e.FillMade):
            moved[event.terms.subaccount, event.shard] += event.moved.units
        if isinstance(event, e.CashMoved):
            moved[event.subaccount, event.shard] += event.amount.units
    account = small.exchange.account(MEMBER)
    for key, book in account.cash.items():
        assert book.latest().units == moved[key]
    assert sum(moved.values()) == account.cash_at(small.now).units


@settings(max_examples=200, deadline=None)
@given(scripts, st.sampled_from(Precision), values)
def test_cash_follows_from_fills_settlements_and_the_deposit(
    script: list[tuple[object, ...]], precision: Precision, value: Price
) -> None:
    """The other road: prices, counts and fees of the facts, payouts of the net positions."""
    small = played(script, precision, value)

    account = small.exchange.account(MEMBER)
    cash = Money.parse("1000")
    gross: Counter[tuple[Subaccount, Ticker]] = Counter()
    for fill in account.fills:
        own = fill.price if fill.side is Side.YES else fill.price.complement()
        cash -= own * fill.count
        cash -= fill.fee or ZERO_MONEY
        gross[fill.subaccount, fill.ticker] += fill.side.sign * fill.count.units
    # Every pair that was closed gave its dollar back at once.
    for row in account.settlements:
        settled = row.settled
        pairs = min(settled.yes_count, settled.no_count)
        cash += Price(10_000) * pairs
        net = Count(gross[settled.subaccount, settled.ticker])
        per_contract = value if net.units >= 0 else value.complement()
        exact = per_contract * abs(net)
        cash += exact.floor_to(precision.step)
    assert account.cash_at(small.now) == cash


@settings(max_examples=200, deadline=None)
@given(scripts, st.sampled_from(Precision), values)
def test_subaccounts_add_up_and_nothing_is_finer_than_the_precision(
    script: list[tuple[object, ...]], precision: Precision, value: Price
) -> None:
    small = played(script, precision, value)

    account = small.exchange.account(MEMBER)
    parts = [account.cash_at(small.now, subaccount=one) for one in (PRIMARY, ONE)]
    assert parts[0] + parts[1] == account.cash_at(small.now)
    for book in account.cash.values():
        assert book.latest().is_multiple_of(precision.step)
    assert account.available_at(small.now) == account.cash_at(small.now)


@settings(max_examples=100, deadline=None)
@given(scripts)
def test_same_commands_give_the_same_events(script: list[tuple[object, ...]]) -> None:
    first = played(script, Precision.DIRECT, Price(5_000))
    second = played(script, Precision.DIRECT, Price(5_000))

    assert first.events == second.events
