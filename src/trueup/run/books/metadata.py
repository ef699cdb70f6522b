"""Markets, events, series and fee terms: fetched for what is traded, cached with their age.

A finalized market never changes again and is fetched once; a living one is read
again at every sync, since its quote marks the position and its end settles it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

from trueup.core.errors import ExchangeRefused, NotFound
from trueup.core.facts import Source, Stream
from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.core.instant import DAY, Instant
from trueup.core.observations import Observation, Quarantined
from trueup.run.books.fetching import Fetcher
from trueup.wire.rest import events, historical, markets, series
from trueup.wire.rest.rows.markets import MarketDetail

T = TypeVar("T")

TICKERS_AT_ONCE: Final = 100
"""How many markets one listing is asked for by name; keeps the address short."""

STALE_AFTER: Final = 7 * DAY
"""When a cached event or series is read again."""


@dataclass(frozen=True, slots=True)
class Found:
    """A market with the payload it was read from."""

    detail: MarketDetail
    raw: bytes


@dataclass(slots=True)
class MetadataReport:
    """What was read, and which markets the exchange does not know."""

    markets: int = 0
    events: int = 0
    series: int = 0
    unknown: list[Ticker] = field(default_factory=list[Ticker])


def refresh_metadata(fetcher: Fetcher, *, tickers: Iterable[Ticker] = ()) -> MetadataReport:
    """Bring the catalog up to date for every market the account ever touched.

    `tickers` adds markets the account never touched (a bot's own rows).
    """
    report = MetadataReport()
    wanted = fetcher.books.cache.unsettled_tickers() | set(tickers)
    for batch in _batches(sorted(wanted), TICKERS_AT_ONCE):
        found = _read_markets(fetcher, batch)
        _store_markets(fetcher, list(found.values()))
        report.markets += len(found)
        missing = set(batch) - found.keys()
        report.unknown.extend(sorted(missing))
    _read_events(fetcher, report)
    _read_series(fetcher, report)
    return report


def _read_markets(fetcher: Fetcher, tickers: Sequence[Ticker]) -> dict[Ticker, Found]:
    """Markets by name: the live tier first, then the historical one for the rest."""
    found: dict[Ticker, Found] = {}
    for listing in (markets.markets, historical.markets):
        missing = [ticker for ticker in tickers if ticker not in found]
        if not missing:
            break
        for page in fetcher.client.pages(listing(tickers=missing)):
            for detail, raw in zip(page.items, page.raws, strict=True):
                found[detail.ticker] = Found(detail, raw)
            now = fetcher.clock.now()
            fetcher.books.append(
                [],
                stream=Stream.MARKETS,
                quarantined=[
                    Quarantined(Stream.MARKETS, record.reason, Source.REST, now, record.raw)
                    for record in page.unreadable
                ],
            )
            fetcher.told("markets", len(page.items))
    return found


def _store_markets(fetcher: Fetcher, found: Sequence[Found]) -> None:
    now = fetcher.clock.now()
    fetcher.books.append(
        [Observation(each.detail.stated, Source.REST, now, each.raw) for each in found],
        stream=Stream.MARKETS,
    )
    fetcher.books.cache.save_markets([each.detail.market for each in found], fetched_at=now)
    fetcher.books.cache.save_quotes([each.detail.quote for each in found], fetched_at=now)


def _read_events(fetcher: Fetcher, report: MetadataReport) -> None:
    """Events by name in one listing, and one by one what that listing leaves out."""
    now = fetcher.clock.now()
    for batch in _batches(_stale(fetcher.books.cache.event_ages(), now), TICKERS_AT_ONCE):
        wanted = {EventTicker(name) for name in batch}
        found = [
            event
            for page in fetcher.client.pages(events.events(tickers=sorted(wanted)))
            for event in page.items
        ]
        for event_ticker in sorted(wanted - {event.ticker for event in found}):
            try:
                found.append(fetcher.client.send(events.event(event_ticker)))
            except NotFound:
                continue
        fetcher.books.cache.save_events(found, fetched_at=now)
        fetcher.told("events", len(found))
        report.events += len(found)


def _read_series(fetcher: Fetcher, report: MetadataReport) -> None:
    now = fetcher.clock.now()
    for series_ticker in _stale(fetcher.books.cache.series_ages(), now):
        try:
            found = fetcher.client.send(series.series(SeriesTicker(series_ticker)))
        except NotFound:
            continue
        fetcher.books.cache.save_series([found], fetched_at=now)
        fetcher.told("series", 1)
        report.series += 1
    for listing in (series.fee_changes(show_historical=True), events.fee_changes()):
        try:
            for page in fetcher.client.pages(listing):
                fetcher.books.cache.save_fee_changes(page.items, fetched_at=now)
        except ExchangeRefused:
            # Not every venue lists them; fees are then predicted from the present terms.
            continue


def _stale(ages: Iterable[tuple[str, Instant | None]], now: Instant) -> list[str]:
    return [name for name, at in ages if at is None or now - at > STALE_AFTER]


def _batches(values: Sequence[T], size: int) -> Iterator[list[T]]:
    source = iter(values)
    while batch := list(islice(source, size)):
        yield batch
