"""The built-in worlds: repeatable, whole from listing to settlement, and traded like real ones."""

from __future__ import annotations

from collections import defaultdict

import pytest
from living_worlds import START, chances, watch

from trueup.core.errors import ConfigError
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, EventTicker, OrderId, Ticker
from trueup.core.instant import DAY, HOUR, Instant, parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, Count, Money, Price
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.auditing import audit
from trueup.sim.living.built_in import WORLDS, living_world
from trueup.sim.living.world import DEPOSIT, SHARDS, USER, GivenAccount, Opening

SATURDAY_NIGHT = parse_instant("2026-10-18T02:00:00Z")


@pytest.mark.parametrize("name", ["economics", "temperatures", "crypto", "football"])
def test_the_same_seed_gives_the_same_world_and_another_seed_another(name: str) -> None:
    first, again, other = watch(name), watch(name), watch(name, seed=2)

    assert first.run(3).events == again.run(3).events
    assert first.events != other.run(3).events
    assert any(isinstance(event, e.TradeMade) for event in first.events)


def test_how_far_it_is_advanced_at_once_makes_no_difference() -> None:
    whole, parts = watch("crypto"), watch("crypto")
    whole.run(2)

    while parts.world.end < START + 2 * HOUR:
        parts.world.advance(Instant(parts.world.end + 7_777_777_777 % HOUR), parts.events.extend)

    until = START + 2 * HOUR
    trades = [event for event in whole.events if isinstance(event, e.TradeMade)]
    same = [e_ for e_ in parts.events if isinstance(e_, e.TradeMade) and e_.at <= until]
    assert trades == same


@pytest.mark.parametrize("name", list(WORLDS))
def test_nothing_of_its_own_is_ever_refused(name: str) -> None:
    world = watch(name, density=3).run(20)

    assert world.refused == []
    audit(world.world.exchange.books)


def test_a_temperature_day_goes_from_listing_to_settlement() -> None:
    world = watch("temperatures", mishaps=0, density=2).run(48)
    event = EventTicker("KXHIGHNY-26OCT17")
    tickers = world.world.exchange.books.listings.markets_of[event]

    paths = {tuple(world.path(ticker)) for ticker in tickers}
    results = [
        moved.result
        for moved in world.events
        if isinstance(moved, e.MarketMoved)
        and moved.ticker in tickers
        and moved.status is MarketStatus.FINALIZED
    ]

    assert len(tickers) == 6
    assert {path[-3:] for path in paths} == {
        (MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.FINALIZED)
    }
    # Mutually exclusive: one of the six is right.
    assert sorted(results, key=str) == [MarketResult.NO] * 5 + [MarketResult.YES]


def test_a_football_sunday_closes_early_and_pays_one_team_of_each_game() -> None:
    world = watch("football", start=SATURDAY_NIGHT, mishaps=0, density=1).run(36)
    listings = world.world.exchange.books.listings
    games = [ticker for ticker in listings.events if ticker.startswith("KXNFLGAME-26OCT18")]

    assert len(games) == 7
    for game in games:
        states = [listings.markets[ticker] for ticker in listings.markets_of[game]]
        values = [state.stage().value for state in states]
        assert {state.status for state in states} == {MarketStatus.FINALIZED}
        assert sum(value.units for value in values if value is not None) == ONE_DOLLAR.units
        for state in states:
            planned = state.market.close_at
            assert planned is not None
            assert state.close_at is not None
            assert state.close_at < planned - 12 * HOUR


def test_a_quarter_asks_about_the_price_at_which_it_began_and_is_decided_within_seconds() -> None:
    world = watch("crypto").run(2)
    listed = [event for event in world.events if isinstance(event, e.MarketListed)]
    determined = {
        event.ticker: event.at
        for event in world.events
        if isinstance(event, e.MarketMoved) and event.status is MarketStatus.DETERMINED
    }

    assert len(listed) == 16
    for event in listed[:12]:
        closes = event.market.close_at
        assert closes is not None
        assert closes < determined[event.market.ticker] <= closes + 20 * 1_000_000


def test_fed_markets_agree_with_each_other_and_the_rate_moves_on() -> None:
    start = parse_instant("2026-10-27T12:00:00Z")
    world = watch("economics", start=start, mishaps=0, density=1).run(24 * 50)
    results = {
        event.ticker: event.result
        for event in world.events
        if isinstance(event, e.MarketMoved) and event.status is MarketStatus.FINALIZED
    }
    decisions = {ticker: result for ticker, result in results.items() if "FEDDECISION" in ticker}

    assert sorted(decisions.values(), key=str) == [MarketResult.NO] * 8 + [MarketResult.YES] * 2
    first = next(
        ticker.rpartition("-")[2]
        for ticker, result in decisions.items()
        if "26OCT" in ticker and result is MarketResult.YES
    )
    move = {"C25": -25, "H0": 0, "H25": 25}[first]
    stands = [result for ticker, result in sorted(results.items()) if "KXFED-26OCT" in ticker]
    above = 375 + move
    wanted = [MarketResult.YES if above > strike else MarketResult.NO for strike in (325, 350, 375)]
    assert stands == wanted
    assert any(f"KXFED-26DEC-T{above // 100}.{above % 100:02}" == ticker for ticker in results)


