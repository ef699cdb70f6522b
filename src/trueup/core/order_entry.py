"""What is asked of the exchange about orders, and what it answers: plain values.

Requests are in the imperative, answers in the past tense.  Prices are YES
prices and sides directions (`trueup.core.orders.quoted` makes both from a
trader's words).  A request holds whatever it was given; `check_new_order`
says what the exchange would surely refuse, before anything is sent.

In every request `subaccount` `None` leaves it to the exchange (the primary
one, or the one that the key is locked to) and `shard` `None` lets the exchange
find the shard by the ticker, which charges the write budget of every shard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.errors import CallerError, OutcomeUnknown
from trueup.core.facts import OrderReported
from trueup.core.ids import ClientOrderId, OrderGroupId, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import SelfTradePrevention, Side, TimeInForce
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, Count, Price, Ratio

_NOTHING: Final = Price(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order to place.

    `client_order_id` is good for one order, forever: also a cancelled order
    keeps it.  `expires_at` counts in whole seconds and needs
    `TimeInForce.GOOD_TILL_CANCELED`.  A `post_only` order that would trade at
    once is refused.  `reduce_only` caps the count by the position held and
    needs `TimeInForce.IMMEDIATE_OR_CANCEL`.
    """

    ticker: Ticker
    side: Side
    count: Count
    price: Price
    client_order_id: ClientOrderId
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELED
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.TAKER_AT_CROSS
    expires_at: Instant | None = None
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    group_id: OrderGroupId | None = None
    subaccount: Subaccount | None = None
    shard: Shard | None = None


