"""Order books, trades and candlesticks as REST answers about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from trueup.core.ids import EventTicker, Ticker
from trueup.core.instant import format_instant, from_seconds, to_seconds_floor
from trueup.core.orderbook import BookSnapshot, Level
from trueup.core.orders import Side
from trueup.core.units import Price
from trueup.net.acceptor import replies
from trueup.net.acceptor.forms import Personality
from trueup.net.acceptor.question import Answer, Question, page
from trueup.net.acceptor.replies import Content, Reply
from trueup.sim.candles import PERIODS, Candle, Span
from trueup.sim.events import TradeMade
from trueup.sim.exchange import Exchange
from trueup.sim.market_data import CandleQuery, MarketData
from trueup.sim.tiers import Tiers
from trueup.wire.spelling import Record, counted, priced

_DEPTH_MAX: Final = 100
_TICKERS_MAX: Final = 100
_CANDLES_MAX: Final = 10_000


class DataAnswers:
    """The public record of trading."""

    def __init__(self, exchange: Exchange, tiers: Tiers, personality: Personality) -> None:
        self._exchange = exchange
        self._data = MarketData(exchange, tiers)
        self._personality = personality

    def table(self) -> dict[str, Answer]:
        """The answers by operation id."""
        return {
            "GetMarketOrderbook": self._book,
            "GetMarketOrderbooks": self._books,
            "GetTrades": lambda q: page(
                "trades",
                self._data.trades(q.at, q.query, of_blocks=_of_blocks(q)),
                self._trade,
            ),
            "GetTradesHistorical": lambda q: page(
                "trades",
                self._data.historical_trades(q.at, q.query, of_blocks=_of_blocks(q)),
                self._trade,
            ),
            "GetMarketCandlesticks": self._candles,
            "GetMarketCandlesticksHistorical": self._historical_candles,
            "BatchGetMarketCandlesticks": self._batch_candles,
            "GetMarketCandlesticksByEvent": self._event_candles,
        }

    # -- order books -----------------------------------------------------------------------

    def _book(self, question: Question) -> Content | Reply:
        depth = _integer(question, "depth", 0)
        if isinstance(depth, Reply):
            return depth
        if depth > _DEPTH_MAX:
            return replies.out_of_bounds(question.operation, "depth", "lte")
        book = self._data.book(Ticker(question.path["ticker"]), depth=max(0, depth))
        if book is None:
            return replies.NOT_FOUND
        if self._personality is Personality.OLD:
            return Content({"orderbook": _book_in_cents(book)})
        return Content({"orderbook_fp": _book_record(book)})

    def _books(self, question: Question) -> Content | Reply:
        tickers = [Ticker(one) for one in question.given.get("tickers", "").split(",") if one]
        if not tickers:
            return replies.missing_parameter("tickers")
        if len(tickers) > _TICKERS_MAX:
            return replies.out_of_bounds(question.operation, "tickers", "max")
        found = [(one, self._data.book(one)) for one in dict.fromkeys(tickers)]
        rows: list[Record] = [
            {"ticker": ticker, "orderbook_fp": _book_record(book)}
            for ticker, book in found
            if book is not None
        ]
        return Content({"orderbooks": rows}, rows="orderbooks")

    # -- trades ----------------------------------------------------------------------------

    def _trade(self, made: TradeMade) -> Record:
        if self._personality is Personality.OLD:
            return _trade_in_cents(made)
        record: Record = {
            "trade_id": made.trade_id,
            "ticker": made.ticker,
            "count_fp": counted(made.count),
            "yes_price_dollars": priced(made.price),
            "no_price_dollars": priced(made.price.complement()),
            "taker_side": made.taker_side.value,
            "created_time": format_instant(made.at),
        }
        if self._personality is not Personality.MARCH_2026:
            record["taker_outcome_side"] = made.taker_side.value
            record["taker_book_side"] = "bid" if made.taker_side is Side.YES else "ask"
            record["is_block_trade"] = made.is_block
        return record

    # -- candlesticks ----------------------------------------------------------------------

    def _candles(self, question: Question) -> Content | Reply:
        query, ticker = _candle_query(question), Ticker(question.path["ticker"])
        if isinstance(query, Reply):
            return query
        drawn = self._data.candles(question.at, ticker, query)
        if drawn is None:
            return replies.NOT_FOUND
        return Content({"ticker": ticker, "candlesticks": [_candle(one) for one in drawn]})

    def _historical_candles(self, question: Question) -> Content | Reply:
        query, ticker = _candle_query(question), Ticker(question.path["ticker"])
        if isinstance(query, Reply):
            return query
        drawn = self._data.historical_candles(question.at, ticker, query)
        if drawn is None:
            return replies.NOT_FOUND
        return Content({"ticker": ticker, "candlesticks": [_archived_candle(one) for one in drawn]})

    def _batch_candles(self, question: Question) -> Content | Reply:
        named = question.given.get("market_tickers", "")
        tickers = [Ticker(one) for one in named.split(",") if one]
        if not tickers:
            return replies.missing_parameter("market_tickers")
        if len(tickers) > _TICKERS_MAX:
            return replies.out_of_bounds(question.operation, "market_tickers", "max")
        query = _candle_query(question, among=len(tickers))
        if isinstance(query, Reply):
            return query
        found = [(one, self._data.candles(question.at, one, query)) for one in tickers]
        rows: list[Record] = [
            {"market_ticker": ticker, "candlesticks": [_candle(one) for one in drawn]}
            for ticker, drawn in found
            if drawn is not None
        ]
        return Content({"markets": rows}, rows="markets")

    def _event_candles(self, question: Question) -> Content | Reply:
        query, ticker = _candle_query(question), EventTicker(question.path["ticker"])
        if isinstance(query, Reply):
            return query
        if ticker not in self._exchange.books.listings.events:
            return replies.NOT_FOUND
        found = self._data.event_candles(question.at, ticker, query)
        return Content(
            {
                "market_tickers": [one for one, _ in found],
                "market_candlesticks": [[_candle(one) for one in drawn] for _, drawn in found],
                "adjusted_end_ts": to_seconds_floor(query.end),
            }
        )


def _of_blocks(question: Question) -> bool | None:
    word = question.given.get("is_block_trade", "")
    return None if not word else word == "true"


def _integer(question: Question, name: str, default: int | None = None) -> int | Reply:
    text = question.given.get(name, "")
    if not text:
        return replies.missing_parameter(name) if default is None else default
    if not text.lstrip("-").isdigit() or not text.isascii():
        return replies.unreadable_parameter(name)
    return int(text)


def _candle_query(question: Question, *, among: int = 1) -> CandleQuery | Reply:
    """What is asked for, unless it is too much: the exchange answers no more than 10,000."""
    asked: list[int] = []
    for name in ("start_ts", "end_ts", "period_interval"):
        value = _integer(question, name)
        if isinstance(value, Reply):
            return value
        asked.append(value)
    start, end, minutes = asked
    if minutes not in PERIODS:
        return replies.out_of_bounds(question.operation, "period_interval", "oneof")
    if end < start or not 0 <= start <= end < _LATEST_SECOND:
        return replies.INVALID_PARAMETERS
    if among * (end - start) // (60 * minutes) > _CANDLES_MAX:
        return replies.INVALID_PARAMETERS
    return CandleQuery(
        start=from_seconds(start),
        end=from_seconds(end),
        minutes=minutes,
        with_latest_before=question.given.get("include_latest_before_start") == "true",
    )


_LATEST_SECOND: Final = 4_000_000_000


# -- records -----------------------------------------------------------------------------------


def _book_record(book: BookSnapshot) -> Record:
    """Bids only, NO at its own price, and the best one last, as on the wire."""
    return {
        "yes_dollars": _levels(book.bids, lambda price: price),
        "no_dollars": _levels(book.asks, Price.complement),
    }


def _levels(levels: Iterable[Level], own: Callable[[Price], Price]) -> list[list[str]]:
    return [[priced(own(one.price)), counted(one.count)] for one in levels][::-1]


def _book_in_cents(book: BookSnapshot) -> Record:
    """A side without bids is null, not empty."""
    yes = [(one.price, one.count) for one in reversed(book.bids)]
    no = [(one.price.complement(), one.count) for one in reversed(book.asks)]
    record: Record = {}
    for name, levels in (("yes", yes), ("no", no)):
        whole = [(price, count.units // 100) for price, count in levels]
        record[name] = [[price.units // 100, count] for price, count in whole] or None
        record[f"{name}_dollars"] = [
            [priced(price), counted(count)] for price, count in levels
        ] or None
    return record


def _trade_in_cents(made: TradeMade) -> Record:
    no_price = made.price.complement()
    return {
        "trade_id": made.trade_id,
        "ticker": made.ticker,
        "price": Decimal(made.price.units).scaleb(-4),
        "count": made.count.units // 100,
        "yes_price": made.price.units // 100,
        "no_price": no_price.units // 100,
        "yes_price_dollars": priced(made.price),
        "no_price_dollars": priced(no_price),
        "taker_side": made.taker_side.value,
        "created_time": format_instant(made.at),
    }


def _candle(candle: Candle) -> Record:
    return {
        "end_period_ts": to_seconds_floor(candle.ends_at),
        "yes_bid": _span(candle.bid, "_dollars"),
        "yes_ask": _span(candle.ask, "_dollars"),
        "price": _prices(candle, "_dollars"),
        "volume_fp": counted(candle.volume),
        "open_interest_fp": counted(candle.open_interest),
    }


def _archived_candle(candle: Candle) -> Record:
    """The archive keeps the names of before."""
    return {
        "end_period_ts": to_seconds_floor(candle.ends_at),
        "yes_bid": _span(candle.bid, ""),
        "yes_ask": _span(candle.ask, ""),
        "price": _prices(candle, ""),
        "volume": counted(candle.volume),
        "open_interest": counted(candle.open_interest),
    }


def _span(span: Span | None, suffix: str) -> Record:
    parts = {
        "open": None if span is None else span.open,
        "low": None if span is None else span.low,
        "high": None if span is None else span.high,
        "close": None if span is None else span.close,
    }
    return {f"{name}{suffix}": _priced(price) for name, price in parts.items()}


def _prices(candle: Candle, suffix: str) -> Record:
    span = candle.price
    return {
        **_span(span, suffix),
        f"mean{suffix}": _priced(candle.mean),
        f"previous{suffix}": _priced(candle.previous),
        f"min{suffix}": _priced(None if span is None else span.low),
        f"max{suffix}": _priced(None if span is None else span.high),
    }


def _priced(price: Price | None) -> str | None:
    return None if price is None else priced(price)