def test_mishaps_happen_when_asked_for_and_the_truth_wins_in_the_end() -> None:
    calm = watch("temperatures", mishaps=0, density=1).run(40)
    rough = watch("temperatures", mishaps=4_000, density=1).run(40)

    moved = [event for event in rough.events if isinstance(event, e.MarketMoved)]
    statuses = {event.status for event in moved}

    assert {MarketStatus.INACTIVE, MarketStatus.DISPUTED, MarketStatus.AMENDED} <= statuses
    assert not any(
        event.status is MarketStatus.DISPUTED
        for event in calm.events
        if isinstance(event, e.MarketMoved)
    )
    for ticker in {event.ticker for event in moved if event.status is MarketStatus.AMENDED}:
        first, *_, last = [
            event.result for event in moved if event.ticker == ticker and event.result
        ]
        assert {first, last} == {MarketResult.YES, MarketResult.NO}


def test_games_that_are_called_off_pay_both_sides_a_fraction() -> None:
    world = watch("football", start=SATURDAY_NIGHT, mishaps=1_000_000, density=1).run(50)
    finals = [
        event
        for event in world.events
        if isinstance(event, e.MarketMoved) and event.status is MarketStatus.FINALIZED
    ]

    assert finals
    assert {event.result for event in finals} == {MarketResult.SCALAR}
    by_event: dict[str, int] = defaultdict(int)
    for event in finals:
        assert event.value is not None
        if "GAME" in event.ticker:
            by_event[event.ticker.rpartition("-")[0]] += event.value.units
    assert set(by_event.values()) == {ONE_DOLLAR.units}


def test_books_look_like_books() -> None:
    world = watch("mixed").run(4)
    states = [
        state
        for state in world.world.exchange.books.listings.markets.values()
        if state.status is MarketStatus.ACTIVE and state.tape.volume > 100_00
    ]

    assert len(states) >= 12
    two_sided = [state for state in states if state.book.bids.ranks and state.book.asks.ranks]
    assert len(two_sided) * 2 > len(states)
    for state in two_sided:
        bid, ask = state.book.best_bid(), state.book.best_ask()
        assert bid is not None
        assert ask is not None
        assert 0 < ask.price - bid.price <= 1_500
    depths = [len(state.book.bids.ranks) + len(state.book.asks.ranks) for state in two_sided]
    assert max(depths) >= 6


def test_prices_know_something_about_results() -> None:
    world = watch("crypto").run(24)
    last: dict[Ticker, int] = {}
    hits = misses = 0
    for event in world.events:
        if isinstance(event, e.TradeMade):
            last[event.ticker] = event.price.units
        elif isinstance(event, e.MarketMoved) and event.status is MarketStatus.DETERMINED:
            price = last.get(event.ticker, 5_000)
            likely = MarketResult.YES if price > 5_000 else MarketResult.NO
            hits, misses = hits + (event.result is likely), misses + (event.result is not likely)

    assert hits > 3 * misses


def test_density_is_how_often_a_market_is_traded() -> None:
    quiet = watch("temperatures", density=2).run(2)
    lively = watch("temperatures", density=20).run(2)

    assert len(lively.of(e.TradeMade)) > 4 * len(quiet.of(e.TradeMade)) > 0


def test_the_users_account_has_its_deposit_on_every_shard_and_its_past() -> None:
    world = watch("crypto").world
    account = world.exchange.account(USER)

    assert [account.cash_at(world.end, shard=shard) for shard in SHARDS] == [DEPOSIT] * 4
    assert len(account.bankings) == 1
    assert len(account.transfers) == 3
    assert account.history


def test_the_user_trades_with_the_traders() -> None:
    watched = watch("temperatures")
    world = watched.world
    state = next(
        state
        for state in world.exchange.books.listings.markets.values()
        if state.status is MarketStatus.ACTIVE and state.book.asks.ranks
    )
    ask = state.book.best_ask()
    assert ask is not None

    done = world.exchange.step(
        c.PlaceOrder(
            at=world.end,
            member=USER,
            subaccount=PRIMARY,
            order_id=OrderId("mine"),
            client_order_id=c.NO_CLIENT_ID,
            ticker=state.ticker,
            side=Side.YES,
            price=Price(ask.price),
            count=Count.of_contracts(1),
        )
    )

    assert [event.count for event in done if isinstance(event, e.TradeMade)] == [
        Count.of_contracts(1)
    ]
    watched.run(1)


def test_a_world_goes_on_after_somebody_was_faster() -> None:
    watched = watch("crypto")
    world = watched.world

    world.exchange.step(c.Advance(at=Instant(world.end + HOUR)))
    watched.run(1)

    assert watched.of(e.TradeMade)


def test_several_accounts_each_with_what_it_was_given() -> None:
    poor = GivenAccount(
        member=c.Member("second"), precision=Precision.NON_DIRECT, deposit=Money.of_cents(5_000)
    )
    world = living_world(
        "economics",
        chances(1),
        Opening(start=START, accounts=(GivenAccount(), poor), warm_up=HOUR),
    )

    account = world.exchange.account(c.Member("second"))
    assert account.cash_at(world.end) == Money.of_cents(20_000)
    assert account.precision is Precision.NON_DIRECT


def test_an_unknown_world_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigError) as raised:
        living_world("cricket", chances(1), Opening(start=START))

    assert "football" in raised.value.remedy


def test_the_calendar_never_ends() -> None:
    world = watch("temperatures", density=1)
    busy = world.run(24 * 9)

    assert busy.statuses()[MarketStatus.ACTIVE] >= 18
    assert busy.world.next_at() is not None
    assert busy.world.end == START + 9 * DAY
