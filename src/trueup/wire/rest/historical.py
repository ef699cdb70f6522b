"""The historical section: what has left the live tier, and where the border lies.

The tiers overlap, and two reads are no snapshot: read the live tier first, then
this one, and tell records apart by their identity.  There are no historical
settlements.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import EventTicker, SeriesTicker, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.statements import PositionStated
from trueup.wire import values
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.markets import Period
from trueup.wire.rest.reading import field_names, page_of, record_of
from trueup.wire.rest.request import joined, request, since, until
from trueup.wire.rest.rows import fills as fill_rows
from trueup.wire.rest.rows import markets as market_rows
from trueup.wire.rest.rows import orders as order_rows
from trueup.wire.rest.rows import positions as position_rows
from trueup.wire.rest.rows.candles import CANDLE, Candle
from trueup.wire.rest.rows.markets import MarketDetail
from trueup.wire.rest.rows.trades import TRADE, PublicTrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """Where the live tier begins, per kind of record; what is older is only here.

    Resting orders and unsettled positions are always live.
    """

    trades_created_at: Instant
    orders_updated_at: Instant
    market_settled_at: Instant
    positions_updated_at: Instant | None


KNOWN_CUTOFFS: Final = field_names(
    """
    trades_created_ts orders_updated_ts market_settled_ts market_positions_last_updated_ts
    """
)


class _CutoffRecord(msgspec.Struct):
    trades_created_ts: str
    orders_updated_ts: str
    market_settled_ts: str
    market_positions_last_updated_ts: str | None = None


_decode_cutoffs: Final = msgspec.json.Decoder(_CutoffRecord)


def cutoff() -> Call[Cutoffs]:
    """Where the live tier begins."""
    return request("GetHistoricalCutoff", record_of(None, _read_cutoffs, KNOWN_CUTOFFS))


def _read_cutoffs(raw: bytes) -> Cutoffs:
    row = _decode_cutoffs.decode(raw)
    return Cutoffs(
        trades_created_at=values.instant(row.trades_created_ts),
        orders_updated_at=values.instant(row.orders_updated_ts),
        market_settled_at=values.instant(row.market_settled_ts),
        positions_updated_at=values.optional_instant(row.market_positions_last_updated_ts),
    )


def fills(
    *,
    ticker: Ticker | None = None,
    min_at: Instant | None = None,
    max_at: Instant | None = None,
    limit: int | None = None,
    cursor: str = "",
    subaccount: Subaccount | None = None,
) -> Call[Page[Filled]]:
    """Archived fills."""
    return request(
        "GetFillsHistorical",
        fill_rows.fills_page(subaccount),
        query={
            "ticker": ticker,
            "min_ts": since(min_at),
            "max_ts": until(max_at),
            "limit": limit,
            "cursor": cursor,
            "subaccount": subaccount,
        },
    )


def orders(
    *,
    ticker: Ticker | None = None,
    min_at: Instant | None = None,
    max_at: Instant | None = None,
    limit: int | None = None,
    cursor: str = "",
    subaccount: Subaccount | None = None,
) -> Call[Page[OrderReported]]:
    """Archived orders: canceled or executed, about two weeks ago or earlier."""
    return request(
        "GetHistoricalOrders",
        page_of("orders", lambda raw: order_rows.read_order(raw, subaccount), order_rows.KNOWN),
        query={
            "ticker": ticker,
            "min_ts": since(min_at),
            "max_ts": until(max_at),
            "limit": limit,
            "cursor": cursor,
            "subaccount": subaccount,
        },
    )


def positions(
    *,
    ticker: Ticker | None = None,
    event_ticker: EventTicker | None = None,
    limit: int | None = None,
    cursor: str = "",
    subaccount: Subaccount | None = None,
) -> Call[Page[PositionStated]]:
    """Archived settled positions, whole events at a time; of the primary account
    when no subaccount is named.
    """
    return request(
        "GetHistoricalPositions",
        page_of(
            "market_positions",
            lambda raw: position_rows.read_position(raw, subaccount),
            position_rows.KNOWN,
        ),
        query={
            "ticker": ticker,
            "event_ticker": event_ticker,
            "limit": limit,
            "cursor": cursor,
            "subaccount": subaccount,
        },
    )


def market(ticker: Ticker) -> Call[MarketDetail]:
    """One archived market."""
    return request(
        "GetHistoricalMarket",
        record_of("market", market_rows.read_market, market_rows.KNOWN),
        path={"ticker": ticker},
    )


def markets(
    *,
    tickers: Iterable[Ticker] | None = None,
    event_ticker: EventTicker | None = None,
    series_ticker: SeriesTicker | None = None,
    combos: bool = True,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[MarketDetail]]:
    """Archived markets; without `combos` no multivariate ones.  The exchange takes only one of the filters at a time."""
    return request(
        "GetHistoricalMarkets",
        page_of(
            "markets",
            market_rows.read_market,
            market_rows.KNOWN,
            read_all=market_rows.read_markets,
        ),
        query={
            "tickers": joined(tickers),
            "event_ticker": event_ticker,
            "series_ticker": series_ticker,
            "mve_filter": None if combos else "exclude",
            "limit": limit,
            "cursor": cursor,
        },
    )


def trades(
    *,
    ticker: Ticker | None = None,
    min_at: Instant | None = None,
    max_at: Instant | None = None,
    block: bool | None = None,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[PublicTrade]]:
    """Archived trades of anybody; see `trueup.wire.rest.markets.trades`."""
    return request(
        "GetTradesHistorical",
        TRADE.pages("trades"),
        query={
            "ticker": ticker,
            "min_ts": since(min_at),
            "max_ts": until(max_at),
            "is_block_trade": block,
            "limit": limit,
            "cursor": cursor,
        },
    )


def candles(
    ticker: Ticker, *, start: Instant, end: Instant, period: Period = Period.HOUR
) -> Call[tuple[Candle, ...]]:
    """Candlesticks of an archived market; see `trueup.wire.rest.markets.candles`."""
    return request(
        "GetMarketCandlesticksHistorical",
        CANDLE.answers("candlesticks"),
        path={"ticker": ticker},
        query={
            "start_ts": since(start),
            "end_ts": until(end),
            "period_interval": period.value,
        },
    )
