"""What REST shows of the truth: defaults, filters, tiers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from small_exchange import CLOSES, EVENT, MEMBER, RAIN, SERIES, SNOW, START, small_exchange

from trueup.core import catalog
from trueup.core.facts import BankingStatus
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    EventTicker,
    OrderId,
    SeriesTicker,
    Shard,
    Subaccount,
    Ticker,
)
from trueup.core.instant import DAY, HOUR, SECOND, Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT, Count, Money, Price, Ratio
from trueup.sim import commands as c
from trueup.sim.exchange import Exchange
from trueup.sim.market_surface import STATUS_FILTERS, MarketSurface
from trueup.sim.paging import Listing, Query
from trueup.sim.scenario import World
from trueup.sim.surface import AccountSurface
from trueup.sim.tiers import EVERYTHING_LIVE, Tiers

T = TypeVar("T")
ONE = Subaccount(1)
ALL = Query(limit=10_000)


def walk(fetch: Callable[[Query], Listing[T]], query: Query) -> list[T]:
    """All pages together."""
    found: list[T] = []
    while True:
        listing = fetch(query)
        found.extend(listing.items)
        if not listing.cursor:
            return found
        query = replace(query, cursor=listing.cursor)


def shown(exchange: Exchange, tiers: Tiers = EVERYTHING_LIVE) -> AccountSurface:
    return AccountSurface(exchange, MEMBER, tiers)


# -- the built-in world: pages and tiers -------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_pages_of_fills_are_all_fills_once(world: World, limit: int) -> None:
    surface = AccountSurface(world.exchange, world.member, EVERYTHING_LIVE)

    found = walk(lambda query: surface.fills(world.end, query), Query(limit=limit))

    assert found == list(reversed(world.exchange.account(world.member).fills))


def test_live_and_historical_fills_together_are_everything(world: World) -> None:
    tiers = Tiers()
    surface = AccountSurface(world.exchange, world.member, tiers)

    live = walk(lambda query: surface.fills(world.end, query), Query(limit=50))
    old = walk(lambda query: surface.historical_fills(world.end, query), Query(limit=50))

    truth = set(world.exchange.account(world.member).fills)
    assert set(live) | set(old) == truth
    assert len(live) < len(truth)
    assert len(old) < len(truth)
    assert max(one.at for one in old) < tiers.cutoffs(world.end).trades_created


def test_live_and_historical_orders_together_are_everything(world: World) -> None:
    surface = AccountSurface(world.exchange, world.member, Tiers())

    live = walk(lambda query: surface.orders(world.end, query), Query(limit=30))
    old = walk(lambda query: surface.historical_orders(world.end, query), Query(limit=30))

    assert {one.order.order_id for one in (*live, *old)} == set(
        world.exchange.account(world.member).orders
    )
    assert all(one.order.status is not OrderStatus.RESTING for one in old)


def test_resting_order_never_leaves_the_live_tier() -> None:
    small = small_exchange()
    small.buy(RAIN, Side.YES, "1", at="0.10", filled="0")
    tiers = Tiers(orders=0, overlap=0)
    at = Instant(START + 20 * HOUR)

    surface = shown(small.exchange, tiers)

    assert len(surface.orders(at, ALL).items) == 1
    assert surface.historical_orders(at, ALL).items == ()


def test_live_positions_and_archived_ones_together_are_everything(world: World) -> None:
    surface = AccountSurface(world.exchange, world.member, Tiers())
    account = world.exchange.account(world.member)

    for subaccount in account.subaccounts:
        query = Query(limit=20, subaccount=subaccount)
        live = walk(
            lambda one: surface.positions(world.end, one).markets, replace(query, choice="all")
        )
        old = walk(lambda one: surface.historical_positions(world.end, one).markets, query)

        truth = {ticker for owner, ticker in account.holdings if owner == subaccount}
        assert {one.ticker for one in live} | {one.ticker for one in old} == truth
        assert {one.ticker for one in old} < truth
        assert all(one.net == ZERO_COUNT for one in old)


def test_events_positions_are_archived_together(world: World) -> None:
    surface = AccountSurface(world.exchange, world.member, replace(Tiers(), overlap=0))
    markets = world.exchange.books.listings.markets

    def events(tickers: list[Ticker]) -> set[str]:
        return {markets[ticker].market.event_ticker for ticker in tickers}

    live = surface.positions(world.end, Query(limit=1000, choice="all")).markets.items
    old = surface.historical_positions(world.end, Query(limit=1000)).markets.items

    assert not events([one.ticker for one in live]) & events([one.ticker for one in old])


def test_settlement_rows_roll_off_and_have_no_archive(world: World) -> None:
    tiers = Tiers()
    surface = AccountSurface(world.exchange, world.member, tiers)
    truth = [row.settled for row in world.exchange.account(world.member).settlements]

    found = walk(lambda query: surface.settlements(world.end, query), Query(limit=10))

    since = tiers.settlements_since(world.end)
    assert found == [row for row in reversed(truth) if row.at >= since]
    assert 0 < len(found) < len(truth)


def test_live_and_historical_markets_together_are_everything(world: World) -> None:
    surface = MarketSurface(world.exchange, Tiers())

    live = walk(lambda query: surface.markets(world.end, query), Query(limit=40))
    old = walk(lambda query: surface.historical_markets(world.end, query), Query(limit=40))

    names = {view.market.ticker for view in live} | {view.market.ticker for view in old}
    assert names == set(world.exchange.books.listings.markets)
    assert all(view.stated.status is MarketStatus.FINALIZED for view in old)


def test_archived_market_is_found_in_its_own_tier_only(world: World) -> None:
    surface = MarketSurface(world.exchange, Tiers())
    (oldest, *_) = world.exchange.account(world.member).settlements
    ticker = oldest.settled.ticker

    assert surface.market(world.end, ticker) is None
    assert surface.historical_market(world.end, ticker) is not None


# -- small cases: defaults and filters ---------------------------------------------------------


def two_subaccounts() -> AccountSurface:
    small = small_exchange()
    small.step(c.OpenSubaccount(at=small.now, member=MEMBER, subaccount=ONE))
    small.step(
        c.TransferSubaccount(
            at=small.now,
            member=MEMBER,
            transfer_id="t",
            amount=Money.parse("100"),
            from_subaccount=PRIMARY,
            to_subaccount=ONE,
            shard=SHARD_ZERO,
        )
    )
    small.buy(RAIN, Side.YES, "3", at="0.50", taker=False)
    small.buy(RAIN, Side.NO, "4", at="0.40", taker=False, subaccount=ONE)
    small.advance(Instant(small.now + SECOND))
    return shown(small.exchange)


AT = Instant(START + HOUR)


def test_fills_and_orders_default_to_all_subaccounts() -> None:
    surface = two_subaccounts()

    assert Counter(one.subaccount for one in surface.fills(AT, ALL).items) == {0: 1, 1: 1}
    assert Counter(one.terms.subaccount for one in surface.orders(AT, ALL).items) == {0: 1, 1: 1}
    assert [one.subaccount for one in surface.fills(AT, Query(subaccount=ONE)).items] == [1]


def test_balance_and_positions_default_to_the_primary_account() -> None:
    surface = two_subaccounts()

    assert surface.balance(AT, ALL).dollars == Money.parse("898.50")
    assert surface.balance(AT, Query(subaccount=ONE)).dollars == Money.parse("98.40")
    (own,) = surface.positions(AT, ALL).markets.items
    (other,) = surface.positions(AT, Query(subaccount=ONE)).markets.items
    assert (own.net, other.net) == (Count.parse("3"), Count.parse("-4"))


def test_settlements_default_to_all_subaccounts() -> None:
    small = small_exchange()
    small.step(c.OpenSubaccount(at=small.now, member=MEMBER, subaccount=ONE))
    small.step(
        c.TransferSubaccount(
            at=small.now,
            member=MEMBER,
            transfer_id="t",
            amount=Money.parse("100"),
            from_subaccount=PRIMARY,
            to_subaccount=ONE,
            shard=SHARD_ZERO,
        )
    )
    small.buy(RAIN, Side.YES, "3", at="0.50")
    small.buy(RAIN, Side.NO, "4", at="0.40", subaccount=ONE)
    small.settle(RAIN, MarketResult.NO)
    surface = shown(small.exchange)

    rows = surface.settlements(small.now, ALL).items
    own = surface.settlements(small.now, Query(subaccount=ONE)).items

    assert [row.revenue for row in rows] == [Money.parse("4"), Money.parse("0")]
    assert [row.no_count for row in own] == [Count.parse("4")]


def test_balance_takes_off_what_rests_and_breaks_down_by_shard() -> None:
    small = small_exchange()
    small.step(
        c.TransferShard(
            at=small.now,
            member=MEMBER,
            transfer_id="t",
            amount=Money.parse("10.50"),
            subaccount=PRIMARY,
            from_shard=SHARD_ZERO,
            to_shard=Shard(2),
        )
    )
    in_transit = shown(small.exchange).balance(small.now, ALL).dollars
    small.step(c.ConcludeTransfer(at=small.now, member=MEMBER, transfer_id="t"))
    small.buy(RAIN, Side.YES, "10", at="0.25", filled="0")

    view = shown(small.exchange).balance(small.now, ALL)

    assert in_transit == Money.parse("989.50")
    assert view.dollars == Money.parse("997.50")
    assert view.breakdown == (
        (SHARD_ZERO, Money.parse("987")),
        (Shard(2), Money.parse("10.50")),
    )
    only = shown(small.exchange).balance(small.now, Query(shard=Shard(2)))
    assert only.dollars == Money.parse("10.50")


def test_portfolio_value_takes_the_last_price_of_the_held_side() -> None:
    """As on a recorded balance: two contracts last traded at 0.99 are worth 1.98."""
    small = small_exchange()
    small.buy(RAIN, Side.NO, "2", at="0.30")
    quote = catalog.Quote(
        ticker=RAIN,
        yes_bid=Price.parse("0.40"),
        yes_ask=Price.parse("0.60"),
        last=Price.parse("0.01"),
        volume=ZERO_COUNT,
        volume_24h=ZERO_COUNT,
        open_interest=ZERO_COUNT,
    )
    small.step(c.QuoteMarket(at=small.now, quote=quote))

    view = shown(small.exchange).balance(small.now, ALL)

    assert view.portfolio == Money.parse("1.98")


def test_fills_can_be_asked_by_market_order_and_time() -> None:
    small = small_exchange()
    first = small.buy(RAIN, Side.YES, "1", at="0.50")
    middle = small.now
    small.later(HOUR).buy(SNOW, Side.YES, "1", at="0.50")
    surface = shown(small.exchange)
    at = small.now

    by_market = surface.fills(at, Query(tickers=frozenset({SNOW}))).items
    by_order = surface.fills(at, Query(order_id=first)).items
    early = surface.fills(at, Query(max_at=middle)).items
    late = surface.fills(at, Query(min_at=Instant(middle + 1))).items

    assert [one.ticker for one in by_market] == [SNOW]
    assert [one.ticker for one in by_order] == [RAIN]
    assert [one.ticker for one in early] == [RAIN]
    assert [one.ticker for one in late] == [SNOW]


def test_orders_can_be_asked_by_status_and_event() -> None:
    small = small_exchange()
    small.buy(RAIN, Side.YES, "1", at="0.50")
    resting = small.buy(SNOW, Side.YES, "1", at="0.50", filled="0")
    surface = shown(small.exchange)

    found = surface.orders(small.now, Query(choice="resting")).items
    of_event = surface.orders(small.now, Query(event_tickers=frozenset({EVENT}))).items
    elsewhere = surface.orders(
        small.now, Query(event_tickers=frozenset({EventTicker("KXOTHER")}))
    ).items

    assert [one.order.order_id for one in found] == [resting]
    assert len(of_event) == 2
    assert elsewhere == ()
    assert surface.order(small.now, resting) == found[0]
    assert surface.order(small.now, OrderId("nobody's")) is None


def test_settled_position_leaves_the_default_listing() -> None:
    small = small_exchange()
    small.buy(RAIN, Side.YES, "3", at="0.50")
    small.buy(SNOW, Side.YES, "1", at="0.50")
    small.settle(RAIN, MarketResult.YES)
    surface = shown(small.exchange)

    def names(choice: str) -> list[Ticker]:
        found = surface.positions(small.now, Query(choice=choice)).markets.items
        return [one.ticker for one in found]

    assert names("") == [SNOW]
    assert names("settled") == [RAIN]
    assert names("all") == [SNOW, RAIN]


def test_position_cursor_is_good_for_its_own_settlement_status_only(world: World) -> None:
    surface = AccountSurface(world.exchange, world.member, EVERYTHING_LIVE)
    first = surface.positions(world.end, Query(limit=3, choice="all")).markets

    other = surface.positions(world.end, Query(limit=3, cursor=first.cursor)).markets

    assert other == surface.positions(world.end, Query(limit=3)).markets


def test_count_filter_drops_flat_positions() -> None:
    small = small_exchange()
    small.buy(RAIN, Side.YES, "3", at="0.50")
    small.buy(RAIN, Side.NO, "3", at="0.40")
    surface = shown(small.exchange)

    every = surface.positions(small.now, ALL).markets.items
    held = surface.positions(small.now, Query(nonzero=frozenset({"position"}))).markets.items
    traded = surface.positions(small.now, Query(nonzero=frozenset({"total_traded"}))).markets

    assert (len(every), len(held), len(traded.items)) == (1, 0, 1)


def test_position_says_what_was_traded_realized_and_paid() -> None:
    """Recorded in May 2026: bought at 0.77, sold at 0.06, total traded 1.71."""
    small = small_exchange()
    small.buy(RAIN, Side.YES, "1", at="0.77")
    small.buy(RAIN, Side.NO, "1", at="0.94")

    view = shown(small.exchange).positions(small.now, ALL)

    (one,) = view.markets.items
    (event,) = view.events
    assert one.total_traded == event.total_cost == Money.parse("1.71")
    assert one.realized == event.realized == Money.parse("-0.71")
    assert event.total_cost_shares == Count.parse("2")


def test_row_is_hidden_until_it_is_listed() -> None:
    small = small_exchange(row_delay=20 * SECOND)
    small.buy(RAIN, Side.YES, "1", at="0.50")
    small.settle(RAIN, MarketResult.YES)
    (row,) = small.exchange.account(MEMBER).settlements
    surface = shown(small.exchange)

    assert surface.settlements(Instant(row.listed_at - 1), ALL).items == ()
    assert surface.settlements(row.listed_at, ALL).items == (row.settled,)


def test_deposits_show_the_status_they_had() -> None:
    small = small_exchange()
    small.later(HOUR).step(
        c.ConcludeBanking(
            at=small.now, member=MEMBER, banking_id="deposit-1", status=BankingStatus.RETURNED
        )
    )
    surface = shown(small.exchange)

    (before,) = surface.deposits(START, ALL).items
    (after,) = surface.deposits(small.now, ALL).items

    assert (before.status, after.status) == (BankingStatus.APPLIED, BankingStatus.RETURNED)
    assert surface.withdrawals(small.now, ALL).items == ()


# -- markets -----------------------------------------------------------------------------------


def test_filter_words_cover_every_status_once() -> None:
    words = [status for statuses in STATUS_FILTERS.values() for status in statuses]

    assert sorted(words) == sorted(MarketStatus)


def test_markets_can_be_asked_by_the_filters_own_words() -> None:
    small = small_exchange()
    small.step(c.PauseMarket(at=small.now, ticker=SNOW))
    surface = MarketSurface(small.exchange, EVERYTHING_LIVE)

    def names(query: Query) -> list[Ticker]:
        return [view.market.ticker for view in surface.markets(small.now, query).items]

    assert names(Query(choice="open")) == [RAIN]
    assert names(Query(choice="paused")) == [SNOW]
    assert names(Query(choice="settled")) == []
    assert names(Query(series_ticker=SERIES)) == [SNOW, RAIN]
    assert names(Query(series_ticker=SeriesTicker("KXOTHER"))) == []
    assert names(Query(tickers=frozenset({RAIN}))) == [RAIN]
    assert names(Query(min_close_at=Instant(CLOSES + 1))) == []
    assert names(Query(max_settled_at=CLOSES)) == []


def test_series_shows_the_terms_of_the_moment() -> None:
    small = small_exchange()
    effective = Instant(START + HOUR)
    for number, event in enumerate((None, EVENT)):
        change = catalog.FeeChange(
            change_id=f"change-{number}",
            series_ticker=SERIES,
            event_ticker=event,
            fee_type="quadratic_with_maker_fees",
            fee_multiplier=Ratio(1, 2),
            effective_at=effective,
        )
        small.step(c.ScheduleFeeChange(at=small.now, change=change))
    surface = MarketSurface(small.exchange, EVERYTHING_LIVE)

    before, after = Instant(effective - 1), effective
    early, late = surface.series(before, SERIES), surface.series(after, SERIES)
    assert early is not None
    assert late is not None
    assert (early.fee_type, late.fee_type) == ("quadratic", "quadratic_with_maker_fees")
    event = surface.event(after, EVENT)
    assert event is not None
    assert event.fee_multiplier_override == Ratio(1, 2)
    assert len(surface.series_fee_changes(before, ALL)) == 1
    assert surface.series_fee_changes(after, ALL) == ()
    assert len(surface.series_fee_changes(after, replace(ALL, show_historical=True))) == 1
    assert len(surface.event_fee_changes(ALL).items) == 1


def test_cutoffs_move_once_a_day() -> None:
    tiers = Tiers()

    morning, evening = tiers.cutoffs(START), tiers.cutoffs(Instant(START + 11 * HOUR))
    tomorrow = tiers.cutoffs(Instant(START + DAY))

    assert morning == evening
    assert tomorrow.trades_created == morning.trades_created + DAY
    assert morning.orders_updated > morning.trades_created