KEEP_EXPIRY: Final = None
NO_EXPIRY: Final = Instant(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A change of a resting order.  Ticker and side repeat what the order has.

    `count` is the total: what has filled plus what shall rest.  `expires_at` is
    `KEEP_EXPIRY`, `NO_EXPIRY` or the new time in whole seconds.  A smaller count
    or another expiry keeps the place in the queue; another price or a larger
    count loses it.  `client_order_id`, where given, must be the order's own.
    """

    order_id: OrderId
    ticker: Ticker
    side: Side
    price: Price
    count: Count
    client_order_id: ClientOrderId | None = None
    new_client_order_id: ClientOrderId | None = None
    expires_at: Instant | None = KEEP_EXPIRY
    subaccount: Subaccount | None = None
    shard: Shard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decrease:
    """Take contracts off a resting order: so many (`by`), or down to so many (`to`).

    Exactly one of the two.  Without a `ticker` the exchange looks on shard 0 only.
    """

    order_id: OrderId
    by: Count | None = None
    to: Count | None = None
    ticker: Ticker | None = None
    subaccount: Subaccount | None = None
    shard: Shard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Take a resting order back.  Without a `ticker` the exchange looks on shard 0 only."""

    order_id: OrderId
    ticker: Ticker | None = None
    subaccount: Subaccount | None = None
    shard: Shard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced:
    """The exchange took an order.

    `remaining_count` is what rests now: 0 for an order that filled, that was
    not to rest, or that was cancelled at once because it met one of our own.
    The averages are per contract, rounded by the exchange, and `None` when
    nothing filled; the exact fees are those of the fills.
    """

    order_id: OrderId
    client_order_id: ClientOrderId
    fill_count: Count
    remaining_count: Count
    average_fill_price: Ratio | None
    average_fee: Ratio | None
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAmended:
    """The exchange changed an order.

    The counts are `None` where the exchange says nothing about them: it does
    only when something filled or the resting size changed.
    """

    order_id: OrderId
    client_order_id: ClientOrderId
    fill_count: Count | None
    remaining_count: Count | None
    average_fill_price: Ratio | None
    average_fee: Ratio | None
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDecreased:
    """The exchange took contracts off an order; `remaining_count` still rest."""

    order_id: OrderId
    client_order_id: ClientOrderId
    remaining_count: Count
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCanceled:
    """The exchange took an order off the book; `reduced_by` contracts had been resting."""

    order_id: OrderId
    client_order_id: ClientOrderId
    reduced_by: Count
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRefused:
    """One order of a batch that the exchange refused; the others are not touched by it.

    Of the two ids the exchange names the one it was asked about.
    """

    order_id: OrderId
    client_order_id: ClientOrderId
    code: str
    message: str
    details: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemUnknown:
    """One order of a batch whose fate the answer does not tell: ask before going on."""

    order_id: OrderId
    client_order_id: ClientOrderId


REQUEST_LIFETIME: Final = 30 * SECOND
"""How long a request of unknown outcome may still be carried out after it was given up.

By REST the exchange was seen to take a signature of 10 seconds ago, and none of 30.  By FIX
an order belongs to its connection: one over which nothing gets through any more is ended by
the exchange after two heartbeats without an answer (`HEARTBEAT_SECONDS` of an order entry
session is 5), and what stood in a balancer behind it goes with it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuestion:
    """What to ask the exchange about an order whose fate nobody knows.

    An order that was to be placed is known by its `client_order_id`, one that
    was to be changed or cancelled by its `order_id`.  The request went out at or
    after `sent_at`, and was given up at `lost_at`.
    """

    sent_at: Instant
    lost_at: Instant
    client_order_id: ClientOrderId | None = None
    order_id: OrderId | None = None
    ticker: Ticker | None = None
    subaccount: Subaccount | None = None


class OrderOutcomeUnknown(OutcomeUnknown):
    """A request about orders went out, and nobody knows what became of it.

    Do not repeat it.  `questions` say what to ask; `client.orders.resolve(error)`
    asks.
    """

    def __init__(self, message: str, questions: tuple[OrderQuestion, ...]) -> None:
        super().__init__(
            message,
            remedy="Nothing was repeated. Ask what became of it (client.orders.resolve) first.",
        )
        self.questions = questions


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFound:
    """The exchange has the order; `order` is its newest state that could be read."""

    question: OrderQuestion
    order: OrderReported


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAbsent:
    """The exchange has no such order, and the lost request cannot be taken any more."""

    question: OrderQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUnresolved:
    """The exchange could not say yet; ask again, and place nothing in this market until then."""

    question: OrderQuestion


OrderFate = OrderFound | OrderAbsent | OrderUnresolved


def check_new_order(order: NewOrder) -> None:
    """Raise `CallerError` for what the exchange refuses whatever the market's state."""
    if not order.client_order_id:
        raise CallerError(
            "an order needs a client_order_id",
            remedy="Without one nobody can find out what became of it when an answer is lost.",
        )
    _check_price_and_count(order.price, order.count)
    resting = order.time_in_force is TimeInForce.GOOD_TILL_CANCELED
    if order.expires_at is not None and not resting:
        raise CallerError(f"an order that expires must be {TimeInForce.GOOD_TILL_CANCELED}")
    if order.post_only and not resting:
        raise CallerError("an order cannot be both post_only and only for this moment")
    if order.reduce_only and order.time_in_force is not TimeInForce.IMMEDIATE_OR_CANCEL:
        raise CallerError(f"a reduce_only order must be {TimeInForce.IMMEDIATE_OR_CANCEL}")


def check_amendment(amendment: Amendment) -> None:
    """Raise `CallerError` for what the exchange refuses whatever the market's state."""
    _check_price_and_count(amendment.price, amendment.count)


def check_decrease(decrease: Decrease) -> None:
    """Raise `CallerError` unless exactly one of `by` and `to` is there and makes sense."""
    if (decrease.by is None) == (decrease.to is None):
        raise CallerError("a decrease is either by some contracts or to some contracts")
    if decrease.by is not None and decrease.by <= ZERO_COUNT:
        raise CallerError(f"an order cannot be decreased by {decrease.by} contracts")
    if decrease.to is not None and decrease.to < ZERO_COUNT:
        raise CallerError(f"an order cannot be decreased to {decrease.to} contracts")


def _check_price_and_count(price: Price, count: Count) -> None:
    if price in {_NOTHING, ONE_DOLLAR}:
        raise CallerError(f"an order's price lies between $0 and $1, not at {price}")
    if count <= ZERO_COUNT:
        raise CallerError(f"an order is for more than 0 contracts, not for {count}")
