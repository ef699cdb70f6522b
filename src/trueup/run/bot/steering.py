"""Steering a bot from another process: what it says of itself, and commands seen through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from trueup.core.errors import BooksError
from trueup.core.instant import MINUTE, SECOND, Instant, format_age, format_instant
from trueup.engine import inputs as i
from trueup.engine.inflight import Intent
from trueup.engine.machine import Machine
from trueup.engine.records import OrderEnded, StrategyPaused
from trueup.engine.state import Settings
from trueup.net.control import Control, NoBot, Said, read_whereabouts
from trueup.run.bot.assembly import new_client_order_id
from trueup.run.bot.decision_log import read_decisions
from trueup.run.bot.places import control_path, decisions_path, intents_path, kill_path
from trueup.run.clock import Clock
from trueup.run.desk import DeskSettings
from trueup.store.intents import IntentLog

KILL_PATIENCE: Final = 90 * SECOND
FLATTEN_PATIENCE: Final = 5 * MINUTE
_LONG_START: Final = 2 * MINUTE
_HANGS_AFTER: Final = 10 * SECOND
"""How old a heartbeat of every two seconds must be before nothing but a hanging loop explains it."""

_LOOK_EVERY: Final = SECOND // 2


def reach_bot(settings: DeskSettings) -> Control:
    """The channel to the account's running bot.  Raises `NoBot`."""
    return Control(control_path(settings))


def what_remains(settings: DeskSettings, why: NoBot, *, clock: Clock) -> dict[str, Any]:
    """The state of an account on which no bot answers, from its logs.

    `state` is ``none``, or where the intent log is in use, so that a bot runs, ``starting``,
    ``busy``, ``hangs`` or ``ending``; `words` and `remedy` say so.  `clock` is the machine's,
    which the bot and its files go by.
    """
    now = clock.now()
    document: dict[str, Any] = {
        "running": False,
        "state": "none",
        "words": _why_none(settings, why),
        "remedy": why.remedy,
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
    except BooksError:
        return document | {"running": True, **_silence(control_path(settings), now)}
    machine = Machine([], Settings(), new_client_order_id)
    machine.step(i.Recovered(at=now, records=records))
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


def _why_none(settings: DeskSettings, why: NoBot) -> str:
    """Why nobody answers although nobody holds the log: a number may belong to another by now."""
    with suppress(NoBot):
        where = read_whereabouts(control_path(settings))
        return (
            f"no bot is running: its last one was process {where.pid}, and that is another "
            "program by now"
        )
    return str(why)


def _silence(path: Path, now: Instant) -> dict[str, str]:
    """Why a bot that holds the log does not answer, by what its control file still tells."""
    try:
        where = read_whereabouts(path)
        touched = Instant(path.stat().st_mtime_ns // 1000)
    except (NoBot, OSError):
        return {
            "state": "ending",
            "words": "a bot of this account is ending: it has closed its channel and still holds "
            "the intent log",
            "remedy": "Ask again in a few seconds. If it stays so, `trueup bot kill` cancels "
            "everything without it.",
        }
    process = f"the bot (process {where.pid})"
    if not where.is_listening:
        age = max(0, now - where.started_at)
        return {
            "state": "starting",
            "words": f"{process} is starting, since {format_age(age)}: it does not listen yet",
            "remedy": "Ask again in a few seconds."
            if age < _LONG_START
            else "That is longer than a start takes: look at what it printed, or end it "
            f"(kill {where.pid}) and start it again.",
        }
    age = max(0, now - touched)
    if age < _HANGS_AFTER:
        return {
            "state": "busy",
            "words": f"{process} is busy: it did not answer, but its loop turned "
            f"{format_age(age)} ago",
            "remedy": "Ask again.",
        }
    return {
        "state": "hangs",
        "words": f"{process} hangs: its loop has not turned for {format_age(age)}",
        "remedy": "Its watchdog ends it after hang_max. `trueup bot kill` cancels everything "
        f"without it now; then end it: kill -9 {where.pid}.",
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

    Returns its status document; the proof is there when it has no ``sweep`` any more.  Its
    ``durable`` says whether the bot would start halted, too.
    """
    answer = control.say("kill", said)
    told("the bot has halted and cancels everything")
    shown = _watch(control, lambda shown: shown["sweep"] is None, clock, patience=patience)
    return {**shown, "durable": answer["durable"]}


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
