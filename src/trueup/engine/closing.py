"""The exchange closes and opens again: what that means for our orders.

Before a planned closing our resting orders are taken back, while that is certain to
work.  Afterwards, and after every pause, nobody can say what became of an order that
rested: each is asked about.
"""

from __future__ import annotations

from dataclasses import replace

from trueup.core.ids import Shard
from trueup.core.instant import Instant
from trueup.engine import asking, placing
from trueup.engine.effects import Alert, AlertKind, Effect
from trueup.engine.inputs import ClosingsPlanned, ExchangeStated
from trueup.engine.state import State


def planned(state: State, given: ClosingsPlanned, out: list[Effect]) -> None:
    """The exchange's schedule was read."""
    hours = state.hours
    static = state.settings.maintenance
    hours.windows = tuple(dict.fromkeys((*static, *given.windows)))
    hours.left = {each for each in hours.left if each in hours.windows}
    set_alarms(state, out)


def set_alarms(state: State, out: list[Effect]) -> None:
    """Wake up before every closing that is near, and after it."""
    hours = state.hours
    for window in hours.windows:
        for at in (Instant(window.begin - hours.lead), window.end):
            if at > state.now:
                state.alarm(at, out)
    wake(state, out)


def stated(state: State, given: ExchangeStated, out: list[Effect]) -> None:
    """The exchange said whether it works."""
    hours = state.hours
    before = {shard: hours.of(shard) for shard in _shards(state)}
    hours.activity, hours.resumes_at = given.activity, given.resumes_at
    hours.shards = given.shards
    for shard, was in before.items():
        now = hours.of(shard)
        if was == now:
            continue
        words = f"shard {shard}: {now}"
        out.append(Alert(at=state.now, kind=AlertKind.EXCHANGE, words=words))
        if now.takes_orders:
            _ask_what_became(state, {shard}, out)


def wake(state: State, out: list[Effect]) -> None:
    """Take back what rests before a closing; ask what became of it after one."""
    hours = state.hours
    window = hours.window_at(state.now)
    if window is not None and window not in hours.left:
        hours.left.add(window)
        for order in state.inflight.living():
            placing.cancel(state, order, out)
        return
    over = {each for each in hours.left if state.now >= each.end}
    if over:
        hours.left -= over
        hours.windows = tuple(each for each in hours.windows if each not in over)
        _ask_what_became(state, set(_shards(state)), out)


def _ask_what_became(state: State, shards: set[Shard], out: list[Effect]) -> None:
    for order in state.inflight.living():
        if order.intent.shard in shards:
            asking.ask(state, replace(order, canceling=False), out)


def _shards(state: State) -> list[Shard]:
    return sorted({*state.hours.shards} | state.shards)
