"""What is to be booked: whole markets of a subaccount, with all that is recorded of them.

Nearly every market is plain: each fact was told in one way only, and what it paid is
known from a settlement row or not at all yet.  Its facts are handed out as steps in
bare units, ready to be booked.  For every other market all versions are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from trueup.core.facts import Filled, Settled, Stream
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.market import is_settled
from trueup.core.observations import Recorded
from trueup.core.settlement import ReportTerms, SettlementReported
from trueup.core.statements import MarketStated
from trueup.ledger.bare import (
    FILL,
    SETTLEMENT,
    BareFill,
    BareReport,
    BareSettlement,
    BareStep,
    bare_step,
)
from trueup.ledger.booking import home_shard
from trueup.ledger.witnesses import can_pay
from trueup.store import sql
from trueup.store.driver import Reading
from trueup.store.journal_index import versions_of
from trueup.store.records import KINDS
from trueup.store.session import Session
from trueup.store.settlement_reports import (
    NO_TERMS,
    keys_of_book,
    page_keys,
    read_terms,
    reports_of_books,
)

FACTS_MAX: Final = 20_000
"""`unbooked` stops handing out more markets when these hold so many facts."""

_MARKETS_AT_A_TIME: Final = 200


@dataclass(slots=True)
class UnbookedMarket:
    """A market of a subaccount whose book is to be made again.

    `market` is the latest statement about it.  `shard` is where the market lives
    (`trueup.ledger.booking.home_shard`); each fact moves cash on its own.
    """

    subaccount: Subaccount
    ticker: Ticker
    market: MarketStated | None
    steps: list[BareStep]
    """The facts as they were told last, in their order."""
    reading: Reading
    report: BareReport | None = None
    """What FIX reported of its settlement."""
    is_reported_once: bool = True
    """Whether that was told in one way only."""
    terms: ReportTerms = NO_TERMS

    @property
    def plain(self) -> bool:
        """Whether `steps` and `report` say all: `trueup.ledger.booking.book_steps` can book
        them.
        """
        if self._needs_outcome or not self.is_reported_once:
            return False
        return all(step.version == 1 for step in self.steps)

    @property
    def shard(self) -> Shard:
        """Where the market lives."""
        steps = self.steps if self.plain else map(bare_step, self._versions())
        return home_shard(steps, self.market)

    @property
    def facts(self) -> list[Recorded]:
        """All versions of its fills and settlements in time order, then those of what FIX
        reported and of its pages, and then, where neither a row nor a report pays, what was ever said about its
        final outcome.

        They are read from the journal now.
        """
        facts = [*sorted(self._versions(), key=bare_step), *self._reports()]
        if self._needs_outcome:
            facts += versions_of(self.reading, Stream.MARKETS, [self.ticker])
        return facts

    @property
    def _needs_outcome(self) -> bool:
        """Whether the market's own word has to serve for a settlement row."""
        market = self.market
        if market is None or not is_settled(market.status) or can_pay(self.report):
            return False
        return all(step.kind == FILL for step in self.steps)

    def _reports(self) -> list[Recorded]:
        """All versions of the reports, read as configured, and of the pages they came on."""
        if self.report is None:
            return []
        keys = keys_of_book(self.reading, (self.subaccount, self.ticker))
        reports = [
            replace(each, value=self.terms.read(each.value))
            for each in versions_of(self.reading, Stream.SETTLEMENT_REPORTS, keys)
            if isinstance(each.value, SettlementReported)
        ]
        pages = page_keys(self.reading, self.ticker)
        return [*reports, *versions_of(self.reading, Stream.SETTLEMENT_PAGES, pages)]

    def _versions(self) -> list[Recorded]:
        """All versions of the facts; one that named another subaccount was never of this book."""
        found: list[Recorded] = []
        for stream, kind in ((Stream.FILLS, FILL), (Stream.SETTLEMENTS, SETTLEMENT)):
            keys = [step.key for step in self.steps if step.kind == kind]
            for recorded in versions_of(self.reading, stream, keys) if keys else ():
                value = recorded.value
                if not isinstance(value, Filled | Settled):
                    continue
                if (value.subaccount, value.ticker) == (self.subaccount, self.ticker):
                    found.append(recorded)
        return found


def unbooked(session: Session, limit: int, *, facts_max: int = FACTS_MAX) -> list[UnbookedMarket]:
    """Up to `limit` markets to be booked; fewer when they hold many facts."""
    found: list[UnbookedMarket] = []
    facts, after = 0, 0
    driver = session.driver
    while len(found) < limit and facts < facts_max:
        wanted = min(limit - len(found), _MARKETS_AT_A_TIME)
        marked: dict[int, int] = dict(driver.rows(sql.DIRTY_MARKETS, (after, wanted)))
        if not marked:
            break
        after = max(marked)
        session.handed_out.update(marked)
        markets = _with_facts(session, driver, marked)
        found.extend(markets)
        facts += sum(len(market.steps) for market in markets)
    return found


def _with_facts(session: Session, reading: Reading, books: Iterable[int]) -> list[UnbookedMarket]:
    among = reading.among(books)
    reports, terms = reports_of_books(reading, among), read_terms(session, reading)
    steps: dict[int, list[BareStep]] = {}
    for row in reading.rows(sql.STEPS_OF_FILLS, (among,)):
        fill = BareFill._make(row[1:])
        steps.setdefault(row[0], []).append(fill)
    for row in reading.rows(sql.STEPS_OF_SETTLEMENTS, (among,)):
        settlement = BareSettlement._make(row[1:])
        steps.setdefault(row[0], []).append(settlement)
    keys = reading.rows(sql.KEYS_OF_BOOKS, (among,))
    kind = KINDS[Stream.MARKETS]
    tickers = reading.among({ticker for _, _, ticker in keys})
    markets: dict[str, MarketStated] = {
        row[2]: kind.value_of(row[2:]) for row in reading.rows(sql.MARKETS_BY_TICKER, (tickers,))
    }
    found: list[UnbookedMarket] = []
    for book, subaccount, ticker in sorted(keys):
        # A market that has lost its only fact to another subaccount has none.
        listed = steps.get(book, [])
        listed.sort()
        report, is_once = reports.get(book, (None, True))
        market = markets.get(ticker)
        found.append(
            UnbookedMarket(subaccount, ticker, market, listed, reading, report, is_once, terms)
        )
    return found
