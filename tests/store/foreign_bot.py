"""A bot with a database of its own, and the lines that a check of it would give."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.instant import Instant, parse_instant
from trueup.ledger.foreign import (
    AdoptionLine,
    Change,
    Column,
    ForeignTrade,
    Outcome,
    Reason,
    ratio_text,
)
from trueup.store.foreign import ForeignDatabase, ForeignTable

NOW: Final[Instant] = parse_instant("2026-06-01T12:00:00Z")

SEED_TABLE: Final = (
    "CREATE TABLE trades (id INTEGER PRIMARY KEY, market_ticker TEXT, status TEXT, "
    "settled_price {real}, profit_loss {real}, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"
)
"""The first seed's table."""


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot's database on either kind of server."""

    place: str

    @property
    def is_sqlite(self) -> bool:
        return "://" not in self.place

    @property
    def real(self) -> str:
        return "REAL" if self.is_sqlite else "DOUBLE PRECISION"

    def run(self, statement: str, rows: Sequence[Sequence[object]] | None = None) -> None:
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            text = statement.format(real=self.real)
            if rows is None:
                cursor.execute(text)
            else:
                mark = "?" if self.is_sqlite else "%s"
                cursor.executemany(text.replace("?", mark), rows)
            connection.commit()

    def rows(self, query: str = "SELECT * FROM trades ORDER BY id") -> list[tuple[Any, ...]]:
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            return list(cursor.fetchall())

    def seed(self, *trades: Sequence[object]) -> None:
        """The first seed's table with rows (ticker, status, settled_price, profit_loss)."""
        self.run(SEED_TABLE)
        self.run(
            "INSERT INTO trades (id, market_ticker, status, settled_price, profit_loss, updated_at)"
            " VALUES (?, ?, ?, ?, ?, '2026-01-02 03:04:05')",
            [(number, *trade) for number, trade in enumerate(trades, start=1)],
        )

    def read(self, **mapping: str) -> list[ForeignTrade]:
        with ForeignDatabase(self.place) as foreign:
            return foreign.read(foreign.inspect(ForeignTable(columns=mapping)))

    def connect(self) -> Any:
        if self.is_sqlite:
            return sqlite3.connect(self.place)
        import psycopg  # noqa: PLC0415  # an extra

        return psycopg.connect(self.place)


def postgres_bot(server: str) -> Bot:
    """A bot with an empty database; `server` has ``{}`` for the name of a database.

    It is the same database each time, emptied: making many costs many seconds.
    """
    import psycopg  # noqa: PLC0415  # an extra

    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'bot'").fetchall()
        if not known:
            connection.execute("CREATE DATABASE bot")
    bot = Bot(server.format("bot"))
    for schema in ("public", "bots"):
        bot.run(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    bot.run("CREATE SCHEMA public")
    return bot


def settled(
    trade: ForeignTrade, cents: str = "100.00", dollars: str = "12.34", word: str = "settled"
) -> AdoptionLine:
    """What the check says of a row that the exchange has settled."""
    old_price, old_profit = (
        None if value is None else ratio_text(value)
        for value in (trade.settled_price, trade.profit_loss)
    )
    return AdoptionLine(
        trade=trade,
        outcome=Outcome.PATCH,
        reason=Reason.PHANTOM_OPEN,
        why="open in the table, settled at the exchange",
        changes=(
            Change(Column.STATUS, trade.status, word),
            Change(Column.SETTLED_PRICE, old_price, cents),
            Change(Column.PROFIT_LOSS, old_profit, dollars),
        ),
    )
