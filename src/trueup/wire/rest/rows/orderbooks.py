"""Order books of REST: bids on both sides, ascending, so the best is the last.

The exchange lists the bids for YES and the bids for NO.  A bid for NO at q is
an ask at 1 − q; in trueup every level has its YES price.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, cast

import msgspec

from trueup.core.errors import ProtocolBroken
from trueup.core.ids import Ticker
from trueup.core.orderbook import BookSnapshot, Level
from trueup.core.units import Price
from trueup.wire import spelling
from trueup.wire.rest.codecs import CENT_PRICE, COUNT, PRICE
from trueup.wire.spelling import Record

KNOWN: Final = frozenset({"orderbook_fp", "orderbook"})
"""The second is of before March 2026."""

_SIDES: Final = frozenset({"yes_dollars", "no_dollars", "yes", "no"})
KNOWN_LISTED: Final = frozenset({"ticker", "orderbook_fp"})

_DECODE: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_LEVEL_LENGTH: Final = 2


def read_book(raw: bytes, ticker: Ticker) -> BookSnapshot:
    """The book of `ticker` (the answer does not name it), in the present form or in cents."""
    answer = _DECODE.decode(raw)
    book = answer.get("orderbook_fp") or answer.get("orderbook")
    if not isinstance(book, dict):
        raise ProtocolBroken("the answer has no orderbook_fp")
    return _book(cast("dict[str, object]", book), ticker)


def read_listed_book(raw: bytes) -> BookSnapshot:
    """One of several books; here the record names its market."""
    row = _DECODE.decode(raw)
    ticker, book = row.get("ticker"), row.get("orderbook_fp")
    if not isinstance(ticker, str) or not isinstance(book, dict):
        raise ProtocolBroken("a listed order book without its ticker or its orderbook_fp")
    return _book(cast("dict[str, object]", book), Ticker(ticker))


def write_book(book: BookSnapshot) -> Record:
    """The ``orderbook_fp`` of a book."""
    return {
        "yes_dollars": [_pair(level.price, level) for level in reversed(book.bids)],
        "no_dollars": [_pair(level.price.complement(), level) for level in reversed(book.asks)],
    }


def _pair(price: Price, level: Level) -> list[str]:
    return [spelling.priced(price), spelling.counted(level.count)]


def _book(row: dict[str, object], ticker: Ticker) -> BookSnapshot:
    if not row.keys() & _SIDES:
        raise ProtocolBroken("an order book with neither side")
    bids = _levels(row, "yes")
    asks = [Level(level.price.complement(), level.count) for level in _levels(row, "no")]
    return BookSnapshot(
        ticker=ticker,
        bids=tuple(sorted(bids, key=_price, reverse=True)),
        asks=tuple(sorted(asks, key=_price)),
    )


def _price(level: Level) -> Price:
    return level.price


def _levels(row: dict[str, object], side: str) -> list[Level]:
    """The levels of a side: in dollars where they are given, else in whole cents."""
    stated, codec = row.get(f"{side}_dollars"), PRICE
    if stated is None:
        stated, codec = row.get(side), CENT_PRICE
    levels: list[Level] = []
    for pair in cast("list[object]", stated or []):
        if not isinstance(pair, list) or len(cast("list[object]", pair)) != _LEVEL_LENGTH:
            raise ProtocolBroken(f"{pair!r:.40} is no level of an order book")
        price, count = cast("list[object]", pair)
        levels.append(Level(codec.read(price), COUNT.read(count)))
    return [level for level in levels if level.count]
