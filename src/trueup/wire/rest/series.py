"""The series section."""

from __future__ import annotations

from trueup.core.catalog import FeeChange, Series
from trueup.core.ids import SeriesTicker
from trueup.core.instant import Instant
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.reading import page_of, record_of
from trueup.wire.rest.request import request, since
from trueup.wire.rest.rows import catalog


def series(series_ticker: SeriesTicker, *, include_volume: bool = False) -> Call[Series]:
    """One series.  `full.series` reads its volume, sources and metadata."""
    return request(
        "GetSeries",
        record_of("series", catalog.read_series, catalog.KNOWN_SERIES),
        path={"series_ticker": series_ticker},
        query={"include_volume": include_volume or None},
    )


def series_list(
    *,
    category: str = "",
    tags: str = "",
    include_volume: bool = False,
    include_metadata: bool = False,
    min_updated_at: Instant | None = None,
) -> Call[Page[Series]]:
    """All series at once, as one page without a cursor (several megabytes unfiltered)."""
    return request(
        "GetSeriesList",
        page_of("series", catalog.read_series, catalog.KNOWN_SERIES),
        query={
            "category": category,
            "tags": tags,
            "include_volume": include_volume or None,
            "include_product_metadata": include_metadata or None,
            "min_updated_ts": since(min_updated_at),
        },
    )


def fee_changes(
    *, series_ticker: SeriesTicker | None = None, show_historical: bool = True
) -> Call[Page[FeeChange]]:
    """Changes of series' fee terms, as one page: only scheduled ones, or past ones too."""
    return request(
        "GetSeriesFeeChanges",
        page_of(
            "series_fee_change_arr",
            catalog.read_series_fee_change,
            catalog.KNOWN_SERIES_FEE_CHANGE,
        ),
        query={"series_ticker": series_ticker, "show_historical": show_historical},
    )
