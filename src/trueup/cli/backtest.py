"""`backtest`: a strategy against what was recorded, settled by what really happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from trueup.cli.common import EXIT_INTERRUPTED, Invocation, command, lead
from trueup.cli.output import Output, moment
from trueup.cli.replaying import (
    RecordingOptions,
    SetOption,
    TradingOptions,
    replaying,
    stoppable,
)
from trueup.engine.strategy import Strategy
from trueup.run.archive.backtest import BacktestOptions, BacktestVenue, backtest_machine
from trueup.run.archive.backtest_report import TROUBLE, BacktestReport, StrategyResult, report
from trueup.run.archive.sweep_grid import read_settings
from trueup.run.archive.tape import Tape
from trueup.run.archive.tape_choice import open_tape
from trueup.run.bot.strategy_files import STRATEGIES, load_strategies

_EXIT_OPEN = 1


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "backtest")(backtest)


def backtest(
    invocation: Invocation,
    strategy: Annotated[
        str, typer.Argument(help=f"A Python file, or one of {', '.join(STRATEGIES)}.")
    ],
    *,
    recording: RecordingOptions,
    parameters: SetOption = None,
    trading: TradingOptions,
) -> None:
    """Trade a recording: trueup backtest momentum --trades T.parquet --markets M.parquet."""
    settings = lead(invocation, replays=True)
    strategies = load_strategies(strategy, read_settings(parameters or []))
    wish, options = recording.wish(settings), trading.wish(settings)
    with invocation.output.progress("reading the recording"):
        tape = open_tape(wish)
    done = _play(invocation, tape, options, strategies)
    _show(invocation, tape, done)
    if not done.closes:
        invocation.exit_code = _EXIT_OPEN
    if not done.is_whole:
        invocation.exit_code = EXIT_INTERRUPTED


def _play(
    invocation: Invocation, tape: Tape, options: BacktestOptions, strategies: Sequence[Strategy]
) -> BacktestReport:
    output = invocation.output
    output.say(tape.words)
    for note in tape.notes:
        output.notice(note)
    venue = BacktestVenue(tape, options)
    with replaying(output, tape) as told, stoppable(venue.stop):
        venue.play(backtest_machine(strategies, options.deposit, options.precision), told)
    return report(venue)


# -- what came of it ---------------------------------------------------------------------------


def _document(tape: Tape, done: BacktestReport) -> dict[str, object]:
    """All of it, for a program."""
    return {
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
        "signals": done.signals,
        "is_whole": done.is_whole,
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
        "alerts": [
            {"at": moment(each.at), "kind": each.kind.value, "words": each.words}
            for each in done.alerts
        ],
        "equity": [{"at": moment(at), "value": value} for at, value in done.equity],
    }


def _show(invocation: Invocation, tape: Tape, done: BacktestReport) -> None:
    output = invocation.output
    output.result(_document(tape, done))
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
        f"{done.told:,} messages, {done.signals:,} signals, {done.sent:,} orders, {done.fills:,} fills, "
        f"{done.settled} markets settled with something held"
    )
    output.say(
        f"${done.deposit.dollars()} became ${(done.deposit + done.profit).dollars()}; "
        f"deepest fall ${done.drawdown.dollars()}"
    )
    _say_alerts(output, done)
    if not done.is_whole:
        output.notice(
            f"STOPPED at {moment(done.ended_at)}: a part of the recording only. "
            f"{done.open_positions} positions are open and have not been paid."
        )
    if done.closes:
        output.say(
            f"The books close: {done.intervals} intervals, every movement of cash is explained."
        )
        return
    output.notice("The books do NOT close:")
    for words in done.unproven[:20]:
        output.notice(f"  {words}")


def _say_alerts(output: Output, done: BacktestReport) -> None:
    """What the strategy told, and why it was stopped: by kind, with the first of each."""
    kinds = Counter(each.kind for each in done.alerts)
    for kind, number in kinds.most_common():
        first = next(each for each in done.alerts if each.kind is kind)
        words = f"{kind.value}, {number} times, the first at {moment(first.at)}: {first.words}"
        (output.notice if kind in TROUBLE else output.say)(words)


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
