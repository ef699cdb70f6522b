"""The books as projections: writing what was booked.

`trueup.store.unbooked` hands out whole markets with all their recorded facts; the
ledger books them; `write_market_books` replaces what was there.  A market that gets
another fact in between stays marked, so nothing is booked from half of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Stream
from trueup.core.observations import Recorded
from trueup.ledger.breaks import Break
from trueup.ledger.cash import cash_stream
from trueup.ledger.entries import Entry, MarketBook
from trueup.ledger.entry_log import lines_of
from trueup.ledger.lines import Line
from trueup.store import sql
from trueup.store.attribution import attribute
from trueup.store.driver import AnyRow, Reading, Transaction
from trueup.store.journal_index import versions_of
from trueup.store.session import MarketKey, Session

_CHUNK: Final = 10_000
_encode: Final = msgspec.json.Encoder().encode

ENTRY_COLUMNS: Final = (
    *("book", "number", "stream", "key", "version", "kind", "at", "subaccount", "shard"),
    *("ticker", "strategy", "evidence", "legs", "cash", "realized", "fees", "profit"),
)
POSITION_COLUMNS: Final = (
    *("book", "subaccount", "shard", "ticker", "event_ticker", "net", "cost", "realized"),
    *("fees", "payout", "total_traded", "yes_bought", "no_bought", "yes_cost", "no_cost"),
    *("settled", "last_at", "settlement_gain", "settlement_fees", "net_at_settlement"),
    *("settled_at", "evidence"),
)
TRADE_COLUMNS: Final = (
    *("book", "number", "subaccount", "shard", "ticker", "side", "status", "quantity", "bought"),
    *("bought_cost", "sold", "sold_proceeds", "payout", "fees", "profit_loss", "opened_at"),
    *("closed_at", "strategy"),
)
BREAK_COLUMNS: Final = (
    *("book", "identity", "kind", "severity", "subaccount", "shard", "ticker", "amount"),
    *("occurred_at", "summary", "evidence", "remedy"),
)
_FORGET_BOOK: Final = (
    sql.FORGET_ENTRIES,
    sql.FORGET_POSITIONS,
    sql.FORGET_TRADES,
    sql.FORGET_BOOKING_BREAKS,
)


def write_market_books(session: Session, books: Sequence[MarketBook]) -> None:
    """Replace the books of these markets in one transaction; they are up to date then."""
    if not books:
        return
    with session.writing() as transaction:
        keys: list[MarketKey] = [(book.subaccount, book.ticker) for book in books]
        session.find_numbers(transaction, keys)
        numbers = [_number(session, key) for key in keys]
        _forget(transaction, numbers)
        writer = _Writer(transaction)
        for number, book in zip(numbers, books, strict=True):
            writer.add(number, book)
        writer.flush()
        _clean(session, transaction, numbers)


def _number(session: Session, key: MarketKey) -> int:
    number = session.numbers.get(key)
    if number is None:
        raise InvariantBroken(f"a book of {key} was written, but no fact of it was ever seen")
    return number


def _forget(transaction: Transaction, numbers: Sequence[int]) -> None:
    """Drop earlier books of these markets, where there are any."""
    among = transaction.among(numbers)
    booked = [row[0] for row in transaction.rows(sql.BOOKED, (among,))]
    if booked:
        for statement in _FORGET_BOOK:
            transaction.execute(statement, (transaction.among(booked),))


def _clean(session: Session, transaction: Transaction, numbers: Sequence[int]) -> None:
    """Take away the marks, but not those set after the facts were handed out."""
    newest = transaction.rows(sql.LAST_SEQUENCE)[0][0]
    read_to = {number: session.handed_out.pop(number, newest) for number in numbers}
    present = transaction.rows(sql.DIRTY_AMONG, (transaction.among(numbers),))
    clean = [book for book, marked in present if marked <= read_to[book]]
    transaction.execute(sql.CLEAN, (transaction.among(clean),))


class _Writer:
    """Gathers rows of books and writes them in bulk, a bounded number at a time."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._pending: dict[str, tuple[tuple[str, ...], list[AnyRow]]] = {
            "entries": (ENTRY_COLUMNS, []),
            "positions": (POSITION_COLUMNS, []),
            "trades": (TRADE_COLUMNS, []),
            "booking_breaks": (BREAK_COLUMNS, []),
        }

    def add(self, number: int, book: MarketBook) -> None:
        """Add one book; one that has lost all its facts to another leaves nothing."""
        if not book.entries:
            return
        self.add_entries(number, book.entries)
        self._rows("positions").append((number, *book.bare))
        self._rows("trades").extend([(number, *trip) for trip in book.trips])
        if book.breaks:
            self._rows("booking_breaks").extend(_break_row(number, each) for each in book.breaks)

    def add_entries(self, book: int, entries: Sequence[Entry]) -> None:
        """Add entries with their legs, numbered from 1 in their order."""
        rows = self._rows("entries")
        lines: Iterable[Line] = lines_of(entries)
        if len(entries) <= _CHUNK:
            # The ledger makes lines when they are looked at: look once where that is cheap.
            lines = tuple(lines)
            profits = attribute(lines)
        else:
            profits = attribute(lines)
            lines = lines_of(entries)
        for place, line in enumerate(lines):
            stream, key, version, kind, at, subaccount, shard = line[:7]
            ticker, strategy, evidence, legs, cash, realized, fees, _ = line[7:]
            rows.append(
                (
                    book,
                    place + 1,
                    _word(stream),
                    key,
                    version,
                    _word(kind),
                    at,
                    subaccount,
                    shard,
                    ticker,
                    strategy,
                    evidence,
                    _encode(legs).decode(),
                    cash,
                    realized,
                    fees,
                    profits[place],
                )
            )
            if len(rows) >= _CHUNK:
                self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        for table, (columns, rows) in self._pending.items():
            self._transaction.insert(table, columns, rows)
            rows.clear()

    def _rows(self, table: str) -> list[AnyRow]:
        return self._pending[table][1]


