"""The scanner at an exchange: every open market, with its category and its figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from trueup.core.ids import SeriesTicker
from trueup.core.instant import format_age, format_instant
from trueup.core.units import rounded_text
from trueup.engine.scanner import Found, Looked, Scan, scan
from trueup.net.client import Client
from trueup.run.bot.live_feeds import listing_of, top_of
from trueup.run.views import Row
from trueup.wire.rest.rows.full import FullSeries

_EVENTS_A_PAGE = 200
"""What the exchange gives at most."""

CSV_COLUMNS = (
    "ticker",
    "title",
    "category",
    "volume",
    "volume_24h",
    "yes_bid",
    "yes_ask",
    "spread",
    "closes",
    "seconds_left",
)


def scan_markets(client: Client, wanted: Scan, *, series: frozenset[SeriesTicker]) -> list[Row]:
    """Look over all open markets (of these series, where some are named) once.

    Combos are left out: their number has no end.  Raises what the client raises.
    """
    now = client.session.now()
    known = known_series(client, wanted)
    return [_row(each) for each in scan(look_over(client, wanted, series, known), wanted, now)]


def look_over(
    client: Client,
    wanted: Scan,
    series: frozenset[SeriesTicker],
    known: dict[SeriesTicker, FullSeries],
) -> Iterator[Looked]:
    """Every open market as it is listed; a series that is not among `known` is asked for and added."""
    now = client.session.now()
    for asked in sorted(series) or [None]:
        events = client.events.list(
            status="open", series_ticker=asked, nested_markets=True, limit=_EVENTS_A_PAGE
        )
        for event in events:
            its_series = known.get(event.series_ticker)
            if its_series is None and wanted.categories:
                continue
            if its_series is None:
                # Listed since the series were read.
                its_series = known[event.series_ticker] = client.series.get(event.series_ticker)
            for market in event.markets:
                yield Looked(
                    listing=listing_of(market, event, its_series, now),
                    top=top_of(market, now),
                    volume=market.volume,
                )


def known_series(client: Client, wanted: Scan) -> dict[SeriesTicker, FullSeries]:
    """The series of the categories that are wanted: only they say what a market belongs to."""
    asked = sorted(wanted.categories) or [""]
    return {each.ticker: each for one in asked for each in client.series.list(category=one)}


def _row(found: Found) -> Row:
    return {
        "ticker": found.ticker,
        "title": found.title,
        "category": found.category,
        "volume": found.volume,
        "volume_24h": found.volume_24h,
        "yes_bid": found.bid,
        "yes_ask": found.ask,
        "spread": None if found.spread is None else rounded_text(found.spread, 4),
        "closes": None if found.closes is None else format_instant(found.closes),
        "time_left": None if found.time_left is None else format_age(found.time_left),
        "seconds_left": None if found.time_left is None else found.time_left // 1_000_000,
    }


def csv_text(rows: Sequence[Row]) -> str:
    """The rows as CSV with a heading; unknown is empty."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        writer.writerow("" if row[name] is None else str(row[name]) for name in CSV_COLUMNS)
    return file.getvalue()


def newcomers(before: Iterable[Row], now: Iterable[Row]) -> frozenset[str]:
    """The tickers that were not there at the scan before."""
    seen = {str(row["ticker"]) for row in before}
    return frozenset(str(row["ticker"]) for row in now) - seen
