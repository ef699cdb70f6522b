"""An announcement on its way out, written once for everybody who hears it.

The exchange tells the same thing to many connections; only sid, seq and the
time of sending differ.  So the inside of a message is encoded at most once for
each way of telling it: order books in YES or in NO prices, and with or without
the ids that only the owner of an order may see.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from trueup.core import announcements as a
from trueup.core.errors import InvariantBroken
from trueup.core.ids import Ticker
from trueup.core.orderbook import BookDelta, BookSnapshot
from trueup.wire.ws import to_wire
from trueup.wire.ws.bodies import Body
from trueup.wire.ws.channels import TRAITS, Channel

_encoder: Final = msgspec.json.Encoder()


class MarketSource(Protocol):
    """What the server side has to know about markets.

    `tells_clock` is false for an exchange of before the autumn of 2026, whose
    books had no ``clock``.
    """

    @property
    def tells_clock(self) -> bool:
        """Whether books and their changes carry the exchange's clock."""
        ...

    def book(self, ticker: Ticker) -> BookSnapshot | None:
        """The order book at this moment; `None` for a market that does not exist."""
        ...

    def top(self, ticker: Ticker) -> a.TickerAnnounced | None:
        """What the ticker channel would say of a market at this moment."""
        ...

    def market_id(self, ticker: Ticker) -> str:
        """The market's UUID; empty for a market that does not exist."""
        ...

    def ticker_of(self, market_id: str) -> Ticker | None:
        """The market with this UUID."""
        ...


class Publication:
    """One announcement.

    `user` is whom it belongs to: required for fills, orders, positions, order
    groups and quotes; for a change of an order book, whose order made it; for a
    request for quotes, who asked.
    """

    __slots__ = ("_bodies", "_markets", "channel", "sequenced", "ticker", "type", "user", "value")

    def __init__(self, value: a.Announcement, markets: MarketSource, *, user: str = "") -> None:
        self.value: Final = value
        self.user: Final = user
        self.channel, kind = _channel_and_type(value)
        self.type: Final = kind.encode()
        self.ticker: Final = to_wire.ticker_of(value)
        self.sequenced: Final = TRAITS[self.channel].sequenced
        self._markets = markets
        self._bodies: dict[tuple[bool, bool], bytes] = {}
        if isinstance(value, a.PrivateAnnouncement) and not user:
            raise InvariantBroken(f"{kind} belongs to a user, and none was named")

    def body(self, *, use_yes_price: bool, is_own: bool) -> bytes:
        """The JSON of ``msg`` for this kind of listener."""
        is_book = isinstance(self.value, BookDelta | BookSnapshot)
        tells_apart = isinstance(self.value, BookDelta | a.RfqAnnounced)
        key = (use_yes_price and is_book, is_own and tells_apart)
        known = self._bodies.get(key)
        if known is None:
            known = self._bodies[key] = _encoder.encode(self._write(*key))
        return known

    def _write(self, use_yes_price: bool, is_own: bool) -> Body | dict[str, object]:
        value = self.value
        if isinstance(value, a.RfqAnnounced):
            return to_wire.rfq(value, is_own=is_own)
        if not isinstance(value, BookSnapshot | BookDelta | a.TickerAnnounced):
            return to_wire.body(value, user_id=self.user)
        market_id = self._markets.market_id(value.ticker)
        if isinstance(value, a.TickerAnnounced):
            return to_wire.ticker(value, market_id=market_id)
        if isinstance(value, BookSnapshot):
            body = to_wire.snapshot(value, market_id=market_id, use_yes_price=use_yes_price)
        else:
            body = to_wire.delta(
                value, market_id=market_id, use_yes_price=use_yes_price, is_own=is_own
            )
        return body if self._markets.tells_clock else replace(body, clock=UNSET)


_FIXED: Final = {
    BookSnapshot: (Channel.ORDERBOOK, "orderbook_snapshot"),
    BookDelta: (Channel.ORDERBOOK, "orderbook_delta"),
    a.TradeAnnounced: (Channel.TRADE, "trade"),
    a.TickerAnnounced: (Channel.TICKER, "ticker"),
    a.FillAnnounced: (Channel.FILL, "fill"),
    a.OrderAnnounced: (Channel.USER_ORDERS, "user_order"),
    a.PositionAnnounced: (Channel.POSITIONS, "market_position"),
    a.EventFeesAnnounced: (Channel.LIFECYCLE, "event_fee_update"),
    a.OrderGroupAnnounced: (Channel.ORDER_GROUPS, "order_group_updates"),
}


def _channel_and_type(value: a.Announcement) -> tuple[Channel, str]:
    lifecycle = Channel.LIFECYCLE
    if isinstance(value, a.MarketAnnounced | a.EventAnnounced) and value.is_combo:
        lifecycle = Channel.COMBO_LIFECYCLE
    match value:
        case a.MarketAnnounced():
            found = (lifecycle, lifecycle.value)
        case a.EventAnnounced():
            found = (lifecycle, "event_lifecycle")
        case a.RfqAnnounced():
            found = (Channel.COMMUNICATIONS, f"rfq_{value.change}")
        case a.QuoteAnnounced():
            found = (Channel.COMMUNICATIONS, f"quote_{value.change}")
        case a.RfqBatchAnnounced():
            found = (Channel.COMMUNICATIONS, value.change)
        case a.IndexAnnounced():
            found = (Channel(value.source), value.source)
        case _:
            found = _FIXED[type(value)]
    return found
