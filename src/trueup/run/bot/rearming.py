"""Switching a stopped account on again, while no bot runs."""

from __future__ import annotations

from trueup.engine.records import HaltCode, HaltLifted, HaltRaised
from trueup.run.bot.places import intents_path, kill_path
from trueup.run.clock import SystemClock
from trueup.run.desk import DeskSettings
from trueup.store.intents import IntentLog


def rearm(settings: DeskSettings, by: str) -> list[str]:
    """Lift the halts that wait for an operator, and take the kill file away.

    Only while no bot runs.  Returns what was lifted.  Raises `BooksError`.
    """
    lifted: list[str] = []
    now = SystemClock().now()
    with IntentLog(intents_path(settings)) as log:
        raised: dict[tuple[HaltCode, str], HaltRaised] = {}
        for each in log.records:
            if isinstance(each, HaltRaised):
                raised[each.code, each.strategy] = each
            elif isinstance(each, HaltLifted):
                raised.pop((each.code, each.strategy), None)
        records = [
            HaltLifted(code=each.code, by=by, at=now, strategy=each.strategy)
            for each in raised.values()
        ]
        if records:
            log.submit(records).result()
        lifted.extend(f"{each.code}: {each.words}" for each in raised.values())
    kill_path(settings).unlink(missing_ok=True)
    return lifted
