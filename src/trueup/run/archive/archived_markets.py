"""Markets as the archive keeps them: what they are, which fees held, how they ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trueup.core import catalog
from trueup.core.grid import DECI_CENT, GRIDS, PriceGrid
from trueup.core.ids import EventTicker, SeriesTicker, Shard, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.payoff import yes_value
from trueup.core.units import Price, Ratio
from trueup.net.client import AsyncClient
from trueup.run.bot.live_feeds import event_of, market_of
from trueup.store.archive import Archive
from trueup.store.archive_columns import COLUMNS, Kind
from trueup.wire.rest.rows.full import FullEvent, FullMarket, FullSeries

_NEVER: Final = Instant(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedMarket:
    """A market with its event and its series.

    `result` and `value` (what one YES contract paid) are `None` until it is known.
    """

    market: catalog.Market
    event: catalog.Event
    series: catalog.Series
    grid: PriceGrid
    status: MarketStatus
    result: MarketResult | None = None
    value: Price | None = None
    settled_at: Instant | None = None

    @property
    def ticker(self) -> Ticker:
        """The market's name."""
        return self.market.ticker


class MarketReader:
    """Reads markets with their events and series, each of those once."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._events: dict[EventTicker, FullEvent] = {}
        self._series: dict[SeriesTicker, FullSeries] = {}

    async def read(self, market: FullMarket) -> ArchivedMarket:
        """The whole of a market that was listed."""
        event = self._events.get(market.event_ticker)
        if event is None:
            event = await self._client.events.get(market.event_ticker)
            self._events[market.event_ticker] = event
        series = self._series.get(event.series_ticker)
        if series is None:
            series = await self._client.series.get(event.series_ticker)
            self._series[event.series_ticker] = series
        return archived_market(market, event, series)

    async def series_of(self, category: str) -> list[SeriesTicker]:
        """The series of a category."""
        found: list[SeriesTicker] = []
        async for series in self._client.series.list(category=category):
            self._series[series.ticker] = series
            found.append(series.ticker)
        return found


def archived_market(market: FullMarket, event: FullEvent, series: FullSeries) -> ArchivedMarket:
    """What REST told, in core's words."""
    result = _result(market.result)
    return ArchivedMarket(
        market=market_of(market),
        event=event_of(event),
        series=catalog.Series(
            ticker=series.ticker,
            title=series.title,
            category=series.category,
            tags=tuple(series.tags),
            fee_type=series.fee_type,
            fee_multiplier=series.fee_multiplier,
        ),
        grid=market.grid
        if market.price_ranges
        else GRIDS.get(market.price_level_structure, DECI_CENT),
        status=market.status,
        result=result,
        value=None if result is None else yes_value(result, market.settlement_value),
        settled_at=market.settled_at,
    )


# -- rows --------------------------------------------------------------------------------------


def market_columns(markets: Iterable[ArchivedMarket], heard_at: Instant) -> dict[str, list[object]]:
    """Markets as columns of the archive."""
    columns: dict[str, list[object]] = {each.name: [] for each in COLUMNS[Kind.MARKETS]}
    for one in markets:
        event = one.event
        row: dict[str, object] = {
            "heard_at": heard_at,
            "ticker": one.ticker,
            "event_ticker": event.ticker,
            "series_ticker": one.series.ticker,
            "category": one.series.category,
            "title": one.market.title,
            "open_at": one.market.open_at or _NEVER,
            "close_at": one.market.close_at or _NEVER,
            "status": one.status.value,
            "result": "" if one.result is None else one.result.value,
            "settlement_value": None if one.value is None else one.value.units,
            "settled_at": one.settled_at,
            "grid": one.grid.label,
            "fee_type": event.fee_type_override or one.series.fee_type,
            "fee_multiplier": str(
                one.series.fee_multiplier
                if event.fee_multiplier_override is None
                else event.fee_multiplier_override
            ),
            "mutually_exclusive": event.mutually_exclusive,
            "shard": one.market.shard,
        }
        for name, values in columns.items():
            values.append(row[name])
    return columns


def market_of_row(row: Mapping[str, Any]) -> ArchivedMarket:
    """A row of the archive as a market.  Its fee terms are those that held for it."""
    series, event = SeriesTicker(row["series_ticker"]), EventTicker(row["event_ticker"])
    value = row["settlement_value"]
    return ArchivedMarket(
        market=catalog.Market(
            ticker=Ticker(row["ticker"]),
            event_ticker=event,
            title=row["title"],
            open_at=Instant(row["open_at"]) or None,
            close_at=Instant(row["close_at"]) or None,
            expected_expiration_at=None,
            fee_waiver_until=None,
            shard=Shard(row["shard"]),
        ),
        event=catalog.Event(
            ticker=event,
            series_ticker=series,
            title=str(event),
            mutually_exclusive=row["mutually_exclusive"],
            fee_type_override=None,
            fee_multiplier_override=None,
        ),
        series=catalog.Series(
            ticker=series,
            title=str(series),
            category=row["category"],
            tags=(),
            fee_type=row["fee_type"],
            fee_multiplier=Ratio(row["fee_multiplier"]),
        ),
        grid=GRIDS.get(row["grid"], DECI_CENT),
        status=MarketStatus(row["status"]),
        result=_result(row["result"]),
        value=None if value is None else Price(value),
        settled_at=None if row["settled_at"] is None else Instant(row["settled_at"]),
    )


def load_markets(archive: Archive, tickers: Sequence[str] = ()) -> dict[Ticker, ArchivedMarket]:
    """The markets of an archive as they were heard of last."""
    rows = sorted(archive.rows(Kind.MARKETS, tickers=tickers), key=lambda row: row["heard_at"])
    return {Ticker(row["ticker"]): market_of_row(row) for row in rows}


def _result(text: str) -> MarketResult | None:
    try:
        return MarketResult(text)
    except ValueError:
        return None
