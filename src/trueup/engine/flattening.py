"""Closing what the bot holds, because an operator said so.

    said ──▶ nothing rests any more (proven), the quiet minute is over
         ──▶ for each position: an order that takes, only reduces, and goes no further
             than the bound ──▶ closed │ tried again ──▶ left, and why

Only the bot's own positions are closed, each for its strategy, so that profits stay
told apart.  The bound is measured from the best price at the first order: later
tries never chase the market.  A wish to flatten ends with the process: whoever
starts again looks first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trueup.core.instant import MINUTE, SECOND, Instant, format_instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, Count, Price, Ratio
from trueup.engine import asking, placing
from trueup.engine.effects import Alert, AlertKind, Effect
from trueup.engine.flatten import Closing, ClosingState, Flatten
from trueup.engine.inflight import Intent, OwnOrder
from trueup.engine.market import Listing
from trueup.engine.pegging import ceiled, floored
from trueup.engine.portfolio import FOREIGN
from trueup.engine.risk import Case, check
from trueup.engine.state import State
from trueup.engine.wishes import Order, Style

PATIENCE: Final = 2 * MINUTE
"""How long after the first order it is tried at most."""

_TRIES: Final = 5
_AGAIN: Final = 2 * SECOND


def go_on(state: State, out: list[Effect]) -> None:
    """Do the next thing, if there is one.  Called after every input."""
    wish = state.flattener.wish
    if wish is None or wish.done_at is not None or not _may_begin(state, wish, out):
        return
    if wish.begun_at is None:
        wish = state.flattener.wish = replace(wish, begun_at=state.now)
        for (owner, place, ticker), held in state.portfolio.positions():
            if owner != FOREIGN and wish.strategy in {"", owner}:
                state.flattener.closings[owner, place, ticker] = Closing(
                    strategy=owner, subaccount=place, ticker=ticker, begun_with=held.position.net
                )
    for key, closing in state.flattener.closings.items():
        if not closing.is_over:
            state.flattener.closings[key] = _close(state, wish, closing, out)
    if all(each.is_over for each in state.flattener.closings.values()):
        _conclude(state, wish, out)


def _may_begin(state: State, wish: Flatten, out: list[Effect]) -> bool:
    """Whether nothing of it rests any more, proven, and the exchange will not sweep the closers."""
    if not wish.strategy and state.sweeper.duty is not None:
        return False
    if wish.begun_at is None and _is_coming(state, wish, out):
        return False
    if state.now < state.sweeper.quiet_until:
        state.alarm(state.sweeper.quiet_until, out)
        return False
    return True


def _is_coming(state: State, wish: Flatten, out: list[Effect]) -> bool:
    """Whether contracts may still come in: a flattening that began now would not find them, and
    would call that closed.

    Fills that are only late are waited for as long as a position would be tried.
    """
    coming = [e for e in state.inflight.unsettled() if wish.strategy in {"", e.intent.strategy}]
    if wish.strategy and any(each.is_living for each in coming):
        return True
    given_up_at = Instant(wish.at + PATIENCE)
    if all(each.is_living for each in coming) or state.now >= given_up_at:
        return False
    state.alarm(given_up_at, out)
    return True


def _close(state: State, wish: Flatten, closing: Closing, out: list[Effect]) -> Closing:
    """Do the next thing about one position."""
    net = _net(state, closing)
    if not net:
        return replace(closing, state=ClosingState.CLOSED, words="")
    hindrance = _in_the_way(state, closing)
    if hindrance:
        return _hindered(state, wish, closing, hindrance, out=out)
    if state.now < closing.next_at:
        return closing
    count, reason = _closable(state, closing, net)
    if not count:
        return replace(closing, state=ClosingState.LEFT, words=reason)
    return _order(state, wish, closing, count, out=out)


def _net(state: State, closing: Closing) -> Count:
    return state.portfolio.net(closing.ticker, closing.strategy, subaccount=closing.subaccount)


def _is_about(order: OwnOrder, closing: Closing) -> bool:
    intent = order.intent
    return (intent.strategy, intent.subaccount) == (closing.strategy, closing.subaccount)


def _in_the_way(state: State, closing: Closing) -> str:
    """Why nothing can be sent for a position just now; empty where it can."""
    if asking.is_held(state, closing.ticker):
        return "an order's outcome is unknown"
    unsettled = state.inflight.unsettled(closing.ticker)
    if any(_is_about(each, closing) for each in unsettled):
        return "an order of it is not finished"
    if closing.ticker not in state.listings or closing.ticker not in state.tops:
        return "the market is not known"
    return ""


def _closable(state: State, closing: Closing, net: Count) -> tuple[Count, str]:
    """How much may be closed, or none and why."""
    if closing.tries >= _TRIES:
        words = f"{abs(net)} are left after {closing.tries} orders at {closing.limit} or better"
        return ZERO_COUNT, words
    # The exchange only reduces what the account holds in all.
    account = state.portfolio.net(closing.ticker, subaccount=closing.subaccount)
    sign = 1 if net > ZERO_COUNT else -1
    held = Count(max(0, sign * account.units))
    words = "others on the account hold the other side: for the exchange nothing is held"
    return min(abs(net), held), words


def _order(
    state: State, wish: Flatten, closing: Closing, count: Count, *, out: list[Effect]
) -> Closing:
    """Send an order for a position, if a price within the bound is there."""
    listing, top = state.listings[closing.ticker], state.tops[closing.ticker]
    side = Side.NO if _net(state, closing) > ZERO_COUNT else Side.YES
    best = top.opposite(side)
    if best is None:
        nobody = "nobody bids" if side is Side.NO else "nobody offers"
        return _hindered(state, wish, closing, nobody, out=out)
    limit = closing.limit or _bound(best, side, wish.slippage, listing)
    closing = replace(closing, limit=limit, state=ClosingState.CLOSING)
    if side.sign * (best.units - limit.units) > 0:
        words = f"the best price is {best} now, the bound is {limit}"
        return _hindered(state, wish, closing, words, out=out)
    order = Order(
        ticker=closing.ticker,
        side=side,
        count=count,
        limit=limit,
        reason=f"flatten, said by {wish.by}",
        style=Style.TAKE,
        reference=best,
        only_reduce=True,
    )
    return _send(state, wish, closing, order, out=out)


def _send(
    state: State, wish: Flatten, closing: Closing, order: Order, *, out: list[Effect]
) -> Closing:
    listing = state.listings[order.ticker]
    case = Case(
        now=state.now,
        order=order,
        strategy=closing.strategy,
        listing=listing,
        top=state.tops.get(order.ticker),
        portfolio=state.portfolio,
        inflight=state.inflight,
        siblings=state.siblings(listing),
        subaccount=closing.subaccount,
    )
    refusals = check(case, ())
    if refusals:
        return _hindered(state, wish, closing, "; ".join(map(str, refusals)), out=out)
    intent = Intent(
        client_order_id=state.ids(closing.strategy),
        strategy=closing.strategy,
        ticker=order.ticker,
        side=order.side,
        count=order.count,
        limit=order.limit,
        style=order.style,
        slot="",
        only_reduce=True,
        subaccount=closing.subaccount,
        shard=listing.market.shard,
        reason=order.reason,
        reference=order.reference,
        parameters="",
        expires_at=None,
        order_group="",
        at=state.now,
    )
    placing.send(state, intent, case, out)
    again = Instant(state.now + _AGAIN)
    state.alarm(again, out)
    return replace(closing, tries=closing.tries + 1, next_at=again, words="")


def _bound(best: Price, side: Side, slippage: int, listing: Listing) -> Price:
    """The worst price that may be taken, on the grid; the best one where nothing worse fits."""
    if side is Side.NO:
        return ceiled(Ratio(best.units - slippage, 10_000), listing.grid) or best
    return floored(Ratio(best.units + slippage, 10_000), listing.grid) or best


def _hindered(
    state: State, wish: Flatten, closing: Closing, words: str, *, out: list[Effect]
) -> Closing:
    """Try again later, or leave it."""
    begun = wish.begun_at or state.now
    if state.now - begun >= PATIENCE:
        return replace(closing, state=ClosingState.LEFT, words=words)
    again = Instant(state.now + _AGAIN)
    state.alarm(again, out)
    return replace(closing, next_at=again, words=words)


def _conclude(state: State, wish: Flatten, out: list[Effect]) -> None:
    state.flattener.wish = replace(wish, done_at=state.now)
    closings = state.flattener.closings.values()
    left = [each for each in closings if each.state is ClosingState.LEFT]
    words = f"{len(closings) - len(left)} of {len(closings)} positions are closed"
    if left:
        named = (f"{each.ticker} ({each.strategy}): {each.words}" for each in left)
        words += "; left: " + "; ".join(named)
    out.append(Alert(at=state.now, kind=AlertKind.FLATTENED, words=words, strategy=wish.strategy))


def waits_until(state: State) -> str:
    """What the flattening waits for, in words; empty where it is at work or done."""
    wish = state.flattener.wish
    if wish is None or wish.begun_at is not None:
        return ""
    if state.now < state.sweeper.quiet_until:
        until = format_instant(state.sweeper.quiet_until)
        return f"the minute after the cancel-all, until {until}"
    if wish.strategy or state.sweeper.duty is None:
        return "the fills of its last orders"
    return "the proof that nothing rests"
