"""The ledger against an exchange that knows the truth by another road.

The built-in world trades for months.  Its facts are booked here as a client would
see them, and its own cash, holdings and rows are the judge.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from random import Random

import pytest

from trueup.core.facts import CashFact, Filled, OrderReported, Source
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.observations import Recorded
from trueup.core.statements import BalanceStated, MarketStated, PositionStated
from trueup.ledger.booking import book_market
from trueup.ledger.cash import book_cash
from trueup.ledger.entries import MarketBook
from trueup.ledger.holds import holds, market_by_market
from trueup.ledger.movements import CashMovement, movement_of
from trueup.ledger.proof import Proven, prove
from trueup.ledger.reconcile import Comparison, reconcile
from trueup.run.clock import seeded
from trueup.sim.account import Account
from trueup.sim.scenario import DEFAULT_SEED, World, account_world

POTS = [(0, 0), (1, 0), (0, 2), (1, 2)]
"""The subaccounts and shards of the world."""


@dataclass(frozen=True)
class Booked:
    world: World
    account: Account
    orders: list[OrderReported]
    markets: dict[Ticker, MarketStated]
    books: list[MarketBook]
    movements: list[CashMovement]

    def of(self, subaccount: int, shard: int) -> list[CashMovement]:
        return [
            each for each in self.movements if (each.subaccount, each.shard) == (subaccount, shard)
        ]

    def held(self, subaccount: int, shard: int) -> list[CashMovement]:
        fills: defaultdict[Ticker, list[Filled]] = defaultdict(list)
        for filled in self.account.fills:
            fills[filled.ticker].append(filled)
        mine = [
            each for each in self.orders if (each.subaccount, each.shard) == (subaccount, shard)
        ]
        return list(holds(market_by_market(mine), lambda ticker: fills[ticker]))

    def readings(self, subaccount: int, shard: int, *, lag: int) -> list[BalanceStated]:
        """The true balance at many moments, many of them beside an order; `lag` 0: whole seconds."""
        random = Random(7)  # noqa: S311 - a fixed sample
        moments = [random.randrange(self.account.opened_at, self.world.end) for _ in range(400)]
        beside = random.sample(self.orders, 60)
        moments += [each.created_at + random.randrange(1, 3 * SECOND) for each in beside]
        return [
            _reading(self.account, (Subaccount(subaccount), Shard(shard)), Instant(at), lag=lag)
            for at in sorted(moments)
        ]


def _reading(
    account: Account, pot: tuple[Subaccount, Shard], at: Instant, *, lag: int
) -> BalanceStated:
    available = account.available_at(at, subaccount=pot[0], shard=pot[1])
    return BalanceStated(
        low=available,
        high=available,
        portfolio_value=None,
        subaccount=pot[0],
        shard=pot[1],
        at=Instant(at + lag * SECOND if lag else at // SECOND * SECOND),
        observed_at=at,
    )


@pytest.fixture(scope="module")
def booked() -> Booked:
    world = account_world(seeded(DEFAULT_SEED))
    account = world.exchange.account(world.member)
    listed = world.exchange.books.listings.markets
    markets = {ticker: one.stated(world.end) for ticker, one in listed.items()}
    stated = {ticker: each for ticker, each in markets.items() if each is not None}
    facts: defaultdict[tuple[Subaccount, Shard, Ticker], list[Recorded]] = defaultdict(list)
    for filled in account.fills:
        key = f"{filled.trade_id}/{filled.order_id}"
        place = (filled.subaccount, filled.shard, filled.ticker)
        facts[place].append(_recorded(key, 1, filled, filled.at))
    for row in account.settlements:
        settled = row.settled
        place = (settled.subaccount, settled.shard, settled.ticker)
        facts[place].append(_recorded(f"row {place}", 1, settled, row.listed_at))
    books = [
        book_market(
            subaccount,
            shard,
            ticker,
            recorded=recorded,
            market=stated.get(ticker),
            precision=account.precision,
        )
        for (subaccount, shard, ticker), recorded in facts.items()
    ]
    entries = [entry for book in books for entry in book.entries]
    entries.extend(book_cash(_plain_cash(account)))
    movements = sorted((movement_of(entry) for entry in entries), key=lambda each: each.at)
    orders = [order for order in (each.latest() for each in account.orders.values()) if order]
    return Booked(world, account, orders, stated, books, movements)


def _plain_cash(account: Account) -> list[Recorded]:
    """Deposits, withdrawals and transfers with every status they went through."""
    recorded: list[Recorded] = []
    for key, history in (*account.bankings.items(), *account.transfers.items()):
        at: Instant | None = Instant(account.opened_at)
        moments: list[Instant] = []
        latest = history.latest()
        assert latest is not None
        # Walk the changes back from the end by asking since when each value held.
        at = history.since(Instant(2**62))
        while at is not None:
            moments.append(at)
            at = history.since(Instant(at - 1))
        for version, moment in enumerate(reversed(moments), start=1):
            value = history.at(moment)
            assert value is not None
            recorded.append(_recorded(key, version, value, moment))
    return recorded


def _recorded(key: str, version: int, value: CashFact, at: Instant) -> Recorded:
    return Recorded(0, key, version, value, Source.REST, at)


@pytest.mark.parametrize(("subaccount", "shard"), POTS)
@pytest.mark.parametrize("lag", [0, 5])
def test_every_cent_is_explained_at_every_moment(
    booked: Booked, subaccount: int, shard: int, lag: int
) -> None:
    """Readings in whole seconds, and readings that show what was true some seconds before."""
    intervals = list(
        prove(
            booked.readings(subaccount, shard, lag=lag),
            booked.of(subaccount, shard),
            holds=booked.held(subaccount, shard),
            precision=booked.account.precision.step,
            absolute=True,
        )
    )

    verdicts = Counter(each.verdict for each in intervals)
    assert len(intervals) == 460
    assert set(verdicts) <= ({Proven.PROVEN} if not lag else {Proven.PROVEN, Proven.TIMING})


def test_a_missing_movement_is_always_noticed(booked: Booked) -> None:
    movements, held = booked.of(0, 0), booked.held(0, 0)
    readings = booked.readings(0, 0, lag=0)
    moving = [each for each in movements if each.amount and each.at < readings[-1].at]
    sample = Random(3).sample(moving, 40)  # noqa: S311 - a fixed sample
    for missing in sample:
        rest = [each for each in movements if each is not missing]
        found = prove(readings, rest, holds=held, precision=booked.account.precision.step)
        gaps = [each.difference for each in found if each.verdict is Proven.UNPROVEN]
        before_all = missing.at <= readings[0].at
        assert sum(gap.units for gap in gaps) == (0 if before_all else missing.amount.units)


def test_books_equal_the_exchange_and_reconcile_without_a_break(booked: Booked) -> None:
    held = [
        (history.latest(), history.since(booked.world.end))
        for history in booked.account.holdings.values()
    ]
    positions = [
        PositionStated(
            ticker=each.ticker,
            net=each.position.net,
            exposure=each.position.cost,
            realized=each.realized,
            fees_paid=each.fees,
            total_traded=each.total_traded,
            updated_at=since,
            subaccount=each.subaccount,
            shard=each.shard,
        )
        for each, since in held
        if each is not None and since is not None
    ]
    orders = sorted(booked.orders, key=lambda each: each.order_id)
    fills = sorted(booked.account.fills, key=lambda each: each.order_id)

    breaks = reconcile(
        Comparison(
            books=lambda: booked.books,
            now=booked.world.end,
            markets=booked.markets,
            positions=positions,
            settlements=[row.settled for row in booked.account.settlements],
            orders=lambda: orders,
            fills=lambda: fills,
        )
    )

    assert len(booked.books) > 100
    assert breaks == []
