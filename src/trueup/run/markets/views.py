"""Markets, books and candlesticks as rows of exact values by name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from trueup.core.errors import CallerError
from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.core.instant import Instant, format_instant
from trueup.core.orderbook import BookSnapshot, Level
from trueup.core.units import Count, Ratio, rounded_text
from trueup.net.client import Client
from trueup.run.views import Row
from trueup.wire.rest.markets import Period
from trueup.wire.rest.rows.candles import Candle, Offers
from trueup.wire.rest.rows.full import FullMarket

PERIODS = {"1m": Period.MINUTE, "1h": Period.HOUR, "1d": Period.DAY}
"""How long a candlestick may last."""


def list_markets(
    client: Client,
    *,
    status: str,
    series: str,
    event: str,
    combos: bool,
    limit: int,
) -> list[Row]:
    """Markets that fit, in the exchange's order."""
    listing = client.markets.list(
        status=status,
        series_ticker=SeriesTicker(series) if series else None,
        event_ticker=EventTicker(event) if event else None,
        combos=None if combos else False,
        limit=min(limit, 1000),
    )
    return [_market_row(market) for market in islice(listing, limit)]


def show_market(client: Client, ticker: str) -> Row:
    """Everything that is said about one market."""
    market = client.markets.get(Ticker(ticker))
    return {
        **_market_row(market),
        "event_ticker": market.event_ticker,
        "market_type": market.market_type,
        "yes": market.yes_title,
        "no": market.no_title,
        "result": market.result or None,
        "settlement_value": market.settlement_value,
        "open_at": _time(market.open_at),
        "expected_expiration_at": _time(market.expected_expiration_at),
        "latest_expiration_at": _time(market.latest_expiration_at),
        "settled_at": _time(market.settled_at),
        "can_close_early": market.can_close_early,
        "early_close_condition": market.early_close_condition,
        "price_level_structure": market.price_level_structure,
        "price_ranges": [
            {"start": band.start, "end": band.end, "step": band.step}
            for band in market.price_ranges
        ],
        "strike_type": market.strike_type,
        "floor_strike": None if market.floor_strike is None else str(market.floor_strike),
        "cap_strike": None if market.cap_strike is None else str(market.cap_strike),
        "fee_waiver_until": _time(market.fee_waiver_until),
        "shard": market.shard,
        "rules_primary": market.rules_primary,
        "rules_secondary": market.rules_secondary,
    }


def show_book(client: Client, ticker: str, *, depth: int) -> Row:
    """The book of one market in YES prices: bids from the highest down, asks from the lowest up."""
    book = client.markets.orderbook(Ticker(ticker), depth=depth)
    return {
        "ticker": book.ticker,
        "bids": _levels(book.bids),
        "asks": _levels(book.asks),
        "spread": _spread(book),
    }


def list_candles(
    client: Client, ticker: str, *, period: str, start: Instant, end: Instant
) -> list[Row]:
    """Candlesticks of one market, oldest first."""
    if period not in PERIODS:
        raise CallerError(
            f"there are no candlesticks of {period!r}", remedy=f"Use one of {', '.join(PERIODS)}."
        )
    (found,) = client.markets.candles_of(
        [Ticker(ticker)], start=start, end=end, period=PERIODS[period]
    ) or (None,)
    return [] if found is None else list(_candle_rows(found.candles))


def _candle_rows(candles: tuple[Candle, ...]) -> Iterator[Row]:
    for candle in candles:
        yield {
            "end_at": format_instant(candle.end_at),
            "open": candle.price.open,
            "high": candle.price.high,
            "low": candle.price.low,
            "close": candle.price.close,
            "mean": candle.price.mean,
            "yes_bid": _offers(candle.yes_bid),
            "yes_ask": _offers(candle.yes_ask),
            "bid": candle.yes_bid.close,
            "ask": candle.yes_ask.close,
            "volume": candle.volume,
            "open_interest": candle.open_interest,
        }


def _offers(offers: Offers) -> Row:
    return {
        "open": offers.open,
        "high": offers.high,
        "low": offers.low,
        "close": offers.close,
    }


def _market_row(market: FullMarket) -> Row:
    return {
        "ticker": market.ticker,
        "title": market.title or market.yes_title,
        "status": market.status.value,
        "yes_bid": market.yes_bid,
        "yes_ask": market.yes_ask,
        "last": market.last_price or None,
        "volume_24h": market.volume_24h,
        "open_interest": market.open_interest,
        "close_at": _time(market.close_at),
    }


def _levels(levels: tuple[Level, ...]) -> list[Row]:
    total, rows = Count(0), list[Row]()
    for level in levels:
        total += level.count
        rows.append({"yes_price": level.price, "count": level.count, "cumulative": total})
    return rows


def _spread(book: BookSnapshot) -> str | None:
    if not book.bids or not book.asks:
        return None
    units = book.asks[0].price.units - book.bids[0].price.units
    return rounded_text(Ratio(units, 10_000), 4)


def _time(moment: Instant | None) -> str | None:
    return None if moment is None else format_instant(moment)
