"""Settlement reports of FIX for the ledger's tests, each with everything but the named part usual."""

from __future__ import annotations

from datetime import date

from trade_script import TICKER, at

from trueup.core.facts import Source
from trueup.core.ids import PRIMARY, Subaccount
from trueup.core.market import MarketResult
from trueup.core.observations import Recorded
from trueup.core.settlement import SettlementFee, SettlementReported
from trueup.core.units import Count, Money, Price

DAY = date(2026, 6, 1)


def report(
    clock: str,
    net: str,
    paid: str | None,
    *,
    result: str = "yes",
    value: str | None = "1",
    fee: str = "0",
    party: str = "P-1",
    day: date = DAY,
    version: int = 1,
    seen_at: str = "",
    subaccount: Subaccount | None = PRIMARY,
) -> Recorded:
    """A party was paid `paid` for `net` contracts (+ YES, − NO), as FIX told at `clock`."""
    held = Count.parse(net)
    stated = SettlementReported(
        ticker=TICKER,
        clearing_date=day,
        party=party,
        subaccount=subaccount,
        result=MarketResult(result),
        value=None if value is None else Price.parse(value),
        long=max(held, Count(0)),
        short=max(-held, Count(0)),
        payout=None if paid is None else Money.parse(paid),
        fees=(SettlementFee("4", Money.parse(fee)),),
        report_id="r-1",
        at=at(clock),
    )
    key = f"{day.isoformat()}/{TICKER}/{party}"
    return Recorded(90 + version, key, version, stated, Source.FIX, at(seen_at or clock))
