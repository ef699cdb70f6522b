"""The catalog's cache: series, events, markets, fee changes and quotes, with their age."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from trueup.core.catalog import Catalog, Event, FeeChange, Market, Quote, Series
from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.core.instant import Instant
from trueup.core.units import Count, Price, Ratio
from trueup.store.driver import AnyRow, Reading
from trueup.store.session import Session
from trueup.store.statement import Statement

SERIES_COLUMNS: Final = (
    *("ticker", "title", "category", "tags", "fee_type", "fee_multiplier", "fetched_at"),
)
EVENT_COLUMNS: Final = (
    *("ticker", "series_ticker", "title", "mutually_exclusive", "fee_type_override"),
    *("fee_multiplier_override", "fetched_at"),
)
MARKET_COLUMNS: Final = (
    *("ticker", "event_ticker", "title", "open_at", "close_at", "expected_expiration_at"),
    *("fee_waiver_until", "shard", "fetched_at"),
)
FEE_CHANGE_COLUMNS: Final = (
    *("change_id", "series_ticker", "event_ticker", "fee_type", "fee_multiplier"),
    *("effective_at", "fetched_at"),
)
QUOTE_COLUMNS: Final = (
    *("ticker", "yes_bid", "yes_ask", "last", "volume", "volume_24h", "open_interest"),
    "fetched_at",
)
_UNSETTLED: Final = Statement(
    "SELECT DISTINCT k.ticker FROM market_keys AS k LEFT JOIN markets AS m ON m.ticker = k.ticker "
    "LEFT JOIN market_details AS d ON d.ticker = k.ticker "
    "LEFT JOIN positions AS p ON p.book = k.book "
    "WHERE m.status IS NULL OR m.status <> 'finalized' OR d.ticker IS NULL "
    "OR (p.net <> 0 AND (m.settled_at IS NULL OR m.settlement_value IS NULL OR m.result IS NULL)) "
    "ORDER BY k.ticker"
)
"""A final market that does not say when or what it paid is asked again while contracts are held."""
_EVENT_AGES: Final = Statement(
    "SELECT DISTINCT d.event_ticker, e.fetched_at FROM market_details AS d "
    "LEFT JOIN events AS e ON e.ticker = d.event_ticker WHERE d.event_ticker <> '' ORDER BY 1"
)
_SERIES_AGES: Final = Statement(
    "SELECT DISTINCT e.series_ticker, s.fetched_at FROM events AS e "
    "LEFT JOIN series AS s ON s.ticker = e.series_ticker WHERE e.series_ticker <> '' ORDER BY 1"
)


@dataclass(frozen=True, slots=True)
class AgedQuote:
    """A quote and when it was fetched: the mark of a position is as old as this."""

    quote: Quote
    fetched_at: Instant


class CatalogCache:
    """What is remembered about series, events, markets, fees and quotes (`Books.cache`)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def save_series(self, series: Sequence[Series], *, fetched_at: Instant) -> None:
        """Cache series; a known ticker is replaced."""
        rows = {
            each.ticker: (
                each.ticker,
                each.title,
                each.category,
                msgspec.json.encode(each.tags).decode(),
                each.fee_type,
                str(each.fee_multiplier),
                fetched_at,
            )
            for each in series
        }
        _save(self._session, "series", SERIES_COLUMNS, list(rows.values()))

    def save_events(self, events: Sequence[Event], *, fetched_at: Instant) -> None:
        """Cache events; a known ticker is replaced."""
        rows = {
            each.ticker: (
                each.ticker,
                each.series_ticker,
                each.title,
                1 if each.mutually_exclusive else 0,
                each.fee_type_override,
                _ratio_text(each.fee_multiplier_override),
                fetched_at,
            )
            for each in events
        }
        _save(self._session, "events", EVENT_COLUMNS, list(rows.values()))

    def save_markets(self, markets: Sequence[Market], *, fetched_at: Instant) -> None:
        """Cache market descriptions; a known ticker is replaced."""
        rows = {
            each.ticker: (
                each.ticker,
                each.event_ticker,
                each.title,
                each.open_at,
                each.close_at,
                each.expected_expiration_at,
                each.fee_waiver_until,
                each.shard,
                fetched_at,
            )
            for each in markets
        }
        _save(self._session, "market_details", MARKET_COLUMNS, list(rows.values()))

    def save_fee_changes(self, changes: Sequence[FeeChange], *, fetched_at: Instant) -> None:
        """Cache fee changes; a known id is replaced."""
        rows = {
            each.change_id: (
                each.change_id,
                each.series_ticker,
                each.event_ticker,
                each.fee_type,
                _ratio_text(each.fee_multiplier),
                each.effective_at,
                fetched_at,
            )
            for each in changes
        }
        _save(
            self._session,
            "fee_changes",
            FEE_CHANGE_COLUMNS,
            list(rows.values()),
            identity="change_id",
        )

    def save_quotes(self, quotes: Sequence[Quote], *, fetched_at: Instant) -> None:
        """Keep the newest quote of each market."""
        rows = {
            each.ticker: (
                each.ticker,
                None if each.yes_bid is None else each.yes_bid.units,
                None if each.yes_ask is None else each.yes_ask.units,
                None if each.last is None else each.last.units,
                each.volume.units,
                each.volume_24h.units,
                each.open_interest.units,
                fetched_at,
            )
            for each in quotes
        }
        _save(self._session, "quotes", QUOTE_COLUMNS, list(rows.values()))

    def catalog(self) -> Catalog:
        """The whole cache as one value; it was observed when its oldest part was fetched."""
        series = _all(self._session.driver, "series", SERIES_COLUMNS)
        events = _all(self._session.driver, "events", EVENT_COLUMNS)
        ages = [row[-1] for row in (*series, *events)]
        return Catalog(
            series=[_series(row) for row in series],
            events=[_event(row) for row in events],
            markets=[
                _market(row) for row in _all(self._session.driver, "market_details", MARKET_COLUMNS)
            ],
            fee_changes=[
                _fee_change(row)
                for row in _all(self._session.driver, "fee_changes", FEE_CHANGE_COLUMNS)
            ],
            observed_at=min(ages) if ages else None,
        )

    def markets_of(self, tickers: Iterable[Ticker]) -> dict[Ticker, Market]:
        """The descriptions of some markets, those that are known."""
        rows = _some(self._session.driver, "market_details", MARKET_COLUMNS, tickers)
        return {row[0]: _market(row) for row in rows}

    def quotes_of(self, tickers: Iterable[Ticker]) -> dict[Ticker, AgedQuote]:
        """The newest quotes of some markets, those that were looked at."""
        rows = _some(self._session.driver, "quotes", QUOTE_COLUMNS, tickers)
        return {row[0]: _quote(row) for row in rows}

    def quotes(self) -> dict[Ticker, AgedQuote]:
        """The newest quote of every market looked at."""
        return {row[0]: _quote(row) for row in _all(self._session.driver, "quotes", QUOTE_COLUMNS)}

    def unsettled_tickers(self) -> set[Ticker]:
        """Markets of the account that are not known to have paid, or have no description."""
        return {row[0] for row in self._session.driver.rows(_UNSETTLED)}

    def event_ages(self) -> Iterator[tuple[EventTicker, Instant | None]]:
        """The events of all cached markets with when they were fetched (`None`: never)."""
        return ((row[0], row[1]) for row in self._session.driver.rows(_EVENT_AGES))

    def series_ages(self) -> Iterator[tuple[SeriesTicker, Instant | None]]:
        """The series of all cached events with when they were fetched (`None`: never)."""
        return ((row[0], row[1]) for row in self._session.driver.rows(_SERIES_AGES))


