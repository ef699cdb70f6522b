"""The search section: the words by which the exchange sorts its series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from trueup.wire.rest.call import Call
from trueup.wire.rest.request import request
from trueup.wire.rest.shapes import Shape, Wire


class _Tags(msgspec.Struct, frozen=True, kw_only=True):
    by_category: Annotated[Mapping[str, tuple[str, ...]], Wire("tags_by_categories")]


class Competition(msgspec.Struct, frozen=True, kw_only=True):
    """The kinds of markets that a competition has."""

    scopes: tuple[str, ...] = ()


class SportFilters(msgspec.Struct, frozen=True, kw_only=True):
    """The kinds of markets and the competitions of a sport."""

    scopes: tuple[str, ...] = ()
    competitions: Mapping[str, Competition]


class Sports(msgspec.Struct, frozen=True, kw_only=True):
    """What can be filtered by, per sport, and the order in which sports are shown."""

    by_sport: Annotated[Mapping[str, SportFilters], Wire("filters_by_sports")]
    ordering: Annotated[tuple[str, ...], Wire("sport_ordering")] = ()


TAGS: Final = Shape(_Tags, "GetTagsForSeriesCategoriesResponse")
SPORTS: Final = Shape(Sports, "GetFiltersBySportsResponse")


def tags_by_category() -> Call[Mapping[str, tuple[str, ...]]]:
    """The tags of each category of series."""
    return request("GetTagsForSeriesCategories", TAGS.answer().then(lambda row: row.by_category))


def sports() -> Call[Sports]:
    """The filters of each sport."""
    return request("GetFiltersForSports", SPORTS.answer())
