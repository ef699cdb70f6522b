from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from trueup.core.errors import ProtocolBroken
from trueup.core.units import Money
from trueup.wire.rest import cash, exchange, portfolio, series

FILL: Mapping[str, Any] = {
    "trade_id": "t1",
    "order_id": "o1",
    "ticker": "KXA-1",
    "outcome_side": "yes",
    "count_fp": "2.00",
    "yes_price_dollars": "0.4700",
    "fee_cost": "0.017500",
    "is_taker": True,
    "created_time": "2026-06-11T06:29:30.164956Z",
    "exchange_index": 0,
}


def body(*rows: object, cursor: object = "") -> bytes:
    return json.dumps({"fills": rows, "cursor": cursor}).encode()


def fill(**changes: object) -> dict[str, Any]:
    return {**FILL, **changes}


def test_bad_row_is_quarantined_and_the_page_goes_on() -> None:
    bad = fill(trade_id="t2", outcome_side="maybe")

    page = portfolio.fills().decode(body(fill(), bad, fill(trade_id="t3"), cursor="next"))

    assert [item.trade_id for item in page.items] == ["t1", "t3"]
    assert [json.loads(raw)["trade_id"] for raw in page.raws] == ["t1", "t3"]
    assert page.cursor == "next"
    (unreadable,) = page.unreadable
    assert json.loads(unreadable.raw) == bad
    assert "maybe" in unreadable.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"count_fp": "0.001"}, "finer"),
        ({"yes_price_dollars": "0.56001"}, "finer"),
        ({"fee_cost": "0.0000001"}, "finer"),
        ({"count_fp": "many"}, "decimal"),
        ({"count_fp": "0.00"}, "cannot be"),
        ({"order_id": None}, "order_id"),
        ({"order_id": 7}, "order_id"),
        ({"order_id": 0.5}, "order_id"),
        ({"is_taker": "yes"}, "is_taker"),
        ({"created_time": "yesterday"}, "time"),
        ({"ts": 1e30, "created_time": None}, "ts"),
        ({"fee_cost": [1]}, "fee_cost"),
    ],
)
def test_unreadable_row_says_why(changes: dict[str, Any], reason: str) -> None:
    page = portfolio.fills().decode(body(fill(**changes)))

    assert page.items == ()
    assert reason in page.unreadable[0].reason


@pytest.mark.parametrize("missing", ["order_id", "is_taker", "trade_id", "ticker", "count_fp"])
def test_missing_required_field_is_unreadable(missing: str) -> None:
    row = fill()
    del row[missing]

    assert len(portfolio.fills().decode(body(row)).unreadable) == 1


def test_row_that_is_no_object_is_unreadable() -> None:
    page = portfolio.fills().decode(body(fill(), 7, "text", None, []))

    assert len(page.items) == 1
    assert [each.raw for each in page.unreadable] == [b"7", b'"text"', b"null", b"[]"]


def test_bare_json_numbers_are_read_by_their_own_text() -> None:
    raw = body(fill()).replace(b'"0.017500"', b"0.1").replace(b'"2.00"', b"3")

    (item,) = portfolio.fills().decode(raw).items

    assert item.fee == Money.parse("0.1")
    assert str(item.count) == "3.00"


def test_bare_json_number_finer_than_the_unit_is_unreadable() -> None:
    # As a binary float this would round to 0.1 and pass.
    raw = body(fill()).replace(b'"0.017500"', b"0.1000000000000000055511151231257827")

    assert "finer" in portfolio.fills().decode(raw).unreadable[0].reason


def test_unknown_fields_of_the_first_row_are_named() -> None:
    call = portfolio.fills()
    raw = body(fill(zeta=1, alpha={"x": 0.5}), fill(later=1))

    assert call.decode(raw).unknown_fields == ("alpha", "zeta")
    assert call.unknown_fields(raw) == ("alpha", "zeta")


def test_unknown_fields_of_a_single_record_are_named() -> None:
    raw = b'{"balance":1,"updated_ts":1781159348,"balance_yen":"7"}'

    assert portfolio.balance().unknown_fields(raw) == ("balance_yen",)
    assert series.series_list().unknown_fields(b'{"series":[{"ticker":"X","moon":1}]}') == ("moon",)
    assert portfolio.balance().unknown_fields(b"<html>") == ()


@pytest.mark.parametrize("cursor", ["", None])
def test_last_page_has_an_empty_or_null_cursor(cursor: str | None) -> None:
    assert portfolio.fills().decode(body(fill(), cursor=cursor)).cursor == ""
    assert portfolio.fills().decode(b'{"fills":[]}').cursor == ""


def test_null_list_is_an_empty_page() -> None:
    page = cash.deposits().decode(b'{"deposits":null,"cursor":""}')

    assert page.items == ()
    assert page.unreadable == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"<html>502</html>",
        b'{"fills":[{"trade_id":"t1"',
        b'{"fills":{}}',
        b'{"fills":[],"cursor":7}',
        b'{"error":{"code":"not_found","message":"not found"}}',
        b"[" * 100_000,
        b'{"fills":' + b"[" * 100_000,
        b"\xff\xfe",
        b'{"fills":[],"cursor":"\xff"}',
    ],
)
def test_answer_that_is_no_page_is_never_an_empty_one(raw: bytes) -> None:
    with pytest.raises(ProtocolBroken) as caught:
        portfolio.fills().decode(raw)

    assert caught.value.evidence == raw[:300].decode("utf-8", "backslashreplace")
    assert caught.value.remedy


@pytest.mark.parametrize("raw", [b"", b"{}", b"<html>", b'{"exchange_active":1}', b"[" * 100_000])
def test_single_record_that_cannot_be_read_is_an_error_with_evidence(raw: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        exchange.status().decode(raw)


def test_deeply_nested_row_costs_one_row() -> None:
    deep = b'{"trade_id":' + b"[" * 900 + b"]" * 900 + b"}"
    raw = b'{"fills":[' + json.dumps(fill()).encode() + b"," + deep + b"]}"

    page = portfolio.fills().decode(raw)

    assert len(page.items) == 1
    assert page.unreadable[0].raw == deep


def test_row_that_is_no_utf8_costs_one_row() -> None:
    bad = json.dumps(fill()).encode().replace(b"KXA-1", b"KX\xff-1")
    raw = b'{"fills":[' + bad + b"," + json.dumps(fill()).encode() + b'],"cursor":"n"}'

    page = portfolio.fills().decode(raw)

    assert len(page.items) == 1
    assert page.unreadable[0].raw == bad


def test_row_with_a_nul_character_costs_one_row() -> None:
    page = portfolio.fills().decode(body(fill(), fill(order_id="a\x00b")))

    assert len(page.items) == 1
    assert "NUL" in page.unreadable[0].reason


def test_one_reading_of_several_rows_is_all_or_nothing() -> None:
    good = {
        "subaccount_number": 0,
        "exchange_index": 0,
        "balance": "1.00",
        "updated_ts": 1781159348,
    }
    rows = [good, {**good, "balance": "0.0000001"}]

    with pytest.raises(ProtocolBroken, match="finer"):
        cash.subaccount_balances().decode(json.dumps({"subaccount_balances": rows}).encode())
