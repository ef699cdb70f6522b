"""What the exchange answers and reports, merged into our orders and holdings.

A fill may arrive before the answer to its order: then nobody can say yet whose
it is.  Such a fill waits while an order of ours in its market has no answer; as
soon as none is missing, it belongs to its order, or to somebody else.
"""

from __future__ import annotations

from dataclasses import replace

from trueup.core.facts import Filled
from trueup.core.ids import Ticker
from trueup.core.instant import SECOND
from trueup.core.units import ZERO_COUNT, Count
from trueup.engine import asking
from trueup.engine.effects import Alert, AlertKind, Decision, Effect, Verdict
from trueup.engine.inflight import OrderState, OwnOrder
from trueup.engine.inputs import (
    Accepted,
    Amended,
    AmendEnded,
    Asked,
    Canceled,
    CancelEnded,
    FillSeen,
    MarketSettled,
    OrderSeen,
    Refused,
    SendEnded,
    Unknown,
)
from trueup.engine.portfolio import FOREIGN
from trueup.engine.refusals import Code, Refusal
from trueup.engine.state import State
from trueup.engine.wishes import Order, Style

_EXISTS = "order_already_exists"
"""The exchange's code for a client order id that it has seen before."""

_CLOCKS_APART = 5 * SECOND
"""How much earlier than ours the exchange's clock may date what came after."""


