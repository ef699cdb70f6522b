"""Real FedWatch probabilities and real quotes of two venues, through `backtest` in virtual time."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from trueup.core.alerts import AlertKind
from trueup.core.ids import Ticker
from trueup.core.instant import DAY, HOUR, SECOND, Instant, parse_instant
from trueup.core.units import Count, Money, Ratio
from trueup.engine.strategies.anchored import Anchored
from trueup.engine.strategies.arbitrage import Arbitrage
from trueup.engine.strategy import Strategy
from trueup.run.archive.backtest import BacktestOptions, BacktestVenue, backtest_machine
from trueup.run.archive.backtest_report import BacktestReport, report
from trueup.run.archive.signal_files import SignalWish
from trueup.run.archive.tape import Tape
from trueup.run.archive.tape_choice import TapeWish, open_tape

parquet: Any = pytest.importorskip("pyarrow.parquet")
pytestmark = pytest.mark.recorded

UPPER = 450
"""What the Fed did on 7 May 2025: held at 4.25 to 4.50 %."""


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return found


def write(path: Path, header: str, lines: Sequence[tuple[object, ...]]) -> Path:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(header.split(","))
        table.writerows(lines)
    return path


def play(tape: Tape, strategy: Strategy) -> tuple[BacktestVenue, BacktestReport]:
    money = Money.parse("1000")
    venue = BacktestVenue(tape, BacktestOptions(deposit=money))
    venue.play(backtest_machine([strategy], money, venue.options.precision), lambda _: None)
    return venue, report(venue)


def kalshi_of_may(recorded_data: Path, folder: Path) -> tuple[Path, Path]:
    """Quotes at 22:00 UTC of each of the last 60 days, a cent around what the day's prices implied."""
    quotes: list[tuple[object, ...]] = []
    strikes: set[int] = set()
    for row in rows(recorded_data / "history" / "macro_daily_distributions_fed_levels.parquet"):
        if (
            not row["contract_preamble"].endswith("25MAY")
            or not "2025-03-08" <= row["date"] <= "2025-05-06"
        ):
            continue
        levels = {
            round(float(name) * 100) + 25: share / 100
            for name, share in row.items()
            if share and name not in {"date", "contract_preamble", "volume"}
        }
        for strike in range(min(levels) - 25, max(levels) + 1, 25):
            middle = round(100 * sum(share for upper, share in levels.items() if upper > strike))
            if 2 <= middle <= 98:
                strikes.add(strike)
                prices = (f"{(middle - 1) / 100:.2f}", f"{(middle + 1) / 100:.2f}")
                quotes.append((f"{row['date']}T22:00:00Z", ticker_of(strike), *prices))
    markets = [
        (
            ticker_of(strike),
            "KXFED-25MAY",
            "2025-03-08T00:00:00Z",
            "2025-05-07T17:55:00Z",
            "yes" if strike < UPPER else "no",
        )
        for strike in sorted(strikes)
    ]
    return (
        write(folder / "quotes.csv", "captured_at,ticker,yes_bid,yes_ask", quotes),
        write(folder / "markets.csv", "ticker,event_ticker,open_time,close_time,result", markets),
    )


def ticker_of(strike: int) -> str:
    return f"KXFED-25MAY-T{strike // 100}.{strike % 100:02}"


def test_fedwatch_anchors_the_may_decision_and_every_order_knew_its_probability(
    recorded_data: Path, tmp_path: Path
) -> None:
    quotes, markets = kalshi_of_may(recorded_data, tmp_path)
    table = recorded_data / "crossvenue" / "cme_fedwatch_daily_2024-2025.parquet"
    tape = open_tape(
        TapeWish(
            archive=tmp_path,
            quotes=quotes,
            markets=markets,
            category="Economics",
            assumed_size=Count.of_contracts(200),
            signals=SignalWish(files=(table,)),
        )
    )

    venue, done = play(tape, Anchored())

    assert done.closes, done.unproven
    assert done.open_positions == 0
    assert len(venue.heard.placed) >= 5
    known: defaultdict[Ticker, list[Instant]] = defaultdict(list)
    for each in tape.signals:
        known[each.signal.ticker].append(each.known_at)
        # No day's table before its trading day is over.
        assert (each.known_at - SECOND) % DAY == 21 * HOUR
    for placed in venue.heard.placed:
        if not placed.intent.only_reduce:
            at = next(
                d.at
                for d in venue.heard.decisions
                if d.client_order_id == placed.intent.client_order_id
            )
            assert any(at - DAY <= when <= at for when in known[placed.intent.ticker])


def test_recorded_quotes_of_two_venues_are_told_when_they_were_seen(
    recorded_data: Path, tmp_path: Path
) -> None:
    """One file is both: Kalshi's quotes as the tape and Polymarket's as the signals."""
    both = recorded_data / "crossvenue" / "headless_kalshi_polymarket_macro_2026-07.parquet"
    table = rows(both)
    pairs = {row["kalshi_ticker"]: row["poly_market_id"] for row in table if row["poly_market_id"]}
    (tmp_path / "pairs.toml").write_text(
        "".join(
            f'[[pair]]\nticker = "{ticker}"\nmarket_id = "{there}"\nyes_is = "Yes"\n'
            'source = "the statement"\ntime = "the meeting"\nrules = "the same buckets"\n'
            'checked_by = "the recorder"\nchecked_on = 2026-07-06\n'
            for ticker, there in pairs.items()
        )
    )
    markets = write(
        tmp_path / "markets.csv",
        "ticker,event_ticker,open_time,close_time,result",
        [
            (ticker, ticker.rpartition("-")[0], "2026-07-05T00:00:00Z", "2026-07-24T00:00:00Z", "")
            for ticker in sorted(pairs)
        ],
    )
    tape = open_tape(
        TapeWish(
            archive=tmp_path,
            quotes=both,
            markets=markets,
            category="Economics",
            assumed_size=Count.of_contracts(100),
            signals=SignalWish(
                files=(both,), mapping=tmp_path / "pairs.toml", assumed_size=Ratio(100)
            ),
        )
    )

    venue, done = play(tape, Arbitrage())

    told = [each for each in done.alerts if each.kind is AlertKind.OPPORTUNITY]
    seen = sorted({parse_instant(row["captured_at"]) for row in table})
    assert len(told) > 50
    for each in told:
        # Told within two seconds after both were looked at, never before.
        last = seen[bisect_right(seen, each.at) - 1]
        assert SECOND <= each.at - last <= 2 * SECOND
    assert not venue.heard.placed, "it tells; it does not trade"
    assert done.closes
