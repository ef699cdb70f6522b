"""Markets, events, series, fees, and what the exchange says about itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from trueup.core.errors import ProtocolBroken
from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.core.instant import from_seconds, parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.units import Count, Price
from trueup.wire.rest import account, api_keys, events, exchange, historical, markets, series
from trueup.wire.rest.account import BucketSize
from trueup.wire.rest.rows.markets import MarketDetail

MARKET: Mapping[str, Any] = {
    "ticker": "KXA-1",
    "event_ticker": "KXA",
    "title": "Will it?",
    "yes_sub_title": "Yes",
    "status": "finalized",
    "result": "scalar",
    "open_time": "2026-06-11T05:39:29Z",
    "close_time": "2026-06-25T16:00:00Z",
    "expected_expiration_time": None,
    "settlement_ts": "2026-06-25T17:00:00.5Z",
    "settlement_value_dollars": "0.3060",
    "yes_bid_dollars": "0.4700",
    "yes_ask_dollars": "0.5200",
    "last_price_dollars": "0.9900",
    "volume_fp": "2.50",
    "volume_24h_fp": "0.00",
    "open_interest_fp": "2.00",
    "exchange_index": 2,
}


def read(**changes: object) -> MarketDetail:
    row = {name: value for name, value in {**MARKET, **changes}.items() if value != "ABSENT"}
    return markets.market(Ticker("KXA-1")).decode(json.dumps({"market": row}).encode())


def test_market_tells_its_place_its_life_and_its_quote() -> None:
    detail = read()

    assert detail.market.title == "Will it?"
    assert detail.market.open_at == parse_instant("2026-06-11T05:39:29Z")
    assert detail.market.expected_expiration_at is None
    assert detail.stated.status is MarketStatus.FINALIZED
    assert detail.stated.result is MarketResult.SCALAR
    assert detail.stated.settlement_value == Price(3_060)
    assert detail.stated.settled_at == parse_instant("2026-06-25T17:00:00.5Z")
    assert detail.stated.shard == detail.market.shard == 2
    assert detail.quote.yes_bid == Price.parse("0.47")
    assert detail.quote.yes_ask == Price.parse("0.52")
    assert detail.quote.volume == Count(250)


def test_undetermined_market_has_no_result() -> None:
    stated = read(status="active", result="", settlement_value_dollars="ABSENT").stated

    assert stated.result is None
    assert stated.settlement_value is None


def test_empty_book_has_no_quote() -> None:
    quote = read(
        yes_bid_dollars="0.0000", yes_ask_dollars="1.0000", last_price_dollars="0.0000"
    ).quote

    assert (quote.yes_bid, quote.yes_ask, quote.last) == (None, None, None)


def test_market_in_cents_has_the_same_meaning() -> None:
    old = {
        "ticker": "KXA-1",
        "event_ticker": "KXA",
        "title": "Will it?",
        "status": "finalized",
        "result": "yes",
        "open_time": "2026-06-11T05:39:29Z",
        "close_time": "2026-06-25T16:00:00Z",
        "settlement_value": 100,
        "yes_bid": 47,
        "yes_ask": 52,
        "last_price": 0,
        "volume": 2,
        "volume_24h": 0,
        "open_interest": 13_679,
    }
    present = read(
        result="yes",
        settlement_ts=None,
        settlement_value_dollars="1.0000",
        last_price_dollars="0.0000",
        volume_fp="2.00",
        open_interest_fp="13679.00",
        exchange_index=0,
    )

    detail = markets.market(Ticker("KXA-1")).decode(json.dumps({"market": old}).encode())

    assert detail.market == present.market
    assert detail.stated == present.stated
    assert detail.quote == present.quote


def test_a_result_that_is_null_is_none_yet() -> None:
    assert read(result=None).stated.result is None


def test_title_falls_back_to_the_yes_side() -> None:
    assert read(title="ABSENT").market.title == "Yes"


def test_bare_number_and_unset_time_take_the_patient_way() -> None:
    detail = read(volume_fp=2.5, open_time="0001-01-01T00:00:00Z", close_time="")

    assert detail.quote.volume == Count(250)
    assert detail.market.open_at is None
    assert detail.market.close_at is None


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "settled"},
        {"result": "void"},
        {"settlement_value_dollars": "0.30601"},
        {"settlement_value_dollars": "1.5000"},
        {"yes_bid_dollars": "0.47001"},
        {"yes_ask_dollars": "free"},
        {"last_price_dollars": "2.0000"},
        {"volume_fp": "2.501"},
        {"volume_24h_fp": "many"},
        {"open_interest_fp": "1.0.0"},
        {"volume_fp": "9" * 30 + ".00"},
        {"volume_fp": "١٢.00"},  # digits, but not the ones a number is written in
        {"volume_fp": "ABSENT"},
        {"close_time": "soon"},
        {"settlement_ts": "2026-13-25T17:00:00Z"},
        {"ticker": None},
        {"title": "a\x00b"},
    ],
)
def test_market_that_cannot_be_held_is_unreadable_at_once(changes: dict[str, Any]) -> None:
    row = {name: value for name, value in {**MARKET, **changes}.items() if value != "ABSENT"}

    page = markets.markets().decode(json.dumps({"markets": [row], "cursor": ""}).encode())

    assert len(page.unreadable) == 1


def test_trailing_zeros_of_a_market_are_not_finer() -> None:
    assert read(volume_fp="2.5000").quote.volume == Count(250)
    assert read(yes_bid_dollars="0.470000").quote.yes_bid == Price.parse("0.47")


def test_series_multiplier_is_exact_and_tags_may_be_null() -> None:
    body = (
        b'{"series":{"ticker":"KXA","title":"A","category":"Crypto","tags":null,'
        b'"fee_type":"quadratic","fee_multiplier":0.1,"frequency":"daily"}}'
    )

    read_series = series.series(SeriesTicker("KXA")).decode(body)

    assert read_series.fee_multiplier == Fraction(1, 10)
    assert read_series.tags == ()
    assert read_series.category == "Crypto"


def test_one_bad_series_does_not_cost_the_list() -> None:
    good = {"ticker": "KXA", "title": "A", "fee_type": "flat", "fee_multiplier": 1}
    body = json.dumps({"series": [good, {**good, "fee_multiplier": "NaN"}]}).encode()

    page = series.series_list().decode(body)

    assert [item.ticker for item in page.items] == ["KXA"]
    assert len(page.unreadable) == 1


def test_event_overrides_may_be_absent_or_null() -> None:
    body = (
        b'{"event":{"event_ticker":"KXA-1","series_ticker":"KXA","title":"A",'
        b'"mutually_exclusive":true,"fee_type_override":null},"markets":[]}'
    )

    event = events.event(EventTicker("KXA-1")).decode(body)

    assert event.fee_type_override is None
    assert event.fee_multiplier_override is None
    assert event.mutually_exclusive


def test_fee_changes_of_series_and_events() -> None:
    scheduled = "2026-08-20T04:00:00Z"
    of_series = series.fee_changes().decode(
        b'{"series_fee_change_arr":[{"id":"1","series_ticker":"KXA","fee_type":"quadratic",'
        b'"fee_multiplier":0.5,"scheduled_ts":"2026-08-20T04:00:00Z"}]}'
    )
    of_event = events.fee_changes().decode(
        b'{"event_fee_changes":[{"id":"2","event_ticker":"KXA-1","series_ticker":"KXA",'
        b'"fee_type_override":null,"fee_multiplier_override":null,'
        b'"scheduled_ts":"2026-08-20T04:00:00Z"}],"cursor":"more"}'
    )

    assert of_series.items[0].fee_multiplier == Fraction(1, 2)
    assert of_series.items[0].event_ticker is None
    assert of_event.items[0].event_ticker == "KXA-1"
    assert of_event.items[0].fee_type is None
    assert of_event.items[0].effective_at == parse_instant(scheduled)
    assert of_event.cursor == "more"


def test_event_fee_change_that_is_silent_about_the_override_is_unreadable() -> None:
    body = (
        b'{"event_fee_changes":[{"id":"2","event_ticker":"KXA-1","series_ticker":"KXA",'
        b'"scheduled_ts":"2026-08-20T04:00:00Z"}],"cursor":""}'
    )

    assert len(events.fee_changes().decode(body).unreadable) == 1


def test_account_limits_nested_and_as_requests_per_second() -> None:
    nested = account.limits().decode(
        b'{"grants":[{"exchange_instance":"event_contract","level":"expert","source":"volume",'
        b'"expires_ts":1781159348}],"read":{"bucket_capacity":600,"refill_rate":200},'
        b'"usage_tier":"basic","write":{"bucket_capacity":100,"refill_rate":100}}'
    )
    flat = account.limits().decode(b'{"usage_tier":"basic","read_limit":20,"write_limit":10}')

    assert nested.read == BucketSize(capacity=600, refill_per_second=200)
    assert nested.grants[0].expires_at == from_seconds(1781159348)
    assert flat.read == BucketSize(capacity=200, refill_per_second=200)
    assert flat.write == BucketSize(capacity=100, refill_per_second=100)


def test_account_limits_that_say_nothing_are_an_error() -> None:
    with pytest.raises(ProtocolBroken, match="read"):
        account.limits().decode(b'{"usage_tier":"basic"}')


def test_endpoint_costs_are_found_by_template() -> None:
    costs = account.endpoint_costs().decode(
        b'{"default_cost":10,"endpoint_costs":[{"cost":2,"method":"GET",'
        b'"path":"/trade-api/v2/portfolio/orders/:order_id"}]}'
    )

    assert costs.cost_of("GET", "/portfolio/orders/{order_id}") == 2
    assert costs.cost_of("DELETE", "/portfolio/orders/{order_id}") == 10


def test_exchange_status_with_and_without_shards() -> None:
    bare = exchange.status().decode(b'{"exchange_active":true,"trading_active":false}')
    full = exchange.status().decode(
        b'{"exchange_active":true,"trading_active":true,"intra_exchange_transfers_active":false,'
        b'"exchange_estimated_resume_time":"2026-06-11T05:39:29Z","exchange_index_statuses":'
        b'[{"exchange_index":1,"description":"combos","exchange_active":true,'
        b'"trading_active":false,"intra_exchange_transfers_active":true}]}'
    )

    assert (bare.transfers_active, bare.resumes_at, bare.shards) == (None, None, ())
    assert not bare.trading_active
    assert full.transfers_active is False
    assert full.shards[0].shard == 1
    assert not full.shards[0].trading_active


def test_cutoffs_of_positions_may_be_absent() -> None:
    body = (
        b'{"market_settled_ts":"2026-05-01T00:00:00Z","trades_created_ts":"2026-04-01T00:00:00Z",'
        b'"orders_updated_ts":"2026-06-01T00:00:00Z"}'
    )

    cutoffs = historical.cutoff().decode(body)

    assert cutoffs.trades_created_at == parse_instant("2026-04-01T00:00:00Z")
    assert cutoffs.orders_updated_at == parse_instant("2026-06-01T00:00:00Z")
    assert cutoffs.market_settled_at == parse_instant("2026-05-01T00:00:00Z")
    assert cutoffs.positions_updated_at is None


def test_api_keys_tell_scopes_and_lock() -> None:
    keys = api_keys.list_keys().decode(
        b'{"api_keys":[{"api_key_id":"k1","name":"bot","scopes":["read","write"]},'
        b'{"api_key_id":"k2","name":"view","scopes":["read"],"subaccount":0}],'
        b'"api_key_region_expiration_ts":null}'
    )

    assert keys[0].scopes == ("read", "write")
    assert keys[0].subaccount is None
    assert keys[1].subaccount == 0


def listing(*rows: Mapping[str, Any]) -> bytes:
    return json.dumps({"cursor": "next", "markets": rows}, indent=1).encode()


def test_market_page_keeps_raws_cursor_and_unknown_fields() -> None:
    rows = ({**MARKET, "moon_phase": {"deep": [1]}}, {**MARKET, "ticker": "KXA-2", "later": 1})
    body = listing(*rows)

    page = markets.markets().decode(body)

    assert [item.ticker for item in page.items] == ["KXA-1", "KXA-2"]
    assert [json.loads(raw) for raw in page.raws] == list(rows)
    assert json.loads(page.raws[-1]) == rows[1]
    assert len(page.raws) == 2
    assert page.cursor == "next"
    assert page.unknown_fields == ("moon_phase",) == markets.markets().unknown_fields(body)


def test_unknown_field_is_found_behind_a_very_long_one() -> None:
    row = {**MARKET, "rules_primary": "x" * 100_000, "moon_phase": 1}

    assert markets.markets().decode(listing(row)).unknown_fields == ("moon_phase",)


def test_one_odd_market_does_not_change_the_others() -> None:
    old = {"status": "active", "volume": 2, "volume_24h": 0, "open_interest": 1}
    rows = (
        MARKET,
        {"ticker": "KXA-2", "event_ticker": "KXA", **old},
        {**MARKET, "status": "gone"},
    )

    page = markets.markets().decode(listing(*rows))

    assert [item.ticker for item in page.items] == ["KXA-1", "KXA-2"]
    assert page.items[0] == read()
    assert [json.loads(raw) for raw in page.raws] == list(rows[:2])
    assert [json.loads(each.raw) for each in page.unreadable] == [rows[2]]
    assert page.cursor == "next"


def test_empty_market_pages() -> None:
    assert markets.markets().decode(b'{"markets":[],"cursor":null}').items == ()
    page = markets.markets().decode(b'{"markets":null}')
    assert (page.items, list(page.raws), page.cursor) == ((), [], "")
    with pytest.raises(ProtocolBroken):
        markets.markets().decode(b'{"cursor":""}')
