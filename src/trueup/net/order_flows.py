"""The courses of requests about orders: what is sent, and what is known afterwards.

A request that writes is sent once.  When no answer comes, or one that says
nothing (a time-out, 5xx, a success without an order), `OrderOutcomeUnknown` says
what to ask, and `resolve` asks it:

- An order is looked for in the listing by its `client_order_id`; a single read
  may lag a write, and 404 says the same about an order that is cancelled, that
  has filled and that never was.
- An order that is not in the listing is absent only once it cannot appear any
  more: a request that is still on its way is dead after `REQUEST_LIFETIME`, and
  reads must have caught up to that moment (`/exchange/user_data_timestamp`).

Until then the fate is unresolved, and the market is best left alone.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Final, TypedDict, TypeVar, Unpack

from trueup.core.errors import CallerError, ExchangeRefused, NotFound, NotSent, OutcomeUnknown
from trueup.core.facts import OrderReported
from trueup.core.ids import (
    ClientOrderId,
    OrderGroupId,
    OrderId,
    Shard,
    Subaccount,
    Ticker,
    first_name,
)
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.order_entry import (
    REQUEST_LIFETIME,
    Amendment,
    Cancellation,
    Decrease,
    ItemRefused,
    ItemUnknown,
    NewOrder,
    OrderAbsent,
    OrderAmended,
    OrderCanceled,
    OrderDecreased,
    OrderFate,
    OrderFound,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderQuestion,
    OrderUnresolved,
)
from trueup.core.orders import (
    Action,
    SelfTradePrevention,
    Side,
    TimeInForce,
    is_terminal,
    quoted,
)
from trueup.core.units import Count, Price
from trueup.net.pages import list_pages
from trueup.net.request import Reply
from trueup.net.session import Pause, Session, Step
from trueup.wire.rest import exchange, orders, portfolio
from trueup.wire.rest.call import Call, Page

T = TypeVar("T")
Flow = Generator[Step, Reply | None, T]
Asked = NewOrder | Amendment | Decrease | Cancellation

PATIENCE: Final = 60 * SECOND
"""How long `resolve` asks before it leaves a fate unresolved."""

_CLOCKS_APART: Final = 60 * SECOND
"""How far back the listing is asked for, since the exchange's clock is not ours."""

_SAME_TIME: Final = HOUR
_FIRST_PAUSE: Final = SECOND // 4
_LONGEST_PAUSE: Final = 4 * SECOND


def create(session: Session, order: NewOrder) -> Flow[OrderPlaced]:
    """Place one order.  Raises `OrderOutcomeUnknown` when nobody knows what became of it."""
    return _send(session, orders.create(order), [order])


def create_batch(
    session: Session, batch: Sequence[NewOrder]
) -> Flow[tuple[OrderPlaced | ItemRefused | ItemUnknown, ...]]:
    """Place several orders, each taken or refused on its own."""
    return _send(session, orders.create_batch(batch), batch)


def amend(session: Session, amendment: Amendment) -> Flow[OrderAmended]:
    """Change a resting order."""
    return _send(session, orders.amend(amendment), [amendment])


def decrease(session: Session, decreased: Decrease) -> Flow[OrderDecreased]:
    """Take contracts off a resting order."""
    return _send(session, orders.decrease(decreased), [decreased])


def cancel(
    session: Session, order: Cancellation | OrderId | str, *, ticker: Ticker | str = ""
) -> Flow[OrderCanceled]:
    """Take a resting order back.  `NotFound` does not prove that it is cancelled.

    An order that is named by its id needs its `ticker`: without one the exchange
    looks on shard 0 only, and says of all other orders that there are none.
    """
    if isinstance(order, Cancellation):
        return _send(session, orders.cancel(order), [order])
    if not ticker:
        raise CallerError(
            f"order {order} cannot be cancelled without its market",
            remedy="Give ticker=…; a Cancellation without one is looked for on shard 0 only.",
        )
    named = Cancellation(order_id=OrderId(order), ticker=Ticker(ticker))
    return _send(session, orders.cancel(named), [named])


def cancel_batch(
    session: Session, batch: Sequence[Cancellation]
) -> Flow[tuple[OrderCanceled | ItemRefused | ItemUnknown, ...]]:
    """Take several resting orders back, each on its own."""
    return _send(session, orders.cancel_batch(batch), batch)


def resolve(
    session: Session, unknown: OrderOutcomeUnknown | OrderQuestion, *, patience: int = PATIENCE
) -> Flow[tuple[OrderFate, ...]]:
    """Ask the exchange what became of one or several orders; one answer for each question.

    An order that was to be placed is found or absent.  One that was to be
    changed or cancelled is found; its state is final once it is terminal or
    reads have caught up with the moment at which the request was surely dead.
    Asks for up to `patience` microseconds.
    """
    questions = unknown.questions if isinstance(unknown, OrderOutcomeUnknown) else (unknown,)
    fates: list[OrderFate] = []
    for question in questions:
        fate = yield from _resolve_one(session, question, patience)
        fates.append(fate)
    return tuple(fates)


def find(
    session: Session, question: OrderQuestion, *, since: Instant | None = None
) -> Flow[OrderReported | None]:
    """The order in question as it can be read now; `None` where it cannot (yet).

    `since` leaves out older orders, by the exchange's time.
    """
    if question.order_id is not None:
        try:
            return (yield from session.flow(portfolio.order(question.order_id)))
        except NotFound:
            return None
    listing: Call[Page[OrderReported]] = portfolio.orders(
        ticker=question.ticker,
        min_at=since,
        subaccount=question.subaccount,
    )
    flow, reply = list_pages(session, listing), None
    while True:
        try:
            step = flow.send(reply)
        except StopIteration:
            return None
        if isinstance(step, Page):
            reply = None
            for order in step.items:
                # An order that was replaced by FIX has another name since.
                names = {order.client_order_id, first_name(order.client_order_id)}
                if question.client_order_id in names:
                    return order
        else:
            reply = yield step


