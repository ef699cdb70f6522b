"""Everything that was recorded on the REST interface decodes, or is named as not yet covered."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from every_call import every_call

from trueup.core.facts import Filled
from trueup.core.orderbook import BookSnapshot
from trueup.core.orders import Side
from trueup.core.statements import PositionStated
from trueup.core.units import Count, Money, Price
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.errors import read_error
from trueup.wire.rest.rows.balances import Balance
from trueup.wire.rest.rows.fills import read_fill
from trueup.wire.rest.rows.orders import read_order
from trueup.wire.rest.rows.positions import read_position
from trueup.wire.rest.table import route
from trueup.wire.signing import REST_PREFIX

pytestmark = pytest.mark.recorded

CALLS: dict[str, list[Call[Any]]] = defaultdict(list)
for each in every_call():
    CALLS[each.operation].append(each)

DEMO_NOT_COVERED = {
    # The order entry of before June 2026.
    "orders__legacy_cancel",
    "orders__legacy_create",
    # A composition of a perpetual future's data, no answer of this interface.
    "perp_basis__paired_cycle",
}

OLD_FORM = {
    "event_single": "GetEvent",
    "events_list": "GetEvents",
    "events_multivariate_list": "GetMultivariateEvents",
    "exchange_status": "GetExchangeStatus",
    "market_single": "GetMarket",
    "markets_list": "GetMarkets",
    "portfolio_balance": "GetBalance",
    "portfolio_fills": "GetFills",
    "portfolio_order_single": "GetOrder",
    "portfolio_orders": "GetOrders",
    "portfolio_positions": "GetPositions",
    "portfolio_settlements": "GetSettlements",
    "series_fee_changes": "GetSeriesFeeChanges",
    "series_list": "GetSeriesList",
    "series_single": "GetSeries",
    "user_data_timestamp": "GetUserDataTimestamp",
    "order_group_create": "CreateOrderGroup",
    "order_group_delete": "DeleteOrderGroup",
    "order_group_reset": "ResetOrderGroup",
    "order_group_single": "GetOrderGroup",
    "order_groups_list": "GetOrderGroups",
    "order_queue_position": "GetOrderQueuePosition",
    "order_queue_positions": "GetOrderQueuePositions",
    "candlesticks_batch": "BatchGetMarketCandlesticks",
    "event_candlesticks": "GetMarketCandlesticksByEvent",
    "event_metadata": "GetEventMetadata",
    "exchange_schedule": "GetExchangeSchedule",
    "filters_by_sport": "GetFiltersForSports",
    "incentive_programs": "GetIncentivePrograms",
    "live_data_batch": "GetLiveDatas",
    "live_data_milestone": "GetLiveDataByMilestone",
    "milestone_single": "GetMilestone",
    "milestones_list": "GetMilestones",
    "multivariate_event_collection_lookup_tickers": "CreateMarketInMultivariateEventCollection",
    "multivariate_event_collection_single": "GetMultivariateEventCollection",
    "multivariate_event_collections_list": "GetMultivariateEventCollections",
    "orderbook": "GetMarketOrderbook",
    "series_candlesticks": "GetMarketCandlesticks",
    "structured_target_single": "GetStructuredTarget",
    "structured_targets_list": "GetStructuredTargets",
    "tags_by_categories": "GetTagsForSeriesCategories",
    "trades_list": "GetTrades",
}

OLD_FORM_NOT_COVERED = {
    # The order entry of before June 2026.
    "amend_order",
    "batch_cancel_orders",
    "batch_create_orders",
    "cancel_order",
    "create_order",
    "decrease_order",
    # Gone from the API of October 2026.
    "exchange_announcements",
}

OLD_FORM_ERRORS = {"portfolio_total_resting_order_value"}


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def lines(path: Path) -> Iterator[bytes]:
    yield from content(path).splitlines()


def decoded(operation: str, body: bytes) -> Any:
    """The value of a body by the operation's first call; no call finds anything unreadable or unknown."""
    values = [_decoded(call, body) for call in CALLS[operation]]
    return values[0]


def _decoded(call: Call[Any], body: bytes) -> Any:
    assert call.unknown_fields(body) == ()
    value = call.decode(body)
    if isinstance(value, Page):
        page = cast("Page[Any]", value)
        assert page.unreadable == ()
        assert len(page.items) == len(page.raws)
    return value  # pyright: ignore[reportUnknownVariableType]


def demo_bodies(folder: Path) -> Iterator[tuple[str, bytes, dict[str, Any] | None]]:
    for path in sorted(folder.glob("*.json*")):
        name = path.name.partition(".")[0]
        if ".meta." in path.name or path.suffix == ".jsonl":
            continue
        meta = folder / f"{name}.meta.json"
        yield name, content(path), json.loads(meta.read_bytes()) if meta.exists() else None


