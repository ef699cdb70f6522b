"""From a wish to an intent: validation, slots, checks, and the order that is sent.

One decision is one order: while an order of the strategy in a market is not
finished, a second one to take is refused.  Resting orders live in slots, and a
wish for a slot that holds the same order already changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from trueup.core.instant import Instant, format_instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, Count, Price
from trueup.engine import asking
from trueup.engine.effects import (
    Alert,
    AlertKind,
    Amend,
    Cancel,
    Decision,
    Effect,
    Persist,
    Place,
    Verdict,
)
from trueup.engine.inflight import Intent, OrderState, OwnOrder
from trueup.engine.market import Listing
from trueup.engine.refusals import Code, Refusal
from trueup.engine.risk import Case, check
from trueup.engine.state import Running, State
from trueup.engine.wishes import Order, Style, Tell, Wish, Withdraw

_RENEW_BELOW: Final = 3
"""A resting order is renewed when less than a third of its life is left."""


def grant(state: State, running: Running, wish: object, out: list[Effect]) -> None:
    """Carry a strategy's wish out, or say why not."""
    match wish:
        case Withdraw():
            withdraw(state, running, wish, out)
        case Tell():
            out.append(
                Alert(
                    at=state.now,
                    kind=AlertKind.OPPORTUNITY,
                    words=f"{wish.ticker}: {wish.reason}",
                    strategy=running.name,
                )
            )
        case Order():
            _order(state, running, wish, out)
        case _:
            words = f"{type(wish).__name__}: {_shown(wish)}"[:200]
            figures = {"wish": words}
            refuse(state, running, words, (Refusal(Code.NONSENSE, figures=figures),), out=out)


def withdraw_all(state: State, names: Collection[str], out: list[Effect]) -> None:
    """Cancel whatever rests of these strategies."""
    for order in state.inflight.living():
        if order.intent.strategy in names:
            cancel(state, order, out)


def withdraw(state: State, running: Running, wish: Withdraw, out: list[Effect]) -> None:
    """Cancel the strategy's resting orders in a market, or those of one slot."""
    for order in state.inflight.living(wish.ticker):
        mine = order.intent.strategy == running.name
        if mine and wish.slot in {None, order.intent.slot} and cancel(state, order, out):
            out.append(
                Decision(
                    at=state.now,
                    strategy=running.name,
                    wish=wish,
                    verdict=Verdict.WITHDRAWN,
                    client_order_id=order.intent.client_order_id,
                )
            )


def cancel(state: State, order: OwnOrder, out: list[Effect]) -> bool:
    """Ask the exchange to cancel a resting order, once.  Returns whether it was sent."""
    if order.state is not OrderState.RESTING or order.canceling or order.order_id is None:
        return False
    state.inflight.put(replace(order, canceling=True))
    out.append(
        Cancel(
            order_id=order.order_id,
            client_order_id=order.intent.client_order_id,
            ticker=order.intent.ticker,
            subaccount=order.intent.subaccount,
            shard=order.intent.shard,
        )
    )
    return True


def refuse(
    state: State,
    running: Running,
    wish: Wish | str,
    refusals: tuple[Refusal, ...],
    *,
    out: list[Effect],
) -> None:
    """Write into the decision log why a wish was not sent."""
    out.append(
        Decision(
            at=state.now,
            strategy=running.name,
            wish=wish,
            verdict=Verdict.REFUSED,
            refusals=refusals,
        )
    )


# -- orders ------------------------------------------------------------------------------------


def _order(state: State, running: Running, wish: Order, out: list[Effect]) -> None:
    nonsense = _nonsense(wish)
    if nonsense is not None:
        refuse(state, running, wish, (nonsense,), out=out)
        return
    listing = state.listings.get(wish.ticker)
    if listing is None:
        refuse(state, running, wish, (Refusal(Code.MARKET_UNKNOWN),), out=out)
        return
    resting = _in_slot(state, running, wish)
    if wish.only_reduce:
        wish = _no_more_than_held(_case(state, running, wish, listing, resting=resting))
    if resting is not None and _is_same(resting, wish):
        if not _stopped(state, running, wish, resting):
            _renew(state, running, resting, out)
        return
    stopped = _stopped(state, running, wish, resting)
    case = _case(state, running, wish, listing, resting=resting)
    refusals = (*stopped, *check(case, state.scopes(running)))
    if refusals:
        refuse(state, running, wish, refusals, out=out)
    elif resting is None:
        _place(state, running, case, out)
    else:
        _replace(state, running, case, resting, out=out)


