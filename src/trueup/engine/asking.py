"""Orders of unknown outcome: ask until it is known, hold the market meanwhile.

Reads lag behind writes, an order that was accepted behind a 503 may appear late, and
one that was given up may still be on its way (`REQUEST_LIFETIME`, the same by REST and
by FIX).  So "not found" proves an absence only when the lists are current to a moment
at which it was surely dead; until then the exchange is asked again, less and less
often, and nothing else is sent to the market.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant, format_age
from trueup.core.order_entry import REQUEST_LIFETIME
from trueup.core.units import Count
from trueup.engine.effects import Alert, AlertKind, Ask, Effect, Persist
from trueup.engine.inflight import LIVING, OrderState, OwnOrder
from trueup.engine.inputs import Asked
from trueup.engine.records import HaltCode, HaltRaised, OrderEnded
from trueup.engine.state import State

_WAITS: Final = tuple(each * SECOND for each in (1, 2, 4, 8, 10, 10, 10, 15, 30))
"""One look comes soon after the first moment at which an absence can be proven."""


def ask(state: State, order: OwnOrder, out: list[Effect]) -> None:
    """Ask the exchange about an order now."""
    state.inflight.put(replace(order, asked=order.asked + 1))
    intent = order.intent
    out.append(
        Ask(
            client_order_id=intent.client_order_id,
            order_id=order.order_id,
            ticker=intent.ticker,
            since=intent.at,
            subaccount=intent.subaccount,
        )
    )


def doubt(state: State, order: OwnOrder, words: str, out: list[Effect]) -> None:
    """Sending ended without an answer: the order is of unknown outcome from now on."""
    changed = order.moved(OrderState.UNKNOWN, state.now, doubted_at=state.now)
    state.inflight.put(changed)
    out.append(
        Alert(
            at=state.now,
            kind=AlertKind.UNKNOWN_ORDER,
            words=f"order {order.intent.client_order_id} in {order.intent.ticker}: {words}; "
            "the market is held until the exchange has been asked",
            strategy=order.intent.strategy,
        )
    )
    ask(state, changed, out)


def doubt_absence(state: State, order: OwnOrder, fill: Filled, out: list[Effect]) -> None:
    """A fill turned up that could belong to an order that was called absent: ask once more."""
    changed = order.moved(OrderState.UNKNOWN, state.now, doubted_at=state.now)
    state.inflight.put(changed)
    words = (
        f"a fill of {fill.count} {fill.ticker} at {fill.price} could be of order "
        f"{order.intent.client_order_id}, which the exchange's lists did not hold; the market is "
        "held until the exchange has been asked again"
    )
    out.append(
        Alert(
            at=state.now,
            kind=AlertKind.UNKNOWN_ORDER,
            words=words,
            strategy=order.intent.strategy,
        )
    )
    ask(state, changed, out)


def lied(state: State, order: OwnOrder, out: list[Effect]) -> OwnOrder:
    """Halt when an order exists that was proven absent: then no absence proves anything."""
    if not order.called_absent or order.state in {OrderState.ABSENT, OrderState.UNKNOWN}:
        return order
    words = (
        f"order {order.intent.client_order_id} in {order.intent.ticker} exists "
        f"({order.state}), though the exchange's lists had proven it absent"
    )
    state.halts.raise_(HaltRaised(code=HaltCode.ABSENCE, words=words, at=state.now), out)
    return replace(order, called_absent=False)


def answered(state: State, said: Asked, out: list[Effect]) -> OwnOrder | None:
    """What the exchange says about an order; returns it when that changed anything."""
    order = state.inflight.get(said.client_order_id)
    if order is None:
        return None
    if said.found is not None:
        return _found(state, order, said, said.found, out=out)
    if order.state not in LIVING:
        return None
    # The kill switch asks about what is still being sent, too: that was not doubted yet.
    given_up_at = max(order.intent.at, order.doubted_at)
    if order.order_id is None and said.as_of >= given_up_at + REQUEST_LIFETIME:
        return _absent(state, order, said, out)
    _ask_later(state, order, said.at, out)
    return None


def _found(
    state: State, order: OwnOrder, said: Asked, found: OrderReported, *, out: list[Effect]
) -> OwnOrder | None:
    changed = state.inflight.reported(found, said.at)
    if changed is None:
        return None
    if _may_still_be_amended(changed, said, found):
        _ask_later(state, changed, said.at, out)
        return changed
    changed = replace(changed, asked=0, canceling=False, amending=None)
    changed = lied(state, changed, out)
    if changed.state is OrderState.RESTING and found.updated_at >= changed.told_at:
        total = found.fill_count + found.remaining_count
        changed = replace(changed, remaining=_resting(changed, found), total=total)
    state.inflight.put(changed)
    note_end(state, changed, before=order.state, out=out)
    return changed


def _absent(state: State, order: OwnOrder, said: Asked, out: list[Effect]) -> OwnOrder:
    changed = order.moved(OrderState.ABSENT, said.at, called_absent=True)
    state.inflight.put(changed)
    note_end(state, changed, before=order.state, out=out)
    reach = format_age(said.as_of - order.intent.at)
    words = (
        f"order {said.client_order_id} never reached the exchange: its lists are current to "
        f"{reach} after the sending and do not hold it"
    )
    out.append(
        Alert(
            at=said.at,
            kind=AlertKind.UNKNOWN_ORDER,
            words=words,
            strategy=order.intent.strategy,
        )
    )
    return changed


def _ask_later(state: State, order: OwnOrder, at: Instant, out: list[Effect]) -> None:
    asked = max(order.asked, 1)
    state.inflight.put(replace(order, asked=asked, updated_at=at))
    state.alarm(Instant(at + _WAITS[min(asked, len(_WAITS)) - 1]), out)


def _may_still_be_amended(order: OwnOrder, said: Asked, found: OrderReported) -> bool:
    """Whether an amendment without an answer can still take effect after this look."""
    if order.amending is None or order.state is not OrderState.RESTING:
        return False
    whole = found.fill_count + found.remaining_count
    if found.price == order.amending and whole == order.whole_count:
        return False
    return said.as_of < max(order.amended_at, order.doubted_at) + REQUEST_LIFETIME


def _resting(order: OwnOrder, found: OrderReported) -> Count:
    """What rests by the exchange's word, less the fills that it had not counted yet."""
    ahead = order.reported.units - found.fill_count.units
    return Count(max(0, found.remaining_count.units - ahead))


def wake(state: State, out: list[Effect]) -> None:
    """Ask again about everything whose wait is over."""
    for order in state.inflight.living():
        if not order.asked:
            continue
        wait = _WAITS[min(order.asked, len(_WAITS)) - 1]
        if state.now - order.updated_at >= wait:
            ask(state, order, out)


def is_held(state: State, ticker: Ticker) -> bool:
    """Whether an order of unknown outcome holds the market."""
    return any(each.state is OrderState.UNKNOWN for each in state.inflight.living(ticker))


def note_end(state: State, order: OwnOrder, *, before: OrderState, out: list[Effect]) -> None:
    """Make an order's end durable, once; one that was called absent may end again."""
    if order.state in LIVING or order.state is before:
        return
    if before in LIVING or before is OrderState.ABSENT:
        ended = OrderEnded(
            client_order_id=order.intent.client_order_id,
            state=order.state,
            at=state.now,
            order_id=order.order_id,
        )
        out.append(Persist(record=ended))
