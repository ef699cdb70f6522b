"""Settlement reports of FIX × settlement rows of REST × the books.

Both tell of one event, so every field that both have must be equal; where one is not, a
break names the likeliest cause.  What only one of them has told is at first only late
(`LAG`), and says so as `timing`; afterwards it is missing.  Nothing is judged that the
other side had no chance to say: rows by a listing that was read to its end later, reports
by a session that was listened to at that time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from trueup.core.facts import Filled, Settled, Stream
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import MINUTE, Instant, format_age, format_instant
from trueup.core.settlement import EXACT_SINCE
from trueup.core.statements import MarketStated
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.ledger.bare import BareReport
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity
from trueup.ledger.coverage import Coverage, Span
from trueup.ledger.entries import MarketBook
from trueup.ledger.outcomes import final_value
from trueup.ledger.report_pages import (
    LAG,
    ReportPages,
    Stranger,
    check_pages,
    check_strangers,
)
from trueup.ledger.witnesses import agrees, reported_value

NEAR_THE_END: Final = 10 * MINUTE
"""A trade so shortly before a market closed may miss the position that was settled."""

_CENT: Final = Money.of_cents(1).units

Subject = tuple[Subaccount, Ticker]


def _nothing() -> Iterable[Filled]:
    return ()


def _no_fills(ticker: Ticker) -> Sequence[Filled]:
    del ticker
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FixEvidence:
    """Everything that FIX told, and when it was listened to.

    `heard` are the times for which nothing that FIX reported of settlements was missed,
    `heard_fills` the same for executions.  `coverage` is what REST has proven complete.
    `fills_of` gives a market's fills, `only_by_fix` the fills that FIX alone told, and
    `never_by_fix` those that all but FIX told, of orders of which FIX has told others.
    """

    reports: Iterable[BareReport] = ()
    pages: Iterable[ReportPages] = ()
    strangers: Iterable[Stranger] = ()
    heard: Sequence[Span] = ()
    heard_fills: Sequence[Span] = ()
    coverage: Coverage = field(default_factory=Coverage)
    fills_of: Callable[[Ticker], Sequence[Filled]] = _no_fills
    only_by_fix: Callable[[], Iterable[Filled]] = _nothing
    never_by_fix: Callable[[], Iterable[Filled]] = _nothing


def check_reports(
    evidence: FixEvidence,
    books: Iterable[MarketBook],
    rows: Iterable[Settled],
    markets: Mapping[Ticker, MarketStated],
    *,
    now: Instant,
) -> Iterator[Break]:
    """Compare every report with the row and the book of the same settlement.

    `rows` and `markets` are the latest versions and statements.
    """
    reports = {report.subject: report for report in evidence.reports}
    listed: dict[Subject, Settled] = {(row.subaccount, row.ticker): row for row in rows}
    nets: dict[Ticker, list[tuple[Subaccount, int]]] = {}
    waiting: list[tuple[BareReport, MarketBook]] = []
    reported = {ticker for _, ticker in reports}
    for book in books if reports else ():
        report = reports.get((book.subaccount, book.ticker))
        if report is not None:
            waiting.append((report, book))
        if book.ticker in reported and book.settled:
            nets.setdefault(book.ticker, []).append((book.subaccount, book.net_at_settlement.units))
    for report, book in waiting:
        row = listed.get(report.subject)
        case = _Case(evidence, report, book, row, markets.get(report.ticker), now)
        yield from case.breaks(nets.get(report.ticker, ()))
    yield from _rows_alone(evidence, reports, listed.values(), now=now)
    yield from check_pages(evidence.pages, now=now)
    yield from check_strangers(evidence.strangers)
    yield from check_one_sided(evidence, now=now)


def compare_report(
    evidence: FixEvidence,
    report: BareReport,
    book: MarketBook,
    *,
    row: Settled | None,
    market: MarketStated | None,
    now: Instant,
) -> Iterator[Break]:
    """Everything in which one report differs from the row and the book of its settlement."""
    return _Case(evidence, report, book, row, market, now).breaks(())


@dataclass(frozen=True, slots=True)
class _Case:
    """One report beside the book, the row and the market of the same settlement."""

    evidence: FixEvidence
    report: BareReport
    book: MarketBook
    row: Settled | None
    market: MarketStated | None
    now: Instant

    def breaks(self, nets: Iterable[tuple[Subaccount, int]]) -> Iterator[Break]:
        """Everything in which they differ."""
        cause, reported = "", self.report.net
        # Where pages are missing so may be parties: sums are judged when all are there.
        if self.report.is_whole and reported is not None and reported != self._held.units:
            cause = self._cause(reported, nets)
            yield self._position(reported, cause)
        yield from self._outcome()
        yield from self._payout(cause)
        if self.row is None:
            yield from self._without_row()

    def _position(self, reported: int, cause: str) -> Break:
        held, net = self._held, Count(reported)
        told = [f"likely cause: {cause}"]
        if self.row is not None:
            told.append(f"the settlement row's net position is {_net(self.row)}")
        if not self._knows_fills:
            summary = f"FIX settled {net}, the books held {held}; their fills are not there yet"
            return self._timing("position", summary)
        return self._break(
            BreakKind.POSITION_DIFFERS,
            "position",
            severity=Severity.RED,
            summary=f"FIX settled a position of {net}, the books held {held}: {cause}",
            told=told,
            remedy="Run `trueup backfill --full`; then look at the cause that is named.",
        )

    @property
    def _held(self) -> Count:
        """The books' position at settlement, or now where nothing has paid yet."""
        return self.book.net_at_settlement if self.book.settled else self.book.position.net

    @property
    def _knows_fills(self) -> bool:
        """Whether the fills up to the settlement were asked for since."""
        at = self.report.at
        return self.evidence.coverage.covers(Stream.FILLS, self.report.subaccount, at)

    def _cause(self, reported: int, nets: Iterable[tuple[Subaccount, int]]) -> str:
        """Why two positions differ, by what fits best."""
        held = self._held.units
        if held and reported == -held:
            return "wrong tracking, YES and NO are taken for each other"
        others = [owner for owner, net in nets if net == reported and owner != self.book.subaccount]
        if others and reported:
            return (
                f"wrong tracking, subaccount {others[0]} held exactly this: "
                "check the party in fix_parties"
            )
        late = self._late()
        if late and held - sum(_signed(fill) for fill in late) == reported:
            last = late[-1]
            return (
                f"a late trade near expiration, fill {last.trade_id} at {format_instant(last.at)} "
                "is in the books and not in the report"
            )
        missing = Count(reported - held)
        if self.row is not None and _net(self.row).units == reported:
            return f"a missed execution report, REST's row agrees with FIX: {missing} are missing"
        if self.row is not None and _net(self.row) == self._held:
            return "REST's row agrees with the books: the report is another party's, or wrong"
        near = ", or a late trade near expiration" if self._ends_near() else ""
        return f"a missed execution report of {missing}{near}"

    def _late(self) -> list[Filled]:
        """Our trades of the last minutes before the market closed, and after."""
        closed = self._closed_at()
        return [
            fill
            for fill in self.evidence.fills_of(self.report.ticker)
            if fill.subaccount == self.report.subaccount and fill.at >= closed - NEAR_THE_END
        ]

    def _ends_near(self) -> bool:
        return self.book.last_at >= self._closed_at() - NEAR_THE_END

    def _closed_at(self) -> Instant:
        closed = None if self.market is None else self.market.close_at
        return min(self.report.at, closed or self.report.at)

    def _outcome(self) -> Iterator[Break]:
        """Result and value: those of the row, and of the market."""
        report, market = self.report, self.market
        for name, result in (
            ("settlement row", None if self.row is None else self.row.result),
            ("market", None if market is None else market.result),
        ):
            if result is not None and result.value != report.result:
                yield self._break(
                    BreakKind.PAYOUT_DIFFERS,
                    f"result of the {name}",
                    severity=Severity.RED,
                    summary=f"FIX says {report.result}, the {name} says {result}",
                )
        value = reported_value(report)
        stated = None if market is None else market.settlement_value
        agree = market is None or market.result is None or market.result.value == report.result
        if value is not None and stated is not None and agree and stated.units != value:
            is_cut = report.clearing_date < EXACT_SINCE and abs(stated.units - value) < _CENT_PRICE
            if not is_cut:
                yield self._break(
                    BreakKind.PAYOUT_DIFFERS,
                    "value",
                    severity=Severity.AMBER,
                    summary=f"FIX says that YES paid {Price(value)}, the market says {stated}",
                )

    def _payout(self, cause: str) -> Iterator[Break]:
        report, book = self.report, self.book
        if report.doubt:
            yield self._break(
                BreakKind.PAYOUT_DIFFERS,
                "report contradicts itself",
                severity=Severity.RED if self.row is None else Severity.AMBER,
                summary=f"the settlement report contradicts itself: {report.doubt}",
                remedy="Nothing was booked from it. Where payouts are cents, set "
                'fix_payouts = "cents" in config.toml.',
            )
            return
        if report.paid is None or not book.settled:
            return
        held = self._held.units
        if self.row is not None and agrees(report, self.row.revenue.units, net=held):
            yield from self._fee()
            return
        if not report.is_whole:
            return
        amount = Money(report.paid) - book.payout
        if not amount:
            yield from self._fee()
            return
        against = "the books booked" if self.row is None else "REST's row says"
        other = book.payout if self.row is None else self.row.revenue
        why = cause or self._payout_cause(report.paid)
        yield self._break(
            BreakKind.PAYOUT_DIFFERS,
            "payout",
            severity=Severity.RED,
            amount=amount,
            summary=f"FIX says that {Money(report.paid)} was paid, {against} {other}: {why}",
            told=(f"settlement fee by FIX: {Money(report.fee)}",),
        )

    def _payout_cause(self, paid: int) -> str:
        """Why two payouts of one position differ."""
        row = self.row
        if row is not None and row.result.value != self.report.result:
            return "the results differ"
        if row is not None and abs(row.revenue.units - paid) <= abs(self.report.fee) + _CENT:
            return "a settlement fee that only one of the two has taken off"
        return "the two sides settled other positions, or one was revised"

    def _fee(self) -> Iterator[Break]:
        """The fee of the report beside what the books put aside."""
        fee, booked = Money(self.report.fee), self.book.settlement_fees
        if fee and fee != booked:
            yield self._break(
                BreakKind.FEE_DIFFERS,
                "settlement fee",
                severity=Severity.AMBER,
                amount=booked - fee,
                summary=f"settlement fee: FIX says {fee}, the books put {booked} aside",
            )

    def _without_row(self) -> Iterator[Break]:
        """FIX told it, REST has not.  What is not known is not nothing."""
        report = self.report
        if report.net == 0 and not report.paid:
            return
        paid = "something" if report.paid is None else Money(report.paid)
        waited = self.now - report.at
        asked = self.evidence.coverage.covers(
            Stream.SETTLEMENTS, report.subaccount, Instant(report.at + LAG)
        )
        if not asked and waited > LAG and self._market_agrees():
            # The row may have rolled off before it was asked for; the result has not.
            return
        if waited <= LAG or not asked:
            late = "has no row yet" if waited <= LAG else "was not asked since"
            yield self._timing("row", f"FIX says that {paid} was paid, REST {late}")
            return
        is_booked = self.book.settled
        booked = f"it is booked from the {self.book.evidence}" if is_booked else "nothing is booked"
        yield self._break(
            BreakKind.ONE_SIDED,
            "row",
            severity=Severity.RED,
            amount=ZERO_MONEY if is_booked else Money(report.paid or 0),
            summary=f"FIX says that {paid} was paid, REST lists no such settlement; {booked}",
            told=(f"told by FIX {format_age(waited)} ago",),
            remedy="Check the party in fix_parties; then ask the exchange's support.",
        )

    def _market_agrees(self) -> bool:
        """Whether the market's own final word is the report's."""
        value = final_value(self.market)
        return value is not None and value.units == reported_value(self.report)

    def _timing(self, detail: str, summary: str) -> Break:
        return self._break(
            BreakKind.TIMING,
            detail,
            severity=Severity.AMBER,
            summary=summary,
            remedy="Run `trueup sync` again in a while.",
        )

    def _break(
        self,
        kind: BreakKind,
        detail: str,
        *,
        severity: Severity,
        summary: str,
        amount: Money = ZERO_MONEY,
        told: Iterable[str] = (),
        remedy: str = "",
    ) -> Break:
        report = self.report
        return Break(
            identity=break_identity(kind, report.subaccount, report.ticker, f"FIX {detail}"),
            kind=kind,
            severity=severity,
            subaccount=report.subaccount,
            shard=self.book.shard,
            ticker=report.ticker,
            amount=amount,
            occurred_at=report.at,
            summary=summary,
            evidence=(*told, f"reported by FIX at {format_instant(report.at)}"),
            remedy=remedy,
        )


