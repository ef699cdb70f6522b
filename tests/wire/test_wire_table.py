from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from every_call import every_call

from trueup.core.errors import CallerError
from trueup.core.ids import (
    Shard,
    Subaccount,
    Ticker,
)
from trueup.core.instant import Instant
from trueup.wire.rest import (
    cash,
    events,
    markets,
    portfolio,
    series,
)
from trueup.wire.rest.call import Call
from trueup.wire.rest.table import OPERATIONS, listed_path, route, template_of

CALLS: Sequence[Call[Any]] = tuple(every_call())


def test_every_operation_of_the_table_has_a_call() -> None:
    assert {call.operation for call in CALLS} == set(OPERATIONS)
    assert len(OPERATIONS) == 128


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.operation)
def test_call_says_what_the_table_says_and_routes_back(call: Call[Any]) -> None:
    operation = OPERATIONS[call.operation]

    routed = route(call.method, call.path)

    assert routed is not None
    assert routed[0] is operation
    assert (call.template, call.cost, call.signed) == (
        operation.template,
        operation.cost,
        operation.signed,
    )
    assert call.idempotent == operation.idempotent
    assert call.idempotent or call.method != "GET"
    assert call.body is None or operation.has_body
    assert {name for name, _ in call.query} <= set(operation.query)


def test_literal_path_wins_over_a_placeholder() -> None:
    found = route("GET", "/series/fee_changes")
    other = route("GET", "/series/KXA")

    assert found is not None
    assert found[0].name == "GetSeriesFeeChanges"
    assert other is not None
    assert other[0].name == "GetSeries"
    assert other[1] == {"series_ticker": "KXA"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/portfolio/fills"),
        ("GET", "/nowhere"),
        ("GET", "/markets/"),
        ("GET", ""),
    ],
)
def test_unknown_request_routes_nowhere(method: str, path: str) -> None:
    assert route(method, path) is None


def test_listing_asks_for_the_largest_page() -> None:
    assert dict(portfolio.fills().query) == {"limit": "1000"}
    assert dict(cash.deposits().query) == {"limit": "500"}
    assert dict(events.events().query) == {"limit": "200"}


@pytest.mark.parametrize("limit", [0, 1_001, -1])
def test_limit_that_the_exchange_refuses_is_refused_here(limit: int) -> None:
    with pytest.raises(CallerError, match="limit"):
        portfolio.fills(limit=limit)


def test_unknown_subaccount_is_refused_here() -> None:
    with pytest.raises(CallerError, match="63"):
        portfolio.balance(subaccount=Subaccount(64))


def test_query_holds_what_was_asked_and_nothing_else() -> None:
    call = portfolio.fills(
        ticker=Ticker("KXA-1"),
        min_at=Instant(1_500_000),
        max_at=Instant(2_500_000),
        limit=7,
        cursor="c",
        subaccount=Subaccount(0),
        shard=Shard(0),
    )

    assert dict(call.query) == {
        "ticker": "KXA-1",
        "min_ts": "1",
        "max_ts": "3",
        "limit": "7",
        "cursor": "c",
        "subaccount": "0",
        "exchange_index": "0",
    }


def test_flags_and_lists_are_written_as_the_exchange_reads_them() -> None:
    assert dict(series.fee_changes(show_historical=False).query) == {"show_historical": "false"}
    query = dict(markets.markets(tickers=[Ticker("A"), Ticker("B")], combos=False).query)
    assert query["tickers"] == "A,B"
    assert query["mve_filter"] == "exclude"


def test_next_page_differs_only_in_the_cursor() -> None:
    call = portfolio.fills(limit=5, cursor="first")

    following = call.with_cursor("second")

    assert dict(following.query) == {"limit": "5", "cursor": "second"}
    assert following.path == call.path


def test_ticker_passes_unchanged_and_cannot_change_the_path() -> None:
    assert markets.market(Ticker("KXBTCD-26JUL0317-T60999.99")).path == (
        "/markets/KXBTCD-26JUL0317-T60999.99"
    )
    assert markets.market(Ticker("a/b?c d%é")).path == "/markets/a%2Fb%3Fc%20d%25%C3%A9"


@pytest.mark.parametrize("ticker", ["", ".", ".."])
def test_ticker_that_is_no_segment_is_refused(ticker: str) -> None:
    with pytest.raises(CallerError):
        markets.market(Ticker(ticker))


def test_listed_paths_are_templates() -> None:
    listed = "/trade-api/v2/portfolio/orders/:order_id"

    assert template_of(listed) == "/portfolio/orders/{order_id}"
    assert listed_path(template_of(listed)) == listed
    assert template_of("/trade-api/v2/cfbenchmarks/*endpoint") == "/cfbenchmarks/*endpoint"
