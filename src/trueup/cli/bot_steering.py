"""`bot status|pause|resume|kill|flatten|rearm|cancel|decisions`: seeing and steering a bot.

A running bot is asked over its control channel.  Where none runs, or it does not
answer, the logs say what is known, and the kill switch works by itself.
"""

from __future__ import annotations

import getpass
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Final

import typer

from trueup.cli.bot_quoting import take_back_quotes
from trueup.cli.common import Invocation, SandboxWorld, command, lead
from trueup.cli.output import Output, moment, plain
from trueup.core.errors import CallerError
from trueup.core.ids import ClientOrderId, Subaccount
from trueup.core.instant import SECOND
from trueup.engine.refusals import REFUSALS, Code
from trueup.net.control import Control, NoBot, Said
from trueup.run.bot.assembly import run_bot
from trueup.run.bot.decision_log import Line, line_words, read_decisions
from trueup.run.bot.killing import kill
from trueup.run.bot.live_feeds import Pace, Scope
from trueup.run.bot.options import BotOptions, FlattenOnly
from trueup.run.bot.places import (
    control_path,
    decisions_path,
    kill_path,
    pull_kill_switch,
)
from trueup.run.bot.rearming import rearm
from trueup.run.bot.room import slippage_of
from trueup.run.bot.steering import (
    flatten_through,
    kill_through,
    reach_bot,
    what_remains,
)
from trueup.run.clients import open_client
from trueup.run.clock import SystemClock
from trueup.run.config import make_home
from trueup.run.desk import DeskSettings

_EXIT_UNDONE: Final = 1
_LOOKED_THROUGH: Final = 20_000
"""How many of the newest lines a filter looks through."""

_FOLLOW_SECONDS: Final = 0.5
_ALMOST_FULL: Final = "0.5"
_NOT_KEPT: Final = (
    "this will be forgotten when the bot ends: its intent log cannot be written. Free the disk or "
    "mend the folder, then stop the bot and start it again"
)

_NOT_OFF: Final = (
    "a bot that is started now would trade: neither the intent log nor {path} could be written. "
    "Start none; free the disk or mend the folder, then pull the switch again"
)

StrategyOption = Annotated[str, typer.Option("--strategy", help="Only this one.")]
WordsOption = Annotated[str, typer.Option("--why", help="A word for the log.")]
LiveOption = Annotated[
    bool, typer.Option("--live", help="One of the three gates for real orders on prod.")
]
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
    command(group, "status")(status)
    command(group, "pause")(pause)
    command(group, "resume")(resume)
    command(group, "kill")(kill_switch)
    command(group, "flatten")(flatten)
    command(group, "rearm")(rearm_account)
    command(group, "cancel")(cancel)
    command(group, "decisions")(decisions)


# -- looking -----------------------------------------------------------------------------------


def status(invocation: Invocation) -> None:
    """What the running bot is doing; where none runs, what its logs say."""
    settings, output = lead(invocation, world=SandboxWorld.OF_THE_BOT), invocation.output
    try:
        shown = reach_bot(settings).status()
    except NoBot as why:
        remains = what_remains(settings, why, clock=SystemClock())
        output.result(remains)
        output.say(f"{remains['words']}. {remains['remedy']}")
        for halt in remains["halts"]:
            output.notice(f"halted ({halt['code']}): {halt['words']}")
        for name, words in remains["paused"].items():
            output.notice(f"{name} is paused: {words}")
        if remains["killed"]:
            output.notice("the kill switch is on; `trueup bot rearm` lifts it")
        if remains["open_orders"]:
            count = len(remains["open_orders"])
            output.notice(f"{count} orders have no end yet; the next start asks about them")
        return
    output.result({"running": True, "killed": kill_path(settings).exists(), **shown})
    _show(invocation, shown)


