"""Which rows of a table are wanted, and the query that gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.store.statement import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rows are wanted; `None` is all.  `since` is included, `until` is not."""

    ticker: Ticker | None = None
    subaccount: Subaccount | None = None
    shard: Shard | None = None
    since: Instant | None = None
    until: Instant | None = None
    newest_first: bool = False
    limit: int | None = None


EVERYTHING: Final = Selection()


def select(
    table: str,
    columns: tuple[str, ...],
    selection: Selection,
    *,
    order: tuple[str, ...],
    given: tuple[str, ...] = (),
    at: str | None = None,
) -> tuple[Statement, list[object]]:
    """A query on one table; all words are ours, all values are parameters.

    `given` are further conditions; `at` is the time column, by default the first of `order`.
    """
    conditions, parameters = where(selection, at or order[0], given, by_book=table in _OF_BOOKS)
    direction = " DESC" if selection.newest_first else ""
    ordering = ", ".join(f"{name}{direction}" for name in order)
    limit = "" if selection.limit is None else " LIMIT ?"
    if selection.limit is not None:
        parameters.append(selection.limit)
    text = f"SELECT {', '.join(columns)} FROM {table}{conditions} ORDER BY {ordering}{limit}"  # noqa: S608
    return Statement(text), parameters


_OF_BOOKS: Final = frozenset({"fills", "settlements", "entries", "positions", "trades"})
"""Tables that are stored by book: a market is found there by its number, not by its name."""


def where(
    selection: Selection, at: str, given: tuple[str, ...] = (), *, by_book: bool = False
) -> tuple[str, list[object]]:
    """The WHERE clause of a selection, and its parameters."""
    market = "book IN (SELECT book FROM market_keys WHERE ticker = ?)" if by_book else "ticker = ?"
    conditions, parameters = list(given), list[object]()
    for text, value in (
        (market, selection.ticker),
        ("subaccount = ?", selection.subaccount),
        ("shard = ?", selection.shard),
        (f"{at} >= ?", selection.since),
        (f"{at} < ?", selection.until),
    ):
        if value is not None:
            conditions.append(text)
            parameters.append(value)
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), parameters
