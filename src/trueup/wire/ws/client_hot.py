"""The one path that nearly all messages take: a change of a valid book, in its place.

A busy connection carries hundreds of thousands of them, so this does no more than
has to be done: two look-ups of texts that were parsed before, one addition.
Anything unusual is left to the session's careful way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trueup.wire.ws.bodies import DeltaBody
from trueup.wire.ws.client_events import Event
from trueup.wire.ws.client_subscription import Subscription, WatchedBook
from trueup.wire.ws.from_wire import UNREADABLE, count_units, price_units

NEGATIVE: Final[list[Event]] = []
"""The answer for a change that took a level below zero: a mark, not to be handed on."""

_ONE: Final = 10_000


def apply_hot(
    subscription: Subscription, watched: WatchedBook, body: DeltaBody
) -> Sequence[Event] | None:
    """Apply a change that stands in its place; `None`, with nothing done, for a closer look."""
    try:
        price, change = price_units[body.price_dollars], count_units[body.delta_fp]
    except UNREADABLE:
        return None
    side = body.side
    if side == "yes":
        is_valid = watched.apply(True, price, change)  # keywords cost time here
    elif side == "no":
        yes_price = price if subscription.options.use_yes_price else _ONE - price
        is_valid = watched.apply(False, yes_price, change)
    else:
        return None
    subscription.expected += 1
    if not is_valid:
        return NEGATIVE
    if body.clock:
        watched.book.clock = body.clock
    return watched.changed
