"""Names of things, as the exchange gives them.  All are opaque: never parse one.

The exception is our own name for an order, which FIX changes with the order (`further_name`).
"""

from __future__ import annotations

import re
from typing import NewType

Ticker = NewType("Ticker", str)
"""A market, e.g. ``KXHIGHNY-26MAY31-B78``."""

EventTicker = NewType("EventTicker", str)
"""An event: a group of markets on one question."""

SeriesTicker = NewType("SeriesTicker", str)
"""A series: a recurring kind of event; fees and categories hang on it."""

OrderId = NewType("OrderId", str)
TradeId = NewType("TradeId", str)
"""Shared by the public trade and by both sides' fills."""

ClientOrderId = NewType("ClientOrderId", str)
"""Our own name for an order.  The exchange takes each one once, forever."""

OrderGroupId = NewType("OrderGroupId", str)
"""Orders that are cancelled together once too many of their contracts filled in 15 seconds."""

Subaccount = NewType("Subaccount", int)
"""0 is the primary account; 1 to 63 are numbered subaccounts."""

Shard = NewType("Shard", int)
"""The exchange's ``exchange_index``: each shard has its own cash balance."""

PRIMARY = Subaccount(0)
SHARD_ZERO = Shard(0)

CLIENT_ORDER_ID_MAX = 64
"""FIX cuts a longer one; REST takes it."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FURTHER_NAME = re.compile(r"(.+)~([0-9a-z]{1,6})\Z", re.DOTALL)


def first_name(name: ClientOrderId) -> ClientOrderId:
    """The name that an order was placed under, from the one it has now."""
    match = _FURTHER_NAME.match(name)
    return ClientOrderId(match[1]) if match else name


def further_name(name: ClientOrderId) -> ClientOrderId | None:
    """The next name of an order; `None` when there is no room for one.

    FIX gives an order a new name with every replacement.  Ours are made of the first one
    (``bot-1``, ``bot-1~1``, ``bot-1~2``), so that after a crash the order is still known by
    the name that is in the intent log.
    """
    match = _FURTHER_NAME.match(name)
    number = 1 + (int(match[2], len(_DIGITS)) if match else 0)
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    further = f"{first_name(name)}~{digits}"
    return ClientOrderId(further) if len(further) <= CLIENT_ORDER_ID_MAX else None