_CENT_PRICE: Final = Price.of_cents(1).units


def _net(row: Settled) -> Count:
    return row.yes_count - row.no_count


def _signed(fill: Filled) -> int:
    return fill.side.sign * fill.count.units


def _listened(spans: Iterable[Span], at: Instant, *, after: int) -> bool:
    """Whether FIX was listened to when something happened, and for some time after it."""
    return any(span.since <= at and at + after <= span.until for span in spans)


def _rows_alone(
    evidence: FixEvidence,
    reports: Mapping[Subject, BareReport],
    rows: Iterable[Settled],
    *,
    now: Instant,
) -> Iterator[Break]:
    """Rows of a time when FIX was listened to, of which FIX has said nothing."""
    for row in rows:
        is_late = now - row.at <= LAG
        if (row.subaccount, row.ticker) in reports:
            continue
        if not _listened(evidence.heard, row.at, after=0 if is_late else LAG):
            continue
        if _net(row) == ZERO_COUNT:
            # A position of nothing has no entry in a report.
            continue
        kind = BreakKind.TIMING if is_late else BreakKind.ONE_SIDED
        words = "FIX has not reported it yet" if is_late else "FIX never reported it"
        yield Break(
            identity=break_identity(kind, row.subaccount, row.ticker, "report"),
            kind=kind,
            severity=Severity.AMBER,
            subaccount=row.subaccount,
            shard=row.shard,
            ticker=row.ticker,
            amount=ZERO_MONEY,
            occurred_at=row.at,
            summary=f"REST says that {row.revenue} was paid; {words}, though it was listened to",
            evidence=(
                f"settled at {format_instant(row.at)}, net {_net(row)}, booked from the row",
                "likely cause: a page that was lost, or a party that is mapped to no subaccount",
            ),
            remedy="The books follow the row. See `trueup fix report` for pages that are missing.",
        )