def _send(session: Session, call: Call[T], asked: Sequence[Asked]) -> Flow[T]:
    sent_at = session.now()
    try:
        return (yield from session.flow(call))
    except NotSent:
        raise
    except OutcomeUnknown as error:
        lost_at = session.now()
        questions = tuple(_question(each, sent_at, lost_at) for each in asked)
        raise OrderOutcomeUnknown(str(error), questions) from error


def _question(asked: Asked, sent_at: Instant, lost_at: Instant) -> OrderQuestion:
    is_new = isinstance(asked, NewOrder)
    return OrderQuestion(
        sent_at=sent_at,
        lost_at=lost_at,
        client_order_id=asked.client_order_id if is_new else None,
        order_id=None if is_new else asked.order_id,
        ticker=asked.ticker,
        subaccount=asked.subaccount,
    )


def _resolve_one(session: Session, question: OrderQuestion, patience: int) -> Flow[OrderFate]:
    dead_at = question.lost_at + REQUEST_LIFETIME
    give_up_at = session.now() + patience
    pause = _FIRST_PAUSE
    while True:
        # Asked before the order is: what is read after it is at least so fresh.
        reads_until = yield from _reads_until(session)
        # The world of a sandbox may live at another date than this machine.
        is_our_time = abs(reads_until - session.now()) < _SAME_TIME
        since = Instant(question.sent_at - _CLOCKS_APART) if is_our_time else None
        order = yield from find(session, question, since=since)
        is_settled = reads_until > dead_at
        if order is not None and (
            is_settled or question.order_id is None or is_terminal(order.status)
        ):
            return OrderFound(question=question, order=order)
        if order is None and is_settled:
            return OrderAbsent(question=question)
        if session.now() + pause > give_up_at:
            return OrderUnresolved(question=question)
        yield Pause(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _reads_until(session: Session) -> Flow[Instant]:
    """Up to when reads are complete by the exchange's word; never, where it does not say."""
    try:
        return (yield from session.flow(exchange.user_data_timestamp()))
    except ExchangeRefused:
        return Instant(0)


def place(
    session: Session,
    action: Action | str,
    ticker: Ticker | str,
    outcome: Side | str,
    *,
    count: Count | int | str,
    price: Price | str,
    client_order_id: ClientOrderId | str | None = None,
    **terms: Unpack[Terms],
) -> Flow[OrderPlaced]:
    """Buy or sell contracts of one outcome, in a trader's words.

    `price` is that of the named outcome, in dollars (``"0.56"``); `count` is in
    contracts (``10``, or ``"2.50"``).  Without a `client_order_id` a random one
    is made.  Raises `CallerError` for what no market takes, `ExchangeRefused`,
    and `OrderOutcomeUnknown` when nobody knows what became of it.
    """
    side, yes_price = quoted(Action(action), _outcome(outcome), _price(price))
    order = NewOrder(
        ticker=Ticker(ticker),
        side=side,
        count=_count(count),
        price=yes_price,
        client_order_id=ClientOrderId(client_order_id or session.new_client_order_id()),
        **terms,
    )
    return create(session, order)


class Terms(TypedDict, total=False):
    """What else can be said about an order; see `NewOrder`."""

    time_in_force: TimeInForce
    self_trade_prevention: SelfTradePrevention
    expires_at: Instant | None
    post_only: bool
    reduce_only: bool
    cancel_on_pause: bool
    group_id: OrderGroupId | None
    subaccount: Subaccount | None
    shard: Shard | None


def _outcome(outcome: Side | str) -> Side:
    try:
        return Side(outcome)
    except ValueError as error:
        raise CallerError(f"an outcome is 'yes' or 'no', not {outcome!r}") from error


def buy(
    session: Session,
    ticker: Ticker | str,
    outcome: Side | str,
    *,
    count: Count | int | str,
    price: Price | str,
    client_order_id: ClientOrderId | str | None = None,
    **terms: Unpack[Terms],
) -> Flow[OrderPlaced]:
    """Buy contracts of one outcome; see `place`."""
    return place(
        session,
        Action.BUY,
        ticker,
        outcome,
        count=count,
        price=price,
        client_order_id=client_order_id,
        **terms,
    )


def sell(
    session: Session,
    ticker: Ticker | str,
    outcome: Side | str,
    *,
    count: Count | int | str,
    price: Price | str,
    client_order_id: ClientOrderId | str | None = None,
    **terms: Unpack[Terms],
) -> Flow[OrderPlaced]:
    """Sell contracts of one outcome; see `place`.  What is not held is sold all the same:
    selling YES is buying NO.
    """
    return place(
        session,
        Action.SELL,
        ticker,
        outcome,
        count=count,
        price=price,
        client_order_id=client_order_id,
        **terms,
    )


def _price(given: Price | str) -> Price:
    return given if isinstance(given, Price) else Price.parse(_text(given))


def _count(given: Count | int | str) -> Count:
    if isinstance(given, Count):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return Count.of_contracts(given)
    return Count.parse(_text(given))


def _text(given: object) -> str:
    """Only text: a binary float is not the number it shows."""
    if isinstance(given, str):
        return given
    raise CallerError(
        f"{given!r} is not an exact number", remedy="Write prices and fractional counts as text."
    )
