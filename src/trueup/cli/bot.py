"""`bot …`: run strategies, stop them, and prove that nothing rests."""

from __future__ import annotations

import getpass
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.common import (
    Invocation,
    LogJsonOption,
    MetricsPortOption,
    command,
    lead,
)
from trueup.cli.feeds import feeds_of
from trueup.cli.output import moment
from trueup.core.ids import SeriesTicker, Subaccount, Ticker
from trueup.core.instant import MINUTE
from trueup.core.units import Money
from trueup.engine import effects as f
from trueup.run.bot import BotReport, run_bot
from trueup.run.bot_options import BotOptions, plain_options
from trueup.run.bot_places import check_log, decisions_path, kill_path
from trueup.run.clients import open_client
from trueup.run.config import make_home
from trueup.run.decision_log import wish_words
from trueup.run.desk import DeskSettings
from trueup.run.fix_config import order_entry
from trueup.run.killing import kill
from trueup.run.operator import Operator, OperatorOptions
from trueup.run.rearming import rearm
from trueup.run.strategy_files import STRATEGIES, load_strategies, write_template
from trueup.sim.living.built_in import DEFAULT_WORLD

_EXIT_UNPROVEN = 1
_OrderEntry = Annotated[
    str,
    typer.Option(
        "--order-entry", help="By which road orders go out: rest or fix. Default: the config's."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of the bot."""
    group = typer.Typer(
        help="Strategies at work. On the sandbox unless --venue says otherwise.",
        no_args_is_help=True,
    )
    command(group, "run")(run)
    command(group, "kill")(kill_switch)
    command(group, "rearm")(rearm_account)
    command(group, "status")(status)
    command(group, "new-strategy")(new_strategy)
    app.add_typer(group, name="bot")


def run(
    invocation: Invocation,
    strategy: Annotated[
        str, typer.Argument(help=f"A Python file, or one of {', '.join(STRATEGIES)}.")
    ],
    *,
    capital: Annotated[str, typer.Option("--capital", help="Dollars it may tie up.")] = "250",
    ticker: Annotated[
        list[str] | None, typer.Option("--ticker", help="Only these markets.")
    ] = None,
    series: Annotated[
        list[str] | None, typer.Option("--series", help="Only markets of these series.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", help="Stop by itself after so long.", min=0.05)
    ] = None,
    poll: Annotated[
        bool, typer.Option("--poll", help="Poll by REST every 90 s instead of streaming.")
    ] = False,
    world: Annotated[
        str, typer.Option("--world", help="Which living world of the sandbox.")
    ] = DEFAULT_WORLD,
    seed: Annotated[int | None, typer.Option("--seed", help="Another world.")] = None,
    entry: _OrderEntry = "",
    live: Annotated[
        bool, typer.Option("--live", help="One of the three gates for real orders on prod.")
    ] = False,
    metrics_port: MetricsPortOption = 0,
    log_json: LogJsonOption = False,
) -> None:
    """Run a strategy until Ctrl-C: trueup bot run my_bot.py."""
    settings = lead(invocation)
    options = replace(
        plain_options(
            load_strategies(strategy),
            Money.parse(capital),
            tickers=frozenset(
                Ticker(part) for each in ticker or [] for part in each.split(",") if part
            ),
            series=frozenset(SeriesTicker(each) for each in series or []),
            streams=not poll,
        ),
        leave_after=None if minutes is None else int(minutes * MINUTE),
        live=live,
        world=world,
        seed=seed,
        order_entry=order_entry(entry) if entry else None,
    )
    watched = OperatorOptions(role="bot", port=metrics_port, to_stderr=log_json)
    _conclude(invocation, _run_watched(invocation, settings, options, watched))


def _run_watched(
    invocation: Invocation, settings: DeskSettings, options: BotOptions, watched: OperatorOptions
) -> BotReport:
    output = invocation.output

    def started(words: str) -> None:
        output.say(f"{', '.join(options.names)} on {words}")
        output.say(f"every decision goes to {decisions_path(settings)}; Ctrl-C stops")

    with Operator(settings, watched) as operator:
        if operator.address:
            output.say(f"health and metrics at {operator.address}")
        return run_bot(
            settings,
            options,
            said=lambda told: _say(invocation, told),
            started=started,
            attach=[operator.attach],
            beside=[operator.watch, *feeds_of(invocation, settings)],
        )


def _say(invocation: Invocation, told: f.Decision | f.Alert) -> None:
    output = invocation.output
    if isinstance(told, f.Alert):
        output.say(f"{moment(told.at)}  {told.kind:<9} {told.strategy:<14} {told.words}")
        return
    words = wish_words(told.wish)
    if told.verdict is f.Verdict.REFUSED:
        why = "; ".join(map(str, told.refusals))
        output.detail(f"{moment(told.at)}  refused   {told.strategy:<14} {words}: {why}")
        return
    reason = told.wish if isinstance(told.wish, str) else told.wish.reason
    output.say(f"{moment(told.at)}  {told.verdict:<9} {told.strategy:<14} {words}: {reason}")


def _conclude(invocation: Invocation, report: BotReport) -> None:
    output = invocation.output
    output.result(
        {
            "began_at": moment(report.began_at),
            "ended_at": moment(report.ended_at),
            "orders_sent": report.sent,
            "wishes_refused": report.refused,
            "fills": report.fills,
            "profits": {name: str(profit) for name, profit in report.profits.items()},
            "positions": report.positions,
            "halts": report.halts,
            "alerts": report.alerts,
            "decisions": report.decisions,
        }
    )
    output.say()
    output.say(
        f"{report.sent} orders sent, {report.fills} fills, {report.refused} wishes refused "
        f"(why: {report.decisions})"
    )
    for name, profit in report.profits.items():
        output.say(f"  {name}: {profit.dollars()} after fees, positions at their marks")
    for owner, ticker, net in report.positions:
        output.say(f"  {owner} holds {net} {ticker}")
    for halt in report.halts:
        output.notice(f"halted: {halt}")


def kill_switch(
    invocation: Invocation,
    *,
    subaccount: Annotated[
        list[int] | None, typer.Option("--subaccount", help="Which ones; 0 is the primary one.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="One of the three gates for real orders on prod.")
    ] = False,
) -> None:
    """Stop every bot of the account, cancel everything, and prove that nothing rests."""
    settings = lead(invocation)
    output = invocation.output
    make_home(settings.home)
    kill_path(settings).write_text("pulled by trueup bot kill\n", encoding="utf-8")
    output.say(f"the kill switch is on: {kill_path(settings)}")
    places = [Subaccount(each) for each in subaccount or [0]]
    with open_client(
        venue=settings.config.venue,
        account=settings.config.account,
        live=live,
        environment=invocation.environment,
    ) as client:
        done = kill(client, places, clock=settings.clock, said=output.say)
    output.result(
        {
            "proven": done.proven,
            "canceled_at": moment(done.canceled_at),
            "read_at": moment(done.read_at),
            "tries": done.tries,
            "left": [
                {"order_id": each.order_id, "ticker": each.ticker, "price": str(each.price)}
                for each in done.left
            ],
            "trouble": done.trouble,
        }
    )
    if done.proven:
        output.say(f"Nothing rests any more, read at {moment(done.read_at)}.")
        output.say("The account stays off until `trueup bot rearm`.")
        return
    invocation.exit_code = _EXIT_UNPROVEN
    for each in done.left:
        output.notice(f"still rests: {each.order_id} in {each.ticker} at {each.price}")
    output.notice(
        f"NOT proven that nothing rests. {done.trouble}".strip()
        + " Run it again; orders in paused or closed markets cannot be cancelled now."
    )


def rearm_account(invocation: Invocation) -> None:
    """Switch the account on again after a kill or a loss halt."""
    settings = lead(invocation)
    make_home(settings.home)
    lifted = rearm(settings, getpass.getuser())
    invocation.output.result({"lifted": lifted})
    invocation.output.say("\n".join(lifted) or "Nothing was halted.")
    invocation.output.say("Armed again: `trueup bot run` may trade.")


def status(invocation: Invocation) -> None:
    """Whether a bot runs on this account, and whether the kill switch is on."""
    settings = lead(invocation)
    running = check_log(settings)
    killed = kill_path(settings).exists()
    invocation.output.result({"running": bool(running), "killed": killed})
    invocation.output.say("a bot is running" if running else "no bot is running")
    if killed:
        invocation.output.notice("the kill switch is on; `trueup bot rearm` lifts it")


def new_strategy(
    invocation: Invocation,
    file: Annotated[str, typer.Argument(help="The file to write, e.g. my_bot.py.")] = "my_bot.py",
) -> None:
    """Write a strategy of a dozen lines to begin with."""
    path = Path(file)
    write_template(path)
    invocation.output.result({"file": str(path)})
    invocation.output.say(f"{path} is written. Try it on the sandbox: trueup bot run {path}")
