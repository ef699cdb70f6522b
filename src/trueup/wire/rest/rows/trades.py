"""Public trades: ``/markets/trades`` and ``/historical/trades``."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from trueup.core.announcements import TradeAnnounced
from trueup.core.ids import Ticker, TradeId
from trueup.core.instant import Instant, format_instant
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.wire import spelling
from trueup.wire.rest.codecs import PRICE_OR_CENTS, TIME, WHOLE_COUNT, word_of
from trueup.wire.rest.shapes import Shape, Wire
from trueup.wire.spelling import Record


class PublicTrade(msgspec.Struct, frozen=True, kw_only=True):
    """One trade of anybody.  `price` is the YES price; `trade_id` is also that of both fills.

    A block trade was agreed off the book.
    """

    trade_id: TradeId
    ticker: Ticker
    count: Annotated[Count, Wire("count_fp", old=(("count", WHOLE_COUNT),))]
    price: Annotated[Price, Wire("yes_price_dollars", old=(("yes_price", PRICE_OR_CENTS),))]
    taker_side: Annotated[Side, Wire("taker_outcome_side", old=(("taker_side", word_of(Side)),))]
    at: Annotated[Instant, Wire("created_time", TIME)]
    is_block: Annotated[bool, Wire("is_block_trade")] = False

    def announced(self) -> TradeAnnounced:
        """The same as a stream tells it."""
        return TradeAnnounced(
            trade_id=self.trade_id,
            ticker=self.ticker,
            price=self.price,
            count=self.count,
            taker_side=self.taker_side,
            is_block=self.is_block,
            at=self.at,
        )


TRADE: Final = Shape(
    PublicTrade, "Trade", ignored="no_price_dollars no_price price taker_book_side"
)
"""What is ignored says the same again."""


def write_trade(trade: PublicTrade) -> Record:
    """A row of ``trades``."""
    side = trade.taker_side
    return {
        "trade_id": trade.trade_id,
        "ticker": trade.ticker,
        "count_fp": spelling.counted(trade.count),
        "yes_price_dollars": spelling.priced(trade.price),
        "no_price_dollars": spelling.priced(trade.price.complement()),
        "taker_side": side.value,
        "taker_outcome_side": side.value,
        "taker_book_side": "bid" if side is Side.YES else "ask",
        "created_time": format_instant(trade.at),
        "is_block_trade": trade.is_block,
    }
