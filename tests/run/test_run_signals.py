"""Signals of files in a backtest: given when they were known, and never earlier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trueup.core.alerts import AlertKind
from trueup.core.errors import ConfigError
from trueup.core.ids import Ticker
from trueup.core.instant import HOUR, MINUTE, SECOND, Instant, format_instant, parse_instant
from trueup.core.units import Count, Money, Price, Ratio
from trueup.engine.signals import AnchorSignal, NewsSignal, Signal, VenueQuote
from trueup.engine.strategies.anchored import Anchored
from trueup.engine.strategies.arbitrage import Arbitrage
from trueup.engine.strategy import Desk, Strategy
from trueup.engine.wishes import Wish
from trueup.run.archive.backtest import BacktestOptions, BacktestVenue, backtest_machine
from trueup.run.archive.backtest_report import BacktestReport, report
from trueup.run.archive.signal_files import SignalWish, read_signals
from trueup.run.archive.tape import KnownSignal, Tape
from trueup.run.archive.tape_choice import TapeWish, open_tape
from trueup.run.archive.tape_files import load_quotes_tape

pytest.importorskip("pyarrow")

DAY = parse_instant("2026-10-06T00:00:00Z")
CLOSES = Instant(DAY + 60 * HOUR)
LEVEL = Ticker("KXFED-26DEC-T3.75")
HOLD = Ticker("KXFEDDECISION-26DEC-H0")
MAPPING = """
[[pair]]
ticker = "KXFEDDECISION-26DEC-H0"
market_id = "77"
yes_is = "Yes"
source = "Both settle by the FOMC's statement."
time = "Both close before the statement."
rules = "Both ask for no change of the upper bound."
checked_by = "ada"
checked_on = 2026-10-01
"""


def at(hours: float) -> Instant:
    return Instant(DAY + round(hours * HOUR))


class Listening(Strategy):
    """Remembers when it heard what."""

    name = "listening"

    def __init__(self) -> None:
        self.heard: list[tuple[Instant, Signal]] = []

    def on_signal(self, desk: Desk, signal: Signal) -> Iterable[Wish]:
        self.heard.append((desk.now, signal))
        return ()


def write_markets(folder: Path, *, result: str = "yes") -> Path:
    path = folder / "markets.csv"
    rows = [
        f"{ticker},{ticker.rpartition('-')[0]},2026-10-05T00:00:00Z,{format_instant(CLOSES)},{result}"
        for ticker in (LEVEL, HOLD)
    ]
    path.write_text("\n".join(("ticker,event_ticker,open_time,close_time,result", *rows)))
    return path


def write_quotes(folder: Path, ticker: Ticker, rows: Sequence[tuple[float, str, str]]) -> Path:
    """Best bid and ask at hours after the beginning."""
    path = folder / "quotes.csv"
    lines = [f"{format_instant(at(when))},{ticker},{bid},{ask}" for when, bid, ask in rows]
    path.write_text("\n".join(("captured_at,ticker,yes_bid,yes_ask", *lines)))
    return path


def write_probabilities(folder: Path, *rows: tuple[str, int]) -> Path:
    """On each day, in percent, how likely 4.00 % is after the December meeting; 3.75 % has the rest."""
    path = folder / "fedwatch.csv"
    lines = [
        f"{day},2026-12-09,375-400,0.{likely:02}\n{day},2026-12-09,350-375,0.{100 - likely:02}"
        for day, likely in rows
    ]
    path.write_text("\n".join(("date,meeting,range_bp,prob", *lines)))
    return path


def wish(folder: Path, quotes: Path, **signals: Any) -> TapeWish:
    return TapeWish(
        archive=folder,
        quotes=quotes,
        markets=folder / "markets.csv",
        category="Economics",
        assumed_size=Count.of_contracts(50),
        signals=SignalWish(**signals),
    )


def play(tape: Tape, strategy: Strategy) -> tuple[BacktestVenue, BacktestReport]:
    money = Money.parse("1000")
    venue = BacktestVenue(tape, BacktestOptions(deposit=money))
    venue.play(backtest_machine([strategy], money, venue.options.precision), lambda _: None)
    return venue, report(venue)


# -- when something is known ---------------------------------------------------------------------


def test_a_day_s_probabilities_are_known_when_its_trading_is_over(tmp_path: Path) -> None:
    write_markets(tmp_path)
    quotes = write_quotes(tmp_path, LEVEL, [(1, "0.49", "0.51"), (47, "0.49", "0.51")])
    table = write_probabilities(tmp_path, ("2026-10-06", 80), ("2026-10-07", 70))
    strategy = Listening()

    _, done = play(open_tape(wish(tmp_path, quotes, files=(table,))), strategy)

    ours = [(when, s) for when, s in strategy.heard if s.ticker == LEVEL]
    assert [when for when, _ in ours] == [
        parse_instant("2026-10-06T21:00:01Z"),
        parse_instant("2026-10-07T21:00:01Z"),
    ]
    assert [s.probability for _, s in ours if isinstance(s, AnchorSignal)] == [
        Ratio(8, 10),
        Ratio(7, 10),
    ]
    assert done.signals == len(strategy.heard)


def test_a_later_feed_is_heard_later(tmp_path: Path) -> None:
    table = write_probabilities(tmp_path, ("2026-10-06", 80))

    read = read_signals(SignalWish(files=(table,), delay=15 * MINUTE))

    assert {each.known_at for each in read.signals} == {parse_instant("2026-10-06T21:15:00Z")}
    assert {each.signal.at for each in read.signals} == {parse_instant("2026-10-06T21:00:00Z")}


def test_what_was_known_before_the_beginning_stands_and_old_news_do_not(tmp_path: Path) -> None:
    write_markets(tmp_path)
    quotes = write_quotes(tmp_path, LEVEL, [(20, "0.49", "0.51")])
    tape = load_quotes_tape(quotes, tmp_path / "markets.csv", assumed_size=Count.of_contracts(1))
    begin = min(one.market.open_at or DAY for one in tape.markets.values())

    def anchor(hours: float, percent: int) -> KnownSignal:
        when = Instant(begin - round(hours * HOUR))
        signal = AnchorSignal(
            ticker=LEVEL, probability=Ratio(percent, 100), source="FedWatch", at=when
        )
        return KnownSignal(when, signal)

    story: Any = NewsSignal(
        signal_id="1",
        ticker=LEVEL,
        direction="positive",  # type: ignore[arg-type]
        confidence=Ratio(9, 10),
        headline="Old",
        source="file",
        at=Instant(begin - HOUR),
    )
    signals = (anchor(50, 60), anchor(26, 70), KnownSignal(story.at, story))
    strategy = Listening()

    play(Tape(markets=tape.markets, books=tape.books, signals=signals), strategy)

    assert [s for _, s in strategy.heard] == [anchor(26, 70).signal]


# -- what comes later changes nothing before -----------------------------------------------------

QUOTES = st.lists(
    st.tuples(st.integers(1, 40), st.integers(30, 60), st.integers(1, 4)), min_size=2, max_size=12
)
LIKELY = st.lists(st.integers(20, 80), min_size=3, max_size=3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=QUOTES, likely=LIKELY, other=LIKELY, cut=st.integers(1, 59))
def test_decisions_before_a_moment_do_not_depend_on_what_is_known_after_it(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, int, int]],
    likely: list[int],
    other: list[int],
    cut: int,
) -> None:
    folder = tmp_path_factory.mktemp("causal")
    write_markets(folder)
    days = ("2026-10-05", "2026-10-06", "2026-10-07")
    moment = at(cut)

    def sent(percents: Sequence[int], quotes: Sequence[tuple[float, str, str]]) -> list[Any]:
        table = write_probabilities(folder, *zip(days, percents, strict=True))
        prices = write_quotes(folder, LEVEL, quotes)
        venue, done = play(open_tape(wish(folder, prices, files=(table,))), Anchored())
        assert done.closes, done.unproven
        return [
            (each.at, each.wish, each.verdict) for each in venue.heard.decisions if each.at < moment
        ]

    quotes = sorted(
        (float(hour), f"{cents / 100:.2f}", f"{(cents + gap) / 100:.2f}")
        for hour, cents, gap in {row[0]: row for row in rows}.values()
    )
    changed = [row if at(row[0]) < moment else (row[0], "0.02", "0.03") for row in quotes]
    known = [parse_instant(f"{day}T21:00:01Z") for day in days]
    later = [b if when >= moment else a for a, b, when in zip(likely, other, known, strict=True)]

    assert sent(likely, quotes) == sent(later, changed)


# -- the strategies ------------------------------------------------------------------------------


def test_the_anchored_strategy_trades_when_the_probability_is_known_and_not_before(
    tmp_path: Path,
) -> None:
    """Offered at 51 all day; at 21:00 FedWatch says 80 %, and with the next quote 2 % of $1,000
    are bought: 39 at 51, which win 49 cents each."""
    write_markets(tmp_path)
    quotes = write_quotes(
        tmp_path, LEVEL, [(1, "0.49", "0.51"), (20, "0.50", "0.51"), (30, "0.50", "0.51")]
    )
    table = write_probabilities(tmp_path, ("2026-10-06", 80))

    venue, done = play(open_tape(wish(tmp_path, quotes, files=(table,))), Anchored())

    first, *_ = venue.heard.fills.values()
    assert at(30) <= first.at < Instant(at(30) + SECOND)
    assert (first.price, first.count) == (Price.of_cents(51), Count.of_contracts(39))
    assert done.closes
    assert done.profit == Money.parse("19.11") - done.fees


def test_an_arbitrage_is_told_where_both_venues_were_quoted_together(tmp_path: Path) -> None:
    """YES here at 60, NO there for 1 - 0.70 = 0.30: both for 90 cents."""
    write_markets(tmp_path)
    (tmp_path / "pairs.toml").write_text(MAPPING)
    quotes = write_quotes(tmp_path, HOLD, [(1, "0.58", "0.60"), (2, "0.69", "0.71")])
    there = tmp_path / "there.csv"
    one, two = format_instant(at(1)), format_instant(at(2))
    there.write_text(
        "captured_at,market_id,bid,ask,is_open\n"
        f"{one},77,0.70,0.71,True\n{two},77,0.70,0.71,True\n{two},77,0.10,0.71,False\n{one},78,0.1,0.2,True\n"
    )
    tape = open_tape(wish(tmp_path, quotes, files=(there,), mapping=tmp_path / "pairs.toml"))

    venue, done = play(tape, Arbitrage())

    (told,) = [each for each in done.alerts if each.kind is AlertKind.OPPORTUNITY]
    assert at(1) < told.at < Instant(at(1) + 2 * SECOND)
    assert "both for 0.9" in told.words
    assert not venue.heard.placed
    assert any(
        "1 quotes of there.csv of markets that pairs.toml does not map" in n for n in tape.notes
    )
    assert any("1 quotes of there.csv that are closed" in n for n in tape.notes)
    assert any("there.csv has no sizes" in n for n in tape.notes)


def test_quotes_of_another_venue_need_the_reasons_why_they_settle_alike(tmp_path: Path) -> None:
    path = tmp_path / "there.csv"
    path.write_text("captured_at,market_id,bid,ask\n2026-10-06T01:00:00Z,77,0.70,0.71\n")

    with pytest.raises(ConfigError, match="nothing says which markets settle alike"):
        read_signals(SignalWish(files=(path,)))


def test_quotes_in_cents_are_refused_and_make_no_opportunity(tmp_path: Path) -> None:
    (tmp_path / "pairs.toml").write_text(MAPPING)
    path = tmp_path / "there.csv"
    path.write_text("captured_at,market_id,bid,ask\n2026-10-06T01:00:00Z,77,70,71\n")

    with pytest.raises(ConfigError, match="row 1: 70 is no price in dollars"):
        read_signals(SignalWish(files=(path,), mapping=tmp_path / "pairs.toml"))


def test_the_outcome_there_may_be_the_other_way_round(tmp_path: Path) -> None:
    (tmp_path / "pairs.toml").write_text(MAPPING.replace('yes_is = "Yes"', 'yes_is = "No"'))
    path = tmp_path / "there.csv"
    path.write_text("captured_at,market_id,bid,ask\n2026-10-06T01:00:00Z,77,0.70,0.71\n")

    (known,) = read_signals(SignalWish(files=(path,), mapping=tmp_path / "pairs.toml")).signals

    assert isinstance(known.signal, VenueQuote)
    assert (known.signal.yes_ask, known.signal.no_ask) == (Ratio(30, 100), Ratio(71, 100))


def test_news_are_known_when_they_say_and_without_a_time_never(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    judged = '"ticker": "KXFED-26DEC-T3.75", "direction": "positive", "confidence": 0.9'
    path.write_text(
        f'{{"headline": "Rates stay", "at": "2026-10-06T14:00:00Z", {judged}}}\n'
        f'{{"headline": "Undated", {judged}}}\n'
    )

    read = read_signals(SignalWish(files=(path,)))

    assert [each.known_at for each in read.signals] == [parse_instant("2026-10-06T14:00:01Z")]
    assert read.notes == ["1 lines of news.jsonl do not say when they were known: not used"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "ticker,when\nKXA,1\n", "neither probabilities nor another venue's quotes"),
        ("b.csv", "date,meeting,range_bp,prob\n2026-10-06,2026-12-09,350-375,0.2\n", "add up to"),
        ("c.json", '{"meetings": {"2026-12-09": {"375": "1"}}}', "when something was told"),
        ("d.jsonl", "{}\n", "line 1"),
    ],
)
def test_a_file_that_makes_no_sense_is_named(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(ConfigError, match=words) as wrong:
        read_signals(SignalWish(files=(path,)))
    assert name in str(wrong.value)
