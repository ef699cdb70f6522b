"""The section of multivariate event collections: combos, made of other markets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from trueup.core.ids import EventTicker, SeriesTicker, Shard, Ticker
from trueup.core.instant import Instant
from trueup.wire.rest.bodies import write_body
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.codecs import SMALL, TIME
from trueup.wire.rest.request import request
from trueup.wire.rest.rows.full import FullMarket, PriceBand
from trueup.wire.rest.rows.rfqs import ChosenMarket
from trueup.wire.rest.shapes import Shape, Wire


class CollectionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event whose markets may be legs: how many of them, and whether only as YES."""

    event_ticker: Annotated[EventTicker, Wire("ticker")]
    is_yes_only: bool
    size_min: Annotated[int | None, Wire("size_min", SMALL)] = None
    size_max: Annotated[int | None, Wire("size_max", SMALL)] = None
    active_quoters: tuple[str, ...] = ()


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """What combos can be made of, from `size_min` to `size_max` legs.

    The order of the legs matters where the collection `is_ordered`.
    """

    collection_ticker: str
    series_ticker: SeriesTicker
    title: str
    description: str
    open_at: Annotated[Instant, Wire("open_date", TIME)]
    close_at: Annotated[Instant, Wire("close_date", TIME)]
    events: Annotated[tuple[CollectionEvent, ...], Wire("associated_events")]
    is_ordered: bool
    size_min: Annotated[int, Wire("size_min", SMALL)]
    size_max: Annotated[int, Wire("size_max", SMALL)]
    functional_description: str = ""
    price_level_structure: str = ""
    price_ranges: tuple[PriceBand, ...] = ()
    shard: Annotated[Shard, Wire("exchange_index", SMALL)] = Shard(0)


class NewCombo(msgspec.Struct, frozen=True, kw_only=True):
    """A combo to look up or to make."""

    legs: Annotated[tuple[ChosenMarket, ...], Wire("selected_markets", required=True)]
    with_market_payload: bool = False


class Combo(msgspec.Struct, frozen=True, kw_only=True):
    """The market of a combo; `market` where it was asked for."""

    event_ticker: EventTicker
    market_ticker: Ticker
    market: FullMarket | None = None


COLLECTION: Final = Shape(
    Collection,
    "MultivariateEventCollection",
    ignored="associated_event_tickers is_single_market_per_event is_all_yes",
)
"""What is ignored is deprecated; `Collection.events` says it better."""

NEW_COMBO: Final = Shape(NewCombo, "CreateMarketInMultivariateEventCollectionRequest", brief=True)
COMBO: Final = Shape(Combo, "CreateMarketInMultivariateEventCollectionResponse")


def collection(collection_ticker: str) -> Call[Collection]:
    """One collection."""
    return request(
        "GetMultivariateEventCollection",
        COLLECTION.answer("multivariate_contract"),
        path={"collection_ticker": collection_ticker},
    )


def collections(
    *,
    status: str = "",
    associated_event_ticker: EventTicker | None = None,
    series_ticker: SeriesTicker | None = None,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[Collection]]:
    """Collections.  `status` is ``unopened``, ``open`` or ``closed``."""
    return request(
        "GetMultivariateEventCollections",
        COLLECTION.pages("multivariate_contracts"),
        query={
            "status": status,
            "associated_event_ticker": associated_event_ticker,
            "series_ticker": series_ticker,
            "limit": limit,
            "cursor": cursor,
        },
    )


def create_market(
    collection_ticker: str, legs: Iterable[ChosenMarket], *, with_market: bool = False
) -> Call[Combo]:
    """The market of a combo, made if there is none yet (up to 5,000 a week)."""
    new = NewCombo(legs=tuple(legs), with_market_payload=with_market)
    return request(
        "CreateMarketInMultivariateEventCollection",
        COMBO.answer(),
        path={"collection_ticker": collection_ticker},
        body=write_body(NEW_COMBO, new),
    )
