"""Laws that hold for any history of trades."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from trade_script import EVENT, MIDNIGHT, TICKER, facts, market

from trueup.core.facts import Filled, Settled, Source
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderId, Shard, Ticker, TradeId
from trueup.core.instant import SECOND, Instant
from trueup.core.market import MarketResult
from trueup.core.observations import Recorded
from trueup.core.orders import Side
from trueup.core.payoff import gross_payout
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.ledger.accounts import Account
from trueup.ledger.allocation import Claim, Refused, allocate, by_orders
from trueup.ledger.bare import bare_step
from trueup.ledger.booking import MarketBooking, book_market, book_steps, home_shard
from trueup.ledger.entries import MarketBook
from trueup.ledger.entry_log import lines_of
from trueup.ledger.gains import gains
from trueup.ledger.lines import entry_of, line_of
from trueup.ledger.report import booked_rows, strategy_rows
from trueup.ledger.revisions import as_they_stand, in_order
from trueup.ledger.strategy import no_strategy
from trueup.store.attribution import attribute

LATER = Instant(MIDNIGHT + 10**12)


def recorded_fill(number: int, filled: Filled) -> Recorded:
    return Recorded(number, f"fill {number:04}", 1, filled, Source.REST, filled.at)


FILLED = st.builds(
    Filled,
    trade_id=st.just(TradeId("t")),
    order_id=st.sampled_from([OrderId(name) for name in ("a-1", "a-2", "b-1")]),
    ticker=st.just(TICKER),
    side=st.sampled_from(Side),
    count=st.integers(1, 5_000).map(Count),
    price=st.integers(1, 9_999).map(Price),
    fee=st.integers(0, 50_000).map(Money),
    is_taker=st.booleans(),
    at=st.integers(0, 500).map(lambda second: Instant(MIDNIGHT + second * SECOND)),
    subaccount=st.just(PRIMARY),
    shard=st.just(SHARD_ZERO),
)
FILLS = st.lists(FILLED, max_size=12).map(
    lambda filled: [recorded_fill(number, each) for number, each in enumerate(filled)]
)
VALUES = st.integers(0, 10_000).map(Price)


def book(recorded: list[Recorded], value: Price | None = None) -> MarketBook:
    told = None
    if value is not None:
        told = replace(market("scalar", value=str(value)), settled_at=LATER)
    return book_market(PRIMARY, SHARD_ZERO, TICKER, recorded=recorded, market=told)


def balance(found: MarketBook, account: Account) -> Money:
    return sum(
        (leg.money for each in found.entries for leg in each.postings if leg.account is account),
        ZERO_MONEY,
    )


@given(FILLS, st.none() | VALUES)
def test_accounts_say_what_the_book_says(recorded: list[Recorded], value: Price | None) -> None:
    found = book(recorded, value)

    assert balance(found, Account.POSITIONS) == found.position.cost
    assert balance(found, Account.TRADING_FEES) == found.fees
    assert balance(found, Account.SETTLEMENT_FEES) == found.settlement_fees
    assert -balance(found, Account.REALIZED) - found.settlement_fees == found.realized
    earned = found.realized - found.fees
    assert balance(found, Account.CASH) == earned - found.position.cost
    contracts = sum(
        leg.contracts.units
        for each in found.entries
        for leg in each.postings
        if leg.account is Account.POSITIONS
    )
    assert Count(contracts) == found.position.net
    assert (value is not None) is found.settled


@given(FILLS, st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(recorded: list[Recorded], random: Random) -> None:
    shuffled = list(recorded)
    random.shuffle(shuffled)
    renumbered = [replace(each, sequence=number) for number, each in enumerate(shuffled)]

    found, expected = book(renumbered), book(recorded)

    assert list(found.entries) == list(expected.entries)
    assert replace(found, entries=()) == replace(expected, entries=())


@given(FILLS, st.integers(1, 100))
def test_fill_split_in_two_gives_the_same_cash_and_profit(
    recorded: list[Recorded], percent: int
) -> None:
    if not recorded:
        return
    first = recorded[0]
    filled = first.value
    assert isinstance(filled, Filled)
    part = Count(filled.count.units * percent // 100)
    rest = filled.count - part
    if not part or not rest or filled.fee is None:
        return
    halves = [
        replace(first, key=f"{first.key}a", value=replace(filled, count=part, fee=ZERO_MONEY)),
        replace(first, key=f"{first.key}b", value=replace(filled, count=rest)),
    ]

    found, expected = book([*halves, *recorded[1:]]), book(recorded)

    assert found.position.net == expected.position.net
    assert balance(found, Account.CASH) == balance(expected, Account.CASH)
    assert found.realized - found.position.cost == expected.realized - expected.position.cost


@given(FILLS, VALUES)
def test_settled_profit_is_what_the_formula_says(recorded: list[Recorded], value: Price) -> None:
    """yes·v + no·(1 − v) − costs − fees, less what the exchange cuts off."""
    found = book(recorded, value)

    worth = value * found.yes_bought + value.complement() * found.no_bought
    expected = worth - found.yes_cost - found.no_cost - found.fees - found.settlement_fees
    assert found.realized - found.fees == expected


@given(FILLS, VALUES)
def test_books_made_again_equal_books_made_step_by_step(
    recorded: list[Recorded], value: Price
) -> None:
    told = replace(market("scalar", value=str(value)), settled_at=LATER)
    booking = MarketBooking(
        PRIMARY,
        SHARD_ZERO,
        TICKER,
        precision=Precision.DIRECT,
        strategy_of=no_strategy,
        market=told,
    )

    for number, step in enumerate(in_order(recorded, told)):
        booking.book(step)
        if number < len(recorded):
            sofar = sorted(recorded, key=lambda each: (_filled(each).at, each.key))[: number + 1]
            again = book(sofar)
            again = replace(again, bare=again.bare._replace(event_ticker=EVENT))
            assert replace(booking.result(), entries=()) == replace(again, entries=())

    assert list(booking.result().entries) == list(book(recorded, value).entries)


ROWS = st.tuples(
    st.sampled_from(MarketResult),
    st.none() | VALUES,
    st.integers(-200, 60_000).map(Money.of_cents),
    st.integers(0, 800),
    st.none() | st.integers(0, 3).map(Shard),
)
"""Result, value as the row gives it, revenue, time, and the shard where it is named."""


def _told_otherwise(filled: Filled, fee: Money | None, shard: Shard | None) -> Filled:
    """The fill with another fee (or none), on a shard that it names or does not."""
    named = shard is not None
    return replace(filled, fee=fee, shard=shard or SHARD_ZERO, shard_named=named)


def _all_recorded(filled: list[Filled]) -> list[Recorded]:
    return [recorded_fill(number, each) for number, each in enumerate(filled)]


ANY_FILLS = st.lists(
    st.builds(
        _told_otherwise,
        FILLED,
        st.none() | st.integers(-1_000, 50_000).map(Money),
        st.none() | st.integers(0, 3).map(Shard),
    ),
    max_size=12,
).map(_all_recorded)

SAID = st.none() | st.tuples(
    st.sampled_from(["active", "closed", "determined", "finalized"]),
    st.sampled_from(["", "yes", "no", "scalar"]),
    st.none() | VALUES,
)
"""What the market says of itself: status, result, value."""


@given(ANY_FILLS, st.none() | ROWS, SAID, st.sampled_from(Precision), st.booleans())
def test_short_way_books_what_the_long_way_books(
    recorded: list[Recorded],
    row: tuple[MarketResult, Price | None, Money, int, Shard | None] | None,
    said: tuple[str, str, Price | None] | None,
    precision: Precision,
    many: bool,
) -> None:
    """Whatever the market says, wherever the row stands among the fills."""
    told = None
    if said is not None:
        status, result, value = said
        if status == "finalized" and row is None:
            status = "determined"  # only the long way pays by a market's own word
        told = market(result, status=status, value=None if value is None else str(value))
        if status != "finalized":
            told = replace(told, settled_at=None)
    if row is not None:
        recorded = [*recorded, _any_row(len(recorded), row)]

    def strategy_of(order_id: OrderId, _ticker: Ticker) -> str:
        return order_id[0] if many else "one"

    steps = sorted(map(bare_step, recorded))
    shard = home_shard(steps, told)
    found = book_steps(
        PRIMARY,
        shard,
        TICKER,
        steps=steps,
        market=told,
        precision=precision,
        strategy_of=strategy_of,
    )
    expected = book_market(
        PRIMARY,
        shard,
        TICKER,
        recorded=reversed(recorded),
        market=told,
        precision=precision,
        strategy_of=strategy_of,
    )

    assert found == expected
    assert found.round_trips == expected.round_trips
    lines = list(lines_of(found.entries))
    assert lines == [line_of(entry_of(line)) for line in lines], "sums are those of the postings"
    assert sum(attribute(lines)) == found.realized.units - found.fees.units


def _any_row(
    sequence: int, row: tuple[MarketResult, Price | None, Money, int, Shard | None]
) -> Recorded:
    """A settlement row that pays something, whatever is held: what it says is booked."""
    result, value, revenue, second, shard = row
    [recorded] = facts("23:59 row yes revenue 1.25")
    assert isinstance(recorded.value, Settled)
    settled = replace(
        recorded.value,
        result=result,
        value=value,
        revenue=revenue,
        at=Instant(MIDNIGHT + second * SECOND),
        shard=shard or SHARD_ZERO,
        shard_named=shard is not None,
    )
    return Recorded(sequence, recorded.key, 1, settled, Source.REST, settled.at)


def _filled(recorded: Recorded) -> Filled:
    assert isinstance(recorded.value, Filled)
    return recorded.value


@given(FILLS, st.none() | VALUES)
def test_round_trips_gains_and_rows_add_up_to_the_book(
    recorded: list[Recorded], value: Price | None
) -> None:
    found = book(recorded, value)
    earned = found.realized - found.fees

    assert sum((each.profit_loss for each in found.round_trips), ZERO_MONEY) == earned
    assert sum((each.realized - each.fees for each in booked_rows(found)), ZERO_MONEY) == earned
    if not found.position.net:
        assert sum((each.gain for each in gains(found.entries)), ZERO_MONEY) == earned


REVISIONS = st.lists(st.tuples(st.integers(0, 11), FILLED, st.integers(0, 800)), max_size=5)


def _standing(before: Filled, after: Filled) -> Filled:
    """What holds of a version: with the same money as before, the first time stands."""
    same = replace(after, at=before.at, is_taker=before.is_taker) == before
    return replace(after, at=before.at) if same else after


@given(FILLS, REVISIONS, st.none() | VALUES)
def test_revisions_come_to_the_book_of_the_newest_versions(
    recorded: list[Recorded], revisions: list[tuple[int, Filled, int]], value: Price | None
) -> None:
    newest = {each.key: each for each in recorded}
    versions = list(recorded)
    for number, filled, second in revisions:
        before = newest.get(f"fill {number:04}")
        if before is None:
            continue
        after = replace(
            before,
            version=before.version + 1,
            value=filled,
            observed_at=Instant(MIDNIGHT + second * SECOND),
        )
        newest[before.key] = replace(after, value=_standing(_filled(before), filled))
        versions.append(after)

    found = book(versions, value)

    expected = book([replace(each, version=1) for each in newest.values()], value)
    for account in Account:
        assert balance(found, account) == balance(expected, account), account
    assert found.position == expected.position
    standing = as_they_stand(found.entries)
    assert [each.postings for each in standing] == [each.postings for each in expected.entries]
    assert list(gains(found.entries)) == list(gains(expected.entries))


@given(FILLS, VALUES)
def test_strategies_add_up_to_the_exchange(recorded: list[Recorded], value: Price) -> None:
    def strategy_of(order_id: OrderId, _ticker: Ticker) -> str:
        return order_id[0]

    told = replace(market("scalar", value=str(value)), settled_at=LATER)
    for stated in (None, told):
        found = book_market(
            PRIMARY, SHARD_ZERO, TICKER, recorded=recorded, market=stated, strategy_of=strategy_of
        )
        rows = list(strategy_rows(found))
        total = sum((each.realized - each.fees for each in rows), ZERO_MONEY)
        assert total == found.realized - found.fees
        if stated is not None:
            trips = sum((each.profit_loss for each in found.round_trips), ZERO_MONEY)
            assert trips == found.realized - found.fees


@given(FILLS, VALUES, st.integers(-100, 100))
def test_cash_always_follows_the_settlement_row(
    recorded: list[Recorded], value: Price, cents: int
) -> None:
    net = book(recorded).position.net
    revenue = gross_payout(net, value).floor_to(Money.of_cents(1)) + Money.of_cents(cents)
    row = Settled(
        ticker=TICKER,
        event_ticker=EVENT,
        result=MarketResult.SCALAR,
        yes_count=ZERO_COUNT,
        no_count=ZERO_COUNT,
        yes_cost=ZERO_MONEY,
        no_cost=ZERO_MONEY,
        revenue=revenue,
        trade_fees=ZERO_MONEY,
        value=value,
        at=LATER,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )

    found = book([*recorded, Recorded(99, "row", 1, row, Source.REST, LATER)])

    assert found.payout.floor_to(Money.of_cents(1)) == revenue
    assert not found.position.net


@given(FILLS, st.none() | VALUES)
def test_one_row_per_order_shares_the_market_exactly(
    recorded: list[Recorded], value: Price | None
) -> None:
    fills = [_filled(each) for each in recorded]
    one_sided = [each for each in fills if each.side is Side.YES]
    for chosen in (fills, one_sided):
        orders = by_orders(
            replace(each, order_id=OrderId(f"{each.order_id}{each.side}")) for each in chosen
        )
        claims = [
            Claim(
                side=order.side,
                quantity=Count(order.count),
                price=order.average(),
                at=None,
                exited=False,
            )
            for order in orders
        ]
        found = allocate(claims, orders, value=value, payout=None)
        assert not isinstance(found, Refused)
        assert found.complete
        total = sum((share.profit_loss() for share in found.shares), ZERO_MONEY)
        cost = sum(
            (
                (each.price if each.side is Side.YES else each.price.complement()) * each.count
                for each in chosen
            ),
            ZERO_MONEY,
        )
        fees = sum((each.fee for each in chosen if each.fee is not None), ZERO_MONEY)
        worth = ZERO_MONEY
        if value is not None:
            for each in chosen:
                own = value if each.side is Side.YES else value.complement()
                worth += own * each.count
        assert total == worth - cost - fees
