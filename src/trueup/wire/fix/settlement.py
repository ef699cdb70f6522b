"""Settlement reports: pages to parties and back, and when a settlement is complete.

A settlement of many parties comes in pages.  Each page has a report id of its own, so
pages belong together by market and clearing date; LastFragment (893) marks the last one
and TotNumMarketSettlementReports (20106) says how many there are.  Another session, or
another key, gets pages of its own: what is complete is so on one session.  `SettlementPages`
hands on every page's parties at once and keeps only counts: a batch of a million parties
needs no more memory than one of two.

What 1704 is written in has changed: the oldest documentation shows cents, the present one
dollars.  A report does not say which, so it is a setting (`PayoutUnit`); a wrong one shows
as `SettlementReported.doubt`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from trueup.core.errors import CallerError, ProtocolBroken
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketResult
from trueup.core.settlement import (
    ANYBODY,
    PayoutUnit,
    SettlementFee,
    SettlementPageReported,
    SettlementReported,
)
from trueup.core.units import Money, Price
from trueup.wire.fix.frame import SOH
from trueup.wire.fix.messages.orders import CollateralChange, Fee
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.messages.settlement import MarketSettlementReport, SettlementParty
from trueup.wire.fix.words import CollateralType

_CENTS_PER_DOLLAR: Final = 100
_UNKNOWN: Final = Instant(0)
_PARTY: Final = f"{SOH}20109=".encode()


class Completeness(StrEnum):
    """How much of a settlement is there."""

    OPEN = "open"
    """Pages are missing, or it was not said which is the last."""

    COMPLETE = "complete"
    """The last page and as many as announced were seen."""

    CONTRADICTED = "contradicted"
    """Pages of one settlement disagree, or there are more than announced."""


@dataclass(slots=True)
class SettlementBatch:
    """What is known about one settlement: counts, not parties."""

    result: MarketResult
    value: Price | None
    announced: int | None = None
    parties: int = 0
    has_last: bool = False
    contradictions: list[str] = field(default_factory=list[str])
    report_ids: set[str] = field(default_factory=set[str])

    @property
    def completeness(self) -> Completeness:
        """Whether all pages are there."""
        pages = len(self.report_ids)
        if self.contradictions or (self.announced is not None and pages > self.announced):
            return Completeness.CONTRADICTED
        enough = self.announced is None or pages == self.announced
        return Completeness.COMPLETE if self.has_last and enough else Completeness.OPEN


@dataclass(frozen=True, slots=True)
class PageTaken:
    """What one page brought.  A page that was seen before brings nothing new."""

    parties: tuple[SettlementReported, ...]
    is_repeated: bool
    batch: SettlementBatch


class SettlementPages:
    """Joins the pages of settlements, on each session apart.

    `subaccounts` maps parties to subaccounts: a party that is not there is handed on
    without one.  A party that two sessions tell of is handed on twice.
    """

    def __init__(
        self, subaccounts: Mapping[str, Subaccount], *, unit: PayoutUnit = PayoutUnit.DOLLARS
    ) -> None:
        self._subaccounts = subaccounts
        self._unit = unit
        self._batches: dict[tuple[str, date, str], SettlementBatch] = {}

    def take(
        self, page: MarketSettlementReport, *, session: str = "", at: Instant = _UNKNOWN
    ) -> PageTaken:
        """One page of a session, sent at `at`.  Raises `ProtocolBroken` when a party cannot be
        read for certain.
        """
        key = page.symbol, page.clearing_date, session
        batch = self._batches.get(key)
        if batch is not None and page.report_id in batch.report_ids:
            return PageTaken((), is_repeated=True, batch=batch)
        parties = read_parties(page, self._subaccounts, unit=self._unit, at=at)
        if batch is None:
            batch = self._batches[key] = SettlementBatch(page.result, page.settlement_price)
        _compare(batch, page)
        batch.report_ids.add(page.report_id)
        batch.parties += len(parties)
        batch.announced = page.reports_in_all or batch.announced
        batch.has_last = batch.has_last or bool(page.is_last)
        return PageTaken(parties, is_repeated=False, batch=batch)

    def open(self) -> Iterator[tuple[Ticker, date, SettlementBatch]]:
        """What came of the settlements that are complete on no session, in the order in which
        they began.
        """
        whole = {
            key[:2]
            for key, batch in self._batches.items()
            if batch.completeness is Completeness.COMPLETE
        }
        for (symbol, day, _), batch in self._batches.items():
            if (symbol, day) not in whole:
                yield Ticker(symbol), day, batch


def _compare(batch: SettlementBatch, page: MarketSettlementReport) -> None:
    if page.result is not batch.result or page.settlement_price != batch.value:
        batch.contradictions.append(
            f"page {page.report_id} says {page.result} at {page.settlement_price}, "
            f"the first said {batch.result} at {batch.value}"
        )
    if batch.announced is not None and page.reports_in_all not in {None, batch.announced}:
        batch.contradictions.append(
            f"page {page.report_id} announces {page.reports_in_all} pages, "
            f"an earlier one {batch.announced}"
        )
    if page.is_last and batch.has_last:
        batch.contradictions.append(f"page {page.report_id} is the second to be the last")


def read_page(
    page: MarketSettlementReport, header: Header
) -> tuple[SettlementPageReported, tuple[SettlementReported, ...]]:
    """A page and its parties as the exchange stated them: of no subaccount yet, and with
    payouts in whatever unit (`trueup.core.settlement.ReportTerms` reads them).

    Raises `ProtocolBroken` when a party cannot be read for certain.
    """
    at = sent_at(header)
    stated = SettlementPageReported(
        session=session_of(header),
        ticker=Ticker(page.symbol),
        clearing_date=page.clearing_date,
        report_id=page.report_id,
        announced=page.reports_in_all,
        is_last=bool(page.is_last),
        result=page.result,
        value=page.settlement_price,
        parties=len(page.parties),
        at=at,
        is_resent=header.is_possible_duplicate is True,
    )
    return stated, read_parties(page, {}, at=at)


def session_of(header: Header) -> str:
    """The session and the key that a page came to."""
    return f"{header.sender}/{header.target}"


def sent_at(header: Header) -> Instant:
    """When a page was sent first."""
    return header.original_sending_time or header.sending_time


def party_bytes(raw: bytes, parties: int) -> tuple[bytes, list[bytes]]:
    """The bytes of a page in front of its parties, and those of each party.

    Joined by SOH they are the page again.  Where the bytes do not tell of as many parties,
    all of them stand in front.
    """
    front, *groups = raw.split(_PARTY)
    if len(groups) != parties:
        return raw, [b""] * parties
    return front, [_PARTY[1:] + group for group in groups]


def read_parties(
    page: MarketSettlementReport,
    subaccounts: Mapping[str, Subaccount],
    *,
    unit: PayoutUnit = PayoutUnit.DOLLARS,
    at: Instant = _UNKNOWN,
) -> tuple[SettlementReported, ...]:
    """The parties of one page as core knows them."""
    return tuple(
        SettlementReported(
            ticker=Ticker(page.symbol),
            clearing_date=page.clearing_date,
            party=party.party_id,
            subaccount=subaccounts.get(party.party_id, subaccounts.get(ANYBODY)),
            result=page.result,
            value=page.settlement_price,
            long=party.long_quantity,
            short=party.short_quantity,
            payout=_payout(page, party, unit),
            fees=_fees(page, party),
            report_id=page.report_id,
            at=at,
        )
        for party in page.parties
    )


def _payout(page: MarketSettlementReport, party: SettlementParty, unit: PayoutUnit) -> Money | None:
    """What was credited: the one collateral change that is called PAYOUT (1705).

    The exchange's page *Market settlement* promises one change, the payout, and shows it as
    PAYOUT; the oldest example calls the same a change of BALANCE.  So a PAYOUT counts, and
    what stands beside it stays in the party's own bytes as evidence; without one, a change
    of the balance is the payout.  Of two of one kind nobody can say which was paid.
    """
    changes = party.collateral_changes
    payouts = [each for each in changes if each.kind is CollateralType.PAYOUT] or changes
    if not payouts:
        return None
    first, *others = payouts
    if others:
        raise ProtocolBroken(
            f"{page.symbol}: party {party.party_id} has {len(payouts)} collateral changes, "
            "of which one should be the payout",
            evidence=page.report_id,
        )
    stated = first.amount
    if unit is PayoutUnit.DOLLARS:
        return stated
    if stated.units % _CENTS_PER_DOLLAR:
        raise ProtocolBroken(
            f"{page.symbol}: a payout of {stated} cents is finer than $0.000001",
            evidence=page.report_id,
        )
    return Money(stated.units // _CENTS_PER_DOLLAR)


def _fees(page: MarketSettlementReport, party: SettlementParty) -> tuple[SettlementFee, ...]:
    for fee in party.fees:
        if fee.currency != "USD":
            raise ProtocolBroken(
                f"{page.symbol}: a settlement fee in {fee.currency}, not USD",
                evidence=page.report_id,
            )
    return tuple(SettlementFee(fee.kind, fee.amount) for fee in party.fees)


def write_pages(
    parties: Sequence[SettlementReported],
    *,
    report_ids: Sequence[str],
    page_size: int,
    unit: PayoutUnit = PayoutUnit.DOLLARS,
) -> list[MarketSettlementReport]:
    """The pages of one settlement, as the exchange sends them.

    `report_ids` names each page.  Raises `CallerError` when there are not enough of them
    or when the parties belong to more than one settlement.
    """
    if len({(each.ticker, each.clearing_date, each.result, each.value) for each in parties}) != 1:
        raise CallerError("pages are written for the parties of exactly one settlement")
    pages = [parties[start : start + page_size] for start in range(0, len(parties), page_size)]
    if len(report_ids) < len(pages):
        raise CallerError(f"{len(pages)} pages need as many report ids, got {len(report_ids)}")
    first = next(iter(parties))
    return [
        MarketSettlementReport(
            report_id=report_id,
            symbol=first.ticker,
            clearing_date=first.clearing_date,
            reports_in_all=len(pages),
            result=first.result,
            settlement_price=first.value,
            is_last=number == len(pages),
            parties=tuple(_party(each, unit) for each in page),
        )
        for number, (page, report_id) in enumerate(zip(pages, report_ids, strict=False), start=1)
    ]


def _party(reported: SettlementReported, unit: PayoutUnit) -> SettlementParty:
    payout = reported.payout
    if payout is not None and unit is PayoutUnit.CENTS:
        payout = Money(payout.units * _CENTS_PER_DOLLAR)
    return SettlementParty(
        party_id=reported.party,
        long_quantity=reported.long,
        short_quantity=reported.short,
        collateral_changes=()
        if payout is None
        else (CollateralChange(amount=payout, kind=CollateralType.PAYOUT),),
        fees=tuple(Fee(kind=fee.kind, amount=fee.amount) for fee in reported.fees),
    )
