"""The sections of milestones and structured targets: what events are about.

A milestone is something that happens (a game, a release), a structured target
somebody or something that takes part (a team, a player).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final

import msgspec

from trueup.core.ids import EventTicker
from trueup.core.instant import Instant, format_instant
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.codecs import OPTIONAL_TIME, TIME
from trueup.wire.rest.request import request, since
from trueup.wire.rest.shapes import Shape, Wire


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happens, and the events about it.  `details` depend on its type."""

    milestone_id: Annotated[str, Wire("id")]
    category: str
    type: str
    title: str
    start_at: Annotated[Instant, Wire("start_date", TIME)]
    end_at: Annotated[Instant | None, Wire("end_date", OPTIONAL_TIME)] = None
    related_event_tickers: tuple[EventTicker, ...]
    primary_event_tickers: tuple[EventTicker, ...]
    notification_message: str
    details: Mapping[str, object]
    source_id: str | None = None
    source_ids: Mapping[str, str] | None = None
    updated_at: Annotated[Instant, Wire("last_updated_ts", TIME)]


class StructuredTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody or something that takes part.  `details` depend on its type."""

    target_id: Annotated[str, Wire("id")] = ""
    name: str = ""
    type: str = ""
    details: Mapping[str, object] | None = None
    source_id: str | None = None
    source_ids: Mapping[str, str] | None = None
    updated_at: Annotated[Instant | None, Wire("last_updated_ts", OPTIONAL_TIME)] = None


MILESTONE: Final = Shape(Milestone, "Milestone")
TARGET: Final = Shape(StructuredTarget, "StructuredTarget")


def milestone(milestone_id: str) -> Call[Milestone]:
    """One milestone."""
    return request(
        "GetMilestone", MILESTONE.answer("milestone"), path={"milestone_id": milestone_id}
    )


def milestones(
    *,
    category: str = "",
    competition: str = "",
    kind: str = "",
    source_id: str = "",
    related_event_ticker: EventTicker | None = None,
    start_from: Instant | None = None,
    min_updated_at: Instant | None = None,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[Milestone]]:
    """Milestones, by what they are and when they begin."""
    return request(
        "GetMilestones",
        MILESTONE.pages("milestones"),
        query={
            "category": category,
            "competition": competition,
            "type": kind,
            "source_id": source_id,
            "related_event_ticker": related_event_ticker,
            "minimum_start_date": None if start_from is None else format_instant(start_from),
            "min_updated_ts": since(min_updated_at),
            "limit": limit,
            "cursor": cursor,
        },
    )


def target(target_id: str) -> Call[StructuredTarget]:
    """One structured target."""
    return request(
        "GetStructuredTarget",
        TARGET.answer("structured_target"),
        path={"structured_target_id": target_id},
    )


def targets(
    *,
    ids: Iterable[str] = (),
    kind: str = "",
    competition: str = "",
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[StructuredTarget]]:
    """Structured targets, by their ids or by what they are."""
    return request(
        "GetStructuredTargets",
        TARGET.pages("structured_targets"),
        query={
            "ids": tuple(ids),
            "type": kind,
            "competition": competition,
            "page_size": limit,
            "cursor": cursor,
        },
    )
