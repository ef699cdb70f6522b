"""Candlesticks: what a market's bid, ask and trades did in one period.

Live answers name their figures ``open_dollars`` and ``volume_fp``, the archive
``open`` and ``volume``; before March 2026 the live ones held whole cents under
the archive's names.  All are read alike.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.units import Count, Price, Ratio
from trueup.wire.rest.codecs import AVERAGE_OR_CENTS, COUNT, PRICE_OR_CENTS, SECONDS
from trueup.wire.rest.shapes import Shape, Wire


def _dollars(name: str, **more: Any) -> Wire:  # noqa: ANN401
    return Wire(f"{name}_dollars", old=((name, PRICE_OR_CENTS),), **more)


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """The best bid, or the best ask, at the beginning and the end of a period and
    at its lowest and highest.  An empty side is a bid of 0 or an ask of 1.
    """

    open: Annotated[Price, _dollars("open")]
    low: Annotated[Price, _dollars("low")]
    high: Annotated[Price, _dollars("high")]
    close: Annotated[Price, _dollars("close")]


class TradedPrices(msgspec.Struct, frozen=True, kw_only=True):
    """YES prices of the trades in a period; `None` where nobody traded.

    `previous` is the last price before the period, `mean` weighted by volume,
    `min` and `max` are of the closing prices of the markets of an event.
    """

    open: Annotated[Price | None, _dollars("open")] = None
    low: Annotated[Price | None, _dollars("low")] = None
    high: Annotated[Price | None, _dollars("high")] = None
    close: Annotated[Price | None, _dollars("close")] = None
    mean: Annotated[Ratio | None, Wire("mean_dollars", old=(("mean", AVERAGE_OR_CENTS),))] = None
    previous: Annotated[Price | None, _dollars("previous")] = None
    min: Annotated[Price | None, _dollars("min")] = None
    max: Annotated[Price | None, _dollars("max")] = None


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """One period of one market; `end_at` still belongs to it."""

    end_at: Annotated[Instant, Wire("end_period_ts", SECONDS)]
    yes_bid: Offers
    yes_ask: Offers
    price: TradedPrices
    volume: Annotated[Count, Wire("volume_fp", old=(("volume", COUNT),))]
    open_interest: Annotated[Count, Wire("open_interest_fp", old=(("open_interest", COUNT),))]


class MarketCandles(msgspec.Struct, frozen=True, kw_only=True):
    """The candlesticks of one of several markets, oldest first."""

    ticker: Annotated[Ticker, Wire("market_ticker")]
    candles: Annotated[tuple[Candle, ...], Wire("candlesticks")]


CANDLE: Final = Shape(Candle, "MarketCandlestick", ignored="volume_dollars open_interest_dollars")
MARKET_CANDLES: Final = Shape(MarketCandles, "MarketCandlesticksResponse")
