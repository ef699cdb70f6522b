"""The one path that nearly all messages take: a change of a valid book, in its place.

A busy connection carries hundreds of thousands of them, so this does no more than
has to be done: one decoding without the fields that nobody reads, two look-ups of
texts that were parsed before, one addition.  Anything unusual is left to the
session's careful way, which then decodes the whole message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from trueup.wire.ws.client_events import Event
from trueup.wire.ws.client_subscription import Subscription
from trueup.wire.ws.from_wire import UNREADABLE, count_units, price_units

NEGATIVE: Final[list[Event]] = []
"""The answer for a change that took a level below zero: a mark, not to be handed on."""

PREFIX: Final = b'{"type":"orderbook_delta"'
"""How such a frame begins on the wire.  One that begins otherwise is read carefully."""

PREFIX_LENGTH: Final = len(PREFIX)
_ONE: Final = 10_000


class _Body(msgspec.Struct, gc=False):
    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: str
    clock: int = 0


class HotDelta(msgspec.Struct, gc=False):
    """The part of ``orderbook_delta`` that keeps a book."""

    sid: int
    seq: int
    msg: _Body


_decode: Final = msgspec.json.Decoder(HotDelta).decode


def apply_hot(
    frame: bytes | str, by_sid: Mapping[object, Subscription]
) -> tuple[Sequence[Event] | None, HotDelta | None]:
    """Apply a change that stands in its place to a book that is valid.

    `None`, with nothing done, for a closer look.  With `NEGATIVE` comes the change.
    """
    try:
        message = _decode(frame)
        subscription = by_sid.get(message.sid)
        if subscription is None or message.seq != subscription.expected:
            return None, None
        body = message.msg
        watched = subscription.hot.get(body.market_ticker)
        if watched is None:
            return None, None
        price, change = price_units[body.price_dollars], count_units[body.delta_fp]
    except (*UNREADABLE, UnicodeDecodeError, RecursionError):
        return None, None
    side = body.side
    if side == "yes":
        is_valid = watched.apply(True, price, change)  # keywords cost time here
    elif side == "no":
        is_valid = watched.apply(
            False,
            price if subscription.use_yes_price else _ONE - price,
            change,
        )
    else:
        return None, None
    subscription.expected += 1
    if not is_valid:
        return NEGATIVE, message
    if body.clock:
        watched.book.clock = body.clock
    return watched.changed, None
