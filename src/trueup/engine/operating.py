"""Starting, stopping, and what the operator and the surroundings say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from trueup.core.ids import Subaccount
from trueup.engine import asking, comparing, placing
from trueup.engine import inputs as i
from trueup.engine.effects import Alert, AlertKind, Effect, Persist, ReadResting
from trueup.engine.flatten import Flatten
from trueup.engine.inflight import Intent, OrderState
from trueup.engine.records import (
    LIFTED_BY_OPERATOR,
    DayOpened,
    HaltCode,
    HaltLifted,
    HaltRaised,
    OrderEnded,
    StrategyPaused,
    SweepOrdered,
    SweepProven,
)
from trueup.engine.state import Running, State

OURSELVES = "trueup"
"""Who lifts a halt that lifts by itself."""


def recover(state: State, given: i.Recovered, out: list[Effect]) -> None:  # noqa: C901 (a table)
    """Take over the intent log.  Orders without a last word are asked about."""
    for record in given.records:
        match record:
            case Intent():
                state.inflight.add(record)
                state.subaccounts.add(record.subaccount)
            case OrderEnded():
                _end(state, record)
            case HaltRaised() | HaltLifted():
                state.halts.restore(record)
            case StrategyPaused():
                running = state.running.get(record.strategy)
                if running is not None:
                    running.paused = record.words if record.on else ""
            case SweepOrdered() | SweepProven():
                state.sweeper.restore(record)
            case DayOpened():
                state.losses.restore(record)
            case _:
                assert_never(record)
    _remind(state, out)
    state.sweeper.start(state.now, out)
    for order in state.inflight.living():
        if order.state is OrderState.PENDING:
            asking.doubt(state, order, "its outcome was unknown when trueup stopped", out)


def _end(state: State, record: OrderEnded) -> None:
    order = state.inflight.get(record.client_order_id)
    if order is None or not (order.is_living or order.state is OrderState.ABSENT):
        return
    is_absent = record.state is OrderState.ABSENT
    ended = order.moved(record.state, record.at, order_id=record.order_id, called_absent=is_absent)
    state.inflight.put(ended)


def _remind(state: State, out: list[Effect]) -> None:
    """A bot that was stopped starts stopped: say so, and what lifts it."""
    for halt in state.halts:
        whom = halt.strategy or "all trading"
        lifts = "rearm lifts it" if halt.code in LIFTED_BY_OPERATOR else "it lifts by itself"
        words = f"{whom} is still halted ({halt.code}): {halt.words}; {lifts}"
        out.append(Alert(at=state.now, kind=AlertKind.HALT, words=words, strategy=halt.strategy))
    for running in state.running.values():
        if running.paused:
            words = f"strategy {running.name} is still paused: {running.paused}; resume lifts it"
            out.append(
                Alert(at=state.now, kind=AlertKind.STRATEGY, words=words, strategy=running.name)
            )


def heard(
    state: State,
    given: i.SweepEnded | i.RestingRead | i.CallEnded | i.BooksProven,
    out: list[Effect],
) -> None:
    """What the surroundings say: sweeps, failing calls, the books."""
    match given:
        case i.SweepEnded():
            state.sweeper.ended(given, out)
        case i.RestingRead():
            _resting(state, given, out)
        case i.CallEnded():
            _call(state, given, out)
        case i.BooksProven():
            _books(state, given, out)
        case _:
            assert_never(given)


def distrust(state: State, given: i.OrderUnreadable, out: list[Effect]) -> None:
    """Leave a market alone in which an order cannot be read; say so once."""
    if given.ticker in state.unreadable:
        return
    state.unreadable[given.ticker] = given.words
    words = f"{given.ticker} is left alone: an order there cannot be read ({given.words})"
    out.append(Alert(at=state.now, kind=AlertKind.HALT, words=words))


def obey(state: State, given: i.OperatorSaid, out: list[Effect]) -> None:
    """Do what the operator says, and tell it: who did what is a fact like any other."""
    chosen = [each for each in state.running.values() if given.strategy in {"", each.name}]
    match given.wanted:
        case i.Wanted.PAUSE:
            _pause(state, chosen, given, out)
        case i.Wanted.RESUME:
            _resume(state, chosen, given, out)
        case i.Wanted.WITHDRAW:
            # For the end of a run: nothing more is wished for, and nothing of it is durable.
            for running in chosen:
                running.paused = running.paused or "stopping"
            placing.withdraw_all(state, {each.name for each in chosen}, out)
            return
        case i.Wanted.KILL:
            _kill(state, given, out)
        case i.Wanted.REARM:
            _rearm(state, given, out)
        case i.Wanted.CANCEL:
            _cancel(state, given, out)
        case i.Wanted.FLATTEN:
            _flatten(state, chosen, given, out)
        case _:
            assert_never(given.wanted)
    out.append(_told(state, given))


def _told(state: State, given: i.OperatorSaid) -> Alert:
    about = given.order or given.strategy or "everything"
    why = f": {given.words}" if given.words else ""
    return Alert(
        at=state.now,
        kind=AlertKind.OPERATOR,
        words=f"{given.by} said {given.wanted} {about}{why}",
        strategy=given.strategy,
        by=given.by,
        command=given.wanted,
    )


def sweep(state: State, words: str, subaccounts: tuple[Subaccount, ...], out: list[Effect]) -> None:
    """Take on the duty to cancel everything."""
    places = subaccounts or tuple(
        sorted({each.mandate.subaccount for each in state.running.values()} or {Subaccount(0)})
    )
    state.sweeper.order(SweepOrdered(subaccounts=places, words=words, at=state.now), out)


def _kill(state: State, given: i.OperatorSaid, out: list[Effect]) -> None:
    words = given.words or f"pulled by {given.by}"
    state.halts.raise_(HaltRaised(code=HaltCode.KILL, words=words, at=state.now), out)
    sweep(state, f"kill switch: {words}", given.subaccounts, out)


def _rearm(state: State, given: i.OperatorSaid, out: list[Effect]) -> None:
    state.unreadable.clear()
    comparing.accept(state, out)
    state.flattener.stop(state.now)
    for halt in state.halts:
        if halt.code not in LIFTED_BY_OPERATOR or given.strategy not in {"", halt.strategy}:
            continue
        lifted = HaltLifted(code=halt.code, by=given.by, at=state.now, strategy=halt.strategy)
        state.halts.lift(lifted, out)
        if halt.code in {HaltCode.DAILY_LOSS, HaltCode.DRAWDOWN}:
            profit = state.portfolio.profit(state.marks(), halt.strategy or None)
            state.losses.forgive(state.now, halt.strategy, profit, out)


def pause(state: State, running: Running, words: str, out: list[Effect]) -> None:
    """Let a strategy wish for nothing more, and take back what rests of it: nobody looks
    after those orders now.
    """
    running.paused = words
    record = StrategyPaused(strategy=running.name, on=True, words=words, at=state.now)
    out.append(Persist(record=record))
    placing.withdraw_all(state, {running.name}, out)


def _pause(
    state: State, chosen: Iterable[Running], given: i.OperatorSaid, out: list[Effect]
) -> None:
    for running in chosen:
        pause(state, running, given.words or f"paused by {given.by}", out)


def _resume(
    state: State, chosen: Iterable[Running], given: i.OperatorSaid, out: list[Effect]
) -> None:
    for running in chosen:
        wish = state.flattener.wish
        if wish is not None and wish.strategy == running.name:
            state.flattener.stop(state.now)
        if running.paused:
            running.paused = ""
            words = f"resumed by {given.by}"
            record = StrategyPaused(strategy=running.name, on=False, words=words, at=state.now)
            out.append(Persist(record=record))


def _flatten(
    state: State, chosen: Iterable[Running], given: i.OperatorSaid, out: list[Effect]
) -> None:
    words = f"flatten, said by {given.by}"
    if given.strategy:
        for running in chosen:
            pause(state, running, given.words or words, out)
    elif not state.halts.has(HaltCode.KILL) or state.inflight.living():
        _kill(state, replace(given, words=given.words or words), out)
    state.flattener.order(
        Flatten(by=given.by, strategy=given.strategy, slippage=given.slippage, at=state.now)
    )


def _cancel(state: State, given: i.OperatorSaid, out: list[Effect]) -> None:
    order = None if given.order is None else state.inflight.get(given.order)
    if order is not None:
        placing.cancel(state, order, out)


def _resting(state: State, given: i.RestingRead, out: list[Effect]) -> None:
    """What rests was read: it also tells which of our orders rest no more."""
    resting = {each.order_id for each in given.resting}
    if state.sweeper.duty is not None:
        for order in state.inflight.living():
            rests = order.state is OrderState.RESTING and order.order_id in resting
            if not rests and order.intent.subaccount in state.sweeper.places():
                asking.ask(state, replace(order, canceling=False), out)
    # An order of ours that may still live may rest, or come to rest, after what was read.
    under_way = any(
        order.intent.subaccount in state.sweeper.places() for order in state.inflight.living()
    )
    if state.sweeper.read(given, out, under_way=under_way):
        _resume_after_breaker(state, out)


def _call(state: State, given: i.CallEnded, out: list[Effect]) -> None:
    if not given.ok and state.hours.expects_failures(state.now):
        return
    state.breaker = state.breaker.saw(ok=given.ok)
    if state.breaker.tripped:
        words = f"{state.breaker.failures} calls in a row failed, last: {given.words}"
        halt = HaltRaised(code=HaltCode.BREAKER, words=words, at=state.now)
        if state.halts.raise_(halt, out):
            sweep(state, f"circuit breaker: {words}", (), out)
    elif given.ok and state.halts.has(HaltCode.BREAKER):
        if state.sweeper.duty is None:
            _resume_after_breaker(state, out)
        else:
            _hurry(state, out)


def _hurry(state: State, out: list[Effect]) -> None:
    """Calls succeed again: carry the duty on at once instead of waiting."""
    duty = state.sweeper.duty
    if duty is None or duty.due_at is None:
        return
    if duty.reading:
        state.sweeper.duty = replace(duty, due_at=None, reading=False)
        out.append(ReadResting(subaccounts=duty.order.subaccounts))
    else:
        state.sweeper.start(state.now, out)


def _resume_after_breaker(state: State, out: list[Effect]) -> None:
    if not state.settings.breaker_resumes or state.breaker.tripped:
        return
    lifted = HaltLifted(code=HaltCode.BREAKER, by=OURSELVES, at=state.now)
    state.halts.lift(lifted, out)


def _books(state: State, given: i.BooksProven, out: list[Effect]) -> None:
    if given.closes or abs(given.worst) <= state.settings.break_max:
        lifted = HaltLifted(code=HaltCode.BOOKS, by=OURSELVES, at=state.now)
        state.halts.lift(lifted, out)
        return
    words = f"a break of {given.worst.dollars()} in the books: {given.words}".rstrip(": ")
    state.halts.raise_(HaltRaised(code=HaltCode.BOOKS, words=words, at=state.now), out)