def test_demo_session_of_june_2026_decodes(recorded_data: Path) -> None:
    skipped: set[str] = set()
    errors = values = 0
    for name, body, meta in demo_bodies(recorded_data / "rest" / "fortuna_demo_2026-06"):
        if name == "markets__high_temp":
            assert len(decoded("GetMarkets", body).items) == 18
            continue
        if meta is None:
            skipped.add(name)
            continue
        if meta["status"] >= 400:
            read = read_error(meta["status"], body)
            assert read.code or name == "markets__limit_over_max"
            assert not read.message.startswith("HTTP")
            errors += 1
            continue
        path = meta["path"].removeprefix(REST_PREFIX).partition("?")[0]
        found = route(meta["method"], path)
        if found is None:
            skipped.add(name)
            continue
        decoded(found[0].name, body)
        values += 1

    assert skipped == DEMO_NOT_COVERED
    assert (errors, values) == (19, 36)


def test_demo_figures_are_the_recorded_ones(recorded_data: Path) -> None:
    folder = recorded_data / "rest" / "fortuna_demo_2026-06"

    balance: Balance = decoded("GetBalance", (folder / "auth__balance_ok.json").read_bytes())
    fills: Page[Filled] = decoded("GetFills", (folder / "fills__after_taker.json").read_bytes())
    positions: Page[PositionStated] = decoded(
        "GetPositions", (folder / "portfolio__positions.json").read_bytes()
    )

    assert balance.low == balance.high == Money.parse("98.0186")
    assert [fill.fee for fill in fills.items] == [Money(17_500), Money(700), Money(700)]
    assert positions.items[0].net == Count.of_contracts(3)
    assert sum((fill.price * fill.count for fill in fills.items), Money(0)) == (
        positions.items[0].exposure
    )


def test_captures_of_january_2026_in_cents_decode(recorded_data: Path) -> None:
    folder = recorded_data / "rest" / "obstacle_golden_2026-01"
    seen: set[str] = set()
    for path in sorted(folder.glob("*_response.json*")):
        name = path.name.partition("_response.json")[0]
        body = json.dumps(json.loads(content(path))["response"]).encode()
        seen.add(name)
        if name in OLD_FORM:
            decoded(OLD_FORM[name], body)
        elif name in OLD_FORM_ERRORS:
            assert read_error(403, body).code == "permission_denied"

    assert seen == OLD_FORM.keys() | OLD_FORM_NOT_COVERED | OLD_FORM_ERRORS


def test_every_recorded_order_object_decodes(recorded_data: Path) -> None:
    """Also those inside the answers of order entry, which are not covered themselves."""
    rest = recorded_data / "rest"
    found: list[dict[str, Any]] = []

    def walk(tree: object) -> None:
        if isinstance(tree, dict):
            record = cast("dict[str, Any]", tree)
            if {"order_id", "status", "created_time"} <= record.keys():
                found.append(record)
            for child in record.values():
                walk(child)
        elif isinstance(tree, list):
            for child in cast("list[Any]", tree):
                walk(child)

    for folder in ("fortuna_demo_2026-06", "obstacle_golden_2026-01"):
        for path in sorted((rest / folder).glob("*.json*")):
            if ".meta." not in path.name and path.suffix != ".jsonl":
                walk(json.loads(content(path)))

    orders = [read_order(json.dumps(record).encode()) for record in found]

    assert len(orders) > 20
    assert all(order.initial_count >= order.fill_count for order in orders)


def test_combo_round_trips_of_july_2026_decode(recorded_data: Path) -> None:
    by_key = {
        "balance": "GetBalance",
        "positions": "GetPositions",
        "fills": "GetFills",
    }
    by_step = {
        "market_payload": "GetMarket",
        "endpoint_costs": "GetAccountEndpointCosts",
        "api_limits": "GetAccountApiLimits",
        "fills_by_creator_order_id": "GetFills",
        "communications_id": "GetCommunicationsID",
        "rfq_created": "CreateRFQ",
        "orderbook": "GetMarketOrderbook",
        "off_grid_quote_unexpectedly_accepted": "CreateQuote",
    }
    executed: dict[str, Any] = {}
    sides: set[tuple[str, Side]] = set()
    count = 0
    for path in sorted((recorded_data / "rest" / "combos_demo_2026-07").glob("scenario_*.jsonl")):
        for line in lines(path):
            step = json.loads(line)
            parts = [(by_key[key], part) for key, part in step["data"].items() if key in by_key]
            if step["step"] in by_step:
                parts = [(by_step[step["step"]], step["data"])]
            if step["step"] == "quote_created":
                parts = [("CreateQuote", step["data"]["response"])]
            if step["step"] == "quote_terminal":
                parts = [("GetRFQQuote", {"quote": step["data"]})]
            for operation, part in parts:
                value = decoded(operation, json.dumps(part).encode())
                count += 1
                if operation == "GetRFQQuote" and value.status == "executed":
                    executed[path.stem] = value
                if operation == "GetFills":
                    sides |= {
                        (json.loads(raw)["side"], fill.side)
                        for raw, fill in zip(value.raws, value.items, strict=True)
                    }

    assert count == 51
    assert {quote.accepted_side for quote in executed.values()} == {Side.YES, Side.NO}
    assert all(quote.yes_bid == quote.no_bid == Price(4_800) for quote in executed.values())
    # Here both are given, and the old word alone says the same as outcome_side.
    assert sides == {("yes", Side.YES), ("no", Side.NO)}


