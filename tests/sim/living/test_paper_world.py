"""A paper account: its fills were there, and it is made again from its log to the cent."""

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
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import Side, TimeInForce
from trueup.core.units import ONE_DOLLAR, Count, Money, Price, Ratio
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.exchange import Exchange
from trueup.sim.living.mirrored_book import BookSeen, LevelSeen, TradeSeen
from trueup.sim.living.paper_world import PAPER, MarketTold, PaperWorld

START = parse_instant("2026-10-06T13:00:00Z")
MARKET = Ticker("KXRAIN-26OCT06-NY")
DEPOSIT = Money.parse("1000")


def at(seconds: float) -> Instant:
    return Instant(START + round(seconds * SECOND))


def told(
    status: MarketStatus = MarketStatus.ACTIVE, result: MarketResult | None = None
) -> MarketTold:
    event, series = EventTicker("KXRAIN-26OCT06"), SeriesTicker("KXRAIN")
    return MarketTold(
        market=catalog.Market(
            ticker=MARKET,
            event_ticker=event,
            title="Rain in New York",
            open_at=START,
            close_at=Instant(START + HOUR),
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
            category="Climate and Weather",
            tags=(),
            fee_type="quadratic_with_maker_fees",
            fee_multiplier=Ratio(1),
        ),
        grid=LINEAR_CENT,
        status=status,
        result=result,
        value=None if result is None else ONE_DOLLAR if result is MarketResult.YES else Price(0),
    )


class Paper:
    """A world with its log, driven by hand."""

    def __init__(self, kept: list[c.Command] | None = None, when: Instant = START) -> None:
        self.kept: list[c.Command] = list(kept or ())
        self.world = PaperWorld(Exchange(), keep=self.kept.append)
        self.world.begin(when, kept or (), deposit=DEPOSIT, shards=[SHARD_ZERO])
        self.orders = 0

    def tell(self, seconds: float, *news: MarketTold | BookSeen | LevelSeen | TradeSeen) -> None:
        self.world.inbox.extend(news)
        self.world.advance(at(seconds))

    def do(self, command: c.Command) -> tuple[e.Event, ...]:
        """As the server does: a step, and everybody hears of it."""
        events = self.world.exchange.step(command)
        self.world.hear(events)
        return events

    def place(
        self,
        seconds: float,
        side: Side,
        cents: int,
        contracts: int,
        *,
        takes: bool = True,
    ) -> OrderId:
        self.orders += 1
        name = OrderId(f"own-{self.orders}-{seconds}")
        self.world.advance(at(seconds))
        self.do(
            c.PlaceOrder(
                at=self.world.exchange.now,
                member=PAPER,
                subaccount=PRIMARY,
                order_id=name,
                client_order_id=ClientOrderId(f"client-{name}"),
                ticker=MARKET,
                side=side,
                price=Price.of_cents(cents),
                count=Count.of_contracts(contracts),
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL
                if takes
                else TimeInForce.GOOD_TILL_CANCELED,
            )
        )
        return name

    def state(self) -> object:
        """Everything that must survive a restart."""
        world = self.world
        account = world.exchange.account(PAPER)
        return (
            account.cash_at(world.exchange.now),
            account.position_at(world.exchange.now, PRIMARY, MARKET),
            [
                (fill.trade_id, fill.order_id, fill.count, fill.price, fill.fee)
                for fill in account.fills
            ],
            sorted(account.resting),
            {name: (order.status, order.fill_count) for name, order in account.orders.items()},
        )

    def again(self) -> Paper:
        return Paper(list(self.kept), self.world.exchange.now)


BOOK = BookSeen(at(1), MARKET, {3_900: 1_000}, {4_100: 500, 4_200: 500})


def test_what_is_taken_is_paid_for_and_settles_when_the_real_market_does() -> None:
    """5 at 41 and 3 at 42; YES pays $8 once the real market has paid, not when it is determined."""
    paper = Paper()
    paper.tell(1, told(), BOOK)
    paper.place(2, Side.YES, 42, 8)
    account = paper.world.exchange.account(PAPER)
    assert [(fill.price, fill.count) for fill in account.fills] == [
        (Price.of_cents(41), Count.of_contracts(5)),
        (Price.of_cents(42), Count.of_contracts(3)),
    ]
    spent = DEPOSIT - account.cash_at(paper.world.exchange.now)

    paper.tell(3_700, told(MarketStatus.DETERMINED, MarketResult.YES))
    assert account.cash_at(paper.world.exchange.now) == DEPOSIT - spent
    paper.tell(3_800, told(MarketStatus.FINALIZED, MarketResult.YES))

    assert account.cash_at(paper.world.exchange.now) == DEPOSIT - spent + Money.parse("8")