def _save(
    session: Session,
    table: str,
    columns: tuple[str, ...],
    rows: Sequence[AnyRow],
    *,
    identity: str = "ticker",
) -> None:
    if rows:
        with session.writing() as transaction:
            transaction.upsert(table, columns, rows, identity=(identity,))


def _all(reading: Reading, table: str, columns: tuple[str, ...]) -> list[AnyRow]:
    text = f"SELECT {', '.join(columns)} FROM {table} ORDER BY {columns[0]}"  # noqa: S608
    return reading.rows(Statement(text))


def _some(
    reading: Reading, table: str, columns: tuple[str, ...], tickers: Iterable[Ticker]
) -> list[AnyRow]:
    text = f"SELECT {', '.join(columns)} FROM {table} WHERE ticker {{among}}"  # noqa: S608
    return reading.rows(Statement(text), (reading.among(tickers),))


def _quote(row: AnyRow) -> AgedQuote:
    return AgedQuote(
        Quote(
            ticker=row[0],
            yes_bid=_price(row[1]),
            yes_ask=_price(row[2]),
            last=_price(row[3]),
            volume=Count(row[4]),
            volume_24h=Count(row[5]),
            open_interest=Count(row[6]),
        ),
        row[7],
    )


def _series(row: AnyRow) -> Series:
    return Series(
        ticker=row[0],
        title=row[1],
        category=row[2],
        tags=msgspec.json.decode(row[3], type=tuple[str, ...]),
        fee_type=row[4],
        fee_multiplier=Ratio(row[5]),
    )


def _event(row: AnyRow) -> Event:
    return Event(
        ticker=row[0],
        series_ticker=row[1],
        title=row[2],
        mutually_exclusive=row[3] == 1,
        fee_type_override=row[4],
        fee_multiplier_override=_ratio(row[5]),
    )


def _market(row: AnyRow) -> Market:
    return Market(
        ticker=row[0],
        event_ticker=row[1],
        title=row[2],
        open_at=row[3],
        close_at=row[4],
        expected_expiration_at=row[5],
        fee_waiver_until=row[6],
        shard=row[7],
    )


def _fee_change(row: AnyRow) -> FeeChange:
    return FeeChange(
        change_id=row[0],
        series_ticker=row[1],
        event_ticker=row[2],
        fee_type=row[3],
        fee_multiplier=_ratio(row[4]),
        effective_at=row[5],
    )


def _ratio_text(ratio: Ratio | None) -> str | None:
    return None if ratio is None else str(ratio)


def _ratio(text: str | None) -> Ratio | None:
    return None if text is None else Ratio(text)


def _price(units: int | None) -> Price | None:
    return None if units is None else Price(units)
