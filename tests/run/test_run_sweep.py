"""A sweep: every run is the backtest that it says, on parts that share nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.instant import DAY, HOUR, Instant, format_instant, parse_instant
from trueup.core.units import Money
from trueup.run.archive.backtest import BacktestOptions
from trueup.run.archive.backtest_report import run_backtest
from trueup.run.archive.sweep import (
    Figures,
    Measure,
    Part,
    Result,
    Sweep,
    begin_results,
    figures_of,
    ranked,
    read_results,
    run_all,
    run_one,
    split_of,
    write_result,
)
from trueup.run.archive.sweep_grid import (
    Parameters,
    combinations,
    read_grid,
    read_settings,
    words_of,
)
from trueup.run.archive.tape_choice import TapeWish, open_tape
from trueup.run.bot.strategy_files import load_strategies

pytest.importorskip("pyarrow")

FIRST = parse_instant("2026-10-01T00:00:00Z")
STRATEGY = """
from trueup import Count, Price, Strategy, buy_yes


class Cheap(Strategy):
    name = "cheap"

    def __init__(self, *, below: Price = Price.parse("0.40"), count: Count = Count.of_contracts(5)):
        self.below, self.count = below, count

    def on_markets(self, desk, moved):
        for ticker in moved:
            ask = desk.top(ticker).ask
            if ask is not None and ask <= self.below and not desk.net(ticker):
                yield buy_yes(ticker, self.count, ask, reason="cheap")