def _case(
    state: State, running: Running, wish: Order, listing: Listing, *, resting: OwnOrder | None
) -> Case:
    return Case(
        now=state.now,
        order=wish,
        strategy=running.name,
        listing=listing,
        top=state.tops.get(wish.ticker),
        portfolio=state.portfolio,
        inflight=state.inflight,
        siblings=state.siblings(listing),
        subaccount=running.mandate.subaccount,
        replaces=resting,
    )


def _no_more_than_held(case: Case) -> Order:
    """The order cut to what it can close; one that can close nothing is refused by the checks.

    The exchange would cut it too, but not one that rests, and not by strategy.
    """
    closable = case.closable(case.strategy)
    if not ZERO_COUNT < closable < case.order.count:
        return case.order
    return replace(case.order, count=closable)


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001  (other people's code)
        return f"something that cannot even be shown ({type(error).__name__})"


def _nonsense(wish: Order) -> Refusal | None:
    """What no market and no limit could make sense of; strategies are other people's code."""
    wrong: dict[str, str] = {}
    parts: list[tuple[str, object, type]] = [
        ("ticker", wish.ticker, str),
        ("side", wish.side, Side),
        ("count", wish.count, Count),
        ("limit", wish.limit, Price),
        ("style", wish.style, Style),
    ]
    for name, value, kind in parts:
        if not isinstance(value, kind):
            wrong[name] = f"{_shown(value)} is no {kind.__name__}"[:100]
    if not wrong and wish.count <= ZERO_COUNT:
        wrong["count"] = str(wish.count)
    if not wrong and wish.style is not Style.TAKE and not wish.slot:
        wrong["slot"] = "a resting order needs one"
    return Refusal(Code.NONSENSE, figures=wrong) if wrong else None


def _stopped(
    state: State, running: Running, wish: Order, resting: OwnOrder | None
) -> tuple[Refusal, ...]:
    """Why nothing may be sent now, whatever the order is."""
    found: list[Refusal] = []
    halt = state.halts.holding(running.name)
    if halt is not None:
        found.append(Refusal(Code.HALTED, figures={"halt": halt.code, "why": halt.words}))
    if running.paused:
        found.append(Refusal(Code.PAUSED, figures={"why": running.paused}))
    if state.now < state.sweeper.quiet_until:
        until = format_instant(state.sweeper.quiet_until)
        found.append(Refusal(Code.QUIET, figures={"until": until}))
    listing = state.listings[wish.ticker]
    closed = state.hours.why_closed(state.now, listing.market.shard)
    if closed is not None:
        found.append(closed)
    if wish.ticker in state.unreadable:
        why = state.unreadable[wish.ticker]
        found.append(Refusal(Code.MARKET_UNREADABLE, figures={"why": why}))
    difference = state.differences.get((running.mandate.subaccount, wish.ticker))
    if difference is not None and difference.halts:
        figures = {"exchange": str(difference.theirs), "ours": str(difference.ours)}
        found.append(Refusal(Code.POSITION_DIFFERS, figures=figures))
    if asking.is_held(state, wish.ticker):
        found.append(Refusal(Code.MARKET_HELD))
    if resting is not None and (resting.canceling or resting.amending is not None):
        found.append(Refusal(Code.REPLACING))
    if resting is None and _is_in_flight(state, running, wish):
        found.append(Refusal(Code.IN_FLIGHT))
    return tuple(found)


def _is_in_flight(state: State, running: Running, wish: Order) -> bool:
    mine = [
        each
        for each in state.inflight.unsettled(wish.ticker)
        if each.intent.strategy == running.name
    ]
    if wish.style is Style.TAKE:
        return any(each.state is not OrderState.RESTING and each.open_count for each in mine)
    return any(each.intent.slot == wish.slot and each.open_count for each in mine)


def _in_slot(state: State, running: Running, wish: Order) -> OwnOrder | None:
    """The order that rests in the wish's slot."""
    if wish.style is Style.TAKE:
        return None
    for order in state.inflight.living(wish.ticker):
        intent = order.intent
        if (
            intent.strategy == running.name
            and intent.slot == wish.slot
            and order.state is OrderState.RESTING
        ):
            return order
    return None


def _is_same(resting: OwnOrder, wish: Order) -> bool:
    return (
        not resting.canceling
        and resting.amending is None
        and resting.intent.side is wish.side
        and resting.limit == wish.limit
        and resting.remaining == wish.count
    )


def _place(state: State, running: Running, case: Case, out: list[Effect]) -> None:
    wish, mandate = case.order, running.mandate
    rests = wish.style is not Style.TAKE
    life = mandate.order_life if rests else None
    intent = Intent(
        client_order_id=state.ids(running.name),
        strategy=running.name,
        ticker=wish.ticker,
        side=wish.side,
        count=wish.count,
        limit=wish.limit,
        style=wish.style,
        slot=wish.slot,
        # The exchange measures by the account: where another strategy holds the other
        # side it would cut an order that closes, so then the check here must do.
        only_reduce=wish.only_reduce and not case.opening(None),
        subaccount=mandate.subaccount,
        shard=case.listing.market.shard,
        reason=wish.reason,
        reference=wish.reference,
        parameters=settings_text(running),
        expires_at=None if life is None else Instant(state.now + life),
        order_group=mandate.order_group if rests else "",
        at=state.now,
    )
    running.sent.append(state.now)
    send(state, intent, case, out)


def send(state: State, intent: Intent, case: Case, out: list[Effect]) -> None:
    """Make an intent durable, then send it, and write it into the decision log."""
    state.inflight.add(intent)
    state.sent.append(state.now)
    out.append(Persist(record=intent))
    out.append(Place(intent=intent))
    out.append(
        Decision(
            at=state.now,
            strategy=intent.strategy,
            wish=case.order,
            verdict=Verdict.SENT,
            client_order_id=intent.client_order_id,
            figures=_figures(case),
            parameters=intent.parameters,
        )
    )


def settings_text(running: Running) -> str:
    """A strategy's settings as the text that its trades are stored with."""
    try:
        settings = running.strategy.parameters()
        return "; ".join(f"{name}={value}" for name, value in settings.items())
    except Exception as error:  # noqa: BLE001  (other people's code)
        return f"unknown: {type(error).__name__}"


def _replace(
    state: State, running: Running, case: Case, resting: OwnOrder, *, out: list[Effect]
) -> None:
    """Change the order in the slot: amended on its own side, else cancelled first."""
    wish = case.order
    if resting.intent.side is not wish.side or resting.intent.style is not wish.style:
        if cancel(state, resting, out):
            refuse(state, running, wish, (Refusal(Code.REPLACING),), out=out)
        return
    _amend(state, running, resting, price=wish.limit, count=wish.count, out=out)
    out.append(
        Decision(
            at=state.now,
            strategy=running.name,
            wish=wish,
            verdict=Verdict.AMENDED,
            client_order_id=resting.intent.client_order_id,
            figures=_figures(case),
        )
    )


def _renew(state: State, running: Running, resting: OwnOrder, out: list[Effect]) -> None:
    """Give an order that is still wanted a new life before it expires by itself."""
    life, expires = running.mandate.order_life, resting.expires_at
    if life is None or expires is None or expires - state.now > life // _RENEW_BELOW:
        return
    _amend(state, running, resting, price=resting.limit, count=resting.remaining, out=out)


def _amend(
    state: State,
    running: Running,
    resting: OwnOrder,
    *,
    price: Price,
    count: Count,
    out: list[Effect],
) -> None:
    if resting.order_id is None:
        return
    life = running.mandate.order_life
    expires = None if life is None else Instant(state.now + life)
    total = resting.reported + count
    # Until the answer is in, the larger of both counts may come in.
    coming = max(resting.remaining, count)
    state.inflight.put(
        replace(
            resting,
            amending=price,
            amended_at=state.now,
            total=total,
            renewed=expires,
            unamended=(resting.total, resting.renewed),
            remaining=coming,
        )
    )
    running.sent.append(state.now)
    state.sent.append(state.now)
    out.append(
        Amend(
            order_id=resting.order_id,
            client_order_id=resting.intent.client_order_id,
            ticker=resting.intent.ticker,
            side=resting.intent.side,
            price=price,
            total=total,
            expires_at=expires,
            subaccount=resting.intent.subaccount,
            shard=resting.intent.shard,
        )
    )


def _figures(case: Case) -> dict[str, str]:
    top = case.top
    figures = {"net": str(case.net(case.strategy))}
    if top is not None:
        figures["bid"] = "–" if top.bid is None else str(top.bid)
        figures["ask"] = "–" if top.ask is None else str(top.ask)
    return figures
