"""Settlement reports of FIX for the ledger's tests, each with everything but the named part usual."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from trade_script import TICKER, at

from trueup.core.facts import Source
from trueup.core.ids import PRIMARY, Subaccount
from trueup.core.market import MarketResult
from trueup.core.observations import Recorded
from trueup.core.settlement import SettlementFee, SettlementPageReported, SettlementReported
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


def page(
    number: int = 1,
    of: int | None = 1,
    *,
    session: str = "KalshiPT/key",
    like: Recorded | None = None,
    is_last: bool | None = None,
) -> Recorded:
    """A page of a report, which says what the report `like` says of the market."""
    told = None if like is None else like.value
    assert told is None or isinstance(told, SettlementReported)
    stated = SettlementPageReported(
        session=session,
        ticker=TICKER,
        clearing_date=DAY if told is None else told.clearing_date,
        report_id=f"r-{number}",
        announced=of,
        is_last=number == of if is_last is None else is_last,
        result=MarketResult.YES if told is None else told.result,
        value=Price.parse("1") if told is None else told.value,
        parties=1,
        at=at("13:00"),
        is_resent=False,
    )
    key = f"{session}/{stated.clearing_date}/{TICKER}/r-{number}/{stated.result}/{stated.value}"
    return Recorded(200 + number, key, 1, stated, Source.FIX, at("13:00"))


def whole(recorded: Iterable[Recorded]) -> list[Recorded]:
    """These facts, with the one page on which each way of telling the settlement came."""
    told = list(recorded)
    pages = [page(like=each) for each in told if isinstance(each.value, SettlementReported)]
    return [*told, *{each.key: each for each in pages}.values()]
