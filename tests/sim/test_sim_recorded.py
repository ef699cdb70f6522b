"""Recorded items answered again."""

from __future__ import annotations

import json

from trueup.core.ids import OrderId, Subaccount, Ticker
from trueup.core.instant import Instant, from_seconds, parse_instant
from trueup.sim.paging import Query
from trueup.sim.recorded import RecordedItem, Recording


def item(**fields: object) -> RecordedItem:
    return RecordedItem(fields, json.dumps(fields).encode())


def fill(number: int, **fields: object) -> RecordedItem:
    return item(trade_id=f"t{number}", created_time=f"2026-05-01T00:00:{number:02}Z", **fields)


def names(recording: Recording, query: Query, stream: str = "fills") -> list[object]:
    key = {"fills": "trade_id", "markets": "ticker", "orders": "order_id"}[stream]
    return [one.fields[key] for one in recording.listing(stream, query).items]


def test_items_come_newest_first_whatever_their_order_in_the_file() -> None:
    recording = Recording({"fills": [fill(3), fill(1), fill(2)]})

    assert names(recording, Query()) == ["t3", "t2", "t1"]


def test_pages_hold_every_item_once_with_its_text() -> None:
    items = [fill(number, strange=[number]) for number in range(7)]
    recording = Recording({"fills": items})

    first = recording.listing("fills", Query(limit=4))
    second = recording.listing("fills", Query(limit=4, cursor=first.cursor))

    assert [one.raw for one in (*first.items, *second.items)] == [one.raw for one in items[::-1]]
    assert first.cursor
    assert not second.cursor


def test_filters_look_at_the_items_own_fields() -> None:
    recording = Recording(
        {
            "fills": [
                fill(1, ticker="A", order_id="o1"),
                fill(2, market_ticker="B", subaccount_number=3),
                fill(3, ticker="C", exchange_index=2),
            ]
        }
    )

    assert names(recording, Query(tickers=frozenset({Ticker("B")}))) == ["t2"]
    assert names(recording, Query(order_id=OrderId("o1"))) == ["t1"]
    assert names(recording, Query(subaccount=Subaccount(3))) == ["t2"]
    assert names(recording, Query(subaccount=Subaccount(0))) == ["t3", "t1"]
    assert names(recording, Query(min_at=parse_instant("2026-05-01T00:00:02Z"))) == ["t3", "t2"]


def test_status_filters_use_the_listings_words() -> None:
    recording = Recording(
        {
            "markets": [
                item(ticker="A", status="finalized"),
                item(ticker="B", status="active"),
                item(ticker="C", status="disputed"),
            ],
            "orders": [item(order_id="o", status="canceled")],
        }
    )

    assert names(recording, Query(choice="settled"), "markets") == ["A"]
    assert names(recording, Query(choice="closed"), "markets") == ["C"]
    assert names(recording, Query(choice="canceled"), "orders") == ["o"]
    assert names(recording, Query(choice="resting"), "orders") == []


def test_balance_is_the_last_reading_until_then() -> None:
    readings = [item(balance=number, updated_ts=number) for number in (30, 10, 20)]
    recording = Recording({"balances": readings})

    def at(seconds: int) -> object:
        found = recording.balance(from_seconds(seconds), Query())
        return None if found is None else found.fields["balance"]

    assert [at(5), at(10), at(29), at(1_000)] == [10, 10, 20, 30]
    assert recording.balance(Instant(0), Query(subaccount=Subaccount(1))) is None


def test_empty_recording_answers_with_nothing() -> None:
    recording = Recording({})

    assert recording.listing("settlements", Query()).items == ()
    assert recording.find("markets", "ticker", "A") is None
