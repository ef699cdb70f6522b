"""One settlement, two witnesses: the REST row and the report of FIX.

A market pays once.  Whichever of the two comes first is booked; the other one then
confirms it and adds what only it knows: a report has the payout to the micro-dollar and
the settlement fee, where a row shows whole cents.  So a scalar payout by a row is
provisional until a report (or the market's own value) says it exactly, and what the
report adds is all that it books.

Where the two contradict each other the row is booked: it is the account's own record,
while a report may be of another party or unit than configured.  The reconciliation names
the difference.  A report that contradicts itself is booked by nobody.

A settlement of many parties comes in pages, and several parties may be one subaccount: on
a page that is missing there may be another one of them (the exchange's page *Market
settlement*: 893 marks the last page, 20106 says how many there are).  So a report of which
pages are missing never pays alone.  The missing page makes it whole and then it pays; a row
that comes first pays as ever; and without both, the result of the finalized market pays.
Beside a row it is a witness as far as it goes: where the position it tells of is the whole
of what the books held, and its payout fits the row, there is nothing more to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from operator import itemgetter
from typing import Final

from trueup.core.ids import PRIMARY, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketResult, is_settled
from trueup.core.observations import Recorded
from trueup.core.payoff import gross_units, yes_value
from trueup.core.settlement import EXACT_SINCE, SettlementPageReported, SettlementReported
from trueup.core.statements import MarketStated
from trueup.core.units import Money, Price
from trueup.ledger.bare import SETTLEMENT, BareReport, BareStep
from trueup.ledger.report_pages import whole_tellings

_CENT: Final = Money.of_cents(1).units


def join_reports(recorded: Iterable[Recorded]) -> BareReport | None:
    """What several parties of one subaccount were paid together; `None` without a report.

    `recorded` holds all versions of what was reported of its parties, and of the pages that
    came of its market.  Of each party its newest word counts: the last version under the
    last clearing date.  A sum to which a party does not say its part is not known.
    """
    newest: dict[str, tuple[date, int, SettlementReported]] = {}
    pages: dict[str, tuple[int, SettlementPageReported]] = {}
    for each in recorded:
        told = each.value
        if isinstance(told, SettlementPageReported):
            page = (each.version, told)
            pages[each.key] = max(page, pages.get(each.key, page), key=itemgetter(0))
        if isinstance(told, SettlementReported):
            place = (told.clearing_date, each.version, told)
            known = newest.get(told.party)
            if known is None or place[:2] >= known[:2]:
                newest[told.party] = place
    parties = [told for _, _, told in newest.values()]
    if not parties or parties[0].subaccount is None:
        return None
    first, day = parties[0], max(each.clearing_date for each in parties)
    nets = [each.net.units for each in parties if each.net is not None]
    paid = [each.payout.units for each in parties if each.payout is not None]
    values = [each.value.units for each in parties if each.value is not None]
    doubts = [doubt.value for each in parties if (doubt := each.doubt()) is not None]
    whole = whole_tellings(page for _, page in pages.values())
    return BareReport(
        at=min(each.at for each in parties),
        key=f"{day.isoformat()}/{first.ticker}",
        version=max(version for _, version, _ in newest.values()),
        subaccount=first.subaccount or PRIMARY,
        ticker=Ticker(first.ticker),
        result=max(each.result.value for each in parties),
        value=max(values, default=None),
        net=sum(nets) if len(nets) == len(parties) else None,
        paid=sum(paid) if len(paid) == len(parties) else None,
        fee=sum(each.fee.units for each in parties),
        doubt=max(doubts, default=""),
        is_whole=all((each.clearing_date, each.result, each.value) in whole for each in parties),
    )


def reported_value(report: BareReport) -> int | None:
    """What one YES contract paid by a report; `None` for a scalar result of unknown value."""
    stated = None if report.value is None else Price(report.value)
    value = yes_value(MarketResult(report.result), stated)
    return None if value is None else value.units


def can_pay(report: BareReport | None) -> bool:
    """Whether a payout can be booked from a report alone: it is whole, it does not contradict
    itself, and it says what was paid, or by which value.
    """
    if report is None or report.doubt or not report.is_whole:
        return False
    return report.paid is not None or reported_value(report) is not None


def agrees(report: BareReport, revenue: int, *, net: int) -> bool:
    """Whether report and row tell of the same payment: a row shows it cut to whole cents,
    and it is not known whether before or after a settlement fee.

    `net` is the position that the books held: of a report that is not whole, what is there
    must be all of it.
    """
    if report.doubt or report.paid is None or not (report.is_whole or report.net == net):
        return False
    return revenue in {each // _CENT * _CENT for each in (report.paid, report.paid + report.fee)}


def settlement_cut(report: BareReport, net: int, value: int | None) -> int:
    """What was kept of the gross payout, as the report says.

    Before `EXACT_SINCE` it stated no fee: then what is missing to a cent was cut off.
    """
    is_stated = report.fee or report.clearing_date >= EXACT_SINCE
    if is_stated or report.paid is None or value is None:
        return report.fee
    kept = gross_units(net, value) - report.paid
    return kept if 0 < kept < _CENT else 0


def paid_at(report: BareReport, market: MarketStated | None) -> Instant:
    """When a report's payment was made: when the market settled, else when it was reported."""
    if market is None or market.settled_at is None or not is_settled(market.status):
        return report.at
    return market.settled_at


def with_report(
    steps: Sequence[BareStep], report: BareReport | None, market: MarketStated | None
) -> list[BareStep | BareReport]:
    """The sorted steps, and among them the report where it has to pay: there is no row."""
    placed: list[BareStep | BareReport] = [*steps]
    if report is None or not can_pay(report) or any(step.kind == SETTLEMENT for step in steps):
        return placed
    at = paid_at(report, market)
    index = len(steps)
    while index and steps[index - 1].at > at:
        index -= 1
    placed.insert(index, report._replace(at=at))
    return placed