def test_demo_session_of_july_2026_decodes(recorded_data: Path) -> None:
    positions = books = 0
    for line in lines(recorded_data / "rest" / "jfreun123_demo_rest_raw_2026-07.jsonl"):
        record = json.loads(line)
        path = record["url"].partition(REST_PREFIX)[2].partition("?")[0]
        found = route(record["method"], path)
        assert found is not None
        value = decoded(found[0].name, record["response_body"].encode())
        if isinstance(value, BookSnapshot):
            assert value.bids == tuple(sorted(value.bids, key=lambda level: level.price))[::-1]
            books += 1
        else:
            positions += len(value.items)

    assert (positions, books) == (4, 5)


def test_raw_markets_of_july_2026_decode(recorded_data: Path) -> None:
    rows = [
        json.dumps(json.loads(line)["market"])
        for line in lines(recorded_data / "rest" / "headless_markets_raw_fp_2026-07.jsonl.gz")
    ]
    body = f'{{"markets":[{",".join(rows)}],"cursor":""}}'.encode()

    page = decoded("GetMarkets", body)

    assert len(page.items) == 441
    for detail, row in zip(page.items, map(json.loads, rows), strict=True):
        assert detail.market.ticker == detail.stated.ticker == detail.quote.ticker == row["ticker"]
        assert str(detail.quote.volume) == row["volume_fp"]


def test_every_catalogued_error_body_is_read(recorded_data: Path) -> None:
    rest = recorded_data / "rest"
    catalogued = json.loads((rest / "error_bodies_catalog.json").read_bytes())
    for record in catalogued:
        if record["status"] == "ws":
            continue
        raw = record["body"]
        body = raw.encode() if isinstance(raw, str) else json.dumps(raw).encode()
        read = read_error(record["status"], body)
        assert read.message
        if record["status"] == 429:
            assert read.message == "too many requests"
    counted = json.loads((rest / "tommysiracuse_error_bodies_2026-03.json").read_bytes())
    for _count, text in counted:
        status = int(text.partition(" failed ")[2][:3])
        read = read_error(status, text.partition(f" failed {status}: ")[2].encode())
        assert read.message
        assert bool(read.code) == (status < 500)


def test_recorded_fills_of_a_real_account_decode(recorded_data: Path) -> None:
    folder = recorded_data / "ledger" / "kxbtc15m_account"
    fills = [read_fill(raw) for raw in lines(folder / "fills_rest_2026-05.jsonl")]
    cent = Money.of_cents(1)
    net: dict[str, int] = {}
    for fill in fills:
        net[fill.ticker] = net.get(fill.ticker, 0) + fill.side.sign * fill.count.units

    assert len(fills) == 316
    for fill in fills:
        assert fill.fee is not None
        own = fill.price if fill.side is Side.YES else fill.price.complement()
        # The exchange rounds so that the balance moves by whole cents.
        assert (own * fill.count + fill.fee).is_multiple_of(cent)
    # The rule for the direction of old fills: side alone leaves most markets flat.
    assert (len(net), sum(not held for held in net.values())) == (68, 44)


def test_recorded_positions_of_a_real_account_decode(recorded_data: Path) -> None:
    folder = recorded_data / "ledger" / "kxbtc15m_account"
    stated = [read_position(raw) for raw in lines(folder / "positions_rest_2026-05.jsonl")]

    assert len(stated) == 62
    assert {each.net.units for each in stated} >= {0, 100}


def test_recorded_balances_of_a_real_account_decode(recorded_data: Path) -> None:
    path = recorded_data / "ledger" / "kxbtc15m_account" / "exchange_accounting_2026-05.jsonl"
    readings = [json.loads(line)["balance"] for line in lines(path)]

    for reading in readings:
        balance: Balance = decoded("GetBalance", json.dumps(reading).encode())
        assert balance.low == Money.of_cents(reading["balance"])
        assert balance.high.units - balance.low.units == 9_999
    assert readings
