"""`sweep`: a strategy's parameters against a recording, chosen on one part and judged on another."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from typing import Annotated, Final

import typer

from trueup.cli.common import EXIT_INTERRUPTED, Invocation, command, lead
from trueup.cli.output import Output
from trueup.cli.replaying import RecordingOptions, TradingOptions
from trueup.core.errors import ConfigError
from trueup.core.units import Ratio
from trueup.run.archive.sweep import (
    Figures,
    Measure,
    Part,
    Result,
    Row,
    Run,
    Sweep,
    begin_results,
    ranked,
    read_results,
    run_all,
    split_of,
    write_result,
)
from trueup.run.archive.sweep_grid import combinations, read_grid, words_of
from trueup.run.archive.tape_choice import TapeWish, open_tape
from trueup.run.bot.strategy_files import STRATEGIES
from trueup.run.config import make_home
from trueup.run.desk import DeskSettings

StrategyArgument = Annotated[
    str, typer.Argument(help=f"A Python file, or one of {', '.join(STRATEGIES)}.")
]
ValuesOption = Annotated[list[str] | None, typer.Option("--set", help="Values to try: name=a,b,c.")]
GridOption = Annotated[
    Path | None, typer.Option("--grid", help='A TOML file of them: name = ["a", "b"].')
]
SplitOption = Annotated[
    str,
    typer.Option(
        "--split", help="First UTC day of the part to be judged on (default: two thirds are over)."
    ),
]
ByOption = Annotated[Measure, typer.Option("--by", help="What combinations are put in order by.")]
ProcessesOption = Annotated[
    int, typer.Option("--processes", help="How many at once (default: all processors).", min=0)
]
ResultsOption = Annotated[
    Path | None, typer.Option("--results", help="Where results are kept (default: in the home).")
]
CsvOption = Annotated[Path | None, typer.Option("--csv", help="Also write the table there.")]

_EXIT_OPEN: Final = 1
_SHOWN_MAX: Final = 25


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "sweep")(sweep)


def sweep(
    invocation: Invocation,
    strategy: StrategyArgument,
    *,
    parameters: ValuesOption = None,
    grid: GridOption = None,
    split: SplitOption = "",
    by: ByOption = Measure.PROFIT,
    processes: ProcessesOption = 0,
    results: ResultsOption = None,
    csv_file: CsvOption = None,
    recording: RecordingOptions,
    trading: TradingOptions,
) -> None:
    """Try parameters: trueup sweep threshold --set buy_below=0.30,0.40 --trades T --markets M.

    Each run is a backtest.  The recording is cut in two: choose on the first part, and see on
    the second what the choice was worth.  Stopped, it goes on where it was.
    """
    settings = lead(invocation, replays=True)
    wish = recording.wish(settings)
    chosen = Sweep(
        strategy=strategy,
        tape=wish,
        options=trading.wish(settings),
        combinations=combinations(read_grid(parameters or [], grid)),
        split=_cut(invocation.output, wish, split),
    )
    done = _Sweeping(invocation, chosen, chosen.runs(), results or _place(settings, chosen))
    is_whole = done.run(processes or cpu_count() or 1)
    _show(invocation, done, by, csv_file)
    if any(each.figures.unproven for each in done.found()):
        invocation.exit_code = _EXIT_OPEN
    if not is_whole:
        invocation.exit_code = EXIT_INTERRUPTED


def _place(settings: DeskSettings, sweep: Sweep) -> Path:
    """Where the results of a sweep are kept unless another place is named."""
    make_home(settings.home)
    return settings.home / "sweeps" / f"{sweep.name}.jsonl"


def _cut(output: Output, wish: TapeWish, split: str) -> str:
    """Where the recording is cut in two; says what it holds."""
    with output.progress("reading the recording"):
        tape = None if wish.markets is None else open_tape(wish)
        cut = split_of(wish, split, tape)
    if tape is not None:
        output.say(tape.words)
        for note in tape.notes:
            output.notice(note)
    return cut


@dataclass(slots=True)
class _Sweeping:
    """A sweep under way, with what was run before and since."""

    invocation: Invocation
    sweep: Sweep
    runs: Sequence[Run]
    path: Path
    done: dict[str, Result]

    def __init__(
        self, invocation: Invocation, sweep: Sweep, runs: Sequence[Run], path: Path
    ) -> None:
        self.invocation, self.sweep, self.runs, self.path = invocation, sweep, runs, path
        self.done = read_results(path)

    def found(self) -> list[Result]:
        """What there is of this sweep."""
        return [self.done[run.key] for run in self.runs if run.key in self.done]

    def run(self, processes: int) -> bool:
        """Run what is missing; `False` when the user stopped it."""
        output = self.invocation.output
        missing = [run for run in self.runs if run.key not in self.done]
        known = len(self.runs) - len(missing)
        output.say(
            f"{len(self.sweep.combinations)} combinations, each on both parts of the recording, "
            f"cut at {self.sweep.split}: {len(self.runs)} backtests"
            + (f", {known} of them known from before" if known else "")
        )
        output.say(f"Results are kept in {self.path}")
        with (
            begin_results(self.path) as file,
            output.progress("backtests", total=len(missing)) as line,
        ):
            try:
                for number, result in enumerate(run_all(missing, processes=processes), 1):
                    write_result(file, result)
                    self.done[result.key] = result
                    line.step(f"backtest of {words_of(result.parameters)}", 1)
                    if not line.is_shown:
                        output.notice(f"{number} of {len(missing)} backtests are done")
            except KeyboardInterrupt:
                return False
        return True


# -- what came of it ---------------------------------------------------------------------------


def _show(invocation: Invocation, done: _Sweeping, by: Measure, csv_file: Path | None) -> None:
    output, found = invocation.output, done.found()
    rows = ranked(done.sweep, done.runs, done.done, by)
    output.result(
        {
            "strategy": done.sweep.strategy,
            "split": done.sweep.split,
            "by": by.value,
            "tried": len(done.sweep.combinations),
            "backtests": len(done.runs),
            "backtests_done": len(found),
            "results": str(done.path),
            "combinations": [_row(row) for row in rows],
        }
    )
    if csv_file is not None:
        _write_csv(csv_file, rows)
        output.say(f"The table is in {csv_file}")
    figures = ["profit", "trades", "deepest fall", "rank"]
    columns = [*figures, *(f"{each}, judged" for each in figures)]
    output.table(
        ["parameters", *columns],
        [
            (
                words_of(row.parameters),
                *_cells(row.in_sample, row.rank_in),
                *_cells(row.out_of_sample, row.rank_out),
            )
            for row in rows[:_SHOWN_MAX]
        ],
        right=columns,
    )
    if len(rows) > _SHOWN_MAX:
        output.say(f"{len(rows) - _SHOWN_MAX} more are in --json and --csv")
    _say_what_it_means(invocation, done, rows, by)


def _say_what_it_means(
    invocation: Invocation, done: _Sweeping, rows: Sequence[Row], by: Measure
) -> None:
    output, tried = invocation.output, len(rows)
    if len(done.found()) < len(done.runs):
        output.notice(
            f"STOPPED: {len(done.found())} of {len(done.runs)} backtests are done, and ranks are "
            "among those. The same command goes on from here."
        )
    best = rows[0]
    if best.in_sample is not None and best.out_of_sample is not None:
        output.say(
            f"{tried} combinations were tried, put in order by {by.value} before "
            f"{done.sweep.split}. The best made ${best.in_sample.profit.dollars()} there and "
            f"${best.out_of_sample.profit.dollars()} from then on, where it is number "
            f"{best.rank_out}."
        )
        output.say(
            f"The best of {tried} is partly luck where it was chosen. Only the part that is judged on "
            "counts, and only the first time: who chooses by it, too, has no judge left."
        )
    for result in done.found():
        words = words_of(result.parameters)
        if result.figures.trouble:
            output.notice(f"{words}: {result.figures.trouble}")
        for each in result.figures.unproven:
            output.notice(f"{words}: the books do NOT close: {each}")


def _cells(figures: Figures | None, rank: int | None) -> tuple[object, ...]:
    if figures is None:
        return (None, None, None, None)
    return (figures.profit, figures.trades, figures.drawdown, rank)


def _row(row: Row) -> dict[str, object]:
    return {
        "parameters": row.parameters,
        Part.IN_SAMPLE.value: _figures(row.in_sample, row.rank_in),
        Part.OUT_OF_SAMPLE.value: _figures(row.out_of_sample, row.rank_out),
    }


def _figures(figures: Figures | None, rank: int | None) -> dict[str, object] | None:
    if figures is None:
        return None
    return {
        "rank": rank,
        "profit": figures.profit,
        "net_return": Ratio(figures.profit.units, figures.deposit.units or 1),
        "fees": figures.fees,
        "drawdown": figures.drawdown,
        "orders": figures.orders,
        "fills": figures.fills,
        "trades": figures.trades,
        "winners": figures.winners,
        "open_positions": figures.open_positions,
        "books_close": not figures.unproven,
        "trouble": figures.trouble,
    }


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    figures = ("rank", "profit", "fees", "drawdown", "fills", "trades", "winners")
    names = list(rows[0].parameters)
    header = [*names, *(f"{part.value}_{each}" for part in Part for each in figures)]
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(header)
            for row in rows:
                cells = [words_of({name: row.parameters[name]}).partition("=")[2] for name in names]
                for part, rank in ((row.in_sample, row.rank_in), (row.out_of_sample, row.rank_out)):
                    shown = _figures(part, rank) or {}
                    cells += [_text(shown.get(each)) for each in figures]
                table.writerow(cells)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}", remedy="Name another file: --csv FILE."
        ) from error


def _text(value: object) -> str:
    return "" if value is None else str(value)
