"""`bot …`: run strategies, stop them, and prove that nothing rests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from trueup.cli import bot_steering, bot_stopping
from trueup.cli.common import (
    Invocation,
    LiveOption,
    LogJsonOption,
    MetricsPortOption,
    SandboxWorld,
    command,
    lead,
    listening,
)
from trueup.cli.feeds import feeds_of
from trueup.cli.output import moment
from trueup.core.errors import CallerError, TrueupError
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import MINUTE
from trueup.core.units import Money
from trueup.engine import effects as f
from trueup.run.arming import closed_gates
from trueup.run.bot.assembly import BotReport, run_bot
from trueup.run.bot.configuration import options_of, read_bot_file
from trueup.run.bot.decision_log import line_of, line_words
from trueup.run.bot.funds import REMEDY, planned_shortfalls
from trueup.run.bot.options import BotOptions, plain_options, plan_of
from trueup.run.bot.places import check_log, decisions_path, kill_path
from trueup.run.bot.strategy_files import BUSIEST, STRATEGIES, load_strategies, write_template
from trueup.run.config import CONFIG_NAME
from trueup.run.desk import Desk, DeskSettings
from trueup.run.fix.settings import order_entry
from trueup.run.operator.beside import Operator, OperatorOptions
from trueup.sim.living.built_in import DEFAULT_WORLD

_CAPITAL: Final = "250"

StrategyArgument = Annotated[
    str, typer.Argument(help=f"A Python file, or one of {', '.join(STRATEGIES)}.")
]
ConfigOption = Annotated[
    str, typer.Option("--config", help="A file that says what runs, e.g. bot.toml.")
]
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
    command(group, "check")(check)
    command(group, "new-strategy")(new_strategy)
    bot_steering.register(group)
    bot_stopping.register(group)
    app.add_typer(group, name="bot")


def run(
    invocation: Invocation,
    strategy: StrategyArgument = "",
    *,
    config: ConfigOption = "",
    capital: Annotated[str, typer.Option("--capital", help="Dollars it may tie up.")] = _CAPITAL,
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
    paper: Annotated[
        bool,
        typer.Option("--paper", help="Real market data, orders that never leave this machine."),
    ] = False,
    live: LiveOption = False,
    metrics_port: MetricsPortOption = 0,
    log_json: LogJsonOption = False,
) -> None:
    """Run a strategy until Ctrl-C: trueup bot run my_bot.py; or what --config (or the
    [bot] section) says.
    """
    settings = lead(invocation, world=SandboxWorld.OF_THE_BOT, paper=paper)
    chosen = _chosen(settings, strategy, config)
    if chosen is None:
        chosen = plain_options(
            load_strategies(strategy),
            Money.parse(capital),
            tickers=frozenset(
                Ticker(part) for each in ticker or [] for part in each.split(",") if part
            ),
            series=frozenset(SeriesTicker(each) for each in series or []),
            streams=not poll,
        )
    elif ticker or series or poll or capital != _CAPITAL:
        raise _only_with_a_strategy()
    options = replace(
        chosen,
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


def _chosen(settings: DeskSettings, strategy: str, config: str) -> BotOptions | None:
    """What a configuration says; `None` where the command line names a strategy."""
    if strategy and config:
        raise CallerError("both a strategy and --config", remedy="Give one of them.")
    if strategy:
        return None
    if config:
        path = Path(config)
        return options_of(read_bot_file(path), path)
    if settings.config.bot is None:
        raise CallerError(
            "what shall run?",
            remedy="Name a strategy (trueup bot run threshold), a file, or --config bot.toml.",
        )
    return options_of(settings.config.bot, settings.home / CONFIG_NAME)


def settled_options(
    settings: DeskSettings, strategy: str, config: str, capital: str = ""
) -> BotOptions:
    """What `bot run` would run with these words.

    Raises `ConfigError` or `CallerError` for what cannot be run; nothing is started.
    """
    chosen = _chosen(settings, strategy, config)
    if chosen is None:
        return plain_options(load_strategies(strategy), Money.parse(capital or _CAPITAL))
    if capital:
        raise _only_with_a_strategy()
    return chosen


def _only_with_a_strategy() -> CallerError:
    return CallerError(
        "--capital, --ticker, --series and --poll are for a strategy on the command line",
        remedy="Write them into the configuration.",
    )


def check(
    invocation: Invocation, strategy: StrategyArgument = "", *, config: ConfigOption = ""
) -> None:
    """Show what `bot run` would run, and what would keep it from trading.  Nothing is sent."""
    settings, output = lead(invocation, world=SandboxWorld.OF_THE_BOT), invocation.output
    options = settled_options(settings, strategy, config)
    shown = plan_of(options)
    hindrances = [gate.remedy for gate in closed_gates(settings, live=True)]
    if kill_path(settings).exists():
        hindrances.append("The kill switch is on: trueup bot rearm.")
    if words := check_log(settings):
        hindrances.append(words)
    hindrances += _money_hindrances(invocation, settings, options)
    output.result({**shown, "hindrances": hindrances})
    for each in shown["strategies"]:
        output.say(f"{each['name']}: {each['capital']} dollars", style="bold")
        for name in ("parameters", "universe", "limits"):
            settled = "; ".join(f"{key} {value}" for key, value in each[name].items())
            nothing = "every market that is looked at" if name == "universe" else "none"
            output.say(f"  {name}: {settled or nothing}")
        output.say(f"  orders: life {each['order_life']}, subaccount {each['subaccount']}")
    settled = "; ".join(f"{key} {value}" for key, value in shown["limits"].items())
    output.say(f"account: {settled}")
    output.say(f"pace: {shown['pace']}; breaker at {shown['breaker_threshold']} failures in a row")
    for each in hindrances:
        output.notice(each)


def _money_hindrances(
    invocation: Invocation, settings: DeskSettings, options: BotOptions
) -> list[str]:
    """What the exchange says of the capitals; nothing where a world would be made first."""
    if settings.is_embedded or settings.is_paper:
        return []
    try:
        with listening(invocation, settings) as hear, Desk(settings, on_event=hear) as desk:
            short = [
                f"{each.words}. {REMEDY}" for each in planned_shortfalls(options, desk.client())
            ]
    except TrueupError as error:
        return [f"The capitals could not be compared with the balance: {error}"]
    return short


def _say(invocation: Invocation, told: f.Decision | f.Alert) -> None:
    line = line_of(told)
    words = f"{line['at'][:19]}Z  {line_words(line)}"
    if line.get("verdict") == f.Verdict.REFUSED:
        invocation.output.say_while_heard(words, is_detail=True)
    else:
        invocation.output.say_while_heard(words)


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


def new_strategy(
    invocation: Invocation,
    file: Annotated[str, typer.Argument(help="The file to write, e.g. my_bot.py.")] = "my_bot.py",
    *,
    busiest: Annotated[
        int, typer.Option("--busiest", help="How many of the busiest markets it looks at.", min=1)
    ] = BUSIEST,
) -> None:
    """Write a strategy of a dozen lines to begin with."""
    path = Path(file)
    write_template(path, busiest=busiest)
    invocation.output.result({"file": str(path)})
    invocation.output.say(f"{path} is written. Try it on the sandbox: trueup bot run {path}")
