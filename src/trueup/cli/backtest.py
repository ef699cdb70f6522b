"""`backtest`: a strategy against what was recorded, settled by what really happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.archive import SinceOption, UntilOption, open_archive
from trueup.cli.common import Invocation, command, lead
from trueup.cli.output import moment
from trueup.core.errors import ConfigError
from trueup.core.instant import SECOND
from trueup.core.units import Count, Money
from trueup.engine.strategy import Strategy
from trueup.run.archive.backtest import BacktestOptions, BacktestVenue, Progress, backtest_machine
from trueup.run.archive.backtest_report import BacktestReport, StrategyResult, report
from trueup.run.archive.tape import Tape
from trueup.run.archive.tape_files import load_tape
from trueup.run.archive.tape_of_archive import archive_tape
from trueup.run.bot.strategy_files import STRATEGIES, load_strategies
from trueup.run.desk import DeskSettings
from trueup.sim.conditions import CALM, Span
from trueup.store.archive import Archive

_EXIT_OPEN = 1
_MILLISECOND = 1_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "backtest")(backtest)


def backtest(
    invocation: Invocation,
    strategy: Annotated[
        str, typer.Argument(help=f"A Python file, or one of {', '.join(STRATEGIES)}.")
    ],
    *,
    trades: Annotated[
        Path | None, typer.Option("--trades", help="A Parquet file of public trades.")
    ] = None,
    markets: Annotated[
        Path | None, typer.Option("--markets", help="A Parquet file of their markets and results.")
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option("--archive", help="A market archive (default: this venue's own)."),
    ] = None,
    since: SinceOption = "",
    until: UntilOption = "",
    ticker: Annotated[
        list[str] | None, typer.Option("--ticker", help="Only these markets of an archive.")
    ] = None,
    category: Annotated[
        str, typer.Option("--category", help="The category of markets that do not say theirs.")
    ] = "",
    capital: Annotated[str, typer.Option("--capital", help="Dollars to begin with.")] = "1000",
    reach: Annotated[
        float,
        typer.Option(
            "--reach", help="Seconds before a trade in which its contracts count as offered.", min=0
        ),
    ] = 30,
    ahead: Annotated[
        str,
        typer.Option("--ahead", help="Contracts to assume ahead where no book was recorded."),
    ] = "",
    latency: Annotated[
        int, typer.Option("--latency", help="Milliseconds to the exchange, and back again.", min=0)
    ] = 50,
    seed: Annotated[int, typer.Option("--seed", help="Another run of chance.")] = 1,
) -> None:
    """Trade a recording: trueup backtest momentum --trades T.parquet --markets M.parquet."""
    settings, money = lead(invocation), Money.parse(capital)
    strategies = load_strategies(strategy)
    files = _Files(trades, markets, archive, category)
    tape = _tape(settings, files, since=since, until=until, tickers=ticker or [])
    way = Span(latency * _MILLISECOND // 2, latency * _MILLISECOND * 3 // 2)
    options = BacktestOptions(
        deposit=money,
        reach=int(reach * SECOND),
        assumed_ahead=Count.parse(ahead) if ahead else None,
        conditions=replace(CALM, way=way),
        precision=settings.precision,
        seed=seed,
    )
    done = _play(invocation, tape, options, strategies)
    _show(invocation, tape, done)
    if not done.closes:
        invocation.exit_code = _EXIT_OPEN


@dataclass(frozen=True, slots=True)
class _Files:
    """Where the tape is."""

    trades: Path | None
    markets: Path | None
    archive: Path | None
    category: str


def _play(
    invocation: Invocation, tape: Tape, options: BacktestOptions, strategies: Sequence[Strategy]
) -> BacktestReport:
    output = invocation.output
    output.say(tape.words)
    for note in tape.notes:
        output.notice(note)
    venue = BacktestVenue(tape, options)
    with output.progress("replaying") as line:
        before = 0

        def told(progress: Progress) -> None:
            nonlocal before
            line.step(f"replaying, at {moment(progress.at)}", progress.told - before)
            before = progress.told

        venue.play(backtest_machine(strategies, options.deposit, options.precision), told)
    return report(venue)


def _tape(
    settings: DeskSettings, files: _Files, *, since: str, until: str, tickers: list[str]
) -> Tape:
    trades, markets = files.trades, files.markets
    if (trades is None) is not (markets is None):
        raise ConfigError(
            "trades and their markets come in two files, and one was named",
            remedy="Name both: --trades FILE --markets FILE.",
        )
    if trades is not None and markets is not None:
        return load_tape(trades, markets, category=files.category, since=since, until=until)
    kept = open_archive(settings) if files.archive is None else Archive(files.archive)
    tape = archive_tape(kept, since=since, until=until, tickers=tickers)
    if not tape.markets:
        raise ConfigError(
            f"{kept.folder} holds nothing that could be replayed",
            remedy="Record something (`trueup record`), download it (`trueup history download`), "
            "or name files: --trades, --markets.",
        )
    return tape


# -- what came of it ---------------------------------------------------------------------------


def _show(invocation: Invocation, tape: Tape, done: BacktestReport) -> None:
    output = invocation.output
    output.result(
        {
            "tape": tape.words,
            "notes": tape.notes,
            "began_at": moment(done.began_at),
            "ended_at": moment(done.ended_at),
            "deposit": done.deposit,
            "cash": done.cash,
            "profit": done.profit,
            "net_return": done.net_return,
            "fees": done.fees,
            "drawdown": done.drawdown,
            "messages": done.told,
            "messages_passed_by": done.passed_by,
            "orders_sent": done.sent,
            "wishes_refused": done.refused,
            "refusals": dict(done.refusals),
            "fills": done.fills,
            "contracts": done.contracts,
            "markets_settled": done.settled,
            "open_positions": done.open_positions,
            "strategies": [_row(each) for each in done.strategies],
            "books": {
                "close": done.closes,
                "intervals": done.intervals,
                "unproven": list(done.unproven),
            },
            "equity": [{"at": moment(at), "value": value} for at, value in done.equity],
        }
    )
    output.table(
        ["strategy", "profit", "fees", "fills", "contracts", "trades", "won", "slippage"],
        [
            (
                each.name,
                each.profit,
                each.fees,
                each.fills,
                each.contracts,
                each.trades,
                each.winners,
                each.slippage,
            )
            for each in done.strategies
        ],
        right=["profit", "fees", "fills", "contracts", "trades", "won", "slippage"],
    )
    output.say(
        f"{done.told:,} messages, {done.sent:,} orders, {done.fills:,} fills, "
        f"{done.settled} markets settled with something held"
    )
    output.say(
        f"${done.deposit.dollars()} became ${(done.deposit + done.profit).dollars()}; "
        f"deepest fall ${done.drawdown.dollars()}"
    )
    if done.closes:
        output.say(
            f"The books close: {done.intervals} intervals, every movement of cash is explained."
        )
        return
    output.notice("The books do NOT close:")
    for words in done.unproven[:20]:
        output.notice(f"  {words}")


def _row(each: StrategyResult) -> dict[str, object]:
    return {
        "name": each.name,
        "profit": each.profit,
        "fees": each.fees,
        "fills": each.fills,
        "contracts": each.contracts,
        "trades": each.trades,
        "winners": each.winners,
        "losers": each.losers,
        "mean_winner": each.mean_winner,
        "mean_loser": each.mean_loser,
        "slippage": each.slippage,
    }
