"""Booking what is new: the loop between the journal and the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from trueup.core.fees import Precision
from trueup.core.ids import ClientOrderId, OrderId, SeriesTicker, Subaccount, Ticker
from trueup.core.settlement import PayoutUnit, ReportTerms
from trueup.ledger.booking import book_market, book_steps
from trueup.ledger.cash import book_cash
from trueup.ledger.entries import MarketBook
from trueup.ledger.strategy import StrategyOf, StrategyRule, StrategyRules, no_strategy
from trueup.run.books.fetching import do_nothing
from trueup.run.books.openings import book_openings
from trueup.run.collecting import collecting_rarely
from trueup.run.config import Config
from trueup.store.database import Books
from trueup.store.unbooked import UnbookedMarket

MARKETS_AT_ONCE: Final = 1000
FACTS_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True)
class Booked:
    """How much was booked anew."""

    markets: int
    cash_facts: int


@collecting_rarely()
def book_new(
    books: Books,
    *,
    precision: Precision,
    config: Config,
    alive: Callable[[], None] = do_nothing,
) -> Booked:
    """Book every market and every cash fact that has something new.

    `alive` is called after each batch: it keeps the writer lease.  Interrupted, it loses nothing: what was not booked stays marked.
    """
    strategy_of = strategies(books, config)
    markets = facts = 0
    while unbooked := books.unbooked(MARKETS_AT_ONCE):
        books.write_market_books(
            [book_unbooked(each, precision=precision, strategy_of=strategy_of) for each in unbooked]
        )
        markets += len(unbooked)
        alive()
    while recorded := books.unbooked_cash(FACTS_AT_ONCE):
        books.write_cash_entries(book_cash(recorded), recorded)
        facts += len(recorded)
        alive()
    book_openings(books)
    return Booked(markets, facts)


def book_unbooked(
    unbooked: UnbookedMarket, *, precision: Precision, strategy_of: StrategyOf
) -> MarketBook:
    """Book a market as it was handed out, by the short way where that is possible."""
    where = (unbooked.subaccount, unbooked.shard, unbooked.ticker)
    if not unbooked.plain:
        return book_market(
            *where,
            recorded=unbooked.facts,
            market=unbooked.market,
            precision=precision,
            strategy_of=strategy_of,
        )
    return book_steps(
        *where,
        steps=unbooked.steps,
        report=unbooked.report,
        market=unbooked.market,
        precision=precision,
        strategy_of=strategy_of,
    )


def report_terms(config: Config) -> ReportTerms:
    """How settlement reports of FIX are read, as configured."""
    parties = {party: Subaccount(number) for party, number in config.fix_parties.items()}
    return ReportTerms(parties, PayoutUnit(config.fix_payouts))


def strategies(books: Books, config: Config) -> StrategyOf:
    """The configured rules that name the strategy of an order."""
    rules = [
        rule
        for strategy, given in config.strategies.items()
        for rule in (
            *(StrategyRule(strategy=strategy, client_prefix=p) for p in given.client_id_prefixes),
            *(StrategyRule(strategy=strategy, series=s) for s in given.series),
        )
    ]
    # A category that goes by client id is a strategy of that name: the books keep
    # strategies, not client ids.
    rules += [
        StrategyRule(strategy=category, client_prefix=prefix)
        for category, given in config.categories.items()
        for prefix in given.client_id_prefixes
    ]
    if not rules:
        return no_strategy
    catalog = books.cache.catalog()

    def series_of(ticker: Ticker) -> SeriesTicker | None:
        series = catalog.series_of(ticker)
        return None if series is None else series.ticker

    client_ids: Mapping[OrderId, ClientOrderId] = books.client_order_ids()
    named = StrategyRules(rules=tuple(rules), series_of=series_of)
    return named.for_orders(client_ids)
