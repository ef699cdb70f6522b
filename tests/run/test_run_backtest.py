"""Backtests: hand-worked cases, and that nothing is ever filled that was not there."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trueup.core import catalog
from trueup.core.errors import ConfigError
from trueup.core.grid import LINEAR_CENT
from trueup.core.ids import SHARD_ZERO, EventTicker, SeriesTicker, Ticker, TradeId
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant, parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, Count, Money, Price, Ratio
from trueup.engine.strategy import Desk, Strategy
from trueup.engine.wishes import Order, Style, Wish
from trueup.run.archive.archived_markets import ArchivedMarket, market_columns
from trueup.run.archive.backtest import BacktestOptions, BacktestVenue, Progress, backtest_machine
from trueup.run.archive.backtest_report import BacktestReport, drawdown, report
from trueup.run.archive.tape import Tape
from trueup.run.archive.tape_files import load_tape
from trueup.run.archive.tape_of_archive import archive_tape
from trueup.run.bot.strategy_files import load_strategies
from trueup.sim.living.mirrored_book import BookSeen, GapSeen, LevelSeen, Seen, TradeSeen
from trueup.store.archive import Archive
from trueup.store.archive_columns import Kind

START = parse_instant("2026-10-06T13:00:00Z")
CLOSE = Instant(START + 2 * HOUR)
MARKET = Ticker("KXRAIN-26OCT06-NY")


def at(seconds: float) -> Instant:
    return Instant(START + round(seconds * SECOND))


def market(*, yes: bool = True) -> ArchivedMarket:
    event, series = EventTicker("KXRAIN-26OCT06"), SeriesTicker("KXRAIN")
    return ArchivedMarket(
        market=catalog.Market(
            ticker=MARKET,
            event_ticker=event,
            title="Rain in New York",
            open_at=START,
            close_at=CLOSE,
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
            fee_type="quadratic",
            fee_multiplier=Ratio(1),
        ),
        grid=LINEAR_CENT,
        status=MarketStatus.FINALIZED,
        result=MarketResult.YES if yes else MarketResult.NO,
        value=ONE_DOLLAR if yes else Price(0),
    )


def trade(number: int, when: float, cents: int, contracts: int, *, buyer: bool) -> TradeSeen:
    return TradeSeen(at(when), MARKET, TradeId(f"t{number}"), cents * 100, contracts * 100, buyer)


class Scripted(Strategy):
    """Wishes for one thing at each time of a script."""

    name = "scripted"

    def __init__(self, *script: tuple[float, Order]) -> None:
        self._script = sorted(script, key=lambda each: each[0])
        self.every = SECOND

    def on_timer(self, desk: Desk) -> Iterable[Wish]:
        while self._script and at(self._script[0][0]) <= desk.now:
            yield self._script.pop(0)[1]


def wish(side: Side, cents: int, contracts: int, style: Style = Style.TAKE) -> Order:
    return Order(
        ticker=MARKET,
        side=side,
        count=Count.of_contracts(contracts),
        limit=Price.of_cents(cents),
        reason="the script says so",
        style=style,
        slot="" if style is Style.TAKE else side.value,
    )


def silent(_: Progress) -> None:
    pass


def play(tape: Tape, strategy: Strategy, **options: Any) -> tuple[BacktestVenue, BacktestReport]:
    money = Money.parse("1000")
    venue = BacktestVenue(tape, BacktestOptions(deposit=money, **options))
    venue.play(backtest_machine([strategy], money, venue.options.precision), silent)
    return venue, report(venue)


def of_trades(*trades: TradeSeen, yes: bool = True) -> Tape:
    return Tape(markets={MARKET: market(yes=yes)}, trades=trades)


def of_books(*news: Seen, yes: bool = True) -> Tape:
    return Tape(markets={MARKET: market(yes=yes)}, books=news)


# -- from trades alone ---------------------------------------------------------------------------


def test_what_is_taken_is_what_others_took_soon_after() -> None:
    """8 contracts at 40 cents: cost $3.20, fee 7 % × 8 × .4 × .6 = $0.1344; paid $8."""
    tape = of_trades(
        trade(1, 10, 40, 8, buyer=True), trade(2, 30, 40, 8, buyer=True),
        trade(3, 50, 41, 5, buyer=True),
    )  # fmt: skip

    venue, done = play(tape, Scripted((15, wish(Side.YES, 40, 20))))

    (fill,) = venue.heard.fills.values()
    assert (fill.count, fill.price, fill.is_taker) == (
        Count.of_contracts(8),
        Price.of_cents(40),
        True,
    )
    assert done.fees == Money.parse("0.1344")
    assert done.profit == Money.parse("8") - Money.parse("3.20") - Money.parse("0.1344")
    assert done.closes
    assert (done.settled, done.open_positions) == (1, 0)


def test_nothing_is_taken_where_nobody_took() -> None:
    tape = of_trades(trade(1, 10, 40, 8, buyer=True), trade(2, 400, 40, 8, buyer=True))

    venue, done = play(tape, Scripted((15, wish(Side.YES, 99, 20))))

    assert not venue.heard.fills
    assert done.closes


def test_an_order_that_rests_is_filled_by_what_went_through_it() -> None:
    tape = of_trades(
        trade(1, 10, 42, 8, buyer=True),
        trade(2, 60, 40, 5, buyer=False),
        trade(3, 70, 39, 6, buyer=False),
        yes=False,
    )

    venue, done = play(tape, Scripted((20, wish(Side.YES, 40, 20, Style.POST))))

    (fill,) = venue.heard.fills.values()
    assert (fill.count, fill.price, fill.is_taker) == (
        Count.of_contracts(6),
        Price.of_cents(40),
        False,
    )
    assert done.profit == -Money.parse("2.40")
    assert done.closes


def test_a_contract_that_was_taken_is_not_given_to_an_order_that_rests() -> None:
    """8 contracts that somebody bought at 40 were offered to our bid at 40 first, and only to it."""
    tape = of_trades(trade(1, 10, 41, 8, buyer=True), trade(2, 60, 40, 8, buyer=True))
    strategy = Scripted((11, wish(Side.YES, 40, 20, Style.POST)), (35, wish(Side.YES, 40, 3)))

    venue, done = play(tape, strategy)

    (fill,) = venue.heard.fills.values()
    assert (fill.count, fill.is_taker) == (Count.of_contracts(8), False)
    assert done.closes


# -- from recorded books -------------------------------------------------------------------------


def test_depth_is_taken_level_by_level_and_only_once() -> None:
    """5 at 40 and 3 at 41; the second order finds nothing although the level is still told."""
    book = BookSeen(at(5), MARKET, {3_800: 1_000}, {4_000: 500, 4_100: 300})
    strategy = Scripted((10, wish(Side.YES, 41, 20)), (20, wish(Side.YES, 41, 20)))

    venue, done = play(of_books(book), strategy)

    fills = sorted((fill.price, fill.count) for fill in venue.heard.fills.values())
    assert fills == [
        (Price.of_cents(40), Count.of_contracts(5)),
        (Price.of_cents(41), Count.of_contracts(3)),
    ]
    assert done.closes


def test_new_depth_may_be_taken_again() -> None:
    book = BookSeen(at(5), MARKET, {}, {4_000: 500})
    more = LevelSeen(at(15), MARKET, False, 4_000, 200)
    strategy = Scripted((10, wish(Side.YES, 41, 20)), (20, wish(Side.YES, 41, 20)))

    venue, _ = play(of_books(book, more), strategy)

    assert sorted(fill.count for fill in venue.heard.fills.values()) == [
        Count.of_contracts(2),
        Count.of_contracts(5),
    ]


def test_an_order_that_rests_waits_its_turn_in_the_recorded_queue() -> None:
    news: list[Seen] = [
        BookSeen(at(5), MARKET, {4_000: 1_000}, {4_500: 1_000}),
        trade(1, 30, 40, 10, buyer=False),
        LevelSeen(at(30), MARKET, True, 4_000, -1_000),
        LevelSeen(at(31), MARKET, True, 4_000, 700),
        trade(2, 60, 40, 7, buyer=False),
    ]

    venue, done = play(of_books(*news), Scripted((10, wish(Side.YES, 40, 5, Style.POST))))

    (fill,) = venue.heard.fills.values()
    assert (fill.trade_id, fill.count) == (TradeId("t2"), Count.of_contracts(5))
    assert done.closes


def test_an_offer_that_crosses_an_order_that_rests_trades_with_it() -> None:
    news: list[Seen] = [
        BookSeen(at(5), MARKET, {4_000: 1_000}, {4_500: 1_000}),
        LevelSeen(at(20), MARKET, True, 4_000, -1_000),
        LevelSeen(at(30), MARKET, False, 3_900, 300),
    ]

    venue, _ = play(of_books(*news), Scripted((10, wish(Side.YES, 40, 5, Style.POST))))

    (fill,) = venue.heard.fills.values()
    assert (fill.price, fill.count) == (Price.of_cents(40), Count.of_contracts(3))


def test_after_a_gap_nothing_is_there_until_the_book_is_told_again() -> None:
    book = BookSeen(at(5), MARKET, {}, {4_000: 500})
    news: list[Seen] = [book, GapSeen(at(8), MARKET)]

    venue, _ = play(of_books(*news), Scripted((10, wish(Side.YES, 41, 5))))

    assert not venue.heard.fills


# -- nothing that was not there ------------------------------------------------------------------


class Restless(Strategy):
    """Wishes for something, with every batch, from a list of choices."""

    name = "restless"

    def __init__(self, choices: Sequence[tuple[bool, int, int, Style]]) -> None:
        self._choices = list(choices)

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        del desk, moved
        if self._choices:
            is_yes, cents, contracts, style = self._choices.pop(0)
            yield wish(Side.YES if is_yes else Side.NO, cents, contracts, style)


TRADES = st.lists(
    st.tuples(st.integers(1, 40), st.integers(38, 43), st.integers(1, 9), st.booleans()),
    min_size=1,
    max_size=25,
)
CHOICES = st.lists(
    st.tuples(st.booleans(), st.integers(38, 43), st.integers(1, 20), st.sampled_from(list(Style))),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=TRADES, choices=CHOICES, ahead=st.none() | st.integers(0, 20))
def test_every_fill_is_a_printed_contract_at_no_better_price(
    rows: list[tuple[int, int, int, bool]],
    choices: list[tuple[bool, int, int, Style]],
    ahead: int | None,
) -> None:
    when = 0.0
    trades: list[TradeSeen] = []
    for number, (gap, cents, contracts, buyer) in enumerate(rows):
        when += gap / 4
        trades.append(trade(number, when, cents, contracts, buyer=buyer))

    venue, done = play(
        of_trades(*trades),
        Restless(choices),
        assumed_ahead=None if ahead is None else Count.of_contracts(ahead),
    )

    assert done.closes, done.unproven
    told = {each.trade_id: each for each in trades}
    given_of: Counter[TradeId] = Counter()
    for fill in venue.heard.fills.values():
        if not fill.is_taker:
            print_ = told[fill.trade_id]
            given_of[print_.trade_id] += fill.count.units
            worse = (fill.price.units - print_.price) * fill.side.sign
            assert worse >= 0, "an order that rests never gets a better price than was printed"
    for trade_id, count in venue.given().items():
        given_of[trade_id] += count
    for trade_id, units in given_of.items():
        assert units <= told[trade_id].count, "no printed contract is given twice"


CHANGES = st.lists(
    st.tuples(st.booleans(), st.integers(37, 44), st.integers(-9, 9), st.booleans()), max_size=30
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=CHANGES, choices=CHOICES)
def test_no_more_is_taken_from_a_book_than_was_told_to_be_there(
    changes: list[tuple[bool, int, int, bool]], choices: list[tuple[bool, int, int, Style]]
) -> None:
    news: list[Seen] = [BookSeen(at(1), MARKET, {3_900: 500}, {4_200: 500})]
    there: Counter[tuple[bool, int]] = Counter({(True, 3_900): 500, (False, 4_200): 500})
    levels = Counter(there)
    printed: dict[TradeId, int] = {}
    for number, (is_bid, cents, contracts, traded) in enumerate(changes):
        level = (is_bid, cents * 100)
        change = max(-levels[level], contracts * 100)
        if not change:
            continue
        levels[level] += change
        if change > 0:
            there[level] += change
        elif traded:
            seen = trade(number, 2 + number, cents, -change // 100, buyer=not is_bid)
            printed[seen.trade_id] = seen.count
            news.append(seen)
        news.append(LevelSeen(at(2 + number), MARKET, is_bid, cents * 100, change))

    venue, done = play(of_books(*news), Restless(choices))

    assert done.closes, done.unproven
    by_print: Counter[TradeId] = Counter()
    taken = 0
    for fill in venue.heard.fills.values():
        if fill.trade_id in printed:
            by_print[fill.trade_id] += fill.count.units
        else:
            taken += fill.count.units
    assert all(count <= printed[name] for name, count in by_print.items())
    assert taken <= sum(there.values())


# -- the time that a replay goes through ----------------------------------------------------------

OTHER = Ticker("KXRAIN-27-NY")


class Watching(Scripted):
    """Looks once a minute, counts how often, and does what its script says."""

    def __init__(self, *script: tuple[float, Order]) -> None:
        super().__init__(*script)
        self.every = MINUTE
        self.looks = 0

    def on_timer(self, desk: Desk) -> Iterable[Wish]:
        self.looks += 1
        yield from super().on_timer(desk)


def lasting(one: ArchivedMarket, *, opens: Instant, closes: Instant) -> ArchivedMarket:
    return replace(one, market=replace(one.market, open_at=opens, close_at=closes))


def test_an_archive_of_months_is_not_gone_through_for_the_hour_that_is_replayed() -> None:
    """A market that was open for two months before, and is open for two months to come."""
    half = replace(market(), result=None, value=None)
    months = lasting(half, opens=Instant(START - 60 * DAY), closes=Instant(CLOSE + 60 * DAY))
    other = replace(months, market=replace(months.market, ticker=OTHER))
    news = BookSeen(at(5), MARKET, {3_900: 500}, {4_000: 500})
    tape = Tape(markets={MARKET: market(), OTHER: other}, books=(news,))
    watching = Watching((60, wish(Side.YES, 41, 5)))

    _, done = play(tape, watching)

    assert DAY // MINUTE <= watching.looks < 2 * DAY // MINUTE
    assert (done.fills, done.settled) == (1, 1), "what is held waits for its outcome"
    assert done.closes, done.unproven


def test_what_is_held_is_paid_however_long_after_the_recording() -> None:
    long = lasting(market(), opens=START, closes=Instant(CLOSE + 60 * DAY))
    news = BookSeen(at(5), MARKET, {3_900: 500}, {4_000: 500})
    watching = Watching((60, wish(Side.YES, 41, 5)))

    _, done = play(Tape(markets={MARKET: long}, books=(news,)), watching)

    assert watching.looks < 20
    assert (done.open_positions, done.profit) == (0, Money.parse("3") - done.fees)


def test_nothing_is_traded_after_the_recording_has_ended() -> None:
    """Nobody knows whether a book that was seen an hour ago is still there."""
    news = BookSeen(at(5), MARKET, {3_900: 500}, {4_000: 500})

    _, done = play(of_books(news), Scripted((3_600, wish(Side.YES, 41, 5))))

    assert (done.sent, done.fills) == (0, 0)


# -- the archive as a tape -----------------------------------------------------------------------


def test_an_archive_replays_as_it_was_told(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    archive = Archive(tmp_path)
    archive.append(Kind.MARKETS, market_columns([market()], START), at=START, writer="1")
    archive.append(
        Kind.SNAPSHOTS,
        {
            "occurred_at": [at(5)],
            "heard_at": [at(5)],
            "ticker": [MARKET],
            "bid_prices": [[3_900]],
            "bid_counts": [[500]],
            "ask_prices": [[4_000]],
            "ask_counts": [[500]],
        },
        at=at(5),
        writer="1",
    )
    tape = archive_tape(archive)

    venue, done = play(tape, Scripted((10, wish(Side.YES, 41, 20))))

    (fill,) = venue.heard.fills.values()
    assert (fill.count, fill.price) == (Count.of_contracts(5), Price.of_cents(40))
    assert done.profit == Money.parse("3") - done.fees
    assert done.closes


def test_the_deepest_fall_is_from_a_peak() -> None:
    equity = [Money.parse(each) for each in ("100", "110", "95", "120", "113")]

    assert drawdown(equity) == Money.parse("15")


def test_a_file_without_the_needed_columns_says_which(tmp_path: Path) -> None:
    pa: Any = pytest.importorskip("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    path = tmp_path / "trades.parquet"
    parquet.write_table(pa.table({"ticker": ["KXA"]}), path)

    with pytest.raises(ConfigError, match="has no column"):
        load_tape(path, path)


@pytest.mark.recorded
def test_real_trades_settle_by_their_real_outcomes(recorded_data: Path) -> None:
    """Five cities' temperatures in four days of August 2024, 2,300 trades."""
    folder = recorded_data / "history"
    tape = load_tape(
        folder / "weather5_trades_to_2024-12.parquet",
        folder / "weather5_markets_to_2024-12.parquet",
        until="2024-08-20",
    )
    (strategy,) = load_strategies(
        str(Path(__file__).parents[2] / "examples" / "strategies" / "fade_longshots.py")
    )

    venue, done = play(tape, strategy)

    assert len(tape.trades) > 2_000
    assert done.fills > 10
    assert done.closes, done.unproven
    assert done.open_positions == 0
    for (_, ticker), settled in venue.heard.settled.items():
        assert settled.result is tape.markets[ticker].result
