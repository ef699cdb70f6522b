"""`bot status|pause|resume|rearm|cancel|decisions`: seeing and steering a bot.

A running bot is asked over its control channel.  Where none runs, or it does not
answer, the logs say what is known.
"""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Final

import typer

from trueup.cli.common import Invocation, SandboxWorld, command, lead
from trueup.cli.output import Output, plain
from trueup.core.ids import ClientOrderId
from trueup.engine.refusals import REFUSALS, Code
from trueup.net.control import NoBot, Said
from trueup.run.bot.decision_log import Line, line_words, read_decisions
from trueup.run.bot.places import (
    decisions_path,
    kill_path,
)
from trueup.run.bot.rearming import rearm
from trueup.run.bot.steering import (
    reach_bot,
    what_remains,
)
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

StrategyOption = Annotated[str, typer.Option("--strategy", help="Only this one.")]
WordsOption = Annotated[str, typer.Option("--why", help="A word for the log.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group of the bot."""
    command(group, "status")(status)
    command(group, "pause")(pause)
    command(group, "resume")(resume)
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
    _say(invocation, "pause", said_here(strategy=strategy, words=why))


def resume(invocation: Invocation, *, strategy: StrategyOption = "", why: WordsOption = "") -> None:
    """Let a paused strategy (or all) trade again."""
    _say(invocation, "resume", said_here(strategy=strategy, words=why))


def cancel(
    invocation: Invocation,
    client_order_id: Annotated[str, typer.Argument(help="The bot's name for the order.")],
    *,
    why: WordsOption = "",
) -> None:
    """Take one resting order of the bot back."""
    _say(invocation, "cancel", said_here(order=client_order_id, words=why))


def _say(invocation: Invocation, name: str, said: Said) -> None:
    settings, output = lead(invocation, world=SandboxWorld.OF_THE_BOT), invocation.output
    answer = reach_bot(settings).say(name, said)
    output.result(answer)
    for each in answer["strategies"]:
        why = f": {each['why']}" if each["why"] else ""
        output.say(f"{each['name']} is {each['state']}{why}")
    if not answer["durable"]:
        output.notice(_NOT_KEPT)


def said_here(*, strategy: str = "", words: str = "", order: str = "", slippage: str = "") -> Said:
    """What the person at this command line says."""
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
        answer = control.say("rearm", said_here())
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
