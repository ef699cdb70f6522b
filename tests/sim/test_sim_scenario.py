"""The built-in world: the same for everybody, and full of what makes books hard."""

from __future__ import annotations

from collections import Counter

import pytest

from trueup.core.facts import BankingStatus
from trueup.core.fees import FillForFee, Precision, predict_order_fees
from trueup.core.ids import PRIMARY, SHARD_ZERO
from trueup.core.instant import Instant, parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import OrderStatus
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Money
from trueup.run.clock import seeded
from trueup.sim import events as e
from trueup.sim.scenario import DEFAULT_END, DEFAULT_SEED, OLD_END, World, account_world
from trueup.sim.worlds.crypto import CRYPTO_SHARD, CRYPTO_SUBACCOUNT
from trueup.sim.worlds.plan import MANUAL


def test_same_seed_gives_the_same_world(world: World) -> None:
    again = account_world(seeded(DEFAULT_SEED))

    assert again.commands == world.commands
    assert again.events == world.events


def test_other_seed_gives_another_world(world: World) -> None:
    assert account_world(seeded(DEFAULT_SEED + 1)).commands != world.commands


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("end", ["2026-10-15T16:00:00Z", "2027-03-02T23:59:59Z"])
def test_any_seed_and_end_give_a_world_that_nothing_refuses(seed: int, end: str) -> None:
    world = account_world(seeded(seed), parse_instant(end))

    account = world.exchange.account(world.member)
    assert 300 <= len(account.fills) <= 700
    assert 100 <= len(account.settlements) <= 220
    assert all(book.latest() > ZERO_MONEY for book in account.cash.values())
    assert world.exchange.now == world.end


def test_world_trades_every_category(world: World) -> None:
    listings = world.exchange.books.listings
    categories = Counter(
        listings.series[
            listings.events[listings.markets[fill.ticker].market.event_ticker].series_ticker
        ].category
        for fill in world.exchange.account(world.member).fills
    )

    assert set(categories) == {
        "Climate and Weather",
        "Crypto",
        "Economics",
        "Financials",
        "Sports",
    }
    assert min(categories.values()) >= 10


def test_world_holds_what_makes_books_hard(world: World) -> None:
    account = world.exchange.account(world.member)
    fills, orders = account.fills, [account.order(one) for one in account.orders]
    prefixes = Counter(order.client_order_id.split("-")[0] for order in orders)
    rows = [row.settled for row in account.settlements]

    assert any(fill.count.units % 100 for fill in fills), "fractional counts"
    assert any(fill.price.units % 100 for fill in fills), "prices of a tenth of a cent"
    assert {fill.is_taker for fill in fills} == {True, False}
    assert any(row.yes_count and row.no_count for row in rows), "pairs closed at a dollar"
    assert {row.result for row in rows} == set(MarketResult)
    assert any(row.value is not None and row.value.units == 5_000 for row in rows), "a tie"
    assert prefixes[MANUAL] >= 2
    assert prefixes["mm"] >= 50
    assert any(order.status is OrderStatus.CANCELED and order.fill_count for order in orders), (
        "cancelled with fills"
    )
    resting = [order for order in orders if order.status is OrderStatus.RESTING]
    assert len(resting) == 4
    assert any(order.fill_count for order in resting), "partly filled and resting"


def test_world_moves_money_in_every_way(world: World) -> None:
    account = world.exchange.account(world.member)
    bankings = [one for one in (h.latest() for h in account.bankings.values()) if one]
    transfers = [one for one in (h.latest() for h in account.transfers.values()) if one]

    assert set(account.cash) == {
        (PRIMARY, SHARD_ZERO),
        (PRIMARY, CRYPTO_SHARD),
        (CRYPTO_SUBACCOUNT, SHARD_ZERO),
        (CRYPTO_SUBACCOUNT, CRYPTO_SHARD),
    }
    assert {one.status for one in bankings} == {BankingStatus.APPLIED, BankingStatus.FAILED}
    assert any(one.fee for one in bankings)
    assert any(one.amount < ZERO_MONEY for one in bankings)
    assert any(one.from_shard != one.to_shard for one in transfers)
    assert any(one.from_subaccount != one.to_subaccount for one in transfers)


