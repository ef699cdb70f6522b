"""Names of things, as the exchange gives them.  All are opaque: never parse one."""

from __future__ import annotations

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
