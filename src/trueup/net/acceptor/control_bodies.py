"""What each word of the control API takes.

A body's docstring says what its fields mean; help texts and documentation show it.
Times are lengths such as ``"15m"`` or RFC 3339; money and prices are dollars in
decimal text.
"""

from __future__ import annotations

import msgspec

Number = str | int


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No fields."""


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """Let time pass: ``by`` a length or ``to`` a time; or until ``ticker`` has ``status``."""

    by: str = ""
    to: str = ""
    ticker: str = ""
    status: str = ""


class Speed(msgspec.Struct, forbid_unknown_fields=True):
    """``speed`` times normal; 0 is stepped."""

    speed: int


class OfMarket(msgspec.Struct, forbid_unknown_fields=True):
    """``ticker``."""

    ticker: str


class Hours(msgspec.Struct, forbid_unknown_fields=True):
    """``trading`` and ``active`` (true or false), and the ``shard``; without one, all shards.

    Without trading nothing is placed, but cancelled; an exchange that is not active does neither.
    """

    trading: bool = False
    active: bool = True
    shard: int | None = None


class Ending(msgspec.Struct, forbid_unknown_fields=True):
    """``ticker``, and the ``result`` (``yes``, ``no``) or what one YES contract ``pays``."""

    ticker: str
    result: str = ""
    pays: Number = ""


class Deposit(msgspec.Struct, forbid_unknown_fields=True):
    """``amount`` in dollars, to the ``shard`` and ``member`` (the user's own)."""

    amount: Number
    shard: int = 0
    member: str = ""


class FaultBody(msgspec.Struct, forbid_unknown_fields=True):
    """``name``; and if not as usual ``amount``, ``percent``, ``times``, ``tickers``, and the
    window: ``after`` a length, ``lasting`` a length.
    """

    name: str
    amount: int | None = None
    percent: int | None = None
    times: int | None = None
    tickers: tuple[str, ...] = ()
    after: str = ""
    lasting: str = ""


class ClearFault(msgspec.Struct, forbid_unknown_fields=True):
    """``number`` or ``name``; neither clears all."""

    number: int = 0
    name: str = ""


class TradeBody(msgspec.Struct, forbid_unknown_fields=True):
    """``ticker``, ``price`` (YES), ``count``; ``taker_side`` ``yes`` buys, ``no`` sells."""

    ticker: str
    price: Number
    count: Number = 1
    taker_side: str = "yes"


class FillBody(msgspec.Struct, forbid_unknown_fields=True):
    """``order_id``; ``count`` if not all of it."""

    order_id: str
    count: Number = ""


class QuoteBody(msgspec.Struct, forbid_unknown_fields=True):
    """``ticker``; ``bid`` and ``ask`` (YES prices) with ``bid_count`` and ``ask_count``."""

    ticker: str
    bid: Number = ""
    ask: Number = ""
    bid_count: Number = 100
    ask_count: Number = 100


class Named(msgspec.Struct, forbid_unknown_fields=True):
    """``name``."""

    name: str = "default"


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    """``seed``; the present one if not told."""

    seed: int | None = None


class OfMember(msgspec.Struct, forbid_unknown_fields=True):
    """``member`` (the user's own), ``ticker`` (all)."""

    member: str = ""
    ticker: str = ""


class Markets(msgspec.Struct, forbid_unknown_fields=True):
    """``status`` and ``series`` (all)."""

    status: str = ""
    series: str = ""
