"""What the store asks of a database: two drivers fulfil it, for SQLite and PostgreSQL.

Everything above this line speaks in statements (`trueup.store.statement`) and
rows; nothing above it knows which database it is.  Writers are serialised: at
most one write transaction is open on a database at any time, so a transaction
may read the greatest sequence number and go on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from trueup.store.statement import Statement

AnyRow = tuple[Any, ...]
"""A row as a database returns it.  The one place where types are taken on trust:
the schema says what the columns hold."""

Parameters = Sequence[object]
STREAM_ROWS = 2000
"""Rows that a streaming read holds in memory at a time."""


class Reading(Protocol):
    """Reads rows.  A list is one short read transaction."""

    def rows(self, statement: Statement, parameters: Parameters = ()) -> list[AnyRow]:
        """All rows of a query: for queries that return few."""
        ...

    def among(self, values: Iterable[object]) -> object:
        """The parameter of an ``{among}`` list."""
        ...


class Transaction(Reading, Protocol):
    """One open write transaction: everything in it happens, or nothing."""

    def execute(self, statement: Statement, parameters: Parameters = ()) -> int:
        """Run a statement; returns how many rows it changed."""
        ...

    def insert(self, table: str, columns: tuple[str, ...], rows: Sequence[Parameters]) -> None:
        """Bulk insert of rows that are known to be new."""
        ...

    def upsert(
        self,
        table: str,
        columns: tuple[str, ...],
        rows: Sequence[Parameters],
        *,
        identity: tuple[str, ...],
    ) -> None:
        """Bulk insert; a row of the same identity is replaced column by column.

        No two of `rows` may have the same identity.
        """
        ...


class Snapshot(Protocol):
    """One state of the database, read table by table."""

    def stream(self, statement: Statement) -> Iterator[AnyRow]:
        """The rows of a query, a few at a time; finish one before the next."""
        ...


class Driver(Reading, Protocol):
    """An open database."""

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        ...

    @property
    def place(self) -> str:
        """Where the database is, for people: never with a password."""
        ...

    def writing(self) -> AbstractContextManager[Transaction]:
        """Begin a write transaction; it commits at the end of the block, rolls
        back when the block raises.

        Raises `BooksError` with a remedy when the database is locked,
        read-only, full, damaged or unreachable: then nothing was written.
        """
        ...

    def stream(self, statement: Statement, parameters: Parameters = ()) -> Iterator[AnyRow]:
        """The rows of one consistent snapshot, a few at a time.

        It never blocks a writer.  Close the iterator or run it to its end.
        """
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """One consistent state of the whole database, for copying it."""
        ...

    def tables(self) -> set[str]:
        """The names of the tables that are there, whoever made them."""
        ...

    def explained(self) -> AbstractContextManager[None]:
        """A block whose database errors become `BooksError`s with a remedy."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
