"""One small case per trap of the account's records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import pytest

from trueup.core.facts import BankingStatus, TransferStatus
from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import from_seconds, parse_instant
from trueup.core.market import MarketResult
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import Count, Money, Price
from trueup.wire.rest import cash, portfolio
from trueup.wire.rest.call import Call, Page

T = TypeVar("T")


def first(call: Call[Page[T]], key: str, row: Mapping[str, Any]) -> T:
    page = call.decode(json.dumps({key: [row], "cursor": ""}).encode())
    assert page.unreadable == ()
    assert page.unknown_fields == ()
    return page.items[0]


def reason(call: Call[Page[T]], key: str, row: Mapping[str, Any]) -> str:
    page = call.decode(json.dumps({key: [row], "cursor": ""}).encode())
    assert page.items == ()
    return page.unreadable[0].reason


OLD_FILL: Mapping[str, Any] = {
    "action": "buy",
    "count": 32,
    "created_time": "2026-01-10T16:11:11.109554Z",
    "fill_id": "43db",
    "is_taker": True,
    "market_ticker": "KXEXAMPLE-9",
    "no_price": 40,
    "no_price_fixed": "0.4000",
    "order_id": "6e44",
    "price": 0.6,
    "side": "yes",
    "ticker": "KXEXAMPLE-9",
    "trade_id": "43db",
    "ts": 1768061471,
    "yes_price": 60,
    "yes_price_fixed": "0.6000",
}


def test_fill_in_whole_cents_has_the_same_meaning_and_no_fee() -> None:
    filled = first(portfolio.fills(subaccount=Subaccount(3)), "fills", OLD_FILL)

    assert filled.count == Count.of_contracts(32)
    assert filled.price == Price.parse("0.60")
    assert filled.fee is None
    assert filled.side is Side.YES
    assert filled.subaccount == 3


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ({"yes_price_dollars": "0.5650", "no_price_dollars": "0.4350"}, "0.5650"),
        ({"yes_price_fixed": "0.6000", "yes_price": 61}, "0.60"),
        ({"yes_price": 60}, "0.60"),
        ({"no_price_dollars": "0.4350"}, "0.5650"),
        ({"no_price_fixed": "0.4000"}, "0.60"),
        ({"no_price": 40}, "0.60"),
    ],
)
def test_fill_price_is_the_yes_price_from_whatever_is_there(
    prices: dict[str, Any], expected: str
) -> None:
    bare = {name: value for name, value in OLD_FILL.items() if "price" not in name}

    filled = first(portfolio.fills(), "fills", {**bare, "side": "no", **prices})

    assert filled.price == Price.parse(expected)
    assert filled.side is Side.NO


def test_vanished_price_is_unreadable_and_never_a_default() -> None:
    bare = {name: value for name, value in OLD_FILL.items() if "price" not in name}

    assert "price" in reason(portfolio.fills(), "fills", bare)


def test_sell_no_without_outcome_side_is_a_no_fill() -> None:
    sell = {**OLD_FILL, "action": "sell", "side": "no"}

    assert first(portfolio.fills(), "fills", sell).side is Side.NO


def test_sell_no_with_outcome_side_follows_outcome_side() -> None:
    sell = {**OLD_FILL, "action": "sell", "side": "no", "outcome_side": "yes", "book_side": "bid"}

    assert first(portfolio.fills(), "fills", sell).side is Side.YES


def test_own_subaccount_of_a_fill_wins_over_the_asked_one() -> None:
    row = {**OLD_FILL, "subaccount_number": 0, "exchange_index": 2}

    filled = first(portfolio.fills(subaccount=Subaccount(3)), "fills", row)

    assert filled.subaccount == 0
    assert filled.shard == 2


def test_fill_without_created_time_takes_its_second() -> None:
    row = {name: value for name, value in OLD_FILL.items() if name != "created_time"}

    assert first(portfolio.fills(), "fills", row).at == from_seconds(1768061471)


SETTLEMENT: Mapping[str, Any] = {
    "ticker": "KXETH15M-26AUG241345-45",
    "exchange_index": 2,
    "event_ticker": "KXETH15M-26AUG241345",
    "market_result": "scalar",
    "yes_count_fp": "19.00",
    "yes_total_cost_dollars": "9.946000",
    "no_count_fp": "18.86",
    "no_total_cost_dollars": "8.100000",
    "revenue": 6,
    "settled_time": "2026-08-24T17:46:12Z",
    "fee_cost": "0.132500",
    "value": 45,
}


def test_settlement_mixes_cents_and_dollars_by_field() -> None:
    settled = first(portfolio.settlements(), "settlements", SETTLEMENT)

    assert settled.revenue == Money.parse("0.06")
    assert settled.trade_fees == Money.parse("0.1325")
    assert settled.yes_cost == Money.parse("9.946")
    assert settled.value == Price.parse("0.45")


def test_both_sides_of_a_settlement_stay_gross() -> None:
    settled = first(portfolio.settlements(), "settlements", SETTLEMENT)

    assert settled.yes_count == Count(1_900)
    assert settled.no_count == Count(1_886)
    assert settled.result is MarketResult.SCALAR


def test_shard_that_no_row_names_is_known_to_be_a_default() -> None:
    bare = {name: value for name, value in SETTLEMENT.items() if name != "exchange_index"}

    settled = first(portfolio.settlements(), "settlements", SETTLEMENT)
    unnamed = first(portfolio.settlements(), "settlements", bare)
    filled = first(portfolio.fills(), "fills", OLD_FILL)
    placed = first(portfolio.fills(), "fills", {**OLD_FILL, "exchange_index": 0})

    assert (settled.shard, settled.shard_named) == (2, True)
    assert (unnamed.shard, unnamed.shard_named) == (0, False)
    assert not filled.shard_named
    assert placed.shard_named


def test_what_was_purchased_is_the_direction_of_an_old_sale() -> None:
    sale = {**OLD_FILL, "action": "sell", "side": "yes", "purchased_side": "no"}

    assert first(portfolio.fills(), "fills", sale).side is Side.NO


def test_settlement_without_its_event_is_read() -> None:
    bare = {name: value for name, value in SETTLEMENT.items() if name != "event_ticker"}

    assert first(portfolio.settlements(), "settlements", bare).event_ticker == ""


def test_settlement_belongs_to_the_subaccount_that_was_asked_for() -> None:
    call = portfolio.settlements(subaccount=Subaccount(7))

    assert first(call, "settlements", SETTLEMENT).subaccount == 7


def test_old_settlement_in_cents_has_the_same_meaning() -> None:
    row = {
        "event_ticker": "KXE",
        "fee_cost": "0.7300",
        "market_result": "yes",
        "no_count": 0,
        "no_total_cost": 0,
        "revenue": 3700,
        "settled_time": "2026-01-10T04:50:31.435826Z",
        "ticker": "KXE-1",
        "value": 100,
        "yes_count": 37,
        "yes_total_cost": 1850,
    }

    settled = first(portfolio.settlements(), "settlements", row)

    assert settled.yes_count == Count.of_contracts(37)
    assert settled.yes_cost == Money.of_cents(1_850)
    assert settled.value == Price.of_cents(100)


@pytest.mark.parametrize("value", [None, 4_559, -1])
def test_value_that_is_no_price_is_left_out_and_the_row_kept(value: int | None) -> None:
    row = {**SETTLEMENT, "value": value}

    assert first(portfolio.settlements(), "settlements", row).value is None


@pytest.mark.parametrize("word", ["void", "", "all_no"])
def test_unknown_result_is_quarantined_and_never_a_refund(word: str) -> None:
    row = {**SETTLEMENT, "market_result": word}

    assert "market_result" in reason(portfolio.settlements(), "settlements", row)


@pytest.mark.parametrize(
    "missing", ["revenue", "fee_cost", "no_count_fp", "yes_total_cost_dollars", "settled_time"]
)
def test_settlement_that_lacks_a_field_is_never_zero(missing: str) -> None:
    row = {name: value for name, value in SETTLEMENT.items() if name != missing}

    assert missing in reason(portfolio.settlements(), "settlements", row)


def test_negative_gross_count_is_unreadable() -> None:
    row = {**SETTLEMENT, "no_count_fp": "-1.00"}

    assert "gross" in reason(portfolio.settlements(), "settlements", row)


def test_six_field_settlement_is_unreadable_because_costs_are_unknown() -> None:
    row = {
        "market_ticker": "KXHIGHNYC-25MAY31-B78",
        "settled_price": 100,
        "profit_loss": 12.00,
        "settled_time": "2025-05-31T19:00:00Z",
        "no_count": 0,
        "yes_count": 3,
    }

    why = reason(portfolio.settlements(), "settlements", row)

    assert why.startswith("KXHIGHNYC-25MAY31-B78")
    assert "neither costs nor fees" in why


ORDER: Mapping[str, Any] = {
    "order_id": "o1",
    "user_id": "u1",
    "client_order_id": "mine",
    "ticker": "KXA-1",
    "side": "yes",
    "action": "sell",
    "outcome_side": "no",
    "book_side": "ask",
    "type": "limit",
    "status": "canceled",
    "yes_price_dollars": "0.4700",
    "no_price_dollars": "0.5300",
    "fill_count_fp": "1.50",
    "remaining_count_fp": "0.00",
    "initial_count_fp": "4.00",
    "taker_fill_cost_dollars": "0.705000",
    "maker_fill_cost_dollars": "0.000000",
    "taker_fees_dollars": "0.017500",
    "maker_fees_dollars": "0.000000",
    "expiration_time": None,
    "created_time": "2026-06-11T06:29:20.866753Z",
    "last_update_time": "2026-06-11T06:29:30Z",
    "subaccount_number": 0,
    "exchange_index": 1,
}


def test_canceled_order_keeps_its_partial_fill() -> None:
    order = first(portfolio.orders(), "orders", ORDER)

    assert order.status is OrderStatus.CANCELED
    assert order.fill_count == Count(150)
    assert order.initial_count == Count(400)
    assert order.side is Side.NO
    assert order.updated_at == parse_instant("2026-06-11T06:29:30Z")


def test_order_without_outcome_side_follows_action_and_side() -> None:
    row = {
        name: value for name, value in ORDER.items() if name not in {"outcome_side", "book_side"}
    }

    assert first(portfolio.orders(), "orders", row).side is Side.NO
    assert first(portfolio.orders(), "orders", {**row, "side": "no"}).side is Side.YES


def test_old_order_in_cents_has_the_same_meaning() -> None:
    row = {
        "action": "buy",
        "client_order_id": "",
        "created_time": "2026-01-10T16:11:11.109554Z",
        "fill_count": 32,
        "initial_count": 32,
        "maker_fill_cost": 0,
        "maker_fill_cost_dollars": "0.0000",
        "no_price": 40,
        "order_id": "6e44",
        "queue_position": 0,
        "remaining_count": 0,
        "side": "yes",
        "status": "executed",
        "taker_fees": 57,
        "taker_fill_cost": 1_920,
        "taker_fill_cost_dollars": "19.2000",
        "ticker": "KXEXAMPLE-9",
    }

    order = first(portfolio.orders(), "orders", row)

    assert order.price == Price.parse("0.60")
    assert order.taker_fees == Money.parse("0.57")
    assert order.maker_fees == Money(0)
    assert order.taker_fill_cost == Money.parse("19.20")
    assert order.updated_at == order.created_at


def test_oldest_order_adds_its_maker_and_taker_fills() -> None:
    row = {
        "action": "buy",
        "created_time": "2025-03-10T16:11:11Z",
        "maker_fill_count": 2,
        "taker_fill_count": 3,
        "place_count": 9,
        "remaining_count": 4,
        "order_id": "6e44",
        "side": "no",
        "status": "resting",
        "ticker": "KXEXAMPLE-9",
        "yes_price": 60,
    }

    order = first(portfolio.orders(), "orders", row)

    assert order.fill_count == Count.of_contracts(5)
    assert order.initial_count == Count.of_contracts(9)
    assert order.side is Side.NO


def test_present_order_without_fees_is_unreadable() -> None:
    row = {name: value for name, value in ORDER.items() if name != "taker_fees_dollars"}

    assert "fees" in reason(portfolio.orders(), "orders", row)


def test_unknown_order_status_is_unreadable() -> None:
    assert "pending" in reason(portfolio.orders(), "orders", {**ORDER, "status": "pending"})


def test_position_keeps_its_sign_and_fraction() -> None:
    row = {
        "ticker": "KXMVE-1",
        "exchange_index": 1,
        "position_fp": "-3.19",
        "market_exposure_dollars": "0.210540",
        "realized_pnl_dollars": "-0.710000",
        "fees_paid_dollars": "0.030000",
        "total_traded_dollars": "1.710000",
        "last_updated_ts": "2026-05-08T00:27:34.379853Z",
        "resting_orders_count": 0,
    }

    stated = first(portfolio.positions(subaccount=Subaccount(2)), "market_positions", row)

    assert stated.net == Count(-319)
    assert stated.exposure == Money(210_540)
    assert stated.realized == Money.parse("-0.71")
    assert stated.subaccount == 2


def test_old_position_in_cents_has_the_same_meaning() -> None:
    row = {
        "ticker": "KXA-1",
        "position": -32,
        "market_exposure": 1_280,
        "realized_pnl": -5,
        "fees_paid": 57,
        "total_traded": 4_361,
        "last_updated_ts": "2026-01-10T16:11:11.109894Z",
    }

    stated = first(portfolio.positions(), "market_positions", row)

    assert stated.net == Count.of_contracts(-32)
    assert stated.exposure == Money.parse("12.80")
    assert stated.realized == Money.parse("-0.05")


def test_position_without_a_figure_is_unreadable() -> None:
    row = {"ticker": "KXA-1", "position_fp": "1.00", "last_updated_ts": "2026-01-10T16:11:11Z"}

    assert "market_exposure" in reason(portfolio.positions(), "market_positions", row)


def test_balance_in_dollars_is_exact_and_stated_per_shard() -> None:
    body = (
        b'{"balance":9801,"balance_breakdown":[{"balance":"90.0000","exchange_index":0},'
        b'{"balance":"8.0186","exchange_index":2}],"balance_dollars":"98.0186",'
        b'"portfolio_value":198,"updated_ts":1781159348}'
    )

    stated = portfolio.balance().decode(body).statements(from_seconds(1781159350), Subaccount(1))

    assert [(each.low, each.high, each.shard) for each in stated] == [
        (Money.parse("98.0186"), Money.parse("98.0186"), None),
        (Money.parse("90"), Money.parse("90"), Shard(0)),
        (Money.parse("8.0186"), Money.parse("8.0186"), Shard(2)),
    ]
    assert stated[0].portfolio_value == Money.parse("1.98")
    assert {each.subaccount for each in stated} == {1}
    assert {each.at for each in stated} == {from_seconds(1781159348)}


def test_balance_in_cents_is_an_interval() -> None:
    body = b'{"balance":2573,"portfolio_value":0,"updated_ts":1778198004}'

    (stated,) = portfolio.balance().decode(body).statements(from_seconds(1778198005), None)

    assert (stated.low, stated.high) == (Money.parse("25.73"), Money.parse("25.739999"))


def test_balance_of_one_shard_is_not_stated_twice() -> None:
    body = (
        b'{"balance":801,"balance_breakdown":[{"balance":"8.0186","exchange_index":2}],'
        b'"balance_dollars":"8.0186","portfolio_value":0,"updated_ts":1781159348}'
    )

    (stated,) = portfolio.balance(shard=Shard(2)).decode(body).statements(from_seconds(1), None)

    assert stated.shard == 2


def test_deposit_adds_and_withdrawal_takes() -> None:
    row = {
        "id": "d1",
        "status": "applied",
        "type": "ach",
        "amount_cents": 10_050,
        "fee_cents": 25,
        "created_ts": 1781150000,
        "finalized_ts": 1781159348,
    }

    deposit = first(cash.deposits(), "deposits", row)
    withdrawal = first(cash.withdrawals(), "withdrawals", {**row, "finalized_ts": None})

    assert deposit.amount == Money.parse("100.50")
    assert deposit.fee == Money.parse("0.25")
    assert deposit.at == from_seconds(1781159348)
    assert withdrawal.amount == Money.parse("-100.50")
    assert withdrawal.fee == Money.parse("0.25")
    assert withdrawal.at == withdrawal.created_at == from_seconds(1781150000)
    assert withdrawal.status is BankingStatus.APPLIED


def test_signed_amount_of_a_deposit_is_unreadable() -> None:
    row = {
        "id": "d1",
        "status": "applied",
        "type": "ach",
        "amount_cents": -1,
        "fee_cents": 0,
        "created_ts": 1,
    }

    assert "below zero" in reason(cash.deposits(), "deposits", row)


def test_subaccount_transfer_is_complete_on_its_shard() -> None:
    row = {
        "transfer_id": "x",
        "from_subaccount": 0,
        "to_subaccount": 5,
        "amount_cents": 1_234,
        "created_ts": 1781150000,
        "exchange_index": 2,
    }

    moved = first(cash.subaccount_transfers(), "transfers", row)

    assert moved.amount == Money.parse("12.34")
    assert (moved.from_subaccount, moved.to_subaccount) == (0, 5)
    assert (moved.from_shard, moved.to_shard) == (2, 2)
    assert moved.status is TransferStatus.COMPLETE


SHARD_TRANSFER: Mapping[str, Any] = {
    "transfer_id": "x",
    "client_transfer_id": "mine",
    "source": "event_contract",
    "destination": "event_contract",
    "source_exchange_shard": 0,
    "destination_exchange_shard": 2,
    "amount": "12.3456",
    "status": "pending",
    "created_ts": 1781150000,
}


def test_shard_transfer_may_be_on_its_way() -> None:
    moved = first(cash.shard_transfers(), "transfers", SHARD_TRANSFER)
    single = cash.shard_transfer("x").decode(json.dumps({"transfer": SHARD_TRANSFER}).encode())

    assert moved == single
    assert moved.amount == Money.parse("12.3456")
    assert (moved.from_shard, moved.to_shard) == (0, 2)
    assert moved.status is TransferStatus.PENDING


def test_transfer_to_the_margined_exchange_is_reported() -> None:
    row = {**SHARD_TRANSFER, "destination": "margined"}

    assert "margined" in reason(cash.shard_transfers(), "transfers", row)