def _show(invocation: Invocation, shown: dict[str, Any]) -> None:
    output = invocation.output
    output.say(
        f"process {shown['pid']} since {shown['started_at'][:19]}Z: {shown['state']}, "
        f"worth {shown['value']}, profit {shown['profit']}",
        style="bold",
    )
    _table(
        output,
        shown["strategies"],
        ("name", "state", "capital", "exposure", "profit", "fees", "markets", "open_orders", "why"),
        figures=("capital", "exposure", "profit", "fees", "markets", "open_orders"),
    )
    if shown["positions"]:
        _table(
            output,
            shown["positions"],
            ("ticker", "strategy", "net", "average_cost", "mark", "profit"),
            figures=("net", "average_cost", "mark", "profit"),
        )
    full = [each for each in shown["limits"] if each["share"] >= _ALMOST_FULL]
    if full:
        output.say("limits that are at least half full (no strategy: the account's)")
        _table(
            output,
            full,
            ("limit", "strategy", "used", "allowed", "subject"),
            figures=("used", "allowed"),
        )
    counted = shown["counters"]
    output.say(
        f"{counted['sent']} sent, {counted['fills']} fills, {counted['refused']} refused; "
        f"{len(shown['orders'])} orders live, {shown['markets_followed']} markets followed"
    )
    _warn(output, shown)


def _table(
    output: Output,
    rows: Sequence[dict[str, Any]],
    columns: tuple[str, ...],
    *,
    figures: tuple[str, ...],
) -> None:
    titles = [each.replace("_", " ") for each in columns]
    right = [each.replace("_", " ") for each in figures]
    output.table(titles, [[row[name] for name in columns] for row in rows], right=right)


def _warn(output: Output, shown: dict[str, Any]) -> None:
    for each in shown["connections"]:
        if not each["up"]:
            output.notice(f"{each['name']} is down: {each['words'] or 'nothing was heard yet'}")
    for halt in shown["halts"]:
        output.notice(
            f"halted ({halt['code']}) {halt['strategy'] or 'everything'}: {halt['words']}; "
            f"lifted by {'`trueup bot rearm`' if halt['lifted_by'] == 'operator' else 'itself'}"
        )
    if shown["sweep"] is not None:
        output.notice(f"not proven yet that nothing rests: {shown['sweep']['words']}")


