"""Steering a bot from another process: what it says of itself, and commands seen through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from trueup.core.errors import BooksError
from trueup.core.instant import MINUTE, SECOND, format_instant
from trueup.engine import inputs as i
from trueup.engine.inflight import Intent
from trueup.engine.machine import Machine
from trueup.engine.records import OrderEnded, StrategyPaused
from trueup.engine.state import Settings
from trueup.net.control import Control, NoBot, Said
from trueup.run.bot.assembly import new_client_order_id
from trueup.run.bot.decision_log import read_decisions
from trueup.run.bot.places import control_path, decisions_path, intents_path, kill_path
from trueup.run.clock import Clock, SystemClock
from trueup.run.desk import DeskSettings
from trueup.store.intents import IntentLog

KILL_PATIENCE: Final = 90 * SECOND
FLATTEN_PATIENCE: Final = 5 * MINUTE
_LOOK_EVERY: Final = SECOND // 2


def reach_bot(settings: DeskSettings) -> Control:
    """The channel to the account's running bot.  Raises `NoBot`."""
    return Control(control_path(settings))


def what_remains(settings: DeskSettings, why: NoBot) -> dict[str, Any]:
    """The state of an account on which no bot answers, from its logs.

    `words` say why there is none.  Where the intent log is in use all the same a bot
    runs and hangs.
    """
    document: dict[str, Any] = {
        "running": False,
        "words": str(why),
        "killed": kill_path(settings).exists(),
        "halts": [],
        "paused": {},
        "sweep": None,
        "open_orders": [],
        "last_decision_at": None,
    }
    newest = read_decisions(decisions_path(settings), limit=1)
    if newest:
        document["last_decision_at"] = newest[-1].get("at")
    path = intents_path(settings)
    if not path.exists():
        return document
    try:
        with IntentLog(path) as log:
            records = log.records
    except BooksError as error:
        words = f"a bot runs but does not answer: it is starting, or it hangs ({error})"
        return document | {"running": True, "words": words}
    machine = Machine([], Settings(), new_client_order_id)
    machine.step(i.Recovered(at=SystemClock().now(), records=records))
    state = machine.state
    paused: dict[str, str] = {}
    for each in records:
        if isinstance(each, StrategyPaused):
            paused.pop(each.strategy, None)
            if each.on:
                paused[each.strategy] = each.words
    duty = state.sweeper.duty
    return document | {
        "halts": [
            {"code": each.code, "strategy": each.strategy, "words": each.words}
            for each in state.halts
        ],
        "paused": paused,
        "sweep": None if duty is None else {"words": duty.order.words},
        "open_orders": _without_end(records),
    }


def _without_end(records: Sequence[object]) -> list[dict[str, str]]:
    """Orders whose end is not known: they may rest, and the next start asks about them."""
    ended = {each.client_order_id for each in records if isinstance(each, OrderEnded)}
    return [
        {
            "client_order_id": each.client_order_id,
            "strategy": each.strategy,
            "ticker": each.ticker,
            "sent_at": format_instant(each.at),
        }
        for each in records
        if isinstance(each, Intent) and each.client_order_id not in ended
    ]


def kill_through(
    control: Control,
    said: Said,
    *,
    clock: Clock,
    told: Callable[[str], None],
    patience: int = KILL_PATIENCE,
) -> dict[str, Any]:
    """Have the running bot pull its kill switch, and wait for the proof.

    Returns its status document; the proof is there when it has no ``sweep`` any more.
    """
    control.say("kill", said)
    told("the bot has halted and cancels everything")
    return _watch(control, lambda shown: shown["sweep"] is None, clock, patience=patience)


def flatten_through(
    control: Control,
    said: Said,
    *,
    clock: Clock,
    told: Callable[[str], None],
    patience: int = FLATTEN_PATIENCE,
) -> dict[str, Any]:
    """Have the running bot close its positions, and wait until it says how that ended."""
    control.say("flatten", said)
    last = ""

    def is_done(shown: dict[str, Any]) -> bool:
        nonlocal last
        wish = shown["flatten"]
        if wish["waits_for"] and wish["waits_for"] != last:
            last = wish["waits_for"]
            told(f"waits for {last}")
        return wish["done_at"] is not None

    return _watch(control, is_done, clock, patience=patience)


def _watch(
    control: Control, is_done: Callable[[dict[str, Any]], bool], clock: Clock, *, patience: int
) -> dict[str, Any]:
    began = clock.now()
    while True:
        shown = control.status()
        if is_done(shown) or clock.now() - began >= patience:
            return shown
        clock.sleep(_LOOK_EVERY)