def test_an_order_that_rests_survives_a_restart_at_the_end_of_its_queue() -> None:
    paper = Paper()
    paper.tell(1, told(), BOOK)
    paper.place(2, Side.YES, 39, 5, takes=False)

    again = paper.again()
    again.tell(10, BookSeen(at(10), MARKET, {3_900: 2_000}, {4_100: 500}))
    again.tell(11, TradeSeen(at(11), MARKET, TradeId("t1"), 3_900, 2_000, False))
    assert not again.world.exchange.account(PAPER).fills
    again.tell(12, TradeSeen(at(12), MARKET, TradeId("t2"), 3_900, 300, False))

    (fill,) = again.world.exchange.account(PAPER).fills
    assert (fill.trade_id, fill.count) == (TradeId("t2"), Count.of_contracts(3))
    assert again.world.held == (MARKET,)


def test_trades_that_were_missed_count_when_they_are_told_later() -> None:
    """What went through our price while nobody listened would have filled us: it does."""
    paper = Paper()
    paper.tell(1, told(), BOOK)
    paper.place(2, Side.YES, 39, 5, takes=False)

    again = paper.again()
    again.tell(100, TradeSeen(at(50), MARKET, TradeId("t1"), 3_800, 500, False))

    (fill,) = again.world.exchange.account(PAPER).fills
    assert (fill.price, fill.count) == (Price.of_cents(39), Count.of_contracts(5))


def test_a_paused_market_takes_no_orders_and_has_its_depth_again_when_resumed() -> None:
    paper = Paper()
    paper.tell(1, told(), BOOK)
    paper.tell(2, told(MarketStatus.INACTIVE))
    paper.place(3, Side.YES, 42, 8)
    assert not paper.world.exchange.account(PAPER).fills
    paper.tell(4, LevelSeen(at(4), MARKET, False, 4_100, -200))

    paper.tell(5, told())
    paper.place(6, Side.YES, 41, 8)

    (fill,) = paper.world.exchange.account(PAPER).fills
    assert fill.count == Count.of_contracts(3)


NEWS = st.tuples(
    st.sampled_from(["level", "trade"]),
    st.booleans(),
    st.integers(37, 43),
    st.integers(-9, 9),
)
OWN = st.tuples(st.booleans(), st.integers(37, 43), st.integers(1, 12), st.booleans())


@settings(deadline=None, max_examples=60)
@given(steps=st.lists(st.tuples(NEWS, st.none() | OWN, st.booleans()), max_size=25))
def test_the_account_is_made_again_from_its_log_and_never_gets_what_was_not_there(
    steps: list[tuple[tuple[str, bool, int, int], tuple[bool, int, int, bool] | None, bool]],
) -> None:
    paper = Paper()
    paper.tell(1, told(), BOOK)
    levels: Counter[tuple[bool, int]] = Counter({(True, 39): 10, (False, 41): 5, (False, 42): 5})
    there = sum(levels.values())
    printed: dict[TradeId, int] = {}
    for number, ((what, is_bid, cents, size), own, cancels) in enumerate(steps):
        when = 2 + number
        change = max(-levels[is_bid, cents], size)
        if what == "level" or change >= 0:
            levels[is_bid, cents] += change
            there += max(0, change)
            paper.tell(when, LevelSeen(at(when), MARKET, is_bid, cents * 100, change * 100))
        else:
            levels[is_bid, cents] += change
            seen = TradeSeen(
                at(when), MARKET, TradeId(f"t{number}"), cents * 100, -change * 100, not is_bid
            )
            printed[seen.trade_id] = seen.count
            paper.tell(when, seen, LevelSeen(at(when), MARKET, is_bid, cents * 100, change * 100))
        if own is not None:
            is_yes, limit, contracts, takes = own
            side = Side.YES if is_yes else Side.NO
            paper.place(when + 0.5, side, limit, contracts, takes=takes)
        resting = paper.world.exchange.account(PAPER).resting
        if cancels and resting:
            name = next(iter(resting))
            paper.do(c.CancelOrder(at=paper.world.exchange.now, member=PAPER, order_id=name))

    fills = list(paper.world.exchange.account(PAPER).fills)
    by_print: Counter[TradeId] = Counter()
    for fill in fills:
        if fill.trade_id in printed:
            by_print[fill.trade_id] += fill.count.units
    assert all(count <= printed[name] for name, count in by_print.items())
    taken = sum(fill.count.units for fill in fills if fill.trade_id not in printed)
    assert taken <= there * 100
    again = paper.again()
    assert not again.world.refused
    assert again.state() == paper.state()