class Follower:
    """Merges answers and reports; knows the fills whose order is not known yet."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._waiting: dict[Ticker, list[Filled]] = {}

    # -- answers ---------------------------------------------------------------------------

    def sent(self, said: SendEnded, out: list[Effect]) -> list[tuple[str, Filled]]:
        """How sending an order ended.  Returns fills that found their strategy."""
        state = self._state
        order = state.inflight.get(said.client_order_id)
        if order is None or order.state is not OrderState.PENDING:
            return []
        match said.outcome:
            case Accepted() as accepted:
                changed = _accepted(order, accepted).moved(_state_after(order, accepted), said.at)
                state.inflight.put(changed)
                asking.note_end(state, changed, before=order.state, out=out)
            case Refused(code=code) if code == _EXISTS:
                asking.doubt(state, order, "the exchange has seen its id before", out)
                return []
            case Refused() as refused:
                changed = order.moved(OrderState.REFUSED, said.at)
                state.inflight.put(changed)
                asking.note_end(state, changed, before=order.state, out=out)
                out.append(_refusal_decision(order, refused, said))
            case Unknown(words=words):
                asking.doubt(state, order, words, out)
                return []
        changed = state.inflight.get(said.client_order_id) or order
        return [*self._claimed(changed, out), *self.release(order.intent.ticker, out)]

    def canceled(self, said: CancelEnded, out: list[Effect]) -> None:
        """How cancelling ended.  Only a success is believed; anything else is asked."""
        state = self._state
        order = state.inflight.get(said.client_order_id)
        if order is None:
            return
        match said.outcome:
            case Canceled() if order.amending is not None:
                # Of how many contracts these were the rest hangs on the amendment.
                self._ask_again(replace(order, canceling=False, updated_at=said.at), out)
            case Canceled(reduced_by=reduced):
                if order.state is OrderState.RESTING:
                    filled = Count(max(order.reported.units, (order.whole_count - reduced).units))
                    changed = order.moved(
                        OrderState.CANCELED,
                        said.at,
                        reported=filled,
                        remaining=ZERO_COUNT,
                        canceling=False,
                    )
                    state.inflight.put(changed)
                    asking.note_end(state, changed, before=order.state, out=out)
            case Refused() | Unknown():
                self._ask_again(replace(order, canceling=False, updated_at=said.at), out)

    def amended(self, said: AmendEnded, out: list[Effect]) -> None:
        """How amending ended."""
        state = self._state
        order = state.inflight.get(said.client_order_id)
        if order is None or order.amending is None:
            return
        match said.outcome:
            case Amended(fill_count=filled, remaining_count=remaining, told_at=told_at):
                reported = max(order.reported, ZERO_COUNT if filled is None else filled)
                total = order.whole_count
                if filled is not None and remaining is not None:
                    total = filled + remaining
                # Fills that came before this answer rest no more.
                rests = Count(max(0, (total - reported).units))
                after = OrderState.RESTING if rests else OrderState.EXECUTED
                if order.state is not OrderState.RESTING:
                    after = order.state
                changed = order.moved(
                    after,
                    said.at,
                    price=order.amending,
                    amending=None,
                    total=total,
                    told_at=max(order.told_at, told_at),
                    reported=reported,
                    remaining=rests if after is OrderState.RESTING else ZERO_COUNT,
                )
                state.inflight.put(changed)
                asking.note_end(state, changed, before=order.state, out=out)
            case Refused():
                total, renewed = order.unamended
                undone = replace(order, amending=None, total=total, renewed=renewed)
                self._ask_again(replace(undone, updated_at=said.at), out)
            case Unknown():
                # It may still take effect, and what rests then only the exchange can say.
                doubted = replace(order, updated_at=said.at, doubted_at=said.at)
                self._ask_again(doubted, out)

    def _ask_again(self, order: OwnOrder, out: list[Effect]) -> None:
        self._state.inflight.put(order)
        if order.is_living:
            asking.ask(self._state, order, out)

    def asked(self, said: Asked, out: list[Effect]) -> list[tuple[str, Filled]]:
        """The answer to a question about an order."""
        changed = asking.answered(self._state, said, out)
        if changed is None:
            return []
        return [*self._claimed(changed, out), *self.release(changed.intent.ticker, out)]

    # -- reports ---------------------------------------------------------------------------

    def ordered(self, said: OrderSeen, out: list[Effect]) -> list[tuple[str, Filled]]:
        """A report of an order: merged when it is ours, else none of our business."""
        state = self._state
        order = state.inflight.named(said.order)
        changed = state.inflight.reported(said.order, said.at)
        if changed is None:
            return []
        if order is not None:
            if order.state is OrderState.UNKNOWN and changed.state is not OrderState.UNKNOWN:
                changed = replace(changed, asked=0)
            changed = asking.lied(state, changed, out)
            state.inflight.put(changed)
            asking.note_end(state, changed, before=order.state, out=out)
        return [*self._claimed(changed, out), *self.release(changed.intent.ticker, out)]

    def filled(self, said: FillSeen, out: list[Effect]) -> list[tuple[str, Filled]]:
        """A fill: counted once, for the strategy of its order."""
        fill = said.fill
        waiting = self._waiting.get(fill.ticker, [])
        if self._state.portfolio.has_seen(fill) or any(
            (each.trade_id, each.order_id) == (fill.trade_id, fill.order_id) for each in waiting
        ):
            return []
        if self._state.inflight.find(fill.order_id) is None:
            for order in self._state.inflight.absent(fill.ticker):
                if _could_be_of(fill, order):
                    asking.doubt_absence(self._state, order, fill, out)
            if self._is_answer_missing(fill.ticker):
                self._waiting.setdefault(fill.ticker, []).append(fill)
                return []
        return self._book(fill, out)

    def release(self, ticker: Ticker, out: list[Effect]) -> list[tuple[str, Filled]]:
        """Fills that waited in a market and can be counted now, oldest first."""
        waiting = self._waiting.get(ticker)
        if not waiting:
            return []
        missing = self._is_answer_missing(ticker)
        ready = [
            fill
            for fill in waiting
            if not missing or self._state.inflight.find(fill.order_id) is not None
        ]
        left = [fill for fill in waiting if fill not in ready]
        if left:
            self._waiting[ticker] = left
        else:
            del self._waiting[ticker]
        return [found for fill in ready for found in self._book(fill, out)]

    def _claimed(self, order: OwnOrder, out: list[Effect]) -> list[tuple[str, Filled]]:
        """Fills of an order that were taken for a stranger's before its name was known."""
        if order.order_id is None:
            return []
        intent, portfolio = order.intent, self._state.portfolio
        fills = portfolio.claim(order.order_id, intent.strategy, intent.subaccount, intent.ticker)
        for fill in fills:
            before = self._state.inflight.find(fill.order_id)
            counted = self._state.inflight.filled(fill)
            if before is not None and counted is not None:
                asking.note_end(self._state, counted, before=before.state, out=out)
        return [(intent.strategy, fill) for fill in fills]

    def _is_answer_missing(self, ticker: Ticker) -> bool:
        return any(
            each.order_id is None and each.state in {OrderState.PENDING, OrderState.UNKNOWN}
            for each in self._state.inflight.living(ticker)
        )

    def _book(self, fill: Filled, out: list[Effect]) -> list[tuple[str, Filled]]:
        state = self._state
        before = state.inflight.find(fill.order_id)
        order = state.inflight.filled(fill)
        if order is None and fill.subaccount not in state.subaccounts:
            return []
        strategy = FOREIGN if order is None else order.intent.strategy
        reserved_at = None
        if order is not None and order.intent.style is not Style.TAKE:
            reserved_at = max(order.intent.at, order.amended_at)
        state.portfolio.book(fill, strategy, reserved_at=reserved_at)
        if order is not None and before is not None:
            asking.note_end(state, order, before=before.state, out=out)
        return [(strategy, fill)]


