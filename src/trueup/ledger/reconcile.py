"""Do the books equal the exchange?  All breaks, and the verdict.

The single comparisons live in files of their own (`position_check`,
`settlement_check`, `order_check`, `fee_check`, `explain`, `coverage`); here are
the small remaining ones and what they all add up to.  Nothing here changes a
book: a break is a value, and only facts move money.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from trueup.core.catalog import Catalog
from trueup.core.facts import Filled, OrderReported, Settled, Stream
from trueup.core.fees import Precision
from trueup.core.ids import Ticker
from trueup.core.instant import Instant, format_instant
from trueup.core.observations import Quarantined
from trueup.core.statements import BalanceStated, MarketStated, PositionStated
from trueup.core.units import ZERO_MONEY, Money
from trueup.ledger.accounts import Account
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity
from trueup.ledger.cash import TRANSIT
from trueup.ledger.coverage import Certificate, coverage_breaks
from trueup.ledger.entries import Entry, EntryKind, MarketBook
from trueup.ledger.explain import interval_breaks
from trueup.ledger.fee_check import check_fees
from trueup.ledger.order_check import check_orders
from trueup.ledger.position_check import check_positions
from trueup.ledger.proof import Interval, Proven
from trueup.ledger.report_check import FixEvidence, check_reports
from trueup.ledger.settlement_check import check_settlements

_MONEY_STREAMS: Final = frozenset(
    {
        Stream.FILLS,
        Stream.SETTLEMENTS,
        Stream.SETTLEMENT_REPORTS,
        Stream.DEPOSITS,
        Stream.WITHDRAWALS,
        Stream.TRANSFERS,
        Stream.SHARD_TRANSFERS,
    }
)


def _no_orders() -> Iterable[OrderReported]:
    return ()


def _no_fills() -> Iterable[Filled]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything the books are compared with.

    `books` gives every market's book; `orders` and `fills` give theirs sorted by
    order id; they are functions because they are walked more than once.  What is
    `None` was not asked for and is not compared.
    """

    books: Callable[[], Iterable[MarketBook]]
    now: Instant
    markets: Mapping[Ticker, MarketStated] = field(default_factory=dict[Ticker, MarketStated])
    positions: Iterable[PositionStated] | None = None
    settlements: Iterable[Settled] | None = None
    orders: Callable[[], Iterable[OrderReported]] = _no_orders
    fills: Callable[[], Iterable[Filled]] = _no_fills
    catalog: Catalog | None = None
    precision: Precision = Precision.DIRECT
    quarantined: Iterable[Quarantined] = ()
    certificate: Certificate | None = None
    transfers: Iterable[Entry] = ()
    fix: FixEvidence | None = None


def reconcile(evidence: Comparison) -> list[Break]:
    """All breaks between the books and the exchange's statements, worst first."""
    breaks: list[Break] = []
    for book in evidence.books():
        breaks.extend(book.breaks)
    if evidence.positions is not None:
        breaks.extend(check_positions(evidence.books(), evidence.positions))
    if evidence.settlements is not None:
        rows = list(evidence.settlements)
        reports = [] if evidence.fix is None else list(evidence.fix.reports)
        markets, now = evidence.markets, evidence.now
        breaks.extend(check_settlements(evidence.books(), rows, markets, now=now, reports=reports))
        if evidence.fix is not None:
            fix = replace(evidence.fix, reports=reports)
            breaks.extend(check_reports(fix, evidence.books(), rows, markets, now=now))
    breaks.extend(check_orders(evidence.orders(), evidence.fills()))
    if evidence.catalog is not None:
        checked = check_fees(evidence.fills(), evidence.catalog, evidence.precision)
        breaks.extend(checked.breaks)
    breaks.extend(quarantine_breaks(evidence.quarantined))
    breaks.extend(check_transit(evidence.transfers, now=evidence.now))
    if evidence.certificate is not None:
        breaks.extend(coverage_breaks(evidence.certificate))
    return sorted(breaks, key=worst_first)


_RANK: Final = {Severity.RED: 0, Severity.AMBER: 1, Severity.GREEN: 2}


def worst_first(each: Break) -> tuple[int, Instant, str]:
    """The order in which breaks are shown: by severity, then the oldest first."""
    return _RANK[each.severity], each.occurred_at, each.identity


def quarantine_breaks(quarantined: Iterable[Quarantined]) -> Iterator[Break]:
    """One break for each record that could not be read.

    A record that may move money is red, because the books miss it.
    """
    for each in quarantined:
        digest = hashlib.sha256(each.raw).hexdigest()[:12]
        moves_money = each.stream in _MONEY_STREAMS
        yield Break(
            identity=break_identity(BreakKind.QUARANTINED, None, each.stream, digest),
            kind=BreakKind.QUARANTINED,
            severity=Severity.RED if moves_money else Severity.AMBER,
            subaccount=None,
            shard=None,
            ticker=None,
            amount=ZERO_MONEY,
            occurred_at=each.observed_at,
            summary=f"a record of {each.stream} could not be read: {each.reason}",
            evidence=(f"from {each.source} at {format_instant(each.observed_at)}", digest),
        )