def test_world_changes_fees_in_every_way(world: World) -> None:
    listings, end = world.exchange.books.listings, world.end
    changes = listings.fee_changes

    assert any(change.effective_at > end for change in changes), "one still to come"
    assert any(world.down[0].start < change.effective_at <= end for change in changes)
    assert any(change.event_ticker is not None for change in changes)
    waived = [state.market for state in listings.markets.values() if state.market.fee_waiver_until]
    traded = {fill.ticker: fill for fill in world.exchange.account(world.member).fills}
    assert any(market.ticker in traded for market in waived)


def test_one_determination_was_disputed_and_amended(world: World) -> None:
    moved = [event for event in world.events if isinstance(event, e.MarketMoved)]
    disputed = {event.ticker for event in moved if event.status is MarketStatus.DISPUTED}

    (ticker,) = disputed
    path = [event.status for event in moved if event.ticker == ticker]
    assert path[-4:] == [
        MarketStatus.DETERMINED,
        MarketStatus.DISPUTED,
        MarketStatus.AMENDED,
        MarketStatus.FINALIZED,
    ]
    results = [event.result for event in moved if event.ticker == ticker and event.result]
    assert results[0] != results[-1]
    assert any(
        row.settled.ticker == ticker for row in world.exchange.account(world.member).settlements
    )


def test_settlements_happened_while_the_bot_was_down(world: World) -> None:
    rows = world.exchange.account(world.member).settlements

    for window in world.down:
        assert sum(row.settled.at in window for row in rows) >= 3


def test_open_positions_have_marks(world: World) -> None:
    account, markets = world.exchange.account(world.member), world.exchange.books.listings.markets
    held = [
        ticker
        for (_, ticker), history in account.holdings.items()
        if (one := history.latest()) is not None and one.position.net != ZERO_COUNT
    ]

    assert len(held) >= 4
    for ticker in held:
        quote = markets[ticker].quotes.at(world.end)
        assert quote is not None
        assert quote.last is not None


def test_every_fee_is_what_the_fee_engine_predicts(world: World) -> None:
    """Charged fill by fill, predicted order by order from the fills alone."""
    account = world.exchange.account(world.member)
    for order_id in account.orders:
        fills = [fill for fill in account.fills if fill.order_id == order_id]
        if not fills:
            continue
        lines = predict_order_fees(
            [FillForFee.of(fill) for fill in fills],
            world.exchange.books.listings.fee_terms(fills[0].ticker),
            Precision.DIRECT,
        )
        assert lines is not None
        assert [line.net_fee for line in lines] == [fill.fee for fill in fills]


def test_cash_at_any_day_is_the_sum_of_the_movements_until_then(world: World) -> None:
    account = world.exchange.account(world.member)
    moves = [
        (event.at, event.moved if isinstance(event, e.FillMade) else event.amount)
        for event in world.events
        if isinstance(event, e.FillMade | e.CashMoved)
    ]

    for days in range(0, 150, 10):
        at = Instant(world.end - days * 86_400_000_000)
        expected = sum((amount for moved_at, amount in moves if moved_at <= at), ZERO_MONEY)
        assert account.cash_at(at) == expected


def test_world_of_2025_knows_whole_cents_and_contracts_only() -> None:
    world = account_world(seeded(DEFAULT_SEED), OLD_END, whole_contracts=True)

    account = world.exchange.account(world.member)
    for fill in account.fills:
        assert fill.count.units % 100 == 0
        assert fill.price.units % 100 == 0
        assert fill.fee is not None
        assert fill.fee.is_multiple_of(Money.of_cents(1))
    for row in account.settlements:
        value = world.exchange.books.listings.markets[row.settled.ticker].stage().value
        assert row.settled.value == value


def test_default_end_is_a_round_hour() -> None:
    assert DEFAULT_END % 3_600_000_000 == 0