def _could_be_of(fill: Filled, order: OwnOrder) -> bool:
    """Whether a fill of an unknown order could be of one that was called absent."""
    intent = order.intent
    worse = (fill.price.units - intent.limit.units) * intent.side.sign
    return (
        order.order_id is None
        and fill.side is intent.side
        and fill.subaccount == intent.subaccount
        and fill.count <= intent.count
        and worse <= 0
        and fill.at >= intent.at - _CLOCKS_APART
    )


def _accepted(order: OwnOrder, accepted: Accepted) -> OwnOrder:
    reported = max(order.reported, accepted.fill_count)
    rests = _state_after(order, accepted) is OrderState.RESTING
    return replace(
        order,
        order_id=accepted.order_id,
        reported=reported,
        remaining=accepted.remaining_count if rests else ZERO_COUNT,
    )


def _state_after(order: OwnOrder, accepted: Accepted) -> OrderState:
    if accepted.fill_count >= order.intent.count:
        return OrderState.EXECUTED
    if order.intent.style is Style.TAKE or not accepted.remaining_count:
        return OrderState.CANCELED
    return OrderState.RESTING


def _refusal_decision(order: OwnOrder, refused: Refused, said: SendEnded) -> Decision:
    intent = order.intent
    wish = Order(
        ticker=intent.ticker,
        side=intent.side,
        count=intent.count,
        limit=intent.limit,
        reason=intent.reason,
        style=intent.style,
        slot=intent.slot,
        reference=intent.reference,
        only_reduce=intent.only_reduce,
    )
    figures = {"code": refused.code or "–", "words": refused.words}
    return Decision(
        at=said.at,
        strategy=intent.strategy,
        wish=wish,
        verdict=Verdict.REFUSED,
        refusals=(Refusal(Code.EXCHANGE, figures=figures),),
        client_order_id=intent.client_order_id,
    )


def fill_alert(strategy: str, fill: Filled) -> Alert:
    """Words for a fill of ours."""
    words = f"{fill.side} {fill.count} {fill.ticker} at {fill.price}"
    key = f"{fill.trade_id} {fill.order_id}"
    return Alert(at=fill.at, kind=AlertKind.FILL, words=words, strategy=strategy, key=key)


def settle_market(state: State, given: MarketSettled, out: list[Effect]) -> None:
    """Pay what is held in a market, and say what came of it."""
    portfolio = state.portfolio
    before = dict(portfolio.held_in(given.ticker))
    paid = {key: each.position.net for key, each in before.items() if each.position.net}
    revised = portfolio.settle(given.ticker, given.value, state.now)
    for key, held in portfolio.held_in(given.ticker):
        earned = held.realized - before[key].realized
        if revised and earned:
            words = (
                f"the settlement of {given.ticker} was revised to {given.value} a contract: "
                f"what was realized changes by {earned.dollars()}"
            )
        elif not revised and key in paid:
            words = (
                f"{given.ticker} paid {given.value} a contract on {paid[key]}: "
                f"{earned.dollars()} realized"
            )
        else:
            continue
        out.append(
            Alert(
                at=given.at,
                kind=AlertKind.BOOKS if revised else AlertKind.SETTLEMENT,
                words=words,
                strategy=key[0],
                key=f"{given.ticker} {given.value}" if revised else given.ticker,
            )
        )