"""
DAYS = 6


@pytest.fixture
def tape(tmp_path: Path) -> TapeWish:
    """A market a day: asked 30, then 50; on the first four days YES pays, on the last two not."""
    markets = ["ticker,event_ticker,open_time,close_time,result"]
    quotes = ["captured_at,ticker,yes_bid,yes_ask"]
    for day in range(DAYS):
        opens = Instant(FIRST + day * DAY)
        ticker = f"KXRAIN-26OCT0{day + 1}-NY"
        times = ",".join(map(format_instant, (opens, Instant(opens + 20 * HOUR))))
        markets.append(f"{ticker},{ticker[:-3]},{times},{'yes' if day < 4 else 'no'}")
        for hour, bid, ask in ((2, "0.28", "0.30"), (9, "0.48", "0.50")):
            quotes.append(f"{format_instant(Instant(opens + hour * HOUR))},{ticker},{bid},{ask}")
    (tmp_path / "markets.csv").write_text("\n".join(markets))
    (tmp_path / "quotes.csv").write_text("\n".join(quotes))
    (tmp_path / "cheap.py").write_text(STRATEGY)
    return TapeWish(
        archive=tmp_path, quotes=tmp_path / "quotes.csv", markets=tmp_path / "markets.csv"
    )


OPTIONS = BacktestOptions(deposit=Money.parse("1000"))


def sweep_of(tape: TapeWish, *tried: Parameters) -> Sweep:
    return Sweep(
        strategy=str(tape.archive / "cheap.py"),
        tape=tape,
        options=OPTIONS,
        combinations=tried or ({"below": "0.20"}, {"below": "0.30"}, {"below": "0.50"}),
        split="2026-10-05",
    )


def results_of(sweep: Sweep) -> dict[str, Result]:
    return {each.key: each for each in run_all(sweep.runs(), processes=1)}


# -- each run is a backtest ----------------------------------------------------------------------


def test_every_run_is_exactly_the_backtest_of_its_part(tape: TapeWish) -> None:
    sweep = sweep_of(tape)
    days = {
        Part.IN_SAMPLE: {"until": "2026-10-04"},
        Part.OUT_OF_SAMPLE: {"since": "2026-10-05"},
    }

    for run in sweep.runs():
        alone = run_backtest(
            open_tape(
                TapeWish(
                    archive=tape.archive,
                    quotes=tape.quotes,
                    markets=tape.markets,
                    **days[run.part],  # pyright: ignore[reportArgumentType]
                )
            ),
            OPTIONS,
            load_strategies(sweep.strategy, run.parameters),
        )
        assert run_one(run).figures == figures_of(alone)


def test_what_is_best_where_it_was_chosen_is_shown_beside_what_it_did_afterwards(
    tape: TapeWish,
) -> None:
    """One contract a day is there.  At 30 it wins 70 cents a day but for 1.47 of fees; then it
    loses 30 (and at 50 nothing more is bought, for something is held)."""
    sweep = sweep_of(tape)

    rows = ranked(sweep, sweep.runs(), results_of(sweep), Measure.PROFIT)

    assert [words_of(row.parameters) for row in rows] == ["below=0.30", "below=0.50", "below=0.20"]
    best = rows[0]
    assert best.in_sample is not None
    assert best.out_of_sample is not None
    # The fee of one contract at 30: 7 % of 30 × 70 = 1.47 cents, on a direct member's $0.0001.
    assert best.in_sample.profit == Money.parse("2.80") - best.in_sample.fees
    assert best.in_sample.fees == Money.parse("0.0588")
    assert best.out_of_sample.profit == Money.parse("-0.60") - Money.parse("0.0294")
    assert (best.rank_in, best.rank_out) == (1, 2)
    assert (rows[2].rank_in, rows[2].rank_out) == (3, 1)
    assert best.in_sample.trades + best.out_of_sample.trades == DAYS


def test_several_processes_say_the_same_as_one(tape: TapeWish) -> None:
    sweep = sweep_of(tape, {"below": "0.30"})

    found = {each.key: each for each in run_all(sweep.runs(), processes=2)}

    assert found == results_of(sweep)
    assert len(found) == 2


def test_a_process_that_the_machine_ended_is_told_and_not_waited_for(tape: TapeWish) -> None:
    """One that is out of memory is killed without a word: so is this one, by itself."""
    dies = "        os.kill(os.getpid(), signal.SIGKILL)\n        for ticker in moved:"
    source = "import os\nimport signal\n" + STRATEGY.replace("        for ticker in moved:", dies)
    (tape.archive / "cheap.py").write_text(source)
    runs = sweep_of(tape, {"below": "0.30"}).runs()

    with pytest.raises(TrueupError, match="ended from outside") as told:
        list(run_all(runs, processes=2))

    assert "fewer --processes" in told.value.remedy


def test_a_strategy_that_raises_says_so_instead_of_a_profit_of_nothing(tape: TapeWish) -> None:
    (tape.archive / "cheap.py").write_text(STRATEGY.replace("desk.top(ticker)", "desk.nonsense"))
    sweep = sweep_of(tape, {"below": "0.30"})

    for result in results_of(sweep).values():
        assert "nonsense" in result.figures.trouble


# -- stopped and started again -------------------------------------------------------------------


def test_results_are_kept_and_a_line_that_was_cut_off_is_run_again(
    tape: TapeWish, tmp_path: Path
) -> None:
    path, sweep = tmp_path / "kept" / "results.jsonl", sweep_of(tape)
    done = list(results_of(sweep).values())
    with begin_results(path) as file:
        for each in done[:3]:
            write_result(file, each)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])

    assert list(read_results(path).values()) == done[:2]

    with begin_results(path) as file:
        write_result(file, done[2])
    assert path.read_bytes() == whole


def test_a_key_changes_with_everything_that_a_run_depends_on(tape: TapeWish) -> None:
    def keys() -> set[str]:
        return {run.key for run in sweep_of(tape, {"below": "0.30"}, {"below": "0.40"}).runs()}

    before = keys()
    assert len(before) == 4
    assert keys() == before

    (tape.archive / "cheap.py").write_text(STRATEGY.replace('"cheap"', '"cheaper"'))
    other_strategy = keys()
    assert not other_strategy & before

    quotes = tape.archive / "quotes.csv"
    quotes.write_text(f"{quotes.read_text()}\n2026-10-06T10:00:00Z,KXRAIN-26OCT06-NY,0.30,0.32")
    assert not keys() & other_strategy


def test_a_file_that_is_no_results_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\nmore of them\n")

    with pytest.raises(ConfigError, match="line 1, is no result of a sweep"):
        read_results(path)
    assert path.read_text() == "my notes\nmore of them\n"


# -- the grid and the cut ------------------------------------------------------------------------


def test_values_are_combined_and_what_is_typed_counts_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text('below = ["0.30", "0.40"]\nsizing = [{ fixed = 5 }, { percent = "2%" }]\n')

    grid = read_grid(["below=0.20", "executes=true,false"], path)

    assert grid["below"] == ("0.20",)
    assert [words_of(each) for each in combinations(grid)] == [
        "below=0.20 sizing=fixed:5 executes=true",
        "below=0.20 sizing=fixed:5 executes=false",
        "below=0.20 sizing=percent:2% executes=true",
        "below=0.20 sizing=percent:2% executes=false",
    ]


def test_the_example_s_grid_fits_the_example() -> None:
    examples = Path(__file__).parents[2] / "examples"
    tried = combinations(read_grid([], examples / "grids" / "fade_longshots.toml"))

    for parameters in tried:
        load_strategies(str(examples / "strategies" / "fade_longshots.py"), parameters)
    assert len(tried) == 9


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "needs parameters to try"),
        (["below"], "names no parameter"),
        (["below=0.3,,0.4"], "names no parameter"),
        (["below=0.3,0.3"], "same value twice"),
        (["below=0.3", "below=0.4"], "stands there twice"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(texts: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_grid(texts)


def test_too_many_combinations_and_decimals_without_quotes_are_refused(tmp_path: Path) -> None:
    many = ",".join(map(str, range(200)))
    with pytest.raises(ConfigError, match="40,000 combinations are too many"):
        combinations(read_grid([f"a={many}", f"b={many}"]))
    path = tmp_path / "grid.toml"
    path.write_text("below = [0.30]\n")
    with pytest.raises(ConfigError, match="no list of values to try"):
        read_grid([], path)
    with pytest.raises(ConfigError, match="names 2 values"):
        read_settings(["below=0.3,0.4"])


def test_a_parameter_that_the_strategy_does_not_have_is_refused_before_anything_runs(
    tape: TapeWish,
) -> None:
    with pytest.raises(ConfigError, match="beloww: there is no such parameter"):
        sweep_of(tape, {"beloww": "0.30"}).runs()


def test_the_recording_is_cut_after_two_thirds_and_never_beside_it(tape: TapeWish) -> None:
    read = open_tape(tape)

    assert split_of(tape, "", read) == "2026-10-05"
    assert split_of(tape, "2026-10-02", read) == "2026-10-02"
    for wrong in ("2026-10-01", "2026-10-07"):
        with pytest.raises(ConfigError, match="one part of the recording would be empty"):
            split_of(tape, wrong, read)
    with pytest.raises(ConfigError, match="is no day"):
        split_of(tape, "soon", read)


def test_the_parts_share_no_market(tape: TapeWish) -> None:
    first, second = (open_tape(each) for each in sweep_of(tape).parts().values())

    assert len(first.markets) == 4
    assert len(second.markets) == 2
    assert not set(first.markets) & set(second.markets)
    assert {*first.markets, *second.markets} == set(open_tape(tape).markets)


def test_measures_put_the_better_first() -> None:
    def figures(profit: str, drawdown: str, winners: int) -> Figures:
        return Figures(
            profit=Money.parse(profit),
            deposit=Money.parse("1000"),
            fees=Money(0),
            drawdown=Money.parse(drawdown),
            orders=10,
            fills=10,
            trades=10,
            winners=winners,
            open_positions=0,
        )

    rich, calm, lucky = figures("90", "60", 4), figures("50", "5", 5), figures("10", "20", 9)

    def best(by: Measure) -> Figures:
        return max((rich, calm, lucky), key=by.of)

    assert best(Measure.PROFIT) is rich
    assert best(Measure.PROFIT_TO_DRAWDOWN) is calm
    assert best(Measure.DRAWDOWN) is calm
    assert best(Measure.WIN_RATE) is lucky