def check_one_sided(evidence: FixEvidence, *, now: Instant) -> Iterator[Break]:
    """Fills that only FIX, or only the others, have told, though both had the chance."""
    for fill in evidence.only_by_fix():
        asked = evidence.coverage.covers(Stream.FILLS, fill.subaccount, Instant(fill.at + LAG))
        yield _fill_alone(
            fill,
            "FIX told a fill that REST does not list",
            is_late=now - fill.at <= LAG or not asked,
            cause="the exchange took it back, or REST is behind",
        )
    for fill in evidence.never_by_fix():
        if not _listened(evidence.heard_fills, fill.at, after=MINUTE):
            continue
        is_late = now - fill.at <= LAG
        yield _fill_alone(
            fill,
            "REST lists a fill that FIX did not tell, though it was listened to",
            is_late=is_late,
            cause="a missed execution report",
        )


def _fill_alone(fill: Filled, summary: str, *, is_late: bool, cause: str) -> Break:
    kind = BreakKind.TIMING if is_late else BreakKind.ONE_SIDED
    return Break(
        identity=break_identity(kind, fill.subaccount, fill.ticker, fill.trade_id, fill.order_id),
        kind=kind,
        severity=Severity.AMBER,
        subaccount=fill.subaccount,
        shard=fill.shard,
        ticker=fill.ticker,
        amount=ZERO_MONEY,
        occurred_at=fill.at,
        summary=f"{summary}: {fill.trade_id}",
        evidence=(
            f"{fill.side} {fill.count} at YES price {fill.price}, {format_instant(fill.at)}",
            f"likely cause: {cause}",
        ),
        remedy="It is booked once. Run `trueup sync`; if it stays, compare with the exchange.",
    )
