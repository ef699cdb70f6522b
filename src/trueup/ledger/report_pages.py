"""How much of a settlement report is there, and whose it is: pages and parties as they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from trueup.core.ids import Ticker
from trueup.core.instant import HOUR, Instant
from trueup.core.market import MarketResult
from trueup.core.settlement import SettlementPageReported
from trueup.core.units import ZERO_MONEY, Money, Price
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity

LAG: Final = HOUR
"""How long one side may be behind the other before what it has not said is missing."""

_STRANGERS_MAX: Final = 20
"""How many unknown parties have a break of their own; the rest share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPages:
    """What came of one settlement's report on one session: pages counted, not held.

    `agree` says that no two pages contradict each other.
    """

    session: str
    ticker: Ticker
    clearing_date: str
    pages: int
    announced: int | None
    last_pages: int
    parties: int
    agree: bool
    first_at: Instant
    last_at: Instant

    @property
    def is_contradicted(self) -> bool:
        """Whether pages disagree, or more came than were announced."""
        too_many = self.announced is not None and self.pages > self.announced
        return not self.agree or too_many or self.last_pages > 1

    @property
    def is_complete(self) -> bool:
        """Whether the last page and as many as announced came."""
        enough = self.announced is None or self.pages == self.announced
        return bool(self.last_pages) and enough and not self.is_contradicted

    def words(self) -> str:
        """How much is there, for a person."""
        last = "with the last one" if self.last_pages else "without the last one"
        announced = "an unknown number of" if self.announced is None else self.announced
        return f"{self.pages} of {announced} {'page' if announced == 1 else 'pages'}, {last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A party that belongs to no configured subaccount, and what was reported of it."""

    party: str
    reports: int
    paid: Money | None
    """In all; `None` where one of the reports does not say it."""
    since: Instant
    ticker: Ticker


Telling = tuple[date, MarketResult, Price | None]
"""One way in which a market's settlement was told: clearing date, result, value."""


def whole_tellings(pages: Iterable[SettlementPageReported]) -> frozenset[Telling]:
    """In which ways a market's settlement was told from the first page to the last.

    One session is enough: it got the last page, and as many as any session announced (a key
    that may see fewer parties than another gets fewer pages).  Pages of another date, result
    or value are another telling, so that a corrected result is not whole before all of its
    own pages are there.  A report that is sent anew under new ids does not make less of it.
    """
    sessions: dict[tuple[Telling, str], list[SettlementPageReported]] = {}
    announced: dict[Telling, int] = {}
    for page in pages:
        telling = page.clearing_date, page.result, page.value
        sessions.setdefault((telling, page.session), []).append(page)
        announced[telling] = max(announced.get(telling, 1), page.announced or 1)
    return frozenset(
        telling
        for (telling, _), came in sessions.items()
        if any(page.is_last for page in came) and len(came) >= announced[telling]
    )


def check_pages(pages: Iterable[ReportPages], *, now: Instant) -> Iterator[Break]:
    """Settlements of which pages are missing, or contradict each other, on every session."""
    whole: set[tuple[Ticker, str]] = set()
    open_: list[ReportPages] = []
    for each in pages:
        if each.is_complete:
            whole.add((each.ticker, each.clearing_date))
        else:
            open_.append(each)
    for each in open_:
        if (each.ticker, each.clearing_date) in whole:
            continue
        is_late = now - each.last_at <= LAG and not each.is_contradicted
        kind = BreakKind.TIMING if is_late else BreakKind.INCOMPLETE_REPORT
        words = "pages contradict each other" if each.is_contradicted else each.words()
        yield Break(
            identity=break_identity(kind, None, each.clearing_date, each.ticker, each.session),
            kind=kind,
            severity=Severity.AMBER,
            subaccount=None,
            shard=None,
            ticker=each.ticker,
            amount=ZERO_MONEY,
            occurred_at=each.first_at,
            summary=f"the settlement report of {each.clearing_date} is not whole: {words}",
            evidence=(f"{each.parties} parties came on {each.session}",),
            remedy="Keep `trueup fix listen` running: what was sent is sent again for up to 72 "
            "hours. After that `trueup sync` brings the rows, which the books follow.",
        )


def check_strangers(strangers: Iterable[Stranger]) -> Iterator[Break]:
    """Parties that belong to no configured subaccount."""
    more, reports = 0, 0
    paid: Money | None = ZERO_MONEY
    first: Stranger | None = None
    for number, each in enumerate(strangers):
        if number < _STRANGERS_MAX:
            yield _unknown(each.party, each.reports, each.paid, each)
            continue
        first = first or each
        more, reports = more + 1, reports + each.reports
        paid = None if paid is None or each.paid is None else paid + each.paid
    if first is not None:
        yield _unknown(f"{more} more parties", reports, paid, first)


def _unknown(party: str, reports: int, paid: Money | None, seen: Stranger) -> Break:
    told = "not all say what was paid" if paid is None else f"{paid} paid in all"
    return Break(
        identity=break_identity(BreakKind.UNKNOWN_PARTY, None, party),
        kind=BreakKind.UNKNOWN_PARTY,
        severity=Severity.AMBER,
        subaccount=None,
        shard=None,
        ticker=None,
        amount=paid or ZERO_MONEY,
        occurred_at=seen.since,
        summary=f"party {party} of settlement reports belongs to no subaccount",
        evidence=(f"{reports} reports, {told}; the first of {seen.ticker}",),
        remedy=f'Name it in config.toml, under [fix_parties]: "{seen.party}" = 0 (or whatever '
        'its subaccount is); "*" stands for every party that is not named.',
    )
