"""The operations of what describes markets: milestones, targets, live figures, combos."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(
        name="GetTagsForSeriesCategories", template="/search/tags_by_categories", signed=False
    ),
    Operation(name="GetFiltersForSports", template="/search/filters_by_sport", signed=False),
    Operation(
        name="GetLiveDataByMilestone",
        template="/live_data/milestone/{milestone_id}",
        query=("include_player_stats",),
        signed=False,
    ),
    Operation(
        name="GetLiveData",
        template="/live_data/{type}/milestone/{milestone_id}",
        query=("include_player_stats",),
        signed=False,
    ),
    Operation(
        name="GetLiveDatas",
        template="/live_data/batch",
        query=("milestone_ids", "include_player_stats"),
        signed=False,
    ),
    Operation(
        name="GetGameStats", template="/live_data/milestone/{milestone_id}/game_stats", signed=False
    ),
    Operation(
        name="GetEventLiveData",
        template="/live_data/events/{event_ticker}",
        query=("range",),
        signed=False,
    ),
    Operation(
        name="GetWeatherIndex",
        template="/live_data/weather/{city}",
        query=("from", "to", "last_sec", "detailed"),
        signed=False,
    ),
    Operation(
        name="GetWeatherIndexCalibrations",
        template="/live_data/weather/{city}/calibrations",
        signed=False,
    ),
    Operation(
        name="GetStructuredTargets",
        template="/structured_targets",
        query=("ids", "type", "competition", "page_size", "cursor"),
        limit_name="page_size",
        limit_default=100,
        limit_maximum=2000,
        signed=False,
    ),
    Operation(
        name="GetStructuredTarget",
        template="/structured_targets/{structured_target_id}",
        signed=False,
    ),
    Operation(name="GetMilestone", template="/milestones/{milestone_id}", signed=False),
    Operation(
        name="GetMilestones",
        template="/milestones",
        query=(
            "limit",
            "minimum_start_date",
            "category",
            "competition",
            "source_id",
            "type",
            "related_event_ticker",
            "cursor",
            "min_updated_ts",
        ),
        limit_maximum=500,
        signed=False,
    ),
    Operation(
        name="GetMultivariateEventCollection",
        template="/multivariate_event_collections/{collection_ticker}",
        signed=False,
    ),
    Operation(
        name="CreateMarketInMultivariateEventCollection",
        template="/multivariate_event_collections/{collection_ticker}",
        method="POST",
        idempotent=False,
        has_body=True,
    ),
    Operation(
        name="GetMultivariateEventCollections",
        template="/multivariate_event_collections",
        query=("status", "associated_event_ticker", "series_ticker", "limit", "cursor"),
        limit_maximum=200,
        signed=False,
    ),
    Operation(
        name="GetIncentivePrograms",
        template="/incentive_programs",
        query=("status", "type", "incentive_description", "limit", "cursor"),
        limit_maximum=10000,
        signed=False,
    ),
)