_WORDS: Final[dict[str, str]] = {stream: stream.value for stream in Stream}


def _word(word: str) -> str:
    """The plain text of an enumeration's word, made once."""
    plain = _WORDS.get(word)
    if plain is None:
        plain = _WORDS[word] = str(word)
    return plain


def _break_row(number: int, found: Break) -> AnyRow:
    return (
        number,
        found.identity,
        _word(found.kind),
        _word(found.severity),
        found.subaccount,
        found.shard,
        found.ticker,
        found.amount.units,
        found.occurred_at,
        found.summary,
        _encode(found.evidence).decode(),
        found.remedy,
    )


# Cash facts: deposits, withdrawals, transfers, opening balances


def unbooked_cash(session: Session, limit: int) -> list[Recorded]:
    """All versions of up to `limit` cash facts to be booked."""
    driver = session.driver
    marked: dict[int, int] = dict(driver.rows(sql.DIRTY_CASH, (limit,)))
    if not marked:
        return []
    session.handed_out.update(marked)
    keys: defaultdict[str, list[str]] = defaultdict(list)
    sequences = driver.among([-book for book in marked])
    for stream, key in driver.rows(sql.CASH_FACTS, (sequences,)):
        keys[stream].append(key)
    found: list[Recorded] = []
    for stream, named in keys.items():
        found.extend(versions_of(driver, Stream(stream), named))
    return sorted(found, key=lambda recorded: recorded.sequence)


def write_cash_entries(
    session: Session, entries: Sequence[Entry], recorded: Sequence[Recorded]
) -> None:
    """Replace the entries of the cash facts in `recorded` by `entries`, in one transaction.

    `recorded` is what `unbooked_cash` handed out; a fact without entries (a
    pending deposit) is booked as nothing.
    """
    if not recorded:
        return
    first: dict[tuple[Stream, str], int] = {}
    for each in recorded:
        stream = cash_stream(each)
        number = first.get((stream, each.key), each.sequence)
        first[stream, each.key] = min(number, each.sequence)
    by_book: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_book[-first[entry.stream, entry.key]].append(entry)
    books = [-sequence for sequence in first.values()]
    with session.writing() as transaction:
        among = transaction.among(books)
        transaction.execute(sql.FORGET_ENTRIES, (among,))
        writer = _Writer(transaction)
        for book, listed in by_book.items():
            writer.add_entries(book, listed)
        writer.flush()
        _clean(session, transaction, books)


def mark_everything(session: Session) -> None:
    """Mark all markets as to be booked again (the strategy rules have changed)."""
    with session.writing() as transaction:
        newest = transaction.rows(sql.LAST_SEQUENCE)[0][0]
        transaction.execute(sql.MARK_ALL_DIRTY, (newest,))


def count_unbooked(reading: Reading) -> int:
    """How many markets and cash facts are still to be booked."""
    return reading.rows(sql.DIRTY_COUNT)[0][0]
