"""A small invented account as the exchange would tell it, in the form of a recording.

A primary account and one subaccount, a market that paid and one that is open, by the
fee rules of May 2026 (balances then moved in whole cents).  Its cash, by hand:

    primary   100.00 − 12.00 − 20.00 − 4.00 − 0.17 − 1.50 − 0.08 + 10.00 = 72.25
    first      20.00 −  1.00 −  0.04 + 2.00                              = 20.96
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

Item = Mapping[str, object]

EVENT = "KXT-26MAY15"
PAID, OPEN = f"{EVENT}-A", f"{EVENT}-B"
SEEN = "2026-05-20T00:00:00Z"


class Trade(NamedTuple):
    """One order that was filled at once."""

    number: int
    ticker: str
    outcome: str
    contracts: str
    price: str
    fee: str

    @property
    def book_side(self) -> str:
        """The side of the YES book."""
        return "bid" if self.outcome == "yes" else "ask"

    @property
    def no_price(self) -> Decimal:
        """The price of a NO contract."""
        return 1 - Decimal(self.price)


def fill(trade: Trade) -> Item:
    """The fill, of the primary account."""
    return {
        "trade_id": f"trade-{trade.number}",
        "fill_id": f"trade-{trade.number}",
        "order_id": f"order-{trade.number}",
        "ticker": trade.ticker,
        "market_ticker": trade.ticker,
        "outcome_side": trade.outcome,
        "book_side": trade.book_side,
        "count_fp": trade.contracts,
        "yes_price_dollars": trade.price,
        "no_price_dollars": str(trade.no_price),
        "is_taker": True,
        "fee_cost": trade.fee,
        "created_time": f"2026-05-1{trade.number}T10:00:00.123456Z",
        "subaccount_number": 0,
        "exchange_index": 0,
    }


def order(trade: Trade) -> Item:
    """The order, of the primary account."""
    paid = Decimal(trade.price) if trade.outcome == "yes" else trade.no_price
    return {
        "order_id": f"order-{trade.number}",
        "client_order_id": f"mine-{trade.number}",
        "ticker": trade.ticker,
        "outcome_side": trade.outcome,
        "book_side": trade.book_side,
        "type": "limit",
        "status": "executed",
        "yes_price_dollars": trade.price,
        "initial_count_fp": trade.contracts,
        "fill_count_fp": trade.contracts,
        "remaining_count_fp": "0.00",
        "taker_fees_dollars": trade.fee,
        "maker_fees_dollars": "0.0000",
        "taker_fill_cost_dollars": f"{Decimal(trade.contracts) * paid:.4f}",
        "maker_fill_cost_dollars": "0.0000",
        "created_time": f"2026-05-1{trade.number}T10:00:00.100000Z",
        "last_update_time": f"2026-05-1{trade.number}T10:00:00.123456Z",
        "subaccount_number": 0,
        "exchange_index": 0,
    }


def settlement(counts: tuple[str, str], cost: str, fee: str, revenue: int) -> Item:
    """What the market that paid yes paid to one subaccount."""
    return {
        "ticker": PAID,
        "event_ticker": EVENT,
        "exchange_index": 0,
        "market_result": "yes",
        "yes_count_fp": counts[0],
        "yes_total_cost_dollars": cost,
        "no_count_fp": counts[1],
        "no_total_cost_dollars": "0.0000",
        "revenue": revenue,
        "settled_time": "2026-05-15T12:00:00Z",
        "fee_cost": fee,
        "value": 100,
    }


def market(ticker: str, **more: object) -> Item:
    """A market with a book of 60 to 62 cents."""
    return {
        "ticker": ticker,
        "event_ticker": EVENT,
        "title": f"Will {ticker} happen?",
        "status": "active",
        "result": "",
        "open_time": "2026-05-01T00:00:00Z",
        "close_time": "2026-06-30T00:00:00Z",
        "yes_bid_dollars": "0.6000",
        "yes_ask_dollars": "0.6200",
        "last_price_dollars": "0.6100",
        "volume_fp": "100.00",
        "volume_24h_fp": "10.00",
        "open_interest_fp": "50.00",
        "exchange_index": 0,
        "observed_at": SEEN,
        **more,
    }


_A = Trade(1, PAID, "yes", "10.00", "0.4000", "0.1700")
_B = Trade(2, OPEN, "no", "5.00", "0.7000", "0.0800")
_C = Trade(3, PAID, "yes", "2.00", "0.5000", "0.0400")
_FIRST: Item = {"subaccount_number": 1}

_BANKED: Item = {"status": "applied", "type": "ach", "created_ts": 1_777_680_000}

SMALL_ACCOUNT: Mapping[str, tuple[Item, ...]] = {
    "fills": (fill(_A), fill(_B), {**fill(_C), **_FIRST}),
    "orders": (order(_A), order(_B), {**order(_C), **_FIRST}),
    "settlements": (
        settlement(("10.00", "0.00"), "4.0000", "0.170000", 1000),
        {**settlement(("2.00", "0.00"), "1.0000", "0.040000", 200), **_FIRST},
    ),
    "deposits": ({"id": "in-1", "amount_cents": 10_000, "fee_cents": 0, **_BANKED},),
    "withdrawals": ({"id": "out-1", "amount_cents": 1000, "fee_cents": 200, **_BANKED},),
    "subaccount_transfers": (
        {
            "transfer_id": "move-1",
            "from_subaccount": 0,
            "to_subaccount": 1,
            "amount_cents": 2000,
            "created_ts": 1_777_680_001,
            "exchange_index": 0,
        },
    ),
    "shard_transfers": (),
    "positions": (
        {
            "ticker": OPEN,
            "exchange_index": 0,
            "position_fp": "-5.00",
            "market_exposure_dollars": "1.500000",
            "realized_pnl_dollars": "0.000000",
            "fees_paid_dollars": "0.080000",
            "total_traded_dollars": "1.500000",
            "last_updated_ts": "2026-05-12T10:00:00.123456Z",
        },
    ),
    "balances": (
        {
            "balance": 7225,
            "balance_dollars": "72.2500",
            "portfolio_value": 190,
            "updated_ts": 1_779_235_200,
        },
        {
            "balance": 2096,
            "balance_dollars": "20.9600",
            "portfolio_value": 0,
            "updated_ts": 1_779_235_200,
            **_FIRST,
        },
    ),
    "subaccount_balances": (
        {
            "subaccount_number": 0,
            "exchange_index": 0,
            "balance": "72.2500",
            "updated_ts": 1_779_235_200,
        },
        {
            "subaccount_number": 1,
            "exchange_index": 0,
            "balance": "20.9600",
            "updated_ts": 1_779_235_200,
        },
    ),
    "markets": (
        market(PAID, status="finalized", result="yes", settlement_ts="2026-05-15T12:00:00Z"),
        market(OPEN),
    ),
    "events": (
        {
            "event_ticker": EVENT,
            "series_ticker": "KXT",
            "title": "A test",
            "mutually_exclusive": False,
        },
    ),
    "series": (
        {
            "ticker": "KXT",
            "title": "Tests",
            "category": "Economics",
            "tags": None,
            "fee_type": "quadratic",
            "fee_multiplier": 1,
        },
    ),
}


def write_small_account(folder: Path, *, without: frozenset[str] = frozenset()) -> Path:
    """Write it, file by file; returns the folder."""
    for name, items in SMALL_ACCOUNT.items():
        if name not in without:
            write_items(folder / f"{name}.jsonl", *items)
    return folder


def write_items(path: Path, *items: Item) -> None:
    """Write one item per line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
