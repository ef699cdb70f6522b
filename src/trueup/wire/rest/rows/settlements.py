"""Settlement rows: ``/portfolio/settlements``."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from trueup.core.errors import FinerThanUnit, NotANumber, ProtocolBroken
from trueup.core.facts import Settled
from trueup.core.ids import EventTicker, Shard, Subaccount, Ticker
from trueup.core.market import MarketResult
from trueup.core.quick import quickly
from trueup.core.units import Count, Money, Price
from trueup.wire import values
from trueup.wire.rest.call import Page
from trueup.wire.rest.reading import Answer, RecordDecoder, bulk_of, field_names, page_of
from trueup.wire.values import Number

KNOWN: Final = field_names(
    """
    ticker exchange_index event_ticker market_result yes_count_fp yes_total_cost_dollars
    no_count_fp no_total_cost_dollars revenue settled_time fee_cost value
    yes_count yes_total_cost no_count no_total_cost
    market_ticker settled_price profit_loss
    """
)
"""The second group is of before March 2026, the third of the row described in
`MINIMAL_ROW`."""

RESULTS: Final = {result.value: result for result in MarketResult}

MINIMAL_ROW: Final = (
    "a settlement row of market_ticker, settled_price and profit_loss only: it states neither"
    " costs nor fees, so nothing that could be booked can be made of it"
)
"""Some accounts of the exchange describe settlement rows of six fields (the
ticker, the two counts, a price of 0 or 100, the time and a net profit in
dollars).  Cost and trade fee are there only as one sum, so a faithful
`Settled` cannot be formed and such a row is reported as unreadable."""


class SettlementRecord(msgspec.Struct, gc=False):
    """The fields of a settlement that are read, in all forms."""

    ticker: str | None = None
    event_ticker: str | None = None
    market_result: str | None = None
    settled_time: str | None = None
    yes_count_fp: Number | None = None
    no_count_fp: Number | None = None
    yes_count: Number | None = None
    no_count: Number | None = None
    yes_total_cost_dollars: Number | None = None
    no_total_cost_dollars: Number | None = None
    yes_total_cost: Number | None = None
    no_total_cost: Number | None = None
    revenue: Number | None = None
    fee_cost: Number | None = None
    value: Number | None = None
    exchange_index: int | None = None
    market_ticker: str | None = None
    settled_price: Number | None = None


_decode: Final = RecordDecoder(SettlementRecord)
_settled: Final = quickly(Settled)


def read_settlement(raw: bytes, asked: Subaccount | None = None) -> Settled:
    """One settlement row.

    Rows do not name their subaccount: it is the one `asked` for, or the primary
    account where all were asked for at once (then rows of different subaccounts
    cannot be told apart).  Counts and costs are of the gross contracts bought.
    Rows of before 2025 name no event; it is empty then.
    """
    return settlement_of(_decode(raw), asked)


def settlements_page(asked: Subaccount | None) -> Answer[Page[Settled]]:
    """How a page of settlements is read; for `asked` see `read_settlement`."""
    return page_of(
        "settlements",
        lambda raw: read_settlement(raw, asked),
        KNOWN,
        read_all=bulk_of("settlements", SettlementRecord, lambda row: settlement_of(row, asked)),
    )


def settlement_of(row: SettlementRecord, asked: Subaccount | None = None) -> Settled:
    """One decoded settlement row; see `read_settlement`."""
    if row.ticker is None and row.market_ticker is not None:
        raise ProtocolBroken(f"{row.market_ticker}: {MINIMAL_ROW}")
    return _settled(
        ticker=Ticker(_needed(row.ticker, "ticker")),
        event_ticker=EventTicker(row.event_ticker or ""),
        result=values.word(RESULTS, _needed(row.market_result, "market_result"), "market_result"),
        yes_count=_count(row.yes_count_fp, row.yes_count, "yes_count_fp"),
        no_count=_count(row.no_count_fp, row.no_count, "no_count_fp"),
        yes_cost=_cost(row.yes_total_cost_dollars, row.yes_total_cost, "yes_total_cost_dollars"),
        no_cost=_cost(row.no_total_cost_dollars, row.no_total_cost, "no_total_cost_dollars"),
        revenue=values.exact_cents(_needed(row.revenue, "revenue")),
        trade_fees=values.dollars(_needed(row.fee_cost, "fee_cost")),
        value=_value(row.value),
        at=values.instant(_needed(row.settled_time, "settled_time")),
        subaccount=Subaccount(asked or 0),
        shard=Shard(row.exchange_index or 0),
        shard_named=row.exchange_index is not None,
    )


def _count(present: Number | None, old: Number | None, field: str) -> Count:
    count = values.count(_needed(old if present is None else present, field))
    if count.units < 0:
        raise NotANumber(f"{field} {count} is below zero, but both sides are counted gross")
    return count


def _cost(dollars: Number | None, cents: Number | None, field: str) -> Money:
    if dollars is not None:
        return values.dollars(dollars)
    return values.exact_cents(_needed(cents, field))


@lru_cache(maxsize=1024)
def _value(cents: Number | None) -> Price | None:
    """What one YES contract paid, in whole cents.

    The figure is advice only (its meaning on scalar markets is disputed), so
    one that is no price of a contract at all is left out instead of costing
    the row; the raw payload keeps it.
    """
    if cents is None:
        return None
    try:
        return values.price_of_cents(cents)
    except (NotANumber, FinerThanUnit):
        return None


def _needed(value: values.T | None, field: str) -> values.T:
    if value is None:
        raise ProtocolBroken(f"a settlement without {field}")
    return value
