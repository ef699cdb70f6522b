"""Backtests and sweeps as they are typed: what they say, and that Ctrl-C ends them with a part."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typing_user import User

pytest.importorskip("pyarrow")

STRATEGY = """
import signal

from trueup import Count, Price, Strategy, buy_yes

STOPS_AT = {stops_at!r}


class Cheap(Strategy):
    name = "cheap"

    def __init__(self, *, below: Price = Price.parse("0.40")):
        self.below, self.looks = below, 0

    def on_markets(self, desk, moved):
        self.looks += 1
        if self.looks == STOPS_AT:
            signal.raise_signal(signal.SIGINT)
        for ticker in moved:
            ask = desk.top(ticker).ask
            if ask is not None and ask <= self.below and not desk.net(ticker):
                yield buy_yes(ticker, Count.of_contracts(1), ask, reason="cheap")
"""


def write_recording(folder: Path, *, stops_at: int = 0) -> list[str]:
    """Six markets, one a day, asked 30; and the arguments that name them."""
    markets = ["ticker,event_ticker,open_time,close_time,result"]
    quotes = ["captured_at,ticker,yes_bid,yes_ask"]
    for day in range(1, 7):
        ticker = f"KXRAIN-26OCT0{day}-NY"
        times = f"2026-10-0{day}T00:00:00Z,2026-10-0{day}T20:00:00Z"
        markets.append(f"{ticker},{ticker[:-3]},{times},{'yes' if day < 5 else 'no'}")
        quotes.append(f"2026-10-0{day}T02:00:00Z,{ticker},0.28,0.30")
    quotes.append("2026-10-06T03:00:00Z,KXSNOW-26OCT06-NY,0.28,0.30")
    (folder / "markets.csv").write_text("\n".join(markets))
    (folder / "quotes.csv").write_text("\n".join(quotes))
    (folder / "cheap.py").write_text(STRATEGY.format(stops_at=stops_at))
    return [
        str(folder / "cheap.py"),
        "--quotes",
        str(folder / "quotes.csv"),
        "--markets",
        str(folder / "markets.csv"),
    ]


def test_a_backtest_says_what_it_made_and_what_it_left_out(user: User, tmp_path: Path) -> None:
    typed = user.type("backtest", *write_recording(tmp_path))

    assert typed.code == 0
    assert "6 quotes in 6 markets" in typed.out
    assert "1 of 7 quotes are of markets that markets.csv does not list: left out" in typed.err
    assert "quotes.csv has no sizes: 1.00 is assumed" in typed.err
    assert "The books close" in typed.out


def test_a_backtest_says_how_far_it_is_by_the_time_it_has_gone_through(
    user: User, tmp_path: Path
) -> None:
    """One quote a day: far too few messages to go by."""
    typed = user.type("backtest", *write_recording(tmp_path))

    told = [line for line in typed.err.splitlines() if line.startswith("replaying: ")]
    assert [line.split(",")[0] for line in told] == [
        f"replaying: {part} %" for part in (20, 40, 60, 80, 100)
    ]


def test_a_backtest_that_is_stopped_shows_what_there_is_and_that_it_is_a_part(
    user: User, tmp_path: Path
) -> None:
    """Stopped on the third day, with one position open that has not been paid."""
    arguments = write_recording(tmp_path, stops_at=3)

    typed = user.type("backtest", *arguments)
    assert typed.code == 130
    assert "STOPPED at 2026-10-0" in typed.err
    assert "The books close" in typed.out
    assert "recorded" not in typed.err

    document = user.type("backtest", *arguments, "--json").payload
    assert document["is_whole"] is False
    assert document["messages"] < 6
    assert document["books"]["close"] is True


def test_a_sweep_shows_both_parts_goes_on_where_it_was_and_writes_a_table(
    user: User, tmp_path: Path
) -> None:
    arguments = [*write_recording(tmp_path), "--set", "below=0.20,0.30", "--processes", "1"]
    table = tmp_path / "table.csv"

    first = user.type("sweep", *arguments, "--csv", str(table))
    again = user.type("sweep", *arguments, "--json")

    assert first.code == 0
    assert "2 combinations, each on both parts of the recording, cut at 2026-10-05" in first.out
    assert "2 combinations were tried" in first.out
    assert "partly luck" in " ".join(first.out.split())
    assert "4 of 4 backtests are done" in first.err
    assert "backtests are done" not in again.err, "all four are known from before"
    document = again.payload
    assert (document["tried"], document["backtests_done"]) == (2, 4)
    best, other = document["combinations"]
    assert best["parameters"] == {"below": "0.30"}
    assert best["in_sample"]["profit"] == "2.7412"
    assert best["out_of_sample"]["profit"] == "-0.6294"
    assert (best["in_sample"]["rank"], best["out_of_sample"]["rank"]) == (1, 2)
    assert other["in_sample"]["trades"] == 0
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["below"] for row in rows] == ["0.30", "0.20"]
    assert rows[0]["out_of_sample_profit"] == "-0.6294"


def test_a_sweep_that_is_stopped_keeps_what_is_done(user: User, tmp_path: Path) -> None:
    arguments = write_recording(tmp_path, stops_at=4)
    values = ["--set", "below=0.20,0.30", "--processes", "1"]

    stopped = user.type("sweep", *arguments, *values)

    assert stopped.code == 130
    assert "STOPPED: 0 of 4 backtests are done" in stopped.err
    assert "goes on from here" in stopped.err