def decisions(
    invocation: Invocation,
    *,
    why_not: Annotated[
        bool, typer.Option("--why-not", help="Only what was not sent, with what each code means.")
    ] = False,
    strategy: StrategyOption = "",
    ticker: Annotated[str, typer.Option("--ticker", help="Only this market.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="The newest so many.", min=1)] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Why the bot did, or did not, trade: the decision log."""
    settings, output = lead(invocation, world=SandboxWorld.OF_THE_BOT), invocation.output
    path = decisions_path(settings)

    def fits(line: Line) -> bool:
        return (
            (not why_not or line.get("verdict") == "refused")
            and (not strategy or line.get("strategy") == strategy)
            and (not ticker or line.get("ticker") == ticker or ticker in line.get("words", ""))
        )

    read = read_decisions(path, limit=_LOOKED_THROUGH)
    found = [each for each in read if fits(each)][-limit:]
    if follow:
        _follow(invocation, found, settings, after=read[-1]["n"] if read else 0, fits=fits)
        return
    output.result({"decisions": found})
    for each in found:
        output.say(f"{each['at'][:19]}Z  {line_words(each)}")
    if not found:
        output.say(f"Nothing fits in {path}." if read else f"There is nothing yet in {path}.")
    if why_not:
        codes = {code["code"] for each in found for code in each["refusals"]}
        for code in sorted(codes & set(Code)):
            output.say(f"{code}: {REFUSALS[Code(code)]}", style="dim")


def _follow(
    invocation: Invocation,
    found: Iterable[Line],
    settings: DeskSettings,
    *,
    after: int,
    fits: Callable[[Line], bool],
) -> None:
    """Show lines as they are written, until somebody stops it."""
    path = decisions_path(settings)
    while True:
        for each in found:
            if invocation.output.as_json:
                print(json.dumps(plain(each), ensure_ascii=False), flush=True)  # noqa: T201
            else:
                invocation.output.say(f"{each['at'][:19]}Z  {line_words(each)}")
        time.sleep(_FOLLOW_SECONDS)
        read = read_decisions(path, after=after, limit=_LOOKED_THROUGH)
        after = read[-1]["n"] if read else after
        found = [each for each in read if fits(each)]


# -- steering ----------------------------------------------------------------------------------


def pause(invocation: Invocation, *, strategy: StrategyOption = "", why: WordsOption = "") -> None:
    """Let a strategy (or all) send nothing more, and take back what rests of it."""
    _say(invocation, "pause", _said(strategy=strategy, words=why))


def resume(invocation: Invocation, *, strategy: StrategyOption = "", why: WordsOption = "") -> None:
    """Let a paused strategy (or all) trade again."""
    _say(invocation, "resume", _said(strategy=strategy, words=why))


def cancel(
    invocation: Invocation,
    client_order_id: Annotated[str, typer.Argument(help="The bot's name for the order.")],
    *,
    why: WordsOption = "",
) -> None:
    """Take one resting order of the bot back."""
    _say(invocation, "cancel", _said(order=client_order_id, words=why))


def _say(invocation: Invocation, name: str, said: Said) -> None:
    settings, output = lead(invocation, world=SandboxWorld.OF_THE_BOT), invocation.output
    answer = reach_bot(settings).say(name, said)
    output.result(answer)
    for each in answer["strategies"]:
        why = f": {each['why']}" if each["why"] else ""
        output.say(f"{each['name']} is {each['state']}{why}")
    if not answer["durable"]:
        output.notice(_NOT_KEPT)


def _said(*, strategy: str = "", words: str = "", order: str = "", slippage: str = "") -> Said:
    return Said(
        by=getpass.getuser(),
        strategy=strategy,
        words=words,
        order=ClientOrderId(order),
        slippage=slippage,
    )


def rearm_account(invocation: Invocation) -> None:
    """Switch the account on again after a kill or a loss halt, whether a bot runs or not."""
    settings, output = lead(invocation, world=SandboxWorld.OF_THE_BOT), invocation.output
    make_home(settings.home)
    try:
        control = reach_bot(settings)
        before = control.status()["halts"]
        answer = control.say("rearm", _said())
        after, durable = answer["halts"], answer["durable"]
        lifted = [f"{each['code']}: {each['words']}" for each in before if each not in after]
        left = [f"{each['code']}: {each['words']}" for each in after]
    except NoBot:
        lifted, left, durable = rearm(settings, getpass.getuser()), [], True
    output.result({"lifted": lifted, "left": left, "durable": durable})
    output.say("\n".join(lifted) or "Nothing was halted.")
    for each in left:
        output.notice(f"still halted, lifts by itself: {each}")
    if not durable:
        # Whatever cannot be remembered halts it again in the same moment.
        invocation.exit_code = _EXIT_UNDONE
        output.notice(f"NOT armed: {_NOT_KEPT}.")
    elif not left:
        output.say("Armed again: the bot may trade.")


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
        done = _kill_through(invocation, settings, reach_bot(settings), subaccount or [], why)
        done["quoting"] = take_back_quotes(invocation, settings, subaccount or [0], live=live)
        if done["quoting"]:
            invocation.exit_code = _EXIT_UNDONE
    except NoBot as nobody:
        done = _kill_alone(invocation, settings, subaccount or [0], nobody=nobody, live=live)
    if flatten_too:
        said = _said(words=why, slippage=slippage)
        done["flatten"] = _flatten(invocation, settings, said, live=live)
    invocation.output.result(done)


def _kill_through(
    invocation: Invocation,
    settings: DeskSettings,
    control: Control,
    subaccounts: list[int],
    why: str,
) -> dict[str, Any]:
    output = invocation.output
    said = Said(by=getpass.getuser(), words=why, subaccounts=tuple(subaccounts))
    shown = kill_through(control, said, clock=SystemClock(), told=output.say)
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
    with open_client(
        venue=settings.config.venue,
        account=settings.config.account,
        live=live,
        environment=invocation.environment,
    ) as client:
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
    said = _said(strategy=strategy, words=why, slippage=slippage)
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
