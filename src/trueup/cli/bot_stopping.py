"""`bot kill|flatten`: stopping the account, with a running bot or without one.

A running bot is told over its control channel.  Where none runs, or it does not answer,
the kill switch works by itself: a file that stops every start, and a cancel-all of its own.
"""

from __future__ import annotations

import getpass
import sys
from typing import Annotated, Any, Final

import typer

from trueup.cli.bot_quoting import client_of_account, take_back_quotes
from trueup.cli.bot_steering import StrategyOption, WordsOption, said_here
from trueup.cli.common import Invocation, LiveOption, SandboxWorld, command, lead
from trueup.cli.output import moment
from trueup.core.errors import CallerError
from trueup.core.ids import Subaccount
from trueup.core.instant import SECOND
from trueup.net.control import Control, NoBot, Said
from trueup.run.bot.assembly import run_bot
from trueup.run.bot.killing import kill
from trueup.run.bot.live_feeds import Pace, Scope
from trueup.run.bot.options import BotOptions, FlattenOnly
from trueup.run.bot.places import control_path, kill_path, pull_kill_switch
from trueup.run.bot.room import slippage_of
from trueup.run.bot.steering import flatten_through, kill_through, reach_bot
from trueup.run.clock import SystemClock
from trueup.run.config import make_home
from trueup.run.desk import DeskSettings

_EXIT_UNDONE: Final = 1
_NOT_OFF: Final = (
    "a bot that is started now would trade: neither the intent log nor {path} could be written. "
    "Start none; free the disk or mend the folder, then pull the switch again"
)

