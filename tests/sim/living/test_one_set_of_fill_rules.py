"""A recording that is served and a paper account beside it: the same orders get the same fills."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.core import catalog
from trueup.core.grid import LINEAR_CENT
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    SeriesTicker,
    Ticker,
    TradeId,
)
from trueup.core.instant import HOUR, SECOND, Instant, parse_instant
from trueup.core.market import MarketStatus
from trueup.core.orders import Side, TimeInForce
from trueup.core.units import Count, Money, Price, Ratio
from trueup.sim import commands as c
from trueup.sim.exchange import Exchange
from trueup.sim.living.mirrored_book import BookSeen, LevelSeen, TradeSeen
from trueup.sim.living.paper_world import PAPER, MarketTold, PaperWorld
from trueup.sim.living.replay import MarketSeen, Recorded, Replay
from trueup.sim.living.world import USER

START = parse_instant("2026-10-06T13:00:00Z")
CLOSES = Instant(START + HOUR)
MARKET = Ticker("KXRAIN-26OCT06-NY")
BEGIN = {(True, 39): 10, (True, 40): 6, (False, 42): 5, (False, 43): 9}

Told = list[tuple[int, LevelSeen, int]]
"""Seconds after the start, a change, and how much of it was traded."""


def at(seconds: float) -> Instant:
    return Instant(START + round(seconds * SECOND))


def place(number: int, when: Instant, who: c.Member, own: tuple[bool, int, int, bool]) -> c.Command:
    is_yes, cents, contracts, takes = own
    return c.PlaceOrder(
        at=when,
        member=who,
        subaccount=PRIMARY,
        order_id=OrderId(f"own-{number}"),
        client_order_id=ClientOrderId(f"own-{number}"),
        ticker=MARKET,
        side=Side.YES if is_yes else Side.NO,
        price=Price.of_cents(cents),
        count=Count.of_contracts(contracts),
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL if takes else TimeInForce.GOOD_TILL_CANCELED,
    )


def whole_book() -> BookSeen:
    bids = {cents * 100: n * 100 for (is_bid, cents), n in BEGIN.items() if is_bid}
    asks = {cents * 100: n * 100 for (is_bid, cents), n in BEGIN.items() if not is_bid}
    return BookSeen(at(1), MARKET, bids, asks)


def fills_of(exchange: Exchange, who: c.Member) -> list[tuple[OrderId, Price, Count, bool]]:
    fills = exchange.account(who).fills
    return [(fill.order_id, fill.price, fill.count, fill.is_taker) for fill in fills]


def served(told: Told, orders: dict[int, tuple[bool, int, int, bool]]) -> Exchange:
    """The recording as a sandbox serves it: what traded is known from the volume alone."""
    times, volumes = [START], [0]
    for when, _, traded in told:
        times.append(at(when + 0.1))
        volumes.append(volumes[-1] + traded)
    seen = MarketSeen(
        ticker=MARKET, closes=CLOSES, volume_times=tuple(times), volumes=tuple(volumes)
    )
    news = [whole_book(), *(change for _, change, _ in told)]
    replay = Replay(
        Exchange(),
        Recorded(start=START, grid=LINEAR_CENT, markets={MARKET: seen}, messages=news),
    )
    replay.advance(at(1))
    for when, _, _ in told:
        replay.advance(at(when))
        if when in orders:
            order = place(when, at(when + 0.5), USER, orders[when])
            replay.advance(at(when + 0.5))
            replay.hear(replay.exchange.step(order))
    return replay.exchange


def paper(told: Told, orders: dict[int, tuple[bool, int, int, bool]]) -> Exchange:
    """The same beside a paper account, whose trades are told as trades."""
    world = PaperWorld(Exchange(), keep=lambda _: None)
    world.begin(START, (), deposit=Money.parse("100000"), shards=[SHARD_ZERO])
    world.inbox.extend((listed(), whole_book()))
    world.advance(at(1))
    for when, change, traded in told:
        if traded:
            trade = TradeSeen(
                change.at, MARKET, TradeId(f"t{when}"), change.price, traded, not change.is_bid
            )
            world.inbox.append(trade)
        world.inbox.append(change)
        world.advance(at(when))
        if when in orders:
            order = place(when, at(when + 0.5), PAPER, orders[when])
            world.advance(at(when + 0.5))
            world.hear(world.exchange.step(order))
    return world.exchange


def listed() -> MarketTold:
    event, series = EventTicker("KXRAIN-26OCT06"), SeriesTicker("KXRAIN")
    return MarketTold(
        market=catalog.Market(
            ticker=MARKET,
            event_ticker=event,
            title="Rain",
            open_at=START,
            close_at=CLOSES,
            expected_expiration_at=None,
            fee_waiver_until=None,
            shard=SHARD_ZERO,
        ),
        event=catalog.Event(
            ticker=event,
            series_ticker=series,
            title="Rain",
            mutually_exclusive=False,
            fee_type_override=None,
            fee_multiplier_override=None,
        ),
        series=catalog.Series(
            ticker=series,
            title="Rain",
            category="Recorded",
            tags=(),
            fee_type="quadratic",
            fee_multiplier=Ratio(1),
        ),
        grid=LINEAR_CENT,
        status=MarketStatus.ACTIVE,
    )


CHANGE = st.tuples(st.booleans(), st.integers(37, 45), st.integers(-9, 9), st.booleans())
OWN = st.tuples(st.booleans(), st.integers(37, 45), st.integers(1, 12), st.booleans())


@settings(deadline=None, max_examples=80)
@given(steps=st.lists(st.tuples(CHANGE, st.none() | OWN), max_size=20))
def test_what_is_served_fills_as_paper_does_and_never_more_than_was_there(
    steps: list[tuple[tuple[bool, int, int, bool], tuple[bool, int, int, bool] | None]],
) -> None:
    levels = Counter(BEGIN)
    there = Counter(BEGIN)
    told: Told = []
    orders: dict[int, tuple[bool, int, int, bool]] = {}
    traded_in_all = 0
    for number, ((is_bid, cents, size, trades), own) in enumerate(steps, 2):
        change = max(-levels[is_bid, cents], size)
        if not change:
            continue
        side = [price for (bid, price), n in levels.items() if n and bid is is_bid]
        is_best = bool(side) and cents == (max(side) if is_bid else min(side))
        traded = -change * 100 if change < 0 and trades and is_best else 0
        levels[is_bid, cents] += change
        there[is_bid, cents] += max(0, change)
        traded_in_all += traded
        told.append(
            (number, LevelSeen(at(number), MARKET, is_bid, cents * 100, change * 100), traded)
        )
        if own is not None:
            orders[number] = own

    fills = fills_of(served(told, orders), USER)

    assert fills == fills_of(paper(told, orders), PAPER)
    # What others traded, and what was offered: nothing beyond, however the orders were placed.
    assert sum(count.units for *_, count, _ in fills) <= traded_in_all + 100 * sum(there.values())
    for name, price, _, _ in fills:
        is_yes, limit, _, _ = orders[int(name.removeprefix("own-"))]
        worse = (price.units - limit * 100) * (1 if is_yes else -1)
        assert worse <= 0, "nobody pays more than the limit"
