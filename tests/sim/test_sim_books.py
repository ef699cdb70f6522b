"""The ledger, told only what REST shows, arrives at the machine's cash: two roads, one truth."""

from __future__ import annotations

import pytest

from trueup.core.facts import Banked, Filled, Settled, Source, Transferred
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.observations import Recorded
from trueup.core.units import ZERO_MONEY, Money
from trueup.ledger.booking import book_market
from trueup.ledger.cash import book_cash
from trueup.run.clock import seeded
from trueup.sim.market_surface import MarketSurface
from trueup.sim.paging import Query
from trueup.sim.scenario import OLD_END, World, account_world
from trueup.sim.surface import AccountSurface
from trueup.sim.tiers import Tiers

ALL = Query(limit=100_000)


def recorded(values: list[Filled | Settled | Banked | Transferred], world: World) -> list[Recorded]:
    return [
        Recorded(number, f"key-{number}", 1, value, Source.REST, world.end)
        for number, value in enumerate(values)
    ]


def cash_of_the_books(world: World) -> dict[tuple[Subaccount, Shard], Money]:
    """What a client finds by reading both tiers; old settlements only as market results."""
    account = AccountSurface(world.exchange, world.member, Tiers())
    markets = MarketSurface(world.exchange, Tiers())
    at, totals = world.end, dict[tuple[Subaccount, Shard], Money]()

    def add(subaccount: Subaccount, shard: Shard, amount: Money) -> None:
        totals[subaccount, shard] = totals.get((subaccount, shard), ZERO_MONEY) + amount

    fills = {*account.fills(at, ALL).items, *account.historical_fills(at, ALL).items}
    facts: dict[tuple[Subaccount, Shard, Ticker], list[Filled | Settled]] = {}
    for fact in (*fills, *account.settlements(at, ALL).items):
        facts.setdefault((fact.subaccount, fact.shard, fact.ticker), []).append(fact)
    for (subaccount, shard, ticker), found in facts.items():
        view = markets.market(at, ticker) or markets.historical_market(at, ticker)
        assert view is not None
        book = book_market(
            subaccount, shard, ticker, recorded=recorded([*found], world), market=view.stated
        )
        for entry in book.entries:
            add(subaccount, shard, entry.cash())
    movements = [
        *account.deposits(at, ALL).items,
        *account.withdrawals(at, ALL).items,
        *account.subaccount_transfers(at, ALL).items,
        *account.shard_transfers(at, ALL).items,
    ]
    for entry in book_cash(recorded([*movements], world)):
        add(entry.subaccount, entry.shard, entry.cash())
    return totals


@pytest.mark.parametrize("seed", range(3))
def test_books_made_from_both_tiers_hold_the_exchanges_cash(seed: int) -> None:
    world = account_world(seeded(seed))

    account = world.exchange.account(world.member)
    assert cash_of_the_books(world) == {key: book.latest() for key, book in account.cash.items()}


def test_books_of_2025_hold_the_exchanges_cash() -> None:
    world = account_world(seeded(1), OLD_END, whole_contracts=True)

    account = world.exchange.account(world.member)
    assert cash_of_the_books(world) == {key: book.latest() for key, book in account.cash.items()}
