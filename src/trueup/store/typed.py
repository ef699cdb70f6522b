"""From journal rows to typed tables: the latest version of every record.

The same code runs when a page arrives and when all projections are made
again, over the same versions in the same order, so both give the same rows.
It also notes which books the versions concern (`dirty`).
"""

from __future__ import annotations

from collections.abc import Sequence

from trueup.core.facts import Stream
from trueup.store import sql
from trueup.store.driver import AnyRow, Transaction
from trueup.store.marking import mark
from trueup.store.merging import changes_books, merge_order, supersedes
from trueup.store.records import KINDS, RecordKind, Rule, Version
from trueup.store.session import MarketKey, Session
from trueup.store.settlement_reports import mark_markets, project_reports


def project(
    session: Session, transaction: Transaction, stream: Stream, versions: Sequence[Version]
) -> None:
    """Bring the typed rows of one stream up to date with new versions, in journal order."""
    if not versions:
        return
    kind = KINDS[stream]
    if kind.place is not None:
        _project_market_facts(session, transaction, kind, versions)
    elif kind.by_party:
        project_reports(session, transaction, versions)
    elif kind.rule is Rule.MERGED:
        _project_orders(transaction, kind, versions)
    elif stream is Stream.MARKETS:
        _project_markets(transaction, kind, versions)
    elif kind.rule is Rule.STATE:
        _project_positions(transaction, kind, versions)
    else:
        _project_plain(transaction, kind, stream, versions)


def _project_market_facts(
    session: Session, transaction: Transaction, kind: RecordKind, versions: Sequence[Version]
) -> None:
    """Fills and settlements: each belongs to a book, which becomes dirty."""
    assert kind.place is not None  # noqa: S101  # the caller has looked
    subaccount, ticker = kind.place
    keys: list[MarketKey] = [(v[5][subaccount], v[5][ticker]) for v in versions]
    numbers = session.numbers
    session.find_numbers(transaction, keys)
    new_keys: list[AnyRow] = []
    fresh: list[AnyRow] = []
    renewed: dict[int, AnyRow] = {}
    marked: dict[int, int] = {}
    for key, version in zip(keys, versions, strict=True):
        first, sequence, _, _, _, row, replaced = version
        kept = version[:5]
        book = numbers.get(key)
        if book is None:
            book = numbers[key] = sequence
            new_keys.append((book, *key))
        marked[book] = sequence
        if replaced is None:
            fresh.append((book, *kept, *row))
            continue
        old_key: MarketKey = (replaced[subaccount], replaced[ticker])
        if old_key != key:
            session.find_numbers(transaction, [old_key])
            marked[numbers[old_key]] = sequence
        renewed[first] = (book, *kept, *row)
    transaction.insert("market_keys", ("book", "subaccount", "ticker"), new_keys)
    transaction.insert(kind.table, kind.table_columns, fresh)
    transaction.upsert(
        kind.table, kind.table_columns, list(renewed.values()), identity=kind.identity
    )
    mark(transaction, marked)


def _project_orders(
    transaction: Transaction, kind: RecordKind, versions: Sequence[Version]
) -> None:
    ids = {v[5][0] for v in versions}
    merged = {
        row[1]: kind.value_of(row[1:])
        for row in transaction.rows(sql.ORDERS_BY_ID, (transaction.among(ids),))
    }
    rows: dict[str, AnyRow] = {}
    for version in versions:
        kept, row = version[:5], version[5]
        told = kind.value_of(row)
        known = merged.get(row[0])
        merged[row[0]] = told if known is None else merge_order(known, told)
        rows[row[0]] = (*kept, *kind.row_of(merged[row[0]]))
    transaction.upsert(kind.table, kind.table_columns, list(rows.values()), identity=kind.identity)


def _project_markets(
    transaction: Transaction, kind: RecordKind, versions: Sequence[Version]
) -> None:
    tickers = {v[5][0] for v in versions}
    known = {
        row[2]: (row[1], kind.value_of(row[2:]))
        for row in transaction.rows(sql.MARKETS_BY_TICKER, (transaction.among(tickers),))
    }
    rows: dict[str, AnyRow] = {}
    changed: set[str] = set()
    for version in versions:
        kept, row = version[:5], version[5]
        ticker, observed_at, told = row[0], version[4], kind.value_of(row)
        before = known.get(ticker)
        if before is not None and not (observed_at >= before[0] and supersedes(before[1], told)):
            continue
        if changes_books(None if before is None else before[1], told):
            changed.add(ticker)
        known[ticker] = (observed_at, told)
        rows[ticker] = (*kept, *row)
    transaction.upsert(kind.table, kind.table_columns, list(rows.values()), identity=kind.identity)
    if changed:
        newest = versions[-1][1]
        transaction.execute(sql.MARK_DIRTY_TICKERS, (newest, transaction.among(changed)))


def _project_positions(
    transaction: Transaction, kind: RecordKind, versions: Sequence[Version]
) -> None:
    tickers = {v[5][0] for v in versions}
    seen = {
        (ticker, subaccount): observed_at
        for _, observed_at, ticker, subaccount in transaction.rows(
            sql.POSITIONS_OBSERVED, (transaction.among(tickers),)
        )
    }
    rows: dict[tuple[str, int], AnyRow] = {}
    for version in versions:
        kept, row = version[:5], version[5]
        identity, observed_at = (row[0], row[7]), version[4]
        if observed_at < seen.get(identity, observed_at):
            continue
        seen[identity] = observed_at
        rows[identity] = (*kept, *row)
    transaction.upsert(kind.table, kind.table_columns, list(rows.values()), identity=kind.identity)


def _project_plain(
    transaction: Transaction, kind: RecordKind, stream: Stream, versions: Sequence[Version]
) -> None:
    """Balance readings, pages of reports, and the facts that move cash by themselves."""
    named = (stream.value,) if kind.names_stream else ()
    rows = {version[0]: (*version[:5], *named, *version[5]) for version in versions}
    transaction.upsert(kind.table, kind.table_columns, list(rows.values()), identity=kind.identity)
    if kind.moves_cash:
        mark(transaction, {-v[0]: v[1] for v in versions})
    if stream is Stream.SETTLEMENT_PAGES:
        mark_markets(transaction, versions)
