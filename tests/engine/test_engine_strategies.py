"""The strategies that ship, each at the edges of its rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from engine_floor import (
    HOT,
    NOON,
    Floor,
    a_listing,
    all_of,
    cents,
    contracts,
    dollars,
    only,
    refusals,
)

from trueup.core.errors import ConfigError
from trueup.core.facts import Filled
from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderId, Ticker, TradeId
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, Count, Money, Price, Ratio
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.inflight import OwnOrder
from trueup.engine.market import Listing, PublicTrade, Top
from trueup.engine.pegging import ceiled, floored, pegged
from trueup.engine.rolling import RollingMean
from trueup.engine.scanner import EVERYTHING, Looked, Scan, SortBy, scan
from trueup.engine.signals import AnchorSignal, Direction, NewsSignal, OtherLegTaken, VenueQuote
from trueup.engine.sizing import Fixed, Kelly, Percent
from trueup.engine.strategies.anchored import Anchored
from trueup.engine.strategies.arbitrage import Arbitrage, NakedLeg, find
from trueup.engine.strategies.market_maker import MarketMaker
from trueup.engine.strategies.mean_reversion import MeanReversion, case_study_limits
from trueup.engine.strategies.momentum import Momentum
from trueup.engine.strategies.news import News
from trueup.engine.strategies.threshold import Threshold
from trueup.engine.strategy import Mandate, Strategy, Universe
from trueup.engine.wishes import Order, Tell, Wish, Withdraw


@dataclass
class PaperDesk:
    """A desk that says whatever the test writes on it."""

    bid: Price | None = None
    ask: Price | None = None
    last: Price | None = None
    held: Count = ZERO_COUNT
    means: dict[int, Ratio] = field(default_factory=dict[int, Ratio])
    now: Instant = NOON
    value: Money = field(default_factory=lambda: dollars("5000"))
    tickers: Sequence[Ticker] = (HOT,)
    resting: Sequence[OwnOrder] = ()
    top_at: Instant | None = None

    def listing(self, ticker: Ticker) -> Listing:
        return a_listing(ticker)

    def top(self, ticker: Ticker) -> Top:
        return Top(
            ticker=ticker,
            at=self.now if self.top_at is None else self.top_at,
            bid=self.bid,
            ask=self.ask,
            last=self.last,
            bid_size=contracts(100),
            ask_size=contracts(100),
        )

    def net(self, ticker: Ticker) -> Count:
        del ticker
        return self.held

    def average_cost(self, ticker: Ticker) -> Ratio | None:
        del ticker
        return None

    def orders(self, ticker: Ticker) -> Sequence[OwnOrder]:
        del ticker
        return self.resting

    def trades(self, ticker: Ticker) -> Sequence[PublicTrade]:
        del ticker
        return ()

    def mean(self, ticker: Ticker, window: int) -> Ratio | None:
        del ticker
        return self.means.get(window)


def the_order(wishes: object) -> Order:
    assert isinstance(wishes, list)
    found: list[Wish] = wishes  # pyright: ignore[reportUnknownVariableType]
    assert len(found) == 1, found
    assert isinstance(found[0], Order)
    return found[0]


# -- threshold ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bid", "ask", "held", "expected"),
    [
        (38, 40, 0, (Side.YES, 5, 40)),
        (39, 41, 0, None),
        (60, 62, 7, (Side.NO, 5, 60)),
        (60, 62, 3, (Side.NO, 3, 60)),
        (60, 62, 0, None),
        (59, 61, 7, None),
        (38, 40, 48, (Side.YES, 2, 40)),
        (38, 40, 50, None),
    ],
)
def test_threshold(bid: int, ask: int, held: int, expected: tuple[Side, int, int] | None) -> None:
    desk = PaperDesk(cents(bid), cents(ask), held=contracts(held))

    wishes = list(Threshold([HOT]).on_timer(desk))

    if expected is None:
        assert wishes == []
        return
    order = the_order(wishes)
    side, count, limit = expected
    assert (order.side, order.count, order.limit) == (side, contracts(count), cents(limit))
    assert order.only_reduce is (side is Side.NO)


# -- mean reversion ----------------------------------------------------------------------------


def reversion(desk: PaperDesk, strategy: MeanReversion | None = None) -> list[Wish]:
    chosen = MeanReversion(sizing=Fixed(contracts(80))) if strategy is None else strategy
    return list(chosen.on_markets(desk, [HOT]))


def test_case_study_trade_buys_80_no_at_32_cents() -> None:
    """68 cents against a mean of 54: 14 points above, so NO is bought."""
    desk = PaperDesk(cents(68), cents(69), cents(68), means={7 * DAY: Ratio(54, 100)})

    order = the_order(reversion(desk))

    assert (order.side, order.count) == (Side.NO, contracts(80))
    assert order.limit == cents(66), "NO at 32 cents and 2 cents of tolerance"


def test_case_study_trade_earns_what_it_should() -> None:
    """80 NO at 32 cents cost $25.60 and pay $80.00: $54.40."""
    strategy = MeanReversion(sizing=Fixed(contracts(80)), window=DAY)
    floor = Floor(strategy)
    for hour in range(24):
        floor.later(HOUR).quote(53, 55)
        assert hour >= 0
    intent = only(f.Place, floor.later().quote(68, 69)).intent
    floor.accept(intent, filled=80)
    floor.fill(intent, 80, price=68)
    portfolio = floor.machine.state.portfolio
    assert portfolio.cost() == dollars("25.60")

    floor.give(i.MarketSettled(at=floor.now, ticker=HOT, value=cents(0)))

    assert portfolio.profit({}) == dollars("54.40")


@pytest.mark.parametrize(
    ("price", "mean", "side"),
    [
        (66, 54, Side.NO),
        (65, 54, None),
        (42, 54, Side.YES),
        (43, 54, None),
    ],
)
def test_deviation_of_twelve_points(price: int, mean: int, side: Side | None) -> None:
    desk = PaperDesk(
        cents(price), cents(price + 1), cents(price), means={7 * DAY: Ratio(mean, 100)}
    )

    wishes = reversion(desk)

    assert [each.side for each in wishes if isinstance(each, Order)] == (
        [] if side is None else [side]
    )


def test_nothing_before_the_mean_is_warm() -> None:
    assert reversion(PaperDesk(cents(68), cents(69), cents(68))) == []


@pytest.mark.parametrize(
    ("bid", "ask", "held", "leaves"),
    [(50, 52, 10, True), (49, 51, 10, False), (56, 58, -10, True), (57, 59, -10, False)],
)
def test_position_is_closed_near_the_mean(bid: int, ask: int, held: int, leaves: bool) -> None:
    desk = PaperDesk(
        cents(bid),
        cents(ask),
        held=contracts(held),
        means={7 * DAY: Ratio(54, 100)},
    )

    wishes = reversion(desk)

    assert bool(wishes) is leaves
    if leaves:
        order = the_order(wishes)
        assert (order.only_reduce, order.count) == (True, contracts(abs(held)))


def test_size_is_two_percent_of_the_portfolio() -> None:
    desk = PaperDesk(cents(30), cents(32), cents(31), means={7 * DAY: Ratio(54, 100)})

    order = the_order(reversion(desk, MeanReversion()))

    assert order.count == contracts(312), "2 % of $5,000 at 32 cents, whole contracts"


@pytest.mark.parametrize(
    ("probability", "age", "trades"),
    [
        (Ratio(50, 100), HOUR, True),
        (Ratio(70, 100), HOUR, False),
        (Ratio(68, 100), HOUR, False),
        (Ratio(70, 100), 37 * HOUR, True),
    ],
)
def test_fresh_anchor_may_object(probability: Ratio, age: int, trades: bool) -> None:
    """At 68 cents NO is wished for; an anchor that says 70 % objects."""
    strategy = MeanReversion(sizing=Fixed(contracts(10)))
    desk = PaperDesk(cents(68), cents(69), cents(68), means={7 * DAY: Ratio(54, 100)})
    signal = AnchorSignal(
        ticker=HOT, probability=probability, source="FedWatch", at=Instant(NOON - age)
    )
    assert list(strategy.on_signal(desk, signal)) == []

    assert bool(reversion(desk, strategy)) is trades


def test_case_study_limits_hold_in_the_machine() -> None:
    strategy = MeanReversion(sizing=Fixed(contracts(10)), window=DAY)
    floor = Floor(strategy, mandate=Mandate(capital=dollars("5000"), limits=case_study_limits()))
    for _ in range(24):
        floor.later(HOUR).quote(53, 55)

    assert refusals(floor.later().quote(68, 69, volume=499)) == ["volume"]
    floor.later(8 * HOUR)
    assert "trading_hours" in refusals(floor.later().quote(90, 91))


def test_volume_floor_of_the_case_study_cannot_be_lowered() -> None:
    assert case_study_limits(volume_min=contracts(200)).volume_min == contracts(200)
    with pytest.raises(ConfigError, match="200"):
        case_study_limits(volume_min=contracts(199))


# -- momentum ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short", "long", "held", "expected"),
    [
        (60, 54, 0, Side.YES),
        (59, 54, 0, None),
        (48, 54, 0, Side.NO),
        (55, 54, 10, Side.NO),
        (57, 54, 10, None),
        (53, 54, -10, Side.YES),
    ],
)
def test_momentum(short: int, long: int, held: int, expected: Side | None) -> None:
    desk = PaperDesk(
        cents(50),
        cents(52),
        held=contracts(held),
        means={6 * HOUR: Ratio(short, 100), 3 * DAY: Ratio(long, 100)},
    )

    wishes = list(Momentum().on_markets(desk, [HOT]))

    assert [each.side for each in wishes if isinstance(each, Order)] == (
        [] if expected is None else [expected]
    )


# -- market maker ------------------------------------------------------------------------------


def quotes(desk: PaperDesk) -> dict[Side, Price]:
    wishes = MarketMaker().on_markets(desk, [HOT])
    return {each.side: each.limit for each in wishes if isinstance(each, Order)}


def test_maker_quotes_around_the_middle() -> None:
    assert quotes(PaperDesk(cents(45), cents(55))) == {Side.YES: cents(48), Side.NO: cents(52)}


def test_maker_leans_against_its_inventory() -> None:
    long = quotes(PaperDesk(cents(45), cents(55), held=contracts(25)))
    short = quotes(PaperDesk(cents(45), cents(55), held=-contracts(25)))

    assert long[Side.YES] < cents(48)
    assert short[Side.NO] > cents(52)


def test_maker_stops_buying_when_it_is_full() -> None:
    full = PaperDesk(cents(45), cents(55), held=contracts(50))

    wishes = list(MarketMaker().on_markets(full, [HOT]))

    assert [each.side for each in wishes if isinstance(each, Order)] == [Side.NO]
    assert [each.slot for each in wishes if isinstance(each, Withdraw)] == ["yes"]


def test_maker_never_crosses_the_book() -> None:
    for middle in range(3, 97):
        desk = PaperDesk(cents(middle - 1), cents(middle + 1))
        for side, price in quotes(desk).items():
            opposite = desk.top(HOT).opposite(side)
            assert opposite is not None
            assert price < opposite if side is Side.YES else price > opposite


def test_maker_has_one_order_a_side_however_often_it_quotes() -> None:
    floor = Floor(MarketMaker(Universe()))
    first = all_of(f.Place, floor.later().quote(45, 55))
    for each in first:
        floor.accept(each.intent)

    again = floor.later().quote(45, 55)
    moved = floor.later().quote(46, 58)

    assert [each.intent.side for each in first] == [Side.YES, Side.NO]
    assert all_of(f.Place, again) == []
    assert all_of(f.Amend, again) == []
    assert len(all_of(f.Amend, moved)) == 2
    assert len(floor.machine.state.inflight.living(HOT)) == 2


# -- news --------------------------------------------------------------------------------------


def a_signal(
    direction: Direction, confidence: str, *, name: str = "n1", age: int = 0
) -> NewsSignal:
    return NewsSignal(
        signal_id=name,
        ticker=HOT,
        direction=direction,
        confidence=Ratio(confidence),
        headline="Inflation cools",
        source="feed",
        at=Instant(NOON - age),
    )


@pytest.mark.parametrize(
    ("direction", "confidence", "side", "limit"),
    [
        (Direction.POSITIVE, "0.71", Side.YES, 54),
        (Direction.NEGATIVE, "0.71", Side.NO, 48),
        (Direction.POSITIVE, "0.7", None, 0),
    ],
)
def test_news(direction: Direction, confidence: str, side: Side | None, limit: int) -> None:
    desk = PaperDesk(cents(50), cents(52))

    wishes = list(News().on_signal(desk, a_signal(direction, confidence)))

    if side is None:
        assert wishes == []
        return
    order = the_order(wishes)
    assert (order.side, order.count, order.limit) == (side, contracts(5), cents(limit))


def test_piece_of_news_is_traded_once_and_old_news_never() -> None:
    strategy, desk = News(), PaperDesk(cents(50), cents(52))

    assert len(list(strategy.on_signal(desk, a_signal(Direction.POSITIVE, "0.9")))) == 1
    assert list(strategy.on_signal(desk, a_signal(Direction.POSITIVE, "0.9"))) == []
    old = a_signal(Direction.POSITIVE, "0.9", name="n2", age=11 * MINUTE)
    assert list(strategy.on_signal(desk, old)) == []


# -- anchored ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probability", "side"),
    [(60, Side.YES), (55, None), (50, None), (44, Side.NO)],
)
def test_anchored_needs_an_edge_after_the_fee(probability: int, side: Side | None) -> None:
    """Ask 52 cents: the fee is 1.75 cents, so 57.7 % is the least that buys YES."""
    desk = PaperDesk(cents(50), cents(52))
    signal = AnchorSignal(
        ticker=HOT, probability=Ratio(probability, 100), source="FedWatch", at=NOON
    )

    wishes = list(Anchored(sizing=Fixed(contracts(10))).on_signal(desk, signal))

    assert [each.side for each in wishes if isinstance(each, Order)] == (
        [] if side is None else [side]
    )


# -- arbitrage ---------------------------------------------------------------------------------


def other(no_ask: str | None, yes_ask: str | None = None, *, size: int = 100) -> VenueQuote:
    return VenueQuote(
        ticker=HOT,
        venue="elsewhere",
        yes_ask=None if yes_ask is None else Ratio(yes_ask),
        no_ask=None if no_ask is None else Ratio(no_ask),
        yes_size=Ratio(size),
        no_size=Ratio(size),
        fee_per_share=Ratio(0),
        at=NOON,
    )


FREE = {Side.YES: Ratio(0), Side.NO: Ratio(0)}


@pytest.mark.parametrize(
    ("no_ask", "fee", "combined", "found"),
    [
        ("0.45", "0", "0.97", True),
        ("0.46", "0", "0.98", False),
        ("0.45", "0.03", "0.97", False),
        ("0.45", "0.029", "0.97", True),
    ],
)
def test_arbitrage_is_below_98_cents_and_positive_after_both_fees(
    no_ask: str, fee: str, combined: str, found: bool
) -> None:
    desk = PaperDesk(cents(50), cents(52))
    fees = {Side.YES: Ratio(fee), Side.NO: Ratio(fee)}

    chance = find(desk.top(HOT), other(no_ask), fees, combined_max=Ratio(98, 100))

    assert (chance is not None) is found
    if chance is not None:
        assert chance.combined == Ratio(combined)
        assert chance.net == 1 - Ratio(combined) - Ratio(fee)


def test_arbitrage_takes_equal_shares_of_what_is_there() -> None:
    desk = PaperDesk(cents(50), cents(52))

    chance = find(desk.top(HOT), other("0.40", size=37), FREE, combined_max=Ratio(98, 100))

    assert chance is not None
    assert chance.shares == contracts(37)


def test_arbitrage_buys_no_here_when_yes_is_cheap_there() -> None:
    desk = PaperDesk(cents(60), cents(62))

    chance = find(desk.top(HOT), other(None, "0.50"), FREE, combined_max=Ratio(98, 100))

    assert chance is not None
    assert (chance.here, chance.price_here) == (Side.NO, cents(40))


def test_arbitrage_tells_and_does_not_trade_unless_asked() -> None:
    desk = PaperDesk(cents(50), cents(52))
    telling, trading = Arbitrage(), Arbitrage(executes=True, count_max=contracts(10))

    told = list(telling.on_signal(desk, other("0.40")))
    again = list(telling.on_signal(desk, other("0.40")))
    bought = list(trading.on_signal(desk, other("0.40")))

    assert [type(each) for each in told] == [Tell]
    assert "both for 0.9200" in told[0].reason
    assert "net 0.0625 a share" in told[0].reason
    assert again == [], "the same is not told again at once"
    order = the_order(bought[1:])
    assert (order.side, order.count, order.limit) == (Side.YES, contracts(10), cents(52))


def test_arbitrage_does_not_believe_old_quotes_nor_old_books() -> None:
    desk = PaperDesk(cents(50), cents(52), now=Instant(NOON + 11 * SECOND))
    dead = PaperDesk(cents(50), cents(52), top_at=Instant(NOON - 3 * MINUTE))

    assert list(Arbitrage().on_signal(desk, other("0.40"))) == []
    assert list(Arbitrage().on_signal(dead, other("0.40"))) == []


@dataclass
class TwoVenues:
    """An arbitrage with 10 contracts bought here, a minute to find the other leg."""

    desk: PaperDesk = field(default_factory=lambda: PaperDesk(cents(50), cents(52)))
    strategy: Arbitrage = field(
        default_factory=lambda: Arbitrage(
            executes=True, count_max=contracts(10), unwind_after=MINUTE
        )
    )

    def fill(self, count: int, side: Side = Side.YES) -> list[Wish]:
        fill = Filled(
            trade_id=TradeId(f"t{count}{side}"),
            order_id=OrderId("o"),
            ticker=HOT,
            side=side,
            count=contracts(count),
            price=cents(52),
            fee=dollars("0"),
            is_taker=True,
            at=self.desk.now,
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
        )
        signed = contracts(count if side is Side.YES else -count)
        self.desk.held += signed
        return list(self.strategy.on_fill(self.desk, fill))

    def begin(self, count: int = 10) -> list[Wish]:
        list(self.strategy.on_signal(self.desk, other("0.40")))
        return self.fill(count)

    def later(self, seconds: int) -> list[Wish]:
        self.desk.now = Instant(self.desk.now + seconds * SECOND)
        return list(self.strategy.on_timer(self.desk))

    def cover(self, count: int, venue: str = "elsewhere") -> list[Wish]:
        taken = OtherLegTaken(ticker=HOT, venue=venue, count=contracts(count), at=self.desk.now)
        return list(self.strategy.on_signal(self.desk, taken))


def test_the_other_leg_is_asked_for_and_a_failed_one_is_unwound() -> None:
    venues = TwoVenues()

    (told,) = venues.begin()
    in_time = venues.later(59)
    too_late = venues.later(1)
    venues.fill(10, Side.NO)

    assert "now buy 10.00 NO on elsewhere for 0.4000 or less" in told.reason
    assert in_time == []
    order = the_order(too_late[1:])
    assert (order.side, order.count, order.limit) == (Side.NO, contracts(10), cents(50))
    assert order.only_reduce
    assert venues.later(60) == [], "nothing is naked any more"


def test_what_is_covered_stays_and_only_the_rest_is_unwound() -> None:
    venues = TwoVenues()
    venues.begin()

    assert venues.cover(6) == []
    wishes = venues.later(60)
    more = list(venues.strategy.on_signal(venues.desk, replace(other("0.40"), at=venues.desk.now)))

    assert the_order(wishes[1:]).count == contracts(4)
    assert [each for each in more if isinstance(each, Order)] == [], "not while a leg is naked"


def test_a_covered_leg_is_held_and_never_undone_by_the_opposite() -> None:
    venues = TwoVenues()
    venues.begin()
    venues.cover(10)
    venues.desk.bid, venues.desk.ask = cents(60), cents(62)
    opposite = replace(other(None, "0.30"), at=venues.desk.now)

    wishes = list(venues.strategy.on_signal(venues.desk, opposite))

    assert venues.later(600) == []
    assert [each for each in wishes if isinstance(each, Order)] == []


def test_a_naked_leg_can_be_held_on_purpose() -> None:
    venues = TwoVenues()
    venues.strategy.naked_leg = NakedLeg.HOLD
    venues.begin()

    (told,) = venues.later(60)

    assert "keeps 10.00 YES without the other leg" in told.reason
    assert venues.later(60) == []


def test_a_leg_that_nobody_waits_for_is_told() -> None:
    venues = TwoVenues()
    (unasked,) = venues.cover(5)
    venues.begin(3)
    (extra,) = venues.cover(4)

    assert "no leg of elsewhere is waited for" in unasked.reason
    assert "1.00 more were taken on elsewhere" in extra.reason


def test_after_a_restart_a_position_is_left_alone_and_told_once() -> None:
    venues = TwoVenues()
    venues.desk.held = contracts(7)

    (told,) = venues.later(3600)

    assert "holds 7.00 from before the start" in told.reason
    assert venues.later(3600) == []


def test_what_a_strategy_tells_becomes_an_alert() -> None:
    floor = Floor(Arbitrage())
    floor.quote()

    effects = floor.give(i.SignalSeen(at=floor.now, signal=replace(other("0.40"), at=floor.now)))

    alert = only(f.Alert, effects)
    assert (alert.kind, alert.strategy) == (f.AlertKind.OPPORTUNITY, "arbitrage")
    assert alert.words.startswith(f"{HOT}: YES here at 0.50")
    assert all_of(f.Place, effects) == []


# -- parts -------------------------------------------------------------------------------------


def test_rolling_mean_weighs_by_time_not_by_polls() -> None:
    mean = RollingMean(10 * HOUR)
    mean.see(NOON, cents(40))
    for minute in range(60):
        mean.see(Instant(NOON + 3 * HOUR + minute * MINUTE // 60), cents(80))

    assert mean.mean(Instant(NOON + 4 * HOUR)) == Ratio(50, 100)


def test_rolling_mean_forgets_what_is_older_than_its_window() -> None:
    mean = RollingMean(10 * HOUR)
    mean.see(NOON, cents(40))
    mean.see(Instant(NOON + 10 * HOUR), cents(80))

    assert mean.mean(Instant(NOON + 30 * HOUR)) == Ratio(80, 100)


@pytest.mark.parametrize(
    ("sizing", "expected"),
    [
        (Fixed(contracts(7)), 7),
        (Percent(Ratio(2, 100)), 200),
        (Kelly(Ratio(1, 2), Ratio(1)), 1000),
        (Kelly(Ratio(1, 2), Ratio(2, 100)), 200),
    ],
)
def test_sizing_of_1000_dollars_at_ten_cents(
    sizing: Fixed | Percent | Kelly, expected: int
) -> None:
    """A price of 10 cents and a probability of 28 %: Kelly says (.28 − .10) / .90 = 20 %."""
    size = sizing.size(cents(10), dollars("1000"), Ratio(28, 100))

    assert size == contracts(expected)


def test_kelly_without_an_edge_bets_nothing() -> None:
    assert Kelly(Ratio(1)).size(cents(50), dollars("1000"), Ratio(1, 2)) == ZERO_COUNT
    assert Kelly(Ratio(1)).size(cents(50), dollars("1000")) == ZERO_COUNT


def test_pegged_limits_stay_on_the_grid() -> None:
    grid = a_listing().grid
    assert pegged(cents(32), 200, grid) == cents(34)
    assert pegged(cents(32), 250, grid) == cents(34)
    assert pegged(cents(99), 200, grid) == cents(99)
    assert floored(Ratio(4_851, 10_000), grid) == cents(48)
    assert ceiled(Ratio(4_851, 10_000), grid) == cents(49)
    assert floored(Ratio(1, 1_000), grid) is None


def looked(number: int, ask: int | None, volume: int, **listing: Any) -> Looked:
    name = Ticker(f"KX{number}")
    top = Top(
        ticker=name,
        at=NOON,
        bid=cents(20),
        ask=None if ask is None else cents(ask),
        volume_24h=contracts(volume // 10),
    )
    return Looked(listing=a_listing(name, **listing), top=top, volume=contracts(volume))


def test_scanner_finds_busy_and_cheap_markets_the_busiest_first() -> None:
    """The guide's rule: 1,000 contracts at least, YES for 30 cents at most."""
    asks, volumes = (30, 31, 25, 22, 29), (1_000, 9_000, 999, 5_000, 2_000)
    markets = [looked(n, ask, volumes[n]) for n, ask in enumerate(asks)]

    found = scan(markets, Scan(), NOON)
    by_price = scan(markets, Scan(sort_by=SortBy.PRICE), NOON)

    assert [each.ticker for each in found] == ["KX3", "KX4", "KX0"]
    assert [each.ticker for each in by_price] == ["KX0", "KX4", "KX3"]


