"""The settlement report: what a market paid, party by party.

There is no query for it: the reports stream on KalshiPT, and on KalshiRT and KalshiNR
with ReceiveSettlementReports (20127=Y).  A settlement of many parties comes in pages;
`trueup.wire.fix.settlement` joins them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from trueup.core.market import MarketResult
from trueup.core.units import Count, Price
from trueup.wire.fix import fields as f
from trueup.wire.fix.message import Block, Message, Required, Sender
from trueup.wire.fix.messages.orders import CollateralChange, Fee


class SettlementParty(Block, frozen=True, kw_only=True, gc=False):
    """What one account held and was paid.

    The one collateral change is the payout in dollars, *after* the settlement fee: the
    gross payout is both together.  The fee is the rounding of the settlement only, never
    a trading fee.
    """

    party_id: Annotated[str, f.MarketSettlementPartyID]
    role: Annotated[str, f.MarketSettlementPartyRole] = "24"
    long_quantity: Annotated[Count | None, f.LongQty] = None
    short_quantity: Annotated[Count | None, f.ShortQty] = None
    collateral_changes: Annotated[tuple[CollateralChange, ...], f.NoCollateralAmountChanges] = ()
    fees: Annotated[tuple[Fee, ...], f.NoMiscFees] = ()


class MarketSettlementReport(Message, frozen=True, kw_only=True, gc=False):
    """One page of a market's settlement.

    `report_id` differs on every page: pages belong together by `symbol` and
    `clearing_date`.  `settlement_price` is the YES price before fees, in cents whatever
    the session's unit; an example of the oldest page of documentation lacks it.
    """

    TYPE = "UMS"
    SENT_BY = Sender.EXCHANGE

    report_id: Annotated[str, f.MarketSettlementReportID]
    symbol: Annotated[str, f.Symbol]
    clearing_date: Annotated[date, f.ClearingBusinessDate]
    reports_in_all: Annotated[int | None, f.TotNumMarketSettlementReports] = None
    result: Annotated[MarketResult, f.MarketResult]
    settlement_price: Annotated[Price | None, f.SettlementPrice, Required()] = None
    is_last: Annotated[bool | None, f.LastFragment] = None
    parties: Annotated[tuple[SettlementParty, ...], f.NoMarketSettlementPartyIDs] = ()