SubaccountsOption = Annotated[
    list[int] | None, typer.Option("--subaccount", help="Which ones; 0 is the primary one.")
]
SlippageOption = Annotated[
    str,
    typer.Option("--slippage", help="Dollars a contract worse than the best price, at most."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Close positions without asking.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group of the bot."""
    command(group, "kill")(kill_switch)
    command(group, "flatten")(flatten)


def kill_switch(
    invocation: Invocation,
    *,
    subaccount: SubaccountsOption = None,
    flatten_too: Annotated[
        bool, typer.Option("--flatten", help="Then close the bot's positions, too.")
    ] = False,
    slippage: SlippageOption = "",
    yes: YesOption = False,
    why: WordsOption = "",
    live: LiveOption = False,
) -> None:
    """Stop every bot of the account, cancel everything, and prove that nothing rests."""
    settings = lead(invocation, world=SandboxWorld.OF_THE_BOT)
    if flatten_too:
        _confirm(invocation, yes=yes)
    try:
        done = _kill_through(invocation, settings, subaccount or [], why)
        done["quoting"] = take_back_quotes(invocation, settings, subaccount or [0], live=live)
        if done["quoting"]:
            invocation.exit_code = _EXIT_UNDONE
    except NoBot as nobody:
        done = _kill_alone(invocation, settings, subaccount or [0], nobody=nobody, live=live)
    if flatten_too:
        said = said_here(words=why, slippage=slippage)
        done["flatten"] = _flatten(invocation, settings, said, live=live)
    invocation.output.result(done)


def _kill_through(
    invocation: Invocation, settings: DeskSettings, subaccounts: list[int], why: str
) -> dict[str, Any]:
    output = invocation.output
    said = Said(by=getpass.getuser(), words=why, subaccounts=tuple(subaccounts))
    shown = kill_through(reach_bot(settings), said, clock=SystemClock(), told=output.say)
    proven = shown["sweep"] is None
    left = [{"order_id": each["order_id"], "ticker": each["ticker"]} for each in shown["orders"]]
    if proven:
        output.say(f"Nothing rests any more, read by the bot at {shown['at'][:19]}Z.")
        output.say("It runs on and sends nothing until `trueup bot rearm`.")
    else:
        invocation.exit_code = _EXIT_UNDONE
        output.notice("NOT proven yet that nothing rests; the bot goes on. `bot status` tells.")
    if not shown["durable"]:
        invocation.exit_code = _EXIT_UNDONE
        output.notice(_NOT_OFF.format(path=kill_path(settings)))
    return {
        "through": "bot",
        "proven": proven,
        "durable": shown["durable"],
        "read_at": shown["at"],
        "left": left,
    }


def _kill_alone(
    invocation: Invocation,
    settings: DeskSettings,
    subaccounts: list[int],
    *,
    nobody: NoBot,
    live: bool,
) -> dict[str, Any]:
    """The kill switch without a bot: a file that stops every start, and our own cancel-all."""
    output = invocation.output
    if control_path(settings).exists():
        output.notice(f"{nobody}; the kill switch works without it")
    durable = pull_kill_switch(settings, "pulled by trueup bot kill")
    if durable:
        output.say(f"the kill switch is on: {kill_path(settings)}")
    else:
        invocation.exit_code = _EXIT_UNDONE
        output.notice(_NOT_OFF.format(path=kill_path(settings)))
    with client_of_account(invocation, settings, live=live) as client:
        places = [Subaccount(each) for each in subaccounts]
        done = kill(client, places, clock=settings.clock, said=output.say)
    if done.proven:
        output.say(f"Nothing rests any more, read at {moment(done.read_at)}.")
        if durable:
            output.say("The account stays off until `trueup bot rearm`.")
    else:
        invocation.exit_code = _EXIT_UNDONE
        for each in done.left:
            output.notice(f"still rests: {each.order_id} in {each.ticker} at {each.price}")
        if done.quoting:
            output.notice(f"may still trade: {done.quoting.words()}")
        output.notice(
            f"NOT proven that nothing rests. {done.trouble}".strip()
            + " Run it again; orders in paused or closed markets cannot be cancelled now."
        )
    return {
        "through": "command",
        "proven": done.proven,
        "durable": durable,
        "canceled_at": moment(done.canceled_at),
        "read_at": moment(done.read_at),
        "tries": done.tries,
        "left": [
            {"order_id": each.order_id, "ticker": each.ticker, "price": str(each.price)}
            for each in done.left
        ],
        "quoting": done.quoting.ids,
        "trouble": done.trouble,
    }


def flatten(
    invocation: Invocation,
    *,
    strategy: StrategyOption = "",
    slippage: SlippageOption = "",
    yes: YesOption = False,
    why: WordsOption = "",
    live: LiveOption = False,
) -> None:
    """Pull the kill switch, then close the bot's positions within a bound.

    With --strategy only that one is paused and closed.  It begins a minute after the
    cancel-all, which might still take orders with it.
    """
    settings = lead(invocation, world=SandboxWorld.OF_THE_BOT)
    _confirm(invocation, yes=yes)
    make_home(settings.home)
    said = said_here(strategy=strategy, words=why, slippage=slippage)
    invocation.output.result({"flatten": _flatten(invocation, settings, said, live=live)})


def _confirm(invocation: Invocation, *, yes: bool) -> None:
    if yes:
        return
    if invocation.output.as_json or not sys.stdin.isatty():
        raise CallerError("closing positions needs a yes", remedy="Add --yes.")
    typer.confirm("Close the bot's positions at the market, within the bound?", abort=True)


def _flatten(
    invocation: Invocation, settings: DeskSettings, said: Said, *, live: bool
) -> dict[str, Any]:
    try:
        control = reach_bot(settings)
    except NoBot:
        shown = _flatten_alone(invocation, settings, said, live=live)
        unfinished = "It is not finished: this command was stopped. Say `trueup bot flatten` again."
    else:
        shown = _flatten_through(invocation, control, said)
        unfinished = "It is not finished; the bot goes on. `trueup bot status --json` tells."
    _show_flattened(invocation, shown, unfinished)
    return shown


def _flatten_through(invocation: Invocation, control: Control, said: Said) -> dict[str, Any]:
    try:
        told = invocation.output.say
        return flatten_through(control, said, clock=SystemClock(), told=told)["flatten"]
    except NoBot as error:
        raise NoBot(
            f"{error}, before it said that every position is closed",
            remedy="Say `trueup bot flatten` again: it then closes what is left without the bot.",
        ) from error


def _flatten_alone(
    invocation: Invocation, settings: DeskSettings, said: Said, *, live: bool
) -> dict[str, Any]:
    output = invocation.output
    bound = slippage_of(said.slippage)
    options = BotOptions(
        mandates=(),
        scope=Scope(held_only=True),
        pace=Pace(streams=False, prices=2 * SECOND, account=2 * SECOND),
        live=live,
        flatten=FlattenOnly(by=said.by, strategy=said.strategy, words=said.words, slippage=bound),
    )
    output.notice("no bot runs: this command reads the account and closes what the bot left")
    report = run_bot(
        settings,
        options,
        said=lambda told: output.say(f"  {getattr(told, 'words', '')}".rstrip()),
        started=output.say,
    )
    return report.flatten or {}


def _show_flattened(invocation: Invocation, shown: dict[str, Any], unfinished: str) -> None:
    output = invocation.output
    positions = shown.get("positions", [])
    for each in positions:
        whose = f"{each['ticker']} ({each['strategy']})"
        if each["state"] == "closed":
            output.say(f"closed: {whose}, {each['begun_with']}")
        else:
            output.notice(
                f"{each['state']}: {whose}, {each['net']} of {each['begun_with']}: {each['words']}"
            )
    is_done = shown.get("done_at") is not None
    if not positions and is_done:
        output.say("The bot holds nothing.")
    if not is_done:
        output.notice(unfinished)
    if not is_done or any(each["state"] != "closed" for each in positions):
        invocation.exit_code = _EXIT_UNDONE