def test_scanner_shows_every_open_market_of_a_category() -> None:
    markets = [
        looked(0, None, 0),
        looked(1, 99, 1),
        looked(2, 50, 5_000, category="Sports"),
        looked(3, 50, 5_000, status=MarketStatus.CLOSED),
    ]

    found = scan(markets, replace(EVERYTHING, categories=frozenset({"Economics"})), NOON)

    assert [each.ticker for each in found] == ["KX1", "KX0"]
    assert found[1].ask is None
    assert found[1].spread is None


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (replace(EVERYTHING, time_left_max=DAY), ["KX0"]),
        (replace(EVERYTHING, time_left_min=DAY), ["KX1"]),
        (replace(EVERYTHING, spread_max=Ratio(5, 100)), ["KX0"]),
        (replace(EVERYTHING, price_min=cents(26)), ["KX1"]),
        (replace(EVERYTHING, volume_24h_min=contracts(11)), ["KX1"]),
        (replace(EVERYTHING, sort_by=SortBy.TIME_LEFT), ["KX0", "KX1", "KX2"]),
        (replace(EVERYTHING, sort_by=SortBy.VOLUME_24H, most=1), ["KX1"]),
    ],
)
def test_an_unknown_figure_fails_its_condition_and_comes_last(
    wanted: Scan, expected: list[str]
) -> None:
    markets = [
        looked(0, 25, 100, closes=Instant(NOON + HOUR)),
        looked(1, 40, 200, closes=Instant(NOON + 3 * DAY)),
        looked(2, None, 50, closes=Instant(NOON + 9 * DAY)),
    ]
    markets[2] = replace(
        markets[2],
        listing=replace(
            markets[2].listing, market=replace(markets[2].listing.market, close_at=None)
        ),
    )

    assert [each.ticker for each in scan(markets, wanted, NOON)] == expected