def check_transit(entries: Iterable[Entry], *, now: Instant) -> Iterator[Break]:
    """Cash that left one subaccount or shard and has not arrived anywhere."""
    left: dict[tuple[Stream, str], tuple[int, Entry]] = {}
    for entry in entries:
        if entry.kind is not EntryKind.TRANSFER:
            continue
        identity = (entry.stream, entry.key)
        moved = sum(leg.money.units for leg in entry.postings if leg.account is Account.IN_TRANSIT)
        before = left.get(identity)
        left[identity] = (moved, entry) if before is None else (before[0] + moved, before[1])
    for (stream, key), (units, entry) in left.items():
        if units and now - entry.at > TRANSIT:
            yield Break(
                identity=break_identity(BreakKind.UNATTRIBUTED_CASH, entry.subaccount, stream, key),
                kind=BreakKind.UNATTRIBUTED_CASH,
                severity=Severity.AMBER,
                subaccount=entry.subaccount,
                shard=entry.shard,
                ticker=None,
                amount=Money(-units),
                occurred_at=entry.at,
                summary=f"transfer {key} of {Money(units)} left and has not arrived",
                evidence=(f"left at {format_instant(entry.at)}",),
            )


def check_union(parts: Iterable[Settled], whole: Iterable[Settled]) -> Iterator[Break]:
    """Settlement rows read per subaccount × the rows read for all of them.

    Rows do not name their subaccount.  One that only the whole listing shows
    belongs to a subaccount that was not asked; the books miss it.
    """
    known = Counter(_row_identity(row) for row in parts)
    for row in whole:
        identity = _row_identity(row)
        if known[identity]:
            known[identity] -= 1
            continue
        yield Break(
            identity=break_identity(
                BreakKind.COVERAGE_GAP, None, Stream.SETTLEMENTS, row.ticker, row.at
            ),
            kind=BreakKind.COVERAGE_GAP,
            severity=Severity.RED,
            subaccount=None,
            shard=row.shard,
            ticker=row.ticker,
            amount=row.revenue,
            occurred_at=row.at,
            summary="a settlement row of all subaccounts belongs to none that was asked",
            evidence=(f"settled at {format_instant(row.at)}, revenue {row.revenue}",),
        )


def _row_identity(row: Settled) -> tuple[str, int, int, int, int]:
    return row.ticker, row.at, row.revenue.units, row.yes_count.units, row.no_count.units


def check_total(parts: Iterable[BalanceStated], whole: BalanceStated) -> Iterator[Break]:
    """The balances of all subaccounts and shards × the total, read at about one time."""
    low = high = ZERO_MONEY
    owners = 0
    for part in parts:
        low, high = low + part.low, high + part.high
        owners += 1
    if low <= whole.high and whole.low <= high:
        return
    amount = whole.low - high if whole.low > high else whole.high - low
    yield Break(
        identity=break_identity(BreakKind.COVERAGE_GAP, None, Stream.BALANCES, whole.at),
        kind=BreakKind.COVERAGE_GAP,
        severity=Severity.AMBER,
        subaccount=None,
        shard=None,
        ticker=None,
        amount=amount,
        occurred_at=whole.at,
        summary=f"{owners} balances add up to {low}, the total is {whole.low}",
        evidence=(f"as of {format_instant(whole.at)}",),
    )


class Closing(StrEnum):
    """The answer to the one question.  Only `CLOSES` is a zero exit code."""

    CLOSES = "closes"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What all breaks and intervals add up to.

    `unexplained` is the sum of what no fact explains; it is never netted away:
    `unexplained_gross` adds the amounts without their signs.
    """

    closing: Closing
    red: int
    amber: int
    green: int
    proven: int
    timing: int
    open: int
    unproven: int
    unexplained: Money
    unexplained_gross: Money

    @property
    def closes(self) -> bool:
        """Whether every cent is explained and nothing disagrees."""
        return self.closing is Closing.CLOSES

    @property
    def intervals(self) -> int:
        """How many intervals between readings were judged."""
        return self.proven + self.timing + self.open + self.unproven

    def words(self) -> str:
        """The verdict in one line, for a person."""
        intervals = f"{self.proven + self.timing} of {self.intervals} intervals proven"
        match self.closing:
            case Closing.CLOSES:
                return f"The books close: {intervals}, no break."
            case Closing.AMBER if not self.intervals and not self.amber:
                return "Nothing is proven: fewer than two balance readings are known."
            case Closing.AMBER:
                head = f"Look at it: {intervals}, {_counted(self.amber, 'amber break')}"
            case Closing.RED:
                reds = _counted(self.red, "red break")
                head = f"The books do not close: {intervals}, {reds}, {self.amber} amber"
        if self.unexplained_gross:
            return f"{head}, {self.unexplained_gross} unexplained."
        return f"{head}."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def verdict(breaks: Iterable[Break], intervals: Iterable[Interval]) -> Verdict:
    """What it all adds up to.

    `breaks` without those of the proof; they are added here from `intervals`.
    Any red break is red.  Any amber break, any money without a fact, and a proof
    of nothing at all are amber.
    """
    severities: Counter[Severity] = Counter(each.severity for each in breaks)
    verdicts: Counter[Proven] = Counter()
    net = gross = ZERO_MONEY
    for interval in intervals:
        verdicts[interval.verdict] += 1
        net += interval.difference
        gross += abs(interval.difference)
        severities.update(each.severity for each in interval_breaks((interval,)))
    closing = Closing.CLOSES
    if severities[Severity.RED]:
        closing = Closing.RED
    elif severities[Severity.AMBER] or gross or not verdicts.total():
        closing = Closing.AMBER
    return Verdict(
        closing=closing,
        red=severities[Severity.RED],
        amber=severities[Severity.AMBER],
        green=severities[Severity.GREEN],
        proven=verdicts[Proven.PROVEN],
        timing=verdicts[Proven.TIMING],
        open=verdicts[Proven.OPEN],
        unproven=verdicts[Proven.UNPROVEN],
        unexplained=net,
        unexplained_gross=gross,
    )