def test_universe_keeps_the_busiest_and_what_is_held() -> None:
    strategy = Threshold(buy_below=cents(98), sell_above=cents(99), every=MINUTE)
    strategy.universe = Universe(busiest=1)
    floor = Floor(strategy)
    other_ticker = Ticker("KXCPI-26OCT-T3.0")
    floor.quote(ticker=HOT, volume=10)
    floor.quote(ticker=other_ticker, volume=5_000)
    floor.give(i.MarketsListed(at=floor.now, listings=(a_listing(),)))

    running = floor.machine.state.running["threshold"]
    assert running.universe == (other_ticker,)


@pytest.mark.parametrize(
    "strategy",
    [Threshold(), MeanReversion(), Momentum(), MarketMaker(), News(), Anchored(), Arbitrage()],
    ids=lambda each: each.name,
)
def test_every_strategy_explains_itself(strategy: Strategy) -> None:
    words = type(strategy).__module__
    documentation = __import__(words, fromlist=["__doc__"]).__doc__

    assert "**Idea.**" in documentation
    assert "imits" in documentation
    assert strategy.parameters()
    assert strategy.name
    assert Filled.__doc__


def test_a_threshold_that_buys_what_it_sells_is_refused() -> None:
    with pytest.raises(ConfigError, match="lose the spread") as caught:
        Threshold(buy_below=cents(70), sell_above=cents(30))
    assert caught.value.remedy
